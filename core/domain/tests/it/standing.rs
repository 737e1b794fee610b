//! Standing orders: begun once, one order at a time, within the budget, and over for good.

use std::sync::Arc;

use chain::EnergyMarket;
use chrono::Duration;
use db::models::{OrderState, StandingState};
use domain::DomainError;
use domain::orders::Idempotency;
use domain::standing_orders::{Kept, OpenStanding, Opened, Seen, detail, keep, open, stop};
use kernel::{Amount, StandingOrderId, UserId};
use switchyard_domain as domain;

use crate::harness::landed;
use crate::world::{ANNA, ENERGY, HOUR, PRICE, STAKE, World, address};

/// A rental's stake gives a hundredth more than was sold.
const MARKET: EnergyMarket = EnergyMarket {
    total_limit: ENERGY * 101,
    total_weight: STAKE / 10_000,
};

fn wish(world: &World, key: &str, receiver: u8, prices: i64) -> OpenStanding {
    OpenStanding {
        api_key: world.key,
        user: UserId(ANNA),
        receiver: address(receiver),
        keep_energy: ENERGY,
        duration_s: HOUR,
        budget: Amount::from_minor(PRICE * prices).unwrap(),
        until: world.now() + Duration::days(30),
        idempotency: Idempotency {
            key: key.to_owned(),
            request_sha256: [receiver; 32],
        },
    }
}

async fn begin(world: &World, wish: &OpenStanding) -> Result<Opened, DomainError> {
    open(&world.api, &world.ids, &world.policy, wish, world.now()).await
}

async fn begun(world: &World, receiver: u8, prices: i64) -> StandingOrderId {
    let opened = begin(world, &wish(world, &format!("k{receiver}"), receiver, prices))
        .await
        .unwrap();
    assert!(world.has_job("orders.keep", opened.standing.id).await);
    StandingOrderId(opened.standing.id)
}

/// What a look finds that sees so much energy, and every block that we know.
async fn look(world: &World, id: StandingOrderId, energy: i64) -> Kept {
    let cursor = world.cursor().await;
    let seen = Seen {
        energy,
        block: cursor.head_number,
        market: MARKET,
        chain_time: cursor.head_time,
        lead: Duration::seconds(60),
    };
    let policy = &world.policy;
    keep(&world.worker, &world.ids, policy, (id, seen), world.now())
        .await
        .unwrap()
}

async fn world() -> World {
    let world = World::new().await;
    world.wallet(1, STAKE * 20).await;
    world
}

#[tokio::test]
async fn of_many_looks_at_once_one_orders_and_what_is_on_its_way_is_not_ordered_again() {
    let world = Arc::new(world().await);
    let id = begun(&world, 1, 10).await;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let world = Arc::clone(&world);
        tasks.spawn(async move { look(&world, id, 0).await });
    }
    let looks = tasks.join_all().await;
    let ordered: Vec<_> = looks
        .iter()
        .filter_map(|look| match look {
            Kept::Ordered { order, .. } => Some(*order),
            Kept::Enough => None,
            other => panic!("{other:?}"),
        })
        .collect();
    let [order] = ordered[..] else { panic!("{looks:?}") };
    assert_eq!(world.count("orders").await, 1);

    let tx = world.claim(order).await;
    assert_eq!(look(&world, id, 0).await, Kept::Enough, "it is on its way");
    world.mine(&[landed(&tx)]).await;
    // a node that lags does not show it: the read holds only the block before
    let cursor = world.cursor().await;
    let lags = Seen {
        energy: 0,
        block: cursor.head_number - 1,
        market: MARKET,
        chain_time: cursor.head_time,
        lead: Duration::zero(),
    };
    let policy = &world.policy;
    let kept = keep(&world.worker, &world.ids, policy, (id, lags), world.now())
        .await
        .unwrap();
    assert_eq!(kept, Kept::Enough);
    // a read that holds it and shows nothing left: it was used
    assert!(matches!(look(&world, id, 0).await, Kept::Ordered { .. }));
    assert_eq!(world.count("orders").await, 2);
    assert_eq!(world.money().await, [2, 2, 0]);
    world.assert_sound().await;
}

