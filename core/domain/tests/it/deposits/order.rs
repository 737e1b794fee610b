//! Orders that deposits buy: placed once when all of it came, or never, and the money is on the balance.

use db::models::{DepositOrder, DepositOrderState, EventType};
use domain::DomainError;
use domain::deposits::{Placing, place_order};
use domain::pricing::Band;
use kernel::OrderId;

use super::*;
use crate::accept::throw_maintenance;
use crate::world::{ENERGY, HOUR, PRICE};

const TEN_MINUTES: Duration = Duration::minutes(10);

impl World {
    /// Anna announces a deposit of the price of an order for the receiver 5.
    pub(super) async fn announce_order(&self, to: TronAddress) -> Uuid {
        let deposit = self.announce(to, Asset::Trx, Some(PRICE)).await;
        let mut conn = acquire(&self.api).await.unwrap();
        let version = self.word("SELECT id::text AS word FROM price_versions").await;
        let row = DepositOrder {
            deposit_id: deposit,
            receiver: address(5).to_string(),
            energy: ENERGY,
            duration_s: HOUR,
            price_sun: PRICE,
            price_version_id: version.parse().unwrap(),
            state: DepositOrderState::Waiting,
            order_id: None,
            reason_code: None,
            created_at: self.now(),
            updated_at: self.now(),
        };
        row.insert(&mut conn).await.unwrap();
        deposit
    }

    async fn place(&self, deposit: Uuid) -> Placing {
        place_order(&self.worker, &self.ids, deposit, TEN_MINUTES, self.now())
            .await
            .unwrap()
    }

    pub(super) async fn bought(&self, deposit: Uuid) -> DepositOrder {
        let mut conn = acquire(&self.api).await.unwrap();
        let found = DepositOrder::of_deposits(&mut conn, &[deposit]).await.unwrap();
        found.into_iter().next().unwrap()
    }

