//! `deposits.sweep`: collects what lies at a deposit address, one step at a time: reads the chain, decides, and takes the step
//! under the sweep's lock. Whatever it waits for, it comes back.

use std::sync::Arc;

use ::jobs::{RunningJob, complete_in_tx};
use async_trait::async_trait;
use chain::{Receiver, TronAddress};
use chrono::Duration;
use db::models::{IntentKind, SupplierWallet, SweepState};
use db::{Conn, run_tx};
use domain::deposits::solid_number;
use domain::sweeps::{
    Activation, EnergyStanding, Holding, SignedSweep, SweepClaim, SweepClaimed, SweepStep, SweepWork, ToCollect,
    TokenFacts, cancel, claim_activation_in_tx, claim_sweep_in_tx, decide_coin, decide_token, destination,
    left_of_coin, rent, sweep_signed_in_tx, to_sweep, unrent, wait,
};
use domain::transactions::Signed;
use kernel::{Asset, ChainTransactionId, ErrorClass, SweepId};

use super::object;
use crate::environment::{Environment, NetworkEnvironment};
use crate::error::{WorkError, outcome};
use crate::queue::{Handler, Outcome};
use crate::sender::Sender;
use crate::signer::{ToSign, TokenCall, sign_transfer, wallet_address};

/// What energy must last beyond the life of the transaction that uses it: blocks are not on time.
const SLACK: Duration = Duration::seconds(15);

/// The handler.
pub(crate) struct SweepDeposits(pub(crate) Arc<Environment>, pub(crate) Arc<Sender>);

#[async_trait]
impl Handler for SweepDeposits {
    async fn run(&self, job: &RunningJob) -> Outcome {
        outcome(self.sweep(job).await)
    }
}

/// What one read of the chain leads to.
enum Next {
    /// There is not enough: so much is there.
    Cancel(i64),
    /// It waits, for this reason.
    Wait(&'static str),
    /// The address must exist first.
    Activate,
    /// So much energy is to be ordered.
    Rent(i64),
    /// So much goes there, and so much stays for certain; a call may burn so many sun.
    Send(Box<SupplierWallet>, (i64, i64), i64),
}

/// A read of the chain: its head just before, and what follows.
struct Read {
    as_of_block: i64,
    next: Next,
}

/// What the claim's transaction left to do after its commit.
enum Claimed {
    Nothing,
    Wait(&'static str),
    Send(ChainTransactionId, Signed),
}

impl SweepDeposits {
    async fn sweep(&self, job: &RunningJob) -> Result<Outcome, WorkError> {
        let (env, rules) = (&self.0, self.0.rules());
        let policy = &rules.sweep;
        let id = SweepId(object(job)?);
        let network = env.network(&policy.network)?;
        let life = network.expiry + SLACK;
        let Some(work) = to_sweep(&env.pool, policy, id, life).await? else {
            return Ok(Outcome::Done);
        };
        if work.sweep.network != policy.network {
            return Err(WorkError::Broken(format!("sweep {id} is of another network")));
        }
        if let Some(code) = work.stopped {
            return self.wait(&work, code).await;
        }
        match work.energy {
            Some(EnergyStanding::Ordered) => return self.wait(&work, "energy_ordered").await,
            Some(standing @ (EnergyStanding::Failed | EnergyStanding::Over)) => {
                let now = env.clock.now();
                let failures = unrent(&env.pool, env.ids.as_ref(), policy, (id, standing), now).await?;
                return Ok(again(now + policy.pause(failures), "energy_gone"));
            }
            Some(EnergyStanding::Ready { .. }) | None => {}
        }
        let read = match work.asset {
            Asset::Trx => self.read_coin(&work, network).await?,
            Asset::Usdt => self.read_token(&work, network).await?,
        };
        self.step(job, &work, network, read).await
    }

