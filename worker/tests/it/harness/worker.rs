//! Workers, each on a runtime of its own: to kill one is to drop everything it was doing, as when its process dies.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chain::endpoints::{EndpointConfig, EndpointList};
use chain::{ChainClient, TronAddress};
use chrono::{DateTime, TimeDelta, Utc};
use db::{PoolConfig, SharedClock, build_pool};
use domain::delegations::DeathPolicy;
use domain::deposits::CreditPolicy;
use domain::orders::OrderPolicy;
use domain::payouts::{AssetLimits, TreasuryRules};
use domain::pool::StockLimits;
use domain::rates::RatePolicy;
use domain::rentals::{Package, RentalPolicy};
use domain::runtime_settings::Live;
use domain::stakings::StakePolicy;
use domain::sweeps::{House, SweepPolicy, SweepRules};
use domain::transactions::ResendPolicy;
use jobs::{Queue, WakeConfig, WakeQueue};
use kernel::{Amount, ApiKeyId, Asset, Clock, RandomIds, UserId};
use keyring::{KeyCache, MasterKeySource};
use quotes::{QuoteClient, QuotePolicy, Source};
use switchyard_worker::environment::{Environment, NetworkEnvironment, WorkPolicy, WorkRules};
use switchyard_worker::keys::{ConfiguredMaster, Keys, unlock_master};
use switchyard_worker::queue::{QueueSetup, Workers};
use switchyard_worker::rates::RatesEnvironment;
use switchyard_worker::registry::registry;
use switchyard_worker::watcher::{WatchPolicy, Watcher};
use switchyard_worker::webhooks::look_for_due;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tron::TronClient;
use webhook::{CallPolicy, TargetPolicy, WebhookClient};
use zeroize::Zeroizing;

use super::{HOUSE, NETWORK, TRX, TestClock};

/// Where coin buys energy.
pub(crate) const RENTAL_ADDRESS: &str = "TLa2f6VPqDgRE67v1736s7bJ8Ray5wYjU7";

/// What a worker is told at its start.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) database_url: String,
    pub(crate) node_url: String,
    pub(crate) wakes: WakeConfig,
    pub(crate) clock: Arc<TestClock>,
    /// How far the clock of the worker's machine is ahead of everybody's.
    pub(crate) ahead_s: i64,
    /// How long its calls to the node may take.
    pub(crate) node_timeout_ms: u64,
    /// The token's contract.
    pub(crate) usdt: TronAddress,
    /// What a token payout may burn.
    pub(crate) token_fee_limit_sun: i64,
    /// Master keys in hex by number, the current one first.
    pub(crate) masters: Vec<(i32, String)>,
    /// How long its workers keep keys opened.
    pub(crate) key_life: Duration,
    /// The import private key, hex.
    pub(crate) import: String,
    /// What belongs to it.
    pub(crate) import_public: String,
    /// Whether USDT is exchanged as it is credited.
    pub(crate) exchange: bool,
    /// Whom to ask for the rate.
    pub(crate) rate_sources: Vec<Source>,
    /// Whether messages may go to this machine.
    pub(crate) private_networks: bool,
    /// The key that orders of the house are booked under.
    pub(crate) house_key: ApiKeyId,
    /// How supplier wallets are staked.
    pub(crate) stake: StakePolicy,
    /// Below this much sellable energy they are.
    pub(crate) low_stock_energy: i64,
}

impl World {
    /// Where its workers keep heads of the audit trail.
    pub(crate) fn heads_file(&self) -> PathBuf {
        self.clock.file().with_file_name("heads")
    }
}

/// What a worker does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Does {
    Everything,
    OnlyJobs,
    OnlyWatching,
}

/// A running worker. Dropped, it is killed.
pub(crate) struct Worker {
    runtime: Option<Runtime>,
    stop: CancellationToken,
    ended: JoinHandle<()>,
}

