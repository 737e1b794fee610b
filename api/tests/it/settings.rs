//! `/api/settings`: changed while everything runs, by one operator at a time, and to be taken back.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::{Method, Request};
use serde_json::{Value, json};
use settings::RuntimeSetting;
use switchyard_api::router;
use tower::ServiceExt;

use crate::support::{Reply, TestApi, order};

const PATH: &str = "/api/settings";
/// Within which every process goes by a change.
const SECONDS: Duration = Duration::from_secs(5);

/// Somebody who may change settings.
async fn boss(api: &TestApi) -> String {
    api.signed_in(&["super_admin"]).await.1
}

async fn put(api: &TestApi, token: &str, base: i64, changes: Value) -> Reply {
    let body = json!({ "base_version": base, "changes": changes, "reason": "test" });
    api.with_token(token, Method::PUT, PATH, &body).await
}

async fn get(api: &TestApi, token: &str, path: &str) -> Value {
    let reply = api.with_token(token, Method::GET, path, &Value::Null).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.body
}

/// What a list of settings says of one.
fn of(list: &Value, name: &str) -> Value {
    let items = list["items"].as_array().unwrap();
    items.iter().find(|item| item["name"] == name).unwrap().clone()
}

/// What another process answers to an order.
async fn order_there(api: &TestApi, there: &Router, mark: &str) -> String {
    let request = Request::post("/api/orders")
        .header("authorization", format!("Bearer {}", api.key))
        .header("content-type", "application/json")
        .header("idempotency-key", mark)
        .body(Body::from(order().to_string()));
    let answer = there.clone().oneshot(request.unwrap()).await.unwrap();
    let bytes = to_bytes(answer.into_body(), 1 << 20).await.unwrap();
    let body: Value = serde_json::from_slice(&bytes).unwrap();
    body["code"].as_str().unwrap_or("placed").to_owned()
}

#[tokio::test]
async fn a_change_is_in_force_here_at_once_and_elsewhere_within_seconds() {
    let api = TestApi::new().await;
    let token = boss(&api).await;
    let other = api.process(&[]);
    let following = tokio::spawn(Arc::clone(&other).follow_settings());
    let there = router(other);
    let before = api.order("before").await;
    assert_eq!(before.status, 201);
    let quoted = json!({ "energy": 65_000, "duration_s": 3_600 });
    let quoted = api.once("/api/quotes", &quoted).await;
    assert_eq!(quoted.status, 201, "{}", quoted.body);
    assert_eq!(order_there(&api, &there, "there").await, "placed");

    let changed = put(&api, &token, 0, json!({ "orders.energy_max": 60_000 })).await;
    assert_eq!(changed.status, 201, "{}", changed.body);
    assert_eq!(changed.header("location"), "/api/settings/versions/1");
    api.order("after").await.refused(422, "energy_out_of_range");
    let started = Instant::now();
    let mut n = 0;
    let told = loop {
        let told = order_there(&api, &there, &format!("there-{n}")).await;
        if told != "placed" {
            break told;
        }
        assert!(started.elapsed() < SECONDS, "the other process does not follow");
        tokio::time::sleep(Duration::from_millis(200)).await;
        n += 1;
    };
    assert_eq!(told, "energy_out_of_range");
    // what was promised stays
    let id = before.body["id"].as_str().unwrap();
    assert_eq!(api.get(&format!("/api/orders/{id}")).await.body["state"], "pending");
    assert_eq!(api.order("before").await.status, 200, "a replay is answered as before");
    let mut on_quote = order();
    on_quote["quote_id"] = quoted.body["id"].clone();
    let placed = api.once("/api/orders", &on_quote).await;
    assert_eq!(placed.status, 201, "{}", placed.body);
    assert_eq!(api.get("/api/prices").await.body["energy_max"], 60_000);
    following.abort();
}

#[tokio::test]
async fn limits_of_payouts_hold_from_the_next_one_on() {
    let api = TestApi::new().await;
    let token = boss(&api).await;
    let wish = json!({ "asset": "TRX", "amount": "20", "to": "TLyqzVGLV1srkB7dToTAEqgDSfPtXRJZYH" });
    let ask = async |mark: &str| api.marked("/api/users/42/payouts", mark, &wish).await;
    let first = ask("p1").await;
    assert_eq!(first.body["state"], "approved");
    assert_eq!(
        put(&api, &token, 0, json!({ "payouts.trx.user_day": "45" }))
            .await
            .status,
        201
    );
    assert_eq!(ask("p2").await.status, 201);
    ask("p3").await.refused(409, "payout_limit");
    let id = first.body["id"].as_str().unwrap();
    assert_eq!(api.get(&format!("/api/payouts/{id}")).await.body["state"], "approved");
}

