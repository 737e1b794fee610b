//! What every handler is handed: pool, wake-ups, clock, ids, settings, and the little state that lives in this process.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use access::{AccessKeys, KeyError};
use db::models::DepositWay;
use db::{Pool, PoolConfig, SharedClock, build_pool};
use domain::deposits::DepositPolicy;
use domain::operations::{ApprovalPolicy, RulingPolicy};
use domain::operators::Door;
use domain::orders::OrderPolicy;
use domain::payouts::{AssetLimits, PayoutPolicy};
use domain::rates::RatePolicy;
use domain::stakings::StakeRules;
use domain::webhooks::TargetPolicy;
use hd::{AccountKey, HdError};
use jobs::{RateLimiter, WakeConfig, WakeError, WakeQueue};
use kernel::{AddressRange, Amount, AmountError, Asset, Clock, IdGen, NoAddressRange, RandomIds, SteadyClock};
use settings::Settings;
use settings::metrics::{Metrics, MetricsError};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use vault::{ImportPublicKey, SealError};

use crate::middleware::{KeyCache, RateLimits};
use crate::problem::{Code, Problem};
use crate::routes::events::feed::Feed;
use crate::tls::TlsError;

/// What the API stands on. Tests hand in their own.
pub struct Dependencies {
    /// Validated configuration.
    pub settings: Settings,
    /// PostgreSQL, with the API's rights.
    pub pool: Pool,
    /// The way of wake-ups to the workers.
    pub wakes: WakeQueue,
    /// What counts requests.
    pub limiter: RateLimiter,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// New ids.
    pub ids: Arc<dyn IdGen>,
}

/// The state of the process.
pub struct App {
    pub(crate) settings: Settings,
    pub(crate) pool: Pool,
    pub(crate) wakes: WakeQueue,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn IdGen>,
    pub(crate) policy: OrderPolicy,
    pub(crate) payouts: PayoutPolicy,
    pub(crate) deposits: DepositPolicy,
    pub(crate) rulings: RulingPolicy,
    pub(crate) approvals: ApprovalPolicy,
    pub(crate) rates: RatePolicy,
    pub(crate) stakes: StakeRules,
    pub(crate) import_key: ImportPublicKey,
    /// `None`: nobody signs in here.
    pub(crate) door: Option<Door>,
    pub(crate) keys: KeyCache,
    pub(crate) feed: Feed,
    pub(crate) trusted_proxies: Vec<AddressRange>,
    pub(crate) limits: RateLimits,
    pub(crate) slots: Semaphore,
    pub(crate) metrics: Metrics,
    /// Cancelled once the process is told to stop: from then on it is not ready.
    pub(crate) stopping: CancellationToken,
}

