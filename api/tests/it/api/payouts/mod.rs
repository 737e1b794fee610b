//! `/api/users/{user_id}/payouts`, `/api/payouts` and `/api/operations/payouts`.

mod tables;

use axum::http::Method;
use serde_json::{Value, json};
use switchyard_api::Scope;

use crate::support::{Reply, TestApi};

const TO: &str = "TLyqzVGLV1srkB7dToTAEqgDSfPtXRJZYH";
const USDT: &str = "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t";

fn wish(amount: &str) -> Value {
    json!({ "asset": "TRX", "amount": amount, "to": TO })
}

async fn ask(api: &TestApi, mark: &str, body: &Value) -> Reply {
    api.marked("/api/users/42/payouts", mark, body).await
}

#[tokio::test]
async fn a_payout_sets_money_aside_and_is_taken_once() {
    let api = TestApi::new().await;
    let first = ask(&api, "p1", &wish("12.5")).await;
    assert_eq!(first.status.as_u16(), 201, "{}", first.body);
    let id = first.body["id"].as_str().unwrap().to_owned();
    assert_eq!(first.header("location"), format!("/api/payouts/{id}"));
    assert_eq!(
        (&first.body["state"], &first.body["amount"]),
        (&json!("approved"), &json!({ "amount": "12.500000", "asset": "TRX" }))
    );
    assert_eq!(api.balance(42).await, "87.500000");
    let again = ask(&api, "p1", &wish("12.5")).await;
    assert_eq!((again.status.as_u16(), &again.body["id"]), (200, &json!(id)));
    assert_eq!(again.header("idempotency-replayed"), "true");
    ask(&api, "p1", &wish("12.6"))
        .await
        .refused(409, "idempotency_key_reused");
    assert_eq!(api.balance(42).await, "87.500000");
    let jobs = format!("SELECT count(*) FROM jobs WHERE kind = 'payouts.send' AND object_id = '{id}'");
    assert_eq!(api.count(&jobs).await, 1);

    let shown = api.get(&format!("/api/payouts/{id}")).await.body;
    assert_eq!(shown["timeline"][0]["event"], "requested");
    assert_eq!(shown["transactions"], json!([]));
    let listed = api.get("/api/users/42/payouts?state=approved").await.body;
    assert_eq!(listed["items"][0]["id"], json!(id));
    assert_eq!(api.get("/api/users/43/payouts").await.body["items"], json!([]));
    api.get("/api/payouts/01931d3c-7d5e-7c8a-9b52-5f1a2c3d4e5f")
        .await
        .refused(404, "not_found");
}

#[tokio::test]
async fn what_cannot_be_paid_is_refused() {
    let api = TestApi::with(&[("NETWORKS__TRON__TOKENS__USDT", USDT)]).await;
    for (body, status, code, pointer) in [
        (wish("0.999999"), 422, "payout_too_small", "#/amount"),
        (
            json!({ "asset": "TRX", "amount": "2", "to": USDT }),
            422,
            "payout_to_ours",
            "#/to",
        ),
        (
            json!({ "asset": "TRX", "amount": "2", "to": "x" }),
            422,
            "invalid_body",
            "#/to",
        ),
    ] {
        let reply = ask(&api, "p1", &body).await;
        reply.refused(status, code);
        assert_eq!(reply.field().0, pointer);
    }
    ask(&api, "p1", &wish("101")).await.refused(409, "insufficient_funds");
    ask(&api, "p1", &wish("1001")).await.refused(409, "payout_limit");
    api.marked("/api/users/0/payouts", "p1", &wish("2"))
        .await
        .refused(422, "invalid_parameter");
    api.db
        .sql("UPDATE users SET blocked_at = now(), blocked_reason = 'x'")
        .await;
    ask(&api, "p1", &wish("2")).await.refused(403, "user_blocked");
    api.db
        .sql("INSERT INTO switches VALUES ('payouts', true, 'x', 'operator:test', now())")
        .await;
    ask(&api, "p1", &wish("2")).await.refused(503, "payouts_stopped");
    assert_eq!(api.count("SELECT count(*) FROM payouts").await, 0);
}

