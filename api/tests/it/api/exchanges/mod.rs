//! `/api/rates`, `/api/users/{user_id}/exchange`, `/api/users/{user_id}/exchanges` and `/api/exchanges/{id}`.

use axum::http::Method;
use chrono::Duration;
use serde_json::{Value, json};
use switchyard_api::Scope;

use crate::support::{Reply, TestApi};

fn wish(amount: &str) -> Value {
    json!({ "from": "USDT", "to": "TRX", "amount": amount })
}

async fn ask(api: &TestApi, mark: &str, body: &Value) -> Reply {
    api.marked("/api/users/42/exchange", mark, body).await
}

impl TestApi {
    /// Stores a round that was accepted so many seconds ago; the API itself can store none.
    async fn rate(&self, sun_per_usdt: i64, age_s: i64) {
        let at = (kernel::Clock::now(&*self.clock) - Duration::seconds(age_s)).to_rfc3339();
        self.db
            .sql(&format!(
                "INSERT INTO rates (id, at, kind, sun_per_usdt) \
                 VALUES (gen_random_uuid(), '{at}', 'market', {sun_per_usdt})"
            ))
            .await;
    }

    async fn give_usdt(&self, amount: &str) {
        let body = json!({ "asset": "USDT", "amount": amount, "reason": "test" });
        let reply = self.marked("/api/users/42/deposit", amount, &body).await;
        assert!(reply.status.is_success(), "{}", reply.body);
    }

    async fn purse(&self) -> [String; 2] {
        let body = self.get("/api/users/42/balance").await.body;
        [0, 1].map(|n| body["balances"][n]["amount"].as_str().unwrap().to_owned())
    }
}

#[tokio::test]
async fn usdt_is_exchanged_once_at_the_rate_that_is_shown() {
    let api = TestApi::with(&[("RATES__FEE_BP", "50")]).await;
    api.give_usdt("100").await;
    api.rate(3_519_887, 7).await;
    let shown = api.get("/api/rates").await.body;
    let rate = &shown["rate"];
    assert_eq!(
        (
            &rate["rate"],
            &rate["net_rate"],
            &rate["fee_bp"],
            &rate["source"],
            &rate["age_s"]
        ),
        (
            &json!("3.519887"),
            &json!("3.502287"),
            &json!(50),
            &json!("market"),
            &json!(7)
        )
    );
    let first = ask(&api, "x1", &wish("10")).await;
    assert_eq!(first.status.as_u16(), 201, "{}", first.body);
    let id = first.body["id"].as_str().unwrap().to_owned();
    assert_eq!(first.header("location"), format!("/api/exchanges/{id}"));
    assert_eq!(
        (&first.body["state"], &first.body["to"], &first.body["rate_id"]),
        (
            &json!("done"),
            &json!({ "amount": "35.022870", "asset": "TRX" }),
            &rate["id"]
        )
    );
    assert_eq!(api.purse().await, ["135.022870", "90.000000"]);
    let again = ask(&api, "x1", &wish("10")).await;
    assert_eq!((again.status.as_u16(), &again.body), (200, &first.body));
    assert_eq!(again.header("idempotency-replayed"), "true");
    ask(&api, "x1", &wish("11"))
        .await
        .refused(409, "idempotency_key_reused");
    assert_eq!(api.purse().await, ["135.022870", "90.000000"]);

    assert_eq!(api.get(&format!("/api/exchanges/{id}")).await.body, first.body);
    let other = ask(&api, "x2", &wish("1")).await.body;
    let page = api.get("/api/users/42/exchanges?limit=1").await.body;
    assert_eq!(page["items"], json!([other]));
    let cursor = page["next_cursor"].as_str().unwrap();
    let page = api.get(&format!("/api/users/42/exchanges?cursor={cursor}")).await.body;
    assert_eq!(
        (&page["items"], &page["next_cursor"]),
        (&json!([first.body]), &Value::Null)
    );
    api.get("/api/exchanges/01931d3c-7d5e-7c8a-9b52-5f1a2c3d4e5f")
        .await
        .refused(404, "not_found");
    api.get("/api/users/42/exchanges?state=lost")
        .await
        .refused(422, "invalid_parameter");
}

