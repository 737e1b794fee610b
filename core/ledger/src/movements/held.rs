//! What was held for orders. Whatever ends an order moves exactly that: no caller names the amount a second time.

use std::collections::{BTreeSet, HashMap};

use db::Conn;
use db::schema::ledger_transfers as t;
use diesel::{ExpressionMethods, QueryDsl};
use diesel_async::RunQueryDsl;
use kernel::{Amount, OrderId};

use super::order_hold;
use crate::{Account, LedgerError};

/// One order's money in escrow.
#[derive(Debug, Clone)]
pub(super) struct Held {
    pub(super) order: OrderId,
    /// Who paid.
    pub(super) payer: Account,
    pub(super) amount: Amount,
}

/// The holds of `orders`, each order once.
///
/// # Errors
/// [`LedgerError::NotHeld`] with the first order that was never paid for.
pub(super) async fn find(conn: &mut Conn, orders: &[OrderId]) -> Result<Vec<Held>, LedgerError> {
    let orders: BTreeSet<OrderId> = orders.iter().copied().collect();
    let events: Vec<String> = orders.iter().copied().map(order_hold::event).collect();
    let mut rows: HashMap<String, (String, i64)> = t::table
        .filter(t::event.eq_any(&events))
        .select((t::event, (t::debit_account, t::amount)))
        .load::<(String, (String, i64))>(conn)
        .await?
        .into_iter()
        .collect();
    let held = |(order, event): (OrderId, &String)| {
        let (payer, minor) = rows.remove(event).ok_or(LedgerError::NotHeld(order))?;
        Ok(Held {
            order,
            payer: payer.parse().map_err(|_| LedgerError::Corrupt(payer.clone()))?,
            amount: Amount::from_minor(minor).map_err(|error| LedgerError::Corrupt(error.to_string()))?,
        })
    };
    orders.into_iter().zip(&events).map(held).collect()
}
