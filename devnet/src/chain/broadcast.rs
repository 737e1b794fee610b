//! A transaction's way into the pool: the checks in the node's order.

use std::sync::Arc;

use super::{Chain, Pending};
use crate::exec::{Outcome, Refusal, check_signatures};
use crate::wire::{Signed, to_i64};

/// Largest transaction, with twice the room for a result.
const MAX_BYTES: i64 = 500 * 1_024;
const RESULT_BYTES: i64 = 64;
const DAY_MS: i64 = 86_400_000;
const SLOT_MS: i64 = 3_000;
/// Blocks that may be unsolidified before a node refuses broadcasts.
const UNSOLIDIFIED_MAX: i64 = 54;

/// What becomes of a transaction that passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Disposal {
    /// It is pooled.
    Pool,
    /// It is thrown away, although the answer says that it was taken.
    Drop,
    /// So it is, however often it is sent.
    Lose,
}

impl Chain {
    /// What a node says before it even looks at the transaction.
    pub(crate) fn admission(&self) -> Result<(), Refusal> {
        if self.config.unsolidified_check && self.head() - self.solid >= UNSOLIDIFIED_MAX {
            return Err(Refusal::Unsolidified);
        }
        if self.pool.len() >= self.config.max_pending {
            return Err(Refusal::Busy);
        }
        Ok(())
    }

    /// Validates, executes on the pending state, pools.
    pub(crate) fn broadcast(&mut self, tx: Signed, disposal: Disposal) -> Result<(), Refusal> {
        if tx.raw.expiration < self.head_ms() + SLOT_MS {
            return Err(Refusal::Expired);
        }
        check_signatures(&self.state, &tx)?;
        self.check_common(&tx)?;
        if self.pool_ids.contains(&tx.txid) {
            return Err(Refusal::Duplicate);
        }
        if disposal == Disposal::Lose {
            self.lost.insert(tx.txid);
        }
        if disposal == Disposal::Drop || self.lost.contains(&tx.txid) {
            self.state.open();
            let run = self.exec().run(&tx);
            self.state.undo();
            return run.map(|_| ());
        }
        let tx = Arc::new(tx);
        let outcome = self.attempt(&tx)?;
        self.pool_ids.insert(tx.txid);
        let since_ms = self.head_ms();
        self.pool.push(Pending { tx, outcome, since_ms });
        Ok(())
    }

    /// TAPOS, size, expiry against the newest block, and whether the chain has it already.
    pub(super) fn check_common(&self, tx: &Signed) -> Result<(), Refusal> {
        self.check_tapos(tx)?;
        let bytes = tx.bandwidth() + RESULT_BYTES;
        if bytes > MAX_BYTES {
            return Err(Refusal::TooBig(format!(
                "Too big transaction with result, TxId {}, the size is {bytes} bytes, maxTxSize {MAX_BYTES}",
                hex::encode(tx.txid)
            )));
        }
        let head_ms = self.head_ms();
        if tx.raw.expiration <= head_ms || tx.raw.expiration > head_ms + DAY_MS {
            return Err(Refusal::Expired);
        }
        if self.included.contains_key(&tx.txid) {
            return Err(Refusal::Duplicate);
        }
        Ok(())
    }

    /// The reference must be the newest block with those low 16 bits: one of the last 65,536 on this branch.
    fn check_tapos(&self, tx: &Signed) -> Result<(), Refusal> {
        let bytes: [u8; 2] = tx
            .raw
            .ref_block_bytes
            .as_slice()
            .try_into()
            .map_err(|_| Refusal::Tapos)?;
        let low = i64::from(u16::from_be_bytes(bytes));
        let head = self.head();
        let number = head - (head - low).rem_euclid(0x1_0000);
        let known = self
            .block(number)
            .is_some_and(|block| block.reference_hash() == tx.raw.ref_block_hash);
        if known { Ok(()) } else { Err(Refusal::Tapos) }
    }

    /// Executes in a layer of its own, kept only on success.
    pub(super) fn attempt(&mut self, tx: &Signed) -> Result<Outcome, Refusal> {
        self.state.open();
        let run = self.exec().run(tx);
        if run.is_ok() {
            self.state.merge()
        } else {
            self.state.undo()
        }
        run
    }

    /// Bytes of a transaction in a block.
    pub(super) fn size(tx: &Signed) -> i64 {
        to_i64(tx.raw_bytes.len() + tx.signatures.iter().map(Vec::len).sum::<usize>()) + RESULT_BYTES
    }
}
