//! Exchanges that are asked for: once per key, at the rate in use, never more than there is.

use db::acquire;
use db::models::{EventType, ExchangeFilter, ExchangeState};
use diesel_async::SimpleAsyncConnection;
use domain::DomainError;
use domain::exchanges::{RequestExchange, Requested, Settled, find, page, request, settle_next};
use domain::orders::Idempotency;
use domain::rates::RatePolicy;
use futures::future::join_all;
use kernel::{Amount, Asset, ExchangeId, IdGen, UserId};
use ledger::movements::{Adjustment, Direction};
use switchyard_domain as domain;

use crate::rates::{RATE, policy};
use crate::world::{ANNA, World};

const USDT: i64 = 1_000_000;

impl World {
    /// Gives Anna USDT, or takes it.
    pub(crate) async fn usdt(&self, direction: Direction, micro: i64) {
        let reference = format!("usdt-{}", self.ids.uuid());
        let adjustment = Adjustment {
            reference: &reference,
            user: UserId(ANNA),
            asset: Asset::Usdt,
            amount: Amount::from_minor(micro).unwrap(),
            direction,
            note: "by hand",
            actor: "operator:anna",
            at: self.now(),
        };
        domain::users::adjust(&self.api, &adjustment).await.unwrap();
    }

    fn swap(&self, micro: i64) -> RequestExchange {
        RequestExchange {
            api_key: self.key,
            actor: self.actor(),
            user: UserId(ANNA),
            usdt: Amount::from_minor(micro).unwrap(),
            min_receive: None,
            idempotency: Idempotency {
                key: self.ids.uuid().to_string(),
                request_sha256: [1; 32],
            },
        }
    }

    async fn exchange(&self, wanted: &RequestExchange) -> Result<Requested, DomainError> {
        request(&self.api, &self.ids, &policy(), wanted, self.now()).await
    }

    /// Anna's TRX and USDT.
    pub(crate) async fn purse(&self) -> [i64; 2] {
        let balances = domain::users::balances(&self.api, UserId(ANNA)).await.unwrap();
        [Asset::Trx, Asset::Usdt].map(|asset| balances.iter().find(|(of, _)| *of == asset).unwrap().1.minor())
    }

    /// Does what waits for a rate; answers what came of each.
    pub(crate) async fn settle_exchanges(&self) -> Vec<Settled> {
        let mut all = Vec::new();
        loop {
            match settle_next(&self.worker, &self.ids, &policy(), self.now())
                .await
                .unwrap()
            {
                Settled::Nothing => return all,
                Settled::NoRate => {
                    all.push(Settled::NoRate);
                    return all;
                }
                settled => all.push(settled),
            }
        }
    }
}

#[tokio::test]
async fn usdt_becomes_trx_at_the_stored_rate_once_per_key() {
    let world = World::new().await;
    world.usdt(Direction::Credit, 100 * USDT).await;
    world.says(3_519_887).await;
    let all = world.listen(&[]).await;
    let before = world.purse().await;
    let wanted = world.swap(10_004_711);
    let done = world.exchange(&wanted).await.unwrap();
    assert!(!done.replayed);
    let exchange = done.exchange;
    assert_eq!(
        (
            exchange.state,
            exchange.sun,
            exchange.rate_sun_per_usdt,
            exchange.fee_bp
        ),
        (ExchangeState::Done, Some(35_215_452), Some(3_519_887), Some(0))
    );
    let after = world.purse().await;
    assert_eq!([after[0] - before[0], before[1] - after[1]], [35_215_452, 10_004_711]);

    // another rate, the same key: the same exchange
    world.clock.advance_seconds(10);
    world.says(3_600_000).await;
    let again = world.exchange(&wanted).await.unwrap();
    assert!(again.replayed);
    assert_eq!(again.exchange, exchange);
    let mut other = wanted.clone();
    other.idempotency.request_sha256 = [2; 32];
    assert!(matches!(
        world.exchange(&other).await.unwrap_err(),
        DomainError::IdempotencyMismatch
    ));
    assert_eq!(world.purse().await, after);
    assert_eq!(world.told(all).await, [EventType::ExchangeCompleted.word()]);
    let told = world
        .word("SELECT (data #>> '{to,amount}') || ' ' || (data ->> 'rate') AS word FROM events")
        .await;
    assert_eq!(told, "35.215452 3.519887");
    assert_eq!(find(&world.api, ExchangeId(exchange.id)).await.unwrap(), exchange);
    world.assert_sound().await;
}

