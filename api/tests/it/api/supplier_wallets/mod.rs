//! `/api/supplier-wallets`.

mod add;
mod keys;

use axum::body::Body;
use axum::http::Method;
use serde_json::{Value, json};

use crate::support::TestApi;

const ACTIVE: &str = "00000000-0000-7000-8000-0000000000a1";
const IMPORTING: &str = "00000000-0000-7000-8000-0000000000a2";

async fn with_wallets() -> TestApi {
    let api = TestApi::new().await;
    let wallets = format!(
        "INSERT INTO supplier_wallets (id, address, label, state, balance_sun, delegatable_sun, isolated_at, isolated_reason, \
             created_at, updated_at) VALUES \
             ('{ACTIVE}', 'TJRabPrwbZy45sbavfcjinPJC18kjpRTv8', 'first', 'active', 1500000, 9000000, \
              '2027-01-15T07:00:00Z', 'three failures', '2027-01-15T06:00:00Z', '2027-01-15T07:00:00Z'), \
             ('{IMPORTING}', NULL, NULL, 'importing', 0, 0, NULL, NULL, '2027-01-15T06:00:00Z', '2027-01-15T07:00:00Z')"
    );
    api.db.sql(&wallets).await;
    api
}

#[tokio::test]
async fn wallets_are_listed_in_pages_and_shown() {
    let api = with_wallets().await;
    let first = api.get("/api/supplier-wallets/?limit=1").await;
    insta::assert_json_snapshot!(first.body);
    let bare = api.get("/api/supplier-wallets?limit=1").await;
    assert_eq!(
        (bare.status, &bare.body),
        (first.status, &first.body),
        "with and without the slash"
    );
    let cursor = first.body["next_cursor"].as_str().unwrap();
    let second = api
        .get(&format!("/api/supplier-wallets/?limit=1&cursor={cursor}"))
        .await;
    assert_eq!(second.body["items"][0]["id"], IMPORTING);
    assert!(second.body["next_cursor"].is_null());
    let shown = api.get(&format!("/api/supplier-wallets/{ACTIVE}")).await;
    assert_eq!(shown.body, first.body["items"][0]);
    api.get("/api/supplier-wallets/x")
        .await
        .refused(422, "invalid_parameter");
    api.get("/api/supplier-wallets/00000000-0000-7000-8000-00000000ffff")
        .await
        .refused(404, "not_found");
    api.get("/api/supplier-wallets/?state=lost")
        .await
        .refused(422, "invalid_parameter");
}

#[tokio::test]
async fn a_wallet_is_switched_off_and_on_which_ends_its_isolation() {
    let api = with_wallets().await;
    let path = |id| format!("/api/supplier-wallets/{id}/toggle");
    let off = api.json(Method::PUT, &path(ACTIVE), &json!({ "enabled": false })).await;
    assert_eq!(
        (&off.body["enabled"], &off.body["isolated_reason"]),
        (&json!(false), &json!("three failures"))
    );
    let on = api.json(Method::PUT, &path(ACTIVE), &json!({ "enabled": true })).await;
    assert_eq!(
        (&on.body["enabled"], &on.body["isolated_at"]),
        (&json!(true), &Value::Null)
    );
    let early = api
        .json(Method::PUT, &path(IMPORTING), &json!({ "enabled": true }))
        .await;
    early.refused(409, "wallet_not_active");
    let unknown = path("00000000-0000-7000-8000-00000000ffff");
    api.json(Method::PUT, &unknown, &json!({ "enabled": true }))
        .await
        .refused(404, "not_found");
    api.json(Method::PUT, &path("x"), &json!({ "enabled": true }))
        .await
        .refused(422, "invalid_parameter");
    api.json(Method::PUT, &path(ACTIVE), &json!({ "enabled": 1 }))
        .await
        .refused(422, "invalid_body");
}

#[tokio::test]
async fn balances_are_read_anew_on_request() {
    let api = with_wallets().await;
    let path = "/api/supplier-wallets/update-balances";
    let all = api
        .send(api.request(Method::POST, path).body(Body::empty()).unwrap())
        .await;
    assert_eq!((all.status.as_u16(), all.body), (202, json!({ "wallets": 1 })));
    let null = api.post(path, &Value::Null).await;
    assert_eq!((null.status.as_u16(), null.body), (202, json!({ "wallets": 1 })));
    let one = api.post(path, &json!({ "ids": [ACTIVE] })).await;
    assert_eq!((one.status.as_u16(), one.body), (202, json!({ "wallets": 1 })));
    let jobs = format!("SELECT count(*) FROM jobs WHERE kind = 'wallets.sync' AND object_id = '{ACTIVE}'");
    assert_eq!(api.count(&jobs).await, 1);
    api.post(path, &json!({ "ids": [ACTIVE, IMPORTING] }))
        .await
        .refused(409, "wallet_not_active");
    api.post(path, &json!({ "ids": ["00000000-0000-7000-8000-00000000ffff"] }))
        .await
        .refused(404, "not_found");
    api.post(path, &json!({ "ids": [] })).await.refused(422, "invalid_body");
    let reply = api.post(path, &json!({ "ids": [ACTIVE, "x"] })).await;
    reply.refused(422, "invalid_body");
    assert_eq!(reply.field().0, "#/ids/1");
}

#[tokio::test]
async fn pending_orders_are_tried_again_on_request() {
    let api = with_wallets().await;
    api.order("o1").await;
    let path = "/api/supplier-wallets/process-orders";
    let reply = api
        .send(api.request(Method::POST, path).body(Body::empty()).unwrap())
        .await;
    assert_eq!((reply.status.as_u16(), reply.body), (202, json!({ "orders": 1 })));
    assert_eq!(
        api.count("SELECT request FROM jobs WHERE kind = 'orders.delegate'")
            .await,
        1
    );
}