#[tokio::test]
async fn what_ends_soon_is_ordered_anew_before() {
    let world = world().await;
    let id = begun(&world, 1, 10).await;
    let Kept::Ordered { order, .. } = look(&world, id, 0).await else {
        panic!("nothing was ordered")
    };
    let tx = world.claim(order).await;
    world.mine(&[landed(&tx)]).await;
    assert_eq!(look(&world, id, ENERGY).await, Kept::Enough);
    let ends_at = world.delegation(tx.delegation).await.ends_at.unwrap();
    world.mine_at(ends_at - Duration::seconds(59)).await;
    let Kept::Ordered { order, .. } = look(&world, id, ENERGY + ENERGY / 100).await else {
        panic!("nothing was ordered")
    };
    assert!(
        world.find(order).await.energy >= ENERGY,
        "the margin goes with the rental"
    );

    // the next one is there; the node has undone the first already, and we have not read that block
    let next = world.claim(order).await;
    world.mine(&[landed(&next)]).await;
    world.solidify().await;
    world.finalise().await;
    world.mine_at(ends_at).await;
    world.reclaim(tx.delegation).await.unwrap();
    assert_eq!(look(&world, id, ENERGY).await, Kept::Enough, "it is not missed twice");
}

#[tokio::test]
async fn the_budget_the_date_the_key_and_the_wish_end_it_for_good() {
    let world = world().await;
    let ended = async |id: StandingOrderId| {
        let found = detail(&world.api, id, world.now()).await.unwrap().standing;
        assert_eq!(found.state, StandingState::Ended);
        found.end_code.unwrap()
    };
    let id = begun(&world, 1, 1).await;
    let Kept::Ordered { order, .. } = look(&world, id, 0).await else {
        panic!("nothing was ordered")
    };
    // what is given back is there to be spent again
    domain::orders::cancel_by_user(&world.api, &world.ids, order, "test", world.now())
        .await
        .unwrap();
    let Kept::Ordered { order, .. } = look(&world, id, 0).await else {
        panic!("nothing was ordered")
    };
    let tx = world.claim(order).await;
    world.mine(&[landed(&tx)]).await;
    assert_eq!(look(&world, id, 0).await, Kept::Ended);
    assert_eq!(ended(id).await, "budget");

    let id = begun(&world, 2, 10).await;
    stop(&world.api, &world.ids, id, world.now()).await.unwrap();
    stop(&world.api, &world.ids, id, world.now()).await.unwrap();
    assert_eq!(look(&world, id, 0).await, Kept::Ended);
    assert_eq!(ended(id).await, "stopped");
    let again = format!("UPDATE standing_orders SET state = 'active', end_code = NULL WHERE id = '{id}'");
    world.db.try_sql(&again).await.unwrap_err();

    let id = begun(&world, 3, 10).await;
    world.clock.advance_seconds(31 * 86_400);
    assert_eq!(look(&world, id, 0).await, Kept::Ended);
    assert_eq!(ended(id).await, "date");

    let id = begun(&world, 4, 10).await;
    world.db.sql("UPDATE api_keys SET revoked_at = now()").await;
    assert_eq!(look(&world, id, 0).await, Kept::Ended);
    assert_eq!(ended(id).await, "api_key_revoked");
    assert_eq!(world.count("orders WHERE state <> 'cancelled'").await, 1);
}

#[tokio::test]
async fn what_an_operator_keeps_ends_once_he_is_disabled() {
    let world = world().await;
    let ben = world.operator("ben").await;
    let his = OpenStanding {
        api_key: ben.key,
        ..wish(&world, "k1", 1, 10)
    };
    let id = StandingOrderId(begin(&world, &his).await.unwrap().standing.id);
    let of_the_bot = begun(&world, 2, 10).await;
    assert!(matches!(look(&world, id, 0).await, Kept::Ordered { .. }));
    let disabled = format!("UPDATE operators SET disabled_at = now() WHERE id = '{}'", ben.key);
    world.db.sql(&disabled).await;
    assert_eq!(look(&world, id, 0).await, Kept::Ended);
    let found = detail(&world.api, id, world.now()).await.unwrap().standing;
    assert_eq!(
        (found.state, found.end_code.as_deref()),
        (StandingState::Ended, Some("api_key_revoked"))
    );
    assert!(matches!(look(&world, of_the_bot, 0).await, Kept::Ordered { .. }));
    assert_eq!(world.count("orders").await, 2);
}

