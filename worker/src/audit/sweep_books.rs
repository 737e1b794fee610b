//! Reads sweeps for the judge, page by page, in the snapshot that its other reads have.

use std::collections::BTreeMap;

use db::Conn;
use db::models::{ChainTransaction, Sweep};
use ledger::fees_of_transactions;
use uuid::Uuid;

use super::books::Window;
use super::complaint::Complaint;
use super::evidence::SweepCase;
use super::rules::{self, Context};
use crate::error::WorkError;

/// Sweeps in memory at a time, apart from those that the chain is asked about.
const PAGE: i64 = 500;

/// Judges every sweep, and keeps those that the chain is to be asked about.
pub(super) async fn cases(
    conn: &mut Conn,
    context: &Context<'_>,
    window: Window,
) -> Result<(Vec<SweepCase>, Vec<Complaint>), WorkError> {
    let (mut kept, mut complaints) = (Vec::new(), Vec::new());
    let mut after = None;
    loop {
        let sweeps = Sweep::after(conn, after, PAGE).await?;
        let Some(last) = sweeps.last() else {
            return Ok((kept, complaints));
        };
        after = Some(last.id);
        for case in of_sweeps(conn, sweeps).await? {
            complaints.extend(rules::of_sweep(&case, context));
            if case.transactions.iter().any(|tx| window.has(tx)) {
                kept.push(case);
            }
        }
    }
}

async fn of_sweeps(conn: &mut Conn, sweeps: Vec<Sweep>) -> Result<Vec<SweepCase>, WorkError> {
    let ids: Vec<Uuid> = sweeps.iter().map(|sweep| sweep.id).collect();
    let transactions = ChainTransaction::of_intents(conn, &ids).await?;
    let txids: Vec<&str> = transactions.iter().map(|tx| tx.txid.as_str()).collect();
    let fees = fees_of_transactions(conn, &txids)
        .await
        .map_err(domain::DomainError::from)?;
    let mut fees: BTreeMap<String, i64> = fees.into_iter().collect();
    let bare = |sweep: Sweep| SweepCase {
        sweep,
        transactions: Vec::new(),
        fees: BTreeMap::new(),
    };
    let mut cases: BTreeMap<Uuid, SweepCase> = sweeps.into_iter().map(|sweep| (sweep.id, bare(sweep))).collect();
    for tx in transactions {
        if let Some(case) = cases.get_mut(&tx.intent_id) {
            case.fees.extend(fees.remove_entry(&tx.txid));
            case.transactions.push(tx);
        }
    }
    Ok(cases.into_values().collect())
}
