//! A customer's own wallet: he announces deposits over the API, and pays them on the chain.

use std::sync::atomic::{AtomicI64, Ordering};

use ::chain::{BlockRef, Broadcast, ChainClient, TronAddress};
use serde_json::{Value, json};
use tron::{BlockReference, ContractBody, PrivateKey, TronClient, UnsignedTx, sign_transaction, trc20};

use super::{Rig, TRX, usdt};

/// Somebody with TRX and USDT.
pub(crate) struct Payer {
    key: PrivateKey,
    sent: AtomicI64,
}

/// What he sends.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Sent {
    /// So many sun.
    Trx(i64),
    /// So many sun, through a contract that sends them on.
    TrxByContract(i64),
    /// So many micro-USDT.
    Usdt(i64),
}

impl Payer {
    pub(crate) fn new(rig: &Rig) -> Self {
        let key = PrivateKey::generate().unwrap();
        rig.devnet.faucet(key.address(), 1_000_000 * TRX).unwrap();
        rig.devnet.faucet_usdt(key.address(), 1_000_000 * TRX).unwrap();
        Self::of(key)
    }

    /// Whoever holds this key.
    pub(crate) fn of(key: PrivateKey) -> Self {
        Self {
            key,
            sent: AtomicI64::new(0),
        }
    }

    pub(crate) fn address(&self) -> TronAddress {
        self.key.address()
    }

    /// Signs and sends, and answers the id; no block is made.
    pub(crate) async fn pay(&self, rig: &Rig, to: TronAddress, what: Sent) -> String {
        self.pay_with(rig, to, what, "").await
    }

    /// The same with a memo.
    pub(crate) async fn pay_with(&self, rig: &Rig, to: TronAddress, what: Sent, memo: &str) -> String {
        let node = rig.node();
        let solid = node.solid_head().await.unwrap();
        self.send(rig, &node, &solid, (to, what, memo)).await
    }

    /// Signs on top of this block and sends over this client.
    pub(crate) async fn send(
        &self,
        rig: &Rig,
        node: &TronClient,
        solid: &BlockRef,
        (to, what, memo): (TronAddress, Sent, &str),
    ) -> String {
        let owner = self.key.address();
        let contract = match what {
            Sent::Trx(amount_sun) => ContractBody::Transfer { owner, to, amount_sun },
            Sent::TrxByContract(call_value_sun) => {
                let (contract, data) = devnet::forwarding(to);
                ContractBody::TriggerSmart {
                    owner,
                    contract,
                    call_value_sun,
                    data,
                }
            }
            Sent::Usdt(amount) => ContractBody::TriggerSmart {
                owner,
                contract: usdt(),
                call_value_sun: 0,
                data: trc20::Call::Transfer {
                    to,
                    amount: trc20::amount256(u128::try_from(amount).unwrap()),
                }
                .encode(),
            },
        };
        let unsigned = UnsignedTx {
            contract,
            reference: BlockReference::of(solid).unwrap(),
            // two payments of one amount are two transactions
            timestamp_ms: rig.devnet.head_ms() + self.sent.fetch_add(1, Ordering::Relaxed),
            expiration_ms: rig.devnet.head_ms() + 3_600_000,
            fee_limit_sun: 1_000 * TRX,
            memo: memo.as_bytes().to_vec(),
            permission_id: 0,
        };
        let signed = sign_transaction(unsigned.encode(), &self.key);
        rig.note_foreign(signed.txid.to_string());
        assert_eq!(node.broadcast(&signed.bytes).await, Broadcast::Accepted);
        signed.txid.to_string()
    }
}

impl Rig {
    /// A user says that this address is his.
    pub(crate) async fn register_wallet(&self, user: i64, address: TronAddress) {
        let body = json!({ "address": address });
        let path = format!("/api/wallets/users/{user}");
        self.http.post(&path, body).await.unwrap();
    }

    /// Announces a deposit for a user; answers it as the API shows it.
    pub(crate) async fn announce(&self, user: i64, asset: &str, way: &str, amount: Option<&str>) -> Value {
        self.announce_as(user, json!({ "asset": asset, "way": way, "amount": amount }))
            .await
    }

    /// The same in the caller's own words.
    pub(crate) async fn announce_as(&self, user: i64, body: Value) -> Value {
        self.http
            .post(&format!("/api/users/{user}/deposits"), body)
            .await
            .unwrap()
    }

    /// A deposit as the API shows it.
    pub(crate) async fn deposit(&self, id: &Value) -> Value {
        self.http.get(&format!("/api/deposits/{}", id.as_str().unwrap())).await
    }

    /// Says that a user paid by this transaction; answers what the API knows of it.
    pub(crate) async fn paid_by(&self, user: i64, txid: &str) -> Value {
        let body = json!({ "txid": txid });
        self.http
            .post(&format!("/api/users/{user}/deposit"), body)
            .await
            .unwrap()
    }

    /// Case and state of what came, in the order of the chain.
    pub(crate) async fn transfers(&self) -> Vec<String> {
        let all = "SELECT concat_ws(' ', state, kind) AS line FROM incoming_transfers ORDER BY block_number, place";
        self.lines(all).await
    }
}

/// The address of a deposit.
pub(crate) fn address_of(deposit: &Value) -> TronAddress {
    deposit["address"].as_str().unwrap().parse().unwrap()
}

/// The exact amount of a deposit, in minor units.
pub(crate) fn amount_of(deposit: &Value) -> i64 {
    let amount: kernel::Amount = serde_json::from_value(deposit["amount"].clone()).unwrap();
    amount.minor()
}