impl Worker {
    pub(crate) fn start(world: &World, does: Does) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let stop = CancellationToken::new();
        let ended = runtime.spawn(run(world.clone(), does, stop.clone()));
        Self {
            runtime: Some(runtime),
            stop,
            ended,
        }
    }

    /// Lets it drain and end.
    pub(crate) async fn stop(mut self) {
        self.stop.cancel();
        (&mut self.ended).await.unwrap();
    }

    /// Ends it in the middle of whatever it does; afterwards nothing of it runs any more.
    pub(crate) async fn kill(mut self) {
        let runtime = self.runtime.take().unwrap();
        let killed = tokio::task::spawn_blocking(move || runtime.shutdown_timeout(Duration::from_secs(10)));
        killed.await.unwrap();
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn run(world: World, does: Does, stop: CancellationToken) {
    let env = environment(&world).await;
    let name = env.ids.uuid().simple().to_string();
    let tasks = TaskTracker::new();
    if does != Does::OnlyJobs {
        tasks.spawn(watcher(&env, name.clone(), TimeDelta::seconds(10)).run(stop.clone()));
    }
    if does != Does::OnlyWatching {
        let workers = Workers::start(queues(&env, name), &stop);
        tasks.spawn(workers.join());
        tasks.spawn(look_for_due(Arc::clone(&env), Duration::from_millis(30), stop.clone()));
    }
    tasks.close();
    tasks.wait().await;
}

/// A watcher that looks often.
pub(crate) fn watcher(env: &Arc<Environment>, holder: String, lease: TimeDelta) -> Watcher {
    let policy = WatchPolicy {
        poll: Duration::from_millis(15),
        max_blocks: 20,
        lease,
        max_fork_depth: 30,
        start: None,
    };
    Watcher::new(Arc::clone(env), NETWORK.to_owned(), holder, policy)
}

fn queues(env: &Arc<Environment>, name: String) -> QueueSetup {
    QueueSetup {
        pool: env.pool.clone(),
        registry: registry(env),
        clock: Arc::clone(&env.clock),
        wakes: env.wakes.clone(),
        queues: Queue::ALL.iter().map(|queue| (*queue, 8)).collect(),
        name,
        dispatch_interval: Duration::from_millis(50),
        drain: Duration::from_secs(10),
    }
}

/// The devnet's token, which is at the main network's address.
pub(crate) fn usdt() -> TronAddress {
    "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t".parse().unwrap()
}

/// The node client of a fresh process: nothing is remembered of earlier failures.
pub(crate) fn client(world: &World, clock: &Arc<dyn Clock>) -> TronClient {
    // an error only means that another test was first
    let _installed = rustls::crypto::ring::default_provider().install_default();
    // one node by two names: while one rests after a failure, the other is asked
    let endpoints = ["first", "second"].map(|name| EndpointConfig {
        name: name.into(),
        url: world.node_url.clone(),
        solidity_url: None,
        api_key: None,
        requests_per_second: 10_000,
        timeout_ms: world.node_timeout_ms,
    });
    TronClient::new(EndpointList::new(NETWORK, &endpoints, clock).unwrap(), vec![usdt()])
}

/// The time as a worker of this world knows it. One on a machine that is off is corrected, as a real one is at its start
/// and ever after; the test's clock stands for PostgreSQL's.
fn clock(world: &World) -> Arc<dyn Clock> {
    if world.ahead_s == 0 {
        return world.clock.clone();
    }
    let machine = Arc::new(Off(world.clock.clone(), TimeDelta::seconds(world.ahead_s)));
    let shared = SharedClock::new(machine.clone());
    let asked = machine.now();
    shared.correct((asked, asked), asked - machine.1);
    Arc::new(shared)
}

/// The clock of a machine that is off.
#[derive(Debug)]
struct Off(Arc<TestClock>, TimeDelta);

impl Clock for Off {
    fn now(&self) -> DateTime<Utc> {
        self.0.now() + self.1
    }
}

/// What a worker of this world is made of, on the runtime that asks for it.
pub(crate) async fn environment(world: &World) -> Arc<Environment> {
    let clock = clock(world);
    let pool = build_pool(&PoolConfig {
        url: world.database_url.clone(),
        max_connections: 10,
        connect_timeout: Duration::from_secs(30),
        acquire_timeout: Duration::from_secs(30),
        statement_timeout: Duration::from_secs(30),
    })
    .unwrap();
    let mut masters = Vec::new();
    for (id, key) in &world.masters {
        let source = MasterKeySource::Raw(Zeroizing::new(key.clone()));
        let configured = ConfiguredMaster { id: *id, source };
        masters.push(unlock_master(&pool, configured, clock.now()).await.unwrap());
    }
    let cache = KeyCache::new(10, world.key_life, Arc::clone(&clock));
    let chain: Arc<dyn ChainClient> = Arc::new(client(world, &clock));
    let network = NetworkEnvironment {
        chain,
        usdt: Some(world.usdt),
        reserves: Vec::new(),
        expiry: TimeDelta::seconds(60),
        resend: ResendPolicy {
            after: TimeDelta::seconds(15),
            at_most: TimeDelta::seconds(60),
        },
    };
    Arc::new(Environment {
        keys: Keys::new(masters, world.import.parse().unwrap(), cache),
        networks: BTreeMap::from([(NETWORK.to_owned(), network)]),
        wakes: WakeQueue::connect(world.wakes.clone()).unwrap(),
        ids: Arc::new(RandomIds),
        policy: policy(world),
        rules: Arc::new(Live::new(rules(world))),
        webhooks: webhooks(world),
        rates: rates(world),
        pool,
        clock,
    })
}

/// What operators change while a worker runs.
fn rules(world: &World) -> WorkRules {
    let credit = CreditPolicy {
        tokens: BTreeMap::from([(usdt().to_string(), Asset::Usdt)]),
        dust: Asset::ALL
            .map(|asset| (asset, Amount::from_minor(10_000).unwrap()))
            .into(),
        blocked: BTreeSet::new(),
        exchange: world.exchange.then(rate_policy),
        rental: Some(rental(world)),
    };
    WorkRules {
        order_deadline: TimeDelta::minutes(10),
        sweep: sweep(world),
        stake_margin_bps: 100,
        max_parts: 5,
        min_bandwidth: 400,
        stock: StockLimits {
            low_energy: world.low_stock_energy,
            low_trx_sun: 0,
        },
        rates: rate_policy(),
        credit: BTreeMap::from([(NETWORK.to_owned(), credit)]),
    }
}

fn policy(world: &World) -> WorkPolicy {
    WorkPolicy {
        death: DeathPolicy {
            max_attempts: 5,
            payout_attempts: 3,
            staking_attempts: 3,
            isolate_after: 3,
            failure_window: TimeDelta::hours(1),
            probation_after: TimeDelta::minutes(30),
            retry_after: TimeDelta::seconds(2),
        },
        treasury: TreasuryRules {
            fee_reserve_sun: 10 * TRX,
            token_fee_limit_sun: world.token_fee_limit_sun,
        },
        payout_retry: TimeDelta::seconds(6),
        payout_approval: TimeDelta::hours(72),
        stake: world.stake.clone(),
        stake_retry: TimeDelta::seconds(6),
        standing_interval: TimeDelta::seconds(6),
        standing_lead: TimeDelta::seconds(30),
        part_energy_min: 20_000,
        receiver_ttl: TimeDelta::hours(1),
        retry_base: TimeDelta::seconds(2),
        retry_max: TimeDelta::seconds(60),
        sync_margin_blocks: 3,
        sync_spread: TimeDelta::seconds(10),
        snapshot_retention: TimeDelta::days(92),
        idempotency_retention: TimeDelta::days(30),
        keep_blocks: 2_000,
        webhooks_in_flight: 8,
        messages_per_run: 20,
        webhook_retention: TimeDelta::days(30),
        event_retention: TimeDelta::days(30),
        heads_file: Some(world.heads_file()),
    }
}

/// What is believed of sources: as by default.
pub(crate) fn rate_policy() -> RatePolicy {
    RatePolicy {
        min_sources: 2,
        max_spread_bp: 100,
        lowest: TRX,
        highest: 20 * TRX,
        max_step_bp: 500,
        stale_after: TimeDelta::seconds(300),
        fee_bp: 0,
    }
}

fn rates(world: &World) -> RatesEnvironment {
    let policy = QuotePolicy {
        timeout: Duration::from_millis(2_000),
        max_bytes: 65_536,
        plain_http: true,
    };
    RatesEnvironment {
        client: QuoteClient::new(policy).unwrap(),
        sources: world.rate_sources.clone(),
    }
}

/// What is sold by transfer, and where.
pub(crate) fn rental(world: &World) -> RentalPolicy {
    let sun = |minor| Amount::from_minor(minor).unwrap();
    RentalPolicy {
        network: NETWORK.to_owned(),
        address: RENTAL_ADDRESS.to_owned(),
        house: House {
            user: UserId(-2),
            api_key: world.house_key,
        },
        packages: vec![Package {
            price: sun(4 * TRX),
            energy: 32_000,
            duration_s: 600,
        }],
        order_deadline: TimeDelta::minutes(10),
        return_from: sun(TRX),
        limits: AssetLimits {
            minimum: sun(TRX),
            user_day: sun(1_000 * TRX),
            system_hour: sun(1_000 * TRX),
            approval_above: sun(100 * TRX),
        },
    }
}

fn sweep(world: &World) -> SweepPolicy {
    SweepPolicy {
        enabled: true,
        network: NETWORK.to_owned(),
        assets: vec![Asset::Trx, Asset::Usdt],
        rules: SweepRules {
            trx_threshold_sun: 5 * TRX,
            usdt_threshold_micro: 5 * TRX,
            reserve_sun: 0,
            burn_bandwidth: false,
            energy_margin_bps: 300,
            energy_min: 10_000,
        },
        activation_sun: 1,
        to_address: None,
        max_open: 20,
        house: Some(House {
            user: HOUSE,
            api_key: world.house_key,
        }),
        order: OrderPolicy {
            network: NETWORK.to_owned(),
            energy_min: 10_000,
            energy_max: 10_000_000,
            duration_min_s: 300,
            duration_max_s: 86_400,
            deadline: TimeDelta::seconds(20),
        },
        energy_failures_alarm: 2,
        retry: (TimeDelta::seconds(6), TimeDelta::seconds(60)),
    }
}

fn webhooks(world: &World) -> WebhookClient {
    let policy = CallPolicy {
        target: TargetPolicy {
            allow_private_networks: world.private_networks,
        },
        timeout: Duration::from_millis(1_000),
    };
    WebhookClient::new(policy).unwrap()
}
