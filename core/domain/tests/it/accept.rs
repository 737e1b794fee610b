//! Accepting orders: one price, one hold, one job per key, or nothing at all.

use std::sync::Arc;

use db::models::{OrderState, Switch};
use db::{acquire, run_tx};
use domain::api_keys::NewKey;
use domain::orders::AcceptOrder;
use domain::{DomainError, users};
use kernel::{OrderId, UserId};
use switchyard_domain as domain;

use crate::world::{ANNA, NETWORK, PRICE, World, address};

/// Nothing of a refused request is left.
async fn assert_untouched(world: &World) {
    assert_eq!(world.money().await, [0, 0, 0]);
    for table in ["orders", "order_events", "jobs", "idempotency_keys"] {
        assert_eq!(world.count(table).await, 0, "{table}");
    }
    world.assert_sound().await;
}

#[tokio::test]
async fn an_accepted_order_is_paid_noted_and_queued() {
    let world = World::new().await;
    let accepted = world.accept(&world.request("k", 1)).await.unwrap();
    let order = accepted.order;
    assert!(!accepted.replayed);
    assert_eq!((order.state, order.price_sun), (OrderState::Pending, PRICE));
    assert_eq!((order.network.as_str(), order.attempts), (NETWORK, 0));
    assert_eq!(order.deadline_at, world.now() + world.policy.deadline);
    assert_eq!(world.money().await, [1, 1, 0]);
    assert_eq!(world.events(OrderId(order.id)).await, ["accepted"]);
    assert!(world.has_job("orders.delegate", order.id).await);
    assert_eq!(accepted.wake.unwrap().object_id, order.id.to_string());
    world.assert_sound().await;
}

#[tokio::test]
async fn the_price_is_rounded_up_to_a_sun() {
    let world = World::new().await;
    let band = domain::pricing::Band {
        energy_min: 1,
        energy_max: 1_000_000,
        duration_min_s: 1,
        duration_max_s: 86_400,
        price_millisun_per_energy: 33,
    };
    let note = ("second", "operator:anna");
    domain::pricing::publish(
        &world.worker,
        &world.ids,
        &[band],
        note,
        world.now() + chrono::Duration::seconds(1),
    )
    .await
    .unwrap();
    let request = AcceptOrder {
        energy: 65_001,
        ..world.request("k", 1)
    };
    // 65001 x 33 / 1000 = 2145.033
    assert_eq!(world.accept(&request).await.unwrap().order.price_sun, 2146);
}

#[tokio::test]
async fn the_same_request_again_answers_the_same_order() {
    let world = World::new().await;
    let first = world.accept(&world.request("k", 1)).await.unwrap().order;
    world.clock.advance_seconds(3600);
    let again = world.accept(&world.request("k", 1)).await.unwrap();
    assert!(again.replayed && again.wake.is_none());
    assert_eq!(again.order, first);
    assert_eq!(world.money().await, [1, 1, 0]);
    assert_eq!(world.count("orders").await, 1);
}

#[tokio::test]
async fn a_replay_is_answered_whatever_was_decided_since() {
    let mut world = World::new().await;
    let request = world.request("k", 1);
    let first = world.accept(&request).await.unwrap().order;
    throw_maintenance(&world, true).await;
    users::set_blocked(&world.api, UserId(ANNA), Some("fraud"), world.now())
        .await
        .unwrap();
    world.wallet(199, 1).await; // its address is the receiver
    world.policy.energy_min = request.energy + 1;
    world.policy.duration_max_s = request.duration_s - 1;
    let again = world.accept(&request).await.unwrap();
    assert_eq!((again.replayed, again.order.id), (true, first.id));
}

#[tokio::test]
async fn a_key_is_for_one_request() {
    let world = World::new().await;
    world.accept(&world.request("k", 1)).await.unwrap();
    let other = world.accept(&world.request("k", 2)).await;
    assert!(matches!(other, Err(DomainError::IdempotencyMismatch)), "{other:?}");
    assert_eq!((world.count("orders").await, world.money().await), (1, [1, 1, 0]));
}

