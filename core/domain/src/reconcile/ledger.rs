//! Debits equal credits per asset, and every kept balance equals the sum of its transfers.

use ::ledger::{Difference, Imbalance, LedgerError, check_balanced, check_replay};
use chrono::{DateTime, Utc};
use db::{Conn, Pool, run_tx};
use diesel_async::RunQueryDsl;
use kernel::IdGen;
use serde_json::json;

use super::record_all_in_tx;
use crate::DomainError;
use crate::findings::{self, FindingKind};

/// The replay reads every transfer there is, in one statement: it gets more time than others, and less than its job has.
pub(super) const REPLAY_MS: u32 = 60_000;

pub(super) async fn prove_balanced_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    now: DateTime<Utc>,
) -> Result<usize, DomainError> {
    let imbalance = |row: Imbalance| {
        let detail = json!({ "total": row.total.to_string() });
        (format!("asset:{}", row.asset), detail)
    };
    let unbalanced = check_balanced(conn).await?.into_iter().map(imbalance).collect();
    record_all_in_tx(conn, ids, FindingKind::LedgerUnbalanced, unbalanced, now).await
}

pub(super) async fn prove_replay_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    limit_ms: u32,
    now: DateTime<Utc>,
) -> Result<usize, DomainError> {
    diesel::sql_query(format!("SET LOCAL statement_timeout = {limit_ms}"))
        .execute(conn)
        .await?;
    let difference = |row: Difference| {
        let detail = json!({ "kept": row.kept.to_string(), "replayed": row.replayed.to_string() });
        (format!("account:{}", row.account.code()), detail)
    };
    let differing = check_replay(conn).await?.into_iter().map(difference).collect();
    findings::clear_others_in_tx(conn, FindingKind::LedgerNotReplayed, &[], now).await?;
    record_all_in_tx(conn, ids, FindingKind::BalanceDiffers, differing, now).await
}

/// Tells of a replay that takes longer than it may: until it is made, nobody knows whether balances are right.
pub(super) async fn told_of_slowness(
    pool: &Pool,
    ids: &dyn IdGen,
    (replayed, limit_ms): (Result<usize, DomainError>, u32),
    now: DateTime<Utc>,
) -> Result<usize, DomainError> {
    match replayed {
        Err(DomainError::Ledger(LedgerError::Db(error))) if error.is_statement_timeout() => {
            run_tx(pool, "record_slow_replay", async |conn| {
                let detail = json!({ "longer_than_ms": limit_ms });
                findings::record_in_tx(conn, ids, FindingKind::LedgerNotReplayed, "ledger", detail, now).await?;
                Ok(1)
            })
            .await
        }
        other => other,
    }
}
