//! Sweeps: what customers paid to addresses of theirs, collected to a treasury wallet.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::list::narrow_to_any;
use crate::Conn;
use crate::schema::sweeps as s;
use crate::text_enum;

text_enum! {
    /// Where a sweep stands.
    SweepState {
        /// A worker is to look at it.
        Planned = "planned",
        /// A treasury wallet sends coin, so that the address exists.
        Activating = "activating",
        /// Energy of our own is ordered for the address, or is there.
        Renting = "renting",
        /// A transaction that collects was signed and may land.
        Processing = "processing",
        /// A block that may still be reverted carries it.
        Sent = "sent",
        /// A solidified block carries it.
        Completed = "completed",
        /// There was nothing to collect, or an operator gave it up.
        Cancelled = "cancelled",
    }
}

impl SweepState {
    /// The states of a sweep that goes on.
    pub const OPEN: [Self; 5] = [
        Self::Planned,
        Self::Activating,
        Self::Renting,
        Self::Processing,
        Self::Sent,
    ];

    /// Whether the sweep has come to its end.
    #[must_use]
    pub const fn is_end(self) -> bool {
        matches!(self, Self::Completed | Self::Cancelled)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Identifiable)]
#[diesel(table_name = s, check_for_backend(diesel::pg::Pg))]
pub struct Sweep {
    pub id: Uuid,
    pub network: String,
    pub asset: String,
    pub wallet_id: Uuid,
    pub state: SweepState,
    pub amount: Option<i64>,
    pub to_address: Option<String>,
    pub read_block: Option<i64>,
    pub attempts: i32,
    pub activation_sun: Option<i64>,
    pub order_id: Option<Uuid>,
    pub energy_failures: i32,
    pub reason_code: Option<String>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub ended_at: Option<DateTime<Utc>>,
}

/// A sweep to make.
#[derive(Debug, Insertable)]
#[diesel(table_name = s)]
pub struct NewSweep<'a> {
    pub id: Uuid,
    pub network: &'a str,
    pub asset: &'a str,
    pub wallet_id: Uuid,
    pub state: SweepState,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// What a list of sweeps is narrowed to.
#[derive(Debug, Clone, Default)]
pub struct SweepFilter<'a> {
    /// One of these; none of them: any.
    pub states: Vec<SweepState>,
    pub asset: Option<&'a str>,
}

/// What was signed for a sweep.
#[derive(Debug, Clone, Copy)]
pub struct Collected<'a> {
    pub amount: i64,
    pub to_address: &'a str,
    /// Every block up to it was in the balance that was read.
    pub read_block: i64,
    /// What stays at the address for certain.
    pub left: i64,
}

/// An address that is worth collecting.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct SweepCandidate {
    #[diesel(sql_type = SqlUuid)]
    pub address_id: Uuid,
    #[diesel(sql_type = Text)]
    pub address: String,
    #[diesel(sql_type = Text)]
    pub fingerprint: String,
    /// What was credited and is not collected.
    #[diesel(sql_type = BigInt)]
    pub minor: i64,
    /// Whether the account's key is at rest here.
    #[diesel(sql_type = diesel::sql_types::Bool)]
    pub has_key: bool,
}

/// What customers were credited at addresses derived from an account, and nobody has collected, the most first. Left alone
/// are addresses that are being collected, and those of which something waits for an operator: a sweep takes all there is.
/// But not for what a contract sent, by which anybody could stop the collecting of any address.
const CANDIDATES: &str = "SELECT a.id AS address_id, a.address, a.key_fingerprint AS fingerprint, u.minor, \
        EXISTS (SELECT 1 FROM deposit_account_keys k WHERE k.fingerprint = a.key_fingerprint) AS has_key \
    FROM (SELECT t.address_id, least(sum(t.credited), 9223372036854775807)::bigint AS minor \
        FROM incoming_transfers t \
        WHERE t.network = $1 AND t.asset = $2 AND t.state = 'credited' AND t.swept_by IS NULL \
        GROUP BY t.address_id HAVING sum(t.credited) >= $3) u \
    JOIN deposit_addresses a ON a.id = u.address_id \
    WHERE a.key_fingerprint IS NOT NULL \
        AND NOT EXISTS (SELECT 1 FROM incoming_transfers h WHERE h.address_id = a.id AND h.state = 'held' \
            AND h.kind <> 'by_contract') \
        AND NOT EXISTS (SELECT 1 FROM sweeps s JOIN supplier_wallets w ON w.id = s.wallet_id \
            WHERE w.deposit_address_id = a.id AND s.asset = $2 \
                AND s.state IN ('planned', 'activating', 'renting', 'processing', 'sent')) \
    ORDER BY has_key DESC, u.minor DESC, a.id LIMIT $4";

