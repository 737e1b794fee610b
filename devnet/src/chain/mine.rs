//! Making blocks: everything pending is executed again, what no longer holds vanishes.

use std::sync::Arc;

use super::block::Draft;
use super::{AdminOp, Block, Chain, Included, POOL_TIMEOUT_MS, Pending};
use crate::error::DevnetError;

/// Bytes of transactions in one block.
const BLOCK_BYTES: i64 = 2_000_000;
/// Blocks that one request may ask for.
const MAX_MINE: u64 = 100_000;
/// Fewest blocks kept, whatever the configuration says.
const MIN_BLOCKS: usize = 1_000;

impl Chain {
    /// The first block.
    pub(super) fn begin(&mut self) {
        self.state.open();
        let start_ms = self.start_ms;
        self.append(start_ms);
    }

    /// Makes `count` blocks.
    pub(crate) fn mine(&mut self, count: u64) -> Result<(), DevnetError> {
        if count > MAX_MINE {
            return Err(DevnetError::Invalid(format!("at most {MAX_MINE} blocks at once")));
        }
        for _ in 0..count {
            let timestamp = self.timeline.next(self.head_ms());
            self.append(timestamp);
        }
        Ok(())
    }

    /// Makes one block with what is pending, solidifies, forgets the oldest, and puts the rest of the pool on top.
    pub(super) fn append(&mut self, timestamp: i64) {
        self.state.undo();
        self.state.open();
        let ops = std::mem::take(&mut self.pending_ops);
        self.apply_all(&ops);
        let (txs, waiting) = self.pack();
        let number = self.head() + 1;
        let parent = self.blocks.back().map_or([0; 32], |block| block.id);
        let block = Block::seal(Draft {
            number,
            parent,
            timestamp,
            branch: self.branch,
            txs,
            ops,
        });
        for (index, included) in block.txs.iter().enumerate() {
            self.included.insert(included.tx.txid, (number, index));
        }
        self.blocks.push_back(Arc::new(block));
        self.solidify();
        self.forget();
        self.state.open();
        self.refill(waiting);
    }

    fn apply_all(&mut self, ops: &[AdminOp]) {
        for op in ops {
            self.exec().apply(op);
        }
    }

    /// Executes the pool in order. Returns what goes into the block, and what did not fit.
    fn pack(&mut self) -> (Vec<Included>, Vec<Pending>) {
        let (mut packed, mut waiting, mut bytes) = (Vec::new(), Vec::new(), 0);
        for pending in std::mem::take(&mut self.pool) {
            let size = Self::size(&pending.tx);
            if bytes + size > BLOCK_BYTES {
                waiting.push(pending);
                continue;
            }
            self.pool_ids.remove(&pending.tx.txid);
            if self.check_common(&pending.tx).is_err() {
                continue;
            }
            if let Ok(outcome) = self.attempt(&pending.tx) {
                bytes += size;
                packed.push(Included {
                    tx: pending.tx,
                    outcome,
                });
            }
        }
        (packed, waiting)
    }

    /// What did not fit is tried again on the new state, unless the node has forgotten it.
    fn refill(&mut self, waiting: Vec<Pending>) {
        let head_ms = self.head_ms();
        self.pool_ids.clear();
        for pending in waiting {
            let fresh = head_ms - pending.since_ms <= POOL_TIMEOUT_MS;
            if !fresh || self.check_common(&pending.tx).is_err() {
                continue;
            }
            if let Ok(outcome) = self.attempt(&pending.tx) {
                self.pool_ids.insert(pending.tx.txid);
                self.pool.push(Pending { outcome, ..pending });
            }
        }
    }

    fn solidify(&mut self) {
        let first = self.config.first_block;
        let lag = i64::try_from(self.config.solid_lag).unwrap_or(i64::MAX);
        let target = self.head().saturating_sub(lag).max(first);
        if self.head() == first {
            // The first block is solid from the start: its layer is dropped at once.
            self.state.solidify();
        }
        while !self.solid_stalled && self.solid < target {
            self.solid += 1;
            self.state.solidify();
        }
    }

    fn forget(&mut self) {
        while self.blocks.len() > self.config.max_blocks.max(MIN_BLOCKS) {
            let Some(block) = self.blocks.pop_front() else { return };
            for included in &block.txs {
                self.included.remove(&included.tx.txid);
            }
            if block.number >= self.solid {
                // Solidification stood still for longer than blocks are kept: it must move.
                self.solid += 1;
                self.state.solidify();
            }
        }
    }
}
