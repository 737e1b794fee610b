//! Payouts.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::list::{Span, narrow, narrow_to_any, page_by};
use crate::Conn;
use crate::schema::payouts as p;
use crate::text_enum;

text_enum! {
    /// Where a payout stands.
    PayoutState {
        /// Its money is set aside; somebody has to agree.
        Requested = "requested",
        /// It may be paid.
        Approved = "approved",
        /// A transaction for it was signed and may land.
        Processing = "processing",
        /// A block that may still be reverted carries it.
        Sent = "sent",
        /// A solidified block carries it.
        Completed = "completed",
        /// Refused before anything was signed; the money is back.
        Rejected = "rejected",
        /// It can never be paid; the money is back.
        Failed = "failed",
    }
}

impl PayoutState {
    /// The states whose money is still set aside.
    pub const OPEN: [Self; 4] = [Self::Requested, Self::Approved, Self::Processing, Self::Sent];

    /// Whether the payout has come to its end.
    #[must_use]
    pub const fn is_end(self) -> bool {
        matches!(self, Self::Completed | Self::Rejected | Self::Failed)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Identifiable)]
#[diesel(table_name = p, check_for_backend(diesel::pg::Pg))]
pub struct Payout {
    pub id: Uuid,
    pub user_id: i64,
    pub network: String,
    pub asset: String,
    pub amount: i64,
    pub to_address: String,
    pub state: PayoutState,
    pub needs_approval: bool,
    pub requested_by: String,
    pub approved_by: Option<String>,
    pub approved_at: Option<DateTime<Utc>>,
    pub attempts: i32,
    pub reason_code: Option<String>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub ended_at: Option<DateTime<Utc>>,
}

#[derive(Debug, Insertable)]
#[diesel(table_name = p)]
pub struct NewPayout<'a> {
    pub id: Uuid,
    pub user_id: i64,
    pub network: &'a str,
    pub asset: &'a str,
    pub amount: i64,
    pub to_address: &'a str,
    pub state: PayoutState,
    pub needs_approval: bool,
    pub requested_by: &'a str,
    pub approved_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// What a list of payouts is narrowed to.
#[derive(Debug, Clone, Default)]
pub struct PayoutFilter {
    pub user_id: Option<i64>,
    /// One of these; none of them: any.
    pub states: Vec<PayoutState>,
    pub asset: Option<&'static str>,
    /// Where it goes.
    pub address: Option<String>,
    /// Of any transaction that was signed for it.
    pub txid: Option<String>,
    /// When it was asked for; without the end.
    pub created: Span<DateTime<Utc>>,
    /// In the smallest unit, both ends included.
    pub amount: Span<i64>,
    pub oldest_first: bool,
}

#[derive(QueryableByName)]
struct Sum {
    #[diesel(sql_type = BigInt)]
    sum: i64,
}

impl NewPayout<'_> {
    pub async fn insert(&self, conn: &mut Conn) -> QueryResult<Payout> {
        diesel::insert_into(p::table)
            .values(self)
            .returning(Payout::as_returning())
            .get_result(conn)
            .await
    }
}

impl Payout {
    pub async fn find(conn: &mut Conn, id: Uuid) -> QueryResult<Option<Self>> {
        p::table.find(id).select(Self::as_select()).first(conn).await.optional()
    }

    pub async fn lock(conn: &mut Conn, id: Uuid) -> QueryResult<Option<Self>> {
        p::table
            .find(id)
            .select(Self::as_select())
            .for_update()
            .first(conn)
            .await
            .optional()
    }

    /// Locked in id order, so that two callers cannot deadlock.
    pub async fn lock_many(conn: &mut Conn, ids: &[Uuid]) -> QueryResult<Vec<Self>> {
        p::table
            .filter(p::id.eq_any(ids))
            .order(p::id)
            .select(Self::as_select())
            .for_update()
            .load(conn)
            .await
    }

    /// Until the transaction ends nobody else's request for a payout is between its look at the limits and its commit.
    pub async fn lock_limits(conn: &mut Conn) -> QueryResult<()> {
        diesel::sql_query("SELECT pg_advisory_xact_lock(hashtext('payouts.limits'))")
            .execute(conn)
            .await
            .map(drop)
    }

    /// What was asked for of an asset since `since`, by everybody or by one user, and is not given back.
    pub async fn asked_since(
        conn: &mut Conn,
        asset: &str,
        user: Option<i64>,
        since: DateTime<Utc>,
    ) -> QueryResult<i64> {
        let sum: Sum = diesel::sql_query(
            "SELECT least(coalesce(sum(amount), 0), 9223372036854775807)::bigint AS sum FROM payouts \
             WHERE asset = $1 AND created_at > $2 AND ($3 IS NULL OR user_id = $3) AND state NOT IN ('rejected', 'failed')",
        )
        .bind::<Text, _>(asset)
        .bind::<Timestamptz, _>(since)
        .bind::<Nullable<BigInt>, _>(user)
        .get_result(conn)
        .await?;
        Ok(sum.sum)
    }

