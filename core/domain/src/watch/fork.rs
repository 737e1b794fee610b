//! Taking blocks back that a fork replaced.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use db::Conn;
use db::models::{BlockRow, ChainCursor, ChainTransaction, SupplierWallet};
use jobs::Wake;
use kernel::IdGen;
use uuid::Uuid;

use super::lock_at;
use crate::DomainError;
use crate::deposits;
use crate::intents::{reverted_in_tx, sync_soon_in_tx};

/// What came of following a fork back.
#[derive(Debug, PartialEq, Eq)]
pub enum ForkOutcome {
    /// The cursor stands on the common ancestor.
    Reverted {
        /// How many blocks were taken back.
        blocks: usize,
        /// How many transactions of ours may land again.
        transactions: usize,
        /// How many transfers to us may land again.
        deposits: usize,
        /// To be pushed after the commit.
        wakes: Vec<Wake>,
    },
    /// Somebody else moved the cursor meanwhile: look again.
    Moved,
    /// The fork reaches below what was solidified: scanning must halt.
    BelowSolid,
}

/// Takes back every block above `ancestor`, which the caller found to be common to our blocks and the node's, while the
/// cursor still stands on `head_block_id`.
///
/// # Errors
/// When the database fails; nothing is written then.
pub async fn revert_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    network: &str,
    head_block_id: &str,
    ancestor: &BlockRow,
    now: DateTime<Utc>,
) -> Result<ForkOutcome, DomainError> {
    let Some(cursor) = lock_at(conn, network, head_block_id).await? else {
        return Ok(ForkOutcome::Moved);
    };
    let stored = BlockRow::find(conn, network, ancestor.number).await?;
    if stored.as_ref() != Some(ancestor) {
        return Ok(ForkOutcome::Moved);
    }
    if ancestor.number < cursor.solid_number {
        return Ok(ForkOutcome::BelowSolid);
    }
    let mut transactions = ChainTransaction::lock_included_above(conn, network, ancestor.number).await?;
    // wallets are locked in one order by everybody who locks several
    transactions.sort_by_key(|transaction| (transaction.wallet_id, transaction.id));
    let mut wallets = BTreeSet::new();
    for transaction in &transactions {
        if reverted_in_tx(conn, transaction, now).await? {
            wallets.insert(transaction.wallet_id);
        }
    }
    let wallets: Vec<Uuid> = wallets.into_iter().collect();
    let wakes = sync_soon_in_tx(conn, &wallets, now).await?;
    // what the lost branch showed of our wallets says nothing of the new one
    SupplierWallet::forget_above(conn, ancestor.number).await?;
    let deposits = deposits::revert_in_tx(conn, ids, network, ancestor.number, now).await?;
    let blocks = BlockRow::delete_above(conn, network, ancestor.number).await?;
    let head = (ancestor.number, ancestor.block_id.as_str(), ancestor.block_time);
    ChainCursor::set_head(conn, network, head).await?;
    Ok(ForkOutcome::Reverted {
        blocks,
        transactions: transactions.len(),
        deposits,
        wakes,
    })
}
