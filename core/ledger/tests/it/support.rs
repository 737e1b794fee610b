//! A database with users, one API key, one price version, and orders to move money for.

use chrono::{DateTime, Utc};
use db::{Pool, run_tx};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Text};
use diesel_async::RunQueryDsl;
use kernel::{Amount, Asset, OrderId, SeededIds, UserId};
use ledger::movements::{Adjustment, Direction, Hold};
use ledger::{Account, LedgerError, Posted};
use switchyard_ledger as ledger;
use testkit::{Role, TestDb};

/// Users 1 to 20 exist.
pub(crate) const USERS: i64 = 20;

pub(crate) struct Books {
    pub(crate) db: TestDb,
    pub(crate) api: Pool,
    pub(crate) worker: Pool,
    ids: SeededIds,
}

#[derive(QueryableByName)]
pub(crate) struct Word {
    #[diesel(sql_type = Text)]
    pub(crate) word: String,
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

impl Books {
    pub(crate) async fn new() -> Self {
        let db = TestDb::new().await;
        let key = "00000000-0000-7000-8000-0000000000aa";
        db.sql(&format!(
            "INSERT INTO users (id, created_at) SELECT n, now() FROM generate_series(1, {USERS}) AS n;
             INSERT INTO api_keys (id, name, prefix, secret_sha256, scopes, rate_limit_per_minute, created_at)
                 VALUES ('{key}', 'bot', 'sk_abcdefghijkl', decode(repeat('00', 32), 'hex'), '{{orders}}', 60, now());
             INSERT INTO price_versions (id, note, actor, published_at) VALUES ('{key}', 'first', 'operator:a', now())"
        ))
        .await;
        let (api, worker) = (db.pool(Role::Api), db.pool(Role::Worker));
        let ids = SeededIds::new(1);
        Self { db, api, worker, ids }
    }

    /// The rows of `count` orders, to hang transfers on.
    pub(crate) async fn orders(&self, count: usize) -> Vec<OrderId> {
        let orders: Vec<OrderId> = (0..count).map(|_| OrderId::new(&self.ids)).collect();
        let listed: Vec<String> = orders.iter().map(OrderId::to_string).collect();
        self.db
            .sql(&format!(
                "INSERT INTO orders (id, user_id, api_key_id, network, receiver, energy, duration_s, price_sun,
                     price_version_id, state, deadline_at, created_at, updated_at)
                 SELECT o.id::uuid, 1, k.id, 'nile', 'T' || repeat('a', 33), 65000, 3600, 1, k.id, 'pending',
                     now(), now(), now()
                 FROM unnest('{{{}}}'::text[]) AS o (id), api_keys AS k",
                listed.join(",")
            ))
            .await;
        orders
    }

    pub(crate) async fn order(&self) -> OrderId {
        self.orders(1).await[0]
    }

    /// Gives a user TRX to begin with.
    pub(crate) async fn fund(&self, user: i64, minor: i64) {
        let reference = format!("fund-{user}");
        let adjustment = adjustment(&reference, user, Direction::Credit, minor);
        let posted = self.adjust(&adjustment).await.unwrap();
        assert_eq!(posted, Posted::New);
    }

    pub(crate) async fn adjust(&self, adjustment: &Adjustment<'_>) -> Result<Posted, LedgerError> {
        run_tx(&self.api, "test", async |conn| {
            ledger::movements::adjust_in_tx(conn, adjustment).await
        })
        .await
    }

    pub(crate) async fn hold(&self, order: OrderId, user: i64, minor: i64) -> Result<Posted, LedgerError> {
        let hold = hold(order, user, minor);
        run_tx(&self.api, "test", async |conn| {
            ledger::movements::hold_in_tx(conn, &hold).await
        })
        .await
    }

    pub(crate) async fn settle(&self, order: OrderId) -> Result<Posted, LedgerError> {
        run_tx(&self.worker, "test", async |conn| {
            ledger::movements::settle_in_tx(conn, order, at()).await
        })
        .await
    }

