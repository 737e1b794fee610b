//! Stakings: coin of supplier wallets that is staked, unstaked, taken back, or staked again instead.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::list::narrow_to_any;
use super::{WalletPurpose, WalletState};
use crate::Conn;
use crate::schema::{stakings as s, supplier_wallets as w};
use crate::text_enum;

text_enum! {
    /// Where a staking stands.
    StakingState {
        /// A worker is to look at it.
        Requested = "requested",
        /// A transaction for it was signed and may land.
        Processing = "processing",
        /// A block that may still be reverted carries it.
        Sent = "sent",
        /// A solidified block carries it.
        Done = "done",
        /// The chain would not carry it, or none of its transactions landed.
        Failed = "failed",
        /// An operator gave it up before anything was signed that can land.
        Cancelled = "cancelled",
    }
}
text_enum! {
    /// What is done.
    StakingAction {
        /// Coin becomes stake.
        Stake = "stake",
        /// Stake begins to wait until it is coin.
        Unstake = "unstake",
        /// What has waited long enough becomes coin.
        Withdraw = "withdraw",
        /// What still waits becomes stake again.
        Cancel = "cancel",
    }
}
text_enum! {
    /// What stake gives.
    StakeResource { Energy = "energy", Bandwidth = "bandwidth" }
}
text_enum! {
    /// Who wants it.
    StakingSource {
        /// A person, by command or over HTTP.
        Operator = "operator",
        /// The configured policy.
        Policy = "policy",
    }
}

impl StakingState {
    /// The states of a staking that goes on.
    pub const OPEN: [Self; 3] = [Self::Requested, Self::Processing, Self::Sent];

    /// Whether the staking has come to its end.
    #[must_use]
    pub const fn is_end(self) -> bool {
        matches!(self, Self::Done | Self::Failed | Self::Cancelled)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Identifiable)]
#[diesel(table_name = s, check_for_backend(diesel::pg::Pg))]
pub struct Staking {
    pub id: Uuid,
    pub network: String,
    pub wallet_id: Uuid,
    pub action: StakingAction,
    /// For `stake` and `unstake` alone, as the amount.
    pub resource: Option<StakeResource>,
    pub amount_sun: Option<i64>,
    pub state: StakingState,
    pub source: StakingSource,
    pub requested_by: String,
    pub reason: String,
    pub attempts: i32,
    /// What the read before the last signature said that a `withdraw` or a `cancel` moves.
    pub moved_sun: Option<i64>,
    pub block_number: Option<i64>,
    pub reason_code: Option<String>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub ended_at: Option<DateTime<Utc>>,
}

/// A staking to make.
#[derive(Debug, Insertable)]
#[diesel(table_name = s)]
pub struct NewStaking<'a> {
    pub id: Uuid,
    pub network: &'a str,
    pub wallet_id: Uuid,
    pub action: StakingAction,
    pub resource: Option<StakeResource>,
    pub amount_sun: Option<i64>,
    pub state: StakingState,
    pub source: StakingSource,
    pub requested_by: &'a str,
    pub reason: &'a str,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// What a list of stakings is narrowed to.
#[derive(Debug, Clone, Default)]
pub struct StakingFilter {
    /// One of these; none of them: any.
    pub states: Vec<StakingState>,
    pub action: Option<StakingAction>,
    pub wallet: Option<Uuid>,
}

#[derive(QueryableByName)]
struct Sun {
    #[diesel(sql_type = BigInt)]
    sun: i64,
}

impl NewStaking<'_> {
    /// Makes it; `None` where the wallet has an open one of this action already.
    pub async fn insert_if_none_open(&self, conn: &mut Conn) -> QueryResult<Option<Staking>> {
        diesel::insert_into(s::table)
            .values(self)
            .on_conflict_do_nothing()
            .returning(Staking::as_returning())
            .get_result(conn)
            .await
            .optional()
    }
}

impl Staking {
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

    /// A page, newest first, of the stakings before `before` (a staking's id).
    pub async fn page(
        conn: &mut Conn,
        filter: StakingFilter,
        before: Option<Uuid>,
        limit: i64,
    ) -> QueryResult<Vec<Self>> {
        let mut query = s::table
            .select(Self::as_select())
            .order(s::id.desc())
            .limit(limit)
            .into_boxed();
        narrow_to_any!(query, filter.states.as_slice() => s::state);
        if let Some(action) = filter.action {
            query = query.filter(s::action.eq(action));
        }
        if let Some(wallet) = filter.wallet {
            query = query.filter(s::wallet_id.eq(wallet));
        }
        if let Some(before) = before {
            query = query.filter(s::id.lt(before));
        }
        query.load(conn).await
    }

    /// Every staking in turn, oldest first: those after `after`.
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

    /// Until the transaction ends nobody else asks for a staking: what was asked for in a day is then all in sight.
    pub async fn lock_limits(conn: &mut Conn) -> QueryResult<()> {
        diesel::sql_query("SELECT pg_advisory_xact_lock(hashtext('stakings.limits'))")
            .execute(conn)
            .await
            .map(drop)
    }

