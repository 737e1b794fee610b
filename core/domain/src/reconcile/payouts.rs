//! What is set aside for payouts is the amount of every payout that has not come to its end, and nothing else; an approved
//! payout has its job; none that may be paid waits for long.

use chrono::{DateTime, Duration, Utc};
use db::Conn;
use diesel::sql_types::{BigInt, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use jobs::{JobKind, Wake, enqueue_each_in_tx};
use kernel::{Asset, IdGen};
use ledger::{Account, house_balance};
use serde_json::json;

use super::{Open, record_all_in_tx};
use crate::DomainError;
use crate::findings::FindingKind;
use crate::payouts::NO_TREASURY_FITS;

/// How long an approved payout may take: a transaction has to land or to die, more than once at worst, and its block to
/// become solid.
pub const PAYOUT_STUCK_AFTER: Duration = Duration::minutes(15);

/// The two figures that must be one, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PayoutFigures {
    /// Of what.
    pub asset: Asset,
    /// What the account of payouts holds.
    pub set_aside: i128,
    /// The amounts of every payout that has not come to its end.
    pub open: i128,
}

#[derive(diesel::QueryableByName)]
struct Sum {
    #[diesel(sql_type = Text)]
    sum: String,
}

#[derive(diesel::QueryableByName)]
struct Short {
    #[diesel(sql_type = Text)]
    network: String,
    #[diesel(sql_type = Text)]
    asset: String,
    #[diesel(sql_type = BigInt)]
    waiting: i64,
}

/// Reads the figures of every asset. The caller's transaction must have one snapshot, or a payout between two statements
/// tells a lie.
///
/// # Errors
/// When the database cannot be asked.
pub async fn payout_figures(conn: &mut Conn) -> Result<Vec<PayoutFigures>, DomainError> {
    let mut figures = Vec::with_capacity(Asset::ALL.len());
    for asset in Asset::ALL {
        let open: Sum = diesel::sql_query(
            "SELECT COALESCE(sum(amount), 0)::text AS sum FROM payouts \
             WHERE asset = $1 AND state IN ('requested', 'approved', 'processing', 'sent')",
        )
        .bind::<Text, _>(asset.code())
        .get_result(conn)
        .await?;
        let open = open
            .sum
            .parse()
            .map_err(|_| DomainError::Broken(format!("{:?} is no sum", open.sum)))?;
        figures.push(PayoutFigures {
            asset,
            set_aside: house_balance(conn, &Account::Payouts(asset)).await?,
            open,
        });
    }
    Ok(figures)
}

pub(super) async fn prove_in_tx(conn: &mut Conn, ids: &dyn IdGen, now: DateTime<Utc>) -> Result<usize, DomainError> {
    diesel::sql_query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        .execute(conn)
        .await?;
    let mut found = Vec::new();
    for PayoutFigures { asset, set_aside, open } in payout_figures(conn).await? {
        if set_aside != open {
            let detail = json!({ "set_aside": set_aside.to_string(), "open_payouts": open.to_string() });
            found.push((format!("account:house:payouts:{asset}"), detail));
        }
    }
    record_all_in_tx(conn, ids, FindingKind::PayoutsDiffer, found, now).await
}

pub(super) async fn prove_stuck_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    now: DateTime<Utc>,
) -> Result<usize, DomainError> {
    let stuck: Vec<Open> = diesel::sql_query(
        "SELECT id, state, reason_code FROM payouts \
         WHERE state IN ('approved', 'processing', 'sent') AND approved_at < $1 ORDER BY approved_at LIMIT 100",
    )
    .bind::<Timestamptz, _>(now - PAYOUT_STUCK_AFTER)
    .load(conn)
    .await?;
    let found = stuck.iter().map(|payout| {
        let detail = json!({ "state": payout.state, "reason": payout.reason_code });
        (format!("payout:{}", payout.id), detail)
    });
    let stuck = record_all_in_tx(conn, ids, FindingKind::PayoutStuck, found.collect(), now).await?;
    let short: Vec<Short> = diesel::sql_query(
        "SELECT network, asset, count(*) AS waiting FROM payouts WHERE state = 'approved' AND reason_code = $1 \
         GROUP BY network, asset",
    )
    .bind::<Text, _>(NO_TREASURY_FITS)
    .load(conn)
    .await?;
    let found = short.iter().map(|row| {
        let subject = format!("treasury:{}:{}", row.network, row.asset);
        (subject, json!({ "waiting": row.waiting }))
    });
    let short = record_all_in_tx(conn, ids, FindingKind::TreasuryShort, found.collect(), now).await?;
    Ok(stuck + short)
}

/// An approved payout always has its job. One without (dropped by hand, or a bug) gets a new one.
pub(super) async fn requeue_in_tx(conn: &mut Conn, now: DateTime<Utc>) -> Result<Vec<Wake>, DomainError> {
    let lost: Vec<Open> = diesel::sql_query(
        "SELECT p.id, p.state, p.reason_code FROM payouts p WHERE p.state = 'approved' \
         AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.kind = $1 AND j.object_id = p.id::text) \
         ORDER BY p.created_at LIMIT 500 FOR UPDATE OF p SKIP LOCKED",
    )
    .bind::<Text, _>(JobKind::PayoutsSend.word())
    .load(conn)
    .await?;
    let ids: Vec<String> = lost.iter().map(|payout| payout.id.to_string()).collect();
    Ok(enqueue_each_in_tx(conn, JobKind::PayoutsSend, &ids, now).await?)
}
