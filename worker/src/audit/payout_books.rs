//! Reads payouts for the judge, page by page, in the snapshot that its other reads have.

use std::collections::BTreeMap;

use db::Conn;
use db::models::{ChainTransaction, IntentKind, Payout};
use ledger::{fees_of_transactions, transfers_of_payouts};
use uuid::Uuid;

use super::books::Window;
use super::complaint::Complaint;
use super::evidence::PayoutCase;
use super::rules::{self, Context};
use crate::error::WorkError;

/// Payouts in memory at a time, apart from those that the chain is asked about.
const PAGE: i64 = 500;

/// Judges every payout, and keeps those that the chain is to be asked about.
pub(super) async fn cases(
    conn: &mut Conn,
    context: &Context<'_>,
    window: Window,
) -> Result<(Vec<PayoutCase>, usize, Vec<Complaint>), WorkError> {
    let (mut kept, mut seen, mut complaints) = (Vec::new(), 0, Vec::new());
    let mut after = None;
    loop {
        let payouts = Payout::after(conn, after, PAGE).await?;
        let Some(last) = payouts.last() else {
            return Ok((kept, seen, complaints));
        };
        after = Some(last.id);
        seen += payouts.len();
        for case in of_payouts(conn, payouts).await? {
            complaints.extend(rules::of_payout(&case, context));
            if case.transactions.iter().any(|tx| window.has(tx)) {
                kept.push(case);
            }
        }
    }
}

async fn of_payouts(conn: &mut Conn, payouts: Vec<Payout>) -> Result<Vec<PayoutCase>, WorkError> {
    let ids: Vec<Uuid> = payouts.iter().map(|payout| payout.id).collect();
    let mut transactions = ChainTransaction::of_intents(conn, &ids).await?;
    transactions.retain(|tx| tx.intent_kind == IntentKind::Payout);
    let transfers = transfers_of_payouts(conn, &ids)
        .await
        .map_err(domain::DomainError::from)?;
    let txids: Vec<&str> = transactions.iter().map(|tx| tx.txid.as_str()).collect();
    let fees = fees_of_transactions(conn, &txids)
        .await
        .map_err(domain::DomainError::from)?;
    let mut fees: BTreeMap<String, i64> = fees.into_iter().collect();
    let bare = |payout: Payout| PayoutCase {
        payout,
        transactions: Vec::new(),
        transfers: Vec::new(),
        fees: BTreeMap::new(),
    };
    let mut cases: BTreeMap<Uuid, PayoutCase> = payouts.into_iter().map(|payout| (payout.id, bare(payout))).collect();
    for tx in transactions {
        if let Some(case) = cases.get_mut(&tx.intent_id) {
            case.fees.extend(fees.remove_entry(&tx.txid));
            case.transactions.push(tx);
        }
    }
    for transfer in transfers {
        if let Some(case) = transfer.payout.and_then(|payout| cases.get_mut(&payout)) {
            case.transfers.push(transfer);
        }
    }
    Ok(cases.into_values().collect())
}