    /// What of an action was asked for since, by all wallets or by one, and has not come to nothing.
    pub async fn asked_since(
        conn: &mut Conn,
        (network, action): (&str, StakingAction),
        wallet: Option<Uuid>,
        since: DateTime<Utc>,
    ) -> QueryResult<i64> {
        let row = diesel::sql_query(
            "SELECT least(coalesce(sum(amount_sun), 0), 9223372036854775807)::bigint AS sun FROM stakings \
             WHERE network = $1 AND action = $2 AND created_at > $3 AND ($4 IS NULL OR wallet_id = $4) \
                AND state NOT IN ('failed', 'cancelled')",
        )
        .bind::<Text, _>(network)
        .bind::<Text, _>(action.word())
        .bind::<Timestamptz, _>(since)
        .bind::<Nullable<SqlUuid>, _>(wallet)
        .get_result::<Sun>(conn)
        .await?;
        Ok(row.sun)
    }

    /// What a wallet's read as of `block` may not show of these: asked for or on its way, or in a later block.
    pub async fn unseen_sun(
        conn: &mut Conn,
        wallet: Uuid,
        (action, resource): (StakingAction, Option<StakeResource>),
        block: i64,
    ) -> QueryResult<i64> {
        let row = diesel::sql_query(
            "SELECT coalesce(sum(amount_sun), 0)::bigint AS sun FROM stakings \
             WHERE wallet_id = $1 AND action = $2 AND ($3 IS NULL OR resource = $3) \
                AND (state IN ('requested', 'processing') OR block_number > $4)",
        )
        .bind::<SqlUuid, _>(wallet)
        .bind::<Text, _>(action.word())
        .bind::<Nullable<Text>, _>(resource.map(StakeResource::word))
        .bind::<BigInt, _>(block)
        .get_result::<Sun>(conn)
        .await?;
        Ok(row.sun)
    }

    /// Stake for energy that is on its way to any wallet: it is not lent yet, and soon can be.
    pub async fn coming_energy_sun(conn: &mut Conn, network: &str) -> QueryResult<i64> {
        let row = diesel::sql_query(
            "SELECT coalesce(sum(amount_sun), 0)::bigint AS sun FROM stakings WHERE network = $1 \
                AND state IN ('requested', 'processing', 'sent') AND action = 'stake' AND resource = 'energy'",
        )
        .bind::<Text, _>(network)
        .get_result::<Sun>(conn)
        .await?;
        Ok(row.sun)
    }

    pub async fn any_open(conn: &mut Conn, wallet: Uuid, action: StakingAction) -> QueryResult<bool> {
        let rows = s::table
            .filter(s::wallet_id.eq(wallet).and(s::action.eq(action)))
            .filter(s::state.eq_any(StakingState::OPEN));
        diesel::select(diesel::dsl::exists(rows)).get_result(conn).await
    }

    /// Whether one of this action of a wallet came to nothing since.
    pub async fn any_failed_since(
        conn: &mut Conn,
        wallet: Uuid,
        action: StakingAction,
        since: DateTime<Utc>,
    ) -> QueryResult<bool> {
        let rows = s::table
            .filter(s::wallet_id.eq(wallet).and(s::action.eq(action)))
            .filter(s::state.eq(StakingState::Failed).and(s::updated_at.gt(since)));
        diesel::select(diesel::dsl::exists(rows)).get_result(conn).await
    }

    /// Guarded: from one state to another, neither of which a block carries. Clears or sets the reason; an end has its time.
    pub async fn set_state(
        conn: &mut Conn,
        id: Uuid,
        (from, to): (StakingState, StakingState),
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

    /// Guarded: from `requested` to `processing`, one attempt more.
    pub async fn set_processing(
        conn: &mut Conn,
        id: Uuid,
        moved_sun: Option<i64>,
        now: DateTime<Utc>,
    ) -> QueryResult<bool> {
        let row = s::table.filter(s::id.eq(id).and(s::state.eq(StakingState::Requested)));
        let set = (
            s::state.eq(StakingState::Processing),
            s::moved_sun.eq(moved_sun),
            s::attempts.eq(s::attempts + 1),
            s::reason_code.eq(None::<String>),
            s::updated_at.eq(now),
        );
        Ok(diesel::update(row).set(set).execute(conn).await? == 1)
    }

    /// Guarded: into a block (`processing` to `sent`, or adopted from `requested` to `done`), or out of it again.
    pub async fn set_block(
        conn: &mut Conn,
        id: Uuid,
        (from, to): (StakingState, StakingState),
        block: Option<i64>,
        now: DateTime<Utc>,
    ) -> QueryResult<bool> {
        let row = s::table.filter(s::id.eq(id).and(s::state.eq(from)));
        let set = (
            s::state.eq(to),
            s::block_number.eq(block),
            s::reason_code.eq(None::<String>),
            s::updated_at.eq(now),
            s::ended_at.eq(to.is_end().then_some(now)),
        );
        Ok(diesel::update(row).set(set).execute(conn).await? == 1)
    }

    /// Why an open staking waits; no state changes.
    pub async fn set_reason(conn: &mut Conn, id: Uuid, reason: &str, now: DateTime<Utc>) -> QueryResult<bool> {
        let row = s::table.filter(s::id.eq(id).and(s::state.eq(StakingState::Requested)));
        let set = (s::reason_code.eq(reason), s::updated_at.eq(now));
        Ok(diesel::update(row).set(set).execute(conn).await? == 1)
    }
}

/// Ids of the wallets that lend and take orders now.
pub async fn lending_ids(conn: &mut Conn) -> QueryResult<Vec<Uuid>> {
    w::table
        .filter(w::purpose.eq(WalletPurpose::Supply))
        .filter(
            w::state
                .eq(WalletState::Active)
                .and(w::enabled)
                .and(w::isolated_at.is_null()),
        )
        .order(w::id)
        .select(w::id)
        .load(conn)
        .await
}
