//! Recording what blocks bring, in the transaction that moves the cursor.
//!
//! Which receivers are ours is asked of the database in that very transaction, and not kept in memory: an address that the
//! API gave out a moment ago is there, and no process has to be told of it. One statement asks for all receivers of the
//! blocks at once, each by the unique index, so it costs by what the blocks carry and not by how many addresses we have.

use std::collections::{BTreeSet, HashMap};

use chain::{Block, MovedBy, Transfer, TransferAsset, TronAddress};
use chrono::{DateTime, Utc};
use db::Conn;
use db::models::{Deposit, DepositAddress, EventType, IncomingTransfer, NewIncomingTransfer};
use jobs::{JobKind, JobRequest, Wake, enqueue_in_tx};
use kernel::IdGen;
use uuid::Uuid;

use super::news::tell_of_transfers_in_tx;
use crate::DomainError;

/// Records transfers of these blocks to addresses of ours; answers how many are new, or landed again.
pub(crate) async fn record_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    network: &str,
    blocks: &[Block],
    now: DateTime<Utc>,
) -> Result<usize, DomainError> {
    let receivers: BTreeSet<_> = blocks
        .iter()
        .flat_map(|block| &block.transfers)
        .map(|transfer| transfer.to)
        .collect();
    if receivers.is_empty() {
        return Ok(0);
    }
    let texts: Vec<String> = receivers.iter().map(ToString::to_string).collect();
    let ours = DepositAddress::of(conn, network, &texts).await?;
    if ours.is_empty() {
        return Ok(0);
    }
    let ours: HashMap<String, Uuid> = ours.into_iter().map(|ours| (ours.address, ours.id)).collect();
    let receivers = receivers.into_iter().zip(&texts);
    let ours: HashMap<TronAddress, Uuid> = receivers
        .filter_map(|(receiver, text)| Some((receiver, *ours.get(text)?)))
        .collect();
    let mut rows = Vec::new();
    for block in blocks {
        for (place, transfer) in (0_i32..).zip(&block.transfers) {
            if let Some(address) = ours.get(&transfer.to) {
                rows.push(row(ids, block, (place, transfer), Some(*address)));
            }
        }
    }
    let recorded = IncomingTransfer::record(conn, network, &rows, now).await?;
    tell_of_transfers_in_tx(conn, ids, EventType::DepositDetected, &recorded, now).await?;
    Ok(recorded.len())
}

/// A transfer as its block tells it; `address_id` is the address of ours that it went to, if it is one.
pub(super) fn row(
    ids: &dyn IdGen,
    block: &Block,
    (place, transfer): (i32, &Transfer),
    address_id: Option<Uuid>,
) -> NewIncomingTransfer {
    let token = match transfer.asset {
        TransferAsset::Coin => None,
        TransferAsset::Token(contract) => Some(contract.to_string()),
    };
    NewIncomingTransfer {
        id: ids.uuid(),
        txid: transfer.txid.to_string(),
        log_index: log_index(transfer),
        block_number: block.at.number,
        block_id: block.at.id.clone(),
        block_time: block.at.time,
        place,
        token,
        from_address: transfer.from.to_string(),
        to_address: transfer.to.to_string(),
        address_id,
        amount: transfer.amount.to_string(),
        memo: transfer.memo.clone(),
    }
}

/// What moved it, as rows name it: the log's place; -1 for the transaction itself; -2 and below for what contracts sent on.
/// A transaction has far fewer logs and calls than an `i32` counts.
pub(super) fn log_index(transfer: &Transfer) -> i32 {
    let place = |place| i32::try_from(place).unwrap_or(i32::MAX);
    match transfer.by {
        MovedBy::Transaction => COIN,
        MovedBy::Call(call) => (COIN - 1).saturating_sub(place(call)),
        MovedBy::Log(log) => place(log),
    }
}

/// [`log_index`] of what the transaction itself sent.
const COIN: i32 = -1;

/// Whether a contract sent it: only nodes that keep internal transactions tell of that.
pub(super) const fn is_by_contract(log_index: i32) -> bool {
    log_index < COIN
}

/// Takes back what is recorded above `number` and not final; answers how much.
pub(crate) async fn revert_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    network: &str,
    number: i64,
    now: DateTime<Utc>,
) -> Result<usize, DomainError> {
    let reverted = IncomingTransfer::revert_above(conn, network, number, now).await?;
    tell_of_transfers_in_tx(conn, ids, EventType::DepositReverted, &reverted, now).await?;
    Ok(reverted.len())
}

/// Asks for the job that credits, if a solidified block brought something or a deposit's time is over.
pub(crate) async fn due_in_tx(
    conn: &mut Conn,
    network: &str,
    (solid, solid_time): (i64, DateTime<Utc>),
    now: DateTime<Utc>,
) -> Result<Option<Wake>, DomainError> {
    let due = IncomingTransfer::any_undecided(conn, network, solid).await?
        || Deposit::any_past(conn, network, solid_time).await?;
    if !due {
        return Ok(None);
    }
    let job = JobRequest {
        kind: JobKind::DepositsCredit,
        object_id: network,
        run_at: now,
        now,
    };
    Ok(enqueue_in_tx(conn, job).await?)
}
