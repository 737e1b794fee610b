//! Claiming several orders in one transaction: what is plain is signed, the rest is left to be claimed alone.

use std::collections::HashSet;
use std::sync::Arc;

use chrono::Duration;
use db::models::{OrderState, SupplierWallet};
use db::run_tx;
use domain::DomainError;
use kernel::OrderId;
use switchyard_domain as domain;

use crate::harness::{Many, Tx};
use crate::world::{STAKE, World, address};

/// Orders for different receivers.
async fn orders(world: &World, receivers: std::ops::RangeInclusive<u8>) -> Vec<OrderId> {
    let mut orders = Vec::new();
    for receiver in receivers {
        orders.push(world.order(receiver).await);
    }
    orders
}

fn signed(claims: &[Many]) -> Vec<Tx> {
    let signed = claims.iter().filter_map(|claim| match claim {
        Many::Signed(tx) => Some(*tx),
        _ => None,
    });
    signed.collect()
}

#[tokio::test]
async fn plain_orders_are_signed_together_and_the_rest_is_left() {
    let world = World::new().await;
    let small = world.wallet(1, STAKE * 2).await;
    let large = world.wallet(2, STAKE * 9).await;
    let mut all = orders(&world, 1..=5).await;
    let (signed_before, late) = (all[1], all[3]);
    world.claim(signed_before).await;
    world
        .db
        .sql(&format!(
            "UPDATE orders SET deadline_at = '{}' WHERE id = '{late}'",
            world.now() - Duration::seconds(1)
        ))
        .await;
    all.push(OrderId(uuid::Uuid::nil()));

    let claims = world.claim_together(&all).await;
    assert!(matches!(claims[1], Many::NotPending), "{claims:?}");
    assert!(
        matches!((claims[3], claims[5]), (Many::Alone, Many::Alone)),
        "past its deadline, unknown: {claims:?}"
    );
    let made = signed(&claims);
    assert_eq!(made.len(), 3, "{claims:?}");
    // the smallest room that suffices, until it is used up
    assert_eq!(
        (world.reserved(small).await, world.reserved(large).await),
        (STAKE * 2, STAKE * 2)
    );
    for order in [all[0], all[2], all[4]] {
        let found = world.find(order).await;
        assert_eq!((found.state, found.attempts), (OrderState::Processing, 1));
        assert_eq!(world.events(order).await, ["accepted", "signed"]);
    }
    assert_eq!(world.state(late).await, OrderState::Pending);
    let stamps = world
        .number("SELECT count(DISTINCT (wallet_id, timestamp_ms)) FROM chain_transactions")
        .await;
    assert_eq!(stamps, 4);
    let bandwidth =
        world.number("SELECT sum(2 * 1000000 - 300 * 4) / count(*) - sum(bandwidth_available) FROM supplier_wallets");
    assert_eq!(bandwidth.await, 0, "each promised its bandwidth");
    world.assert_sound().await;
}

#[tokio::test]
async fn a_receiver_is_served_by_different_wallets_where_there_are() {
    let world = World::new().await;
    for n in 1..=3 {
        world.wallet(n, STAKE * 9).await;
    }
    let mut same = Vec::new();
    for _ in 0..3 {
        same.push(world.order(7).await);
    }
    let made = signed(&world.claim_together(&same).await);
    let wallets: HashSet<_> = made.iter().map(|tx| tx.wallet).collect();
    assert_eq!((made.len(), wallets.len()), (3, 3));
}

#[tokio::test]
async fn on_an_old_view_or_without_a_free_wallet_nothing_is_signed() {
    let world = World::new().await;
    let wallet = world.wallet(1, STAKE * 9).await;
    let all = orders(&world, 1..=2).await;
    let held = run_tx(&world.worker, "test_hold", async |conn| {
        SupplierWallet::lock(conn, wallet.0).await?;
        // it does not wait: another claim may hold what this one needs, and need what this one holds
        Ok::<_, DomainError>(world.claim_together(&all).await)
    });
    assert!(matches!(held.await.unwrap()[..], [Many::Alone, Many::Alone]));
    world
        .db
        .sql("UPDATE chain_cursors SET updated_at = now() - interval '2 minutes'")
        .await;
    assert!(matches!(
        world.claim_together(&all).await[..],
        [Many::Alone, Many::Alone]
    ));
    assert_eq!(world.reserved(wallet).await, 0);
    world.db.sql("UPDATE chain_cursors SET updated_at = now()").await;
    assert_eq!(signed(&world.claim_together(&all).await).len(), 2);
}

#[tokio::test]
async fn wallets_out_of_service_and_the_receiver_itself_are_passed_over() {
    let world = World::new().await;
    world.wallet(1, STAKE * 9).await;
    let itself = [world.order(2).await, world.order(3).await];
    world
        .db
        .sql(&format!("UPDATE supplier_wallets SET address = '{}'", address(2)))
        .await;
    let claims = world.claim_together(&itself).await;
    assert!(matches!(claims[..], [Many::Alone, Many::Signed(_)]), "{claims:?}");
    for out in [
        "enabled = false",
        "enabled = true, isolated_at = now(), isolated_reason = 'x'",
        "bandwidth_available = 0",
    ] {
        world
            .db
            .sql(&format!(
                "UPDATE supplier_wallets SET enabled = true, isolated_at = NULL, isolated_reason = NULL; \
                           UPDATE supplier_wallets SET {out}"
            ))
            .await;
        let all = orders(&world, 4..=5).await;
        assert!(
            matches!(world.claim_together(&all).await[..], [Many::Alone, Many::Alone]),
            "{out}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn claims_side_by_side_never_reserve_too_much_or_sign_twice() {
    let world = Arc::new(World::new().await);
    let rooms = [3, 4, 5];
    let mut wallets = Vec::new();
    for (n, room) in (1..).zip(rooms) {
        wallets.push((world.wallet(n, STAKE * room + 1).await, STAKE * room));
    }
    let all = orders(&world, 1..=20).await;
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..6 {
        // each wants most of them, so that they meet
        let wanted: Vec<OrderId> = all.iter().copied().skip(n).take(15).collect();
        let world = Arc::clone(&world);
        tasks.spawn(async move { world.claim_together(&wanted).await });
    }
    let made: Vec<Tx> = tasks
        .join_all()
        .await
        .iter()
        .flat_map(|claims| signed(claims))
        .collect();
    for (wallet, room) in wallets {
        assert!(world.reserved(wallet).await <= room);
    }
    let delegations: HashSet<_> = made.iter().map(|tx| tx.delegation).collect();
    assert_eq!(delegations.len(), made.len());
    let processing = world.count("orders WHERE state = 'processing' AND attempts = 1").await;
    assert_eq!(usize::try_from(processing).unwrap(), made.len());
    // what they left to each other is had alone, and then everything is used up
    for order in all {
        let _tried = world.try_claim(order, STAKE).await.unwrap();
    }
    assert_eq!(world.count("orders WHERE state = 'processing'").await, 12);
}
