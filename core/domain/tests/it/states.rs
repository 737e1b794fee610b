//! The database refuses every step that is no arrow of a state machine, whoever asks.

use db::models::{
    DelegationState, DepositState, OrderState, PayoutState, StakingState, SweepState, TransferState, TxState,
};
use kernel::Asset;

use crate::deposits::coin;
use crate::harness::landed;
use crate::world::{STAKE, World};

/// Puts the one row of `table` into a state behind the triggers' back, then asks for another state as anybody would.
async fn step(world: &World, table: &str, from: &str, to: &str) -> Result<(), String> {
    let sql = format!(
        "BEGIN; SET LOCAL session_replication_role = replica; UPDATE {table} SET {from}; \
         SET LOCAL session_replication_role = origin; UPDATE {table} SET {to}; ROLLBACK"
    );
    world.db.try_sql(&sql).await.map_err(|error| error.to_string())
}

/// Walks all pairs; `set` gives a state the columns that it needs.
async fn walk(world: &World, table: &str, words: &[&str], arrows: &[&str], set: impl Fn(&str) -> String) {
    let known: Vec<&str> = arrows.iter().flat_map(|arrow| arrow.split('>')).collect();
    assert!(known.iter().all(|word| words.contains(word)));
    for from in words {
        for to in words {
            let answer = step(world, table, &set(from), &set(to)).await;
            let arrow = format!("{from}>{to}");
            if from == to || arrows.contains(&arrow.as_str()) {
                assert_eq!(answer, Ok(()), "{arrow}");
            } else {
                let refused = answer.unwrap_err();
                assert!(
                    refused.contains(&format!("{from} to {to} is no arrow")),
                    "{arrow}: {refused}"
                );
            }
        }
    }
}

