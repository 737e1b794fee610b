//! No rental is on chain long after its end by the chain's clock: its reclaim died, or cannot succeed.

use chrono::{DateTime, Duration, Utc};
use db::Conn;
use diesel::sql_types::{BigInt, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use kernel::IdGen;
use serde_json::json;
use uuid::Uuid;

use crate::DomainError;
use crate::findings::{self, FindingKind};

/// How long after its end a rental may be on chain.
pub const OVERDUE_AFTER: Duration = Duration::minutes(15);

#[derive(diesel::QueryableByName)]
struct Overdue {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Text)]
    state: String,
}

/// Records only: the finding is also that of a reclaim that died, and is closed by the block that carries the reclaim.
pub(super) async fn prove_in_tx(conn: &mut Conn, ids: &dyn IdGen, now: DateTime<Utc>) -> Result<usize, DomainError> {
    let overdue: Vec<Overdue> = diesel::sql_query(
        "SELECT d.id, d.state FROM delegations d JOIN chain_cursors c ON c.network = d.network \
         WHERE d.state IN ('active', 'reclaiming') AND d.ends_at < c.head_time - make_interval(secs => $1) \
         ORDER BY d.ends_at LIMIT 100",
    )
    .bind::<BigInt, _>(OVERDUE_AFTER.num_seconds())
    .load(conn)
    .await?;
    for delegation in &overdue {
        let subject = format!("delegation:{}", delegation.id);
        let detail = json!({ "state": delegation.state, "note": "on chain long after its end" });
        findings::record_in_tx(conn, ids, FindingKind::ReclaimFails, &subject, detail, now).await?;
    }
    Ok(overdue.len())
}
