//! The node's HTTP forms, the admin API and the faults, from outside.
#![expect(clippy::unwrap_used, reason = "a test helper that fails is a test that fails")]

mod admin;
mod faults;
mod forms;

use std::time::Duration;

use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use switchyard_devnet::{Devnet, DevnetConfig, GenesisAccount, Interval};
use tron::{BlockReference, ContractBody, PrivateKey, UnsignedTx, sign_transaction};

const TRX: i64 = 1_000_000;

fn key(n: u8) -> PrivateKey {
    PrivateKey::from_bytes(&[n; 32]).unwrap()
}

fn client() -> Client {
    // An error means that a provider is installed already.
    let _installed = rustls::crypto::ring::default_provider().install_default();
    Client::builder().timeout(Duration::from_secs(20)).build().unwrap()
}

struct Net {
    devnet: Devnet,
    http: Client,
}

impl Net {
    async fn start(interval: Interval, solid_lag: u64) -> Self {
        let genesis = [1, 2]
            .map(|n| GenesisAccount {
                address: key(n).address(),
                sun: 1_000 * TRX,
            })
            .to_vec();
        let config = DevnetConfig {
            interval,
            solid_lag,
            genesis,
            ..DevnetConfig::default()
        };
        Self {
            devnet: Devnet::start(config).await.unwrap(),
            http: client(),
        }
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        let url = format!("{}{path}", self.devnet.node_url());
        self.http
            .post(url)
            .json(&body)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap()
    }

    async fn get(&self, path: &str) -> Value {
        let url = format!("{}{path}", self.devnet.node_url());
        self.http.get(url).send().await.unwrap().json().await.unwrap()
    }

    async fn admin(&self, path: &str, body: Value) -> (StatusCode, Value) {
        let url = format!("{}{path}", self.devnet.admin_url());
        let answer = self.http.post(url).json(&body).send().await.unwrap();
        (answer.status(), answer.json().await.unwrap())
    }

    /// A signed transfer of `sun` from 1 to 2, in hex, and its id.
    async fn transfer(&self, sun: i64) -> (String, String) {
        let head = self.post("/wallet/getnowblock", json!({})).await;
        let time = head["block_header"]["raw_data"]["timestamp"].as_i64().unwrap();
        let unsigned = UnsignedTx {
            contract: ContractBody::Transfer {
                owner: key(1).address(),
                to: key(2).address(),
                amount_sun: sun,
            },
            reference: BlockReference::from_block_id(head["blockID"].as_str().unwrap()).unwrap(),
            timestamp_ms: time + sun,
            expiration_ms: time + 60_000,
            fee_limit_sun: 0,
            memo: Vec::new(),
            permission_id: 0,
        };
        let signed = sign_transaction(unsigned.encode(), &key(1));
        (hex::encode(signed.bytes), signed.txid.to_string())
    }

    async fn broadcast(&self, hex: &str) -> Value {
        self.post("/wallet/broadcasthex", json!({ "transaction": hex })).await
    }

    async fn included(&self, txid: &str) -> bool {
        self.post("/wallet/gettransactioninfobyid", json!({ "value": txid }))
            .await
            != json!({})
    }
}
