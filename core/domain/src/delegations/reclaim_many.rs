//! Claiming several ended delegations of one network in one transaction, so that they share its commit and its statements.
//! It takes the plain cases only; whatever needs a decision is left to [`super::claim_reclaim_in_tx`].

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use db::Conn;
use db::models::{ChainCursor, ChainTransaction, Delegation, DelegationState, IntentKind, SupplierWallet};
use kernel::DelegationId;
use uuid::Uuid;

use super::reclaim::Reclaiming;
use crate::DomainError;
use crate::intents::{is_current, next_timestamp};
use crate::orders::guarded;

/// What came of one of the delegations.
#[derive(Debug)]
pub enum ReclaimOfMany {
    /// It is not active: reclaimed already, or a transaction is on its way.
    NothingToDo,
    /// Not decided here: claim it alone.
    Alone,
    /// To be signed and stored before the commit.
    Claimed(Box<Reclaiming>),
}

/// Claims what is over of these delegations for being undone. Answers in the order of the ids, which name different
/// delegations of this network. Wallets are locked in id order, as everybody does who locks several.
///
/// # Errors
/// When the database fails.
pub async fn claim_reclaims_in_tx(
    conn: &mut Conn,
    network: &str,
    ids: &[DelegationId],
    now: DateTime<Utc>,
) -> Result<Vec<ReclaimOfMany>, DomainError> {
    let all: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let rows = Delegation::lock_many(conn, &all).await?;
    let cursor = ChainCursor::find(conn, network)
        .await?
        .ok_or(DomainError::NotFound("network"))?;
    let is_current = is_current(conn, network).await?;
    let over = |row: &Delegation| {
        let ended = row.ends_at.is_some_and(|ends_at| ends_at <= cursor.head_time);
        is_current && ended && !row.partial && row.network == network && row.state == DelegationState::Active
    };
    let ended: Vec<Uuid> = rows.iter().filter(|row| over(row)).map(|row| row.id).collect();
    let made: BTreeSet<Uuid> = ChainTransaction::final_of(conn, IntentKind::Delegate, &ended)
        .await?
        .into_iter()
        .collect();
    let of: BTreeSet<Uuid> = rows
        .iter()
        .filter(|row| made.contains(&row.id))
        .map(|row| row.wallet_id)
        .collect();
    let of: Vec<Uuid> = of.into_iter().collect();
    let mut wallets: BTreeMap<Uuid, SupplierWallet> = SupplierWallet::lock_many(conn, &of)
        .await?
        .into_iter()
        .map(|wallet| (wallet.id, wallet))
        .collect();
    let mut rows: BTreeMap<Uuid, Delegation> = rows.into_iter().map(|row| (row.id, row)).collect();
    let claims: Vec<ReclaimOfMany> = all
        .iter()
        .map(|id| match rows.remove(id) {
            None => ReclaimOfMany::Alone,
            Some(row) if row.state != DelegationState::Active => ReclaimOfMany::NothingToDo,
            Some(row) if !made.contains(&row.id) => ReclaimOfMany::Alone,
            Some(delegation) => match wallets.get_mut(&delegation.wallet_id) {
                None => ReclaimOfMany::Alone,
                Some(wallet) => {
                    let timestamp_ms = next_timestamp(&cursor, wallet);
                    wallet.last_timestamp_ms = timestamp_ms;
                    ReclaimOfMany::Claimed(Box::new(Reclaiming {
                        delegation,
                        wallet: wallet.clone(),
                        timestamp_ms,
                        cursor: cursor.clone(),
                    }))
                }
            },
        })
        .collect();
    let signed_with: Vec<(Uuid, i64)> = wallets
        .values()
        .map(|wallet| (wallet.id, wallet.last_timestamp_ms))
        .collect();
    SupplierWallet::set_timestamps(conn, &signed_with).await?;
    let claimed: Vec<Uuid> = claims.iter().filter_map(claimed_id).collect();
    let (from, to) = (DelegationState::Active, DelegationState::Reclaiming);
    let moved = Delegation::set_states(conn, &claimed, from, to, now).await?;
    guarded(moved == claimed.len(), "one of the delegations", format!("{claimed:?}"))?;
    Ok(claims)
}

fn claimed_id(claim: &ReclaimOfMany) -> Option<Uuid> {
    match claim {
        ReclaimOfMany::Claimed(work) => Some(work.delegation.id),
        ReclaimOfMany::NothingToDo | ReclaimOfMany::Alone => None,
    }
}
