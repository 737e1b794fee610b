//! What one wants done that needs a second person, and what came of it.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel_async::RunQueryDsl;
use serde_json::Value;
use uuid::Uuid;

use super::list::narrow_to_any;
use crate::Conn;
use crate::schema::approvals as a;
use crate::text_enum;

text_enum! {
    /// What is asked for.
    ApprovalKind {
        /// A correction of a balance.
        BalancesAdjust = "balances.adjust",
        /// Another key for a supplier's wallet.
        WalletsReplaceKey = "wallets.replace_key",
        /// Another price table.
        PricesPublish = "prices.publish",
        /// Other settings.
        SettingsChange = "settings.change",
    }
}

text_enum! {
    /// Where it stands.
    ApprovalState {
        /// Somebody else has to decide.
        Open = "open",
        /// Somebody agreed, and it was carried out.
        Approved = "approved",
        /// Somebody refused.
        Rejected = "rejected",
        /// Nobody decided in time.
        Expired = "expired",
    }
}

/// All but what is sealed.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable)]
#[diesel(table_name = a, check_for_backend(diesel::pg::Pg))]
pub struct Approval {
    pub id: Uuid,
    pub kind: ApprovalKind,
    pub subject: String,
    pub request: Value,
    pub requested_by: String,
    pub requested_name: String,
    pub reason: String,
    pub requested_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    pub state: ApprovalState,
    pub decided_by: Option<String>,
    pub decided_name: Option<String>,
    pub decision_reason: Option<String>,
    pub ended_at: Option<DateTime<Utc>>,
    pub result: Option<Value>,
}

#[derive(Debug, Insertable)]
#[diesel(table_name = a)]
pub struct NewApproval<'a> {
    pub id: Uuid,
    pub kind: ApprovalKind,
    pub subject: &'a str,
    pub request: &'a Value,
    pub sealed: Option<&'a [u8]>,
    pub requested_by: &'a str,
    pub requested_name: &'a str,
    pub reason: &'a str,
    pub requested_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    pub state: ApprovalState,
}

/// A decision.
#[derive(Debug, Clone, Copy)]
pub struct ApprovalEnd<'a> {
    pub state: ApprovalState,
    pub by: &'a str,
    pub name: &'a str,
    pub reason: &'a str,
    pub result: Option<&'a Value>,
    pub at: DateTime<Utc>,
}

/// What a list is narrowed to.
#[derive(Debug, Clone, Default)]
pub struct ApprovalFilter {
    /// One of these; none of them: any.
    pub states: Vec<ApprovalState>,
    pub kind: Option<ApprovalKind>,
}

impl NewApproval<'_> {
    /// `false` where one of this kind is open for the same subject, and only one may be.
    pub async fn insert_if_none_open(&self, conn: &mut Conn) -> QueryResult<bool> {
        let insert = diesel::insert_into(a::table).values(self).on_conflict_do_nothing();
        Ok(insert.execute(conn).await? == 1)
    }
}

impl Approval {
    pub async fn find(conn: &mut Conn, id: Uuid) -> QueryResult<Option<Self>> {
        a::table.find(id).select(Self::as_select()).first(conn).await.optional()
    }

    pub async fn lock(conn: &mut Conn, id: Uuid) -> QueryResult<Option<Self>> {
        let row = a::table.find(id).select(Self::as_select()).for_update();
        row.first(conn).await.optional()
    }

    /// Until this transaction ends, nothing else is asked for in this name.
    pub async fn lock_asker(conn: &mut Conn, asker: &str) -> QueryResult<()> {
        diesel::sql_query("SELECT pg_advisory_xact_lock(hashtextextended('approvals ' || $1, 0))")
            .bind::<Text, _>(asker)
            .execute(conn)
            .await
            .map(drop)
    }

    /// How many of those that one asked for wait at that time.
    pub async fn waiting_of(conn: &mut Conn, asker: &str, now: DateTime<Utc>) -> QueryResult<i64> {
        a::table
            .filter(a::state.eq(ApprovalState::Open).and(a::requested_by.eq(asker)))
            .filter(a::expires_at.gt(now))
            .count()
            .get_result(conn)
            .await
    }

    /// What is sealed with it.
    pub async fn sealed(conn: &mut Conn, id: Uuid) -> QueryResult<Option<Vec<u8>>> {
        let sealed = a::table.find(id).select(a::sealed);
        Ok(sealed.first(conn).await.optional()?.flatten())
    }

    /// A page, newest first, of those before `before`.
    pub async fn page(
        conn: &mut Conn,
        filter: ApprovalFilter,
        before: Option<Uuid>,
        limit: i64,
    ) -> QueryResult<Vec<Self>> {
        let mut query = a::table
            .select(Self::as_select())
            .order(a::id.desc())
            .limit(limit)
            .into_boxed();
        narrow_to_any!(query, filter.states.as_slice() => a::state);
        if let Some(kind) = filter.kind {
            query = query.filter(a::kind.eq(kind));
        }
        if let Some(before) = before {
            query = query.filter(a::id.lt(before));
        }
        query.load(conn).await
    }

    /// Guarded: ends an open one; `false` where it had ended.
    pub async fn end(conn: &mut Conn, id: Uuid, end: &ApprovalEnd<'_>) -> QueryResult<bool> {
        let set = (
            a::state.eq(end.state),
            a::sealed.eq(None::<&[u8]>),
            a::decided_by.eq(end.by),
            a::decided_name.eq(end.name),
            a::decision_reason.eq(end.reason),
            a::ended_at.eq(end.at),
            a::result.eq(end.result),
        );
        let open = a::table.find(id).filter(a::state.eq(ApprovalState::Open));
        Ok(diesel::update(open).set(set).execute(conn).await? == 1)
    }

    /// Ends at most `limit` that nobody decided in time; answers how many.
    pub async fn expire(conn: &mut Conn, now: DateTime<Utc>, limit: i64) -> QueryResult<usize> {
        let over = a::table
            .filter(a::state.eq(ApprovalState::Open))
            .filter(a::expires_at.le(now))
            .order(a::expires_at)
            .limit(limit)
            .select(a::id);
        let over: Vec<Uuid> = over.load(conn).await?;
        let set = (
            a::state.eq(ApprovalState::Expired),
            a::sealed.eq(None::<&[u8]>),
            a::ended_at.eq(now),
        );
        let open = a::table
            .filter(a::id.eq_any(over))
            .filter(a::state.eq(ApprovalState::Open));
        diesel::update(open).set(set).execute(conn).await
    }

    /// Ends those of one kind and subject that nobody decided in time; answers which.
    pub async fn expire_of(
        conn: &mut Conn,
        (kind, subject): (ApprovalKind, &str),
        now: DateTime<Utc>,
    ) -> QueryResult<Vec<Uuid>> {
        let set = (
            a::state.eq(ApprovalState::Expired),
            a::sealed.eq(None::<&[u8]>),
            a::ended_at.eq(now),
        );
        let over = a::table
            .filter(a::kind.eq(kind).and(a::subject.eq(subject)))
            .filter(a::state.eq(ApprovalState::Open))
            .filter(a::expires_at.le(now));
        diesel::update(over).set(set).returning(a::id).get_results(conn).await
    }

    /// How many wait, and since when the oldest does.
    pub async fn waiting(conn: &mut Conn) -> QueryResult<(i64, Option<DateTime<Utc>>)> {
        a::table
            .filter(a::state.eq(ApprovalState::Open))
            .select((diesel::dsl::count_star(), diesel::dsl::min(a::requested_at)))
            .first(conn)
            .await
    }
}
