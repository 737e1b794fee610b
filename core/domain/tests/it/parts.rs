//! Orders that no wallet can carry alone: shared by several, delivered whole or not at all.

use chain::Refusal;
use chrono::{DateTime, Duration, Utc};
use db::models::{DelegationState, OrderState};
use domain::delegations::end_incomplete;
use domain::watch::finalise;
use kernel::OrderId;
use switchyard_domain as domain;

use crate::harness::{Tried, Tx, block_on, landed, reference, refused};
use crate::world::{ENERGY, HOUR, NETWORK, STAKE, World};

/// More than any wallet of [`world`] has.
const LARGE: i64 = STAKE * 2 + STAKE / 4;

/// Three wallets that have the order together, with a little to spare.
async fn world() -> World {
    let world = World::new().await;
    world.wallet(1, STAKE).await;
    world.wallet(2, STAKE).await;
    world.wallet(3, STAKE / 2).await;
    world
}

async fn share(world: &World, order: OrderId, amount_sun: i64) -> Vec<Tx> {
    world.try_claim_in_parts(order, amount_sun, 5).await.unwrap().unwrap()
}

async fn refuse(world: &World, order: OrderId, amount_sun: i64) -> Tried {
    world
        .try_claim_in_parts(order, amount_sun, 5)
        .await
        .unwrap()
        .unwrap_err()
}

/// Energy and stake of what was not given up.
async fn kept(world: &World, order: OrderId) -> (i64, i64) {
    let from = format!("FROM delegations WHERE order_id = '{order}' AND state <> 'released' AND NOT stray");
    let energy = world.number(&format!("SELECT COALESCE(sum(energy), 0) {from}")).await;
    (
        energy,
        world
            .number(&format!("SELECT COALESCE(sum(amount_sun), 0) {from}"))
            .await,
    )
}

async fn ends_at(world: &World, tx: &Tx) -> DateTime<Utc> {
    world.delegation(tx.delegation).await.ends_at.unwrap()
}

async fn state(world: &World, tx: &Tx) -> (DelegationState, bool) {
    let delegation = world.delegation(tx.delegation).await;
    (delegation.state, delegation.stray)
}

#[tokio::test]
async fn the_last_part_completes_the_order_and_all_end_together() {
    let world = world().await;
    let order = world.order(1).await;
    assert_eq!(
        world.try_claim(order, LARGE).await.unwrap(),
        Tried::NoWallet,
        "it is not split unless that is allowed"
    );
    let parts = share(&world, order, LARGE).await;
    assert_eq!(parts.len(), 3);
    assert_eq!(kept(&world, order).await, (ENERGY, LARGE));
    let promised = world.number("SELECT sum(reserved_sun) FROM supplier_wallets").await;
    assert_eq!(promised, LARGE);
    assert_eq!(refuse(&world, order, LARGE).await, Tried::NotPending);
    assert_eq!(world.find(order).await.attempts, 1);

    let first = world.mine(&[landed(&parts[0])]).await;
    world.mine(&[landed(&parts[2])]).await;
    assert_eq!(
        world.state(order).await,
        OrderState::Processing,
        "a part is worth nothing"
    );
    world.solidify().await;
    world.finalise().await;
    assert_eq!(world.money().await, [1, 1, 0]);
    world.assert_sound().await;
    let last = world.mine(&[landed(&parts[1])]).await;
    let found = world.find(order).await;
    assert_eq!(found.state, OrderState::Completed);
    assert_eq!(found.completed_at, Some(last.at.time));
    let end = last.at.time + Duration::seconds(i64::from(HOUR));
    assert_eq!(found.ends_at, Some(end));
    for part in &parts {
        assert_eq!(ends_at(&world, part).await, end);
    }
    world.finalise().await;
    assert_eq!(world.money().await, [1, 1, 0], "the last part can still be reverted");
    world.solidify().await;
    world.finalise().await;
    assert_eq!(world.money().await, [1, 0, 1]);

    // by the first part's block alone it would be over
    world.mine_at(first.at.time + Duration::seconds(i64::from(HOUR))).await;
    assert_eq!(world.reclaim(parts[0].delegation).await, Err("not yet"));
    world.mine_at(end).await;
    for (n, part) in parts.iter().enumerate() {
        assert!(world.has_job("delegations.reclaim", part.delegation).await);
        let back = world.reclaim(part.delegation).await.unwrap();
        world.mine(&[landed(&back)]).await;
        let events = world.events(order).await;
        let over = events.iter().filter(|event| *event == "reclaimed").count();
        assert_eq!(over, usize::from(n == 2), "{events:?}");
    }
    let signed = ["accepted", "signed", "signed", "signed"];
    let made = [
        "part_delegated",
        "part_delegated",
        "part_delegated",
        "completed",
        "settled",
    ];
    let undone = ["part_reclaimed", "part_reclaimed", "part_reclaimed", "reclaimed"];
    assert_eq!(world.events(order).await, [&signed[..], &made, &undone].concat());
    assert_eq!(world.number("SELECT sum(reserved_sun) FROM supplier_wallets").await, 0);
    world.assert_sound().await;
}