#[tokio::test]
async fn what_asks_for_a_second_person_is_no_setting() {
    let api = TestApi::new().await;
    let token = boss(&api).await;
    for name in [
        "payouts.trx.approval_above",
        "deposits.approval_above_usdt",
        "approvals.prices",
    ] {
        let reply = put(&api, &token, 0, json!({ name: "100" })).await;
        reply.refused(422, "invalid_body");
        assert!(
            !RuntimeSetting::ALL
                .iter()
                .any(|setting| setting.name.contains("approval"))
        );
    }
}

#[tokio::test]
async fn what_is_listed_says_where_it_is_from() {
    let api = TestApi::new().await;
    let (operator, token) = api.signed_in(&["super_admin"]).await;
    let list = get(&api, &token, PATH).await;
    assert_eq!(list["items"].as_array().unwrap().len(), RuntimeSetting::ALL.len());
    let energy = of(&list, "orders.energy_max");
    assert_eq!(
        (&list["version"], &energy["source"]),
        (&json!(0), &json!("configuration"))
    );
    assert_eq!(
        (&energy["value"], &energy["version"]),
        (&json!(10_000_000), &Value::Null)
    );

    let changes = json!({ "orders.energy_max": 5_000_000, "pool.low_trx": "7.5" });
    assert_eq!(put(&api, &token, 0, changes).await.status, 201);
    let list = get(&api, &token, PATH).await;
    let (energy, trx) = (of(&list, "orders.energy_max"), of(&list, "pool.low_trx"));
    assert_eq!(
        (&energy["value"], &energy["configured"]),
        (&json!(5_000_000), &json!(10_000_000))
    );
    assert_eq!(
        (&trx["value"], &trx["configured"]),
        (&json!("7.500000"), &json!("20.000000"))
    );
    assert_eq!((&energy["source"], &energy["version"]), (&json!("version"), &json!(1)));
    assert_eq!(energy["author"], format!("operator:{}", operator.id));
    assert_eq!(energy["author_name"], operator.email);
}

#[tokio::test]
async fn values_that_do_not_hold_are_refused_each_with_what_to_do() {
    let api = TestApi::new().await;
    let token = boss(&api).await;
    let field = |reply: &Reply| {
        reply.refused(422, "invalid_body");
        let (pointer, kind) = reply.field();
        assert_eq!(kind, "invalid_value");
        pointer.to_owned()
    };
    let cases = [
        (json!({ "orders.energy_max": 9_999 }), "#/changes/orders.energy_max"),
        (json!({ "orders.quote_s": "60" }), "#/changes/orders.quote_s"),
        (json!({ "orders.quote_s": 4 }), "#/changes/orders.quote_s"),
        (json!({ "pool.low_trx": 5 }), "#/changes/pool.low_trx"),
        (json!({ "database.url": "postgres://x" }), "#/changes/database.url"),
        (json!({ "a/b~c": 1 }), "#/changes/a~1b~0c"),
        // it does not go with what was not to be changed
        (json!({ "payouts.trx.system_hour": "1" }), "#"),
    ];
    for (changes, pointer) in cases {
        assert_eq!(
            field(&put(&api, &token, 0, changes.clone()).await),
            pointer,
            "{changes}"
        );
    }
    let reply = put(&api, &token, 0, json!({ "orders.quote_s": 4, "rates.fee_bp": 9_999 })).await;
    assert_eq!(reply.body["errors"].as_array().unwrap().len(), 2, "{}", reply.body);
    put(&api, &token, 0, json!({})).await.refused(422, "bad_text");
    let body = json!({ "base_version": 0, "changes": { "orders.quote_s": 90 }, "reason": "" });
    let silent = api.with_token(&token, Method::PUT, PATH, &body).await;
    silent.refused(422, "bad_text");
    assert_eq!(api.count("SELECT count(*) FROM setting_versions").await, 0);
}

