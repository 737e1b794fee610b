//! The proofs that run all the time: each difference becomes a finding, each repair that is safe is made at once.

use chrono::{DateTime, Duration, Utc};
use db::models::SupplierWallet;
use db::{Conn, Pool, run_tx};
use diesel::sql_types::{BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use jobs::{JobKind, Wake, enqueue_each_in_tx};
use kernel::{Asset, IdGen};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::DomainError;
use crate::findings::{self, FindingKind};

/// What one run found and mended.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Findings recorded, new or seen again.
    pub findings: usize,
    /// Jobs made for work that had none.
    pub requeued: usize,
    /// To be pushed after the commits.
    pub wakes: Vec<Wake>,
}

/// Runs every proof once.
///
/// # Errors
/// When the database fails; proofs that ran before keep their findings.
pub async fn run(pool: &Pool, ids: &dyn IdGen, now: DateTime<Utc>) -> Result<Report, DomainError> {
    let mut report = Report::default();
    report.findings += run_tx(pool, "reconcile_ledger", async |conn| {
        ledger_in_tx(conn, ids, now).await
    })
    .await?;
    report.findings += run_tx(pool, "reconcile_escrow", async |conn| {
        escrow_in_tx(conn, ids, now).await
    })
    .await?;
    report.findings += run_tx(pool, "reconcile_reservations", async |conn| {
        reservations_in_tx(conn, ids, now).await
    })
    .await?;
    report.findings += run_tx(pool, "reconcile_stuck", async |conn| stuck_in_tx(conn, ids, now).await).await?;
    report.findings += run_tx(pool, "reconcile_overdue", async |conn| {
        overdue_in_tx(conn, ids, now).await
    })
    .await?;
    run_tx(pool, "reconcile_isolated", async |conn| released_in_tx(conn, now).await).await?;
    report.wakes = run_tx(pool, "reconcile_lost_orders", async |conn| {
        lost_orders_in_tx(conn, now).await
    })
    .await?;
    report.requeued = report.wakes.len();
    Ok(report)
}

/// Debits equal credits per asset, and every cached balance equals the sum of its transfers.
async fn ledger_in_tx(conn: &mut Conn, ids: &dyn IdGen, now: DateTime<Utc>) -> Result<usize, DomainError> {
    let imbalance = |row: ledger::Imbalance| {
        let detail = json!({ "total": row.total.to_string() });
        (format!("asset:{}", row.asset), detail)
    };
    let difference = |row: ledger::Difference| {
        let detail = json!({ "kept": row.kept.to_string(), "replayed": row.replayed.to_string() });
        (format!("account:{}", row.account.code()), detail)
    };
    let unbalanced: Vec<_> = ledger::check_balanced(conn).await?.into_iter().map(imbalance).collect();
    let differing: Vec<_> = ledger::check_replay(conn).await?.into_iter().map(difference).collect();
    let found = unbalanced.len() + differing.len();
    record_all_in_tx(conn, ids, FindingKind::LedgerUnbalanced, unbalanced, now).await?;
    record_all_in_tx(conn, ids, FindingKind::BalanceDiffers, differing, now).await?;
    Ok(found)
}

/// Proofs look for at most so many differences at once.
const AT_ONCE: usize = 100;

/// Records what a proof found, subjects with details, and closes what it found before and no more.
async fn record_all_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    kind: FindingKind,
    found: Vec<(String, Value)>,
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    let complete = found.len() < AT_ONCE;
    let mut subjects = Vec::with_capacity(found.len());
    for (subject, detail) in found {
        findings::record_in_tx(conn, ids, kind, &subject, detail, now).await?;
        subjects.push(subject);
    }
    if complete {
        findings::clear_others_in_tx(conn, kind, &subjects, now).await?;
    }
    Ok(())
}

#[derive(diesel::QueryableByName)]
struct Sum {
    #[diesel(sql_type = Text)]
    sum: String,
}

/// Escrow holds the price of every order that is neither settled nor given back, and nothing else. Both figures come
/// from one snapshot.
async fn escrow_in_tx(conn: &mut Conn, ids: &dyn IdGen, now: DateTime<Utc>) -> Result<usize, DomainError> {
    diesel::sql_query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        .execute(conn)
        .await?;
    let open: Sum = diesel::sql_query(
        "SELECT COALESCE(sum(price_sun), 0)::text AS sum FROM orders \
         WHERE state IN ('pending', 'processing') OR (state = 'completed' AND settled_at IS NULL)",
    )
    .get_result(conn)
    .await?;
    let escrow = ledger::escrow_balance(conn, Asset::Trx).await?.to_string();
    let subject = "account:house:escrow:TRX";
    if open.sum == escrow {
        findings::clear_in_tx(conn, FindingKind::EscrowDiffers, subject, now).await?;
        return Ok(0);
    }
    let detail = json!({ "escrow_sun": escrow, "open_orders_sun": open.sum });
    findings::record_in_tx(conn, ids, FindingKind::EscrowDiffers, subject, detail, now).await?;
    Ok(1)
}