    /// Takes the step.
    async fn step(
        &self,
        job: &RunningJob,
        work: &SweepWork,
        network: &NetworkEnvironment,
        read: Read,
    ) -> Result<Outcome, WorkError> {
        let env = &self.0;
        let (id, now) = (SweepId(work.sweep.id), env.clock.now());
        let read_block = (read.as_of_block - env.policy.sync_margin_blocks).max(0);
        let claimed = match read.next {
            Next::Wait(code) => return self.wait(work, code).await,
            Next::Cancel(_) if work.sweep.state == SweepState::Renting => {
                // a node that is behind what is final shows less than there is, and energy is not paid for twice
                if read.as_of_block < solid_number(&env.pool, &work.sweep.network).await? {
                    return Ok(again(now + env.rules().sweep.pause(0), "node_behind"));
                }
                // its energy was for nothing; the next look ends it
                let (rules, over) = (env.rules(), (id, EnergyStanding::Over));
                unrent(&env.pool, env.ids.as_ref(), &rules.sweep, over, now).await?;
                return Ok(again(now, "nothing_there"));
            }
            Next::Cancel(held) => {
                let blocks = (read.as_of_block, read_block);
                let over = cancel(&env.pool, id, blocks, held, now).await?;
                return Ok(if over {
                    Outcome::Done
                } else {
                    again(now + env.rules().sweep.pause(0), "node_behind")
                });
            }
            Next::Rent(energy) => return self.rent(work, energy).await,
            Next::Activate => self.activate(job, work, network).await?,
            Next::Send(to, (amount, left), fee_limit_sun) => {
                let collect = ToCollect {
                    seen: &work.sweep,
                    amount,
                    left,
                    to: &to,
                    fee_limit_sun,
                    as_of_block: read.as_of_block,
                    read_block,
                    energy_until: match work.energy {
                        Some(EnergyStanding::Ready { ends_at }) => Some(ends_at),
                        _ => None,
                    },
                    life: network.expiry + SLACK,
                };
                self.collect(job, &collect, network).await?
            }
        };
        match claimed {
            Claimed::Nothing => Ok(Outcome::Done),
            Claimed::Wait(code) => Ok(again(now + env.rules().sweep.pause(0), code)),
            Claimed::Send(id, signed) => {
                self.1.send_first(network, id, &signed.raw).await?;
                Ok(Outcome::Completed)
            }
        }
    }

    async fn read_coin(&self, work: &SweepWork, network: &NetworkEnvironment) -> Result<Read, WorkError> {
        let snapshot = network.chain.wallet_snapshot(wallet_address(&work.wallet)?).await?;
        let holding = Holding {
            minor: snapshot.balance_sun,
            bandwidth: snapshot.bandwidth_available(),
        };
        let next = match decide_coin(holding, &self.0.rules().sweep.rules) {
            SweepStep::Cancel(_) => Next::Cancel(holding.minor),
            SweepStep::Wait(code) => Next::Wait(code),
            SweepStep::Rent { energy } => Next::Rent(energy),
            SweepStep::Send { amount, .. } => match self.to(work.asset).await? {
                None => Next::Wait("no_treasury_receives"),
                Some((to, _)) => Next::Send(Box::new(to), (amount, left_of_coin(holding, amount)), 0),
            },
        };
        let as_of_block = snapshot.as_of_block;
        Ok(Read { as_of_block, next })
    }

    async fn read_token(&self, work: &SweepWork, network: &NetworkEnvironment) -> Result<Read, WorkError> {
        let all = self.0.rules();
        let rules = &all.sweep.rules;
        let from = wallet_address(&work.wallet)?;
        let contract = network
            .usdt
            .ok_or_else(|| WorkError::Broken("no contract of USDT is configured".into()))?;
        let snapshot = network.chain.wallet_snapshot(from).await?;
        let held = network.chain.token_balance(contract, from).await?;
        // two endpoints may have answered, and what is read is as old as the older one
        let as_of_block = snapshot.as_of_block.min(held.as_of_block);
        let holding = Holding {
            minor: i64::try_from(held.minor).unwrap_or(i64::MAX),
            bandwidth: snapshot.bandwidth_available(),
        };
        if holding.minor < rules.usdt_threshold_micro.max(1) {
            let next = Next::Cancel(holding.minor);
            return Ok(Read { as_of_block, next });
        }
        if network.chain.receiver(from).await? == Receiver::NotActivated {
            let next = Next::Activate;
            return Ok(Read { as_of_block, next });
        }
        let Some((to, address)) = self.to(work.asset).await? else {
            let next = Next::Wait("no_treasury_receives");
            return Ok(Read { as_of_block, next });
        };
        let minor = u128::try_from(holding.minor).unwrap_or_default();
        let cost = network.chain.transfer_cost(contract, (from, address), minor).await?;
        let facts = TokenFacts {
            energy_available: snapshot.energy_available(),
            energy_needed: cost.energy,
            energy_price_sun: cost.energy_price_sun,
            rented: work.energy.is_some(),
        };
        let next = match decide_token(holding, &facts, rules) {
            SweepStep::Cancel(_) => Next::Cancel(holding.minor),
            SweepStep::Wait(code) => Next::Wait(code),
            SweepStep::Rent { energy } => Next::Rent(energy),
            SweepStep::Send { amount, fee_limit_sun } => Next::Send(Box::new(to), (amount, 0), fee_limit_sun),
        };
        Ok(Read { as_of_block, next })
    }

    /// The treasury wallet that what is collected goes to.
    async fn to(&self, asset: Asset) -> Result<Option<(SupplierWallet, TronAddress)>, WorkError> {
        let env = &self.0;
        let found = destination(&env.pool, &env.rules().sweep, asset).await?;
        let with_address = |wallet: SupplierWallet| {
            let address = wallet_address(&wallet)?;
            Ok((wallet, address))
        };
        found.map(with_address).transpose()
    }

