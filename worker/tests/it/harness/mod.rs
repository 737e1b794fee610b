//! The whole service in one test: PostgreSQL, Redis, a TRON network, callers with the API's rights, and workers that can
//! be stopped and killed. Time stands nearly still until a test makes blocks, and blocks are made when all work that
//! could be done is done, so that a flow takes the same course on a fast machine and on a slow one.

mod clock;
mod command;
mod hooks;
mod http;
mod judge;
mod keys;
mod market;
mod outside;
mod payer;
mod payouts;
mod process;
mod progress;
mod receiver;
mod rentals;
mod shop;
mod stakings;
mod standing;
mod sweeps;
mod worker;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ::devnet::{Devnet, DevnetConfig};
use db::Pool;
use domain::api_keys::NewKey;
use domain::pricing::{self, Band};
use jobs::{WakeConfig, WakeQueue};
use kernel::{ApiKeyId, Clock, RandomIds, UserId};
use keyring::generate_import_keypair;
use testkit::{Role, TestDb};

pub(crate) use clock::TestClock;
use http::Http;
pub(crate) use keys::{Hot, LENDS, open_findings};
pub(crate) use market::{Market, Says};
pub(crate) use payer::{Payer, Sent, address_of, amount_of};
pub(crate) use payouts::{Treasury, Withdrawal};
pub(crate) use process::Process;
pub(crate) use receiver::{Receiver, Reply};
pub(crate) use shop::{Supplier, TRX, Wish, by_key};
pub(crate) use stakings::{staked_for, timeline_of};
pub(crate) use standing::KEPT;
pub(crate) use sweeps::{HOUSE, key_of_address, timeline, trx, usdt as usdt_paid};
pub(crate) use worker::{Does, RENTAL_ADDRESS, Worker, World, client, environment, usdt, watcher};

pub(crate) const NETWORK: &str = "tron";

/// The account m/44'/195'/0' of the words "abandon … about".
pub(crate) const ACCOUNT_XPUB: &str =
    "xpub6D1AabNHCupeiLM65ZR9UStMhJ1vCpyV4XbZdyhMZBiJXALQtmn9p42VTQckoHVn8WNqS7dqnJokZHAHcHGoaQgmv8D45oNUKx6DZMNZBCd";
/// Where everybody pays who pays by amount.
pub(crate) const SHARED_ADDRESS: &str = "TUJ2YbSDGtCqzRz7quPQidRCMC98jDAPXc";
/// The first address of that account: m/44'/195'/0'/0/0.
pub(crate) const FIRST_ADDRESS: &str = "TUEZSdKsoDHQMeZwihtdoBiN46zxhGWYdH";

/// Blocks between the newest and the solidified one: few, so that finality is soon reached.
const SOLID_LAG: u64 = 3;

/// One service. Every test ends with [`Rig::judge`].
pub(crate) struct Rig {
    pub(crate) db: TestDb,
    pub(crate) devnet: Devnet,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) world: World,
    http: Http,
    /// With the owner's rights, for looking at everything.
    pub(crate) owner: Pool,
    pub(crate) wakes: WakeQueue,
    /// Kinds of findings that the test means to bring about.
    expected_findings: Mutex<BTreeSet<&'static str>>,
    /// Transactions on the chain that the test sent itself.
    foreign: Mutex<BTreeSet<String>>,
    judged: bool,
}

impl Rig {
    /// A service without workers, on the shared Redis.
    pub(crate) async fn new() -> Self {
        Self::on(crate::queue_support::shared_redis()).await
    }

    /// A service without workers.
    pub(crate) async fn on(redis: WakeConfig) -> Self {
        Self::over(redis, TestDb::new().await).await
    }

    /// A service without workers.
    pub(crate) async fn over(redis: WakeConfig, db: TestDb) -> Self {
        Self::beside(redis, db, SOLID_LAG).await
    }

    /// A service without workers, whose chain forgets forks only after so many blocks.
    pub(crate) async fn solid_after(blocks: u64) -> Self {
        Self::beside(crate::queue_support::shared_redis(), TestDb::new().await, blocks).await
    }

    async fn beside(mut redis: WakeConfig, db: TestDb, solid_lag: u64) -> Self {
        redis.push_budget = Duration::from_secs(2);
        let clock = Arc::new(TestClock::default());
        let config = DevnetConfig {
            solid_lag,
            clock: clock.clone(),
            ..DevnetConfig::default()
        };
        let usdt = config.usdt_contract;
        let devnet = Devnet::start(config).await.unwrap();
        // so that a reference block can be had and no figure is that of the very first block
        devnet.mine(solid_lag + 2).unwrap();
        let (import, import_public) = generate_import_keypair().unwrap();
        let owner = db.pool(Role::Owner);
        let world = World {
            database_url: db.url(Role::Worker),
            node_url: devnet.node_url(),
            wakes: redis.clone(),
            clock: clock.clone(),
            ahead_s: 0,
            node_timeout_ms: 10_000,
            usdt,
            token_fee_limit_sun: 30 * TRX,
            masters: vec![(1, random_hex())],
            // opened keys are forgotten at once, so that each signature opens its key from the database
            key_life: Duration::ZERO,
            import: import.expose_hex().to_string(),
            import_public: import_public.to_string(),
            exchange: false,
            rate_sources: Vec::new(),
            private_networks: true,
            house_key: house_key(&owner, &clock).await,
            stake: stakings::no_policy(),
            low_stock_energy: 0,
        };
        publish_prices(&owner, &clock).await;
        let wakes = WakeQueue::connect(redis).unwrap();
        let rig = Self {
            http: Http::new(&world, &world.import_public, db.pool(Role::Api), wakes.clone(), &owner).await,
            wakes,
            db,
            devnet,
            clock,
            world,
            owner,
            expected_findings: Mutex::default(),
            foreign: Mutex::default(),
            judged: false,
        };
        rig.credit(UserId(1), 10_000).await;
        rig
    }

    /// A service with one worker that does everything.
    pub(crate) async fn with_worker() -> (Self, Worker) {
        let rig = Self::new().await;
        let worker = rig.start(Does::Everything);
        (rig, worker)
    }

    /// One worker more.
    pub(crate) fn start(&self, does: Does) -> Worker {
        Worker::start(&self.world, does)
    }

    /// This kind of finding is what the test is about.
    pub(crate) fn expect_finding(&self, kind: &'static str) {
        self.expected_findings.lock().unwrap().insert(kind);
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        assert!(self.judged || std::thread::panicking(), "a flow ends with `judge`");
    }
}

/// The key that orders of the house are booked under; nobody knows its secret.
async fn house_key(pool: &Pool, clock: &TestClock) -> ApiKeyId {
    let (scopes, mut random) = (["orders:read".to_owned()], [0; 64]);
    getrandom::fill(&mut random).unwrap();
    let key = domain::api_keys::create(
        pool,
        &RandomIds,
        &NewKey::anywhere("house", &scopes, 600),
        &random,
        clock.now(),
    )
    .await;
    key.unwrap().id
}

async fn publish_prices(pool: &Pool, clock: &TestClock) {
    let band = Band {
        energy_min: 1,
        energy_max: 100_000_000,
        duration_min_s: 1,
        duration_max_s: 2_592_000,
        price_millisun_per_energy: 60_000,
    };
    pricing::publish(pool, &RandomIds, &[band], ("first", "operator:test"), clock.now())
        .await
        .unwrap();
}

/// 32 random bytes in hex.
pub(crate) fn random_hex() -> String {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).unwrap();
    hex::encode(bytes)
}