#[tokio::test]
async fn twenty_at_once_never_exchange_more_than_there_is() {
    let world = World::new().await;
    world.usdt(Direction::Credit, 70 * USDT).await;
    world.says(RATE).await;
    let before = world.purse().await;
    let wanted: Vec<RequestExchange> = (0..20).map(|_| world.swap(10 * USDT)).collect();
    let done = join_all(wanted.iter().map(|wanted| world.exchange(wanted))).await;
    let good = done.iter().filter(|done| done.is_ok()).count();
    assert_eq!(good, 7);
    for refused in done.iter().filter_map(|done| done.as_ref().err()) {
        assert_eq!(refused.code(), "insufficient_funds", "{refused}");
    }
    let after = world.purse().await;
    assert_eq!([after[0] - before[0], after[1]], [7 * 10 * RATE, 0]);
    assert_eq!(world.count("exchanges").await, 7, "nothing is left of the refused ones");
    world.assert_sound().await;
}

#[tokio::test]
async fn one_key_at_twenty_places_is_one_exchange() {
    let world = World::new().await;
    world.usdt(Direction::Credit, 70 * USDT).await;
    world.says(RATE).await;
    let wanted = world.swap(10 * USDT);
    let done = join_all((0..20).map(|_| world.exchange(&wanted))).await;
    let mut ids: Vec<_> = done.into_iter().map(|done| done.unwrap().exchange.id).collect();
    ids.dedup();
    assert_eq!(ids.len(), 1);
    assert_eq!(world.purse().await[1], 60 * USDT);
    world.assert_sound().await;
}

#[tokio::test]
async fn what_cannot_be_exchanged_is_refused_and_moves_nothing() {
    let world = World::new().await;
    world.usdt(Direction::Credit, 10 * USDT).await;
    let refused = async |wanted: &RequestExchange| world.exchange(wanted).await.unwrap_err().code();
    assert_eq!(refused(&world.swap(USDT)).await, "rate_unavailable");
    world.says(RATE).await;
    let mut most = world.swap(USDT);
    most.min_receive = Some(Amount::from_minor(RATE + 1).unwrap());
    assert_eq!(refused(&most).await, "receive_below_minimum");
    assert_eq!(refused(&world.swap(0)).await, "amount_zero");
    assert_eq!(refused(&world.swap(i64::MAX)).await, "exchange_amount_invalid");
    assert_eq!(refused(&world.swap(10 * USDT + 1)).await, "insufficient_funds");
    world.clock.advance_seconds(301);
    assert_eq!(refused(&most).await, "rate_unavailable", "never at an old rate");
    world.says(RATE).await;
    world
        .db
        .sql("UPDATE users SET blocked_at = now(), blocked_reason = 'x'")
        .await;
    assert_eq!(refused(&world.swap(USDT)).await, "user_blocked");
    world
        .db
        .sql("UPDATE users SET blocked_at = NULL, blocked_reason = NULL")
        .await;
    assert_eq!((world.purse().await[1], world.count("exchanges").await), (10 * USDT, 0));
    // a refused request does not use its key up
    most.min_receive = Some(Amount::from_minor(RATE).unwrap());
    world.exchange(&most).await.unwrap();
    world.assert_sound().await;
}