#[tokio::test]
async fn one_block_with_every_part_completes_the_order_once() {
    let world = world().await;
    let order = world.order(1).await;
    let parts = share(&world, order, LARGE).await;
    let all: Vec<_> = parts.iter().map(landed).collect();
    world.mine(&all).await;
    assert_eq!(world.state(order).await, OrderState::Completed);
    let events = world.events(order).await;
    assert_eq!(events.iter().filter(|event| *event == "completed").count(), 1);
    world.solidify().await;
    world.finalise().await;
    assert_eq!(world.money().await, [1, 0, 1]);
    world.mine_at(ends_at(&world, &parts[0]).await).await;
    let mut back = Vec::new();
    for part in &parts {
        back.push(landed(&world.reclaim(part.delegation).await.unwrap()));
    }
    world.mine(&back).await;
    let events = world.events(order).await;
    assert_eq!(events.iter().filter(|event| *event == "reclaimed").count(), 1);
    world.assert_sound().await;
}

#[tokio::test]
async fn a_part_that_dies_is_made_anew_while_the_others_stay() {
    let world = world().await;
    let order = world.order(1).await;
    let parts = share(&world, order, LARGE).await;
    world.mine(&[landed(&parts[0])]).await;
    let recorded = world
        .answer(&parts[1], &refused(Refusal::InsufficientStake), true)
        .await;
    assert!(recorded.died);
    assert_eq!(world.state(order).await, OrderState::Processing);
    assert!(world.has_job("orders.delegate", order).await);
    let (energy, stake) = kept(&world, order).await;
    assert!(energy < ENERGY && stake < LARGE);
    world.drain_jobs().await;
    assert_eq!(world.reconcile().await.requeued, 1, "it is not forgotten");

    let (fresh, missing) = (world.wallet(4, STAKE * 3).await, LARGE - stake);
    let told = world.try_claim_of(order, (ENERGY, LARGE), 5).await.unwrap();
    assert_eq!(told, Err(Tried::Changed), "who took all of it for missing looks again");
    let more = share(&world, order, missing).await;
    assert_eq!(
        (more.len(), more[0].wallet),
        (1, fresh),
        "the one that failed is not asked again"
    );
    assert_eq!(kept(&world, order).await, (ENERGY, LARGE));
    assert_eq!(world.find(order).await.attempts, 2);
    assert_eq!(refuse(&world, order, missing).await, Tried::NotPending);

    world.mine(&[landed(&parts[2]), landed(&more[0])]).await;
    assert_eq!(world.state(order).await, OrderState::Completed);
    world.solidify().await;
    world.finalise().await;
    assert_eq!(world.money().await, [1, 0, 1]);
    assert_eq!(state(&world, &parts[1]).await, (DelegationState::Released, false));
    world.assert_sound().await;
}

#[tokio::test]
async fn of_several_claims_of_a_missing_part_one_gets_it() {
    let world = std::sync::Arc::new(world().await);
    let order = world.order(1).await;
    let parts = share(&world, order, LARGE).await;
    world
        .answer(&parts[0], &refused(Refusal::InsufficientStake), true)
        .await;
    let missing = LARGE - kept(&world, order).await.1;
    world.wallet(4, STAKE * 9).await;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let world = std::sync::Arc::clone(&world);
        tasks.spawn(async move { world.try_claim_in_parts(order, missing, 5).await.unwrap() });
    }
    let tried = tasks.join_all().await;
    assert_eq!(tried.iter().filter(|tried| tried.is_ok()).count(), 1, "{tried:?}");
    assert_eq!(kept(&world, order).await, (ENERGY, LARGE));
    world.assert_sound().await;
}

