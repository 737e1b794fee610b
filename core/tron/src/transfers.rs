//! Recognises money in a block: transfers of TRX, and of the tokens that are asked for. Pure; it knows neither whose
//! addresses are ours, nor which tokens are worth anything, nor whether the block is solid: all three have to be asked
//! before anything is credited.
//!
//! What counts, and why:
//!
//! - **TRX** moves by a `TransferContract` that succeeded, and where a contract sends it on (`internal_transactions`: a
//!   call, or a contract that ends itself). Nodes report the second only if they are told to, so it is told apart, and
//!   nothing may be credited by it alone: a ledger fed by it would depend on the node. TRX sent along with a call goes to
//!   a contract, and TRC10 tokens are not TRX.
//! - **A token** moves by a `Transfer` log, in any transaction that succeeded: routers and allowances pay too. Only the
//!   log's own address says which token it is of. Calldata, the called contract, names and `contractResult` say nothing
//!   (USDT returns false on success). Exactly three topics and 32 bytes of data, or it is another event.
//! - **A mint** is a transfer from address zero, and **a burn** one to it, where the token logs them so.
//! - **Nothing moved** in a transfer of zero, which anybody can log in anybody's name.
//! - Signatures are not looked at: under post-quantum schemes the list is empty.
//!
//! A block is read whole or not at all: [`of_block`] refuses one whose receipts or logs are not all there.

mod error;
mod json;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use chain::{ChainAmount, MovedBy, TransactionSeen, TransferAsset, TronAddress, TxId, TxOutcome};

use crate::trc20;
pub use chain::Transfer;
pub use error::UnreadBlock;
use json::{Body, Coin, Log};
pub use json::{Info, Transaction};

/// The transfers of block `number`, in the order of its transactions and of their logs.
///
/// `transactions` are the block's own, `infos` the answer of `gettransactioninfobyblocknum`. The transfers are those of
/// every token, since a worthless one sent to us has to be told from money by name; of `tokens` it is known besides that
/// a call which moves them leaves a log.
///
/// # Errors
/// [`UnreadBlock`] when the two do not cover each other, contradict each other, or cannot be read: nothing of the block
/// may be used then, and another node may have it whole.
pub fn of_block(
    number: i64,
    transactions: &[Transaction],
    infos: &[Info],
    tokens: &[TronAddress],
) -> Result<Vec<Transfer>, UnreadBlock> {
    whole(number, transactions, infos, tokens).map(|whole| whole.transfers)
}

/// Everything that is told of a block.
pub(crate) struct Whole {
    /// Its transactions with what their receipts say.
    pub(crate) transactions: Vec<TransactionSeen>,
    /// What they moved.
    pub(crate) transfers: Vec<Transfer>,
}

/// [`of_block`], with the transactions themselves.
pub(crate) fn whole(
    number: i64,
    transactions: &[Transaction],
    infos: &[Info],
    tokens: &[TronAddress],
) -> Result<Whole, UnreadBlock> {
    let mut infos = by_id(number, infos)?;
    let mut seen = Vec::with_capacity(transactions.len());
    let mut found = Vec::new();
    for transaction in transactions {
        let txid = transaction.id()?;
        // A transaction that is there twice finds no second receipt.
        let info = infos.remove(&txid).ok_or(UnreadBlock::NoInfo(txid))?;
        let body = transaction.body(txid)?;
        let succeeded = succeeded(txid, transaction, &body, info)?;
        seen.push(TransactionSeen {
            txid,
            outcome: if succeeded { TxOutcome::Ok } else { TxOutcome::Failed },
            fee_sun: info.fee,
            energy_used: info.receipt.energy_usage_total,
            bandwidth_used: info.receipt.net_usage,
        });
        if succeeded {
            let (block, before) = (Seen { number, txid }, found.len());
            found.extend(block.coin(&body)?);
            block.sent_on(info, &mut found);
            block.tokens(&body, &info.log, tokens, &mut found)?;
            if found.len() > before {
                let memo = transaction.memo();
                found[before..]
                    .iter_mut()
                    .for_each(|moved| moved.memo.clone_from(&memo));
            }
        }
    }
    match infos.into_keys().next() {
        Some(txid) => Err(UnreadBlock::Stranger(txid)),
        None => Ok(Whole {
            transactions: seen,
            transfers: found,
        }),
    }
}

