//! Messages to endpoints: told once and in order, again after failures, never to where they must not go.

use axum::http::StatusCode;
use db::models::OrderState;
use serde_json::{Value, json};

use crate::harness::{Does, Process, Receiver, Reply, Rig};

const HOUR_S: i64 = 3_600;
/// Longer than the lease of a run.
const LEASE_S: i64 = 70;

fn statuses(message: &Value) -> Vec<Value> {
    let attempts = message["attempts"].as_array().unwrap();
    attempts.iter().map(|attempt| attempt["status"].clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_life_of_an_order_is_told_once_and_in_order() {
    let (rig, _worker) = Rig::with_worker().await;
    rig.supplier(50_000).await;
    let (all, ends) = (Receiver::start().await, Receiver::start().await);
    let hook = rig.hook(&all, &[]).await;
    rig.hook(&ends, &["order.settled", "order.cancelled"]).await;

    let order = rig.order(rig.wish()).await;
    rig.wait_settled(order).await;
    rig.pass(300);
    rig.wait_event(order, "reclaimed").await;
    rig.meanwhile("all is told", async || all.got().len() >= 4 && !ends.got().is_empty())
        .await;
    rig.idle().await;

    let life = ["order.created", "order.completed", "order.settled", "order.reclaimed"];
    assert_eq!(all.types(), life);
    assert_eq!(ends.types(), ["order.settled"]);
    let transactions = rig.detail(order).await.transactions;
    for (got, txid) in all.got().iter().zip([None, Some(0), None, Some(1)]) {
        assert!(got.is_signed_with(&hook.secret), "{}", got.event_type());
        assert!(uuid::Uuid::parse_str(&got.id).is_ok());
        let data = &got.json()["data"];
        assert_eq!(data["id"], order.to_string());
        assert_eq!(data["price"], json!({ "amount": "3.900000", "asset": "TRX" }));
        let txid = txid.map(|n: usize| transactions[n].txid.clone());
        assert_eq!(data["txid"], json!(txid));
    }
    let told = all.got();
    let states: Vec<Value> = told.iter().map(|got| got.json()["data"]["state"].clone()).collect();
    assert_eq!(states, ["pending", "completed", "completed", "completed"]);
    assert!(told[1].json()["data"]["ends_at"].is_string());
    assert!(told[2].json()["data"]["settled_at"].is_string());
    for message in rig.messages(&hook).await {
        assert_eq!(
            (&message["state"], statuses(&message)),
            (&json!("delivered"), vec![json!(200)])
        );
    }
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_that_end_without_delivery_are_told_too() {
    let (rig, _worker) = Rig::with_worker().await;
    let receiver = Receiver::start().await;
    rig.hook(&receiver, &["order.cancelled", "order.refunded"]).await;
    let by_user = rig.order(rig.wish()).await;
    rig.cancel(by_user).await.unwrap();
    rig.meanwhile("the cancellation is told", async || receiver.got().len() == 1)
        .await;
    // nobody has energy: at its deadline the order is cancelled
    let in_vain = rig.order(rig.wish()).await;
    rig.clock.advance(601);
    rig.ask(jobs::JobKind::OrdersCancelExpired, "all").await;
    rig.wait_for(in_vain, OrderState::Cancelled).await;
    rig.meanwhile("the end is told", async || receiver.got().len() == 2)
        .await;
    let reasons: Vec<Value> = receiver
        .got()
        .iter()
        .map(|got| got.json()["data"]["reason"].clone())
        .collect();
    assert_eq!(reasons, ["cancelled_by_user", "deadline_passed"]);
    rig.expect_finding("pool.no_wallet_fits");
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_failed_is_sent_again_under_the_same_id() {
    let (rig, _worker) = Rig::with_worker().await;
    let receiver = Receiver::answering(&[Reply::Status(500), Reply::Busy(120), Reply::Status(204)]).await;
    let hook = rig.hook(&receiver, &[]).await;
    let id = rig.try_hook(&hook).await;
    let message = rig.wait_sends(&hook, &id, 1).await;
    assert_eq!(message["state"], "pending");
    assert_eq!(message["attempts"][0]["answer"], "said");
    assert!(rig.hook_state(&hook).await["failing_since"].is_string());

    rig.clock.advance(7);
    rig.wait_sends(&hook, &id, 2).await;
    // the pause after the second failure is five minutes and a bit; the receiver's own wish is shorter
    rig.clock.advance(6 * 60 + 5);
    let message = rig.wait_sends(&hook, &id, 3).await;
    assert_eq!(
        (&message["state"], statuses(&message)),
        (&json!("delivered"), vec![json!(500), json!(503), json!(204)])
    );
    assert_eq!(rig.hook_state(&hook).await["failing_since"], Value::Null);

    let got = receiver.got();
    assert_eq!(got.len(), 3);
    assert!(got.iter().all(|one| one.id == id && one.body == got[0].body));
    assert!(got[2].timestamp > got[0].timestamp, "each send has its own time");
    assert!(got.iter().all(|one| one.is_signed_with(&hook.secret)));
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_given_up_is_found_and_can_be_sent_again() {
    let (rig, _worker) = Rig::with_worker().await;
    let replies: Vec<Reply> = std::iter::repeat_n(Reply::Status(500), 10)
        .chain([Reply::Status(200)])
        .collect();
    let receiver = Receiver::answering(&replies).await;
    let hook = rig.hook(&receiver, &[]).await;
    let id = rig.try_hook(&hook).await;
    for sends in 1..=10 {
        rig.wait_sends(&hook, &id, sends).await;
        rig.clock.advance(29 * HOUR_S);
    }
    let message = rig.wait_sends(&hook, &id, 10).await;
    assert_eq!(message["state"], "failed");
    let finding = format!("webhooks.endpoint_failing webhook:{}", hook.id);
    rig.expect_finding("webhooks.endpoint_failing");
    assert!(rig.open_findings().await.contains(&finding));

    let done = rig.of_hook(&hook, "resend", json!({ "dry_run": true })).await.unwrap();
    assert_eq!((&done["matched"], &done["affected"]), (&json!(1), &json!(0)));
    rig.of_hook(&hook, "resend", json!({ "type": "webhook.test" }))
        .await
        .unwrap();
    let message = rig.wait_sends(&hook, &id, 11).await;
    assert_eq!(message["state"], "delivered");
    assert!(!rig.open_findings().await.contains(&finding), "it is well again");

    rig.of_hook(&hook, &format!("deliveries/{id}/resend"), json!({}))
        .await
        .unwrap();
    let message = rig.wait_sends(&hook, &id, 12).await;
    assert_eq!(message["state"], "delivered");
    assert!(receiver.got().iter().all(|one| one.id == id));
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_is_gone_is_disabled_until_it_is_enabled_by_hand() {
    let (rig, _worker) = Rig::with_worker().await;
    let receiver = Receiver::answering(&[Reply::Status(410), Reply::Status(200)]).await;
    let hook = rig.hook(&receiver, &[]).await;
    let first = rig.try_hook(&hook).await;
    let message = rig.wait_sends(&hook, &first, 1).await;
    assert_eq!(message["state"], "failed");
    rig.meanwhile("it is disabled", async || {
        rig.hook_state(&hook).await["enabled"] == false
    })
    .await;
    assert_eq!(rig.hook_state(&hook).await["disabled_reason"], "gone");
    assert_eq!(
        rig.of_hook(&hook, "test", json!({})).await.unwrap_err(),
        "webhook_disabled"
    );
    assert_eq!(
        rig.of_hook(&hook, "resend", json!({})).await.unwrap_err(),
        "webhook_disabled"
    );

    rig.change_hook(&hook, json!({ "enabled": true })).await;
    let second = rig.try_hook(&hook).await;
    let message = rig.wait_sends(&hook, &second, 1).await;
    assert_eq!(message["state"], "delivered");
    assert_eq!(receiver.got().len(), 2);
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_receiver_holds_up_no_other() {
    let (rig, _worker) = Rig::with_worker().await;
    let silent = Receiver::answering(&[Reply::Silence]).await;
    let well = Receiver::start().await;
    let (dead, alive) = (rig.hook(&silent, &[]).await, rig.hook(&well, &[]).await);
    for _ in 0..30 {
        let order = rig.order(rig.wish()).await;
        rig.cancel(order).await.unwrap();
    }
    let delivered = format!(
        "SELECT count(*) AS n FROM webhook_deliveries WHERE state = 'delivered' AND endpoint_id = '{}'",
        alive.id
    );
    rig.meanwhile("the other has all", async || rig.count(&delivered).await == 60)
        .await;
    assert_eq!(well.got().len(), 60, "each once");
    assert!(
        rig.messages(&dead)
            .await
            .iter()
            .all(|message| message["state"] == "pending")
    );
    rig.meanwhile("it is left alone", async || {
        rig.count("SELECT count(*) AS n FROM jobs WHERE last_error_code = 'endpoint_rests'")
            .await
            == 1
    })
    .await;
    assert!(
        silent.got().len() <= 8,
        "no more than may be on their way: {}",
        silent.got().len()
    );
    rig.change_hook(&dead, json!({ "enabled": false })).await;
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn redirects_are_not_followed() {
    let (rig, _worker) = Rig::with_worker().await;
    let inside = Receiver::start().await;
    let receiver = Receiver::answering(&[Reply::To(inside.url.clone())]).await;
    let hook = rig.hook(&receiver, &[]).await;
    let id = rig.try_hook(&hook).await;
    let message = rig.wait_sends(&hook, &id, 1).await;
    let redirect = StatusCode::TEMPORARY_REDIRECT.as_u16();
    assert_eq!(
        (&message["state"], statuses(&message)),
        (&json!("pending"), vec![json!(redirect)])
    );
    assert!(inside.got().is_empty());
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_secrets_sign_while_one_follows_the_other() {
    let (rig, _worker) = Rig::with_worker().await;
    let receiver = Receiver::start().await;
    let hook = rig.hook(&receiver, &[]).await;
    let rotated = rig.of_hook(&hook, "rotate-secret", json!({})).await.unwrap();
    let fresh = rotated["secret"].as_str().unwrap().to_owned();
    let id = rig.try_hook(&hook).await;
    rig.wait_sends(&hook, &id, 1).await;
    rig.clock.advance(25 * HOUR_S);
    let later = rig.try_hook(&hook).await;
    rig.wait_sends(&hook, &later, 1).await;

    let got = receiver.got();
    assert_eq!((got[0].signatures.len(), got[1].signatures.len()), (2, 1));
    assert!(got[0].is_signed_with(&hook.secret) && got[0].is_signed_with(&fresh));
    assert!(!got[1].is_signed_with(&hook.secret) && got[1].is_signed_with(&fresh));
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_killed_between_send_and_record_sends_again_under_the_same_id() {
    let rig = Rig::new().await;
    let receiver = Receiver::start().await;
    let hook = rig.hook(&receiver, &[]).await;
    let id = rig.try_hook(&hook).await;
    let mut process = Process::start_killed_at(&rig.world, "send_webhook.answered");
    while !process.is_killed() {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(receiver.got().len(), 1);
    assert_eq!(rig.messages(&hook).await[0]["attempts"], json!([]));

    rig.clock.advance(LEASE_S);
    let _finisher = rig.start(Does::Everything);
    let message = rig.wait_sends(&hook, &id, 1).await;
    assert_eq!(message["state"], "delivered");
    let got = receiver.got();
    assert_eq!(got.len(), 2, "at least once: the first send was not written down");
    assert!(got.iter().all(|one| one.id == id && one.body == got[0].body));
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_sent_inside_unless_that_is_allowed() {
    let mut rig = Rig::new().await;
    rig.world.private_networks = false;
    let receiver = Receiver::start().await;
    // registered while it was allowed
    let hook = rig.hook(&receiver, &[]).await;
    let _worker = rig.start(Does::Everything);
    let id = rig.try_hook(&hook).await;
    let message = rig.wait_sends(&hook, &id, 1).await;
    assert_eq!(message["state"], "pending");
    assert_eq!(message["attempts"][0]["error"], "only https addresses are called");
    let over_tls = receiver.url.replace("http://", "https://");
    for url in [over_tls.clone(), over_tls.replace("127.0.0.1", "localhost")] {
        rig.change_hook(&hook, json!({ "url": url })).await;
        let id = rig.try_hook(&hook).await;
        let message = rig.wait_sends(&hook, &id, 1).await;
        let error = message["attempts"][0]["error"].as_str().unwrap();
        assert!(error.contains("not called"), "{url}: {error}");
    }
    assert!(receiver.got().is_empty());
    rig.judge().await;
}