#[tokio::test]
async fn what_cannot_be_had_whole_is_paid_back_and_its_parts_are_taken_back() {
    let world = world().await;
    let order = world.order(1).await;
    let parts = share(&world, order, LARGE).await;
    // one is on chain for good, one may still land, and the third dies for a reason that no wallet can mend
    world.mine(&[landed(&parts[0])]).await;
    let refusal = refused(Refusal::ReceiverIsContract);
    assert!(world.answer(&parts[1], &refusal, true).await.died);
    let found = world.find(order).await;
    assert_eq!(
        (found.state, found.reason_code.as_deref()),
        (OrderState::Refunded, Some("receiver_is_contract"))
    );
    assert_eq!(world.money().await, [0, 0, 0]);
    assert_eq!(state(&world, &parts[0]).await, (DelegationState::Active, true));
    assert_eq!(state(&world, &parts[2]).await, (DelegationState::Reserved, true));
    world.assert_sound().await;

    // the late one is taken back as soon as it is final, as the other is
    world.mine(&[landed(&parts[2])]).await;
    assert_eq!(world.state(order).await, OrderState::Refunded);
    world.solidify().await;
    world.finalise().await;
    world.mine(&[]).await;
    for part in [&parts[0], &parts[2]] {
        assert!(world.has_job("delegations.reclaim", part.delegation).await);
        let back = world.reclaim(part.delegation).await.unwrap();
        world.mine(&[landed(&back)]).await;
    }
    assert_eq!(world.number("SELECT sum(reserved_sun) FROM supplier_wallets").await, 0);
    assert_eq!(world.money().await, [0, 0, 0]);
    let events = world.events(order).await;
    assert!(!events.contains(&"completed".to_owned()));
    assert!(events.contains(&"stray_delegated".to_owned()), "{events:?}");
    world.assert_sound().await;
}

#[tokio::test]
async fn a_stray_that_never_lands_changes_nothing_any_more() {
    let world = world().await;
    let order = world.order(1).await;
    let parts = share(&world, order, LARGE).await;
    let refusal = refused(Refusal::ReceiverIsContract);
    assert!(world.answer(&parts[0], &refusal, true).await.died);
    assert_eq!(world.state(order).await, OrderState::Refunded);
    world.drain_jobs().await;
    world.expire(&parts[1]).await;
    assert!(world.bury(&parts[2]).await);
    assert_eq!(world.state(order).await, OrderState::Refunded);
    assert!(!world.has_job("orders.delegate", order).await);
    assert_eq!(world.money().await, [0, 0, 0]);
    assert_eq!(world.number("SELECT sum(reserved_sun) FROM supplier_wallets").await, 0);
    world.assert_sound().await;
}

#[tokio::test]
async fn an_order_that_lacks_a_part_at_its_deadline_is_paid_back() {
    let world = world().await;
    let order = world.order(1).await;
    let parts = share(&world, order, LARGE).await;
    world.mine(&[landed(&parts[0]), landed(&parts[1])]).await;
    world
        .answer(&parts[2], &refused(Refusal::InsufficientStake), true)
        .await;
    let missing = LARGE - kept(&world, order).await.1;
    assert!(
        !end_incomplete(&world.worker, &world.ids, (order, None), world.now())
            .await
            .unwrap()
    );
    assert_eq!(refuse(&world, order, missing * 9).await, Tried::NoWallet);
    assert_eq!(world.find(order).await.reason_code.as_deref(), Some("no_wallet_fits"));

    let late = world.now() - Duration::seconds(1);
    world
        .db
        .sql(&format!(
            "UPDATE orders SET deadline_at = '{late}' WHERE id = '{order}'"
        ))
        .await;
    assert_eq!(refuse(&world, order, missing).await, Tried::Incomplete);
    assert!(
        end_incomplete(&world.worker, &world.ids, (order, None), world.now())
            .await
            .unwrap()
    );
    assert!(
        !end_incomplete(&world.worker, &world.ids, (order, None), world.now())
            .await
            .unwrap()
    );
    assert_eq!(world.state(order).await, OrderState::Refunded);
    assert_eq!(world.money().await, [0, 0, 0]);
    for part in &parts[..2] {
        assert_eq!(state(&world, part).await, (DelegationState::Active, true));
    }
    world.solidify().await;
    world.finalise().await;
    assert_eq!(world.money().await, [0, 0, 0], "what is final of it earns nothing");
}

