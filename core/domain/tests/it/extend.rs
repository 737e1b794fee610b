//! More time for rentals that run: bought once, never for what is over or not there for good.

use chrono::Duration;
use db::acquire;
use db::models::OrderState;
use diesel_async::SimpleAsyncConnection;
use domain::DomainError;
use domain::orders::{ExtendOrder, Extended, Idempotency, extend};
use domain::users;
use kernel::{Amount, Asset, OrderId, UserId};
use ledger::movements::{Adjustment, Direction};
use switchyard_domain as domain;

use crate::harness::landed;
use crate::world::{ANNA, HOUR, PRICE, STAKE, World};

async fn world() -> World {
    let world = World::new().await;
    world.wallet(1, STAKE * 9).await;
    world
}

fn wish(world: &World, key: &str, order: OrderId, duration_s: i32) -> ExtendOrder {
    ExtendOrder {
        api_key: world.key,
        actor: world.actor(),
        order,
        duration_s,
        idempotency: Idempotency {
            key: key.to_owned(),
            request_sha256: [u8::try_from(duration_s % 251).unwrap(); 32],
        },
    }
}

async fn try_extend(world: &World, key: &str, order: OrderId, duration_s: i32) -> Result<Extended, DomainError> {
    let wish = wish(world, key, order, duration_s);
    extend(&world.api, &world.ids, &world.policy, &wish, world.now()).await
}

async fn spend(world: &World, minor: i64) {
    let adjustment = Adjustment {
        reference: "spent",
        user: UserId(ANNA),
        asset: Asset::Trx,
        amount: Amount::from_minor(minor).unwrap(),
        direction: Direction::Debit,
        note: "on something else",
        actor: "operator:anna",
        at: world.now(),
    };
    users::adjust(&world.api, &adjustment).await.unwrap();
}

/// A settled order whose rental runs by everybody's clock.
async fn settled(world: &World) -> (OrderId, crate::harness::Tx) {
    let (order, tx) = world.deliver(1).await;
    world.solidify().await;
    assert_eq!(world.finalise().await, 1);
    (order, tx)
}

#[tokio::test]
async fn time_is_bought_once_and_the_rental_ends_later() {
    let world = world().await;
    let (order, tx) = settled(&world).await;
    let before = world.find(order).await.ends_at.unwrap();
    let extended = try_extend(&world, "more", order, HOUR).await.unwrap();
    let end = before + Duration::seconds(i64::from(HOUR));
    assert_eq!((extended.order.ends_at, extended.replayed), (Some(end), false));
    assert_eq!(extended.extension.price_sun, PRICE);
    assert_eq!(
        world.money().await,
        [2, 0, 2],
        "the order and its extension, both earned"
    );

    let again = try_extend(&world, "more", order, HOUR).await.unwrap();
    assert_eq!((again.extension, again.replayed), (extended.extension, true));
    let other = try_extend(&world, "more", order, HOUR + 60).await;
    assert!(matches!(other, Err(DomainError::IdempotencyMismatch)));
    assert_eq!(world.money().await, [2, 0, 2]);
    assert_eq!(world.find(order).await.ends_at, Some(end));

    world.mine_at(before).await;
    assert!(!world.has_job("delegations.reclaim", tx.delegation).await);
    assert_eq!(world.reclaim(tx.delegation).await, Err("not yet"));
    world.mine_at(end).await;
    assert!(world.has_job("delegations.reclaim", tx.delegation).await);
    let back = world.reclaim(tx.delegation).await.unwrap();
    world.mine(&[landed(&back)]).await;
    assert_eq!(
        world.events(order).await,
        ["accepted", "signed", "completed", "settled", "extended", "reclaimed"]
    );
    world.assert_sound().await;
}

#[tokio::test]
async fn time_is_bought_in_the_name_of_who_asks() {
    let world = world().await;
    let (order, _) = settled(&world).await;
    let wish = ExtendOrder {
        actor: "operator:ben".to_owned(),
        ..wish(&world, "more", order, HOUR)
    };
    extend(&world.api, &world.ids, &world.policy, &wish, world.now())
        .await
        .unwrap();
    for line in [
        "order_events WHERE event = 'extended'",
        "ledger_transfers WHERE reason = 'order_extension'",
    ] {
        assert_eq!(
            world.count(&format!("{line} AND actor = 'operator:ben'")).await,
            1,
            "{line}"
        );
    }
}

