//! The first send of signed bytes, and every answer that a node has for it.

use ::devnet::{Fault, FaultRule};
use db::models::{DeathCause, OrderState, TxState};
use serde_json::json;

use crate::harness::{Does, Rig};

const SEND: &str = "broadcasthex";

/// A node that looks at the bytes and does not take them.
fn refusal(code: &str, message: &str) -> Fault {
    let body = json!({ "result": false, "code": code, "message": message }).to_string();
    Fault::HttpStatus { status: 200, body }
}

const NO_STAKE: &str =
    "Contract validate error : delegateBalance must be less than or equal to available FreezeEnergyV2 balance";

#[tokio::test(flavor = "multi_thread")]
async fn a_send_whose_answer_was_lost_and_that_landed_is_one_delegation() {
    let (rig, _worker) = Rig::with_worker().await;
    rig.supplier(50_000).await;
    let lost = Fault::DropConnection { processed: true };
    rig.devnet.add_fault(FaultRule::times(SEND, 1, lost)).unwrap();
    let order = rig.order(rig.wish()).await;
    rig.wait_settled(order).await;
    let detail = rig.detail(order).await;
    assert_eq!((detail.order.attempts, detail.transactions.len()), (1, 1));
    assert_eq!(
        detail.transactions[0].sends, 1,
        "the block came before the time to send again"
    );
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_send_that_timed_out_and_did_not_land_is_made_again_with_the_same_bytes() {
    let mut rig = Rig::new().await;
    rig.world.node_timeout_ms = 500;
    let _worker = rig.start(Does::Everything);
    rig.supplier(50_000).await;
    rig.idle().await;
    rig.devnet
        .add_fault(FaultRule::times(SEND, 1, Fault::LatencyMs(60_000)))
        .unwrap();
    let order = rig.order(rig.wish()).await;
    rig.until("it is known that nothing is known", async || {
        rig.detail(order).await.transactions.iter().any(|tx| tx.sends == 1)
    })
    .await;
    let unsure = rig.detail(order).await.transactions.remove(0);
    assert_eq!(
        (unsure.state, unsure.last_code.as_deref()),
        (TxState::Sent, Some("timeout"))
    );
    rig.wait_settled(order).await;
    let detail = rig.detail(order).await;
    assert_eq!(
        (detail.order.attempts, detail.transactions.len()),
        (1, 1),
        "no second one"
    );
    assert_eq!(
        (detail.transactions[0].sends, &detail.transactions[0].txid),
        (2, &unsure.txid)
    );
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_of_the_first_send_is_made_good_at_once() {
    let (rig, _worker) = Rig::with_worker().await;
    for _ in 0..2 {
        rig.supplier(50_000).await;
    }
    rig.idle().await;
    let refused = refusal("CONTRACT_VALIDATE_ERROR", NO_STAKE);
    rig.devnet.add_fault(FaultRule::times(SEND, 1, refused)).unwrap();
    let order = rig.order(rig.wish()).await;
    // without a single block more: no pool holds what was refused on its very first send
    rig.meanwhile("another wallet is asked", async || {
        rig.detail(order)
            .await
            .transactions
            .iter()
            .filter(|tx| tx.sends == 1)
            .count()
            == 2
    })
    .await;
    let detail = rig.detail(order).await;
    assert_eq!(detail.transactions[0].death_cause, Some(DeathCause::RefusedOnFirstSend));
    assert_ne!(detail.delegations[0].1, detail.delegations[1].1);
    rig.wait_settled(order).await;
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_do_not_fit_the_nodes_chain_are_signed_anew_and_no_wallet_is_blamed() {
    let (rig, _worker) = Rig::with_worker().await;
    let supplier = rig.supplier(50_000).await;
    for code in ["TAPOS_ERROR", "TRANSACTION_EXPIRATION_ERROR"] {
        rig.devnet
            .add_fault(FaultRule::times(SEND, 1, refusal(code, "no")))
            .unwrap();
        let order = rig.order(rig.wish()).await;
        rig.wait_settled(order).await;
        rig.devnet.clear_faults();
        let detail = rig.detail(order).await;
        let states: Vec<TxState> = detail.transactions.iter().map(|tx| tx.state).collect();
        assert_eq!(states, [TxState::Dead, TxState::Final], "{code}");
        assert_eq!(detail.transactions[0].last_code.as_deref(), Some(code));
    }
    assert_eq!(rig.wallet(supplier.id).await.failures, 0);

    // of bytes that left before they prove nothing: a node checks them before it looks whether it has the bytes already
    rig.devnet
        .add_fault(FaultRule::times(SEND, 1, Fault::AcceptAndDrop))
        .unwrap();
    let order = rig.order(rig.wish()).await;
    rig.wait_for(order, OrderState::Processing).await;
    rig.devnet.clear_faults();
    let expired = refusal("TRANSACTION_EXPIRATION_ERROR", "no");
    rig.devnet.add_fault(FaultRule::times(SEND, 1, expired)).unwrap();
    rig.wait_settled(order).await;
    let detail = rig.detail(order).await;
    assert_eq!((detail.order.attempts, detail.transactions.len()), (1, 1));
    assert_eq!(detail.transactions[0].sends, 3);
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_that_refuse_to_talk_delay_an_order_and_no_more() {
    let (rig, _worker) = Rig::with_worker().await;
    rig.supplier(100_000).await;
    for status in [403, 429, 503] {
        let fault = Fault::HttpStatus {
            status,
            body: "<html>".into(),
        };
        rig.devnet.add_fault(FaultRule::times(SEND, 1, fault)).unwrap();
        let order = rig.order(rig.wish()).await;
        rig.wait_settled(order).await;
        rig.devnet.clear_faults();
        let detail = rig.detail(order).await;
        assert_eq!((detail.order.attempts, detail.transactions.len()), (1, 1), "{status}");
        assert_eq!(detail.transactions[0].sends, 2, "{status}");
    }
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_is_gone_when_it_is_sent_to_gets_the_money_back_at_once() {
    let (rig, _worker) = Rig::with_worker().await;
    let supplier = rig.supplier(50_000).await;
    let wish = rig.wish();
    let first = rig.order(wish).await;
    rig.wait_settled(first).await;

    // believed to be good from the first time
    let gone = format!(
        "Contract validate error : Account[{}] not exists",
        wish.receiver.to_hex()
    );
    let gone = refusal("CONTRACT_VALIDATE_ERROR", &gone);
    rig.devnet.add_fault(FaultRule::times(SEND, 1, gone)).unwrap();
    let before = rig.balance(wish.user).await;
    let second = rig.order(wish).await;
    rig.meanwhile("refunded", async || {
        rig.find(second).await.state == OrderState::Refunded
    })
    .await;
    let refunded = rig.find(second).await;
    assert_eq!(refunded.reason_code.as_deref(), Some("receiver_not_activated"));
    assert_eq!(rig.balance(wish.user).await, before);
    assert_eq!(rig.wallet(supplier.id).await.failures, 0);

    // it is asked about anew, and is there again
    let third = rig.order(wish).await;
    rig.wait_settled(third).await;
    rig.judge().await;
}