#[tokio::test]
async fn an_order_that_lacks_a_part_ends_when_its_receiver_turns_out_unable() {
    let world = world().await;
    let order = world.order(1).await;
    let parts = share(&world, order, LARGE).await;
    let reason = Some("receiver_not_activated");
    let end = async || {
        end_incomplete(&world.worker, &world.ids, (order, reason), world.now())
            .await
            .unwrap()
    };
    assert!(!end().await, "nothing is missing: what is on its way decides");
    world
        .answer(&parts[2], &refused(Refusal::InsufficientStake), true)
        .await;
    assert!(end().await);
    let found = world.find(order).await;
    assert_eq!(
        (found.state, found.reason_code.as_deref()),
        (OrderState::Refunded, reason)
    );
    assert_eq!(state(&world, &parts[0]).await, (DelegationState::Reserved, true));
    assert_eq!(world.money().await, [0, 0, 0]);
    world.assert_sound().await;
}

#[tokio::test]
async fn two_that_finalise_a_part_each_settle_the_order_once() {
    for _ in 0..10 {
        let world = world().await;
        let order = world.order(1).await;
        for part in &share(&world, order, LARGE).await {
            world.mine(&[landed(part)]).await;
        }
        world.solidify().await;
        let one = || finalise_one(&world);
        let done = tokio::join!(one(), one(), one(), one());
        assert_eq!(done.0 + done.1 + done.2 + done.3, 3);
        assert_eq!(world.money().await, [1, 0, 1], "settled");
        world.assert_sound().await;
    }
}

/// Makes one transaction final, as if there were no more.
async fn finalise_one(world: &World) -> usize {
    let done = finalise(&world.worker, &world.ids, NETWORK, 1, &world.death, world.now()).await;
    done.unwrap().0
}

#[tokio::test]
async fn a_whole_order_at_its_deadline_is_not_given_up_for_its_parts_are_on_their_way() {
    let world = world().await;
    let order = world.order(1).await;
    let parts = share(&world, order, LARGE).await;
    let late = world.now() - Duration::seconds(1);
    world
        .db
        .sql(&format!(
            "UPDATE orders SET deadline_at = '{late}' WHERE id = '{order}'"
        ))
        .await;
    assert_eq!(refuse(&world, order, LARGE).await, Tried::NotPending);
    assert!(
        !end_incomplete(&world.worker, &world.ids, (order, None), world.now())
            .await
            .unwrap()
    );
    let all: Vec<_> = parts.iter().map(landed).collect();
    world.mine(&all).await;
    assert_eq!(world.state(order).await, OrderState::Completed);
    // a fork takes one of them away, and it never comes back
    world.revert_to(1000).await;
    let block = block_on(
        &reference(&world.block(1000).await),
        1,
        &[landed(&parts[0]), landed(&parts[1])],
    );
    world.apply(&[block]).await.unwrap();
    assert_eq!(world.state(order).await, OrderState::Processing);
    world.expire(&parts[2]).await;
    let found = world.find(order).await;
    assert_eq!(
        (found.state, found.reason_code.as_deref()),
        (OrderState::Refunded, Some("deadline_passed"))
    );
    assert_eq!(state(&world, &parts[0]).await, (DelegationState::Active, true));
    assert_eq!(world.money().await, [0, 0, 0]);
    world.assert_sound().await;
}

