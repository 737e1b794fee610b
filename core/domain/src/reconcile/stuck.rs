//! No open order is far beyond its deadline: a transaction dies within its expiry and a solidified block.

use chrono::{DateTime, Duration, Utc};
use db::Conn;
use diesel::sql_types::Timestamptz;
use diesel_async::RunQueryDsl;
use kernel::IdGen;
use serde_json::json;

use super::{Open, record_all_in_tx};
use crate::DomainError;
use crate::findings::FindingKind;

/// How long after its deadline an order may be open: a transaction signed in time has to land or to die, and its block to
/// become solid.
pub const STUCK_AFTER: Duration = Duration::minutes(15);

pub(super) async fn prove_in_tx(conn: &mut Conn, ids: &dyn IdGen, now: DateTime<Utc>) -> Result<usize, DomainError> {
    let stuck: Vec<Open> = diesel::sql_query(
        "SELECT id, state, reason_code FROM orders WHERE state IN ('pending', 'processing') AND deadline_at < $1 \
         ORDER BY deadline_at LIMIT 100",
    )
    .bind::<Timestamptz, _>(now - STUCK_AFTER)
    .load(conn)
    .await?;
    let found = stuck.iter().map(|order| {
        let detail = json!({ "state": order.state, "reason": order.reason_code });
        (format!("order:{}", order.id), detail)
    });
    record_all_in_tx(conn, ids, FindingKind::OrderStuck, found.collect(), now).await
}