/// Why the API cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The pool cannot be made.
    #[error("the connection pool cannot be made")]
    Pool(#[from] db::DbError),
    /// Redis cannot be used as configured. That it does not answer is no reason not to start.
    #[error("redis.url cannot be used")]
    Redis(#[from] WakeError),
    /// The workers' public key is none.
    #[error("vault.import_public_key cannot be used")]
    ImportKey(#[from] SealError),
    /// What operators sign in with cannot be made or checked.
    #[error("operators.keys cannot be used")]
    OperatorKeys(#[from] KeyError),
    /// `orders.*` is beyond what an order can hold.
    #[error("orders.duration_max_s does not fit an order")]
    Durations,
    /// The contract of a token is no address.
    #[error("networks.{0}.tokens.USDT is no address")]
    Token(String),
    /// Addresses of customers cannot be derived.
    #[error("deposits.account_xpub cannot be used")]
    AccountKey(#[from] HdError),
    /// `rates.stale_after_s` is longer than any time.
    #[error("rates.stale_after_s is no time")]
    Rates,
    /// `deposits.ways` names one that there is not.
    #[error("deposits.ways names a way that there is not")]
    Ways,
    /// The least that is credited is no amount.
    #[error("deposits.dust_trx_sun or deposits.dust_usdt_micro is no amount")]
    Dust(#[from] AmountError),
    /// `api.trusted_proxies` names what is no address.
    #[error("api.trusted_proxies cannot be used")]
    TrustedProxies(#[from] NoAddressRange),
    /// Metrics cannot be counted.
    #[error("metrics cannot be installed")]
    Metrics(#[from] MetricsError),
    /// What TLS is served with cannot be used.
    #[error("api.tls cannot be used")]
    Tls(#[from] TlsError),
    /// An address cannot be listened on, or serving ended by itself.
    #[error("cannot serve on {0}")]
    Listen(std::net::SocketAddr, #[source] std::io::Error),
}

impl App {
    /// The state over these dependencies. Nothing is connected.
    ///
    /// # Errors
    /// When a setting cannot be used.
    pub fn new(dependencies: Dependencies) -> Result<Arc<Self>, StartError> {
        let Dependencies {
            settings,
            pool,
            wakes,
            limiter,
            clock,
            ids,
        } = dependencies;
        let metrics = settings::metrics::install()?;
        let per_address = (
            settings.api.ip_requests_per_minute,
            settings.operators.ip_sign_ins_per_minute,
        );
        // a counter that appears is no increase: these start at zero, so that their first event raises an alert
        metrics::counter!("switchyard_http_panics_total").increment(0);
        metrics::counter!("switchyard_audit_lines_lost_total").increment(0);
        metrics::counter!("switchyard_sign_in_failures_total").increment(0);
        metrics::counter!("switchyard_refresh_tokens_reused_total").increment(0);
        metrics::counter!("switchyard_ledger_event_reused_total").increment(0);
        metrics::counter!("switchyard_events_streamed_total").increment(0);
        metrics::gauge!("switchyard_event_streams").set(0.0);
        metrics::gauge!("switchyard_api_certificate_ends_timestamp_seconds").set(0.0);
        Ok(Arc::new(Self {
            policy: policy(&settings)?,
            payouts: payout_policy(&settings)?,
            deposits: deposits(&settings, policy(&settings)?)?,
            rulings: rulings(&settings)?,
            approvals: approvals(&settings)?,
            rates: rates(&settings)?,
            stakes: stakes(&settings),
            import_key: settings.vault.import_public_key.parse()?,
            door: door(&settings)?,
            keys: KeyCache::default(),
            feed: Feed::new(settings.events.max_streams, settings.events.max_streams_per_key),
            trusted_proxies: settings.api.trusted_ranges()?,
            limits: RateLimits::new(limiter, clock.clone(), per_address),
            slots: Semaphore::new(settings.api.max_concurrent_requests),
            metrics,
            stopping: CancellationToken::new(),
            settings,
            pool,
            wakes,
            clock,
            ids,
        }))
    }

    /// The state over what `settings` name. PostgreSQL and Redis may both be away.
    ///
    /// # Errors
    /// When a setting cannot be used.
    pub fn from_settings(settings: Settings) -> Result<Arc<Self>, StartError> {
        let database = &settings.database;
        let pool = build_pool(&PoolConfig {
            url: database.url.expose().to_owned(),
            max_connections: database.max_connections,
            acquire_timeout: Duration::from_millis(database.acquire_timeout_ms),
            statement_timeout: Duration::from_millis(database.statement_timeout_ms),
        })?;
        let clock = shared_clock(&pool);
        let redis = WakeConfig {
            max_depth: u64::try_from(settings.jobs.max_redis_depth).unwrap_or(u64::MAX),
            connect_timeout: Duration::from_millis(settings.redis.connect_timeout_ms),
            response_timeout: Duration::from_millis(settings.redis.response_timeout_ms),
            ..WakeConfig::new(settings.redis.url.expose(), &settings.jobs.redis_namespace)
        };
        Self::new(Dependencies {
            settings,
            pool,
            wakes: WakeQueue::connect(redis.clone())?,
            limiter: RateLimiter::connect(redis, RateLimiter::PATIENCE)?,
            clock,
            ids: Arc::new(RandomIds),
        })
    }

    /// Where webhook messages may go.
    pub(crate) const fn target_policy(&self) -> TargetPolicy {
        TargetPolicy {
            allow_private_networks: self.settings.webhooks.allow_private_networks,
        }
    }

    /// What lets operators in, where that is set up.
    pub(crate) fn door(&self) -> Result<&Door, Problem> {
        self.door.as_ref().ok_or_else(|| Problem::new(Code::SignInClosed))
    }

    /// How long a request may take.
    pub(crate) const fn request_timeout(&self) -> Duration {
        Duration::from_millis(self.settings.api.request_timeout_ms)
    }
}

/// The time that all processes share. It is the machine's until PostgreSQL answers.
fn shared_clock(pool: &Pool) -> Arc<dyn Clock> {
    let clock = Arc::new(SharedClock::new(Arc::new(SteadyClock::new())));
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        runtime.spawn(Arc::clone(&clock).follow(pool.clone()));
    }
    clock
}

fn policy(settings: &Settings) -> Result<OrderPolicy, StartError> {
    let orders = &settings.orders;
    let seconds = |value: i64| i32::try_from(value).map_err(|_| StartError::Durations);
    Ok(OrderPolicy {
        network: orders.network.clone(),
        energy_min: orders.energy_min,
        energy_max: orders.energy_max,
        duration_min_s: seconds(orders.duration_min_s)?,
        duration_max_s: seconds(orders.duration_max_s)?,
        deadline: chrono::Duration::try_seconds(orders.deadline_s).ok_or(StartError::Durations)?,
    })
}

fn door(settings: &Settings) -> Result<Option<Door>, StartError> {
    let operators = &settings.operators;
    let Some(keys) = operators.keys() else {
        return Ok(None);
    };
    let seconds = |value: i64| chrono::Duration::try_seconds(value).ok_or(StartError::Durations);
    Ok(Some(Door {
        keys: AccessKeys::parse(keys.expose())?,
        access_ttl: seconds(operators.access_ttl_s)?,
        session_ttl: seconds(operators.session_ttl_s)?,
        session_idle: seconds(operators.session_idle_s)?,
        requests_per_minute: operators.requests_per_minute,
    }))
}

fn payout_policy(settings: &Settings) -> Result<PayoutPolicy, StartError> {
    let payouts = &settings.payouts;
    let network = &payouts.network;
    let found = settings.networks.get(network);
    let usdt = found.and_then(|network| network.token("USDT")).map(str::parse);
    let limits = |limits: &settings::PayoutLimits| AssetLimits {
        minimum: limits.minimum,
        user_day: limits.user_day,
        system_hour: limits.system_hour,
        approval_above: limits.approval_above,
    };
    Ok(PayoutPolicy {
        network: network.clone(),
        usdt: usdt.transpose().map_err(|_| StartError::Token(network.clone()))?,
        list_required: payouts.list_required,
        trx_limits: limits(&payouts.trx),
        usdt_limits: limits(&payouts.usdt),
    })
}

fn rates(settings: &Settings) -> Result<RatePolicy, StartError> {
    let rates = &settings.rates;
    let stale_after = i64::try_from(rates.stale_after_s).ok();
    let stale_after = stale_after.and_then(chrono::Duration::try_seconds);
    Ok(RatePolicy {
        min_sources: rates.min_sources,
        max_spread_bp: rates.max_spread_bp,
        lowest: rates.lowest.minor(),
        highest: rates.highest.minor(),
        max_step_bp: rates.max_step_bp,
        stale_after: stale_after.ok_or(StartError::Rates)?,
        fee_bp: rates.fee_bp,
    })
}

fn stakes(settings: &Settings) -> StakeRules {
    let stake = &settings.pool.stake;
    StakeRules {
        network: settings.orders.network.clone(),
        reserve_sun: stake.reserve.minor(),
        wallet_day_sun: stake.wallet_day.minor(),
        all_day_sun: stake.all_day.minor(),
    }
}

fn rulings(settings: &Settings) -> Result<RulingPolicy, StartError> {
    let deposits = &settings.deposits;
    let exchanged = deposits.usdt == settings::UsdtDeposits::Exchange;
    let exchange = exchanged.then(|| rates(settings)).transpose()?;
    let (trx, usdt) = (deposits.approval_above_trx, deposits.approval_above_usdt);
    Ok(RulingPolicy::new(trx, usdt, exchange))
}

fn approvals(settings: &Settings) -> Result<ApprovalPolicy, StartError> {
    let approvals = &settings.approvals;
    let limits = (approvals.adjustment_above_trx, approvals.adjustment_above_usdt);
    let lives = chrono::Duration::try_seconds(approvals.expire_s).ok_or(StartError::Durations)?;
    Ok(ApprovalPolicy::new(
        limits,
        approvals.key_replacements,
        approvals.prices,
        lives,
    ))
}

fn deposits(settings: &Settings, orders: OrderPolicy) -> Result<DepositPolicy, StartError> {
    let deposits = &settings.deposits;
    let way = |way: &String| way.parse::<DepositWay>().map_err(|_| StartError::Ways);
    let seconds = |value: i64| chrono::Duration::try_seconds(value).ok_or(StartError::Durations);
    let given = |text: &String| (!text.is_empty()).then(|| text.clone());
    Ok(DepositPolicy {
        network: deposits.network.clone(),
        ways: deposits.ways.iter().map(way).collect::<Result<_, _>>()?,
        account: given(&deposits.account_xpub)
            .map(|xpub| xpub.parse::<AccountKey>())
            .transpose()?,
        shared_address: given(&deposits.shared_address),
        expiry: seconds(deposits.expiry_s)?,
        quarantine: seconds(deposits.amount_quarantine_s)?,
        dust: BTreeMap::from([
            (Asset::Trx, Amount::from_minor(deposits.dust_trx_sun)?),
            (Asset::Usdt, Amount::from_minor(deposits.dust_usdt_micro)?),
        ]),
        orders,
    })
}
