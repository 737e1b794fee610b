//! The judge: compares our books with themselves and with the chain, and says what is wrong. It only reads.
//!
//! The same rules serve operators, on a service that runs, and tests, on one that has come to rest. The books are read in
//! one snapshot, and the chain is asked afterwards, with no transaction open. What moved between the two may look wrong
//! and be right: so on a running service a second look must find the same before it is said.

mod books;
mod chain;
mod complaint;
mod evidence;
mod payout_books;
mod rules;
mod stake_books;
mod sweep_books;

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use ::chain::ChainClient;
use chrono::{DateTime, TimeDelta, Utc};
use db::Pool;
use serde::Serialize;

pub use complaint::{Complaint, Rule};

use crate::error::WorkError;
use books::Wanted;
use evidence::Rigour;

/// Which part of the chain is asked.
#[derive(Debug, Clone)]
pub enum Look {
    /// Every block from the first one on, and so every transaction, ours or not. For chains of tests.
    Everything,
    /// Every transaction of ours that was on its way in this last time, or still is, by its id.
    Lately(TimeDelta),
    /// These blocks, whole.
    Blocks(RangeInclusive<i64>),
}

/// What is judged, and how strictly.
#[derive(Debug, Clone)]
pub struct AuditScope {
    /// Which part of the chain is asked.
    pub look: Look,
    /// Whether everything must have come to an end. Else open orders are fine until their deadlines.
    pub at_rest: bool,
    /// Whether findings that were closed again are complaints, too.
    pub closed_findings: bool,
    /// Blocks by which a node's answer may be older than the head that a node told just before.
    pub margin_blocks: i64,
    /// Kinds of findings that are no complaint.
    pub expected_findings: BTreeSet<String>,
    /// Transactions on chain that are not ours and no complaint.
    pub expected_strangers: BTreeSet<String>,
}

impl AuditScope {
    /// A service that runs, with what was on its way in the last day.
    #[must_use]
    pub fn live(margin_blocks: i64) -> Self {
        Self {
            look: Look::Lately(TimeDelta::hours(24)),
            at_rest: false,
            closed_findings: false,
            margin_blocks,
            expected_findings: BTreeSet::new(),
            expected_strangers: BTreeSet::new(),
        }
    }

    /// A test's service at its end: nothing may be left, and its chain carries nothing else.
    #[must_use]
    pub fn everything() -> Self {
        Self {
            look: Look::Everything,
            at_rest: true,
            closed_findings: true,
            ..Self::live(0)
        }
    }
}

/// What was looked at, and what is wrong.
#[derive(Debug, Clone, Default, Serialize)]
pub struct AuditReport {
    /// What is wrong. Nothing, if all is well.
    pub complaints: Vec<Complaint>,
    /// Orders judged.
    pub orders: usize,
    /// Payouts judged.
    pub payouts: usize,
    /// Transactions that the chain was asked about.
    pub transactions: usize,
    /// Of those, how many it carries.
    pub landed: usize,
    /// Wallets judged.
    pub wallets: usize,
    /// Pairs of wallet and receiver that the chain was asked about.
    pub pairs: usize,
    /// Transactions that the chain was not asked about, for there were too many.
    pub left_out: usize,
}

impl AuditReport {
    /// Whether no rule is broken.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.complaints.is_empty()
    }
}

/// Judges.
///
/// # Errors
/// When the books or the chain cannot be read: nothing is said about them then.
pub async fn run(
    pool: &Pool,
    chains: &[&dyn ChainClient],
    scope: &AuditScope,
    now: DateTime<Utc>,
) -> Result<AuditReport, WorkError> {
    let rigour = Rigour {
        now,
        at_rest: scope.at_rest,
        margin_blocks: scope.margin_blocks,
        expected_findings: scope.expected_findings.clone(),
        expected_strangers: scope.expected_strangers.clone(),
    };
    let (mut report, on_chain) = look(pool, chains, scope, &rigour).await?;
    let mut believed = on_chain;
    if !scope.at_rest && !believed.is_empty() {
        let (_, again) = look(pool, chains, scope, &rigour).await?;
        believed.retain(|complaint| again.contains(complaint));
    }
    report.complaints.extend(believed);
    report.complaints.sort();
    report.complaints.dedup();
    Ok(report)
}

/// One look: the report with what is wrong in the books by themselves, and what is wrong between them and the chain.
async fn look(
    pool: &Pool,
    chains: &[&dyn ChainClient],
    scope: &AuditScope,
    rigour: &Rigour,
) -> Result<(AuditReport, Vec<Complaint>), WorkError> {
    let wanted = Wanted {
        window: chain::window(chains, scope, rigour).await?,
        closed_findings: scope.closed_findings,
    };
    let (books, complaints) = books::read(pool, rigour, wanted).await?;
    let on_chain = chain::ask(pool, chains, &books, scope, rigour).await?;
    let report = AuditReport {
        complaints,
        orders: books.orders,
        payouts: books.payouts_seen,
        transactions: on_chain.seen.len(),
        landed: chain::landed_count(&on_chain),
        wallets: books.wallets.len(),
        pairs: on_chain.lent.len(),
        left_out: on_chain.left_out,
    };
    Ok((report, rules::of_chain(&books, &on_chain, rigour)))
}
