//! Claiming orders: one wallet is chosen and its stake reserved, never more than it has.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use chain::Refusal;
use db::models::{ChainCursor, DelegationState, OrderState, SupplierWallet, TxState};
use db::{acquire, run_tx};
use domain::DomainError;
use kernel::{OrderId, WalletId};
use switchyard_domain as domain;

use crate::harness::{Tried, landed, refused};
use crate::world::{NETWORK, STAKE, World, address};

/// The wallet that a fresh order for this receiver is given.
async fn chosen(world: &World, receiver: u8) -> Option<WalletId> {
    let order = world.order(receiver).await;
    match world.try_claim(order, STAKE).await.unwrap() {
        Tried::Signed(tx) => Some(tx.wallet),
        Tried::NoWallet => None,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_claim_reserves_and_moves_the_order_on() {
    let world = World::new().await;
    let wallet = world.wallet(1, STAKE).await;
    let order = world.order(1).await;
    let tx = world.claim(order).await;
    let found = world.find(order).await;
    assert_eq!((found.state, found.attempts), (OrderState::Processing, 1));
    assert_eq!((tx.wallet, world.reserved(wallet).await), (wallet, STAKE));
    let delegation = world.delegation(tx.delegation).await;
    assert_eq!(
        (delegation.state, delegation.amount_sun),
        (DelegationState::Reserved, STAKE)
    );
    assert_eq!(
        (delegation.order_id, delegation.receiver),
        (order.0, address(1).to_string())
    );
    assert_eq!(world.tx_state(&tx).await, TxState::Signed);
    assert_eq!(world.events(order).await, ["accepted", "signed"]);
    assert_eq!(world.money().await, [1, 1, 0]);
    let bandwidth = world.number("SELECT bandwidth_available FROM supplier_wallets").await;
    assert_eq!(bandwidth, 1_000_000 - 300);
    assert_eq!(world.try_claim(order, STAKE).await.unwrap(), Tried::NotPending);
    world.assert_sound().await;
}

#[tokio::test]
async fn an_unknown_order_is_not_claimed() {
    let world = World::new().await;
    let missing = world.try_claim(OrderId::new(&world.ids), STAKE).await;
    assert!(matches!(missing, Err(DomainError::NotFound("order"))), "{missing:?}");
}

#[tokio::test]
async fn nothing_is_signed_on_an_old_view_of_the_chain() {
    let world = World::new().await;
    let wallet = world.wallet(1, STAKE).await;
    let order = world.order(1).await;
    world
        .db
        .sql("UPDATE chain_cursors SET updated_at = now() - interval '61 seconds'")
        .await;
    assert_eq!(world.try_claim(order, STAKE).await.unwrap(), Tried::NotCurrent);
    let mut conn = acquire(&world.worker).await.unwrap();
    ChainCursor::set_tip(&mut conn, NETWORK, 1011).await.unwrap();
    assert_eq!(world.try_claim(order, STAKE).await.unwrap(), Tried::NotCurrent);
    ChainCursor::set_halted(&mut conn, NETWORK, Some("a test"), world.now())
        .await
        .unwrap();
    ChainCursor::set_tip(&mut conn, NETWORK, 1000).await.unwrap();
    assert_eq!(world.try_claim(order, STAKE).await.unwrap(), Tried::NotCurrent);
    assert_eq!(
        (world.state(order).await, world.reserved(wallet).await),
        (OrderState::Pending, 0)
    );
    ChainCursor::set_halted(&mut conn, NETWORK, None, world.now())
        .await
        .unwrap();
    ChainCursor::set_tip(&mut conn, NETWORK, 1010).await.unwrap();
    // a node that stands still answers all the same
    world
        .db
        .sql("UPDATE chain_cursors SET head_time = now() - interval '301 seconds'")
        .await;
    assert_eq!(world.try_claim(order, STAKE).await.unwrap(), Tried::NotCurrent);
    world
        .db
        .sql("UPDATE chain_cursors SET head_time = now() - interval '290 seconds'")
        .await;
    world.claim(order).await;
}

#[tokio::test]
async fn an_old_view_does_not_keep_money_past_the_deadline() {
    let world = World::new().await;
    let order = world.order(1).await;
    world
        .db
        .sql("UPDATE chain_cursors SET updated_at = now() - interval '61 seconds'")
        .await;
    world.clock.advance_seconds(world.policy.deadline.num_seconds());
    assert_eq!(world.try_claim(order, STAKE).await.unwrap(), Tried::PastDeadline);
    assert_eq!(world.money().await, [0, 0, 0]);
}

#[tokio::test]
async fn without_room_the_order_waits_and_says_why() {
    let world = World::new().await;
    let wallet = world.wallet(1, STAKE - 1).await;
    let order = world.order(1).await;
    for _ in 0..2 {
        assert_eq!(world.try_claim(order, STAKE).await.unwrap(), Tried::NoWallet);
    }
    let found = world.find(order).await;
    assert_eq!((found.state, found.attempts), (OrderState::Pending, 0));
    assert_eq!(found.reason_code.as_deref(), Some("no_wallet_fits"));
    assert_eq!(world.findings().await, ["pool.no_wallet_fits"]);
    assert_eq!(world.number("SELECT times_seen FROM findings").await, 2);
    assert_eq!(world.reserved(wallet).await, 0);
    world
        .db
        .sql("UPDATE supplier_wallets SET delegatable_sun = delegatable_sun + 1")
        .await;
    world.claim(order).await;
    assert_eq!(world.find(order).await.reason_code, None);
}

#[tokio::test]
async fn the_smallest_room_that_suffices_is_taken() {
    let world = World::new().await;
    world.wallet(1, STAKE * 9).await;
    let fitting = world.wallet(2, STAKE * 2).await;
    world.wallet(3, STAKE * 5).await;
    world.wallet(4, STAKE - 1).await;
    assert_eq!(chosen(&world, 1).await, Some(fitting));
    // for another receiver its room is the smallest still
    assert_eq!(chosen(&world, 2).await, Some(fitting));
}

#[tokio::test]
async fn a_wallet_that_does_not_serve_the_receiver_yet_is_preferred() {
    let world = World::new().await;
    let small = world.wallet(1, STAKE * 3).await;
    let large = world.wallet(2, STAKE * 9).await;
    assert_eq!(chosen(&world, 1).await, Some(small));
    assert_eq!(chosen(&world, 1).await, Some(large));
    assert_eq!(chosen(&world, 2).await, Some(small));
    // both serve it: the best fit again
    assert_eq!(chosen(&world, 1).await, Some(small));
}

#[tokio::test]
async fn an_order_goes_to_another_wallet_after_a_refusal() {
    let world = World::new().await;
    let fitting = world.wallet(1, STAKE).await;
    let larger = world.wallet(2, STAKE * 2).await;
    let order = world.order(1).await;
    let mut tried = Vec::new();
    for _ in 0..2 {
        let tx = world.claim(order).await;
        tried.push(tx.wallet);
        world.answer(&tx, &refused(Refusal::InsufficientStake), true).await;
    }
    assert_eq!(tried, [fitting, larger]);
    // where both were tried, either is better than none; another order is not bound by it
    assert_eq!(world.claim(order).await.wallet, fitting);
    assert_eq!(chosen(&world, 2).await, Some(larger));
}

#[tokio::test]
async fn stock_counts_what_wallets_in_service_have_left() {
    let world = World::new().await;
    world.wallet(1, STAKE * 3).await;
    let off = world.wallet(2, STAKE * 5).await;
    world
        .db
        .sql(&format!(
            "UPDATE supplier_wallets SET enabled = false WHERE id = '{off}'"
        ))
        .await;
    world.claim(world.order(1).await).await;
    let mut conn = acquire(&world.worker).await.unwrap();
    assert_eq!(SupplierWallet::sellable_sun(&mut conn).await.unwrap(), STAKE * 2);
    drop(conn);
    // a wallet may have promised more than a later read shows: that is no debt of the others
    world
        .db
        .sql("UPDATE supplier_wallets SET delegatable_sun = 0 WHERE enabled")
        .await;
    world.wallet(3, STAKE).await;
    let mut conn = acquire(&world.worker).await.unwrap();
    assert_eq!(SupplierWallet::sellable_sun(&mut conn).await.unwrap(), STAKE);
}

#[tokio::test]
async fn wallets_out_of_service_are_never_chosen() {
    let world = World::new().await;
    let wallet = world.wallet(1, STAKE * 9).await;
    for (out, back) in [
        ("enabled = false", "enabled = true"),
        (
            "isolated_at = now(), isolated_reason = 'x'",
            "isolated_at = NULL, isolated_reason = NULL",
        ),
        ("state = 'importing'", "state = 'active'"),
        (
            "state = 'rejected', rejected_reason = 'x'",
            "state = 'active', rejected_reason = NULL",
        ),
        (
            "bandwidth_available = 299, balance_sun = 999999",
            "bandwidth_available = 1000, balance_sun = 0",
        ),
        ("reserved_sun = delegatable_sun", "reserved_sun = 0"),
    ] {
        world.db.sql(&format!("UPDATE supplier_wallets SET {out}")).await;
        assert_eq!(chosen(&world, 1).await, None, "{out}");
        world.db.sql(&format!("UPDATE supplier_wallets SET {back}")).await;
    }
    world
        .db
        .sql("UPDATE supplier_wallets SET bandwidth_available = 0, balance_sun = 1000000")
        .await;
    assert_eq!(chosen(&world, 1).await, Some(wallet));
}

#[tokio::test]
async fn a_wallet_taken_in_after_the_order_does_not_serve_itself() {
    let world = World::new().await;
    let order = world.order(199).await;
    world.wallet(1, STAKE * 9).await;
    assert_eq!(world.try_claim(order, STAKE).await.unwrap(), Tried::NoWallet);
}

#[tokio::test(flavor = "multi_thread")]
async fn sixteen_claims_for_the_last_energy_never_reserve_too_much() {
    let world = Arc::new(World::new().await);
    let wallets = [
        world.wallet(1, STAKE * 2 + 1).await,
        world.wallet(2, STAKE * 3 - 1).await,
    ];
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..16 {
        let order = world.order(n + 1).await;
        let world = Arc::clone(&world);
        tasks.spawn(async move { world.try_claim(order, STAKE).await.unwrap() });
    }
    let tried = tasks.join_all().await;
    let signed = tried.iter().filter(|tried| matches!(tried, Tried::Signed(_))).count();
    assert_eq!(signed, 4, "{tried:?}");
    assert!(
        tried
            .iter()
            .all(|tried| matches!(tried, Tried::Signed(_) | Tried::NoWallet))
    );
    for wallet in wallets {
        assert_eq!(world.reserved(wallet).await, STAKE * 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn claims_of_one_order_sign_once() {
    let world = Arc::new(World::new().await);
    world.wallet(1, STAKE * 50).await;
    world.wallet(2, STAKE * 50).await;
    for _ in 0..5 {
        let order = world.order(1).await;
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..6 {
            let world = Arc::clone(&world);
            tasks.spawn(async move { world.try_claim(order, STAKE).await.unwrap() });
        }
        let tried = tasks.join_all().await;
        assert_eq!(
            tried.iter().filter(|tried| matches!(tried, Tried::Signed(_))).count(),
            1
        );
        assert_eq!(
            tried.iter().filter(|tried| matches!(tried, Tried::NotPending)).count(),
            5
        );
    }
    world.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wallet_that_others_hold_is_waited_for() {
    let world = Arc::new(World::new().await);
    let wallet = world.wallet(1, STAKE).await;
    let order = world.order(1).await;
    let (held, until) = tokio::sync::oneshot::channel();
    let (release, released) = tokio::sync::oneshot::channel::<()>();
    let (held, released) = (std::sync::Mutex::new(Some(held)), tokio::sync::Mutex::new(released));
    let holder = async {
        run_tx(&world.worker, "test_hold", async |conn| {
            SupplierWallet::lock(conn, wallet.0).await?;
            held.lock().unwrap().take().unwrap().send(()).unwrap();
            (&mut *released.lock().await).await.unwrap();
            Ok::<_, DomainError>(())
        })
        .await
        .unwrap();
    };
    let claimer = async {
        until.await.unwrap();
        let other = Arc::clone(&world);
        let claiming = tokio::spawn(async move { other.try_claim(order, STAKE).await.unwrap() });
        // it waits for the lock, as the database says, and does not answer "no wallet"
        let waiting = "pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
        while world.count(waiting).await == 0 {
            assert!(!claiming.is_finished(), "the claim did not wait");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        release.send(()).unwrap();
        assert!(matches!(claiming.await.unwrap(), Tried::Signed(_)));
    };
    tokio::join!(holder, claimer);
    assert_eq!(world.findings().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn timestamps_of_a_wallet_are_never_equal() {
    let world = Arc::new(World::new().await);
    world.wallet(1, STAKE * 50).await;
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..12 {
        let order = world.order(n + 1).await;
        let world = Arc::clone(&world);
        tasks.spawn(async move { world.claim(order).await });
    }
    assert_eq!(tasks.join_all().await.len(), 12);
    let stamps = world
        .words("SELECT timestamp_ms::text AS word FROM chain_transactions ORDER BY timestamp_ms")
        .await;
    let stamps: Vec<i64> = stamps.iter().map(|stamp| stamp.parse().unwrap()).collect();
    let head = world.head().await.time.timestamp_millis();
    assert_eq!(stamps, (head..head + 12).collect::<Vec<_>>());
    // the chain's clock is ahead again: so are the stamps
    world.mine(&[]).await;
    let order = world.order(1).await;
    world.claim(order).await;
    let last = world.number("SELECT max(timestamp_ms) FROM chain_transactions").await;
    assert_eq!(last, head + 3000);
}

#[tokio::test]
async fn an_intent_has_one_transaction_that_can_land() {
    let world = World::new().await;
    world.wallet(1, STAKE * 2).await;
    let tx = world.claim(world.order(1).await).await;
    let second = |state: &str, more: &str| {
        format!(
            "INSERT INTO chain_transactions (id, network, txid, intent_kind, intent_id, wallet_id, raw, timestamp_ms, \
                 expires_at, state, next_check_at, created_at, updated_at, {more}) \
             SELECT gen_random_uuid(), network, encode(sha256(gen_random_uuid()::text::bytea), 'hex'), intent_kind, \
                 intent_id, wallet_id, raw, (random() * 1e9)::bigint, expires_at, '{state}', now(), now(), now(), "
        )
    };
    let end = format!(" FROM chain_transactions WHERE id = '{}'", tx.id);
    let signed = format!("{} 0 {end}", second("signed", "sends"));
    let refused = world.db.try_sql(&signed).await.unwrap_err().to_string();
    assert!(refused.contains("chain_transactions_one_live"), "{refused}");
    let dead = format!("{} 'expired' {end}", second("dead", "death_cause"));
    world.db.sql(&dead).await;
    // one that has landed well, and is final, has no successor either
    world.mine(&[landed(&tx)]).await;
    world.solidify().await;
    world.finalise().await;
    let refused = world.db.try_sql(&signed).await.unwrap_err().to_string();
    assert!(refused.contains("chain_transactions_one_live"), "{refused}");
}

#[tokio::test]
async fn stamps_and_ids_of_transactions_are_unique() {
    let world = World::new().await;
    world.wallet(1, STAKE * 2).await;
    world.claim(world.order(1).await).await;
    let copy = |txid: &str, stamp: &str| {
        format!(
            "INSERT INTO chain_transactions (id, network, txid, intent_kind, intent_id, wallet_id, raw, timestamp_ms, \
                 expires_at, state, next_check_at, created_at, updated_at) \
             SELECT gen_random_uuid(), network, {txid}, intent_kind, gen_random_uuid(), wallet_id, raw, {stamp}, \
                 expires_at, state, now(), now(), now() FROM chain_transactions"
        )
    };
    for (txid, stamp) in [("txid", "timestamp_ms + 1"), ("repeat('ab', 32)", "timestamp_ms")] {
        let refused = world.db.try_sql(&copy(txid, stamp)).await.unwrap_err().to_string();
        assert!(refused.contains("duplicate key"), "{refused}");
    }
    let ids: HashSet<String> = world
        .words("SELECT txid AS word FROM chain_transactions")
        .await
        .into_iter()
        .collect();
    assert_eq!(ids.len(), 1);
}