fn by_id(number: i64, infos: &[Info]) -> Result<HashMap<TxId, &Info>, UnreadBlock> {
    let mut by_id = HashMap::with_capacity(infos.len());
    for info in infos {
        if info.block_number != number {
            return Err(UnreadBlock::OtherBlock(info.block_number));
        }
        let txid = info.id()?;
        if by_id.insert(txid, info).is_some() {
            return Err(UnreadBlock::Twice(txid));
        }
    }
    Ok(by_id)
}

/// Whether the transaction did what it says. Block and receipt have to agree on it: they come by two calls, which two
/// branches of the chain may have answered.
fn succeeded(txid: TxId, transaction: &Transaction, body: &Body, info: &Info) -> Result<bool, UnreadBlock> {
    let ended = transaction.ended().ok_or(UnreadBlock::NoResult(txid))? == "SUCCESS";
    let receipt = info.receipt.result.as_deref().map(|result| result == "SUCCESS");
    // Only calls of contracts have a result in the receipt.
    let agreed = match receipt {
        Some(receipt) => receipt == ended,
        None => !body.is_call() && info.log.is_empty(),
    };
    if !agreed || (ended && info.failed()) {
        return Err(UnreadBlock::Contradiction(txid));
    }
    Ok(ended)
}

/// A transaction that succeeded.
#[derive(Clone, Copy)]
struct Seen {
    number: i64,
    txid: TxId,
}

impl Seen {
    fn coin(self, body: &Body) -> Result<Option<Transfer>, UnreadBlock> {
        let Some(sent) = body.coin(self.txid)? else {
            return Ok(None);
        };
        let amount = u64::try_from(sent.amount).map_err(|_| self.malformed("a negative amount"))?;
        Ok((amount > 0).then(|| self.moved(MovedBy::Transaction, &sent, amount)))
    }

    /// What contracts sent on. What cannot be read is passed over, as if the node had not told of it: a block is whole
    /// without. Calls are counted whether or not they moved anything, since a node may be told to report more beside them.
    fn sent_on(self, info: &Info, found: &mut Vec<Transfer>) {
        for (place, call) in (0_u32..).zip(info.calls()) {
            let sent = call
                .coin()
                .and_then(|sent| Some((u64::try_from(sent.amount).ok()?, sent)));
            if let Some((amount, sent)) = sent.filter(|(amount, _)| *amount > 0) {
                found.push(self.moved(MovedBy::Call(place), &sent, amount));
            }
        }
    }

    fn moved(self, by: MovedBy, sent: &Coin, amount: u64) -> Transfer {
        Transfer {
            block_number: self.number,
            txid: self.txid,
            by,
            asset: TransferAsset::Coin,
            from: sent.from,
            to: sent.to,
            amount: ChainAmount::from(u128::from(amount)),
            memo: None,
        }
    }

    fn tokens(
        self,
        body: &Body,
        logs: &[Log],
        tokens: &[TronAddress],
        found: &mut Vec<Transfer>,
    ) -> Result<(), UnreadBlock> {
        for (log_index, log) in (0_u32..).zip(logs) {
            let contract = log.contract().ok_or_else(|| self.malformed("the address of a log"))?;
            let Some(moved) = log.transfer().map_err(|_| self.malformed("the hex of a log"))? else {
                continue;
            };
            let amount = ChainAmount::from_be_bytes(moved.amount);
            if !amount.is_zero() {
                found.push(Transfer {
                    block_number: self.number,
                    txid: self.txid,
                    by: MovedBy::Log(log_index),
                    asset: TransferAsset::Token(contract),
                    from: moved.from,
                    to: moved.to,
                    amount,
                    memo: None,
                });
            }
        }
        // A token's transfer always logs something, be it another contract that the token was upgraded to. A node that
        // strips logs shows here, for the calls that go straight to the token.
        if logs.is_empty() && self.pays_with(body, tokens)? {
            return Err(UnreadBlock::NoLogs(self.txid));
        }
        Ok(())
    }

    /// Whether this is a call of a token's `transfer` or `transferFrom`.
    fn pays_with(self, body: &Body, tokens: &[TronAddress]) -> Result<bool, UnreadBlock> {
        let Some(call) = body.call(self.txid)? else {
            return Ok(false);
        };
        let selectors = [trc20::TRANSFER, trc20::TRANSFER_FROM].map(hex::encode);
        let pays = selectors.iter().any(|selector| call.data.starts_with(selector));
        Ok(pays && tokens.contains(&call.contract))
    }

    const fn malformed(self, what: &'static str) -> UnreadBlock {
        UnreadBlock::Malformed { txid: self.txid, what }
    }
}
