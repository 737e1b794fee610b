//! Applying blocks that were read whole.

use std::collections::{BTreeMap, HashMap};

use chain::{Block, BlockRef, TransactionSeen};
use chrono::{DateTime, Utc};
use db::models::{BlockRow, ChainCursor, ChainTransaction};
use db::{Conn, Pool, run_tx};
use jobs::Wake;
use kernel::IdGen;

use super::lock_at;
use crate::DomainError;
use crate::delegations::wake_ended_in_tx;
use crate::deposits;
use crate::findings::{self, FindingKind};
use crate::intents::{Landed, included_in_tx};

/// Reclaim jobs made at one block at most; the next block makes more.
const ENDED_AT_ONCE: i64 = 500;

/// Starts a network at a solidified block; no effect where it is started already.
///
/// # Errors
/// When the database fails.
pub async fn start(pool: &Pool, network: &str, at: &BlockRef, now: DateTime<Utc>) -> Result<bool, DomainError> {
    let cursor = ChainCursor {
        network: network.to_owned(),
        head_number: at.number,
        head_block_id: at.id.clone(),
        head_time: at.time,
        solid_number: at.number,
        solid_block_id: at.id.clone(),
        solid_time: at.time,
        tip_number: at.number,
        first_number: at.number,
        total_energy_limit: 0,
        total_energy_weight: 0,
        lease_holder: None,
        lease_until: None,
        halted_reason: None,
        halted_at: None,
        updated_at: now,
    };
    run_tx(pool, "start_network", async |conn| {
        let new = cursor.insert_if_missing(conn).await?;
        if new {
            BlockRow::insert_many(conn, &[row(network, at, 0, 0)]).await?;
        }
        Ok(new)
    })
    .await
}

/// What came of applying blocks.
#[derive(Debug, PartialEq, Eq)]
pub enum Applied {
    /// The cursor stands on the last of them.
    Done {
        /// How many transactions in them were ours.
        ours: usize,
        /// How many transfers in them came to us.
        deposits: usize,
        /// To be pushed after the commit.
        wakes: Vec<Wake>,
    },
    /// Somebody else moved the cursor meanwhile, or scanning is halted: fetch again.
    Moved,
}

/// Applies consecutive blocks, the first of which follows the cursor: our transactions in them move, transfers to us are
/// recorded, the blocks are kept for forks, and the cursor stands on the last one.
///
/// # Errors
/// When the blocks are not a chain on top of the cursor, or the database fails; nothing is written then.
pub async fn apply_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    network: &str,
    blocks: &[Block],
    now: DateTime<Utc>,
) -> Result<Applied, DomainError> {
    let (Some(first), Some(last)) = (blocks.first(), blocks.last()) else {
        return Ok(Applied::Done {
            ours: 0,
            deposits: 0,
            wakes: Vec::new(),
        });
    };
    let Some(cursor) = lock_at(conn, network, &first.at.parent_id).await? else {
        return Ok(Applied::Moved);
    };
    check_chain(cursor.head_number, blocks)?;
    let (ours, mut wakes) = include_ours(conn, ids, network, blocks, now).await?;
    let deposits = deposits::record_in_tx(conn, ids, network, blocks, now).await?;
    let rows: Vec<BlockRow> = blocks
        .iter()
        .map(|block| {
            let ours = ours.get(&block.at.number).copied().unwrap_or_default();
            row(network, &block.at, block.transactions.len(), ours)
        })
        .collect();
    BlockRow::insert_many(conn, &rows).await?;
    let head = (last.at.number, last.at.id.as_str(), last.at.time);
    ChainCursor::set_head(conn, network, head).await?;
    if !ours.is_empty() {
        findings::clear_in_tx(conn, FindingKind::NothingLands, network, now).await?;
    }
    wakes.extend(wake_ended_in_tx(conn, network, last.at.time, ENDED_AT_ONCE, now).await?);
    Ok(Applied::Done {
        ours: ours.values().sum(),
        deposits,
        wakes,
    })
}

fn row(network: &str, at: &BlockRef, transactions: usize, ours: usize) -> BlockRow {
    BlockRow {
        network: network.to_owned(),
        number: at.number,
        block_id: at.id.clone(),
        parent_id: at.parent_id.clone(),
        block_time: at.time,
        transaction_count: i32::try_from(transactions).unwrap_or(i32::MAX),
        ours: i32::try_from(ours).unwrap_or(i32::MAX),
    }
}

/// Numbers without gaps and parents that match, or nothing of it is believed.
fn check_chain(head_number: i64, blocks: &[Block]) -> Result<(), DomainError> {
    let mut number = head_number;
    let mut parent: Option<&str> = None;
    for Block { at, .. } in blocks {
        let links = at.number == number + 1 && parent.is_none_or(|parent| parent == at.parent_id);
        if !links {
            return Err(DomainError::Broken(format!(
                "block {} does not follow block {number}",
                at.number
            )));
        }
        number = at.number;
        parent = Some(&at.id);
    }
    Ok(())
}

/// Brings blocks to our transactions; answers how many of ours each block carries.
async fn include_ours(
    conn: &mut Conn,
    ids: &dyn IdGen,
    network: &str,
    blocks: &[Block],
    now: DateTime<Utc>,
) -> Result<(BTreeMap<i64, usize>, Vec<Wake>), DomainError> {
    let seen: HashMap<String, (&BlockRef, &TransactionSeen)> = blocks
        .iter()
        .flat_map(|block| {
            block
                .transactions
                .iter()
                .map(|tx| (tx.txid.to_string(), (&block.at, tx)))
        })
        .collect();
    let mut per_block = BTreeMap::new();
    if seen.is_empty() {
        return Ok((per_block, Vec::new()));
    }
    let txids: Vec<String> = seen.keys().cloned().collect();
    let ours = ChainTransaction::lock_by_txids(conn, network, &txids).await?;
    let landed: Vec<Landed<'_>> = ours
        .iter()
        .filter_map(|transaction| {
            let (block, seen) = *seen.get(&transaction.txid)?;
            Some(Landed {
                transaction,
                block,
                seen,
            })
        })
        .collect();
    for one in &landed {
        *per_block.entry(one.block.number).or_default() += 1;
    }
    Ok((per_block, included_in_tx(conn, ids, &landed, now).await?))
}
