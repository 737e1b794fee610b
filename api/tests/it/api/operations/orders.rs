//! Orders that operators retry, pay back and write notes at.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Reply, TestApi};

async fn command(api: &TestApi, token: &str, word: &str, body: Value) -> Reply {
    let path = format!("/api/operations/orders/{word}");
    api.with_token(token, Method::POST, &path, &body).await
}

async fn placed(api: &TestApi, mark: &str) -> String {
    api.order(mark).await.body["id"].as_str().unwrap().to_owned()
}

/// Delivered for good, with its money in revenue.
async fn settle(api: &TestApi, order: &str) {
    api.db
        .sql(&format!(
            "UPDATE orders SET state = 'processing' WHERE id = '{order}';
             UPDATE orders SET (state, completed_at, ends_at) = ('completed', now(), now()) WHERE id = '{order}'"
        ))
        .await;
    let (id, now) = (order.parse().unwrap(), api.now());
    db::run_tx(&api.owner, "test", async |conn| {
        domain::orders::settle_in_tx(conn, &kernel::RandomIds, &[kernel::OrderId(id)], now).await
    })
    .await
    .unwrap();
}

fn skipped(reply: &Reply) -> Vec<(String, String)> {
    let all = reply.body["skipped"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    all.map(|one| (text(&one["order"]), text(&one["why"]))).collect()
}

#[tokio::test]
async fn a_refund_cancels_what_waits_and_credits_what_was_delivered_once() {
    let api = TestApi::new().await;
    let (_, token) = api.signed_in(&["user_manager"]).await;
    let (waiting, delivered, lent) = (
        placed(&api, "a").await,
        placed(&api, "b").await,
        placed(&api, "c").await,
    );
    settle(&api, &delivered).await;
    api.db
        .sql(&format!("UPDATE orders SET state = 'processing' WHERE id = '{lent}'"))
        .await;
    assert_eq!(api.balance(42).await, "90.250000");
    let missing = "00000000-0000-7000-8000-000000000000";
    let all = json!([waiting, delivered, lent, missing, waiting]);
    command(&api, &token, "refund", json!({ "orders": all }))
        .await
        .refused(422, "bad_text");
    let body = json!({ "orders": all, "reason": "sorry", "dry_run": true });
    let tried = command(&api, &token, "refund", body).await;
    assert_eq!(
        (&tried.body["matched"], &tried.body["affected"]),
        (&json!(2), &json!(0))
    );
    assert_eq!(api.balance(42).await, "90.250000");
    let body = json!({ "orders": all, "reason": "sorry" });
    let done = command(&api, &token, "refund", body.clone()).await;
    assert_eq!(
        (done.status, &done.body["affected"]),
        (StatusCode::OK, &json!(2)),
        "{}",
        done.body
    );
    let mut left = vec![
        (missing.to_owned(), "not_found".to_owned()),
        (lent.clone(), "not_settled".to_owned()),
    ];
    assert_eq!(skipped(&done), left);
    assert_eq!(api.balance(42).await, "96.750000", "100 but for what is lent");
    // with a fresh key: what was given back is not given back again
    let again = command(&api, &token, "refund", body).await;
    assert_eq!(again.body["affected"], 0);
    left.insert(1, (waiting.clone(), "given_back".to_owned()));
    left.insert(2, (delivered.clone(), "given_back".to_owned()));
    let mut told = skipped(&again);
    told.sort();
    left.sort();
    assert_eq!(told, left);
    assert_eq!(api.balance(42).await, "96.750000");
    let order = api.get(&format!("/api/orders/{delivered}")).await.body;
    assert_eq!(order["state"], "completed");
    assert_eq!(order["timeline"][1]["event"], "settled");
    assert_eq!(order["timeline"][2]["event"], "refunded_by_hand");
    assert_eq!(
        api.get(&format!("/api/orders/{waiting}")).await.body["state"],
        "cancelled"
    );
}

#[tokio::test]
async fn above_the_limit_a_refund_of_an_order_needs_another_operator() {
    let mut api = TestApi::new().await;
    api.router = api.replica(&[("APPROVALS__ADJUSTMENT_ABOVE_TRX", "3.249999")]);
    let (_, token) = api.signed_in(&["user_manager"]).await;
    let (delivered, waiting) = (placed(&api, "a").await, placed(&api, "b").await);
    settle(&api, &delivered).await;
    let body = json!({ "orders": [delivered, waiting], "reason": "sorry" });
    let done = command(&api, &token, "refund", body).await;
    assert_eq!(skipped(&done), [(delivered, "needs_approval".to_owned())]);
    assert_eq!(done.body["affected"], 1);
}

#[tokio::test]
async fn what_waits_is_tried_once_more_and_notes_are_for_operators() {
    let api = TestApi::new().await;
    let (anna, token) = api.signed_in(&["user_manager"]).await;
    let (waiting, ended) = (placed(&api, "a").await, placed(&api, "b").await);
    api.post(&format!("/api/orders/{ended}/cancel"), &Value::Null).await;
    api.db.sql("UPDATE jobs SET next_run_at = '2099-01-01'").await;
    let both = json!({ "orders": [waiting, ended] });
    let done = command(&api, &token, "retry", both).await;
    assert_eq!(skipped(&done), [(ended.clone(), "not_waiting".to_owned())]);
    let now = format!(
        "SELECT count(*) FROM jobs WHERE kind = 'orders.delegate' AND object_id = '{waiting}' AND next_run_at < '2099-01-01'"
    );
    assert_eq!(api.count(&now).await, 1);
    let note = json!({ "orders": [ended], "note": "calls back on Monday" });
    let done = command(&api, &token, "note", note).await;
    assert_eq!(done.status, StatusCode::OK, "{}", done.body);
    let path = format!("/api/orders/{ended}");
    let seen = api.with_token(&token, Method::GET, &path, &Value::Null).await.body;
    let last = seen["timeline"].as_array().unwrap().last().unwrap();
    assert_eq!(
        last["detail"],
        json!({ "note": "calls back on Monday", "by": anna.email })
    );
    let shown = api.get(&path).await.body.to_string();
    assert!(!shown.contains("Monday"), "{shown}");
    let none = command(&api, &token, "note", json!({ "orders": [], "note": "x" })).await;
    none.refused(422, "bad_text");
    let (_, observer) = api.signed_in(&["observer"]).await;
    let note = json!({ "orders": [ended], "note": "x" });
    command(&api, &observer, "note", note)
        .await
        .refused(403, "insufficient_scope");
}
