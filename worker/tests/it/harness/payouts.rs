//! What the API's callers do with payouts, and what the chain says of them.

use ::chain::{ChainClient, TronAddress};
use axum::http::Method;
use db::models::{PayoutState, WalletState};
use domain::payouts::{self, PayoutDetail};
use kernel::{Amount, Asset, IdGen, PayoutId, RandomIds, UserId, WalletId};
use serde_json::{Value, json};
use tron::PrivateKey;

use super::{Rig, TRX};

/// A wallet that payouts leave from.
pub(crate) struct Treasury {
    pub(crate) id: WalletId,
    pub(crate) address: TronAddress,
}

/// What a user wants to have paid, in minor units.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Withdrawal {
    pub(crate) user: UserId,
    pub(crate) asset: Asset,
    pub(crate) minor: i64,
    pub(crate) to: TronAddress,
}

impl Rig {
    /// A treasury wallet with so much, handed in, opened and read from the chain.
    pub(crate) async fn treasury(&self, trx: i64, usdt: i64) -> Treasury {
        let key = PrivateKey::generate().unwrap();
        let address = key.address();
        self.devnet.faucet(address, trx * TRX).unwrap();
        if usdt > 0 {
            self.devnet.faucet_usdt(address, usdt * TRX).unwrap();
        }
        let secret = json!({ "private_key": hex::encode(*key.expose_bytes()), "purpose": "treasury" });
        let id = self.hand_in(secret).await;
        self.until("the wallet is read", async || {
            let wallet = self.wallet(id).await;
            wallet.state == WalletState::Active && wallet.synced_at.is_some()
        })
        .await;
        Treasury { id, address }
    }

    /// A wish of user 1 for so many TRX, to an account that is there.
    pub(crate) fn withdrawal(&self, trx: i64) -> Withdrawal {
        Withdrawal {
            user: UserId(1),
            asset: Asset::Trx,
            minor: trx * TRX,
            to: self.customer_account(),
        }
    }

    /// Pays USDT in for a user.
    pub(crate) async fn credit_usdt(&self, user: UserId, usdt: i64) {
        let amount = Amount::from_minor(usdt * TRX).unwrap();
        let body = json!({ "asset": "USDT", "amount": amount, "reason": "paid in" });
        let path = format!("/api/users/{user}/deposit");
        self.http.post(&path, body).await.unwrap();
    }

    /// What a user has of an asset, in minor units.
    pub(crate) async fn balance_of(&self, user: UserId, asset: Asset) -> i64 {
        let answer = self.http.get(&format!("/api/users/{user}/balance")).await;
        let balances = answer["balances"].as_array().unwrap();
        let found = balances
            .iter()
            .find(|balance| balance["asset"] == asset.code())
            .unwrap();
        let amount: Amount = serde_json::from_value(found["amount"].clone()).unwrap();
        amount.minor()
    }

    pub(crate) async fn payout(&self, wish: Withdrawal) -> PayoutId {
        self.try_payout(wish).await.unwrap()
    }

    /// The payout, or the code of the problem.
    pub(crate) async fn try_payout(&self, wish: Withdrawal) -> Result<PayoutId, String> {
        self.payout_once(wish, &RandomIds.uuid().to_string()).await
    }

    /// The payout under an idempotency key of the caller's, or the code of the problem.
    pub(crate) async fn payout_once(&self, wish: Withdrawal, idempotency_key: &str) -> Result<PayoutId, String> {
        let amount = Amount::from_minor(wish.minor).unwrap();
        let body = json!({ "asset": wish.asset, "amount": amount, "to": wish.to.to_string() });
        let path = format!("/api/users/{}/payouts", wish.user);
        let answer = self
            .http
            .call_once(Method::POST, &path, Some(body), idempotency_key)
            .await?;
        Ok(answer["id"].as_str().unwrap().parse().unwrap())
    }

    /// Approves or rejects, by who asked for it or by somebody else; the state afterwards, or the code of the problem.
    pub(crate) async fn decide(&self, payout: PayoutId, word: &str, by_other: bool) -> Result<String, String> {
        let path = format!("/api/operations/payouts/{payout}/{word}");
        let body = json!({ "reason": "looked at" });
        let answer: Value = if by_other {
            self.http.post_by_other(&path, body).await?
        } else {
            self.http.post(&path, body).await?
        };
        Ok(answer["state"].as_str().unwrap().to_owned())
    }

    pub(crate) async fn payout_detail(&self, payout: PayoutId) -> PayoutDetail {
        payouts::detail(&self.owner, payout).await.unwrap()
    }

    pub(crate) async fn payout_state(&self, payout: PayoutId) -> PayoutState {
        payouts::find(&self.owner, payout).await.unwrap().state
    }

    /// The names of what happened to a payout, oldest first.
    pub(crate) async fn payout_timeline(&self, payout: PayoutId) -> Vec<String> {
        let events = self.payout_detail(payout).await.events;
        events.into_iter().map(|event| event.event).collect()
    }

    /// Makes blocks until the payout is in this state.
    pub(crate) async fn wait_payout(&self, payout: PayoutId, state: PayoutState) {
        let what = format!("payout {payout} becomes {state}");
        self.until(&what, async || self.payout_state(payout).await == state)
            .await;
    }

    /// TRX of an address by the chain, in sun.
    pub(crate) async fn sun_of(&self, address: TronAddress) -> i64 {
        self.node().wallet_snapshot(address).await.unwrap().balance_sun
    }

    /// USDT of an address by the chain, in minor units.
    pub(crate) async fn usdt_of(&self, address: TronAddress) -> u128 {
        let held = self.node().token_balance(self.world.usdt, address).await;
        held.unwrap().minor
    }

    /// What is booked as burned by transactions, in sun.
    pub(crate) async fn burned(&self) -> i64 {
        self.count("SELECT coalesce(sum(amount), 0)::bigint AS n FROM ledger_transfers WHERE reason = 'chain_fee'")
            .await
    }
}
