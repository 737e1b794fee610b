//! Taking energy back after a rental. Rentals end by the chain's clock, as they began.

use chrono::{DateTime, Duration, Utc};
use db::models::{
    ChainCursor, ChainTransaction, Delegation, DelegationState, IntentKind, Order, SupplierWallet, TxState,
};
use db::{Conn, Prepare as _};
use diesel::sql_types::{BigInt, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use jobs::{JobKind, JobRequest, Wake, enqueue_many_in_tx};
use kernel::DelegationId;
use uuid::Uuid;

use super::claim::lock;
use crate::DomainError;
use crate::intents::{is_current, next_timestamp};
use crate::orders::guarded;

/// What came of the wish to take a delegation back.
#[derive(Debug)]
pub enum Reclaim {
    /// It is not active: reclaimed already, or a transaction is on its way.
    NothingToDo,
    /// By the chain's clock it runs on, the delegation itself is not final yet, or our view of the chain is old.
    NotYet,
    /// To be signed and stored before the commit.
    Claimed(Box<Reclaiming>),
}

/// A delegation to undo.
#[derive(Debug)]
pub struct Reclaiming {
    /// The delegation, now reclaiming.
    pub delegation: Delegation,
    /// Its wallet, locked.
    pub wallet: SupplierWallet,
    /// `raw_data.timestamp` to sign with.
    pub timestamp_ms: i64,
    /// The network's state as the watcher stored it.
    pub cursor: ChainCursor,
}

/// Claims an ended delegation for being undone: exactly the sun that it delegated.
///
/// # Errors
/// When rows are missing, or the database fails.
pub async fn claim_reclaim_in_tx(
    conn: &mut Conn,
    id: DelegationId,
    now: DateTime<Utc>,
) -> Result<Reclaim, DomainError> {
    let delegation = lock(conn, id).await?;
    if delegation.state != DelegationState::Active {
        return Ok(Reclaim::NothingToDo);
    }
    if !is_current(conn, &delegation.network).await? {
        return Ok(Reclaim::NotYet);
    }
    if delegation.partial && !delegation.stray {
        // its time begins when the last part is on chain, and until that is final a fork may take that part back
        let order = Order::find(conn, delegation.order_id).await?;
        if order.is_none_or(|order| order.settled_at.is_none()) {
            return Ok(Reclaim::NotYet);
        }
    }
    let cursor = ChainCursor::find(conn, &delegation.network)
        .await?
        .ok_or(DomainError::NotFound("network"))?;
    let made = ChainTransaction::live_of(conn, IntentKind::Delegate, id.0).await?;
    // before it is final a fork may take it away, and the undoing with it would be refused
    let is_final = made.is_some_and(|made| made.state == TxState::Final);
    if !is_final || delegation.ends_at.is_none_or(|ends_at| ends_at > cursor.head_time) {
        return Ok(Reclaim::NotYet);
    }
    let wallet = SupplierWallet::lock(conn, delegation.wallet_id)
        .await?
        .ok_or(DomainError::NotFound("wallet"))?;
    let timestamp_ms = next_timestamp(&cursor, &wallet);
    SupplierWallet::set_timestamp(conn, wallet.id, timestamp_ms).await?;
    let (from, to) = (DelegationState::Active, DelegationState::Reclaiming);
    guarded(
        Delegation::set_state(conn, delegation.id, from, to, now).await?,
        "delegation",
        delegation.id,
    )?;
    Ok(Reclaim::Claimed(Box::new(Reclaiming {
        delegation,
        wallet,
        timestamp_ms,
        cursor,
    })))
}

/// Of the rentals that one block ends, so many are due at once.
const TOGETHER: usize = 16;
/// And the next ones so much later: customers who order meanwhile do not wait behind all of them. Within the three seconds
/// until the next block 500 are due.
const BETWEEN: Duration = Duration::milliseconds(96);

#[derive(diesel::QueryableByName)]
struct Ended {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
}

/// Makes the reclaim job of every rental that ended by the chain's clock and has none, at most `limit`. This is both
/// the trigger and its repair: what is lost is made again at the next block.
///
/// # Errors
/// When the database fails.
pub async fn wake_ended_in_tx(
    conn: &mut Conn,
    network: &str,
    head_time: DateTime<Utc>,
    limit: i64,
    now: DateTime<Utc>,
) -> Result<Vec<Wake>, DomainError> {
    let ended: Vec<Ended> = diesel::sql_query(
        "SELECT d.id FROM delegations d WHERE d.state = 'active' AND d.network = $1 AND d.ends_at <= $2 \
         AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.kind = $3 AND j.object_id = d.id::text) \
         ORDER BY d.ends_at LIMIT $4",
    )
    .bind::<Text, _>(network)
    .bind::<Timestamptz, _>(head_time)
    .bind::<Text, _>(JobKind::DelegationsReclaim.word())
    .bind::<BigInt, _>(limit)
    .prepared()
    .load(conn)
    .await?;
    let ids: Vec<String> = ended.iter().map(|ended| ended.id.to_string()).collect();
    let groups = ids.chunks(TOGETHER).zip(0_i32..);
    let requests: Vec<JobRequest<'_>> = groups
        .flat_map(|(group, n)| {
            group.iter().map(move |id| JobRequest {
                kind: JobKind::DelegationsReclaim,
                object_id: id,
                run_at: now + BETWEEN * n,
                now,
            })
        })
        .collect();
    Ok(enqueue_many_in_tx(conn, &requests).await?)
}
