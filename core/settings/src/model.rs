//! The sections and keys. `config/default.toml` says what each means; `validate` says which values may be used.
#![expect(missing_docs, reason = "config/default.toml documents the keys, once")]

use std::collections::BTreeMap;
use std::net::SocketAddr;

use kernel::{AddressRange, Amount, NoAddressRange};
use serde::{Deserialize, Serialize};

use crate::layers::{self, value_error};
use crate::{Approvals, Events, Network, Rates, Secret, SecretUrl, SettingsError, Source, Tls, UsdtDeposits};

/// The whole configuration.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The environment's name, from `SWITCHYARD_ENV`.
    #[serde(skip_deserializing)]
    pub environment: String,
    pub database: Database,
    pub redis: Redis,
    pub api: Api,
    pub operators: Operators,
    pub approvals: Approvals,
    pub worker: Worker,
    pub orders: Orders,
    pub payouts: Payouts,
    pub pool: Pool,
    pub deposits: Deposits,
    pub rates: Rates,
    pub networks: BTreeMap<String, Network>,
    pub vault: Vault,
    pub jobs: Jobs,
    pub schedules: BTreeMap<String, Schedule>,
    pub webhooks: Webhooks,
    pub events: Events,
    pub telemetry: Telemetry,
    pub limits: Limits,
}

impl Settings {
    /// Reads what this process was started with. Call `validate` before using it.
    ///
    /// # Errors
    /// The first file, variable or key that cannot be read, by name.
    pub fn load() -> Result<Self, SettingsError> {
        Self::load_from(&Source::process())
    }

    /// Reads `source`.
    ///
    /// # Errors
    /// The first file, variable or key that cannot be read, by name.
    pub fn load_from(source: &Source) -> Result<Self, SettingsError> {
        let table = toml::Value::Table(layers::read(source)?);
        let mut settings: Self = serde_path_to_error::deserialize(table).map_err(|error| {
            let path = error.path().to_string();
            value_error(&path, error.inner().message())
        })?;
        settings.environment.clone_from(&source.environment);
        Ok(settings)
    }

    /// Whether this is a developer's own machine or a test; anything else is held to production's rules.
    #[must_use]
    pub fn is_development(&self) -> bool {
        matches!(self.environment.as_str(), "dev" | "test")
    }

    /// Everything that is in effect as TOML, with secrets masked.
    ///
    /// # Errors
    /// When TOML cannot hold a value; no value of ours is like that.
    pub fn redacted(&self) -> Result<String, SettingsError> {
        toml::to_string(self).map_err(|error| value_error("settings", &error.to_string()))
    }
}

/// `[database]`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    #[serde(default)]
    pub url: SecretUrl,
    pub max_connections: usize,
    pub connect_timeout_ms: u64,
    pub acquire_timeout_ms: u64,
    pub statement_timeout_ms: u64,
}

/// `[redis]`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Redis {
    #[serde(default)]
    pub url: SecretUrl,
    pub response_timeout_ms: u64,
    pub connect_timeout_ms: u64,
}

/// `[api]`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Api {
    pub listen: SocketAddr,
    pub ops_listen: SocketAddr,
    pub trusted_proxies: Vec<String>,
    pub ip_requests_per_minute: u32,
    pub allowed_origins: Vec<String>,
    pub hsts_max_age_s: u32,
    pub request_timeout_ms: u64,
    pub max_body_bytes: usize,
    pub max_concurrent_requests: usize,
    pub drain_timeout_ms: u64,
    pub tls: Tls,
}

impl Api {
    /// Our reverse proxies.
    ///
    /// # Errors
    /// One is no address and no range; a validated configuration has none such.
    pub fn trusted_ranges(&self) -> Result<Vec<AddressRange>, NoAddressRange> {
        self.trusted_proxies.iter().map(|range| range.parse()).collect()
    }
}

/// `[worker]`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Worker {
    pub ops_listen: SocketAddr,
    pub queues: Vec<String>,
    pub drain_timeout_ms: u64,
    pub audit_heads_file: String,
    pub concurrency: BTreeMap<String, usize>,
}

/// `[orders]`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Orders {
    pub network: String,
    pub energy_min: i64,
    pub energy_max: i64,
    pub duration_min_s: i64,
    pub duration_max_s: i64,
    pub deadline_s: i64,
    pub quote_s: i64,
    pub quote_stock_energy: i64,
    pub max_attempts: u32,
    pub max_parts: u32,
    pub part_energy_min: i64,
    pub standing_interval_s: i64,
    pub standing_lead_s: i64,
    pub stake_margin_bps: u32,
    pub receiver_check_ttl_s: u64,
    pub retry_base_ms: u64,
    pub retry_max_ms: u64,
}

/// `[payouts]`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Payouts {
    pub network: String,
    pub list_required: bool,
    pub max_attempts: u32,
    pub retry_ms: u64,
    pub approval_expire_s: i64,
    pub fee_reserve: Amount,
    pub token_fee_limit: Amount,
    pub trx: PayoutLimits,
    pub usdt: PayoutLimits,
}

