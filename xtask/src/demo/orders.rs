//! The orders that the demo places, and what the API says of them.

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Value, json};

use super::screen::{pad, short};
use crate::stage::http::Http;

/// Addresses that nobody has the key of. The first ones are activated on the devnet.
pub(crate) const RECEIVERS: [&str; 3] = [
    "TA1XGGPhWWPQP9nPYVsLAkncRC2vRmJeod",
    "TTdNwamqvztzXQ1ZRr7PSKju8ec9A5aMrY",
    "TXis5M9R11YbDYGX8KaA4FJLhFddTZsWxV",
];
/// This one is not: energy cannot be delegated to it.
const NOT_ACTIVATED: &str = "TWJ42Tws6t41JTzroXg4s5PAsgQivysRMg";

const ENERGIES: [i64; 4] = [65_000, 131_000, 32_000, 200_000];
const MINUTES: [i64; 5] = [60, 10, 30, 5, 15];

/// Columns: what they are called, in both languages, and their widths.
const COLUMNS: [(&str, &str, usize); 10] = [
    ("order", "订单", 8),
    ("receiver", "接收", 9),
    ("energy", "能量", 7),
    ("rental", "租期", 6),
    ("state", "状态", 17),
    ("wallet", "钱包", 9),
    ("txid", "交易", 9),
    ("blocks", "区块", 9),
    ("delivered", "送达", 9),
    ("returned", "收回", 8),
];

/// An order to place.
pub(crate) struct Plan {
    pub(crate) receiver: &'static str,
    pub(crate) energy: i64,
    pub(crate) duration_s: i64,
    /// Whether it can be delivered at all.
    pub(crate) deliverable: bool,
    /// The Idempotency-Key.
    pub(crate) once: String,
}

/// `count` orders; the last one cannot be delivered.
pub(crate) fn plans(count: usize) -> Vec<Plan> {
    let plan = |n: usize| {
        let deliverable = n + 1 < count;
        Plan {
            receiver: if deliverable {
                RECEIVERS[n % RECEIVERS.len()]
            } else {
                NOT_ACTIVATED
            },
            energy: ENERGIES[n % ENERGIES.len()],
            duration_s: MINUTES[n % MINUTES.len()] * 60,
            deliverable,
            once: format!("demo-order-{n}"),
        }
    };
    (0..count).map(plan).collect()
}

/// An order as the API shows it; the answer to its placing has no timeline and no delegations yet.
#[derive(Deserialize)]
pub(crate) struct OrderView {
    pub(crate) id: String,
    pub(crate) state: String,
    pub(crate) reason: Option<String>,
    pub(crate) price: Money,
    created_at: DateTime<Utc>,
    pub(crate) settled_at: Option<DateTime<Utc>>,
    #[serde(default)]
    timeline: Vec<Event>,
    #[serde(default)]
    delegations: Vec<Delegation>,
}

/// An amount of an asset.
#[derive(Deserialize)]
pub(crate) struct Money {
    pub(crate) amount: String,
    pub(crate) asset: String,
}

#[derive(Deserialize)]
struct Event {
    at: DateTime<Utc>,
    event: String,
}

#[derive(Deserialize)]
struct Delegation {
    wallet_address: Option<String>,
    state: String,
    transactions: Vec<Transaction>,
}

/// A transaction that was signed for an order.
#[derive(Deserialize)]
pub(crate) struct Transaction {
    pub(crate) txid: String,
    kind: String,
    state: String,
    pub(crate) block_number: Option<i64>,
}

/// Places an order of `user`.
pub(crate) fn place(api: &Http, user: i64, plan: &Plan) -> Result<OrderView> {
    let body: Value = json!({
        "user_id": user, "receiver": plan.receiver, "energy": plan.energy, "duration_s": plan.duration_s,
    });
    api.post("/api/orders", &body, Some(&plan.once))
}

impl OrderView {
    /// The order as it is now.
    pub(crate) fn again(&self, api: &Http) -> Result<Self> {
        api.get(&format!("/api/orders/{}", self.id))
    }

    /// The delegation that counts: the last one tried.
    fn delegation(&self) -> Option<&Delegation> {
        self.delegations.last()
    }

    /// The wallet that delivers.
    pub(crate) fn wallet(&self) -> Option<&str> {
        self.delegation()?.wallet_address.as_deref()
    }

    /// The transaction of this kind that can land or has landed.
    pub(crate) fn transaction(&self, kind: &str) -> Option<&Transaction> {
        let transactions = &self.delegation()?.transactions;
        transactions.iter().rfind(|tx| tx.kind == kind && tx.state != "dead")
    }

    /// Whether the energy is back.
    pub(crate) fn is_reclaimed(&self) -> bool {
        self.delegation()
            .is_some_and(|delegation| delegation.state == "reclaimed")
    }

    /// Whether delivered, paid for and taken back.
    pub(crate) fn is_served(&self) -> bool {
        self.state == "completed" && self.settled_at.is_some() && self.is_reclaimed()
    }

    /// Whether nothing more will happen to it.
    pub(crate) fn is_over(&self) -> bool {
        self.is_served() || matches!(self.state.as_str(), "refunded" | "cancelled")
    }

