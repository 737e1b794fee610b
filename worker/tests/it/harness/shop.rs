//! What the API's callers do: order, cancel, pay in, hand in wallets.

use axum::http::Method;
use chain::TronAddress;
use db::models::{Order, SupplierWallet, WalletState};
use db::run_tx;
use domain::orders::{self, OrderDetail};
use domain::wallets;
use jobs::{JobKind, JobRequest};
use kernel::{Amount, Asset, Clock, IdGen, OrderId, RandomIds, UserId, WalletId};
use serde_json::{Value, json};
use tron::PrivateKey;

use super::Rig;

/// Sun in one TRX.
pub(crate) const TRX: i64 = 1_000_000;

/// A supplier wallet that is in use.
pub(crate) struct Supplier {
    pub(crate) id: WalletId,
    pub(crate) address: TronAddress,
    pub(crate) key: PrivateKey,
}

/// What a customer asks for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wish {
    pub(crate) user: UserId,
    pub(crate) receiver: TronAddress,
    pub(crate) energy: i64,
    pub(crate) duration_s: i32,
}

impl Rig {
    /// An account that the chain knows.
    pub(crate) fn customer_account(&self) -> TronAddress {
        let address = PrivateKey::generate().unwrap().address();
        self.devnet.faucet(address, TRX).unwrap();
        address
    }

    /// A wish of user 1, who has money, for a fresh account: one USDT transfer's energy for five minutes.
    pub(crate) fn wish(&self) -> Wish {
        Wish {
            user: UserId(1),
            receiver: self.customer_account(),
            energy: 65_000,
            duration_s: 300,
        }
    }

    /// Pays TRX in for a user.
    pub(crate) async fn credit(&self, user: UserId, trx: i64) {
        let amount = Amount::from_minor(trx * TRX).unwrap();
        let body = json!({ "amount": amount, "reason": "paid in" });
        let path = format!("/api/users/{user}/deposit");
        self.http.post(&path, body).await.unwrap();
    }

    /// What a user has, in sun.
    pub(crate) async fn balance(&self, user: UserId) -> i64 {
        self.balance_of(user, Asset::Trx).await
    }

    pub(crate) async fn order(&self, wish: Wish) -> OrderId {
        self.try_order(wish).await.unwrap()
    }

    /// The order, or the code of the problem.
    pub(crate) async fn try_order(&self, wish: Wish) -> Result<OrderId, String> {
        self.order_once(wish, &RandomIds.uuid().to_string()).await
    }

    /// The order under an idempotency key of the caller's, or the code of the problem.
    pub(crate) async fn order_once(&self, wish: Wish, idempotency_key: &str) -> Result<OrderId, String> {
        self.place(wish, None, idempotency_key).await
    }

    /// A quote that holds the energy, too.
    pub(crate) async fn hold(&self, wish: Wish) -> String {
        let body = json!({ "energy": wish.energy, "duration_s": wish.duration_s, "hold_stock": true });
        let quote = self.http.post("/api/quotes", body).await.unwrap();
        quote["id"].as_str().unwrap().to_owned()
    }

    /// The order at the price of a quote, or the code of the problem.
    pub(crate) async fn order_on(&self, wish: Wish, quote: Option<&str>) -> Result<OrderId, String> {
        self.place(wish, quote, &RandomIds.uuid().to_string()).await
    }

    async fn place(&self, wish: Wish, quote: Option<&str>, idempotency_key: &str) -> Result<OrderId, String> {
        let body = json!({
            "user_id": wish.user, "receiver": wish.receiver.to_string(),
            "energy": wish.energy, "duration_s": wish.duration_s, "quote_id": quote,
        });
        let order = self
            .http
            .call_once(Method::POST, "/api/orders", Some(body), idempotency_key)
            .await?;
        Ok(order["id"].as_str().unwrap().parse().unwrap())
    }

    /// What one order can have at most, as customers are told.
    pub(crate) async fn largest_order(&self) -> i64 {
        let pool = self.http.get("/api/pool").await;
        pool["largest_order_energy"].as_i64().unwrap()
    }

