//! Reading solidified blocks again: for a transaction that somebody names, and for a range that an operator wants re-read.
//! It goes the way of the watcher, records what is missing, and changes nothing that was right.

use std::collections::HashMap;

use chain::{Block, TransferAsset, TxId};
use chrono::{DateTime, Utc};
use db::models::{BlockRow, ChainCursor, IncomingTransfer, NewIncomingTransfer, TransferKind, TransferState};
use db::{Conn, Pool, acquire, run_tx};
use jobs::{JobKind, JobRequest, Wake, enqueue_in_tx};
use kernel::IdGen;
use serde::Serialize;
use serde_json::json;

use super::record::{due_in_tx, is_by_contract, log_index, record_in_tx, row};
use crate::findings::{self, FindingKind};
use crate::{DomainError, WORKER};

/// Transfers of one transaction that are kept where none of them is to us.
const UNKNOWN_KEPT: usize = 20;

/// What came of reading blocks again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ReadAgain {
    /// Blocks read.
    pub blocks: usize,
    /// Transfers to us that were missing, and are recorded now.
    pub recorded: usize,
    /// Transfers to us that were recorded before.
    pub known: usize,
    /// Recorded transfers of which the blocks say something else, as `txid:log_index`: a finding each. Nothing of them is
    /// changed.
    pub differing: Vec<String>,
    /// To be pushed after the commit.
    #[serde(skip)]
    pub wakes: Vec<Wake>,
}

/// Records what solidified blocks carry, whoever read them before. `asked_for` is the transaction that somebody named: if
/// it pays nobody of ours, that is recorded, too.
///
/// # Errors
/// [`DomainError::NotSolid`] when a block is above our own solidified one, which the watcher will get to; when a block is
/// another one than the watcher applied at that height; when the database fails. Nothing is written then.
pub async fn read_again(
    pool: &Pool,
    ids: &dyn IdGen,
    network: &str,
    (blocks, asked_for): (&[Block], Option<TxId>),
    now: DateTime<Utc>,
) -> Result<ReadAgain, DomainError> {
    run_tx(pool, "read_deposits_again", async |conn| {
        let cursor = ChainCursor::find(conn, network).await?;
        let cursor = cursor.ok_or(DomainError::NotFound("network"))?;
        check(conn, &cursor, blocks).await?;
        let recorded = record_in_tx(conn, ids, network, blocks, now).await?;
        let (known, differing) = compare(conn, network, blocks).await?;
        for name in &differing {
            let subject = format!("transfer:{network}:{name}");
            findings::record_in_tx(conn, ids, FindingKind::DepositDiffers, &subject, json!({}), now).await?;
        }
        if let Some(txid) = asked_for {
            keep_unknown_in_tx(conn, ids, network, (blocks, txid), now).await?;
        }
        let solid = (cursor.solid_number, cursor.solid_time);
        let wake = due_in_tx(conn, network, solid, now).await?;
        Ok(ReadAgain {
            blocks: blocks.len(),
            recorded,
            known: known.saturating_sub(recorded),
            differing,
            wakes: wake.into_iter().collect(),
        })
    })
    .await
}

/// Only blocks that are final by our own reading, and where we still know what we applied, only those very blocks.
async fn check(conn: &mut Conn, cursor: &ChainCursor, blocks: &[Block]) -> Result<(), DomainError> {
    for block in blocks {
        let at = &block.at;
        if at.number > cursor.solid_number {
            return Err(DomainError::NotSolid(at.number));
        }
        let applied = BlockRow::find(conn, &cursor.network, at.number).await?;
        if applied.is_some_and(|applied| applied.block_id != at.id) {
            return Err(DomainError::Broken(format!(
                "block {} of {} is {} by the node, and another one was applied",
                at.number, cursor.network, at.id
            )));
        }
    }
    Ok(())
}

