//! Payouts: what may be asked for, who decides, how they are paid at most once, and when their money goes back.

mod asking;
mod paying;

use chain::TronAddress;
use chrono::Duration;
use db::models::{Payout, PayoutState};
use db::{acquire, run_tx};
use domain::DomainError;
use domain::operations::{Decision, Instruction, decide_payout};
use domain::orders::Idempotency;
use domain::payouts::{
    AssetLimits, PayoutClaim, PayoutPolicy, RequestPayout, SignedPayout, TreasuryRules, claim_payout_in_tx, detail,
    payout_signed_in_tx, request,
};
use kernel::{Amount, Asset, ChainTransactionId, DelegationId, IdGen, PayoutId, UserId, WalletId};
use ledger::Account;
use switchyard_domain as domain;

use crate::harness::{RESEND, Tx, sign};
use crate::world::{ANNA, NETWORK, World, address};

const TRX: i64 = 1_000_000;
const RULES: TreasuryRules = TreasuryRules {
    fee_reserve_sun: 5 * TRX,
    token_fee_limit_sun: 30 * TRX,
};

fn amount(trx: i64) -> Amount {
    Amount::from_minor(trx * TRX).unwrap()
}

/// Where payouts go, and the token.
fn payee() -> TronAddress {
    address(1)
}

fn token() -> TronAddress {
    address(99)
}

fn policy() -> PayoutPolicy {
    let limits = AssetLimits {
        minimum: amount(1),
        user_day: amount(100),
        system_hour: amount(150),
        approval_above: amount(50),
    };
    PayoutPolicy {
        network: NETWORK.to_owned(),
        usdt: Some(token()),
        list_required: false,
        trx_limits: limits,
        usdt_limits: limits,
    }
}

impl World {
    fn wish(&self, trx: i64) -> RequestPayout {
        RequestPayout {
            api_key: self.key,
            actor: self.actor(),
            user: UserId(ANNA),
            asset: Asset::Trx,
            amount: amount(trx),
            to: payee(),
            idempotency: Idempotency {
                key: self.ids.uuid().to_string(),
                request_sha256: [1; 32],
            },
        }
    }

    async fn ask(&self, wish: &RequestPayout) -> Result<Payout, DomainError> {
        let asked = request(&self.api, &self.ids, &policy(), wish, self.now()).await;
        asked.map(|taken| taken.payout)
    }

    /// A payout of so many TRX that may be paid.
    async fn approved(&self, trx: i64) -> PayoutId {
        let payout = self.ask(&self.wish(trx)).await.unwrap();
        assert_eq!(payout.state, PayoutState::Approved);
        PayoutId(payout.id)
    }

    async fn payout(&self, id: PayoutId) -> Payout {
        domain::payouts::find(&self.api, id).await.unwrap()
    }

    async fn payout_state(&self, id: PayoutId) -> PayoutState {
        self.payout(id).await.state
    }

    async fn payout_events(&self, id: PayoutId) -> Vec<String> {
        let events = detail(&self.api, id).await.unwrap().events;
        events.into_iter().map(|event| event.event).collect()
    }

    /// A wallet that pays, with this balance as of block 1000.
    pub(crate) async fn treasury(&self, n: u8, sun: i64, usdt_micro: i64) -> WalletId {
        let id = self.wallet(n, 0).await;
        self.db
            .sql(&format!(
                "UPDATE supplier_wallets SET purpose = 'treasury', balance_sun = {sun}, usdt_micro = {usdt_micro} \
                 WHERE id = '{id}'"
            ))
            .await;
        id
    }

    /// Claims a payout, signs and stores: what a worker does before it sends. `Err` says why not.
    pub(crate) async fn pay(&self, payout: PayoutId) -> Result<Tx, &'static str> {
        let (id, now) = (ChainTransactionId::new(&self.ids), self.now());
        let paid = run_tx(&self.worker, "test_pay", async |conn| {
            let claimed = match claim_payout_in_tx(conn, &self.ids, payout, &RULES, now).await? {
                PayoutClaim::NothingToDo => return Ok(Err("nothing to do")),
                PayoutClaim::Wait { code, .. } => return Ok(Err(code)),
                PayoutClaim::Claimed(claimed) => claimed,
            };
            let (txid, signed) = sign(id, claimed.timestamp_ms, claimed.cursor.head_time);
            let new = SignedPayout {
                claimed: &claimed,
                id,
                signed: &signed,
            };
            payout_signed_in_tx(conn, &new, (now, now + RESEND.after)).await?;
            Ok::<_, DomainError>(Ok(Tx {
                id,
                txid,
                delegation: DelegationId(payout.0),
                wallet: WalletId(claimed.wallet.id),
                amount_sun: 0, // no delegation
                expires_at: signed.expires_at,
            }))
        });
        paid.await.unwrap()
    }

    /// Set aside, and what the chain holds for customers: in sun.
    async fn books(&self) -> [i128; 2] {
        let mut conn = acquire(&self.api).await.unwrap();
        let network = NETWORK.parse().unwrap();
        let asset = Asset::Trx;
        [
            ledger::house_balance(&mut conn, &Account::Payouts(asset))
                .await
                .unwrap(),
            ledger::house_balance(&mut conn, &Account::Deposits { network, asset })
                .await
                .unwrap(),
        ]
    }

    pub(crate) async fn decide(&self, id: PayoutId, decision: Decision, actor: &str) -> Result<Payout, DomainError> {
        let instruction = Instruction {
            actor: actor.to_owned(),
            name: "somebody".to_owned(),
            reason: Some("looked at".to_owned()),
            mark: None,
            dry_run: false,
        };
        let decided = decide_payout(&self.api, &self.ids, &instruction, (id, decision), self.now()).await;
        decided.map(|(payout, _)| payout)
    }

    /// So much time passes on the chain that everything signed has expired, and all of it is solidified.
    async fn outlive(&self, tx: &Tx) {
        self.mine_at(tx.expires_at + Duration::seconds(3)).await;
        self.solidify().await;
    }
}
