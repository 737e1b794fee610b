//! The proofs that run all the time, one file per invariant: each difference becomes a finding, each repair that is safe
//! is made at once.
//!
//! What a proof reads is public, so that the audit judges by the same figures without writing anything.

mod deposits;
mod escrow;
mod exchanges;
pub mod holdings;
mod isolated;
mod ledger;
pub mod lent;
mod lost_orders;
mod overdue;
mod payouts;
mod rentals;
mod reservations;
mod stakings;
mod stuck;
mod sweeps;

pub use deposits::{LedgerDifference, Undecided, ledger_differences, undecided};
pub use escrow::{EscrowFigures, escrow_figures};
pub use exchanges::exchange_differences;
pub use overdue::OVERDUE_AFTER;
pub use payouts::{PAYOUT_STUCK_AFTER, PayoutFigures, payout_figures};
pub use rentals::RENTAL_STUCK_AFTER;
pub use reservations::{Reservation, differing_reservations};
pub use stakings::STAKING_STUCK_AFTER;
pub use stuck::STUCK_AFTER;
pub use sweeps::SWEEP_STUCK_AFTER;

use chrono::{DateTime, Utc};
use db::{Conn, Pool, run_tx};
use jobs::Wake;
use kernel::IdGen;
use serde_json::Value;

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

/// What was found and mended so far, and what went wrong first.
#[derive(Default)]
struct Sum {
    report: Report,
    failed: Option<DomainError>,
}

impl Sum {
    fn proved(&mut self, found: Result<usize, DomainError>) {
        match found {
            Ok(found) => self.report.findings += found,
            Err(error) => self.fail(error),
        }
    }

    fn asked(&mut self, wakes: Result<Vec<Wake>, DomainError>) {
        match wakes {
            Ok(wakes) => self.report.wakes.extend(wakes),
            Err(error) => self.fail(error),
        }
    }

    fn fail(&mut self, error: DomainError) {
        tracing::warn!(error = &error as &dyn std::error::Error, "a proof could not be made");
        if self.failed.is_none() {
            self.failed = Some(error);
        }
    }
}

/// Asks for the work that has no job, and runs every proof over the books once. None keeps another from it: the first
/// failure is answered beside what all the others found and mended. The one that reads the most comes last.
pub async fn run(pool: &Pool, ids: &dyn IdGen, now: DateTime<Utc>) -> (Report, Result<(), DomainError>) {
    run_within(pool, ids, ledger::REPLAY_MS, now).await
}

/// [`run`], with so many milliseconds for the replay of all transfers.
pub async fn run_within(
    pool: &Pool,
    ids: &dyn IdGen,
    replay_ms: u32,
    now: DateTime<Utc>,
) -> (Report, Result<(), DomainError>) {
    let mut sum = Sum::default();
    requeue(pool, now, &mut sum).await;
    sum.report.requeued = sum.report.wakes.len();
    prove(pool, ids, replay_ms, now, &mut sum).await;
    (sum.report, sum.failed.map_or(Ok(()), Err))
}

