//! Escrow holds the price of every order that is neither settled nor given back, and nothing else.

use chrono::{DateTime, Utc};
use db::Conn;
use diesel::sql_types::Text;
use diesel_async::RunQueryDsl;
use kernel::{Asset, IdGen};
use serde_json::json;

use super::record_all_in_tx;
use crate::DomainError;
use crate::findings::FindingKind;

/// The two figures that must be one, in sun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EscrowFigures {
    /// What the escrow account holds.
    pub escrow: i128,
    /// The price of every order that is neither settled nor given back.
    pub open_orders: i128,
}

#[derive(diesel::QueryableByName)]
struct Sum {
    #[diesel(sql_type = Text)]
    sum: String,
}

/// Reads both figures. The caller's transaction must have one snapshot, or an order between the two statements tells a lie.
///
/// # Errors
/// When the database cannot be asked.
pub async fn escrow_figures(conn: &mut Conn) -> Result<EscrowFigures, DomainError> {
    let open: Sum = diesel::sql_query(
        "SELECT COALESCE(sum(price_sun), 0)::text AS sum FROM orders \
         WHERE state IN ('pending', 'processing') OR (state = 'completed' AND settled_at IS NULL)",
    )
    .get_result(conn)
    .await?;
    let open_orders = open
        .sum
        .parse()
        .map_err(|_| DomainError::Broken(format!("{:?} is no sum", open.sum)))?;
    Ok(EscrowFigures {
        escrow: ledger::escrow_balance(conn, Asset::Trx).await?,
        open_orders,
    })
}

pub(super) async fn prove_in_tx(conn: &mut Conn, ids: &dyn IdGen, now: DateTime<Utc>) -> Result<usize, DomainError> {
    diesel::sql_query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        .execute(conn)
        .await?;
    let EscrowFigures { escrow, open_orders } = escrow_figures(conn).await?;
    let mut found = Vec::new();
    if escrow != open_orders {
        let detail = json!({ "escrow_sun": escrow.to_string(), "open_orders_sun": open_orders.to_string() });
        found.push(("account:house:escrow:TRX".to_owned(), detail));
    }
    record_all_in_tx(conn, ids, FindingKind::EscrowDiffers, found, now).await
}
