//! Stakings: what may be asked for, what is signed for it at most once, and what its blocks bring.

mod asking;
mod planning;
mod signing;

use chrono::Duration;
use db::models::{StakeResource, Staking, StakingState};
use db::run_tx;
use domain::DomainError;
use domain::operations::{AskedToStake, Instruction, request_staking};
use domain::stakings::{
    SignedStake, StakeClaim, StakeFacts, StakePolicy, StakeRules, StakeWish, ToStake, claim_stake_in_tx, detail,
    stake_signed_in_tx,
};
use kernel::{Amount, ChainTransactionId, DelegationId, StakingId, WalletId};
use switchyard_domain as domain;

use crate::harness::{RESEND, Tx, sign};
use crate::world::{NETWORK, World};

const TRX: i64 = 1_000_000;
/// Coin of a wallet in these tests; so much is also staked for energy, and half of it for bandwidth.
const COIN: i64 = 1_000 * TRX;

fn rules() -> StakeRules {
    StakeRules {
        network: NETWORK.to_owned(),
        reserve_sun: 20 * TRX,
        wallet_day_sun: 600 * TRX,
        all_day_sun: 900 * TRX,
    }
}

fn policy() -> StakePolicy {
    StakePolicy {
        enabled: true,
        rules: rules(),
        liquid_bps: 1_000,
        least_sun: 10 * TRX,
        transactions_per_day: 10,
        warn_transactions: 2,
        failure_pause: Duration::hours(6),
    }
}

fn stake(trx: i64) -> StakeWish {
    StakeWish::Stake(StakeResource::Energy, Amount::from_minor(trx * TRX).unwrap())
}

fn unstake(resource: StakeResource, trx: i64) -> StakeWish {
    StakeWish::Unstake(resource, Amount::from_minor(trx * TRX).unwrap())
}

fn instruction(dry_run: bool) -> Instruction {
    Instruction {
        actor: "operator:anna".into(),
        name: "anna".into(),
        reason: Some("more energy".into()),
        mark: None,
        dry_run,
    }
}

/// What the chain says of a wallet that has all that it began with.
fn facts() -> StakeFacts {
    StakeFacts {
        balance_sun: COIN,
        energy_sun: COIN,
        bandwidth_sun: COIN / 2,
        lent_sun: 0,
        ready_sun: 0,
        waiting_sun: 0,
        waiting: 0,
    }
}

impl World {
    /// A wallet with coin and stake, as of block 1000.
    async fn rich_wallet(&self, n: u8) -> WalletId {
        let id = self.wallet(n, COIN).await;
        self.db
            .sql(&format!(
                "UPDATE supplier_wallets SET balance_sun = {COIN}, staked_bandwidth_sun = {COIN} / 2 WHERE id = '{id}'"
            ))
            .await;
        id
    }

    async fn ask_stake(&self, wallet: WalletId, wish: StakeWish) -> Result<AskedToStake, DomainError> {
        let by = (&instruction(false), &rules());
        request_staking(&self.api, &self.ids, by, (wallet, wish), self.now()).await
    }

    /// Asks for it, which is allowed.
    async fn stake_asked(&self, wallet: WalletId, wish: StakeWish) -> StakingId {
        StakingId(self.ask_stake(wallet, wish).await.unwrap().staking.unwrap().id)
    }

    async fn stake_refused(&self, wallet: WalletId, wish: StakeWish) -> String {
        let error = self.ask_stake(wallet, wish).await.unwrap_err();
        assert!(matches!(error, DomainError::StakeRefused(_)), "{error:?}");
        error.to_string()
    }

    async fn staking(&self, id: StakingId) -> Staking {
        detail(&self.worker, id).await.unwrap().staking
    }

    async fn staking_state(&self, id: StakingId) -> StakingState {
        self.staking(id).await.state
    }

    async fn staking_events(&self, id: StakingId) -> Vec<String> {
        let events = detail(&self.worker, id).await.unwrap().events;
        events.into_iter().map(|event| event.event).collect()
    }

    /// Claims a staking, signs and stores: what a worker does before it sends. `Err` says why not.
    async fn sign_stake(&self, id: StakingId, facts: &StakeFacts) -> Result<Tx, &'static str> {
        let (tx, now) = (ChainTransactionId::new(&self.ids), self.now());
        let rules = rules();
        let to = ToStake {
            staking: id,
            facts,
            as_of_block: self.cursor().await.head_number,
            rules: &rules,
        };
        let signed = run_tx(&self.worker, "test_stake", async |conn| {
            let claimed = match claim_stake_in_tx(conn, &self.ids, &to, now).await? {
                StakeClaim::NothingToDo => return Ok(Err("nothing to do")),
                StakeClaim::Wait(code) | StakeClaim::Failed(code) => return Ok(Err(code)),
                StakeClaim::Claimed(claimed) => claimed,
            };
            let (txid, signed) = sign(tx, claimed.timestamp_ms, claimed.cursor.head_time);
            let new = SignedStake {
                claimed: &claimed,
                id: tx,
                signed: &signed,
            };
            stake_signed_in_tx(conn, &new, (now, now + RESEND.after)).await?;
            Ok::<_, DomainError>(Ok(Tx {
                id: tx,
                txid,
                delegation: DelegationId(claimed.staking.id),
                wallet: WalletId(claimed.wallet.id),
                amount_sun: 0, // no delegation
                expires_at: signed.expires_at,
            }))
        });
        signed.await.unwrap()
    }
}
