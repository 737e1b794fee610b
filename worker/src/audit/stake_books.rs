//! Reads stakings for the judge, page by page, in the snapshot that its other reads have.

use std::collections::BTreeMap;

use db::Conn;
use db::models::{ChainTransaction, Staking};
use uuid::Uuid;

use super::books::Window;
use super::complaint::Complaint;
use super::evidence::StakeCase;
use super::rules::{self, Context};
use crate::error::WorkError;

/// Stakings in memory at a time, apart from those that the chain is asked about.
const PAGE: i64 = 500;

/// Judges every staking, and keeps those that the chain is to be asked about.
pub(super) async fn cases(
    conn: &mut Conn,
    context: &Context<'_>,
    window: Window,
) -> Result<(Vec<StakeCase>, Vec<Complaint>), WorkError> {
    let (mut kept, mut complaints) = (Vec::new(), Vec::new());
    let mut after = None;
    loop {
        let stakings = Staking::after(conn, after, PAGE).await?;
        let Some(last) = stakings.last() else {
            return Ok((kept, complaints));
        };
        after = Some(last.id);
        for case in of_stakings(conn, stakings).await? {
            complaints.extend(rules::of_staking(&case, context));
            if case.transactions.iter().any(|tx| window.has(tx)) {
                kept.push(case);
            }
        }
    }
}

async fn of_stakings(conn: &mut Conn, stakings: Vec<Staking>) -> Result<Vec<StakeCase>, WorkError> {
    let ids: Vec<Uuid> = stakings.iter().map(|staking| staking.id).collect();
    let bare = |staking: Staking| StakeCase {
        staking,
        transactions: Vec::new(),
    };
    let mut cases: BTreeMap<Uuid, StakeCase> = stakings
        .into_iter()
        .map(|staking| (staking.id, bare(staking)))
        .collect();
    for tx in ChainTransaction::of_intents(conn, &ids).await? {
        if let Some(case) = cases.get_mut(&tx.intent_id) {
            case.transactions.push(tx);
        }
    }
    Ok(cases.into_values().collect())
}