#[tokio::test]
async fn a_key_of_another_kind_of_resource_is_refused() {
    let world = World::new().await;
    let request = world.request("k", 1);
    world
        .db
        .sql(&format!(
            "INSERT INTO idempotency_keys (api_key_id, key, request_sha256, resource_kind, resource_id, created_at) \
             VALUES ('{}', 'k', decode(repeat('01', 32), 'hex'), 'adjustment', 'a', now())",
            world.key
        ))
        .await;
    let refused = world.accept(&request).await;
    assert!(matches!(refused, Err(DomainError::IdempotencyMismatch)), "{refused:?}");
    assert_eq!((world.count("orders").await, world.money().await), (0, [0, 0, 0]));
}

#[tokio::test]
async fn keys_of_two_callers_do_not_meet() {
    let world = World::new().await;
    let scopes = ["orders:write".to_owned()];
    let other = domain::api_keys::create(
        &world.worker,
        &world.ids,
        &NewKey::anywhere("shop", &scopes, 10),
        &[8; 64],
        world.now(),
    )
    .await;
    let first = world.accept(&world.request("k", 1)).await.unwrap();
    let request = AcceptOrder {
        api_key: other.unwrap().id,
        ..world.request("k", 1)
    };
    let second = world.accept(&request).await.unwrap();
    assert!(!second.replayed && second.order.id != first.order.id);
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_at_once_with_one_key_are_one_order() {
    let world = Arc::new(World::new().await);
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let world = Arc::clone(&world);
        tasks.spawn(async move { world.accept(&world.request("k", 1)).await.unwrap() });
    }
    let answers = tasks.join_all().await;
    assert_eq!(answers.iter().filter(|answer| !answer.replayed).count(), 1);
    assert!(answers.iter().all(|answer| answer.order.id == answers[0].order.id));
    assert_eq!((world.count("orders").await, world.money().await), (1, [1, 1, 0]));
    world.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_balance_is_spent_once_however_many_ask() {
    let world = Arc::new(World::new().await);
    world.fund(8, PRICE * 3 + PRICE / 2).await;
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..20 {
        let world = Arc::clone(&world);
        tasks.spawn(async move {
            let request = AcceptOrder {
                user: UserId(8),
                ..world.request(&format!("k{n}"), 1)
            };
            world.accept(&request).await
        });
    }
    let answers = tasks.join_all().await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 3);
    for refused in answers.into_iter().filter_map(Result::err) {
        assert!(matches!(refused, DomainError::InsufficientFunds { .. }), "{refused:?}");
    }
    assert_eq!(world.trx(8).await, PRICE / 2);
    world.assert_sound().await;
}

#[tokio::test]
async fn too_little_money_leaves_nothing_and_the_key_free() {
    let world = World::new().await;
    world.fund(8, PRICE - 1).await;
    let request = AcceptOrder {
        user: UserId(8),
        ..world.request("k", 1)
    };
    let refused = world.accept(&request).await.unwrap_err();
    assert!(
        matches!(&refused, DomainError::InsufficientFunds { needed } if needed.minor() == PRICE),
        "{refused:?}"
    );
    assert_eq!(refused.code(), "insufficient_funds");
    assert_untouched(&world).await;
    assert_eq!(world.trx(8).await, PRICE - 1);
    world.fund(8, 1).await;
    assert!(!world.accept(&request).await.unwrap().replayed);
    assert_eq!(world.trx(8).await, 0);
}

#[tokio::test]
async fn a_user_never_seen_has_no_money() {
    let world = World::new().await;
    let request = AcceptOrder {
        user: UserId(99),
        ..world.request("k", 1)
    };
    let refused = world.accept(&request).await;
    assert!(
        matches!(refused, Err(DomainError::InsufficientFunds { .. })),
        "{refused:?}"
    );
    assert_eq!(world.count("users WHERE id = 99").await, 0);
    assert_untouched(&world).await;
}

