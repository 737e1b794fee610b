//! The parts of a worker out of its settings.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use db::{Pool, PoolConfig, SharedClock, build_pool};
use domain::delegations::DeathPolicy;
use domain::orders::OrderPolicy;
use domain::payouts::TreasuryRules;
use domain::pool::StockLimits;
use domain::sweeps::{House, SweepPolicy, SweepRules};
use jobs::{WakeConfig, WakeQueue};
use kernel::{Asset, Clock, RandomIds, SteadyClock, SystemClock, UserId};
use keyring::{KeyCache, MasterKeySource};
use settings::{Secret, Settings};
use webhook::{CallPolicy, TargetPolicy, WebhookClient};
use zeroize::Zeroizing;

use crate::environment::{Environment, WorkPolicy};
use crate::keys::{ConfiguredMaster, Keys, unlock_master};
use crate::nodes;
use crate::rates::RatesEnvironment;
use crate::stakes;

/// The pool.
pub(super) fn pool(settings: &Settings) -> anyhow::Result<Pool> {
    let database = &settings.database;
    Ok(build_pool(&PoolConfig {
        url: database.url.expose().to_owned(),
        max_connections: database.max_connections,
        acquire_timeout: Duration::from_millis(database.acquire_timeout_ms),
        statement_timeout: Duration::from_millis(database.statement_timeout_ms),
    })?)
}

/// The machine's clock; in debug builds a test may set it.
pub(super) fn clock() -> Arc<dyn Clock> {
    #[cfg(debug_assertions)]
    if let Some(clock) = crate::test_clock::from_environment() {
        return clock;
    }
    Arc::new(SystemClock)
}

/// The time that all processes share; in debug builds a test may set it.
async fn shared_clock(pool: &Pool) -> anyhow::Result<Arc<dyn Clock>> {
    #[cfg(debug_assertions)]
    if let Some(clock) = crate::test_clock::from_environment() {
        return Ok(clock);
    }
    let clock = Arc::new(SharedClock::new(Arc::new(SteadyClock::new())));
    clock.ask(pool).await.context("PostgreSQL does not tell the time")?;
    tokio::spawn(Arc::clone(&clock).follow(pool.clone()));
    Ok(clock)
}

/// Everything that jobs need.
pub(super) async fn environment(settings: &Settings) -> anyhow::Result<Arc<Environment>> {
    let pool = pool(settings)?;
    let clock = shared_clock(&pool).await?;
    let keys = keys(settings, &pool, &clock)
        .await
        .context("the vault cannot be unlocked")?;
    Ok(Arc::new(Environment {
        networks: nodes::networks(settings, &clock)?,
        wakes: wakes(settings)?,
        ids: Arc::new(RandomIds),
        policy: policy(settings)?,
        webhooks: webhook_client(settings)?,
        rates: RatesEnvironment::new(settings)?,
        pool,
        clock,
        keys,
    }))
}

fn webhook_client(settings: &Settings) -> anyhow::Result<WebhookClient> {
    let webhooks = &settings.webhooks;
    let client = WebhookClient::new(CallPolicy {
        target: TargetPolicy {
            allow_private_networks: webhooks.allow_private_networks,
        },
        timeout: Duration::from_millis(webhooks.timeout_ms),
    });
    client.context("webhooks cannot be sent")
}

/// The way of wake-ups to the workers.
pub(super) fn wakes(settings: &Settings) -> anyhow::Result<WakeQueue> {
    let mut config = WakeConfig::new(settings.redis.url.expose(), &settings.jobs.redis_namespace);
    config.max_depth = u64::try_from(settings.jobs.max_redis_depth)?;
    config.connect_timeout = Duration::from_millis(settings.redis.connect_timeout_ms);
    config.response_timeout = Duration::from_millis(settings.redis.response_timeout_ms);
    Ok(WakeQueue::connect(config)?)
}

/// Master keys and the import key. A wrong master key stops here.
pub(super) async fn keys(settings: &Settings, pool: &Pool, clock: &Arc<dyn Clock>) -> anyhow::Result<Keys> {
    let vault = &settings.vault;
    let current = source(vault.master_key.as_ref(), vault.passphrase.as_ref());
    let current = current.context("neither vault.master_key nor vault.passphrase is given")?;
    let now = clock.now();
    let current = ConfiguredMaster {
        id: vault.master_key_id,
        source: current,
    };
    let mut masters = vec![unlock_master(pool, current, now).await?];
    if let Some(source) = source(vault.previous_master_key.as_ref(), vault.previous_passphrase.as_ref()) {
        let previous = ConfiguredMaster {
            id: vault.master_key_id - 1,
            source,
        };
        masters.push(
            unlock_master(pool, previous, now)
                .await
                .context("the previous master key")?,
        );
    }
    let import = vault
        .import_private_key
        .as_ref()
        .context("vault.import_private_key is not given")?;
    let import = import.expose().parse().context("vault.import_private_key")?;
    let life = Duration::from_secs(vault.key_cache_ttl_s);
    Ok(Keys::new(
        masters,
        import,
        KeyCache::new(vault.key_cache_size, life, Arc::clone(clock)),
    ))
}

