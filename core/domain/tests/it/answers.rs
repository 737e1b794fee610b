//! What nodes answer to a send: only a refusal of the very first one is a death.

use chain::{Broadcast, Refusal};
use chrono::Duration;
use db::acquire;
use db::models::{ChainTransaction, DeathCause, DelegationState, OrderState, TxState};

use domain::transactions::record_accepted;
use switchyard_domain as domain;

use crate::harness::{Tx, landed, refused};
use crate::world::{NETWORK, STAKE, World, address};

fn words(code: &str) -> (String, String) {
    (code.to_owned(), "a text".to_owned())
}

async fn world_with_wallet() -> World {
    let world = World::new().await;
    world.wallet(1, STAKE * 10).await;
    world
}

/// The order of `tx` is still on its way.
async fn assert_alive(world: &World, tx: &Tx) {
    assert_eq!(world.delegation(tx.delegation).await.state, DelegationState::Reserved);
    assert_eq!(world.reserved(tx.wallet).await, STAKE);
    assert!(matches!(world.tx_state(tx).await, TxState::Sent | TxState::Signed));
}

#[tokio::test]
async fn no_doubtful_answer_kills() {
    let world = world_with_wallet().await;
    let tx = world.claim(world.order(1).await).await;
    let (code, message) = words("DUP_TRANSACTION_ERROR");
    let known = Broadcast::AlreadyKnown { code, message };
    let (code, message) = words("SERVER_BUSY");
    let retry = Broadcast::Retry { code, message };
    let (code, message) = words("timeout");
    let unknown = Broadcast::Unknown { code, message };
    for (n, answer) in [Broadcast::Accepted, known, retry, unknown].iter().enumerate() {
        for first_send in [true, false] {
            let recorded = world.answer(&tx, answer, first_send).await;
            assert!(!recorded.died, "{answer:?}");
        }
        let row = world.tx_row(&tx).await;
        assert_eq!(
            (row.state, row.sends),
            (TxState::Sent, 2 * i32::try_from(n).unwrap() + 2)
        );
        assert_eq!(row.last_code.as_deref(), Some(answer.code()));
    }
    assert_alive(&world, &tx).await;
}

#[tokio::test]
async fn first_sends_that_were_taken_are_recorded_together() {
    let world = world_with_wallet().await;
    let mut txs = Vec::new();
    for receiver in 1..=3 {
        txs.push(world.claim(world.order(receiver).await).await);
    }
    // one was taken for a resend meanwhile: its first answer says nothing of the first of all
    world.answer(&txs[1], &Broadcast::Accepted, false).await;
    let next = |n: i64| world.now() + Duration::seconds(5 + n);
    let accepted: Vec<_> = (0..).zip(&txs).map(|(n, tx)| (tx.id, next(n))).collect();
    let mut recorded = record_accepted(&world.worker, &accepted, world.now()).await.unwrap();
    recorded.sort();
    assert_eq!(recorded, [txs[0].id, txs[2].id]);
    for (n, tx) in [(0, &txs[0]), (2, &txs[2])] {
        let row = world.tx_row(tx).await;
        assert_eq!((row.state, row.sends), (TxState::Sent, 1));
        assert_eq!(
            (row.last_code.as_deref(), row.next_check_at),
            (Some("SUCCESS"), next(n))
        );
    }
    assert_eq!(
        record_accepted(&world.worker, &accepted, world.now()).await.unwrap(),
        []
    );
}

#[tokio::test]
async fn each_further_send_waits_longer() {
    let world = world_with_wallet().await;
    let tx = world.claim(world.order(1).await).await;
    for seconds in [5, 10, 20, 40, 60, 60] {
        world.answer(&tx, &Broadcast::Accepted, false).await;
        let next = world.tx_row(&tx).await.next_check_at;
        assert_eq!(next - world.now(), Duration::seconds(seconds));
    }
}