    /// Buys more time; answers when the rental ends then, or the code of the problem.
    pub(crate) async fn extend(&self, order: OrderId, duration_s: i64) -> Result<String, String> {
        let path = format!("/api/orders/{order}/extend");
        let extended = self.http.post(&path, json!({ "duration_s": duration_s })).await?;
        assert_eq!(extended["extension"]["ends_at"], extended["order"]["ends_at"]);
        Ok(extended["order"]["ends_at"].as_str().unwrap().to_owned())
    }

    /// The order's state afterwards, or the code of the problem.
    pub(crate) async fn cancel(&self, order: OrderId) -> Result<String, String> {
        let path = format!("/api/orders/{order}/cancel");
        let order = self.http.call(Method::POST, &path, None).await?;
        Ok(order["state"].as_str().unwrap().to_owned())
    }

    pub(crate) async fn find(&self, order: OrderId) -> Order {
        orders::find(&self.owner, order).await.unwrap()
    }

    pub(crate) async fn detail(&self, order: OrderId) -> OrderDetail {
        orders::detail(&self.owner, order).await.unwrap()
    }

    /// The names of what happened to an order, oldest first.
    pub(crate) async fn timeline(&self, order: OrderId) -> Vec<String> {
        let events = self.detail(order).await.events;
        events.into_iter().map(|event| event.event).collect()
    }

    /// Hands a key in: `{"private_key": …}`, or `{"mnemonic": …, "index": …}`.
    pub(crate) async fn hand_in(&self, secret: Value) -> WalletId {
        let added = self.http.post("/api/supplier-wallets/add", secret).await.unwrap();
        let id: Value = added["items"][0]["id"].clone();
        id.as_str().unwrap().parse().unwrap()
    }

    /// Hands so many accounts of these words in at once.
    pub(crate) async fn hand_in_accounts(&self, words: &str, index: u32, count: u32) {
        let body = json!({ "mnemonic": words, "index": index, "count": count });
        self.http.post("/api/supplier-wallets/add", body).await.unwrap();
    }

    /// Has every wallet read now; answers how many there are.
    pub(crate) async fn read_all_wallets(&self) -> u64 {
        let path = "/api/supplier-wallets/update-balances";
        let asked = self.http.post(path, json!({})).await.unwrap();
        asked["wallets"].as_u64().unwrap()
    }

    pub(crate) async fn wallet(&self, id: WalletId) -> SupplierWallet {
        wallets::find(&self.owner, id).await.unwrap()
    }

    /// A fresh key with TRX for fees, bandwidth, and so much staked for energy.
    pub(crate) fn staked_key(&self, stake_trx: i64) -> PrivateKey {
        let key = PrivateKey::generate().unwrap();
        self.devnet.faucet(key.address(), 1_000 * TRX).unwrap();
        self.devnet.stake_energy(key.address(), stake_trx * TRX).unwrap();
        self.devnet.stake_bandwidth(key.address(), 200_000 * TRX).unwrap();
        key
    }

    /// A wallet with so much stake, handed in, opened and read from the chain.
    pub(crate) async fn supplier(&self, stake_trx: i64) -> Supplier {
        let key = self.staked_key(stake_trx);
        let id = self.hand_in(by_key(&key)).await;
        self.until("the wallet is read", async || {
            let wallet = self.wallet(id).await;
            wallet.state == WalletState::Active && wallet.synced_at.is_some()
        })
        .await;
        Supplier {
            id,
            address: key.address(),
            key,
        }
    }

    /// Switches a wallet on or off for new orders.
    pub(crate) async fn toggle(&self, wallet: WalletId, enabled: bool) {
        let path = format!("/api/supplier-wallets/{wallet}/toggle");
        let body = Some(json!({ "enabled": enabled }));
        self.http.call(Method::PUT, &path, body).await.unwrap();
    }

    /// Asks for a job, as a schedule does.
    pub(crate) async fn ask(&self, kind: JobKind, object_id: &str) {
        let now = self.clock.now();
        let request = JobRequest {
            kind,
            object_id,
            run_at: now,
            now,
        };
        let wake = run_tx(&self.owner, "ask", async |conn| {
            jobs::enqueue_in_tx(conn, request).await
        });
        self.wakes.push(wake.await.unwrap());
    }
}

/// A key as it is handed in.
pub(crate) fn by_key(key: &PrivateKey) -> Value {
    json!({ "private_key": hex::encode(*key.expose_bytes()) })
}
