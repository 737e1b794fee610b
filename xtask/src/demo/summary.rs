//! The run in one JSON object, for programs.

use std::time::Duration;

use serde::Serialize;

use super::proof::Check;
use super::walk::Walked;
use crate::stage::books::Books;

/// What `--json` prints.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Summary<'a> {
    ok: bool,
    /// Why not, if not.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// From the first process to the last proof; building is not in it.
    elapsed_ms: u64,
    build_ms: u64,
    deposits: Vec<DepositSummary>,
    orders: Vec<OrderSummary>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ledger: Option<LedgerSummary>,
    totals: Totals,
    checks: &'a [Check],
}

#[derive(Debug, Serialize)]
struct DepositSummary {
    id: String,
    asset: String,
    way: String,
    amount: String,
    state: String,
    txid: String,
    block: Option<i64>,
    credited: bool,
}

#[derive(Debug, Serialize)]
struct OrderSummary {
    id: String,
    state: String,
    wallet: Option<String>,
    txid: Option<String>,
    block: Option<i64>,
    reclaim_txid: Option<String>,
    reclaim_block: Option<i64>,
    /// From acceptance, by the service's clock. The last send of the transaction: the first, where all went well.
    broadcast_ms: Option<i64>,
    completed_ms: Option<i64>,
    reclaimed_ms: Option<i64>,
}

#[derive(Debug, Serialize)]
struct LedgerSummary {
    balanced: bool,
    escrow_sun: i64,
    revenue_sun: i64,
}

#[derive(Debug, Default, Serialize)]
struct Totals {
    deposits_credited: usize,
    orders: usize,
    delivered: usize,
    reclaimed: usize,
    refunded: usize,
    energy_delivered: i64,
}

impl<'a> Summary<'a> {
    /// What is known of a run, however far it came.
    pub(crate) fn of(failure: Option<&anyhow::Error>, build: Duration, elapsed: Duration) -> Self {
        Self {
            ok: failure.is_none(),
            reason: failure.map(|error| format!("{error:#}")),
            elapsed_ms: millis(elapsed),
            build_ms: millis(build),
            ..Self::default()
        }
    }

    /// With the deposits in it.
    pub(crate) fn with_deposits(mut self, walked: &Walked) -> Self {
        for paid in &walked.deposits {
            let deposit = &paid.deposit;
            self.totals.deposits_credited += usize::from(paid.is_credited());
            self.deposits.push(DepositSummary {
                id: deposit.id.clone(),
                asset: deposit.asset.clone(),
                way: deposit.way.clone(),
                amount: deposit.amount.clone(),
                state: deposit.state.clone(),
                txid: paid.txid.clone(),
                block: paid.block(),
                credited: paid.is_credited(),
            });
        }
        self
    }

    /// With the orders in it.
    pub(crate) fn with_orders(mut self, walked: &Walked, broadcasts: &[(String, i64)]) -> Self {
        for (plan, order) in &walked.orders {
            let delegate = order.transaction("delegate");
            let reclaim = order.transaction("reclaim");
            let txid = delegate.map(|tx| tx.txid.clone());
            let sent = broadcasts.iter().find(|(sent, _)| Some(sent) == txid.as_ref());
            self.totals.orders += 1;
            self.totals.refunded += usize::from(order.state == "refunded");
            self.totals.reclaimed += usize::from(order.is_reclaimed());
            if order.state == "completed" {
                self.totals.delivered += 1;
                self.totals.energy_delivered += plan.energy;
            }
            self.orders.push(OrderSummary {
                id: order.id.clone(),
                state: order.state.clone(),
                wallet: order.wallet().map(str::to_owned),
                txid,
                block: delegate.and_then(|tx| tx.block_number),
                reclaim_txid: reclaim.map(|tx| tx.txid.clone()),
                reclaim_block: reclaim.and_then(|tx| tx.block_number),
                broadcast_ms: sent.map(|(_, ms)| *ms),
                completed_ms: order.ms_until("completed"),
                reclaimed_ms: order.ms_until("reclaimed"),
            });
        }
        self
    }

    /// With the books and every point that was checked.
    pub(crate) fn with_proof(mut self, books: &Books, checks: &'a [Check]) -> Self {
        self.ledger = Some(LedgerSummary {
            balanced: books.balanced(),
            escrow_sun: books.escrow_sun,
            revenue_sun: books.revenue_sun,
        });
        self.checks = checks;
        self
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