    /// Milliseconds from acceptance until `event`.
    pub(crate) fn ms_until(&self, event: &str) -> Option<i64> {
        let event = self.timeline.iter().rfind(|found| found.event == event)?;
        Some((event.at - self.created_at).num_milliseconds())
    }

    /// Where it stands, in both languages.
    fn standing(&self) -> &'static str {
        match self.state.as_str() {
            "pending" => "pending 待处理",
            "processing" => "processing 处理中",
            "completed" if self.is_served() => "reclaimed 已回收",
            "completed" if self.settled_at.is_some() => "settled 已结算",
            "completed" => "completed 已送达",
            "refunded" => "refunded 已退款",
            "cancelled" => "cancelled 已取消",
            _ => "failed 失败",
        }
    }

    /// A line of the table.
    pub(crate) fn row(&self, plan: &Plan) -> String {
        let tail = self.id.get(self.id.len().saturating_sub(8)..).unwrap_or(&self.id);
        let mut cells = vec![
            tail.to_owned(),
            short(plan.receiver),
            plan.energy.to_string(),
            format!("{} min", plan.duration_s / 60),
            self.standing().to_owned(),
        ];
        match self.transaction("delegate") {
            Some(delegate) => {
                let blocks = [Some(delegate), self.transaction("reclaim")]
                    .map(|tx| tx.and_then(|tx| tx.block_number).map(|block| block.to_string()))
                    .into_iter()
                    .flatten();
                cells.push(self.wallet().map(short).unwrap_or_default());
                cells.push(short(&delegate.txid));
                cells.push(blocks.collect::<Vec<_>>().join("→"));
                cells.push(self.ms_until("completed").map(seconds).unwrap_or_default());
                cells.push(self.ms_until("reclaimed").map(seconds).unwrap_or_default());
            }
            None => cells.extend(self.reason.clone()),
        }
        line(cells.iter().map(String::as_str))
    }
}

/// The table's first lines.
pub(crate) fn header() -> [String; 2] {
    [
        line(COLUMNS.iter().map(|(name, _, _)| *name)),
        line(COLUMNS.iter().map(|(_, name, _)| *name)),
    ]
}

fn line<'a>(cells: impl Iterator<Item = &'a str>) -> String {
    let padded: Vec<String> = cells
        .zip(COLUMNS)
        .map(|(cell, (_, _, width))| pad(cell, width))
        .collect();
    padded.join("  ").trim_end().to_owned()
}

fn seconds(ms: i64) -> String {
    format!("{}.{} s", ms / 1_000, ms % 1_000 / 100)
}

/// A decimal amount in millionths.
pub(crate) fn micro(amount: &str) -> Result<i64> {
    let (whole, fraction) = amount.split_once('.').unwrap_or((amount, ""));
    let digits = format!("{whole}{fraction:0<6}");
    let good = fraction.len() <= 6;
    let parsed = digits.parse().ok().filter(|_| good);
    parsed.with_context(|| format!("`{amount}` is no amount"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(state: &str, delegation: &str, settled: bool) -> OrderView {
        let settled = settled.then_some("2026-01-01T00:00:05Z");
        serde_json::from_value(json!({
            "id": "018f0000-0000-7000-8000-00000badcafe", "state": state, "reason": null,
            "price": { "amount": "3.250000", "asset": "TRX" },
            "created_at": "2026-01-01T00:00:00Z", "settled_at": settled,
            "timeline": [{ "at": "2026-01-01T00:00:01.250Z", "event": "completed" }],
            "delegations": [
                { "wallet_address": "TA", "state": "released", "transactions": [] },
                { "wallet_address": "TB", "state": delegation, "transactions": [
                    { "txid": "aa", "kind": "delegate", "state": "final", "block_number": 7 },
                    { "txid": "bb", "kind": "reclaim", "state": "dead", "block_number": null },
                ] },
            ],
        }))
        .unwrap()
    }

    #[test]
    fn an_order_is_served_when_it_is_paid_for_and_the_energy_is_back() {
        assert!(view("completed", "reclaimed", true).is_served());
        assert!(!view("completed", "active", true).is_over());
        assert!(!view("completed", "reclaimed", false).is_over());
        assert!(view("refunded", "released", false).is_over());
        assert!(!view("refunded", "released", false).is_served());
    }

    #[test]
    fn what_counts_is_the_last_delegation_and_a_transaction_that_lives() {
        let view = view("completed", "active", true);
        assert_eq!(view.wallet(), Some("TB"));
        assert_eq!(view.transaction("delegate").unwrap().txid, "aa");
        assert!(view.transaction("reclaim").is_none());
        assert_eq!(view.ms_until("completed"), Some(1_250));
        assert_eq!(view.ms_until("reclaimed"), None);
    }

    #[test]
    fn amounts_are_exact() {
        assert_eq!(micro("3.250000").unwrap(), 3_250_000);
        assert_eq!(micro("500").unwrap(), 500_000_000);
        assert!(micro("1.2345678").is_err());
        assert!(micro("x").is_err());
    }

    #[test]
    fn the_last_order_cannot_be_delivered() {
        let plans = plans(6);
        assert_eq!(plans.iter().filter(|plan| plan.deliverable).count(), 5);
        assert_eq!(plans[5].receiver, NOT_ACTIVATED);
    }
}