    pub(crate) async fn settle_many(&self, orders: &[OrderId]) -> Result<usize, LedgerError> {
        run_tx(&self.worker, "test", async |conn| {
            ledger::movements::settle_many_in_tx(conn, orders, at()).await
        })
        .await
    }

    pub(crate) async fn refund(&self, order: OrderId) -> Result<Posted, LedgerError> {
        run_tx(&self.worker, "test", async |conn| {
            ledger::movements::refund_in_tx(conn, order, at()).await
        })
        .await
    }

    pub(crate) async fn cancel(&self, order: OrderId) -> Result<Posted, LedgerError> {
        run_tx(&self.api, "test", async |conn| {
            ledger::movements::cancel_in_tx(conn, order, Some("api_key:bot"), at()).await
        })
        .await
    }

    /// The TRX of a user.
    pub(crate) async fn trx(&self, user: i64) -> i64 {
        let mut conn = db::acquire(&self.api).await.unwrap();
        let balances = ledger::user_balances(&mut conn, UserId(user)).await.unwrap();
        balances
            .into_iter()
            .find(|(asset, _)| *asset == Asset::Trx)
            .unwrap()
            .1
            .minor()
    }

    pub(crate) async fn house(&self, account: Account) -> i128 {
        let mut conn = db::acquire(&self.api).await.unwrap();
        ledger::house_balance(&mut conn, &account).await.unwrap()
    }

    /// Escrow, revenue and adjustments of TRX.
    pub(crate) async fn houses(&self) -> [i128; 3] {
        [
            self.house(Account::Escrow(Asset::Trx)).await,
            self.house(Account::Revenue(Asset::Trx)).await,
            self.house(Account::Adjustments(Asset::Trx)).await,
        ]
    }

    pub(crate) async fn checkpoint(&self) -> usize {
        run_tx(&self.worker, "test", async |conn| {
            ledger::checkpoint_in_tx(conn, at()).await
        })
        .await
        .unwrap()
    }

    /// One number, asked as the owner.
    pub(crate) async fn number(&self, sql: &str) -> i64 {
        let pool = self.db.pool(Role::Owner);
        let mut conn = db::acquire(&pool).await.unwrap();
        diesel::sql_query(format!("SELECT ({sql})::bigint AS n"))
            .get_result::<Number>(&mut conn)
            .await
            .unwrap()
            .n
    }

    pub(crate) async fn transfers(&self) -> i64 {
        self.number("SELECT count(*) FROM ledger_transfers").await
    }

    /// Cached balances and checkpoints say what the transfers say, and every asset adds up to nothing.
    pub(crate) async fn assert_proven(&self) {
        let mut conn = db::acquire(&self.worker).await.unwrap();
        assert_eq!(ledger::check_replay(&mut conn).await.unwrap(), []);
        assert_eq!(ledger::check_balanced(&mut conn).await.unwrap(), []);
    }
}

pub(crate) fn at() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

pub(crate) fn amount(minor: i64) -> Amount {
    Amount::from_minor(minor).unwrap()
}

pub(crate) fn user_trx(user: i64) -> Account {
    Account::User {
        user: UserId(user),
        asset: Asset::Trx,
    }
}

pub(crate) fn hold(order: OrderId, user: i64, minor: i64) -> Hold<'static> {
    Hold {
        order,
        user: UserId(user),
        asset: Asset::Trx,
        amount: amount(minor),
        actor: "api_key:bot",
        at: at(),
    }
}

pub(crate) fn adjustment(reference: &str, user: i64, direction: Direction, minor: i64) -> Adjustment<'_> {
    Adjustment {
        reference,
        user: UserId(user),
        asset: Asset::Trx,
        amount: amount(minor),
        direction,
        note: "by hand",
        actor: "operator:anna",
        at: at(),
    }
}