/// `[payouts.trx]` and `[payouts.usdt]`.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PayoutLimits {
    pub minimum: Amount,
    pub user_day: Amount,
    pub system_hour: Amount,
    pub approval_above: Amount,
}

/// `[pool]`: the supplier wallets.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pool {
    pub isolate_after_failures: u32,
    pub failure_window_s: i64,
    pub probation_after_s: i64,
    pub sync_interval_s: u64,
    pub sync_margin_blocks: u32,
    pub low_stock_energy: i64,
    pub low_trx: Amount,
    pub min_bandwidth: i64,
    pub snapshot_keep_days: u32,
    pub stake: Stake,
}

/// `[pool.stake]`: coin of supplier wallets is staked.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stake {
    pub enabled: bool,
    pub reserve: Amount,
    pub liquid_bps: u32,
    pub least: Amount,
    pub bandwidth_transactions_per_day: i64,
    pub warn_transactions: i64,
    pub wallet_day: Amount,
    pub all_day: Amount,
    pub max_attempts: u32,
    pub retry_ms: u64,
    pub failure_pause_s: i64,
}

/// `[deposits]`: what customers pay in on chain.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deposits {
    pub network: String,
    pub ways: Vec<String>,
    pub account_xpub: String,
    pub shared_address: String,
    pub expiry_s: i64,
    pub amount_quarantine_s: i64,
    pub dust_trx_sun: i64,
    pub dust_usdt_micro: i64,
    pub approval_above_trx: Amount,
    pub approval_above_usdt: Amount,
    pub blocked_senders: Vec<String>,
    pub reserve_addresses: Vec<String>,
    pub usdt: UsdtDeposits,
    pub sweep: Sweep,
    pub rental: Rental,
}

/// `[deposits.rental]`: energy is bought by sending coin to a published address.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rental {
    pub address: String,
    pub house_user: i64,
    pub house_api_key: String,
    pub return_from: Amount,
    pub packages: Vec<Package>,
}

impl Rental {
    /// Whether energy is sold that way.
    #[must_use]
    pub const fn is_on(&self) -> bool {
        !self.address.is_empty()
    }
}

/// `[[deposits.rental.packages]]`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Package {
    pub price: Amount,
    pub energy: i64,
    pub duration_s: i64,
}

/// `[deposits.sweep]`: what lies at customers' addresses is collected.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sweep {
    pub enabled: bool,
    pub to_address: String,
    pub trx_threshold: Amount,
    pub trx_reserve: Amount,
    pub burn_bandwidth: bool,
    pub usdt: bool,
    pub usdt_threshold: Amount,
    pub activation: Amount,
    pub house_user: i64,
    pub house_api_key: String,
    pub energy_margin_bps: u32,
    pub energy_failures_alarm: u32,
    pub max_open: u32,
    pub retry_ms: u64,
    pub retry_max_ms: u64,
}

/// `[operators]`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Operators {
    pub keys: Option<Secret>,
    pub access_ttl_s: i64,
    pub session_ttl_s: i64,
    pub session_idle_s: i64,
    pub requests_per_minute: u32,
    pub ip_sign_ins_per_minute: u32,
}

impl Operators {
    /// What operators sign in with; `None`, or an empty text: nobody does.
    #[must_use]
    pub fn keys(&self) -> Option<&Secret> {
        self.keys.as_ref().filter(|keys| !keys.expose().is_empty())
    }
}

/// `[vault]`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vault {
    pub import_public_key: String,
    pub import_private_key: Option<Secret>,
    pub master_key: Option<Secret>,
    pub passphrase: Option<Secret>,
    pub previous_master_key: Option<Secret>,
    pub previous_passphrase: Option<Secret>,
    pub master_key_id: i32,
    pub key_cache_ttl_s: u64,
    pub key_cache_size: usize,
}

/// `[jobs]`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Jobs {
    pub dispatch_interval_ms: u64,
    pub push_batch: usize,
    pub max_redis_depth: usize,
    pub redis_namespace: String,
}

/// `[schedules.<name>]`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    pub cron: String,
    pub missed: Missed,
    pub enabled: bool,
}

/// What is done about ticks that passed while no worker ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Missed {
    /// Nothing.
    Skip,
    /// The last one is run late.
    CatchUp,
}

/// `[webhooks]`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhooks {
    pub allow_private_networks: bool,
    pub timeout_ms: u64,
    pub in_flight_per_endpoint: usize,
    pub messages_per_run: u32,
    pub look_interval_ms: u64,
    pub keep_days: u32,
}

/// `[telemetry]`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Telemetry {
    pub log_format: LogFormat,
    pub log_filter: String,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line, for machines.
    Json,
}

/// `[limits]`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    pub page_size_max: u32,
    pub orders_per_minute_per_key: u32,
    pub idempotency_retention_days: u32,
}