#[tokio::test]
async fn what_an_operator_exchanges_is_booked_in_his_name() {
    let api = TestApi::new().await;
    api.give_usdt("100").await;
    api.rate(3_519_887, 7).await;
    let (operator, token) = api.signed_in(&["super_admin"]).await;
    let path = "/api/users/42/exchange";
    let done = api.with_token(&token, Method::POST, path, &wish("10")).await;
    assert_eq!(done.status, 201, "{}", done.body);
    let his = format!("operator:{}", operator.id);
    assert_eq!(done.body["requested_by"], json!(his));
    let booked = format!("SELECT count(*) FROM ledger_transfers WHERE actor = '{his}'");
    assert!(api.count(&booked).await > 0);
    let otherwise = format!(
        "SELECT count(*) FROM ledger_transfers WHERE actor = 'api_key:{}'",
        operator.id
    );
    assert_eq!(api.count(&otherwise).await, 0);
}

#[tokio::test]
async fn without_a_fresh_rate_nothing_is_exchanged() {
    let api = TestApi::new().await;
    api.give_usdt("100").await;
    let shown = api.get("/api/rates").await.body;
    assert_eq!(
        (&shown["rate"], &shown["none_because"]),
        (&Value::Null, &json!("stale"))
    );
    let reply = ask(&api, "x1", &wish("10")).await;
    reply.refused(503, "rate_unavailable");
    assert!(!reply.header("retry-after").is_empty());
    assert!(
        reply.body["title_zh"].as_str().unwrap().contains("汇率"),
        "{}",
        reply.body
    );
    api.rate(3_500_000, 300).await;
    ask(&api, "x1", &wish("10")).await.refused(503, "rate_unavailable");
    assert!(api.get("/api/rates").await.body["last_accepted_at"].is_string());
    api.rate(3_500_000, 299).await;
    assert_eq!(ask(&api, "x1", &wish("10")).await.status.as_u16(), 201);
}

#[tokio::test]
async fn what_cannot_be_exchanged_is_refused() {
    let api = TestApi::new().await;
    api.give_usdt("10").await;
    api.rate(3_500_000, 0).await;
    for (body, status, code, pointer) in [
        (
            json!({ "from": "TRX", "to": "USDT", "amount": "1" }),
            422,
            "invalid_body",
            "#/from",
        ),
        (
            json!({ "from": "USDT", "to": "USDT", "amount": "1" }),
            422,
            "invalid_body",
            "#/to",
        ),
        (
            json!({ "from": "USDT", "to": "TRX", "amount": 1 }),
            422,
            "invalid_body",
            "#/amount",
        ),
        (wish("0"), 422, "amount_zero", "#/amount"),
        (wish("9223372036854.775807"), 422, "exchange_amount_invalid", "#/amount"),
    ] {
        let reply = ask(&api, "x1", &body).await;
        reply.refused(status, code);
        assert_eq!(reply.field().0, pointer, "{body}");
    }
    ask(&api, "x1", &wish("10.000001"))
        .await
        .refused(409, "insufficient_funds");
    let mut most = wish("1");
    most["min_receive"] = json!("3.500001");
    let reply = ask(&api, "x1", &most).await;
    reply.refused(409, "receive_below_minimum");
    assert!(
        reply.body["detail"].as_str().unwrap().contains("3.500000"),
        "{}",
        reply.body
    );
    api.marked("/api/users/0/exchange", "x1", &wish("1"))
        .await
        .refused(422, "invalid_parameter");
    api.post("/api/users/42/exchange", &wish("1"))
        .await
        .refused(400, "idempotency_key_required");
    assert_eq!(api.purse().await, ["100.000000", "10.000000"]);
    most["min_receive"] = json!("3.5");
    assert_eq!(ask(&api, "x1", &most).await.status.as_u16(), 201);
    api.db
        .sql("UPDATE users SET blocked_at = now(), blocked_reason = 'x'")
        .await;
    ask(&api, "x2", &wish("1")).await.refused(403, "user_blocked");
    let mut reader = api;
    (_, reader.key) = reader.key_with(&[Scope::ExchangesRead], 1_000).await;
    ask(&reader, "x3", &wish("1")).await.refused(403, "insufficient_scope");
    assert!(reader.get("/api/rates").await.status.is_success());
}
