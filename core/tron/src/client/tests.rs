//! The client against nodes that limp and lie.

mod blocks;
mod broadcast;
mod lending;
mod node;
mod questions;
mod refusal;
mod wallet;

use std::sync::Arc;

use chain::TronAddress;
use chain::endpoints::{EndpointConfig, EndpointList};
use kernel::{Clock, ManualClock};

use super::*;
use crate::proto::ResourceCode;
use crate::{BlockReference, ContractBody, PrivateKey, SignedTransaction, UnsignedTx, sign_transaction};
use node::{Node, Reply};

/// A client of these nodes, in their order.
fn client(nodes: &[&Node]) -> TronClient {
    client_of(&nodes.iter().map(|node| node.url.as_str()).collect::<Vec<_>>(), 10_000)
}

fn client_of(urls: &[&str], timeout_ms: u64) -> TronClient {
    // Another test may have installed it already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(time(0)));
    let config = |(place, url): (usize, &&str)| EndpointConfig {
        name: format!("node-{place}"),
        url: (*url).to_owned(),
        solidity_url: None,
        api_key: None,
        requests_per_second: 10_000,
        timeout_ms,
    };
    let configs: Vec<_> = urls.iter().enumerate().map(config).collect();
    TronClient::new(EndpointList::new("nile", &configs, &clock).unwrap(), vec![usdt()])
}

/// When a block is produced.
fn time(number: i64) -> chrono::DateTime<chrono::Utc> {
    chrono::DateTime::from_timestamp(1_790_000_000 + 3 * number, 0).unwrap()
}

/// A block's id on the fork `fork`.
fn id(number: i64, fork: u8) -> String {
    format!("{number:016x}{}", format!("{fork:02x}").repeat(24))
}

/// A block as an answer to a question for it.
fn block(number: i64) -> Value {
    json!({
        "blockID": id(number, 1),
        "block_header": { "raw_data": {
            "number": number, "timestamp": time(number).timestamp_millis(), "parentHash": id(number - 1, 1) } },
        "transactions": [{ "txID": "not read here" }],
    })
}

/// The token that the client is told of.
fn usdt() -> TronAddress {
    address(5)
}

fn address(byte: u8) -> TronAddress {
    TronAddress::from_evm20([byte; 20])
}

/// A signed delegation from `address_of_owner()` to `address(2)`.
fn signed() -> SignedTransaction {
    sign_transaction(unsigned().encode(), &key())
}

fn key() -> PrivateKey {
    PrivateKey::from_bytes(&[7; 32]).unwrap()
}

fn unsigned() -> UnsignedTx {
    UnsignedTx {
        contract: ContractBody::Delegate {
            owner: key().address(),
            receiver: address(2),
            balance_sun: 7_000_000_000,
            resource: ResourceCode::Energy,
            lock: false,
            lock_period_blocks: 0,
        },
        reference: BlockReference::from_block_id(&id(70, 1)).unwrap(),
        timestamp_ms: 1_790_000_000_000,
        expiration_ms: 1_790_000_060_000,
        fee_limit_sun: 0,
        memo: Vec::new(),
        permission_id: 0,
    }
}
