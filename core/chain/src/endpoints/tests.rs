//! Endpoints against servers that limp and lie.

mod failover;
mod health;
mod node;

use std::sync::Arc;

use chrono::DateTime;
use kernel::{Clock, ManualClock};
use serde_json::{Value, json};

use super::*;
use node::{Node, Reply};

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::at(DateTime::from_timestamp(1_790_000_000, 0).unwrap()))
}

fn config(name: &str, url: &str) -> EndpointConfig {
    EndpointConfig {
        name: name.to_owned(),
        url: url.to_owned(),
        solidity_url: None,
        api_key: None,
        requests_per_second: 1_000,
        timeout_ms: 10_000,
    }
}

/// A list over running nodes, named `a`, `b`, `c` in their order.
fn list(nodes: &[&Node], clock: &Arc<ManualClock>) -> EndpointList {
    let configs: Vec<_> = nodes
        .iter()
        .zip(["a", "b", "c", "d", "e"])
        .map(|(node, name)| config(name, &node.url))
        .collect();
    list_of(&configs, clock)
}

fn list_of(configs: &[EndpointConfig], clock: &Arc<ManualClock>) -> EndpointList {
    let clock: Arc<dyn Clock> = Arc::<ManualClock>::clone(clock);
    // Another test may have installed it already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    EndpointList::new("nile", configs, &clock).unwrap()
}

const NO_BODY: Value = Value::Null;

fn request() -> Request<'static> {
    Request {
        side: Side::Full,
        path: "/wallet/getnowblock",
        body: &NO_BODY,
        max_bytes: 1_000,
    }
}

/// Takes `{"n": number}` and nothing else.
fn read(body: &[u8]) -> Result<i64, Unusable> {
    let value: Value = serde_json::from_slice(body).map_err(|error| Unusable::new(error.to_string()))?;
    if value == json!({"Error": "busy"}) {
        return Err(Unusable {
            detail: "busy".to_owned(),
            throttled: true,
        });
    }
    value["n"].as_i64().ok_or_else(|| Unusable::new("no n"))
}
