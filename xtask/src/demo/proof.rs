//! What must be true when the orders are over. Each point is looked up anew: at the API, in the books, and on the chain.

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::deposits::{self, Paid};
use super::orders::{Money, OrderView, Plan, RECEIVERS, micro};
use crate::services::{DATABASE, Services};
use crate::stage::Stage;
use crate::stage::books::Books;

const FIRST_SENDS: &str = "
    SELECT t.txid, (EXTRACT(EPOCH FROM t.last_sent_at - o.created_at) * 1000)::bigint
    FROM chain_transactions t JOIN delegations d ON d.id = t.intent_id JOIN orders o ON o.id = d.order_id
    WHERE t.intent_kind = 'delegate' AND t.last_sent_at IS NOT NULL";

/// One point and whether it holds.
#[derive(Debug, Serialize)]
pub(crate) struct Check {
    pub(crate) what: &'static str,
    #[serde(skip)]
    pub(crate) what_zh: &'static str,
    pub(crate) ok: bool,
    pub(crate) detail: String,
}

/// Milliseconds from acceptance to the last send of each delegating transaction, by txid. A send that a block overtook
/// is not in it.
pub(crate) fn broadcasts(services: &Services) -> Result<Vec<(String, i64)>> {
    let rows = services.psql()?.run(DATABASE, FIRST_SENDS)?;
    let row = |line: &str| {
        let (txid, ms) = line.split_once('\t').context("two columns")?;
        Ok((txid.to_owned(), ms.parse().context("milliseconds")?))
    };
    rows.lines().map(row).collect()
}

#[derive(Deserialize)]
struct BalanceView {
    balances: Vec<Money>,
}

/// What a user has of an asset, in minor units.
fn balance(stage: &Stage, user: i64, asset: &str) -> Result<i64> {
    let view: BalanceView = stage.api.get(&format!("/api/users/{user}/balance"))?;
    let found = view.balances.iter().find(|money| money.asset == asset);
    micro(&found.with_context(|| format!("no balance in {asset}"))?.amount)
}

/// What happened, for the proof.
pub(crate) struct Outcome<'a> {
    pub(crate) user: i64,
    pub(crate) deposits: &'a [Paid],
    pub(crate) orders: &'a [(Plan, OrderView)],
    /// The answer to the first order sent a second time.
    pub(crate) replay: &'a str,
    pub(crate) wallets: &'a [String],
}

/// Every point, whether it holds or not.
pub(crate) fn prove(stage: &Stage, services: &Services, outcome: &Outcome<'_>) -> Result<(Books, Vec<Check>)> {
    let books = Books::read(services)?;
    let mut checks = Vec::from(orders(outcome));
    checks.extend(money(stage, outcome, &books)?);
    checks.extend(chain(stage, outcome)?);
    checks.push(Check {
        what: "no dead job, no critical finding",
        what_zh: "没有死信任务，没有严重问题",
        ok: books.dead_jobs == 0 && books.critical_findings == 0,
        detail: format!(
            "{} dead jobs, {} critical findings",
            books.dead_jobs, books.critical_findings
        ),
    });
    Ok((books, checks))
}

fn orders(outcome: &Outcome<'_>) -> [Check; 3] {
    let (good, bad): (Vec<_>, Vec<_>) = outcome.orders.iter().partition(|(plan, _)| plan.deliverable);
    let served = good.iter().filter(|(_, order)| order.is_served()).count();
    let refunded =
        |order: &OrderView| order.state == "refunded" && order.reason.as_deref() == Some("receiver_not_activated");
    let first = outcome.orders.first().map(|(_, order)| order.id.as_str());
    [
        Check {
            what: "every good order is delivered, settled and reclaimed",
            what_zh: "正常订单全部送达、结算、回收",
            ok: served == good.len(),
            detail: format!("{served} of {}", good.len()),
        },
        Check {
            what: "the order to an address that is not activated is refunded",
            what_zh: "未激活地址的订单已退款",
            ok: bad.iter().all(|(_, order)| refunded(order)),
            detail: bad
                .iter()
                .map(|(_, order)| order.state.as_str())
                .collect::<Vec<_>>()
                .join(", "),
        },
        Check {
            what: "a repeated request answers the same order",
            what_zh: "重复请求返回同一订单",
            ok: first == Some(outcome.replay),
            detail: outcome.replay.to_owned(),
        },
    ]
}

