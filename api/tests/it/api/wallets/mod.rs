//! `/api/wallets/users`.

use axum::http::Method;
use serde_json::json;

use crate::support::{RECEIVER, TestApi};

#[tokio::test]
async fn addresses_are_kept_relabelled_and_forgotten() {
    let api = TestApi::new().await;
    let path = "/api/wallets/users/42";
    let kept = api.post(path, &json!({ "address": RECEIVER, "label": "main" })).await;
    assert_eq!(kept.status, 201);
    let again = api.post(path, &json!({ "address": RECEIVER, "label": "cold" })).await;
    assert_eq!(again.status, 200);
    insta::assert_json_snapshot!(api.get(path).await.body);
    assert_eq!(api.get("/api/wallets/users/43").await.body, json!({ "items": [] }));
    let own = format!("{path}/{RECEIVER}");
    assert_eq!(api.json(Method::DELETE, &own, &json!({})).await.status, 204);
    api.json(Method::DELETE, &own, &json!({}))
        .await
        .refused(404, "not_found");
    assert_eq!(api.get(path).await.body, json!({ "items": [] }));
}

#[tokio::test]
async fn what_is_no_address_is_refused() {
    let api = TestApi::new().await;
    let path = "/api/wallets/users/42";
    let reply = api
        .post(
            path,
            &json!({ "address": "0x52908400098527886E0F7030069857D2E4169EE7" }),
        )
        .await;
    reply.refused(422, "invalid_body");
    assert_eq!(reply.field(), ("#/address", "invalid_value"));
    api.post(path, &json!({ "address": RECEIVER, "label": "x".repeat(101) }))
        .await
        .refused(422, "bad_text");
    api.json(Method::DELETE, "/api/wallets/users/42/Txyz", &json!({}))
        .await
        .refused(422, "invalid_parameter");
    api.get("/api/wallets/users/0").await.refused(422, "invalid_parameter");
}