impl SweepCandidate {
    pub async fn find(
        conn: &mut Conn,
        (network, asset): (&str, &str),
        threshold_minor: i64,
        limit: i64,
    ) -> QueryResult<Vec<Self>> {
        diesel::sql_query(CANDIDATES)
            .bind::<Text, _>(network)
            .bind::<Text, _>(asset)
            .bind::<BigInt, _>(threshold_minor)
            .bind::<BigInt, _>(limit)
            .load(conn)
            .await
    }
}

impl NewSweep<'_> {
    /// Makes it; `false` where the address is being collected already.
    pub async fn insert_if_none_open(&self, conn: &mut Conn) -> QueryResult<bool> {
        let rows = diesel::insert_into(s::table)
            .values(self)
            .on_conflict_do_nothing()
            .execute(conn)
            .await?;
        Ok(rows == 1)
    }
}

impl Sweep {
    pub async fn find(conn: &mut Conn, id: Uuid) -> QueryResult<Option<Self>> {
        s::table.find(id).select(Self::as_select()).first(conn).await.optional()
    }

    pub async fn lock(conn: &mut Conn, id: Uuid) -> QueryResult<Option<Self>> {
        s::table
            .find(id)
            .select(Self::as_select())
            .for_update()
            .first(conn)
            .await
            .optional()
    }

    /// Locked in id order, so that two callers cannot deadlock.
    pub async fn lock_many(conn: &mut Conn, ids: &[Uuid]) -> QueryResult<Vec<Self>> {
        s::table
            .filter(s::id.eq_any(ids))
            .order(s::id)
            .select(Self::as_select())
            .for_update()
            .load(conn)
            .await
    }

    /// A page, newest first, of the sweeps before `before` (a sweep's id).
    pub async fn page(
        conn: &mut Conn,
        filter: SweepFilter<'_>,
        before: Option<Uuid>,
        limit: i64,
    ) -> QueryResult<Vec<Self>> {
        let mut query = s::table
            .select(Self::as_select())
            .order(s::id.desc())
            .limit(limit)
            .into_boxed();
        narrow_to_any!(query, filter.states.as_slice() => s::state);
        if let Some(asset) = filter.asset {
            query = query.filter(s::asset.eq(asset));
        }
        if let Some(before) = before {
            query = query.filter(s::id.lt(before));
        }
        query.load(conn).await
    }

    /// Every sweep in turn, oldest first: those after `after`.
    pub async fn after(conn: &mut Conn, after: Option<Uuid>, limit: i64) -> QueryResult<Vec<Self>> {
        let after = after.unwrap_or_else(Uuid::nil);
        s::table
            .filter(s::id.gt(after))
            .order(s::id)
            .limit(limit)
            .select(Self::as_select())
            .load(conn)
            .await
    }

    pub async fn count_open(conn: &mut Conn, network: &str) -> QueryResult<i64> {
        s::table
            .filter(s::network.eq(network).and(s::state.eq_any(SweepState::OPEN)))
            .count()
            .get_result(conn)
            .await
    }

    /// Guarded: from one state to another. Clears or sets the reason; an end has its time.
    pub async fn set_state(
        conn: &mut Conn,
        id: Uuid,
        (from, to): (SweepState, SweepState),
        reason: Option<&str>,
        now: DateTime<Utc>,
    ) -> QueryResult<bool> {
        let row = s::table.filter(s::id.eq(id).and(s::state.eq(from)));
        let set = (
            s::state.eq(to),
            s::reason_code.eq(reason),
            s::updated_at.eq(now),
            s::ended_at.eq(to.is_end().then_some(now)),
        );
        Ok(diesel::update(row).set(set).execute(conn).await? == 1)
    }