fn money(stage: &Stage, outcome: &Outcome<'_>, books: &Books) -> Result<[Check; 4]> {
    let mut prices = 0;
    for (_, order) in outcome.orders.iter().filter(|(plan, _)| plan.deliverable) {
        prices += micro(&order.price.amount)?;
    }
    let trx = deposits::credited(outcome.deposits, "TRX")?;
    let usdt = deposits::credited(outcome.deposits, "USDT")?;
    let (has_trx, has_usdt) = (
        balance(stage, outcome.user, "TRX")?,
        balance(stage, outcome.user, "USDT")?,
    );
    let mut on_chain = 0;
    for paid in outcome.deposits {
        on_chain += usize::from(paid.block() == Some(stage.devnet.block_of(&paid.txid)?));
    }
    let told = outcome.deposits.iter().filter(|paid| paid.told_again).count();
    Ok([
        Check {
            what: "every deposit is credited by the payment in the block that we say",
            what_zh: "每笔充值均由所述区块中的付款入账",
            ok: on_chain == outcome.deposits.len() && outcome.deposits.iter().all(Paid::is_credited),
            detail: format!("{on_chain} of {}", outcome.deposits.len()),
        },
        Check {
            what: "what was told of again is credited once",
            what_zh: "重复告知的充值只入账一次",
            ok: told == outcome.deposits.len() && has_usdt == usdt && books.deposited == (trx, usdt),
            detail: format!("{} micro-USDT, {} sun came in", books.deposited.1, books.deposited.0),
        },
        Check {
            what: "balance = deposit − prices of what was delivered",
            what_zh: "余额 = 充值 − 已送达订单的价格",
            ok: has_trx == trx - prices,
            detail: format!("{has_trx} = {trx} − {prices} sun"),
        },
        Check {
            what: "debits = credits, escrow is empty, revenue = prices",
            what_zh: "借贷平衡，托管为零，收入 = 价格",
            ok: books.balanced() && books.escrow_sun == 0 && books.revenue_sun == prices,
            detail: format!(
                "{} accounts differ, net {}, escrow {}, revenue {} sun",
                books.differing_accounts, books.net, books.escrow_sun, books.revenue_sun
            ),
        },
    ])
}

fn chain(stage: &Stage, outcome: &Outcome<'_>) -> Result<[Check; 2]> {
    let (mut found, mut wanted) = (0, 0);
    for (_, order) in outcome.orders.iter().filter(|(plan, _)| plan.deliverable) {
        for kind in ["delegate", "reclaim"] {
            wanted += 1;
            let Some(transaction) = order.transaction(kind) else {
                continue;
            };
            let block = stage.devnet.block_of(&transaction.txid)?;
            found += usize::from(Some(block) == transaction.block_number);
        }
    }
    let mut left_sun = 0;
    for wallet in outcome.wallets {
        for receiver in RECEIVERS {
            left_sun += stage.devnet.delegated_sun(wallet, receiver)?;
        }
    }
    Ok([
        Check {
            what: "the chain has every transaction in the block that we say",
            what_zh: "链上交易与记录的区块一致",
            ok: found == wanted,
            detail: format!("{found} of {wanted}"),
        },
        Check {
            what: "no delegation is left on the chain",
            what_zh: "链上没有遗留的委托",
            ok: left_sun == 0,
            detail: format!("{left_sun} sun still delegated"),
        },
    ])
}