fn words<T: Copy>(all: &[T], word: fn(T) -> &'static str) -> Vec<&'static str> {
    all.iter().map(|state| word(*state)).collect()
}

#[tokio::test]
async fn orders_move_along_their_arrows() {
    let world = World::new().await;
    world.order(1).await;
    let arrows = [
        "pending>processing",
        "pending>cancelled",
        "pending>failed",
        "processing>pending",
        "processing>completed",
        "processing>failed",
        "completed>processing",
        "failed>refunded",
    ];
    let set = |state: &str| {
        let times = if state == "completed" { "now()" } else { "NULL" };
        format!("state = '{state}', completed_at = {times}, ends_at = {times}")
    };
    walk(
        &world,
        "orders",
        &words(OrderState::ALL, OrderState::word),
        &arrows,
        set,
    )
    .await;
}

#[tokio::test]
async fn a_settled_order_never_moves_again() {
    let world = World::new().await;
    world.order(1).await;
    let settled = "state = 'completed', completed_at = now(), ends_at = now(), settled_at = now()";
    for state in words(OrderState::ALL, OrderState::word) {
        let answer = step(&world, "orders", settled, &format!("state = '{state}'")).await;
        assert_eq!(answer.is_ok(), state == "completed", "{state}: {answer:?}");
    }
}

#[tokio::test]
async fn delegations_move_along_their_arrows() {
    let world = World::new().await;
    world.wallet(1, STAKE).await;
    world.deliver(1).await;
    let arrows = [
        "reserved>active",
        "reserved>released",
        "active>reserved",
        "active>reclaiming",
        "reclaiming>active",
        "reclaiming>reclaimed",
        "reclaimed>reclaiming",
    ];
    let set = |state: &str| {
        let (block, at) = if state == "reclaimed" {
            ("7", "now()")
        } else {
            ("NULL", "NULL")
        };
        format!("state = '{state}', reclaim_block_number = {block}, reclaimed_at = {at}")
    };
    walk(
        &world,
        "delegations",
        &words(DelegationState::ALL, DelegationState::word),
        &arrows,
        set,
    )
    .await;
}

#[tokio::test]
async fn chain_transactions_move_along_their_arrows() {
    let world = World::new().await;
    world.wallet(1, STAKE).await;
    world.claim(world.order(1).await).await;
    let arrows = [
        "signed>sent",
        "signed>included",
        "signed>dead",
        "sent>included",
        "sent>dead",
        "included>final",
        "included>sent",
        "dead>final",
    ];
    let set = |state: &str| {
        let (outcome, number, block, time) = match state {
            "included" | "final" => ("'ok'", "7", "'b'", "now()"),
            _ => ("NULL", "NULL", "NULL", "NULL"),
        };
        let cause = if state == "dead" { "'expired'" } else { "NULL" };
        format!(
            "state = '{state}', outcome = {outcome}, block_number = {number}, block_id = {block}, block_time = {time}, \
             death_cause = {cause}"
        )
    };
    walk(
        &world,
        "chain_transactions",
        &words(TxState::ALL, TxState::word),
        &arrows,
        set,
    )
    .await;
}

#[tokio::test]
async fn payouts_move_along_their_arrows() {
    let world = World::new().await;
    world
        .db
        .sql(
            "INSERT INTO payouts (id, user_id, network, asset, amount, to_address, state, needs_approval, requested_by, \
                 approved_at, created_at, updated_at) \
             VALUES (gen_random_uuid(), 7, 'nile', 'TRX', 1, 'T' || repeat('a', 33), 'approved', false, 'api_key:x', \
                 now(), now(), now())",
        )
        .await;
    let arrows = [
        "requested>approved",
        "requested>rejected",
        "approved>rejected",
        "approved>failed",
        "approved>processing",
        "approved>completed",
        "processing>approved",
        "processing>sent",
        "processing>failed",
        "sent>processing",
        "sent>completed",
    ];
    let set = |state: &str| {
        let ended = matches!(state, "completed" | "rejected" | "failed");
        let ended_at = if ended { "now()" } else { "NULL" };
        format!("state = '{state}', ended_at = {ended_at}")
    };
    walk(
        &world,
        "payouts",
        &words(PayoutState::ALL, PayoutState::word),
        &arrows,
        set,
    )
    .await;
    for (column, value) in [
        ("user_id", "8"),
        ("network", "'mars'"),
        ("asset", "'USDT'"),
        ("amount", "2"),
        ("to_address", "'T' || repeat('b', 33)"),
        ("requested_by", "'api_key:y'"),
        ("needs_approval", "true"),
    ] {
        let refused = world
            .db
            .try_sql(&format!("UPDATE payouts SET {column} = {value}"))
            .await;
        let refused = refused.expect_err(column).to_string();
        assert!(refused.contains("immutable"), "{column}: {refused}");
    }
    let refused = world.db.try_sql("DELETE FROM payouts").await.expect_err("kept");
    assert!(refused.to_string().contains("append-only"), "{refused}");
}

#[tokio::test]
async fn sweeps_move_along_their_arrows() {
    let world = World::new().await;
    let (wallet, order) = (world.wallet(1, 0).await, world.order(1).await);
    world
        .db
        .sql(&format!(
            "INSERT INTO sweeps (id, network, asset, wallet_id, state, created_at, updated_at) \
             VALUES (gen_random_uuid(), 'nile', 'TRX', '{wallet}', 'planned', now(), now())"
        ))
        .await;
    let arrows = [
        "planned>activating",
        "planned>renting",
        "planned>processing",
        "planned>completed",
        "planned>cancelled",
        "activating>planned",
        "renting>planned",
        "renting>processing",
        "processing>planned",
        "processing>sent",
        "sent>processing",
        "sent>completed",
    ];
    let set = |state: &str| {
        let ended_at = if matches!(state, "completed" | "cancelled") {
            "now()"
        } else {
            "NULL"
        };
        format!(
            "state = '{state}', ended_at = {ended_at}, activation_sun = 1, order_id = '{order}', amount = 1, \
             read_block = 1, to_address = 'T' || repeat('a', 33)"
        )
    };
    walk(
        &world,
        "sweeps",
        &words(SweepState::ALL, SweepState::word),
        &arrows,
        set,
    )
    .await;
    for (column, value) in [
        ("network", "'mars'"),
        ("asset", "'USDT'"),
        ("created_at", "'epoch'"),
        ("amount", "2"),
    ] {
        let refused = world.db.try_sql(&format!("UPDATE sweeps SET {column} = {value}")).await;
        let refused = refused.expect_err(column).to_string();
        assert!(refused.contains("immutable"), "{column}: {refused}");
    }
    let again = "INSERT INTO sweeps (id, network, asset, wallet_id, state, created_at, updated_at) \
        SELECT gen_random_uuid(), network, asset, wallet_id, 'planned', now(), now() FROM sweeps";
    let refused = world.db.try_sql(again).await.expect_err("one at a time").to_string();
    assert!(refused.contains("sweeps_one_open"), "{refused}");
    let refused = world.db.try_sql("DELETE FROM sweeps").await.expect_err("kept");
    assert!(refused.to_string().contains("append-only"), "{refused}");
}

#[tokio::test]
async fn deposits_move_along_their_arrows() {
    let world = World::new().await;
    let to = world.annas().await;
    world.announce(to, Asset::Trx, Some(5)).await;
    let arrows = [
        "open>partial",
        "open>paid",
        "open>expired",
        "partial>paid",
        "partial>expired",
        "expired>paid",
    ];
    let set = |state: &str| {
        let paid = if state == "paid" { "now()" } else { "NULL" };
        format!("state = '{state}', paid_at = {paid}")
    };
    let states = words(DepositState::ALL, DepositState::word);
    walk(&world, "deposits", &states, &arrows, set).await;
}

#[tokio::test]
async fn incoming_transfers_move_along_their_arrows() {
    let world = World::new().await;
    let to = world.annas().await;
    world.receive(&[coin(1, to, 5)]).await;
    let arrows = [
        "seen>reverted",
        "reverted>seen",
        "seen>credited",
        "seen>held",
        "seen>ignored",
        "held>credited",
        "held>ignored",
        "held>refunded",
        "ignored>credited",
        "ignored>held",
        "credited>reversed",
    ];
    let set = |state: &str| {
        let decided = match state {
            "seen" | "reverted" => "kind = NULL, decided_by = NULL, decided_at = NULL",
            _ => "kind = 'plain', decided_by = 'worker', decided_at = now()",
        };
        let credited = match state {
            "credited" | "reversed" => "asset = 'TRX', credited = 5, user_id = 7",
            _ => "asset = NULL, credited = NULL, user_id = NULL",
        };
        format!("state = '{state}', {decided}, {credited}")
    };
    let states = words(TransferState::ALL, TransferState::word);
    walk(&world, "incoming_transfers", &states, &arrows, set).await;
}

#[tokio::test]
async fn what_was_agreed_or_signed_is_never_rewritten() {
    let world = World::new().await;
    world.wallet(1, STAKE).await;
    let tx = world.claim(world.order(1).await).await;
    world.mine(&[landed(&tx)]).await;
    for (table, column, value) in [
        ("orders", "user_id", "8"),
        ("orders", "receiver", "'T' || repeat('b', 33)"),
        ("orders", "energy", "1"),
        ("orders", "duration_s", "1"),
        ("orders", "price_sun", "1"),
        ("orders", "network", "'mars'"),
        ("delegations", "amount_sun", "1000001"),
        ("delegations", "energy", "1"),
        ("delegations", "receiver", "'x'"),
        ("delegations", "network", "'mars'"),
        ("delegations", "order_id", "gen_random_uuid()"),
        ("delegations", "wallet_id", "gen_random_uuid()"),
        ("chain_transactions", "raw", "decode(repeat('00', 200), 'hex')"),
        ("chain_transactions", "txid", "repeat('ab', 32)"),
        ("chain_transactions", "intent_kind", "'reclaim'"),
        ("chain_transactions", "intent_id", "gen_random_uuid()"),
        ("chain_transactions", "timestamp_ms", "1"),
        ("chain_transactions", "expires_at", "now()"),
    ] {
        let refused = world
            .db
            .try_sql(&format!("UPDATE {table} SET {column} = {value}"))
            .await;
        let refused = refused.expect_err(column).to_string();
        assert!(refused.contains("immutable"), "{table}.{column}: {refused}");
    }
    for table in ["orders", "delegations", "chain_transactions", "order_events"] {
        let refused = world
            .db
            .try_sql(&format!("DELETE FROM {table}"))
            .await
            .expect_err(table)
            .to_string();
        assert!(refused.contains("append-only"), "{refused}");
    }
}

#[tokio::test]
async fn stakings_move_along_their_arrows() {
    let world = World::new().await;
    let wallet = world.wallet(1, 0).await;
    let insert = |wallet: &str| {
        format!(
            "INSERT INTO stakings (id, network, wallet_id, action, resource, amount_sun, state, source, requested_by, reason, \
                 created_at, updated_at) \
             VALUES (gen_random_uuid(), 'nile', '{wallet}', 'stake', 'energy', 1000000, 'requested', 'operator', 'operator:x', \
                 'more', now(), now())"
        )
    };
    world.db.sql(&insert(&wallet.to_string())).await;
    let arrows = [
        "requested>processing",
        "requested>done",
        "requested>failed",
        "requested>cancelled",
        "processing>requested",
        "processing>sent",
        "processing>failed",
        "sent>processing",
        "sent>done",
    ];
    let set = |state: &str| {
        let is_end = matches!(state, "done" | "failed" | "cancelled");
        let ended_at = if is_end { "now()" } else { "NULL" };
        let block = if matches!(state, "sent" | "done") { "1" } else { "NULL" };
        format!("state = '{state}', ended_at = {ended_at}, block_number = {block}")
    };
    walk(
        &world,
        "stakings",
        &words(StakingState::ALL, StakingState::word),
        &arrows,
        set,
    )
    .await;
    for (column, value) in [
        ("network", "'mars'"),
        ("action", "'unstake'"),
        ("resource", "'bandwidth'"),
        ("amount_sun", "2000000"),
        ("source", "'policy'"),
        ("requested_by", "'operator:y'"),
        ("reason", "'less'"),
    ] {
        let refused = world
            .db
            .try_sql(&format!("UPDATE stakings SET {column} = {value}"))
            .await;
        let refused = refused.expect_err(column).to_string();
        assert!(refused.contains("immutable"), "{column}: {refused}");
    }
    let again = world.db.try_sql(&insert(&wallet.to_string())).await;
    let refused = again.expect_err("one at a time").to_string();
    assert!(refused.contains("stakings_one_open"), "{refused}");
    let refused = world.db.try_sql("DELETE FROM stakings").await.expect_err("kept");
    assert!(refused.to_string().contains("append-only"), "{refused}");
    let treasury = world.wallet(2, 0).await;
    world
        .db
        .sql(&format!(
            "UPDATE supplier_wallets SET purpose = 'treasury' WHERE id = '{treasury}'"
        ))
        .await;
    let refused = world.db.try_sql(&insert(&treasury.to_string())).await;
    let refused = refused.expect_err("no treasury").to_string();
    assert!(refused.contains("only wallets that lend"), "{refused}");
}
