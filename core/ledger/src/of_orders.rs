//! What was moved for orders, as it is stored: for audits, which judge it and believe none of it.

use db::Conn;
use db::schema::ledger_transfers as t;
use diesel::{ExpressionMethods, QueryDsl, Queryable};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::{LedgerError, Reason};

/// One transfer of an order.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct OrderTransfer {
    /// The order.
    pub order: Option<Uuid>,
    /// Why.
    pub reason: Reason,
    /// The code of the account that the amount left.
    pub debit: String,
    /// The code of the account that it reached.
    pub credit: String,
    /// How much, in minor units.
    pub minor: i64,
}

/// Every transfer of these orders. The reasons are named, for they are what the indexes by order hold.
///
/// # Errors
/// When the database cannot be asked.
pub async fn transfers_of_orders(conn: &mut Conn, orders: &[Uuid]) -> Result<Vec<OrderTransfer>, LedgerError> {
    let columns = (t::order_id, t::reason, t::debit_account, t::credit_account, t::amount);
    let of_orders = t::table.filter(t::order_id.eq_any(orders));
    let mut transfers: Vec<OrderTransfer> = of_orders
        .clone()
        .filter(t::reason.eq(Reason::OrderHold))
        .select(columns)
        .load(conn)
        .await?;
    let ends = [Reason::OrderSettle, Reason::OrderRefund, Reason::OrderCancel];
    let ends: Vec<OrderTransfer> = of_orders
        .filter(t::reason.eq_any(ends))
        .select(columns)
        .load(conn)
        .await?;
    transfers.extend(ends);
    let extensions = t::table.filter(t::order_id.eq_any(orders));
    let extensions: Vec<OrderTransfer> = extensions
        .filter(t::reason.eq(Reason::OrderExtension))
        .select(columns)
        .load(conn)
        .await?;
    transfers.extend(extensions);
    Ok(transfers)
}