    /// A page of the payouts behind `place` (a payout's id) in the filter's direction.
    pub async fn page(
        conn: &mut Conn,
        filter: &PayoutFilter,
        place: Option<Uuid>,
        limit: i64,
    ) -> QueryResult<Vec<Self>> {
        let mut query = p::table.select(Self::as_select()).limit(limit).into_boxed();
        narrow!(query,
            filter.user_id => p::user_id, eq;
            filter.asset => p::asset, eq;
            filter.address.as_deref() => p::to_address, eq;
            filter.created.from => p::created_at, ge;
            filter.created.to => p::created_at, lt;
            filter.amount.from => p::amount, ge;
            filter.amount.to => p::amount, le;
        );
        narrow_to_any!(query, filter.states.as_slice() => p::state);
        if let Some(txid) = filter.txid.as_deref() {
            let of_transaction =
                diesel::dsl::sql::<Bool>("payouts.id IN (SELECT intent_id FROM chain_transactions WHERE txid = ");
            query = query.filter(of_transaction.bind::<Text, _>(txid).sql(")"));
        }
        page_by!(query, p::id, place, filter.oldest_first);
        query.load(conn).await
    }

    /// Every payout in turn, oldest first: those after `after`.
    pub async fn after(conn: &mut Conn, after: Option<Uuid>, limit: i64) -> QueryResult<Vec<Self>> {
        let after = after.unwrap_or_else(Uuid::nil);
        p::table
            .filter(p::id.gt(after))
            .order(p::id)
            .limit(limit)
            .select(Self::as_select())
            .load(conn)
            .await
    }

    /// Those that wait for approval since before a time, the oldest first.
    pub async fn undecided_before(conn: &mut Conn, before: DateTime<Utc>, limit: i64) -> QueryResult<Vec<Uuid>> {
        p::table
            .filter(p::state.eq(PayoutState::Requested).and(p::created_at.lt(before)))
            .order(p::created_at)
            .limit(limit)
            .select(p::id)
            .load(conn)
            .await
    }

    /// Guarded: from one state to another. Clears or sets the reason; an end has its time.
    pub async fn set_state(
        conn: &mut Conn,
        id: Uuid,
        (from, to): (PayoutState, PayoutState),
        reason: Option<&str>,
        now: DateTime<Utc>,
    ) -> QueryResult<bool> {
        let row = p::table.filter(p::id.eq(id).and(p::state.eq(from)));
        let set = (
            p::state.eq(to),
            p::reason_code.eq(reason),
            p::updated_at.eq(now),
            p::ended_at.eq(to.is_end().then_some(now)),
        );
        Ok(diesel::update(row).set(set).execute(conn).await? == 1)
    }

    /// Guarded: from `requested` to `approved`, by somebody.
    pub async fn set_approved(conn: &mut Conn, id: Uuid, by: &str, now: DateTime<Utc>) -> QueryResult<bool> {
        let row = p::table.filter(p::id.eq(id).and(p::state.eq(PayoutState::Requested)));
        let set = (
            p::state.eq(PayoutState::Approved),
            p::approved_by.eq(by),
            p::approved_at.eq(now),
            p::updated_at.eq(now),
        );
        Ok(diesel::update(row).set(set).execute(conn).await? == 1)
    }

    /// Guarded: from `approved` to `processing`, one attempt more.
    pub async fn set_processing(conn: &mut Conn, id: Uuid, now: DateTime<Utc>) -> QueryResult<bool> {
        let row = p::table.filter(p::id.eq(id).and(p::state.eq(PayoutState::Approved)));
        let set = (
            p::state.eq(PayoutState::Processing),
            p::attempts.eq(p::attempts + 1),
            p::reason_code.eq(None::<String>),
            p::updated_at.eq(now),
        );
        Ok(diesel::update(row).set(set).execute(conn).await? == 1)
    }

    /// Why an approved payout is not paid yet; no state changes.
    pub async fn set_reason(conn: &mut Conn, id: Uuid, reason: &str, now: DateTime<Utc>) -> QueryResult<bool> {
        let row = p::table.filter(p::id.eq(id).and(p::state.eq(PayoutState::Approved)));
        let set = (p::reason_code.eq(reason), p::updated_at.eq(now));
        Ok(diesel::update(row).set(set).execute(conn).await? == 1)
    }

    /// Whether an approved payout waits for this reason.
    pub async fn any_waiting_for(conn: &mut Conn, network: &str, asset: &str, reason: &str) -> QueryResult<bool> {
        let rows = p::table
            .filter(p::state.eq(PayoutState::Approved).and(p::network.eq(network)))
            .filter(p::asset.eq(asset).and(p::reason_code.eq(reason).assume_not_null()));
        diesel::select(diesel::dsl::exists(rows)).get_result(conn).await
    }
}