#[tokio::test]
async fn the_fee_is_kept_and_stored() {
    let world = World::new().await;
    world.usdt(Direction::Credit, 10 * USDT).await;
    world.says(3_519_887).await;
    let policy = RatePolicy { fee_bp: 50, ..policy() };
    let done = request(&world.api, &world.ids, &policy, &world.swap(10 * USDT), world.now()).await;
    let exchange = done.unwrap().exchange;
    assert_eq!(
        (exchange.fee_bp, exchange.net_sun_per_usdt, exchange.sun),
        (Some(50), Some(3_502_287), Some(35_022_870))
    );
    world.assert_sound().await;
}

#[tokio::test]
async fn a_users_exchanges_are_listed_newest_first() {
    let world = World::new().await;
    world.usdt(Direction::Credit, 10 * USDT).await;
    world.says(RATE).await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(world.exchange(&world.swap(USDT)).await.unwrap().exchange.id);
    }
    ids.reverse();
    let of = |user| ExchangeFilter {
        user_id: Some(user),
        ..ExchangeFilter::default()
    };
    let listed = async |place| page(&world.api, &of(ANNA), place, 2).await.unwrap();
    let first: Vec<_> = listed(None).await.iter().map(|exchange| exchange.id).collect();
    assert_eq!(first, ids[..2]);
    let second: Vec<_> = listed(Some(ExchangeId(ids[1])))
        .await
        .iter()
        .map(|exchange| exchange.id)
        .collect();
    assert_eq!(second, ids[2..]);
    assert!(page(&world.api, &of(1), None, 2).await.unwrap().is_empty());
}

#[tokio::test]
async fn the_books_of_exchanges_are_proven_and_cannot_be_edited() {
    let world = World::new().await;
    world.usdt(Direction::Credit, 10 * USDT).await;
    world.says(RATE).await;
    let done = world.exchange(&world.swap(USDT)).await.unwrap().exchange;
    let owner = world.db.pool(testkit::Role::Owner);
    let mut conn = acquire(&owner).await.unwrap();
    for sql in [
        "UPDATE exchanges SET sun = sun + 1",
        "UPDATE exchanges SET state = 'pending', ended_at = NULL, rate_id = NULL, rate_sun_per_usdt = NULL, \
            fee_bp = NULL, net_sun_per_usdt = NULL, sun = NULL",
        "UPDATE exchanges SET user_id = 8",
        "DELETE FROM exchanges",
    ] {
        assert!(conn.batch_execute(sql).await.is_err(), "{sql}");
    }
    drop(conn);
    let mut conn = acquire(&world.api).await.unwrap();
    for sql in ["UPDATE exchanges SET sun = 1", "DELETE FROM exchanges"] {
        let refused = conn.batch_execute(sql).await.unwrap_err().to_string();
        assert!(refused.contains("permission denied"), "{sql}: {refused}");
    }
    drop(conn);
    // behind the triggers' back, within what the CHECKs allow
    let behind = |sql: &str| format!("SET session_replication_role = replica; {sql}; RESET session_replication_role");
    world
        .db
        .sql(&behind(
            "UPDATE exchanges SET usdt_micro = 2 * usdt_micro, sun = 2 * sun",
        ))
        .await;
    assert_eq!(world.reconcile().await.findings, 2, "both legs differ");
    assert_eq!(world.findings().await, ["exchanges.ledger_differs"; 2]);
    let found = world
        .word("SELECT detail ->> 'recorded' AS word FROM findings WHERE subject LIKE '%:trx'")
        .await;
    assert_eq!(
        found,
        format!("house:exchange:TRX > user:7:TRX {}", 2 * done.sun.unwrap())
    );
    world
        .db
        .sql(&behind(
            "UPDATE exchanges SET usdt_micro = usdt_micro / 2, sun = sun / 2",
        ))
        .await;
    world.assert_sound().await;
    assert!(world.findings().await.is_empty());
}
