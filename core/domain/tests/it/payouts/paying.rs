//! Paid at most once, whatever nodes say and forks do.

use chain::{Block, BlockRef, Broadcast, Refusal, TransactionSeen};
use db::models::{PayoutState, TxState};
use domain::DomainError;
use domain::delegations::Adoption;
use domain::operations::Decision;
use switchyard_domain as domain;

use super::TRX;
use crate::harness::{failed, landed, refused};
use crate::world::{ANNA, NETWORK, World};

fn with_fee(seen: TransactionSeen, fee_sun: i64) -> TransactionSeen {
    TransactionSeen { fee_sun, ..seen }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payout_is_completed_once_its_block_is_solidified_and_its_fee_booked() {
    let world = World::new().await;
    world.treasury(1, 100 * TRX, 0).await;
    let before = world.trx(ANNA).await;
    let payout = world.approved(20).await;
    assert_eq!(world.trx(ANNA).await, before - 20 * TRX);
    assert!(world.has_job("payouts.send", payout).await);
    let tx = world.pay(payout).await.unwrap();
    assert_eq!(world.pay(payout).await, Err("nothing to do"));
    world.mine(&[with_fee(landed(&tx), 345_000)]).await;
    assert_eq!(world.payout_state(payout).await, PayoutState::Sent);
    assert_eq!(world.books().await, [20_000_000, 0], "the block can still be reverted");
    world.solidify().await;
    assert_eq!(world.finalise().await, 1);
    assert_eq!(world.payout_state(payout).await, PayoutState::Completed);
    assert_eq!(world.books().await, [0, 20_345_000]);
    assert_eq!(
        world.payout_events(payout).await,
        ["requested", "signed", "sent", "completed"]
    );
    assert_eq!(world.finalise().await, 0);
    world.drain_jobs().await;
    world.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_failed_in_its_block_is_tried_again_only_once_that_is_final() {
    let world = World::new().await;
    let treasury = world.treasury(1, 1_000 * TRX, 0).await;
    let before = world.trx(ANNA).await;
    let payout = world.approved(20).await;
    for attempt in 1..=3 {
        let tx = world.pay(payout).await.unwrap();
        world.mine(&[with_fee(failed(&tx), 1_000_000)]).await;
        assert_eq!(world.payout_state(payout).await, PayoutState::Processing);
        assert_eq!(world.pay(payout).await, Err("nothing to do"));
        world.solidify().await;
        assert_eq!(world.finalise().await, 1);
        let expected = if attempt < 3 {
            PayoutState::Approved
        } else {
            PayoutState::Failed
        };
        assert_eq!(world.payout_state(payout).await, expected, "attempt {attempt}");
    }
    assert_eq!(world.trx(ANNA).await, before, "back, once");
    assert_eq!(world.books().await, [0, 3_000_000], "each burned its fee");
    let failures = format!("SELECT failures FROM supplier_wallets WHERE id = '{treasury}'");
    assert_eq!(
        world.number(&failures).await,
        0,
        "what a contract refuses is not the wallet's fault"
    );
    assert_eq!(world.pay(payout).await, Err("nothing to do"));
    world.drain_jobs().await;
    world.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_is_not_failed_and_another_is_signed_only_after_a_proven_death() {
    let world = World::new().await;
    world.treasury(1, 100 * TRX, 0).await;
    let payout = world.approved(20).await;
    let tx = world.pay(payout).await.unwrap();
    // a node that refuses the first send may include it all the same
    assert!(!world.answer(&tx, &refused(Refusal::Other), true).await.died);
    let unknown = Broadcast::Unknown {
        code: "timeout".into(),
        message: String::new(),
    };
    assert!(!world.answer(&tx, &unknown, false).await.died);
    assert!(!world.bury(&tx).await);
    assert_eq!(world.pay(payout).await, Err("nothing to do"));
    world.outlive(&tx).await;
    assert!(world.bury(&tx).await);
    assert_eq!(world.payout_state(payout).await, PayoutState::Approved);
    let second = world.pay(payout).await.unwrap();
    world.mine(&[landed(&second)]).await;
    world.solidify().await;
    world.finalise().await;
    assert_eq!(world.payout_state(payout).await, PayoutState::Completed);
    assert_eq!(world.books().await, [0, 20_000_000]);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_dead_transaction_landed_nothing_is_paid_again() {
    let world = World::new().await;
    world.treasury(1, 100 * TRX, 0).await;
    let payout = world.approved(20).await;
    let tx = world.pay(payout).await.unwrap();
    // it has expired by all that we read, and lands all the same
    world.outlive(&tx).await;
    assert!(world.bury(&tx).await);
    assert_eq!(world.payout_state(payout).await, PayoutState::Approved);
    let block = world.mine(&[with_fee(landed(&tx), 345_000)]).await;
    assert!(
        world
            .findings()
            .await
            .contains(&"chain.dead_transaction_landed".to_owned())
    );
    assert_eq!(world.pay(payout).await, Err("dead_transaction_landed"));
    let given_back = world.decide(payout, Decision::Reject, "operator:anna").await;
    assert_eq!(given_back.unwrap_err().code(), "payout_may_be_paid");
    // not even after somebody closed the finding
    world
        .db
        .sql("UPDATE findings SET resolved_at = now(), resolved_by = 'x'")
        .await;
    assert_eq!(world.pay(payout).await, Err("dead_transaction_landed"));
    world.solidify().await;
    assert_eq!(world.adopt(&tx, &block).await, Adoption::Adopted { wakes: Vec::new() });
    assert_eq!(world.payout_state(payout).await, PayoutState::Completed);
    assert_eq!(world.tx_state(&tx).await, TxState::Final);
    assert_eq!(world.books().await, [0, 20_345_000], "what it burned has left, too");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payout_that_a_node_knows_of_is_never_held_for_dead_and_is_booked_by_an_operator() {
    let world = World::new().await;
    world.treasury(1, 100 * TRX, 0).await;
    let payout = world.approved(20).await;
    let tx = world.pay(payout).await.unwrap();
    // the block was read without it
    let read = world.mine(&[]).await;
    world.outlive(&tx).await;
    world.miss(&tx, read.at.number).await;
    assert!(world.findings().await.contains(&"chain.transaction_missed".to_owned()));
    assert!(!world.bury(&tx).await);
    world
        .db
        .sql("UPDATE findings SET resolved_at = now(), resolved_by = 'worker'")
        .await;
    assert!(!world.bury(&tx).await, "it is over only where a person says so");
    assert_eq!(world.pay(payout).await, Err("nothing to do"));

    let carries = |at: &BlockRef| Block {
        at: at.clone(),
        transactions: vec![with_fee(landed(&tx), 345_000)],
        transfers: Vec::new(),
    };
    let empty = "the block that the node gave does not carry it";
    assert_eq!(world.adopt(&tx, &read).await, Adoption::Refused(empty));
    let unread = BlockRef {
        number: world.head().await.number + 1,
        ..read.at.clone()
    };
    let not_solid = "its block is not solid by our own reading yet";
    assert_eq!(world.adopt(&tx, &carries(&unread)).await, Adoption::Refused(not_solid));
    let other = BlockRef {
        id: "ab".repeat(32),
        ..read.at.clone()
    };
    let lies = "we have read another block at its height: the node lies, or did";
    assert_eq!(world.adopt(&tx, &carries(&other)).await, Adoption::Refused(lies));

    assert!(matches!(
        world.adopt(&tx, &carries(&read.at)).await,
        Adoption::Adopted { .. }
    ));
    assert!(world.has_job("chain.settle_final", NETWORK).await);
    world.finalise().await;
    assert_eq!(world.payout_state(payout).await, PayoutState::Completed);
    assert_eq!(world.books().await, [0, 20_345_000]);
    world.miss(&tx, read.at.number).await;
    assert!(
        !world.findings().await.contains(&"chain.transaction_missed".to_owned()),
        "it was brought meanwhile"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_node_was_wrong_about_is_held_for_dead_once_an_operator_says_so() {
    let world = World::new().await;
    world.treasury(1, 100 * TRX, 0).await;
    let payout = world.approved(20).await;
    let tx = world.pay(payout).await.unwrap();
    let read = world.mine(&[]).await;
    world.outlive(&tx).await;
    world.miss(&tx, read.at.number).await;
    assert!(!world.bury(&tx).await);
    let resolve = "UPDATE findings SET resolved_at = now(), resolved_by = 'operator:ops', resolved_reason = 'no block has it' \
                   WHERE kind = 'chain.transaction_missed' AND resolved_at IS NULL";
    world.db.sql(resolve).await;
    // a node that names a block again is believed again
    world.miss(&tx, read.at.number).await;
    assert!(!world.bury(&tx).await);
    world.db.sql(resolve).await;
    assert!(world.bury(&tx).await);
    assert_eq!(world.payout_state(payout).await, PayoutState::Approved);
    assert!(world.pay(payout).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fork_takes_back_what_was_sent_and_the_same_bytes_land_again() {
    let world = World::new().await;
    world.treasury(1, 100 * TRX, 0).await;
    let payout = world.approved(20).await;
    let tx = world.pay(payout).await.unwrap();
    world.mine(&[landed(&tx)]).await;
    world.revert_to(1000).await;
    assert_eq!(world.payout_state(payout).await, PayoutState::Processing);
    assert_eq!(world.pay(payout).await, Err("nothing to do"));
    world.mine(&[]).await;
    world.mine(&[landed(&tx)]).await;
    assert_eq!(world.payout_state(payout).await, PayoutState::Sent);
    assert_eq!(
        world.payout_events(payout).await,
        ["requested", "signed", "sent", "reverted", "sent"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_on_its_way_from_a_wallet_is_not_there_for_another_payout() {
    let world = World::new().await;
    let treasury = world.treasury(1, 60 * TRX, 0).await;
    let (first, second) = (world.approved(30).await, world.approved(30).await);
    let tx = world.pay(first).await.unwrap();
    assert_eq!(
        world.pay(second).await,
        Err("no_treasury_fits"),
        "30 and the reserve are left"
    );
    assert_eq!(world.findings().await, ["payouts.treasury_short"]);
    assert!(world.has_job("wallets.sync", treasury).await);
    world.mine(&[landed(&tx)]).await;
    assert_eq!(
        world.pay(second).await,
        Err("no_treasury_fits"),
        "its read may not show it yet"
    );
    world
        .db
        .sql("UPDATE supplier_wallets SET balance_sun = 35000000, synced_block = 1001")
        .await;
    world.pay(second).await.unwrap();
    assert_eq!(world.findings().await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_treasury_wallet_in_use_pays() {
    let world = World::new().await;
    let supply = world.wallet(2, 0).await;
    world
        .db
        .sql(&format!(
            "UPDATE supplier_wallets SET balance_sun = 1000000000, usdt_micro = 1000000000 WHERE id = '{supply}'"
        ))
        .await;
    let payout = world.approved(20).await;
    assert_eq!(world.pay(payout).await, Err("no_treasury_fits"));
    let treasury = world.treasury(1, 100 * TRX, 0).await;
    for out in [
        "enabled = false",
        "isolated_at = now(), isolated_reason = 'x'",
        "balance_sun = 24999999",
    ] {
        let back = "enabled = true, isolated_at = NULL, isolated_reason = NULL, balance_sun = 25000000";
        world
            .db
            .sql(&format!("UPDATE supplier_wallets SET {out} WHERE id = '{treasury}'"))
            .await;
        assert_eq!(world.pay(payout).await, Err("no_treasury_fits"), "{out}");
        world
            .db
            .sql(&format!("UPDATE supplier_wallets SET {back} WHERE id = '{treasury}'"))
            .await;
    }
    world
        .db
        .sql("INSERT INTO switches VALUES ('payouts', true, 'x', 'operator:anna', now())")
        .await;
    assert_eq!(world.pay(payout).await, Err("payouts_stopped"));
    assert!(matches!(
        world.ask(&world.wish(1)).await,
        Err(DomainError::PayoutsStopped)
    ));
    world.db.sql("UPDATE switches SET enabled = false").await;
    assert_eq!(world.pay(payout).await.unwrap().wallet, treasury);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_workers_pay_one_payout_once() {
    let world = World::new().await;
    world.treasury(1, 100 * TRX, 0).await;
    let payout = world.approved(20).await;
    let pay = || world.pay(payout);
    let (a, b, c, d) = tokio::join!(pay(), pay(), pay(), pay());
    let tries = [a, b, c, d];
    assert_eq!(tries.iter().filter(|paid| paid.is_ok()).count(), 1);
    assert_eq!(world.count("chain_transactions").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_proofs_find_what_is_wrong_with_payouts_and_lost_work() {
    let world = World::new().await;
    world.treasury(1, 100 * TRX, 0).await;
    let payout = world.approved(20).await;
    world.drain_jobs().await;
    assert_eq!(world.reconcile().await.requeued, 1);
    assert!(world.has_job("payouts.send", payout).await);
    world.clock.advance_seconds(16 * 60);
    world.reconcile().await;
    assert_eq!(world.findings().await, ["payouts.stuck"]);
    world
        .db
        .sql("BEGIN; SET LOCAL session_replication_role = replica; UPDATE payouts SET amount = amount + 1; COMMIT")
        .await;
    world.reconcile().await;
    assert_eq!(world.findings().await, ["ledger.payouts_differ", "payouts.stuck"]);
}