fn source(raw: Option<&Secret>, passphrase: Option<&Secret>) -> Option<MasterKeySource> {
    let clear = |secret: &Secret| Zeroizing::new(secret.expose().to_owned());
    let raw = raw.map(|secret| MasterKeySource::Raw(clear(secret)));
    raw.or_else(|| passphrase.map(|secret| MasterKeySource::Passphrase(clear(secret))))
}

fn policy(settings: &Settings) -> anyhow::Result<WorkPolicy> {
    let milliseconds = |ms: u64| i64::try_from(ms).map(chrono::Duration::milliseconds);
    let (orders, payouts, pool) = (&settings.orders, &settings.payouts, &settings.pool);
    Ok(WorkPolicy {
        death: DeathPolicy {
            max_attempts: i32::try_from(orders.max_attempts)?,
            payout_attempts: i32::try_from(payouts.max_attempts)?,
            staking_attempts: i32::try_from(pool.stake.max_attempts)?,
            isolate_after: i32::try_from(pool.isolate_after_failures)?,
            failure_window: chrono::Duration::seconds(pool.failure_window_s),
            probation_after: chrono::Duration::seconds(pool.probation_after_s),
            retry_after: milliseconds(orders.retry_base_ms)?,
        },
        treasury: TreasuryRules {
            fee_reserve_sun: payouts.fee_reserve.minor(),
            token_fee_limit_sun: payouts.token_fee_limit.minor(),
        },
        order_deadline: chrono::Duration::seconds(orders.deadline_s),
        payout_retry: milliseconds(payouts.retry_ms)?,
        sweep: sweep_policy(settings)?,
        stake: stakes::policy(settings),
        stake_retry: milliseconds(pool.stake.retry_ms)?,
        stake_margin_bps: orders.stake_margin_bps,
        standing_interval: chrono::Duration::seconds(orders.standing_interval_s),
        standing_lead: chrono::Duration::seconds(orders.standing_lead_s),
        max_parts: usize::try_from(orders.max_parts)?,
        part_energy_min: orders.part_energy_min,
        min_bandwidth: pool.min_bandwidth,
        receiver_ttl: chrono::Duration::seconds(i64::try_from(orders.receiver_check_ttl_s)?),
        retry_base: milliseconds(orders.retry_base_ms)?,
        retry_max: milliseconds(orders.retry_max_ms)?,
        sync_margin_blocks: i64::from(pool.sync_margin_blocks),
        sync_spread: chrono::Duration::seconds(i64::try_from(pool.sync_interval_s)? / 2),
        stock: StockLimits {
            low_energy: pool.low_stock_energy,
            low_trx_sun: pool.low_trx.minor(),
        },
        snapshot_retention: chrono::Duration::days(i64::from(pool.snapshot_keep_days)),
        idempotency_retention: chrono::Duration::days(i64::from(settings.limits.idempotency_retention_days)),
        keep_blocks: i64::from(settings.networks.values().map(|n| n.keep_blocks).max().unwrap_or(2_000)),
        webhooks_in_flight: settings.webhooks.in_flight_per_endpoint,
        messages_per_run: settings.webhooks.messages_per_run,
        webhook_retention: chrono::Duration::days(i64::from(settings.webhooks.keep_days)),
        event_retention: chrono::Duration::days(i64::from(settings.events.keep_days)),
        heads_file: Some(&settings.worker.audit_heads_file)
            .filter(|file| !file.is_empty())
            .map(PathBuf::from),
    })
}

/// How deposit addresses are collected.
pub(super) fn sweep_policy(settings: &Settings) -> anyhow::Result<SweepPolicy> {
    let milliseconds = |ms: u64| i64::try_from(ms).map(chrono::Duration::milliseconds);
    let (orders, sweep) = (&settings.orders, &settings.deposits.sweep);
    let house = if sweep.usdt {
        Some(House {
            user: UserId(sweep.house_user),
            api_key: sweep.house_api_key.parse().context("deposits.sweep.house_api_key")?,
        })
    } else {
        None
    };
    let assets = if sweep.usdt {
        vec![Asset::Trx, Asset::Usdt]
    } else {
        vec![Asset::Trx]
    };
    Ok(SweepPolicy {
        enabled: sweep.enabled,
        network: settings.deposits.network.clone(),
        assets,
        rules: SweepRules {
            trx_threshold_sun: sweep.trx_threshold.minor(),
            usdt_threshold_micro: sweep.usdt_threshold.minor(),
            reserve_sun: sweep.trx_reserve.minor(),
            burn_bandwidth: sweep.burn_bandwidth,
            energy_margin_bps: sweep.energy_margin_bps,
            energy_min: orders.energy_min,
        },
        activation_sun: sweep.activation.minor(),
        to_address: (!sweep.to_address.is_empty()).then(|| sweep.to_address.clone()),
        max_open: i64::from(sweep.max_open),
        house,
        order: OrderPolicy {
            network: orders.network.clone(),
            energy_min: orders.energy_min,
            energy_max: orders.energy_max,
            duration_min_s: i32::try_from(orders.duration_min_s)?,
            duration_max_s: i32::try_from(orders.duration_max_s)?,
            deadline: chrono::Duration::seconds(orders.deadline_s),
        },
        energy_failures_alarm: i32::try_from(sweep.energy_failures_alarm)?,
        retry: (milliseconds(sweep.retry_ms)?, milliseconds(sweep.retry_max_ms)?),
    })
}