async fn prove(pool: &Pool, ids: &dyn IdGen, replay_ms: u32, now: DateTime<Utc>, sum: &mut Sum) {
    let proved = run_tx(pool, "reconcile_escrow", async |conn| {
        escrow::prove_in_tx(conn, ids, now).await
    });
    sum.proved(proved.await);
    let proved = run_tx(pool, "reconcile_reservations", async |conn| {
        reservations::prove_in_tx(conn, ids, now).await
    });
    sum.proved(proved.await);
    let proved = run_tx(pool, "reconcile_stuck", async |conn| {
        stuck::prove_in_tx(conn, ids, now).await
    });
    sum.proved(proved.await);
    let proved = run_tx(pool, "reconcile_overdue", async |conn| {
        overdue::prove_in_tx(conn, ids, now).await
    });
    sum.proved(proved.await);
    let proved = run_tx(pool, "reconcile_payouts", async |conn| {
        payouts::prove_in_tx(conn, ids, now).await
    });
    sum.proved(proved.await);
    let proved = run_tx(pool, "reconcile_stuck_payouts", async |conn| {
        payouts::prove_stuck_in_tx(conn, ids, now).await
    });
    sum.proved(proved.await);
    let proved = run_tx(pool, "reconcile_deposits", async |conn| {
        deposits::prove_in_tx(conn, ids, now).await
    });
    sum.proved(proved.await);
    let proved = run_tx(pool, "reconcile_exchanges", async |conn| {
        exchanges::prove_in_tx(conn, ids, now).await
    });
    sum.proved(proved.await);
    let proved = run_tx(pool, "reconcile_sweeps", async |conn| {
        sweeps::prove_in_tx(conn, ids, now).await
    });
    sum.proved(proved.await);
    let proved = run_tx(pool, "reconcile_swept_coin", async |conn| {
        sweeps::prove_recorded_in_tx(conn, ids, now).await
    });
    sum.proved(proved.await);
    let proved = run_tx(pool, "reconcile_rentals", async |conn| {
        rentals::prove_in_tx(conn, ids, now).await
    });
    sum.proved(proved.await);
    let proved = run_tx(pool, "reconcile_stakings", async |conn| {
        stakings::prove_in_tx(conn, ids, now).await
    });
    sum.proved(proved.await);
    let cleared = run_tx(pool, "reconcile_isolated", async |conn| {
        isolated::clear_released_in_tx(conn, now).await
    });
    sum.proved(cleared.await.map(|()| 0));
    let proved = run_tx(pool, "reconcile_balanced", async |conn| {
        ledger::prove_balanced_in_tx(conn, ids, now).await
    });
    sum.proved(proved.await);
    let proved = run_tx(pool, "reconcile_replay", async |conn| {
        ledger::prove_replay_in_tx(conn, ids, replay_ms, now).await
    });
    sum.proved(ledger::told_of_slowness(pool, ids, (proved.await, replay_ms), now).await);
}

/// Asks again for jobs that are gone (dropped by hand, or a bug) while there is still something to do.
async fn requeue(pool: &Pool, now: DateTime<Utc>, sum: &mut Sum) {
    let asked = run_tx(pool, "reconcile_lost_orders", async |conn| {
        lost_orders::requeue_in_tx(conn, now).await
    });
    sum.asked(asked.await);
    let asked = run_tx(pool, "reconcile_lost_payouts", async |conn| {
        payouts::requeue_in_tx(conn, now).await
    });
    sum.asked(asked.await);
    let asked = run_tx(pool, "reconcile_lost_deposits", async |conn| {
        deposits::requeue_in_tx(conn, now).await
    });
    sum.asked(asked.await);
    let asked = run_tx(pool, "reconcile_lost_exchanges", async |conn| {
        exchanges::requeue_in_tx(conn, now).await
    });
    sum.asked(asked.await);
    let asked = run_tx(pool, "reconcile_lost_sweeps", async |conn| {
        sweeps::requeue_in_tx(conn, now).await
    });
    sum.asked(asked.await);
    let asked = run_tx(pool, "reconcile_lost_rentals", async |conn| {
        rentals::requeue_in_tx(conn, now).await
    });
    sum.asked(asked.await);
    let asked = run_tx(pool, "reconcile_lost_stakings", async |conn| {
        stakings::requeue_in_tx(conn, now).await
    });
    sum.asked(asked.await);
}

/// Something that is open: where it stands, and what it waits for.
#[derive(diesel::QueryableByName)]
struct Open {
    #[diesel(sql_type = diesel::sql_types::Uuid)]
    id: uuid::Uuid,
    #[diesel(sql_type = diesel::sql_types::Text)]
    state: String,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::Text>)]
    reason_code: Option<String>,
}

/// Proofs look for at most so many differences at once.
const AT_ONCE: usize = 100;

/// Records what a proof found, subjects with details, and closes what it found before and no more. Answers how much it is.
async fn record_all_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    kind: FindingKind,
    found: Vec<(String, Value)>,
    now: DateTime<Utc>,
) -> Result<usize, DomainError> {
    let count = found.len();
    let mut subjects = Vec::with_capacity(count);
    for (subject, detail) in found {
        findings::record_in_tx(conn, ids, kind, &subject, detail, now).await?;
        subjects.push(subject);
    }
    if count < AT_ONCE {
        findings::clear_others_in_tx(conn, kind, &subjects, now).await?;
    }
    Ok(count)
}