#[tokio::test]
async fn a_refusal_of_the_first_send_sends_the_order_back_to_work() {
    let world = world_with_wallet().await;
    let order = world.order(1).await;
    let tx = world.claim(order).await;
    world.drain_jobs().await;
    let recorded = world.answer(&tx, &refused(Refusal::InsufficientStake), true).await;
    assert!(recorded.died);
    let kinds: Vec<&str> = recorded.wakes.iter().map(|wake| wake.kind.word()).collect();
    assert_eq!(kinds, ["orders.delegate", "wallets.sync"]);
    let row = world.tx_row(&tx).await;
    assert_eq!(
        (row.state, row.death_cause),
        (TxState::Dead, Some(DeathCause::RefusedOnFirstSend))
    );
    let found = world.find(order).await;
    assert_eq!((found.state, found.attempts), (OrderState::Pending, 1));
    assert_eq!(found.reason_code.as_deref(), Some("attempt_failed"));
    assert_eq!(world.delegation(tx.delegation).await.state, DelegationState::Released);
    assert_eq!((world.reserved(tx.wallet).await, world.money().await), (0, [1, 1, 0]));
    assert!(world.has_job("orders.delegate", order).await && world.has_job("wallets.sync", tx.wallet).await);
    assert_eq!(world.events(order).await, ["accepted", "signed", "attempt_failed"]);
    let code = "SELECT detail->>'code' AS word FROM order_events WHERE event = 'attempt_failed'";
    assert_eq!(world.word(code).await, "CONTRACT_VALIDATE_ERROR");
    world.assert_sound().await;
    let again = world.claim(order).await;
    assert_ne!((again.id, again.delegation), (tx.id, tx.delegation));
    world.mine(&[landed(&again)]).await;
    assert_eq!(world.state(order).await, OrderState::Completed);
    world.assert_sound().await;
}

#[tokio::test]
async fn a_refusal_of_a_later_send_is_no_death() {
    let world = world_with_wallet().await;
    let tx = world.claim(world.order(1).await).await;
    for refusal in [
        Refusal::InsufficientStake,
        Refusal::ReceiverNotActivated,
        Refusal::Other,
    ] {
        let recorded = world.answer(&tx, &refused(refusal), false).await;
        assert!(!recorded.died && recorded.wakes.is_empty());
    }
    assert_alive(&world, &tx).await;
}

#[tokio::test]
async fn the_signer_is_not_the_first_sender_once_another_has_sent() {
    let world = world_with_wallet().await;
    let tx = world.claim(world.order(1).await).await;
    // the signing worker stalls before its send; another one resends, and the node takes it
    world.answer(&tx, &Broadcast::Accepted, false).await;
    let recorded = world.answer(&tx, &refused(Refusal::InsufficientStake), true).await;
    assert!(!recorded.died);
    assert_alive(&world, &tx).await;
}

#[tokio::test]
async fn the_signer_is_not_the_first_sender_once_another_is_about_to_send() {
    let world = world_with_wallet().await;
    let tx = world.claim(world.order(1).await).await;
    world.clock.advance_seconds(5);
    let next = world.now() + Duration::seconds(30);
    let mut conn = acquire(&world.worker).await.unwrap();
    let due = ChainTransaction::claim_to_check(&mut conn, NETWORK, world.now(), next, 10)
        .await
        .unwrap();
    drop(conn);
    assert_eq!(due.len(), 1);
    // its answer is not recorded yet, and may say that the node took it
    let recorded = world.answer(&tx, &refused(Refusal::InsufficientStake), true).await;
    assert!(!recorded.died);
    assert_alive(&world, &tx).await;
}

#[tokio::test]
async fn a_receiver_that_cannot_receive_ends_the_order_at_once() {
    for (refusal, reason, verdict) in [
        (Refusal::ReceiverNotActivated, "receiver_not_activated", "not_activated"),
        (Refusal::ReceiverIsContract, "receiver_is_contract", "contract"),
    ] {
        let world = world_with_wallet().await;
        let order = world.order(1).await;
        let tx = world.claim(order).await;
        world.drain_jobs().await;
        assert!(world.answer(&tx, &refused(refusal), true).await.died);
        let found = world.find(order).await;
        assert_eq!(
            (found.state, found.reason_code.as_deref()),
            (OrderState::Refunded, Some(reason))
        );
        assert_eq!((world.money().await, world.reserved(tx.wallet).await), ([0, 0, 0], 0));
        assert!(!world.has_job("orders.delegate", order).await);
        let events = ["accepted", "signed", "attempt_failed", "failed", "refunded"];
        assert_eq!(world.events(order).await, events);
        let cached = format!(
            "SELECT verdict AS word FROM receiver_checks WHERE address = '{}'",
            address(1)
        );
        assert_eq!(world.word(&cached).await, verdict);
        // the wallet had no part in it
        assert_eq!(world.number("SELECT failures FROM supplier_wallets").await, 0);
        world.assert_sound().await;
    }
}