#[tokio::test]
async fn a_fork_that_takes_one_part_takes_the_completion_with_it() {
    let world = world().await;
    let order = world.order(1).await;
    let parts = share(&world, order, LARGE).await;
    world.mine(&[landed(&parts[0])]).await;
    world.mine(&[landed(&parts[1]), landed(&parts[2])]).await;
    assert_eq!(world.state(order).await, OrderState::Completed);
    world.revert_to(1001).await;
    assert_eq!(world.state(order).await, OrderState::Processing);
    assert_eq!(state(&world, &parts[0]).await.0, DelegationState::Active);
    assert_eq!(state(&world, &parts[1]).await.0, DelegationState::Reserved);
    world.assert_sound().await;
    let on = |at, seen: &[_]| block_on(at, 1, seen);
    let ancestor = reference(&world.block(1001).await);
    let first = on(&ancestor, &[landed(&parts[2])]);
    let second = on(&first.at, &[]);
    let third = on(&second.at, &[landed(&parts[1])]);
    let end = third.at.time + Duration::seconds(i64::from(HOUR));
    world.apply(&[first, second, third]).await.unwrap();
    assert_eq!(world.state(order).await, OrderState::Completed);
    for part in &parts {
        assert_eq!(ends_at(&world, part).await, end);
    }
    world.solidify().await;
    world.finalise().await;
    assert_eq!(world.money().await, [1, 0, 1]);
    world.assert_sound().await;
}

#[tokio::test]
async fn no_part_is_taken_back_before_all_of_them_are_final() {
    let world = world().await;
    let order = world.order(1).await;
    let parts = share(&world, order, LARGE).await;
    world.mine(&[landed(&parts[0]), landed(&parts[1])]).await;
    world.solidify().await;
    world.mine(&[landed(&parts[2])]).await;
    world.finalise().await;
    assert_eq!(world.state(order).await, OrderState::Completed);
    world.mine_at(ends_at(&world, &parts[0]).await).await;
    assert_eq!(
        world.reclaim(parts[0].delegation).await,
        Err("not yet"),
        "a fork may take the last part back, and the order with it"
    );
    world.solidify().await;
    world.finalise().await;
    for part in &parts {
        world.reclaim(part.delegation).await.unwrap();
    }
    world.assert_sound().await;
}

#[tokio::test]
async fn an_order_whose_parts_all_died_is_pending_again_and_can_be_cancelled() {
    let world = world().await;
    let order = world.order(1).await;
    let parts = share(&world, order, LARGE).await;
    for part in &parts {
        assert!(
            world
                .answer(part, &refused(Refusal::InsufficientStake), true)
                .await
                .died
        );
    }
    assert_eq!(world.state(order).await, OrderState::Pending);
    assert_eq!(world.find(order).await.attempts, 1, "three parts, one attempt");
    domain::orders::cancel_by_user(&world.api, &world.ids, order, "test", world.now())
        .await
        .unwrap();
    assert_eq!(world.money().await, [0, 0, 0]);
    world.assert_sound().await;
}

#[tokio::test]
async fn the_database_refuses_more_than_was_ordered_and_strays_that_are_none() {
    let world = world().await;
    let order = world.order(1).await;
    let parts = share(&world, order, LARGE).await;
    let insert = |energy: i64, partial: bool| {
        format!(
            "INSERT INTO delegations (id, order_id, wallet_id, network, receiver, energy, amount_sun, partial, state, \
                 created_at, updated_at) \
             SELECT gen_random_uuid(), o.id, w.id, o.network, o.receiver, {energy}, 1000000, {partial}, 'reserved', \
                 now(), now() \
             FROM orders o, supplier_wallets w WHERE o.id = '{order}' LIMIT 1"
        )
    };
    for sql in [insert(1, true), insert(ENERGY, false)] {
        let refused = world.db.try_sql(&sql).await.unwrap_err().to_string();
        assert!(refused.contains("than was ordered"), "{refused}");
    }
    let id = parts[0].delegation;
    world.mine(&[landed(&parts[0])]).await;
    for sql in [
        format!("UPDATE delegations SET partial = false WHERE id = '{id}'"),
        format!("UPDATE delegations SET stray = true, state = 'reclaiming' WHERE id = '{id}'"),
    ] {
        world.db.try_sql(&sql).await.unwrap_err();
    }
    world
        .db
        .sql(&format!("UPDATE delegations SET stray = true WHERE id = '{id}'"))
        .await;
    let back = format!("UPDATE delegations SET stray = false WHERE id = '{id}'");
    world.db.try_sql(&back).await.unwrap_err();
}