#[tokio::test]
async fn what_stands_against_an_order_now_holds_it_and_is_over_by_itself() {
    let world = world().await;
    let id = begun(&world, 1, 10).await;
    let held = async || detail(&world.api, id, world.now()).await.unwrap().standing.held_code;
    world
        .db
        .sql(&format!(
            "UPDATE users SET blocked_at = now(), blocked_reason = 'x' WHERE id = {ANNA}"
        ))
        .await;
    assert_eq!(look(&world, id, 7).await, Kept::Held("user_blocked"));
    assert_eq!(held().await.as_deref(), Some("user_blocked"));
    assert_eq!(world.count("orders").await, 0);
    world
        .db
        .sql("UPDATE users SET blocked_at = NULL, blocked_reason = NULL")
        .await;
    assert!(matches!(look(&world, id, 7).await, Kept::Ordered { .. }));
    assert_eq!(held().await, None);
}

#[tokio::test]
async fn its_orders_count_for_its_keys_limit_of_a_day() {
    let world = world().await;
    let id = begun(&world, 1, 10).await;
    let limit = format!("UPDATE api_keys SET daily_limit_sun = {PRICE}");
    world.db.sql(&limit).await;
    let Kept::Ordered { order, .. } = look(&world, id, 0).await else {
        panic!("nothing was ordered")
    };
    let tx = world.claim(order).await;
    world.mine(&[landed(&tx)]).await;
    assert_eq!(look(&world, id, 0).await, Kept::Held("daily_limit"));
    let standing = detail(&world.api, id, world.now()).await.unwrap().standing;
    assert_eq!(
        (standing.state, standing.held_code.as_deref()),
        (StandingState::Active, Some("daily_limit"))
    );
    let beside = world.accept(&world.request("beside", 2)).await;
    assert!(matches!(beside, Err(DomainError::DailyLimit { .. })), "{beside:?}");
    assert_eq!(world.count("orders").await, 1);
    world.clock.advance_seconds(86_400);
    assert!(matches!(look(&world, id, 0).await, Kept::Ordered { .. }));
    assert_eq!(world.count("orders").await, 2);
}

#[tokio::test]
async fn an_address_whose_order_was_refused_ends_it() {
    let world = world().await;
    let id = begun(&world, 1, 10).await;
    let Kept::Ordered { order, .. } = look(&world, id, 0).await else {
        panic!("nothing was ordered")
    };
    let tx = world.claim(order).await;
    let refusal = crate::harness::refused(chain::Refusal::ReceiverNotActivated);
    assert!(world.answer(&tx, &refusal, true).await.died);
    assert_eq!(world.state(order).await, OrderState::Refunded);
    assert_eq!(look(&world, id, 0).await, Kept::Ended);
    assert_eq!(world.money().await, [0, 0, 0]);
}

#[tokio::test]
async fn one_is_begun_once_and_only_within_its_bounds() {
    let world = world().await;
    let first = begin(&world, &wish(&world, "a", 1, 10)).await.unwrap();
    let again = begin(&world, &wish(&world, "a", 1, 10)).await.unwrap();
    assert_eq!((again.standing.id, again.replayed), (first.standing.id, true));
    let other = begin(&world, &wish(&world, "a", 2, 10)).await;
    assert!(matches!(other, Err(DomainError::IdempotencyMismatch)));
    let twice = begin(&world, &wish(&world, "b", 1, 10)).await;
    assert!(matches!(twice, Err(DomainError::TooMany(_))), "{twice:?}");
    let bad = [
        OpenStanding {
            until: world.now(),
            ..wish(&world, "c", 3, 10)
        },
        OpenStanding {
            until: world.now() + Duration::days(400),
            ..wish(&world, "c", 3, 10)
        },
        OpenStanding {
            budget: Amount::from_minor(PRICE - 1).unwrap(),
            ..wish(&world, "c", 3, 10)
        },
        OpenStanding {
            keep_energy: 1,
            ..wish(&world, "c", 3, 10)
        },
        OpenStanding {
            duration_s: 1,
            ..wish(&world, "c", 3, 10)
        },
        OpenStanding {
            receiver: address(199),
            ..wish(&world, "c", 3, 10)
        },
    ];
    for wish in &bad {
        let refused = begin(&world, wish).await;
        assert!(refused.is_err(), "{wish:?}");
    }
    assert_eq!(world.count("standing_orders").await, 1);
    world.drain_jobs().await;
    assert_eq!(
        world.reconcile().await.requeued,
        1,
        "one whose job was lost is looked at again"
    );
}