#[tokio::test]
async fn the_last_attempt_refunds() {
    let world = world_with_wallet().await;
    let order = world.order(1).await;
    for attempt in 1..=3 {
        assert_eq!(world.state(order).await, OrderState::Pending);
        let tx = world.claim(order).await;
        world.answer(&tx, &refused(Refusal::BadReference), true).await;
        assert_eq!(world.find(order).await.attempts, attempt);
    }
    let found = world.find(order).await;
    assert_eq!(
        (found.state, found.reason_code.as_deref()),
        (OrderState::Refunded, Some("attempts_exhausted"))
    );
    assert_eq!(world.money().await, [0, 0, 0]);
    world.assert_sound().await;
}

#[tokio::test]
async fn a_death_past_the_deadline_refunds() {
    let world = world_with_wallet().await;
    let order = world.order(1).await;
    let tx = world.claim(order).await;
    world.clock.advance_seconds(world.policy.deadline.num_seconds());
    world.answer(&tx, &refused(Refusal::Other), true).await;
    let found = world.find(order).await;
    assert_eq!(
        (found.state, found.reason_code.as_deref()),
        (OrderState::Refunded, Some("deadline_passed"))
    );
    assert_eq!(world.money().await, [0, 0, 0]);
    world.assert_sound().await;
}

#[tokio::test]
async fn a_wallet_that_fails_too_often_is_isolated() {
    let world = world_with_wallet().await;
    for n in 1..=3 {
        let tx = world.claim(world.order(n).await).await;
        assert_eq!(world.findings().await, [""; 0]);
        world.answer(&tx, &refused(Refusal::BadSignature), true).await;
    }
    assert_eq!(world.findings().await, ["wallets.isolated"]);
    assert_eq!(world.count("supplier_wallets WHERE isolated_at IS NOT NULL").await, 1);
}

#[tokio::test]
async fn a_success_forgives_earlier_failures() {
    let world = world_with_wallet().await;
    for n in 1..=6 {
        let tx = world.claim(world.order(n).await).await;
        if n % 3 == 0 {
            world.mine(&[landed(&tx)]).await;
        } else {
            world.answer(&tx, &refused(Refusal::Other), true).await;
        }
    }
    assert_eq!(world.number("SELECT failures FROM supplier_wallets").await, 0);
    assert_eq!(world.findings().await, [""; 0]);
}

#[tokio::test]
async fn an_answer_after_the_block_changes_nothing() {
    let world = world_with_wallet().await;
    let (order, tx) = world.deliver(1).await;
    let before = (world.find(order).await, world.tx_row(&tx).await.sends);
    for answer in [Broadcast::Accepted, refused(Refusal::InsufficientStake)] {
        let recorded = world.answer(&tx, &answer, true).await;
        assert!(!recorded.died && recorded.wakes.is_empty());
    }
    assert_eq!((world.find(order).await, world.tx_row(&tx).await.sends), before);
    assert_eq!(world.tx_state(&tx).await, TxState::Included);
}

#[tokio::test]
async fn an_answer_to_a_dead_transaction_changes_nothing() {
    let world = world_with_wallet().await;
    let order = world.order(1).await;
    let tx = world.claim(order).await;
    world.answer(&tx, &refused(Refusal::Other), true).await;
    let before = world.find(order).await;
    assert!(!world.answer(&tx, &refused(Refusal::Other), true).await.died);
    assert_eq!(world.find(order).await, before);
    assert_eq!(world.events(order).await.len(), 3);
}
