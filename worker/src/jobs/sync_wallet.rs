//! `wallets.sync`: reads a supplier wallet from the chain; `all` asks for every wallet's.

use std::sync::Arc;

use ::jobs::RunningJob;
use async_trait::async_trait;
use chain::{TokenBalance, TronAddress, WalletSnapshot};
use db::models::{ChainCursor, SupplierWallet, WalletPurpose, WalletState};
use db::{acquire, run_tx};
use domain::stakings::watch_bandwidth_in_tx;
use domain::wallets::{apply_snapshot, find, request_sync_of_all};
use kernel::WalletId;

use super::object;
use crate::environment::{Environment, NetworkEnvironment};
use crate::error::{WorkError, outcome};
use crate::queue::{Handler, Outcome};
use crate::signer::wallet_address;
use crate::stakes::bandwidth_facts;

/// The object id that stands for every wallet.
pub(crate) const ALL: &str = "all";

/// Pause before another read while delegations are not surely shown by the last one.
const UNSEEN_PAUSE: chrono::Duration = chrono::Duration::seconds(15);

/// Pause until the watcher may have read its first block.
const UNREAD_PAUSE: chrono::Duration = chrono::Duration::seconds(2);

/// The handler.
pub(crate) struct SyncWallet(pub(crate) Arc<Environment>);

#[async_trait]
impl Handler for SyncWallet {
    async fn run(&self, job: &RunningJob) -> Outcome {
        let result = if job.object_id == ALL {
            self.ask_for_all().await
        } else {
            self.sync(job).await
        };
        outcome(result)
    }
}

impl SyncWallet {
    async fn ask_for_all(&self) -> Result<Outcome, WorkError> {
        let env = &self.0;
        let (_, wakes) = request_sync_of_all(&env.pool, env.policy.sync_spread, env.clock.now()).await?;
        env.push(wakes);
        Ok(Outcome::Done)
    }

    async fn sync(&self, job: &RunningJob) -> Result<Outcome, WorkError> {
        let env = &self.0;
        let id = WalletId(object(job)?);
        let wallet = find(&env.pool, id).await?;
        // a deposit address is read when it is collected
        if wallet.state != WalletState::Active || wallet.purpose == WalletPurpose::Deposit {
            return Ok(Outcome::Done);
        }
        let address = wallet_address(&wallet)?;
        if self.any_network_unread().await? {
            return Ok(Outcome::Again {
                at: env.clock.now() + UNREAD_PAUSE,
                code: "chain_unread",
            });
        }
        let (mut unseen_sun, mut to_confirm) = (0, false);
        for (name, network) in &env.networks {
            let mut snapshot = network.chain.wallet_snapshot(address).await?;
            let held = token_of(&wallet, address, network).await?;
            // two endpoints may have answered, and what is read is as old as the older one
            let usdt = held.map(|held| {
                snapshot.as_of_block = snapshot.as_of_block.min(held.as_of_block);
                i64::try_from(held.minor).unwrap_or(i64::MAX)
            });
            let (ids, margin) = (env.ids.as_ref(), env.policy.sync_margin_blocks);
            let read = (&snapshot, usdt);
            let left = apply_snapshot(&env.pool, ids, (id, name), read, margin, env.clock.now()).await?;
            unseen_sun += left.unseen_sun;
            to_confirm |= left.to_confirm;
            if wallet.purpose == WalletPurpose::Supply && *name == env.policy.stake.rules.network {
                self.watch_bandwidth(&wallet, &snapshot).await?;
            }
        }
        if to_confirm {
            return Ok(Outcome::Again {
                at: env.clock.now() + UNSEEN_PAUSE,
                code: "loss_unconfirmed",
            });
        }
        if unseen_sun > 0 {
            // until a read surely shows our latest delegations, they count twice against the wallet's room
            return Ok(Outcome::Again {
                at: env.clock.now() + UNSEEN_PAUSE,
                code: "delegations_unseen",
            });
        }
        Ok(Outcome::Done)
    }

    /// Warns before coin is burned for bandwidth.
    async fn watch_bandwidth(&self, wallet: &SupplierWallet, snapshot: &WalletSnapshot) -> Result<(), WorkError> {
        let env = &self.0;
        let (policy, now) = (&env.policy.stake, env.clock.now());
        let facts = bandwidth_facts(snapshot, policy);
        run_tx(&env.pool, "watch_bandwidth", async |conn| {
            watch_bandwidth_in_tx(conn, env.ids.as_ref(), (wallet, &facts), policy, now).await
        })
        .await?;
        Ok(())
    }

    /// What a read says of the energy market is kept with the network's cursor, which the first look of a watcher makes.
    async fn any_network_unread(&self) -> Result<bool, WorkError> {
        let env = &self.0;
        let mut conn = acquire(&env.pool).await?;
        for name in env.networks.keys() {
            if ChainCursor::find(&mut conn, name).await?.is_none() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// What a treasury wallet has of USDT; others are not asked, nor is a network without a contract.
async fn token_of(
    wallet: &SupplierWallet,
    address: TronAddress,
    network: &NetworkEnvironment,
) -> Result<Option<TokenBalance>, WorkError> {
    let Some(contract) = network.usdt.filter(|_| wallet.purpose == WalletPurpose::Treasury) else {
        return Ok(None);
    };
    Ok(Some(network.chain.token_balance(contract, address).await?))
}