#[tokio::test]
async fn of_two_editors_the_second_is_told_and_nothing_is_lost() {
    let api = TestApi::new().await;
    let (anna, boris) = (boss(&api).await, boss(&api).await);
    assert_eq!(put(&api, &anna, 0, json!({ "orders.quote_s": 90 })).await.status, 201);
    let late = put(&api, &boris, 0, json!({ "orders.quote_s": 30 })).await;
    late.refused(409, "conflict");
    assert!(
        late.body["detail"].as_str().unwrap().contains("version 1"),
        "{}",
        late.body
    );
    assert_eq!(put(&api, &boris, 1, json!({ "orders.quote_s": 30 })).await.status, 201);
    assert_eq!(of(&get(&api, &anna, PATH).await, "orders.quote_s")["value"], 30);
}

#[tokio::test]
async fn an_earlier_version_is_gone_back_to_and_all_is_in_the_history() {
    let api = TestApi::new().await;
    let token = boss(&api).await;
    for (base, quote_s) in [(0, 90), (1, 120)] {
        let changes = json!({ "orders.quote_s": quote_s, "orders.deadline_s": 300 });
        assert_eq!(put(&api, &token, base, changes).await.status, 201);
    }
    let restore = async |version: &str, base: i64| {
        let body = json!({ "base_version": base, "reason": "worse than before" });
        let path = format!("/api/settings/versions/{version}/restore");
        api.with_token(&token, Method::POST, &path, &body).await
    };
    restore("1", 1).await.refused(409, "conflict");
    restore("7", 2).await.refused(404, "not_found");
    restore("x", 2).await.refused(422, "invalid_parameter");
    let back = restore("1", 2).await;
    assert_eq!(
        (back.status.as_u16(), &back.body["restored"]),
        (201, &json!(1)),
        "{}",
        back.body
    );
    let changes = json!([{ "name": "orders.quote_s", "before": 120, "after": 90 }]);
    assert_eq!(back.body["changes"], changes);
    assert_eq!(of(&get(&api, &token, PATH).await, "orders.quote_s")["value"], 90);

    let page = get(&api, &token, "/api/settings/versions?limit=2").await;
    let versions: Vec<i64> = page["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["version"].as_i64().unwrap())
        .collect();
    assert_eq!((versions, &page["next_cursor"]), (vec![3, 2], &json!(2)));
    assert_eq!(
        page["items"][1]["changes"],
        json!([{ "name": "orders.quote_s", "before": 90, "after": 120 }])
    );
    let rest = get(&api, &token, "/api/settings/versions?cursor=2").await;
    assert_eq!(
        (&rest["items"][0]["version"], &rest["next_cursor"]),
        (&json!(1), &Value::Null)
    );
    assert_eq!(rest["items"][0]["changes"].as_array().unwrap().len(), 2);
    assert_eq!(get(&api, &token, "/api/settings/versions/3").await, back.body);
    assert_eq!(restore("0", 3).await.status, 201);
    assert_eq!(
        of(&get(&api, &token, PATH).await, "orders.quote_s")["source"],
        "configuration"
    );
}

#[tokio::test]
async fn settings_are_seen_by_many_and_changed_by_few() {
    let api = TestApi::new().await;
    let (_, observer) = api.signed_in(&["observer"]).await;
    assert_eq!(get(&api, &observer, PATH).await["version"], 0);
    let changes = json!({ "orders.quote_s": 90 });
    put(&api, &observer, 0, changes.clone())
        .await
        .refused(403, "insufficient_scope");
    put(&api, &api.key, 0, changes).await.refused(403, "insufficient_scope");
    api.get(PATH).await.refused(403, "insufficient_scope");
}

#[tokio::test]
async fn the_limit_of_an_address_is_a_setting() {
    let api = TestApi::new().await;
    let token = boss(&api).await;
    let changes = json!({ "api.ip_requests_per_minute": 1, "operators.ip_sign_ins_per_minute": 1 });
    assert_eq!(put(&api, &token, 0, changes).await.status, 201);
    let from_one_address = async || {
        let client = SocketAddr::from(([203, 0, 113, 7], 4_000));
        let request = Request::get("/api/prices").extension(ConnectInfo(client));
        api.send(request.body(Body::empty()).unwrap()).await
    };
    from_one_address().await.refused(401, "unauthorized");
    from_one_address().await.refused(429, "rate_limited");
    assert_eq!(
        put(&api, &token, 1, json!({ "api.ip_requests_per_minute": 0 }))
            .await
            .status,
        201
    );
    from_one_address().await.refused(401, "unauthorized");
}
