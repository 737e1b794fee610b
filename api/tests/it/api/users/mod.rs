//! `/api/users`.

mod admin;
mod statement;

use serde_json::json;

use crate::support::TestApi;

#[tokio::test]
async fn balances_are_shown_and_unknown_users_have_nothing() {
    let api = TestApi::new().await;
    insta::assert_json_snapshot!(api.get("/api/users/42/balance").await.body);
    assert_eq!(api.balance(7).await, "0.000000");
    for bad in ["x", "-1", "0", "99999999999999999999"] {
        let reply = api.get(&format!("/api/users/{bad}/balance")).await;
        reply.refused(422, "invalid_parameter");
        assert_eq!(reply.field().0, "path/user_id");
    }
}

#[tokio::test]
async fn corrections_are_booked_once() {
    let api = TestApi::new().await;
    let body = json!({ "asset": "USDT", "amount": "12.5", "reason": "paid by card" });
    let first = api.marked("/api/users/42/deposit", "d1", &body).await;
    insta::assert_json_snapshot!(first.body);
    let again = api.marked("/api/users/42/deposit", "d1", &body).await;
    assert_eq!(
        (again.body["replayed"].as_bool(), &again.body["balance"]),
        (Some(true), &first.body["balance"])
    );
    let taken = api
        .marked(
            "/api/users/42/deduct",
            "d2",
            &json!({ "amount": "0.000001", "reason": "fee" }),
        )
        .await;
    assert_eq!(taken.body["balance"], "99.999999");
    let back = api
        .marked(
            "/api/users/42/refund",
            "d3",
            &json!({ "amount": "0.000001", "reason": "fee" }),
        )
        .await;
    assert_eq!(back.body["balance"], "100.000000");
    let notes = "SELECT string_agg(note, ',' ORDER BY note) FROM ledger_transfers WHERE note NOT LIKE '%test'";
    assert_eq!(api.text(notes).await, "deduct: fee,deposit: paid by card,refund: fee");
}

#[tokio::test]
async fn a_used_key_is_refused_for_another_correction() {
    let api = TestApi::new().await;
    let body = json!({ "amount": "1", "reason": "x" });
    api.marked("/api/users/42/deposit", "d1", &body).await;
    api.marked("/api/users/42/refund", "d1", &body)
        .await
        .refused(409, "idempotency_key_reused");
    api.marked("/api/users/43/deposit", "d1", &body)
        .await
        .refused(409, "idempotency_key_reused");
    let more = json!({ "amount": "2", "reason": "x" });
    api.marked("/api/users/42/deposit", "d1", &more)
        .await
        .refused(409, "idempotency_key_reused");
    assert_eq!(api.balance(42).await, "101.000000");
}

#[tokio::test]
async fn what_cannot_be_booked_is_refused() {
    let api = TestApi::new().await;
    let (deduct, long) = ("/api/users/42/deduct", "x".repeat(481));
    let over = json!({ "amount": "100.000001", "reason": "x" });
    api.marked(deduct, "d1", &over).await.refused(409, "insufficient_funds");
    api.post(deduct, &over).await.refused(400, "idempotency_key_required");
    api.marked("/api/users/x/deduct", "d1", &over)
        .await
        .refused(422, "invalid_parameter");
    for (body, code, pointer) in [
        (json!({ "amount": "0", "reason": "x" }), "amount_zero", "#/amount"),
        (
            json!({ "amount": "0.0000001", "reason": "x" }),
            "invalid_body",
            "#/amount",
        ),
        (json!({ "amount": 1, "reason": "x" }), "invalid_body", "#/amount"),
        (json!({ "amount": "-1", "reason": "x" }), "invalid_body", "#/amount"),
        (json!({ "amount": "1", "reason": "" }), "invalid_body", "#/reason"),
        (json!({ "amount": "1", "reason": long }), "invalid_body", "#/reason"),
        (json!({ "amount": "1", "reason": "a\nb" }), "invalid_body", "#/reason"),
        (
            json!({ "amount": "1", "reason": "x", "asset": "BTC" }),
            "invalid_body",
            "#/asset",
        ),
        (json!({ "amount": "1" }), "invalid_body", "#/reason"),
    ] {
        let reply = api.marked(deduct, "d2", &body).await;
        reply.refused(422, code);
        assert_eq!(reply.field().0, pointer, "{body}");
    }
    assert_eq!(api.balance(42).await, "100.000000");
}

#[tokio::test]
async fn a_balance_is_not_raised_beyond_what_can_be_kept() {
    let api = TestApi::with(&[("APPROVALS__ADJUSTMENT_ABOVE_TRX", "9223372036854.775807")]).await;
    let give = async |mark: &str, amount: &str| {
        let body = json!({ "amount": amount, "reason": "x" });
        api.marked("/api/users/7/deposit", mark, &body).await
    };
    // all that an amount can say, once and on top of what is there
    give("d1", "9223372036854.775807")
        .await
        .refused(409, "balance_too_large");
    assert_eq!(give("d2", "1000000000000").await.status, 200);
    give("d3", "0.000001").await.refused(409, "balance_too_large");
    let body = json!({ "amount": "9223372036854.775807", "reason": "x" });
    api.marked("/api/users/7/refund", "d4", &body)
        .await
        .refused(409, "balance_too_large");
    assert_eq!(api.balance(7).await, "1000000000000.000000");
    assert_eq!(give("d2", "1000000000000").await.body["replayed"], true);
}
