//! What every job is handed.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use chain::{ChainClient, TronAddress};
use chrono::Duration;
use db::Pool;
use domain::delegations::DeathPolicy;
use domain::deposits::CreditPolicy;
use domain::payouts::TreasuryRules;
use domain::pool::StockLimits;
use domain::rates::RatePolicy;
use domain::runtime_settings::Live;
use domain::stakings::StakePolicy;
use domain::sweeps::SweepPolicy;
use domain::transactions::ResendPolicy;
use jobs::{Wake, WakeQueue};
use kernel::{Clock, IdGen};
use webhook::WebhookClient;

use crate::error::WorkError;
use crate::keys::Keys;
use crate::rates::RatesEnvironment;

/// The world of a worker. Cheap to clone by `Arc`.
pub struct Environment {
    /// PostgreSQL, with a worker's rights.
    pub pool: Pool,
    /// Redis.
    pub wakes: WakeQueue,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Fresh ids.
    pub ids: Arc<dyn IdGen>,
    /// The networks that this worker knows.
    pub networks: BTreeMap<String, NetworkEnvironment>,
    /// Keys of supplier wallets, and what opens webhook secrets.
    pub keys: Keys,
    /// Sends messages to endpoints.
    pub webhooks: WebhookClient,
    /// Whom to ask what TRX a USDT is worth.
    pub rates: RatesEnvironment,
    /// How work is done.
    pub policy: WorkPolicy,
    /// What of it operators change while the worker runs.
    pub rules: Arc<Live<WorkRules>>,
}

/// One network.
pub struct NetworkEnvironment {
    /// Its nodes.
    pub chain: Arc<dyn ChainClient>,
    /// The contract of USDT, where one is configured.
    pub usdt: Option<TronAddress>,
    /// Addresses that the house keeps customers' money at, beside those that it knows.
    pub reserves: Vec<TronAddress>,
    /// Life of a signed transaction from the head block's time.
    pub expiry: Duration,
    /// When unseen transactions are sent again.
    pub resend: ResendPolicy,
}

/// How work is done, from the settings.
#[derive(Debug, Clone)]
pub struct WorkPolicy {
    /// How much failure is borne.
    pub death: DeathPolicy,
    /// What treasury wallets keep for fees.
    pub treasury: TreasuryRules,
    /// Pause before a payout that waits is looked at again.
    pub payout_retry: Duration,
    /// What waits for approval so long is given back.
    pub payout_approval: Duration,
    /// How supplier wallets are staked.
    pub stake: StakePolicy,
    /// Pause before a staking that waits is looked at again.
    pub stake_retry: Duration,
    /// How often an address that is kept is looked at.
    pub standing_interval: Duration,
    /// What ends within this time counts as gone there.
    pub standing_lead: Duration,
    /// The least energy that one wallet gives of an order that several share.
    pub part_energy_min: i64,
    /// How long a receiver's good verdict is believed.
    pub receiver_ttl: Duration,
    /// First and longest pause while no wallet fits.
    pub retry_base: Duration,
    /// See `retry_base`.
    pub retry_max: Duration,
    /// Blocks behind the head that a wallet's read is surely as new as.
    pub sync_margin_blocks: i64,
    /// Syncs of all wallets are spread over this.
    pub sync_spread: Duration,
    /// How long the figures of each read of a wallet are kept.
    pub snapshot_retention: Duration,
    /// How long idempotency keys are kept.
    pub idempotency_retention: Duration,
    /// Blocks kept per network.
    pub keep_blocks: i64,
    /// Messages to one endpoint that are on their way at a time.
    pub webhooks_in_flight: usize,
    /// Messages that one run sends.
    pub messages_per_run: u32,
    /// How long messages that ended are kept.
    pub webhook_retention: Duration,
    /// How long it can be read what happened.
    pub event_retention: Duration,
    /// Where heads of the audit trail are kept.
    pub heads_file: Option<PathBuf>,
}

/// How work is done, as far as operators change it while the worker runs. It is replaced as a whole: who needs two values of one
/// version reads it once.
#[derive(Debug, Clone)]
pub struct WorkRules {
    /// What is not delivered this long after an order was placed is given back.
    pub order_deadline: Duration,
    /// How deposit addresses are collected.
    pub sweep: SweepPolicy,
    /// Stake on top, in 1/100 %.
    pub stake_margin_bps: u32,
    /// Wallets that may share an order.
    pub max_parts: usize,
    /// Bandwidth that a wallet must have left to be chosen.
    pub min_bandwidth: i64,
    /// Below what there is an alert.
    pub stock: StockLimits,
    /// What is believed of the sources of the rate.
    pub rates: RatePolicy,
    /// By network: what is money there, and from whom.
    pub credit: BTreeMap<String, CreditPolicy>,
}

impl Environment {
    /// What operators change while the worker runs, as it is now.
    pub(crate) fn rules(&self) -> Arc<WorkRules> {
        self.rules.get()
    }

    /// The network that a row names.
    pub(crate) fn network(&self, name: &str) -> Result<&NetworkEnvironment, WorkError> {
        self.networks
            .get(name)
            .ok_or_else(|| WorkError::Broken(format!("network {name:?} is not configured")))
    }

    /// Pushes what a commit made due. Best effort: what is lost, the dispatcher finds.
    pub(crate) fn push(&self, wakes: Vec<Wake>) {
        self.wakes.push(wakes);
    }
}
