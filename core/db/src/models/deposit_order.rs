//! Orders that deposits are to buy.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::DepositState;
use crate::Conn;
use crate::schema::{deposit_orders as d, deposits};
use crate::text_enum;

text_enum! {
    /// What came of it.
    DepositOrderState {
        /// The deposit is not paid yet, or was paid a moment ago.
        Waiting = "waiting",
        /// The order was placed.
        Placed = "placed",
        /// It was not, and will not be: the money is on the user's balance.
        Failed = "failed",
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = d, check_for_backend(diesel::pg::Pg))]
pub struct DepositOrder {
    pub deposit_id: Uuid,
    pub receiver: String,
    pub energy: i64,
    pub duration_s: i32,
    pub price_sun: i64,
    pub price_version_id: Uuid,
    pub state: DepositOrderState,
    pub order_id: Option<Uuid>,
    pub reason_code: Option<String>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl DepositOrder {
    pub async fn insert(&self, conn: &mut Conn) -> QueryResult<()> {
        diesel::insert_into(d::table).values(self).execute(conn).await?;
        Ok(())
    }

    pub async fn of_deposits(conn: &mut Conn, deposits: &[Uuid]) -> QueryResult<Vec<Self>> {
        d::table
            .filter(d::deposit_id.eq_any(deposits))
            .select(Self::as_select())
            .load(conn)
            .await
    }

    /// Those of these deposits that are paid and wait for their order.
    pub async fn due_of(conn: &mut Conn, ids: &[Uuid]) -> QueryResult<Vec<Uuid>> {
        let paid = deposits::table
            .filter(deposits::id.eq_any(ids))
            .filter(deposits::state.eq(DepositState::Paid))
            .select(deposits::id);
        d::table
            .filter(d::deposit_id.eq_any(paid))
            .filter(d::state.eq(DepositOrderState::Waiting))
            .select(d::deposit_id)
            .order(d::deposit_id)
            .load(conn)
            .await
    }

    pub async fn lock(conn: &mut Conn, deposit: Uuid) -> QueryResult<Option<Self>> {
        d::table
            .find(deposit)
            .select(Self::as_select())
            .for_update()
            .first(conn)
            .await
            .optional()
    }

    /// Guarded: the order was placed; `false` where it was decided before.
    pub async fn set_placed(conn: &mut Conn, deposit: Uuid, order: Uuid, now: DateTime<Utc>) -> QueryResult<bool> {
        let set = (
            d::state.eq(DepositOrderState::Placed),
            d::order_id.eq(order),
            d::updated_at.eq(now),
        );
        let waiting = d::table.find(deposit).filter(d::state.eq(DepositOrderState::Waiting));
        Ok(diesel::update(waiting).set(set).execute(conn).await? == 1)
    }

    /// Guarded: no order will be placed; `false` where it was decided before.
    pub async fn set_failed(conn: &mut Conn, deposit: Uuid, reason: &str, now: DateTime<Utc>) -> QueryResult<bool> {
        let set = (
            d::state.eq(DepositOrderState::Failed),
            d::reason_code.eq(reason),
            d::updated_at.eq(now),
        );
        let waiting = d::table.find(deposit).filter(d::state.eq(DepositOrderState::Waiting));
        Ok(diesel::update(waiting).set(set).execute(conn).await? == 1)
    }
}
