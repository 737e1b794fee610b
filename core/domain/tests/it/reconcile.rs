//! Each proof finds what is broken, and forgets it once it is whole.

use chain::Refusal;
use chrono::Duration;
use db::models::OrderState;
use domain::reconcile::Report;
use switchyard_domain as domain;

use crate::harness::{landed, refused};
use crate::world::{PRICE, STAKE, World};

/// Breaks what the database guards, as only its owner can.
async fn break_rows(world: &World, sql: &str) {
    world
        .db
        .sql(&format!("SET session_replication_role = replica; {sql}"))
        .await;
}

async fn found(world: &World, kinds: &[&str]) {
    let report = world.reconcile().await;
    assert_eq!(
        (report.findings, world.findings().await),
        (kinds.len(), kinds.iter().map(ToString::to_string).collect())
    );
}

#[tokio::test]
async fn healthy_books_give_no_findings() {
    let world = World::new().await;
    world.wallet(1, STAKE * 10).await;
    world.assert_sound().await;
    let pending = world.order(1).await;
    let (_, tx) = world.ended(3).await;
    world.deliver(2).await;
    let back = world.reclaim(tx.delegation).await.unwrap();
    world.mine(&[landed(&back)]).await;
    let refunded = world.claim(world.order(4).await).await;
    world
        .answer(&refunded, &refused(Refusal::ReceiverIsContract), true)
        .await;
    assert_eq!(world.state(pending).await, OrderState::Pending);
    world.assert_sound().await;
    assert_eq!(world.findings().await, [""; 0]);
}

#[tokio::test]
async fn a_wrong_cached_balance_is_found() {
    let world = World::new().await;
    break_rows(
        &world,
        "UPDATE ledger_accounts SET balance = balance + 1 WHERE user_id IS NOT NULL",
    )
    .await;
    found(&world, &["ledger.balance_differs", "ledger.unbalanced"]).await;
    let subjects = world.words("SELECT subject AS word FROM findings ORDER BY 1").await;
    assert_eq!(subjects, ["account:user:7:TRX", "asset:TRX"]);
    break_rows(
        &world,
        "UPDATE ledger_accounts SET balance = balance - 1 WHERE user_id IS NOT NULL",
    )
    .await;
    found(&world, &[]).await;
}

#[tokio::test]
async fn an_edited_transfer_is_found() {
    let world = World::new().await;
    world.order(1).await;
    break_rows(
        &world,
        "UPDATE ledger_transfers SET amount = amount + 1 WHERE reason = 'order_hold'",
    )
    .await;
    // the user has paid a sun less than the transfer says, and escrow has a sun more than the order's price
    found(
        &world,
        &["ledger.balance_differs", "ledger.escrow_differs", "ledger.unbalanced"],
    )
    .await;
}

#[tokio::test]
async fn an_order_that_lost_its_money_is_found() {
    let world = World::new().await;
    let order = world.order(1).await;
    let state = |state: &str| format!("UPDATE orders SET state = '{state}' WHERE id = '{order}'");
    break_rows(&world, &state("refunded")).await;
    found(&world, &["ledger.escrow_differs"]).await;
    let detail = world.word("SELECT detail->>'escrow_sun' AS word FROM findings").await;
    assert_eq!(detail, PRICE.to_string());
    break_rows(&world, &state("pending")).await;
    found(&world, &[]).await;
}

#[tokio::test]
async fn a_wrong_reservation_is_found_and_forgotten() {
    let world = World::new().await;
    let wallet = world.wallet(1, STAKE * 10).await;
    world.claim(world.order(1).await).await;
    world.deliver(2).await;
    world.assert_sound().await;
    world
        .db
        .sql("UPDATE supplier_wallets SET reserved_sun = reserved_sun + 1")
        .await;
    found(&world, &["wallets.reservation_differs"]).await;
    found(&world, &["wallets.reservation_differs"]).await;
    assert_eq!(
        world.word("SELECT subject AS word FROM findings").await,
        format!("wallet:{wallet}")
    );
    assert_eq!(world.number("SELECT times_seen FROM findings").await, 2);
    world
        .db
        .sql("UPDATE supplier_wallets SET reserved_sun = reserved_sun - 1")
        .await;
    found(&world, &[]).await;
}