    /// Guarded: from `planned` to `activating`, by so many sun.
    pub async fn set_activating(conn: &mut Conn, id: Uuid, sun: i64, now: DateTime<Utc>) -> QueryResult<bool> {
        let row = s::table.filter(s::id.eq(id).and(s::state.eq(SweepState::Planned)));
        let set = (
            s::state.eq(SweepState::Activating),
            s::activation_sun.eq(sun),
            s::reason_code.eq(None::<String>),
            s::updated_at.eq(now),
        );
        Ok(diesel::update(row).set(set).execute(conn).await? == 1)
    }

    /// Guarded: from `planned` to `renting`, by this order.
    pub async fn set_renting(conn: &mut Conn, id: Uuid, order: Uuid, now: DateTime<Utc>) -> QueryResult<bool> {
        let row = s::table.filter(s::id.eq(id).and(s::state.eq(SweepState::Planned)));
        let set = (
            s::state.eq(SweepState::Renting),
            s::order_id.eq(order),
            s::reason_code.eq(None::<String>),
            s::updated_at.eq(now),
        );
        Ok(diesel::update(row).set(set).execute(conn).await? == 1)
    }

    /// Guarded: from `renting` back to `planned`; one failure more, or none so far.
    pub async fn set_unrented(
        conn: &mut Conn,
        id: Uuid,
        (failures, reason): (i32, &str),
        now: DateTime<Utc>,
    ) -> QueryResult<bool> {
        let row = s::table.filter(s::id.eq(id).and(s::state.eq(SweepState::Renting)));
        let set = (
            s::state.eq(SweepState::Planned),
            s::energy_failures.eq(failures),
            s::reason_code.eq(reason),
            s::updated_at.eq(now),
        );
        Ok(diesel::update(row).set(set).execute(conn).await? == 1)
    }

    /// Guarded: from `planned` or `renting` to `processing`, one attempt more.
    pub async fn set_processing(
        conn: &mut Conn,
        id: Uuid,
        signed: Collected<'_>,
        now: DateTime<Utc>,
    ) -> QueryResult<bool> {
        let ready = [SweepState::Planned, SweepState::Renting];
        let row = s::table.filter(s::id.eq(id).and(s::state.eq_any(ready)));
        let set = (
            s::state.eq(SweepState::Processing),
            s::amount.eq(signed.amount),
            s::to_address.eq(signed.to_address),
            s::read_block.eq(signed.read_block),
            s::left_minor.eq(signed.left),
            s::attempts.eq(s::attempts + 1),
            s::energy_failures.eq(0),
            s::reason_code.eq(None::<String>),
            s::updated_at.eq(now),
        );
        Ok(diesel::update(row).set(set).execute(conn).await? == 1)
    }

    /// Guarded: from `planned` to `completed`, by a transaction that was held for dead.
    pub async fn set_adopted(
        conn: &mut Conn,
        id: Uuid,
        signed: Collected<'_>,
        now: DateTime<Utc>,
    ) -> QueryResult<bool> {
        let row = s::table.filter(s::id.eq(id).and(s::state.eq(SweepState::Planned)));
        let set = (
            s::state.eq(SweepState::Completed),
            s::amount.eq(signed.amount),
            s::to_address.eq(signed.to_address),
            s::read_block.eq(signed.read_block),
            s::left_minor.eq(signed.left),
            s::reason_code.eq(None::<String>),
            s::updated_at.eq(now),
            s::ended_at.eq(now),
        );
        Ok(diesel::update(row).set(set).execute(conn).await? == 1)
    }

    /// Why an open sweep waits; no state changes.
    pub async fn set_reason(conn: &mut Conn, id: Uuid, reason: &str, now: DateTime<Utc>) -> QueryResult<bool> {
        let waiting = [SweepState::Planned, SweepState::Renting];
        let row = s::table.filter(s::id.eq(id).and(s::state.eq_any(waiting)));
        let set = (s::reason_code.eq(reason), s::updated_at.eq(now));
        Ok(diesel::update(row).set(set).execute(conn).await? == 1)
    }
}
