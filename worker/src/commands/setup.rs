//! The parts of a worker out of its settings.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use chrono::{DateTime, Utc};
use db::{Pool, PoolConfig, SharedClock, build_pool};
use domain::delegations::DeathPolicy;
use domain::payouts::TreasuryRules;
use domain::runtime_settings::{Live, in_force};
use jobs::{Wake, WakeConfig, WakeQueue};
use kernel::{Clock, RandomIds, SteadyClock, SystemClock};
use keyring::{KeyCache, MasterKeySource};
use settings::{Role, RuntimeSettings, Secret, Settings};
use webhook::{CallPolicy, TargetPolicy, WebhookClient};
use zeroize::Zeroizing;

use crate::environment::{Environment, WorkPolicy};
use crate::keys::{ConfiguredMaster, Keys, unlock_master};
use crate::nodes;
use crate::rates::RatesEnvironment;
use crate::{rules, stakes};

/// The pool.
pub(super) fn pool(settings: &Settings) -> anyhow::Result<Pool> {
    let database = &settings.database;
    Ok(build_pool(&PoolConfig {
        url: database.url.expose().to_owned(),
        max_connections: database.max_connections,
        connect_timeout: Duration::from_millis(database.connect_timeout_ms),
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

/// The time that all processes share, asked for once: for what a command dates and the workers go by.
pub(super) async fn now(pool: &Pool) -> anyhow::Result<DateTime<Utc>> {
    #[cfg(debug_assertions)]
    if let Some(clock) = crate::test_clock::from_environment() {
        return Ok(clock.now());
    }
    let clock = SharedClock::new(Arc::new(SteadyClock::new()));
    clock.ask(pool).await.context("PostgreSQL does not tell the time")?;
    Ok(clock.now())
}

/// Pushes before the command ends: what would go in the background ends with it.
pub(super) async fn push(settings: &Settings, due: &[Wake]) -> anyhow::Result<()> {
    if !due.is_empty() {
        wakes(settings)?.push_now(due).await;
    }
    Ok(())
}

/// The time that all processes share; in debug builds a test may set it.
pub(super) async fn shared_clock(pool: &Pool) -> anyhow::Result<Arc<dyn Clock>> {
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
        rules: Arc::new(Live::new(rules::of(settings)?)),
        webhooks: webhook_client(settings)?,
        rates: RatesEnvironment::new(settings)?,
        pool,
        clock,
        keys,
    }))
}

/// The configuration with the newest version's values over it.
pub(super) async fn merged(settings: &Settings) -> anyhow::Result<Settings> {
    let now = in_force(&pool(settings)?).await?;
    let merged = RuntimeSettings::read(&now.values).and_then(|read| read.in_force(settings, Role::Worker));
    merged.with_context(|| {
        let version = now.version;
        format!("version {version} of the settings does not hold here; change it with `switchyard-worker settings set`")
    })
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
        payout_retry: milliseconds(payouts.retry_ms)?,
        payout_approval: chrono::Duration::seconds(payouts.approval_expire_s),
        stake: stakes::policy(settings),
        stake_retry: milliseconds(pool.stake.retry_ms)?,
        standing_interval: chrono::Duration::seconds(orders.standing_interval_s),
        standing_lead: chrono::Duration::seconds(orders.standing_lead_s),
        part_energy_min: orders.part_energy_min,
        receiver_ttl: chrono::Duration::seconds(i64::try_from(orders.receiver_check_ttl_s)?),
        retry_base: milliseconds(orders.retry_base_ms)?,
        retry_max: milliseconds(orders.retry_max_ms)?,
        sync_margin_blocks: i64::from(pool.sync_margin_blocks),
        sync_spread: chrono::Duration::seconds(i64::try_from(pool.sync_interval_s)? / 2),
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