    /// Every energy costs so many thousandths of a sun from now on.
    async fn reprice(&self, price_millisun_per_energy: i64) {
        self.clock.advance_seconds(1);
        let band = Band {
            energy_min: 1,
            energy_max: 1_000_000,
            duration_min_s: 60,
            duration_max_s: 86_400,
            price_millisun_per_energy,
        };
        domain::pricing::publish(&self.worker, &self.ids, &[band], ("new", "operator:anna"), self.now())
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_paid_deposit_buys_its_order_once() {
    let world = World::new().await;
    let to = world.annas().await;
    let deposit = world.announce_order(to).await;
    let before = world.balance(Asset::Trx).await;
    assert_eq!(world.place(deposit).await, Placing::NothingToDo, "nothing came");
    world.settle(&[coin(1, to, PRICE - 1)]).await;
    assert!(!world.has_job("deposits.place_order", deposit).await);
    assert_eq!(world.place(deposit).await, Placing::NothingToDo, "not all of it came");

    world.reprice(90_000).await;
    world.settle(&[coin(2, to, 1)]).await;
    assert!(world.has_job("deposits.place_order", deposit).await);
    world.drain_jobs().await;
    world.reconcile().await;
    assert!(
        world.has_job("deposits.place_order", deposit).await,
        "a lost job comes back"
    );
    let place = || world.place(deposit);
    let (a, b, c, d) = tokio::join!(place(), place(), place(), place());
    let placed = [a, b, c, d];
    let orders: Vec<OrderId> = placed
        .iter()
        .filter_map(|placing| match placing {
            Placing::Placed { order, .. } => Some(*order),
            _ => None,
        })
        .collect();
    assert_eq!(orders.len(), 1, "{placed:?}");
    let order = world.find(orders[0]).await;
    assert_eq!(
        (order.price_sun, order.energy, order.duration_s),
        (PRICE, ENERGY, HOUR),
        "the price that was told"
    );
    assert_eq!((order.user_id, order.receiver), (ANNA, address(5).to_string()));
    assert!(world.has_job("orders.delegate", orders[0]).await);
    let bought = world.bought(deposit).await;
    assert_eq!(
        (bought.state, bought.order_id),
        (DepositOrderState::Placed, Some(orders[0].0))
    );
    assert_eq!(world.balance(Asset::Trx).await, before, "all of it is in escrow");
    // a second payment of the same is the user's, and buys nothing
    world.settle(&[coin(3, to, PRICE)]).await;
    assert_eq!(world.place(deposit).await, Placing::NothingToDo);
    assert_eq!(world.count("orders").await, 1);
    world.assert_sound().await;
}

#[tokio::test]
async fn what_was_spent_before_the_rest_came_buys_nothing_and_is_told() {
    let world = World::new().await;
    let to = world.annas().await;
    let deposit = world.announce_order(to).await;
    let all = world.listen(&[EventType::DepositOrderFailed]).await;
    world.settle(&[coin(1, to, PRICE)]).await;
    while world.balance(Asset::Trx).await >= PRICE {
        world.order(6).await;
    }
    let left = world.balance(Asset::Trx).await;
    assert_eq!(world.place(deposit).await, Placing::Failed("insufficient_funds"));
    assert_eq!(world.place(deposit).await, Placing::NothingToDo);
    let bought = world.bought(deposit).await;
    assert_eq!(
        (bought.state, bought.reason_code.as_deref()),
        (DepositOrderState::Failed, Some("insufficient_funds"))
    );
    assert_eq!(world.balance(Asset::Trx).await, left);
    assert_eq!(world.told(all).await, ["deposit.order_failed"]);
    let reason = "SELECT data #>> '{order,reason}' AS word FROM events WHERE event_type = 'deposit.order_failed'";
    assert_eq!(world.word(reason).await, "insufficient_funds");
    world.assert_sound().await;
}

#[tokio::test]
async fn what_came_late_buys_only_what_has_not_become_dearer() {
    let world = World::new().await;
    let to = world.annas().await;
    for (n, (price, bought)) in [(50_000, true), (49_000, true), (50_001, false)]
        .into_iter()
        .enumerate()
    {
        let n = u32::try_from(n).unwrap();
        let deposit = world.announce_order(to).await;
        world
            .mine_at(world.deposit(deposit).await.expires_at + Duration::seconds(1))
            .await;
        world.settle(&[coin(n, to, PRICE)]).await;
        assert_eq!(world.deposit(deposit).await.state, DepositState::Paid);
        world.reprice(price).await;
        let placing = world.place(deposit).await;
        assert_eq!(matches!(placing, Placing::Placed { .. }), bought, "{placing:?}");
        if !bought {
            assert_eq!(placing, Placing::Failed("late"));
        }
    }
    world.assert_sound().await;
}

#[tokio::test]
async fn beyond_its_keys_limit_of_a_day_it_waits_for_the_next() {
    let world = World::new().await;
    let to = world.annas().await;
    let limit = async |sun: i64| {
        let sql = format!("UPDATE api_keys SET daily_limit_sun = {sun}");
        world.db.sql(&sql).await;
    };
    limit(2 * PRICE - 1).await;
    world.order(6).await;
    let deposit = world.announce_order(to).await;
    world.settle(&[coin(1, to, PRICE)]).await;
    assert_eq!(world.place(deposit).await, Placing::Limited);
    assert_eq!(world.bought(deposit).await.state, DepositOrderState::Waiting);
    assert_eq!(world.count("orders").await, 1);
    world.clock.advance_seconds(86_400);
    assert!(matches!(world.place(deposit).await, Placing::Placed { .. }));
    let beside = world.accept(&world.request("beside", 7)).await;
    assert!(matches!(beside, Err(DomainError::DailyLimit { .. })), "{beside:?}");

    limit(PRICE - 1).await;
    let deposit = world.announce_order(to).await;
    world.settle(&[coin(2, to, PRICE)]).await;
    assert_eq!(
        world.place(deposit).await,
        Placing::Failed("daily_limit"),
        "no day has room"
    );
    assert_eq!(world.count("orders").await, 2);
}

#[tokio::test]
async fn while_new_orders_are_stopped_it_waits() {
    let world = World::new().await;
    let to = world.annas().await;
    let deposit = world.announce_order(to).await;
    world.settle(&[coin(1, to, PRICE)]).await;
    throw_maintenance(&world, true).await;
    assert_eq!(world.place(deposit).await, Placing::Stopped);
    assert_eq!(world.bought(deposit).await.state, DepositOrderState::Waiting);
    throw_maintenance(&world, false).await;
    assert!(matches!(world.place(deposit).await, Placing::Placed { .. }));
    world.assert_sound().await;
}