#[derive(diesel::QueryableByName)]
struct Reserved {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = BigInt)]
    kept: i64,
    #[diesel(sql_type = BigInt)]
    counted: i64,
}

/// A wallet's reservation is the sum of its delegations that the last sync did not see.
async fn reservations_in_tx(conn: &mut Conn, ids: &dyn IdGen, now: DateTime<Utc>) -> Result<usize, DomainError> {
    let differing: Vec<Reserved> = diesel::sql_query(
        "SELECT w.id, w.reserved_sun AS kept, c.counted FROM supplier_wallets w \
         CROSS JOIN LATERAL (SELECT COALESCE(sum(d.amount_sun), 0)::bigint AS counted FROM delegations d \
             WHERE d.wallet_id = w.id AND (d.state = 'reserved' \
                 OR (d.state IN ('active', 'reclaiming') AND d.block_number > w.synced_block))) c \
         WHERE w.reserved_sun <> c.counted ORDER BY w.id LIMIT 100",
    )
    .load(conn)
    .await?;
    let found: Vec<_> = differing
        .iter()
        .map(|row| {
            let detail = json!({ "kept_sun": row.kept, "counted_sun": row.counted });
            (format!("wallet:{}", row.id), detail)
        })
        .collect();
    record_all_in_tx(conn, ids, FindingKind::ReservationDiffers, found, now).await?;
    Ok(differing.len())
}

#[derive(diesel::QueryableByName)]
struct Stuck {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Text)]
    state: String,
    #[diesel(sql_type = Nullable<Text>)]
    reason_code: Option<String>,
}

/// No open order is far beyond its deadline: a transaction dies within its expiry and a solidified block.
async fn stuck_in_tx(conn: &mut Conn, ids: &dyn IdGen, now: DateTime<Utc>) -> Result<usize, DomainError> {
    let stuck: Vec<Stuck> = diesel::sql_query(
        "SELECT id, state, reason_code FROM orders WHERE state IN ('pending', 'processing') AND deadline_at < $1 \
         ORDER BY deadline_at LIMIT 100",
    )
    .bind::<Timestamptz, _>(now - Duration::minutes(15))
    .load(conn)
    .await?;
    let found: Vec<_> = stuck
        .iter()
        .map(|order| {
            let detail = json!({ "state": order.state, "reason": order.reason_code });
            (format!("order:{}", order.id), detail)
        })
        .collect();
    record_all_in_tx(conn, ids, FindingKind::OrderStuck, found, now).await?;
    Ok(stuck.len())
}

/// A wallet that an operator released is no longer a finding.
async fn released_in_tx(conn: &mut Conn, now: DateTime<Utc>) -> Result<(), DomainError> {
    let isolated: Vec<String> = SupplierWallet::isolated_ids(conn)
        .await?
        .iter()
        .map(|id| format!("wallet:{id}"))
        .collect();
    findings::clear_others_in_tx(conn, FindingKind::WalletIsolated, &isolated, now).await
}

#[derive(diesel::QueryableByName)]
struct Overdue {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Text)]
    state: String,
}

/// No rental is on chain long after its end by the chain's clock: its reclaim died, or cannot succeed.
async fn overdue_in_tx(conn: &mut Conn, ids: &dyn IdGen, now: DateTime<Utc>) -> Result<usize, DomainError> {
    let overdue: Vec<Overdue> = diesel::sql_query(
        "SELECT d.id, d.state FROM delegations d JOIN chain_cursors c ON c.network = d.network \
         WHERE d.state IN ('active', 'reclaiming') AND d.ends_at < c.head_time - interval '15 minutes' \
         ORDER BY d.ends_at LIMIT 100",
    )
    .load(conn)
    .await?;
    for delegation in &overdue {
        let subject = format!("delegation:{}", delegation.id);
        let detail = json!({ "state": delegation.state, "note": "on chain long after its end" });
        findings::record_in_tx(conn, ids, FindingKind::ReclaimFails, &subject, detail, now).await?;
    }
    Ok(overdue.len())
}

/// A pending order always has its job. One without (dropped by hand, or a bug) gets a new one.
async fn lost_orders_in_tx(conn: &mut Conn, now: DateTime<Utc>) -> Result<Vec<Wake>, DomainError> {
    let lost: Vec<Stuck> = diesel::sql_query(
        "SELECT o.id, o.state, o.reason_code FROM orders o WHERE o.state = 'pending' \
         AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.kind = $1 AND j.object_id = o.id::text) \
         ORDER BY o.deadline_at LIMIT 500 FOR UPDATE OF o SKIP LOCKED",
    )
    .bind::<Text, _>(JobKind::OrdersDelegate.word())
    .load(conn)
    .await?;
    let ids: Vec<String> = lost.iter().map(|order| order.id.to_string()).collect();
    Ok(enqueue_each_in_tx(conn, JobKind::OrdersDelegate, &ids, now).await?)
}
