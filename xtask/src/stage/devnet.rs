//! The TRON network of a run, as anybody who asks a node, and as its operator where it is a devnet.

use anyhow::{Context, Result};
use chrono::DateTime;
use serde_json::{Value, json};

use super::http::Http;

/// A running node.
pub(crate) struct Devnet {
    /// What the workers speak to: a node's own HTTP API.
    pub(crate) node: Http,
    /// Money, stake and time out of nothing; only a devnet has it.
    admin: Option<Http>,
}

/// What somebody pays.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Payment {
    /// Sun.
    Trx(i64),
    /// Micro-USDT.
    Usdt(i64),
}

impl Devnet {
    /// A devnet of this run's own.
    pub(crate) const fn new(node: Http, admin: Http) -> Self {
        Self {
            node,
            admin: Some(admin),
        }
    }

    /// A node that others run.
    pub(crate) fn foreign(url: &str) -> Self {
        Self {
            node: Http::open(url.trim_end_matches('/').to_owned()),
            admin: None,
        }
    }

    /// The admin port; an error where there is none.
    pub(crate) fn admin(&self) -> Result<&Http> {
        self.admin.as_ref().context("this node has no admin port")
    }

    /// Whether it answers.
    pub(crate) fn is_up(&self) -> bool {
        let admin_is_up = |admin: &Http| admin.text("/status").is_some();
        self.admin.as_ref().is_none_or(admin_is_up) && self.node.text("/wallet/getnowblock").is_some()
    }

    /// The newest block's number and time, as a person reads them.
    pub(crate) fn clock(&self) -> Result<String> {
        let block: Value = self.node.get("/wallet/getnowblock")?;
        let head = &block["block_header"]["raw_data"];
        let time = head["timestamp"].as_i64().and_then(DateTime::from_timestamp_millis);
        let time = time.context("the newest block has no time")?.format("%H:%M");
        Ok(format!("chain time 链上时间 {time}, block 区块 {}", head["number"]))
    }

    /// Gives an address TRX, which activates it.
    pub(crate) fn fund(&self, address: &str, trx: i64) -> Result<()> {
        let body = json!({ "address": address, "trx_sun": trx * 1_000_000 });
        self.admin()?.post::<Value>("/faucet", &body, None).map(drop)
    }

    /// Stakes TRX for `resource`, ENERGY or BANDWIDTH.
    pub(crate) fn stake(&self, address: &str, resource: &str, trx: i64) -> Result<()> {
        let body = json!({ "resource": resource, "sun": trx * 1_000_000 });
        let path = format!("/accounts/{address}/stake");
        self.admin()?.post::<Value>(&path, &body, None).map(drop)
    }

    /// Lets time pass on the chain.
    pub(crate) fn advance(&self, seconds: i64) -> Result<()> {
        let body = json!({ "seconds": seconds });
        self.admin()?.post::<Value>("/time/advance", &body, None).map(drop)
    }

    /// Whether it makes blocks by itself.
    pub(crate) fn pause_mining(&self, paused: bool) -> Result<()> {
        let body = json!({ "paused": paused });
        self.admin()?.post::<Value>("/mining", &body, None).map(drop)
    }

    /// Makes one block.
    pub(crate) fn mine(&self) -> Result<()> {
        self.admin()?.post::<Value>("/blocks", &json!({}), None).map(drop)
    }

    /// Has somebody pay; answers the transaction.
    pub(crate) fn pay(&self, to: &str, payment: Payment) -> Result<String> {
        let body = match payment {
            Payment::Trx(sun) => json!({ "to": to, "trx_sun": sun }),
            Payment::Usdt(micro) => json!({ "to": to, "usdt_micro": micro }),
        };
        let answer: Value = self.admin()?.post("/payments", &body, None)?;
        let txid = answer["txid"].as_str().context("a payment without an id")?;
        Ok(txid.to_owned())
    }

    /// Sun that `from` delegates to `to` for energy at this moment.
    pub(crate) fn delegated_sun(&self, from: &str, to: &str) -> Result<i64> {
        let body = json!({ "fromAddress": from, "toAddress": to, "visible": true });
        let answer: Value = self.node.post("/wallet/getdelegatedresourcev2", &body, None)?;
        let rows = answer["delegatedResource"].as_array().map_or(&[][..], Vec::as_slice);
        Ok(rows
            .iter()
            .filter_map(|row| row["frozen_balance_for_energy"].as_i64())
            .sum())
    }

    /// The block that carries a transaction, as the node tells it; an error if there is none.
    pub(crate) fn block_of(&self, txid: &str) -> Result<i64> {
        let body = json!({ "value": txid });
        let answer: Value = self.node.post("/wallet/gettransactioninfobyid", &body, None)?;
        answer["blockNumber"]
            .as_i64()
            .with_context(|| format!("the node has no transaction {txid}"))
    }
}