#[tokio::test]
async fn what_is_not_there_for_good_or_over_is_not_extended() {
    let world = world().await;
    let refused = async |order, state| {
        let refused = try_extend(&world, "x", order, HOUR).await;
        assert!(
            matches!(refused, Err(DomainError::NotExtendable(found)) if found == state),
            "{refused:?}"
        );
    };
    let pending = world.order(2).await;
    refused(pending, OrderState::Pending).await;
    let tx = world.claim(pending).await;
    refused(pending, OrderState::Processing).await;
    world.mine(&[landed(&tx)]).await;
    refused(pending, OrderState::Completed).await; // a fork may take it away
    world.solidify().await;
    world.finalise().await;
    let end = world.find(pending).await.ends_at.unwrap();
    world.mine_at(end).await;
    refused(pending, OrderState::Completed).await; // over by the chain's clock
    world.reclaim(tx.delegation).await.unwrap();
    refused(pending, OrderState::Completed).await;
    assert_eq!(world.money().await, [1, 0, 1]);

    let (order, _) = settled(&world).await;
    let length = Duration::seconds(i64::from(HOUR));
    world.clock.advance_seconds((length * 3).num_seconds());
    refused(order, OrderState::Completed).await; // over by ours
    let unknown = try_extend(&world, "x", OrderId::new(&world.ids), HOUR).await;
    assert!(matches!(unknown, Err(DomainError::NotFound("order"))));
    world.assert_sound().await;
}

#[tokio::test]
async fn an_extension_needs_its_price_and_has_its_bounds() {
    let world = world().await;
    let (order, _) = settled(&world).await;
    let end = world.find(order).await.ends_at;
    for duration_s in [1, i32::MAX] {
        let refused = try_extend(&world, "bounds", order, duration_s).await;
        assert!(
            matches!(refused, Err(DomainError::DurationOutOfRange { .. })),
            "{refused:?}"
        );
    }
    let has = world.trx(ANNA).await;
    spend(&world, has - PRICE + 1).await;
    let refused = try_extend(&world, "poor", order, HOUR).await;
    assert!(
        matches!(refused, Err(DomainError::InsufficientFunds { .. })),
        "{refused:?}"
    );
    assert_eq!(world.find(order).await.ends_at, end, "nothing was written");
    assert_eq!(world.count("order_extensions").await, 0);
    // the key is free again
    world.fund(ANNA, 1).await;
    assert!(!try_extend(&world, "poor", order, HOUR).await.unwrap().replayed);
    world.assert_sound().await;
}

#[tokio::test]
async fn extensions_beside_each_other_add_up_and_beside_the_reclaim_one_wins() {
    let world = std::sync::Arc::new(world().await);
    let (order, tx) = settled(&world).await;
    let before = world.find(order).await.ends_at.unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..4 {
        let world = std::sync::Arc::clone(&world);
        tasks.spawn(async move { try_extend(&world, &format!("k{n}"), order, HOUR).await.is_ok() });
    }
    let done = tasks.join_all().await.into_iter().filter(|done| *done).count();
    assert_eq!(done, 4);
    let end = world.find(order).await.ends_at.unwrap();
    assert_eq!(end, before + Duration::seconds(4 * i64::from(HOUR)));
    assert_eq!(world.money().await, [5, 0, 5]);

    // the end was reached by the chain's clock, and the reclaim is on its way: nothing is sold any more
    world.mine_at(end).await;
    let (late, back) = tokio::join!(try_extend(&world, "late", order, HOUR), world.reclaim(tx.delegation));
    assert!(late.is_err() && back.is_ok(), "{late:?} {back:?}");
    world.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_keys_day_is_locked_before_the_users_account() {
    let world = std::sync::Arc::new(world().await);
    let (order, _) = settled(&world).await;
    let limit = format!("UPDATE api_keys SET daily_limit_sun = {}", PRICE * 10);
    world.db.sql(&limit).await;
    try_extend(&world, "first", order, HOUR).await.unwrap();
    let mut other = acquire(&world.worker).await.unwrap();
    let holds = "BEGIN; SELECT 1 FROM api_key_spending FOR UPDATE";
    other.batch_execute(holds).await.unwrap();
    let asking = std::sync::Arc::clone(&world);
    let extending = tokio::spawn(async move { try_extend(&asking, "second", order, HOUR).await });
    let waiting = "pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
    while world.count(waiting).await == 0 {
        assert!(!extending.is_finished(), "it did not wait");
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let account = format!("SELECT 1 FROM ledger_accounts WHERE code = 'user:{ANNA}:TRX' FOR UPDATE NOWAIT");
    let free = world.db.try_sql(&account).await;
    other.batch_execute("COMMIT").await.unwrap();
    assert!(free.is_ok(), "{free:?}");
    extending.await.unwrap().unwrap();
}

#[tokio::test]
async fn the_database_moves_the_end_of_a_settled_order_by_an_extension_only() {
    let world = world().await;
    let (order, _) = settled(&world).await;
    let by_hand = format!("UPDATE orders SET ends_at = ends_at + interval '1 hour' WHERE id = '{order}'");
    world.db.try_sql(&by_hand).await.unwrap_err();
    try_extend(&world, "k", order, HOUR).await.unwrap();
    for sql in [
        "UPDATE order_extensions SET price_sun = 1",
        "DELETE FROM order_extensions",
        "INSERT INTO order_extensions SELECT gen_random_uuid(), order_id, api_key_id, duration_s, price_sun, \
            price_version_id, ends_at_before, ends_at, now() FROM order_extensions",
    ] {
        world.db.try_sql(sql).await.unwrap_err();
    }
}
