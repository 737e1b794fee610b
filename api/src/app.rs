//! What every handler is handed: pool, wake-ups, clock, ids, settings, and the little state that lives in this process.

use std::sync::Arc;
use std::time::Duration;

use access::{AccessKeys, KeyError};
use db::{Pool, PoolConfig, SharedClock, build_pool};
use domain::operations::ApprovalPolicy;
use domain::operators::Door;
use domain::runtime_settings::{Follower, Live, LookError};
use domain::webhooks::TargetPolicy;
use hd::HdError;
use jobs::{RateLimiter, WakeConfig, WakeError, WakeQueue};
use kernel::{AddressRange, AmountError, Clock, IdGen, NoAddressRange, RandomIds, SteadyClock};
use settings::Settings;
use settings::metrics::{Metrics, MetricsError};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use vault::{ImportPublicKey, SealError};

use crate::health::LastLook;
use crate::middleware::{KeyCache, RateLimits};
use crate::problem::{Code, Problem};
use crate::routes::events::feed::Feed;
use crate::rules::Rules;
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
    /// As the process was started. What operators change while it runs is in [`Rules`].
    pub(crate) settings: Settings,
    pub(crate) pool: Pool,
    pub(crate) wakes: WakeQueue,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn IdGen>,
    pub(crate) approvals: ApprovalPolicy,
    rules: Arc<Live<Rules>>,
    follower: Follower<Rules>,
    pub(crate) import_key: ImportPublicKey,
    /// `None`: nobody signs in here.
    pub(crate) door: Option<Door>,
    pub(crate) keys: KeyCache,
    pub(crate) feed: Feed,
    pub(crate) trusted_proxies: Vec<AddressRange>,
    pub(crate) limits: RateLimits,
    pub(crate) slots: Semaphore,
    pub(crate) last_look: LastLook,
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
    /// The newest version of the settings does not go with this configuration.
    #[error("change the configuration, or the version with `switchyard-worker settings set`")]
    Settings(#[from] LookError),
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
        let rules = Arc::new(Live::new(Rules::of(settings.clone())?));
        let follower = Follower::new(Arc::clone(&rules), Rules::builder(settings.clone()));
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
            approvals: approvals(&settings)?,
            import_key: settings.vault.import_public_key.parse()?,
            door: door(&settings)?,
            keys: KeyCache::default(),
            feed: Feed::new(settings.events.max_streams, settings.events.max_streams_per_key),
            trusted_proxies: settings.api.trusted_ranges()?,
            limits: RateLimits::new(limiter, clock.clone(), Arc::clone(&rules)),
            rules,
            follower,
            slots: Semaphore::new(settings.api.max_concurrent_requests),
            last_look: LastLook::default(),
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
            connect_timeout: Duration::from_millis(database.connect_timeout_ms),
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
        let app = Self::new(Dependencies {
            settings,
            pool,
            wakes: WakeQueue::connect(redis.clone())?,
            limiter: RateLimiter::connect(redis, RateLimiter::PATIENCE)?,
            clock,
            ids: Arc::new(RandomIds),
        })?;
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(Arc::clone(&app).follow_settings());
        }
        Ok(app)
    }

    /// What operators change while the process runs, as it is now.
    pub(crate) fn rules(&self) -> Arc<Rules> {
        self.rules.get()
    }

    /// Looks which version of the settings is in force, and goes by it from now on.
    ///
    /// # Errors
    /// [`LookError`]; what was in force stays so.
    pub async fn look_at_settings(&self) -> Result<i64, LookError> {
        self.follower.look(&self.pool, self.clock.now()).await
    }

    /// Looks again and again, until the process is told to stop.
    pub async fn follow_settings(self: Arc<Self>) {
        tokio::select! {
            () = self.stopping.cancelled() => {}
            () = self.follower.follow(&self.pool, &*self.clock) => {}
        }
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

fn approvals(settings: &Settings) -> Result<ApprovalPolicy, StartError> {
    let approvals = &settings.approvals;
    let limits = (approvals.adjustment_above_trx, approvals.adjustment_above_usdt);
    let lives = chrono::Duration::try_seconds(approvals.expire_s).ok_or(StartError::Durations)?;
    let needed = [approvals.key_replacements, approvals.prices, approvals.settings];
    Ok(ApprovalPolicy::new(limits, needed, (lives, approvals.open_max)))
}
