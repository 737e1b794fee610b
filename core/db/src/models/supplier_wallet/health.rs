//! Wallets that fail: counted, isolated, tried again, released.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Integer, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::{SupplierWallet, WalletState};
use crate::schema::supplier_wallets as w;
use crate::{Conn, Prepare as _};

/// How a wallet stands after one failure more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, QueryableByName)]
pub struct Failures {
    /// Within the window.
    #[diesel(sql_type = Integer)]
    pub failures: i32,
    /// How often it was tried again since its last success.
    #[diesel(sql_type = Integer)]
    pub probations: i32,
}

impl SupplierWallet {
    /// One failure more. Where the first of those before was earlier than `since`, they count no more.
    pub async fn count_failure(
        conn: &mut Conn,
        id: Uuid,
        since: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> QueryResult<Failures> {
        diesel::sql_query(
            "UPDATE supplier_wallets SET updated_at = $3, \
                failures = CASE WHEN first_failed_at >= $2 THEN failures + 1 ELSE 1 END, \
                first_failed_at = CASE WHEN first_failed_at >= $2 THEN first_failed_at ELSE $3 END \
             WHERE id = $1 RETURNING failures, probations",
        )
        .bind::<SqlUuid, _>(id)
        .bind::<Timestamptz, _>(since)
        .bind::<Timestamptz, _>(now)
        .get_result(conn)
        .await
    }

    /// No new orders for this wallet until `probation_at`, or where that is `None` until an operator releases it. Answers
    /// whether it was not isolated yet; one that was stays so, and waits for an operator if this is a reason to.
    pub async fn isolate(
        conn: &mut Conn,
        id: Uuid,
        reason: &str,
        probation_at: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> QueryResult<bool> {
        let row = w::table.filter(w::id.eq(id).and(w::isolated_at.is_null()));
        let set = (
            w::isolated_at.eq(now),
            w::isolated_reason.eq(reason),
            w::probation_at.eq(probation_at),
            w::updated_at.eq(now),
        );
        if diesel::update(row).set(set).execute(conn).await? == 1 {
            return Ok(true);
        }
        if probation_at.is_none() {
            let row = w::table.filter(w::id.eq(id).and(w::probation_at.is_not_null()));
            let set = (
                w::isolated_reason.eq(reason),
                w::probation_at.eq(None::<DateTime<Utc>>),
                w::updated_at.eq(now),
            );
            diesel::update(row).set(set).execute(conn).await?;
        }
        Ok(false)
    }

    /// Tries wallets again whose time has come: they take orders, and one failure isolates them anew, since `left` are
    /// counted already. Answers which.
    pub async fn begin_probations(conn: &mut Conn, left: i32, now: DateTime<Utc>) -> QueryResult<Vec<Uuid>> {
        let due = w::table.filter(w::probation_at.le(now).and(w::isolated_at.is_not_null()));
        let due: Vec<Uuid> = due.order(w::id).select(w::id).for_update().load(conn).await?;
        if due.is_empty() {
            return Ok(due);
        }
        let set = (
            w::isolated_at.eq(None::<DateTime<Utc>>),
            w::isolated_reason.eq(None::<String>),
            w::probation_at.eq(None::<DateTime<Utc>>),
            w::probations.eq(w::probations + 1),
            w::failures.eq(left),
            w::first_failed_at.eq(now),
            w::updated_at.eq(now),
        );
        diesel::update(w::table.filter(w::id.eq_any(&due)))
            .set(set)
            .execute(conn)
            .await?;
        Ok(due)
    }

    /// A success of each: what failed before no longer counts.
    pub async fn clear_failures(conn: &mut Conn, ids: &[Uuid]) -> QueryResult<()> {
        let failed = w::table.filter(w::id.eq_any(ids).and(w::failures.gt(0)));
        let locked: Vec<Uuid> = failed.order(w::id).select(w::id).for_update().load(conn).await?;
        if locked.is_empty() {
            return Ok(());
        }
        let set = (
            w::failures.eq(0),
            w::first_failed_at.eq(None::<DateTime<Utc>>),
            w::probations.eq(0),
        );
        diesel::update(w::table.filter(w::id.eq_any(locked)))
            .set(set)
            .prepared()
            .execute(conn)
            .await
            .map(drop)
    }

    /// Releases a wallet from an isolation that was for this reason. Answers whether there was one.
    pub async fn release(conn: &mut Conn, id: Uuid, reason: &str, now: DateTime<Utc>) -> QueryResult<bool> {
        let row = w::table.filter(w::id.eq(id).and(w::isolated_reason.eq(reason)));
        let set = (
            w::isolated_at.eq(None::<DateTime<Utc>>),
            w::isolated_reason.eq(None::<String>),
            w::probation_at.eq(None::<DateTime<Utc>>),
            w::probations.eq(0),
            w::failures.eq(0),
            w::first_failed_at.eq(None::<DateTime<Utc>>),
            w::updated_at.eq(now),
        );
        Ok(diesel::update(row).set(set).execute(conn).await? == 1)
    }

    /// Switches a wallet on or off; switching on also releases it from isolation. Answers the wallet as it is then.
    pub async fn set_enabled(
        conn: &mut Conn,
        id: Uuid,
        enabled: bool,
        now: DateTime<Utc>,
    ) -> QueryResult<Option<Self>> {
        let row = w::table.find(id);
        if enabled {
            let released = (
                w::isolated_at.eq(None::<DateTime<Utc>>),
                w::isolated_reason.eq(None::<String>),
                w::probation_at.eq(None::<DateTime<Utc>>),
                w::probations.eq(0),
                w::failures.eq(0),
                w::first_failed_at.eq(None::<DateTime<Utc>>),
            );
            diesel::update(row).set(released).execute(conn).await?;
        }
        diesel::update(row)
            .set((w::enabled.eq(enabled), w::updated_at.eq(now)))
            .returning(Self::as_returning())
            .get_result(conn)
            .await
            .optional()
    }

    /// Ids of wallets that get no orders until they are tried again or released.
    pub async fn isolated_ids(conn: &mut Conn) -> QueryResult<Vec<Uuid>> {
        w::table
            .filter(w::isolated_at.is_not_null().and(w::state.eq(WalletState::Active)))
            .order(w::id)
            .select(w::id)
            .load(conn)
            .await
    }
}