#[tokio::test]
async fn an_order_beyond_its_deadline_is_found_and_forgotten() {
    let world = World::new().await;
    world.wallet(1, STAKE * 10).await;
    let order = world.order(1).await;
    let tx = world.claim(order).await;
    world
        .clock
        .advance_seconds(world.policy.deadline.num_seconds() + 15 * 60);
    world.assert_sound().await;
    world.clock.advance_seconds(1);
    found(&world, &["orders.stuck"]).await;
    assert_eq!(
        world.word("SELECT subject AS word FROM findings").await,
        format!("order:{order}")
    );
    world.mine(&[landed(&tx)]).await;
    found(&world, &[]).await;
}

#[tokio::test]
async fn a_released_wallet_is_no_finding() {
    let world = World::new().await;
    let wallet = world.wallet(1, STAKE * 10).await;
    for n in 1..=3 {
        let tx = world.claim(world.order(n).await).await;
        world.answer(&tx, &refused(Refusal::BadSignature), true).await;
    }
    world.reconcile().await;
    assert_eq!(world.findings().await, ["wallets.isolated"]);
    domain::wallets::set_enabled(&world.api, &world.ids, wallet, true, world.now())
        .await
        .unwrap();
    world.reconcile().await;
    assert_eq!(world.findings().await, [""; 0]);
}

#[tokio::test]
async fn a_lost_order_gets_its_job_back_once() {
    let world = World::new().await;
    world.wallet(1, STAKE).await;
    let lost = world.order(1).await;
    let processing = world.order(2).await;
    world.claim(processing).await;
    world.drain_jobs().await;
    let waiting = world.order(3).await;
    let report = world.reconcile().await;
    assert_eq!((report.requeued, report.wakes.len()), (1, 1));
    assert_eq!(report.wakes[0].object_id, lost.to_string());
    assert!(world.has_job("orders.delegate", lost).await && world.has_job("orders.delegate", waiting).await);
    assert!(!world.has_job("orders.delegate", processing).await);
    assert_eq!(world.reconcile().await, Report::default());
}

#[tokio::test]
async fn a_proof_that_cannot_be_made_keeps_nothing_else_from_being_done() {
    let world = World::new().await;
    world.wallet(1, STAKE * 10).await;
    world.order(1).await;
    world.drain_jobs().await;
    world
        .db
        .sql("UPDATE supplier_wallets SET reserved_sun = reserved_sun + 1")
        .await;
    world.db.sql("ALTER TABLE ledger_checkpoints RENAME TO hidden").await;
    let (report, proved) = domain::reconcile::run(&world.worker, &world.ids, world.now()).await;
    assert!(proved.is_err(), "the replay finds no checkpoints");
    assert_eq!((report.findings, report.requeued, report.wakes.len()), (1, 1, 1));
    assert_eq!(world.findings().await, ["wallets.reservation_differs"]);
}

#[tokio::test]
async fn books_too_large_to_replay_are_told_of_and_still_have_to_balance() {
    let world = World::new().await;
    break_rows(
        &world,
        "UPDATE ledger_accounts SET balance = balance + 1 WHERE user_id IS NOT NULL; \
         INSERT INTO ledger_accounts (code, user_id, asset, balance) \
         SELECT 'user:' || n || ':TRX', n, 'TRX', 0 FROM generate_series(1000, 50000) n",
    )
    .await;
    let (report, proved) = domain::reconcile::run_within(&world.worker, &world.ids, 1, world.now()).await;
    proved.unwrap();
    assert_eq!(report.findings, 2);
    assert_eq!(world.findings().await, ["ledger.not_replayed", "ledger.unbalanced"]);
    found(&world, &["ledger.balance_differs", "ledger.unbalanced"]).await;
}

#[tokio::test]
async fn a_rental_on_chain_long_after_its_end_is_found() {
    let world = World::new().await;
    world.wallet(1, STAKE).await;
    let (_, tx) = world.ended(1).await;
    let ends_at = world.delegation(tx.delegation).await.ends_at.unwrap();
    world.mine_at(ends_at + Duration::minutes(15)).await;
    world.assert_sound().await;
    // whatever our clock says, the chain's counts; nobody takes it back, for its job is dead
    world.mine_at(ends_at + Duration::seconds(15 * 60 + 1)).await;
    found(&world, &["delegations.reclaim_fails"]).await;
    let back = world.reclaim(tx.delegation).await.unwrap();
    found(&world, &["delegations.reclaim_fails"]).await;
    world.mine(&[landed(&back)]).await;
    found(&world, &[]).await;
}