    /// Orders energy. What stands against the order is no failure of the job: a price or a pool may come.
    async fn rent(&self, work: &SweepWork, energy: i64) -> Result<Outcome, WorkError> {
        let env = &self.0;
        let rules = env.rules();
        let policy = &rules.sweep;
        let Some(house) = policy.house else {
            return self.wait(work, "nobody_orders_energy").await;
        };
        let (id, now) = (SweepId(work.sweep.id), env.clock.now());
        match rent(&env.pool, env.ids.as_ref(), (policy, house), (id, energy), now).await {
            Ok(wakes) => {
                env.push(wakes);
                Ok(again(now + policy.pause(0), "energy_ordered"))
            }
            Err(error) if !matches!(error.class(), ErrorClass::Bug | ErrorClass::NotFound) => {
                tracing::warn!(sweep = %id, error = &error as &dyn std::error::Error, "energy cannot be ordered");
                self.wait(work, error.code()).await
            }
            Err(error) => Err(error.into()),
        }
    }

    /// A treasury wallet sends coin, so that the address exists.
    async fn activate(
        &self,
        job: &RunningJob,
        work: &SweepWork,
        network: &NetworkEnvironment,
    ) -> Result<Claimed, WorkError> {
        let env = &self.0;
        let (id, now) = (SweepId(work.sweep.id), env.clock.now());
        let activation = Activation {
            sun: env.rules().sweep.activation_sun,
            fee_reserve_sun: env.policy.treasury.fee_reserve_sun,
        };
        let tx = ChainTransactionId::new(env.ids.as_ref());
        run_tx(&env.pool, "claim_activation", async |conn| {
            let claim = claim_activation_in_tx(conn, id, activation, now).await?;
            self.sign_in_tx(conn, job, (claim, tx), network).await
        })
        .await
    }

    async fn collect(
        &self,
        job: &RunningJob,
        collect: &ToCollect<'_>,
        network: &NetworkEnvironment,
    ) -> Result<Claimed, WorkError> {
        let env = &self.0;
        let now = env.clock.now();
        let tx = ChainTransactionId::new(env.ids.as_ref());
        run_tx(&env.pool, "claim_sweep", async |conn| {
            let claim = claim_sweep_in_tx(conn, collect, now).await?;
            self.sign_in_tx(conn, job, (claim, tx), network).await
        })
        .await
    }

    /// Sign, store, and the job is done, in the claim's transaction.
    async fn sign_in_tx(
        &self,
        conn: &mut Conn,
        job: &RunningJob,
        (claim, id): (SweepClaim, ChainTransactionId),
        network: &NetworkEnvironment,
    ) -> Result<Claimed, WorkError> {
        let env = &self.0;
        let now = env.clock.now();
        let claimed = match claim {
            SweepClaim::NothingToDo => return Ok(Claimed::Nothing),
            SweepClaim::Wait(code) => return Ok(Claimed::Wait(code)),
            SweepClaim::Claimed(claimed) => claimed,
        };
        let wallet = &claimed.wallet;
        let key = if claimed.kind == IntentKind::Activate {
            env.keys.signing(conn, wallet).await?
        } else {
            env.keys.signing_deposit(conn, wallet).await?
        };
        let to_sign = ToSign {
            wallet,
            receiver: &claimed.to,
            amount_sun: claimed.amount,
            timestamp_ms: claimed.timestamp_ms,
            cursor: &claimed.cursor,
            expiry: network.expiry,
        };
        let signed = sign_transfer(&to_sign, token(&claimed, network)?, &key)?;
        let new = SignedSweep {
            claimed: &claimed,
            id,
            signed: &signed,
        };
        sweep_signed_in_tx(conn, &new, (now, now + network.resend.after)).await?;
        complete_in_tx(conn, job).await?;
        Ok(Claimed::Send(id, signed))
    }

    /// Notes why it waits, and comes back: soon, or late where only time helps.
    async fn wait(&self, work: &SweepWork, code: &'static str) -> Result<Outcome, WorkError> {
        let env = &self.0;
        let now = env.clock.now();
        if work.sweep.reason_code.as_deref() != Some(code) {
            wait(&env.pool, SweepId(work.sweep.id), code, now).await?;
        }
        let (soon, late) = env.rules().sweep.retry;
        let pause = if matches!(code, "bandwidth_short" | "sweeps_disabled" | "sweeps_stopped") {
            late
        } else {
            soon
        };
        Ok(again(now + pause, code))
    }
}

const fn again(at: chrono::DateTime<chrono::Utc>, code: &'static str) -> Outcome {
    Outcome::Again { at, code }
}

/// The contract to call; `None` for the coin itself.
fn token(claimed: &SweepClaimed, network: &NetworkEnvironment) -> Result<Option<TokenCall>, WorkError> {
    if claimed.kind == IntentKind::Activate || claimed.sweep.asset == Asset::Trx.code() {
        return Ok(None);
    }
    let contract = network
        .usdt
        .ok_or_else(|| WorkError::Broken("no contract of USDT is configured".into()))?;
    Ok(Some(TokenCall {
        contract,
        fee_limit_sun: claimed.fee_limit_sun,
    }))
}
