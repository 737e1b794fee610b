//! A database with a started network, a price table, a bot's key, users with money and wallets with figures.

use chain::TronAddress;
use chrono::{DateTime, Duration, Utc};
use db::models::{Order, OrderState};
use db::{Pool, acquire};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Text};
use diesel_async::RunQueryDsl;
use domain::api_keys::NewKey;
use domain::delegations::DeathPolicy;
use domain::operations::Mark;
use domain::orders::{AcceptOrder, Accepted, Idempotency, OrderPolicy};
use domain::pricing::Band;
use domain::reconcile::Report;
use domain::{DomainError, api_keys, orders, pricing, users, watch};
use kernel::{Amount, ApiKeyId, Asset, Clock, IdGen, ManualClock, OrderId, SeededIds, UserId, WalletId};
use ledger::Account;
use ledger::movements::{Adjustment, Direction, adjust_in_tx};
use switchyard_domain as domain;
use testkit::{Role, TestDb};

use crate::harness::genesis;

pub(crate) const NETWORK: &str = "nile";
/// What an order asks for, what it costs, and the stake that gives it.
pub(crate) const ENERGY: i64 = 65_000;
pub(crate) const PRICE: i64 = 3_250_000;
pub(crate) const STAKE: i64 = 100_000_000;
pub(crate) const HOUR: i32 = 3600;
/// The user that most tests order for, with money for a hundred orders.
pub(crate) const ANNA: i64 = 7;

pub(crate) struct World {
    pub(crate) db: TestDb,
    pub(crate) api: Pool,
    pub(crate) worker: Pool,
    owner: Pool,
    pub(crate) clock: ManualClock,
    pub(crate) ids: SeededIds,
    pub(crate) key: ApiKeyId,
    pub(crate) policy: OrderPolicy,
    pub(crate) death: DeathPolicy,
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

#[derive(QueryableByName)]
struct Word {
    #[diesel(sql_type = Text)]
    word: String,
}

impl World {
    /// Everything but wallets. The workers' clock runs half a minute ahead of the chain's.
    pub(crate) async fn new() -> Self {
        let db = TestDb::new().await;
        let (api, worker, owner) = (db.pool(Role::Api), db.pool(Role::Worker), db.pool(Role::Owner));
        let clock = ManualClock::at(genesis().time + Duration::seconds(30));
        let ids = SeededIds::new(1);
        let now = clock.now();
        let scopes = ["orders:write".to_owned()];
        let key = api_keys::create(&worker, &ids, &NewKey::anywhere("bot", &scopes, 600), &[7; 64], now).await;
        let band = Band {
            energy_min: 1,
            energy_max: 1_000_000,
            duration_min_s: 60,
            duration_max_s: 86_400,
            price_millisun_per_energy: 50_000,
        };
        pricing::publish(&worker, &ids, &[band], ("first", "operator:anna"), now)
            .await
            .unwrap();
        assert!(watch::start(&worker, NETWORK, &genesis(), now).await.unwrap());
        let world = Self {
            db,
            api,
            worker,
            owner,
            clock,
            ids,
            key: key.unwrap().id,
            policy: OrderPolicy {
                network: NETWORK.to_owned(),
                energy_min: 32_000,
                energy_max: 2_000_000,
                duration_min_s: 300,
                duration_max_s: 172_800,
                deadline: Duration::minutes(10),
            },
            death: DeathPolicy {
                max_attempts: 3,
                payout_attempts: 3,
                staking_attempts: 3,
                isolate_after: 3,
                failure_window: Duration::hours(1),
                probation_after: Duration::minutes(30),
                retry_after: Duration::seconds(20),
            },
        };
        world.fund(ANNA, PRICE * 100).await;
        world
    }

    /// A mark of the bot's that nobody used.
    pub(crate) fn fresh_mark(&self) -> Mark {
        Mark {
            api_key: self.key,
            key: self.ids.uuid().to_string(),
            request_sha256: [1; 32],
        }
    }

    /// How the bot is named.
    pub(crate) fn actor(&self) -> String {
        format!("api_key:{}", self.key)
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    pub(crate) async fn fund(&self, user: i64, minor: i64) {
        let reference = format!("fund-{user}-{}", self.ids.uuid());
        let adjustment = self.adjustment(&reference, user, minor);
        users::adjust(&self.api, &adjustment).await.unwrap();
    }

    /// By the ledger alone, which knows no bound but that of its numbers.
    pub(crate) async fn fund_beyond_bounds(&self, user: i64, minor: i64) {
        let adjustment = self.adjustment("beyond", user, minor);
        let mut conn = acquire(&self.api).await.unwrap();
        adjust_in_tx(&mut conn, &adjustment).await.unwrap();
    }

    fn adjustment<'a>(&self, reference: &'a str, user: i64, minor: i64) -> Adjustment<'a> {
        Adjustment {
            reference,
            user: UserId(user),
            asset: Asset::Trx,
            amount: Amount::from_minor(minor).unwrap(),
            direction: Direction::Credit,
            note: "to begin with",
            actor: "operator:anna",
            at: self.now(),
        }
    }

    /// A wallet that takes orders, with this room, bandwidth for many transactions and no coin to burn.
    pub(crate) async fn wallet(&self, n: u8, room_sun: i64) -> WalletId {
        let id = WalletId::new(&self.ids);
        let now = self.now().to_rfc3339();
        self.db
            .sql(&format!(
                "INSERT INTO supplier_wallets (id, address, state, delegatable_sun, staked_energy_sun, \
                     bandwidth_available, synced_block, synced_at, created_at, updated_at) \
                 VALUES ('{id}', '{}', 'active', {room_sun}, {room_sun}, 1000000, 1000, '{now}', '{now}', '{now}')",
                address(200 - n)
            ))
            .await;
        id
    }