#[tokio::test]
async fn a_blocked_user_orders_nothing() {
    let world = World::new().await;
    users::set_blocked(&world.api, UserId(ANNA), Some("fraud"), world.now())
        .await
        .unwrap();
    let refused = world.accept(&world.request("k", 1)).await;
    assert!(matches!(refused, Err(DomainError::UserBlocked)), "{refused:?}");
    assert_untouched(&world).await;
    users::set_blocked(&world.api, UserId(ANNA), None, world.now())
        .await
        .unwrap();
    world.accept(&world.request("k", 1)).await.unwrap();
}

pub(crate) async fn throw_maintenance(world: &World, enabled: bool) {
    throw(world, Switch::MAINTENANCE, enabled).await;
}

pub(crate) async fn throw(world: &World, switch: &str, enabled: bool) {
    let switch = Switch {
        name: switch.to_owned(),
        enabled,
        reason: "a test".to_owned(),
        actor: "operator:anna".to_owned(),
        updated_at: world.now(),
    };
    run_tx(&world.worker, "test_switch", async |conn| {
        Ok::<_, DomainError>(switch.throw(conn).await?)
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn maintenance_stops_new_orders() {
    let world = World::new().await;
    throw_maintenance(&world, true).await;
    let refused = world.accept(&world.request("k", 1)).await;
    assert!(matches!(refused, Err(DomainError::Maintenance)), "{refused:?}");
    assert_untouched(&world).await;
}

#[tokio::test]
async fn a_wallet_of_ours_is_no_receiver() {
    let world = World::new().await;
    world.wallet(1, 1).await;
    let request = AcceptOrder {
        receiver: address(199),
        ..world.request("k", 1)
    };
    let refused = world.accept(&request).await;
    assert!(matches!(refused, Err(DomainError::ReceiverIsSupplier)), "{refused:?}");
    assert_untouched(&world).await;
}

#[tokio::test]
async fn what_is_not_sold_is_refused() {
    let world = World::new().await;
    let base = world.request("k", 1);
    let with = |energy, duration_s| AcceptOrder {
        energy,
        duration_s,
        ..base.clone()
    };
    for (request, code) in [
        (with(31_999, 3600), "energy_out_of_range"),
        (with(2_000_001, 3600), "energy_out_of_range"),
        (with(i64::MAX, 3600), "energy_out_of_range"),
        (with(-1, 3600), "energy_out_of_range"),
        (with(65_000, 299), "duration_out_of_range"),
        (with(65_000, 172_801), "duration_out_of_range"),
        (with(1_000_001, 3600), "no_price"),
        (with(65_000, 86_401), "no_price"),
    ] {
        let refused = world.accept(&request).await.unwrap_err();
        assert_eq!(refused.code(), code, "{request:?}");
    }
    assert_untouched(&world).await;
    for bound in [with(32_000, 300), with(1_000_000, 86_400)] {
        let key = format!("{}", bound.energy);
        let mut request = bound;
        request.idempotency.key = key;
        world.accept(&request).await.unwrap();
    }
}

#[tokio::test]
async fn the_api_may_not_touch_what_workers_own() {
    let world = World::new().await;
    let order = world.order(1).await;
    for statement in [
        "UPDATE ledger_accounts SET balance = 1".to_owned(),
        "DELETE FROM orders".to_owned(),
        "UPDATE supplier_wallets SET reserved_sun = 0".to_owned(),
        "UPDATE chain_cursors SET head_number = 0".to_owned(),
        "SELECT * FROM wallet_keys".to_owned(),
        format!("INSERT INTO delegations SELECT * FROM delegations WHERE order_id = '{order}'"),
    ] {
        let mut conn = acquire(&world.api).await.unwrap();
        let refused = diesel_async::SimpleAsyncConnection::batch_execute(&mut *conn, &statement)
            .await
            .unwrap_err();
        assert!(
            refused.to_string().contains("permission denied"),
            "{statement}: {refused}"
        );
    }
}