/// How many transfers of these blocks are recorded, and which of them say something else than their block.
async fn compare(conn: &mut Conn, network: &str, blocks: &[Block]) -> Result<(usize, Vec<String>), DomainError> {
    let told: HashMap<(String, i32), _> = blocks
        .iter()
        .flat_map(|block| block.transfers.iter().map(move |transfer| (block, transfer)))
        .map(|(block, transfer)| ((transfer.txid.to_string(), log_index(transfer)), (block, transfer)))
        .collect();
    let mut txids: Vec<String> = told.keys().map(|(txid, _)| txid.clone()).collect();
    txids.sort_unstable();
    txids.dedup();
    let mut known = 0;
    let mut differing = Vec::new();
    for row in IncomingTransfer::of_transactions(conn, network, &txids).await? {
        let name = format!("{}:{}", row.txid, row.log_index);
        let key = (row.txid.clone(), row.log_index);
        let Some((block, transfer)) = told.get(&key) else {
            if !is_by_contract(row.log_index) {
                differing.push(name);
            }
            continue;
        };
        known += usize::from(row.address_id.is_some());
        let token = match transfer.asset {
            TransferAsset::Coin => None,
            TransferAsset::Token(contract) => Some(contract.to_string()),
        };
        let same = row.block_id == block.at.id
            && row.amount == transfer.amount.to_string()
            && row.to_address == transfer.to.to_string()
            && row.token == token;
        if !same {
            differing.push(name);
        }
    }
    Ok((known, differing))
}

/// Keeps that a transaction pays nobody of ours, so that whoever asked is answered.
async fn keep_unknown_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    network: &str,
    (blocks, txid): (&[Block], TxId),
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    let known = IncomingTransfer::of_transaction(conn, network, &txid.to_string()).await?;
    if !known.is_empty() {
        return Ok(());
    }
    let mut rows: Vec<NewIncomingTransfer> = Vec::new();
    for block in blocks {
        let places = (0_i32..).zip(&block.transfers);
        let of_it = places.filter(|(_, transfer)| transfer.txid == txid);
        let of_it = of_it.map(|(place, transfer)| row(ids, block, (place, transfer), None));
        rows.extend(of_it.take(UNKNOWN_KEPT));
    }
    let decided = (TransferState::Ignored, TransferKind::UnknownAddress, WORKER);
    Ok(IncomingTransfer::record_decided(conn, network, &rows, decided, now).await?)
}

/// What is known of a transaction, or the job that looks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// It is recorded: its transfers, in the order of its logs.
    Known(Vec<IncomingTransfer>),
    /// A worker will look for it on the chain.
    Looking(Option<Wake>),
}

/// Answers what is known of a transaction that somebody says he paid with; where nothing is, asks for a look at the chain.
/// Nothing of what he says is believed.
///
/// # Errors
/// [`DomainError::NotFound`] for a network that is not read.
pub async fn ask(pool: &Pool, network: &str, txid: TxId, now: DateTime<Utc>) -> Result<Asked, DomainError> {
    run_tx(pool, "ask_for_deposit", async |conn| {
        let cursor = ChainCursor::find(conn, network).await?;
        cursor.ok_or(DomainError::NotFound("network"))?;
        let known = IncomingTransfer::of_transaction(conn, network, &txid.to_string()).await?;
        let on_chain = known.iter().any(|row| row.state != TransferState::Reverted);
        if on_chain {
            return Ok(Asked::Known(known));
        }
        let object = format!("{network}:{txid}");
        let job = JobRequest {
            kind: JobKind::DepositsConfirm,
            object_id: &object,
            run_at: now,
            now,
        };
        Ok(Asked::Looking(enqueue_in_tx(conn, job).await?))
    })
    .await
}

/// The highest block of a network that may be read again.
///
/// # Errors
/// [`DomainError::NotFound`] for a network that is not read.
pub async fn solid_number(pool: &Pool, network: &str) -> Result<i64, DomainError> {
    let mut conn = acquire(pool).await?;
    let cursor = ChainCursor::find(&mut conn, network).await?;
    Ok(cursor.ok_or(DomainError::NotFound("network"))?.solid_number)
}