    /// What a bot asks for; the receiver is given by a number.
    pub(crate) fn request(&self, key: &str, receiver: u8) -> AcceptOrder {
        AcceptOrder {
            api_key: self.key,
            actor: self.actor(),
            user: UserId(ANNA),
            receiver: address(receiver),
            energy: ENERGY,
            duration_s: HOUR,
            quote: None,
            idempotency: Idempotency {
                key: key.to_owned(),
                request_sha256: [receiver; 32],
            },
        }
    }

    pub(crate) async fn accept(&self, request: &AcceptOrder) -> Result<Accepted, DomainError> {
        orders::accept(&self.api, &self.ids, &self.policy, request, self.now()).await
    }

    /// A pending order for a receiver.
    pub(crate) async fn order(&self, receiver: u8) -> OrderId {
        let key = self.ids.uuid().to_string();
        let accepted = self.accept(&self.request(&key, receiver)).await.unwrap();
        assert!(!accepted.replayed);
        OrderId(accepted.order.id)
    }

    pub(crate) async fn find(&self, order: OrderId) -> Order {
        orders::find(&self.api, order).await.unwrap()
    }

    pub(crate) async fn state(&self, order: OrderId) -> OrderState {
        self.find(order).await.state
    }

    /// The timeline of an order, oldest first.
    pub(crate) async fn events(&self, order: OrderId) -> Vec<String> {
        self.words(&format!(
            "SELECT event AS word FROM order_events WHERE order_id = '{order}' ORDER BY id"
        ))
        .await
    }

    pub(crate) async fn trx(&self, user: i64) -> i64 {
        let balances = users::balances(&self.api, UserId(user)).await.unwrap();
        balances
            .iter()
            .find(|(asset, _)| *asset == Asset::Trx)
            .unwrap()
            .1
            .minor()
    }

    /// What Anna has less than at the beginning, what is in escrow and what is earned: in prices of one order.
    pub(crate) async fn money(&self) -> [i64; 3] {
        let mut conn = acquire(&self.api).await.unwrap();
        let escrow = ledger::escrow_balance(&mut conn, Asset::Trx).await.unwrap();
        let revenue = ledger::house_balance(&mut conn, &Account::Revenue(Asset::Trx))
            .await
            .unwrap();
        drop(conn);
        let spent = PRICE * 100 - self.trx(ANNA).await;
        [spent, i64::try_from(escrow).unwrap(), i64::try_from(revenue).unwrap()].map(|minor| {
            assert_eq!(minor % PRICE, 0);
            minor / PRICE
        })
    }

    /// The energy of an order takes [`STAKE`], as the last read of a wallet showed.
    pub(crate) async fn price_energy(&self) {
        let (limit, weight) = (ENERGY * 1_000, STAKE / 1_000);
        self.db
            .sql(&format!(
                "UPDATE chain_cursors SET total_energy_limit = {limit}, total_energy_weight = {weight} \
                 WHERE network = '{NETWORK}'"
            ))
            .await;
    }

    /// One number, asked as the owner.
    pub(crate) async fn number(&self, sql: &str) -> i64 {
        let mut conn = acquire(&self.owner).await.unwrap();
        let row = diesel::sql_query(format!("SELECT ({sql})::bigint AS n"));
        row.get_result::<Number>(&mut conn).await.unwrap().n
    }

    pub(crate) async fn count(&self, from: &str) -> i64 {
        self.number(&format!("SELECT count(*) FROM {from}")).await
    }

    /// Texts in a column called `word`, asked as the owner.
    pub(crate) async fn words(&self, sql: &str) -> Vec<String> {
        let mut conn = acquire(&self.owner).await.unwrap();
        let rows = diesel::sql_query(sql).load::<Word>(&mut conn).await.unwrap();
        rows.into_iter().map(|row| row.word).collect()
    }

    pub(crate) async fn word(&self, sql: &str) -> String {
        self.words(sql).await.pop().unwrap()
    }

    /// Kinds of open findings, in alphabetical order.
    pub(crate) async fn findings(&self) -> Vec<String> {
        self.words("SELECT kind AS word FROM findings WHERE resolved_at IS NULL ORDER BY kind")
            .await
    }

    /// Whether a job waits for an object.
    pub(crate) async fn has_job(&self, kind: &str, object: impl std::fmt::Display) -> bool {
        self.count(&format!("jobs WHERE kind = '{kind}' AND object_id = '{object}'"))
            .await
            == 1
    }

    /// Every job is done: as when workers ran dry.
    pub(crate) async fn drain_jobs(&self) {
        self.db.sql("DELETE FROM jobs").await;
    }

    pub(crate) async fn reserved(&self, wallet: WalletId) -> i64 {
        self.number(&format!(
            "SELECT reserved_sun FROM supplier_wallets WHERE id = '{wallet}'"
        ))
        .await
    }

    pub(crate) async fn reconcile(&self) -> Report {
        let (report, proved) = domain::reconcile::run(&self.worker, &self.ids, self.now()).await;
        proved.unwrap();
        report
    }

    /// Every proof holds and no work is lost.
    pub(crate) async fn assert_sound(&self) {
        let report = self.reconcile().await;
        assert_eq!(report, Report::default(), "{:?}", self.findings().await);
    }
}

/// Customers count from 1; the supplier's wallets are 200 less their number.
pub(crate) fn address(n: u8) -> TronAddress {
    TronAddress::from_evm20([n; 20])
}