#[tokio::test]
async fn a_user_with_listed_addresses_is_paid_to_no_other() {
    let api = TestApi::new().await;
    let path = "/api/users/42/payout-addresses";
    let other = json!({ "address": USDT, "label": "cold" });
    assert_eq!(api.post(path, &other).await.status.as_u16(), 201);
    assert_eq!(api.post(path, &other).await.status.as_u16(), 200);
    assert_eq!(api.get(path).await.body["items"][0]["label"], "cold");
    ask(&api, "p1", &wish("2"))
        .await
        .refused(403, "payout_address_not_listed");
    assert_eq!(api.post(path, &json!({ "address": TO })).await.status.as_u16(), 201);
    assert_eq!(ask(&api, "p2", &wish("2")).await.status.as_u16(), 201);
    let gone = api.json(Method::DELETE, &format!("{path}/{TO}"), &json!({})).await;
    assert_eq!(gone.status.as_u16(), 204);
    api.json(Method::DELETE, &format!("{path}/{TO}"), &json!({}))
        .await
        .refused(404, "not_found");
    // whoever may only ask for payouts cannot lengthen the list
    let mut poor = api;
    (_, poor.key) = poor.key_with(&[Scope::PayoutsWrite, Scope::PayoutsRead], 1_000).await;
    poor.post(path, &json!({ "address": TO }))
        .await
        .refused(403, "insufficient_scope");
}

#[tokio::test]
async fn a_large_payout_is_decided_by_somebody_else() {
    let mut api = TestApi::new().await;
    api.deposit(42, "900").await;
    let payout = ask(&api, "p1", &wish("200.000001")).await.body;
    assert_eq!(payout["state"], "requested");
    let decide = |word: &str| format!("/api/operations/payouts/{}/{word}", payout["id"].as_str().unwrap());
    let why = json!({ "reason": "known customer" });
    api.marked(&decide("approve"), "d1", &why)
        .await
        .refused(403, "own_payout");
    let waiting = api.get("/api/operations/payouts?state=requested").await.body;
    assert_eq!(waiting["items"][0]["id"], payout["id"]);
    (_, api.key) = api.key_with(Scope::ALL, 1_000).await;
    api.marked(&decide("approve"), "d1", &json!({ "reason": "" }))
        .await
        .refused(422, "bad_text");
    let approved = api.marked(&decide("approve"), "d1", &why).await;
    assert_eq!(
        (approved.status.as_u16(), &approved.body["state"]),
        (200, &json!("approved"))
    );
    let again = api.marked(&decide("approve"), "d1", &why).await;
    assert_eq!(again.header("idempotency-replayed"), "true");
    api.marked(&decide("approve"), "d2", &why)
        .await
        .refused(409, "payout_decided");
    let rejected = api.marked(&decide("reject"), "d3", &why).await;
    assert_eq!(rejected.body["state"], "rejected");
    assert_eq!(api.balance(42).await, "1000.000000");
    api.marked(&decide("reject"), "d4", &why)
        .await
        .refused(409, "payout_decided");
    let actions = "SELECT string_agg(action, ',' ORDER BY action) FROM operator_actions";
    assert_eq!(api.text(actions).await, "payouts.approve,payouts.reject");
}

#[tokio::test]
async fn an_operators_payout_is_in_his_name_and_approved_by_another() {
    let api = TestApi::new().await;
    api.deposit(42, "900").await;
    let (operator, own) = api.signed_in(&["super_admin"]).await;
    let (_, other) = api.signed_in(&["super_admin"]).await;
    let path = "/api/users/42/payouts";
    let payout = api.with_token(&own, Method::POST, path, &wish("200.000001")).await;
    assert_eq!(payout.status, 201, "{}", payout.body);
    let his = format!("operator:{}", operator.id);
    let id = payout.body["id"].as_str().unwrap();
    let shown = api.get("/api/operations/payouts?state=requested").await.body;
    assert_eq!(shown["items"][0]["requested_by"], json!(his));
    for table in ["payout_events", "ledger_transfers"] {
        let booked = format!("SELECT count(*) FROM {table} WHERE actor = '{his}'");
        assert_eq!(api.count(&booked).await, 1, "{table}");
    }
    let approve = format!("/api/operations/payouts/{id}/approve");
    let why = json!({ "reason": "known customer" });
    api.with_token(&own, Method::POST, &approve, &why)
        .await
        .refused(403, "own_payout");
    // nor does the database let the two be one
    let one =
        format!("UPDATE payouts SET approved_by = '{his}', approved_at = now(), state = 'approved' WHERE id = '{id}'");
    assert!(api.db.try_sql(&one).await.is_err());
    let approved = api.with_token(&other, Method::POST, &approve, &why).await;
    assert_eq!(approved.body["state"], "approved", "{}", approved.body);
}
