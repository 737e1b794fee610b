//! Debits equal credits per asset, and every kept balance equals the sum of its transfers.

use ::ledger::{Difference, Imbalance, check_balanced, check_replay};
use chrono::{DateTime, Utc};
use db::Conn;
use diesel_async::RunQueryDsl;
use kernel::IdGen;
use serde_json::json;

use super::record_all_in_tx;
use crate::DomainError;
use crate::findings::FindingKind;

/// The replay reads every transfer there is, in one statement: it gets more time than others, and less than its job has.
const REPLAY_MS: u32 = 60_000;

pub(super) async fn prove_in_tx(conn: &mut Conn, ids: &dyn IdGen, now: DateTime<Utc>) -> Result<usize, DomainError> {
    diesel::sql_query(format!("SET LOCAL statement_timeout = {REPLAY_MS}"))
        .execute(conn)
        .await?;
    let imbalance = |row: Imbalance| {
        let detail = json!({ "total": row.total.to_string() });
        (format!("asset:{}", row.asset), detail)
    };
    let difference = |row: Difference| {
        let detail = json!({ "kept": row.kept.to_string(), "replayed": row.replayed.to_string() });
        (format!("account:{}", row.account.code()), detail)
    };
    let unbalanced = check_balanced(conn).await?.into_iter().map(imbalance).collect();
    let differing = check_replay(conn).await?.into_iter().map(difference).collect();
    let found = record_all_in_tx(conn, ids, FindingKind::LedgerUnbalanced, unbalanced, now).await?;
    Ok(found + record_all_in_tx(conn, ids, FindingKind::BalanceDiffers, differing, now).await?)
}
