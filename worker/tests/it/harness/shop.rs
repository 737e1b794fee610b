//! What the API's callers do: order, cancel, pay in, hand in wallets. All of it with the API's rights in the database.

use chain::TronAddress;
use chrono::TimeDelta;
use db::models::{Order, SupplierWallet, WalletState};
use db::run_tx;
use domain::orders::{self, AcceptOrder, Idempotency, OrderDetail, OrderPolicy};
use domain::wallets::{self, NewWallet};
use domain::{DomainError, users};
use kernel::{Amount, Asset, Clock, IdGen, OrderId, RandomIds, UserId, WalletId};
use ledger::movements::{Adjustment, Direction};
use tron::PrivateKey;
use vault::ImportSecret;

use super::{NETWORK, Rig};

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
        let reference = RandomIds.uuid().to_string();
        let adjustment = Adjustment {
            reference: &reference,
            user,
            asset: Asset::Trx,
            amount: Amount::from_minor(trx * TRX).unwrap(),
            direction: Direction::Credit,
            note: "paid in",
            actor: "operator:test",
            at: self.clock.now(),
        };
        users::adjust(&self.api, &adjustment).await.unwrap();
    }

    /// What a user has, in sun.
    pub(crate) async fn balance(&self, user: UserId) -> i64 {
        let balances = users::balances(&self.api, user).await.unwrap();
        let trx = balances.into_iter().find(|(asset, _)| *asset == Asset::Trx).unwrap();
        trx.1.minor()
    }

    /// Orders, and wakes a worker as the API does after its commit.
    pub(crate) async fn order(&self, wish: Wish) -> OrderId {
        self.try_order(wish).await.unwrap()
    }

    pub(crate) async fn try_order(&self, wish: Wish) -> Result<OrderId, DomainError> {
        let policy = OrderPolicy {
            network: NETWORK.into(),
            energy_min: 10_000,
            energy_max: 10_000_000,
            duration_min_s: 300,
            duration_max_s: 2_592_000,
            deadline: TimeDelta::seconds(600),
        };
        let request = AcceptOrder {
            api_key: self.api_key,
            user: wish.user,
            receiver: wish.receiver,
            energy: wish.energy,
            duration_s: wish.duration_s,
            idempotency: Idempotency {
                key: RandomIds.uuid().to_string(),
                request_sha256: [0; 32],
            },
        };
        let accepted = orders::accept(&self.api, &RandomIds, &policy, &request, self.clock.now()).await?;
        self.wakes.push(accepted.wake);
        Ok(OrderId(accepted.order.id))
    }

    pub(crate) async fn cancel(&self, order: OrderId) -> Result<Order, DomainError> {
        orders::cancel_by_user(&self.api, order, "api_key:test", self.clock.now()).await
    }

    pub(crate) async fn find(&self, order: OrderId) -> Order {
        orders::find(&self.api, order).await.unwrap()
    }

    pub(crate) async fn detail(&self, order: OrderId) -> OrderDetail {
        orders::detail(&self.api, order).await.unwrap()
    }

    /// The names of what happened to an order, oldest first.
    pub(crate) async fn timeline(&self, order: OrderId) -> Vec<String> {
        let events = self.detail(order).await.events;
        events.into_iter().map(|event| event.event).collect()
    }

    /// Hands a sealed key in, as the API does.
    pub(crate) async fn hand_in(&self, secret: &ImportSecret) -> WalletId {
        let id = WalletId(RandomIds.uuid());
        let sealed = vault::seal(&self.import_public, id, secret).unwrap();
        let new = NewWallet {
            id,
            label: None,
            permission_id: 0,
            sealed: &sealed,
        };
        let (_, wakes) = wallets::add(&self.api, &[new], self.clock.now()).await.unwrap();
        self.wakes.push(wakes);
        id
    }

    pub(crate) async fn wallet(&self, id: WalletId) -> SupplierWallet {
        wallets::find(&self.api, id).await.unwrap()
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
        let secret = ImportSecret::from_private_key_hex(&hex::encode(*key.expose_bytes())).unwrap();
        let id = self.hand_in(&secret).await;
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

    /// Asks for a job, as a schedule does.
    pub(crate) async fn ask(&self, kind: jobs::JobKind, object_id: &str) {
        let now = self.clock.now();
        let request = jobs::JobRequest {
            kind,
            object_id,
            run_at: now,
            now,
        };
        let wake = run_tx(&self.api, "ask", async |conn| jobs::enqueue_in_tx(conn, request).await);
        self.wakes.push(wake.await.unwrap());
    }
}
