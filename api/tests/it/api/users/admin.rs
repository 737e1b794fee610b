//! Users listed, blocked and let go on.

use axum::http::Method;
use serde_json::{Value, json};

use crate::support::{TestApi, order};

#[tokio::test]
async fn a_blocked_user_orders_nothing_until_he_is_unblocked() {
    let api = TestApi::new().await;
    let (_, manager) = api.signed_in(&["user_manager"]).await;
    let ask = async |method: Method, path: &str, body: Value| api.with_token(&manager, method, path, &body).await;
    ask(Method::POST, "/api/users/42/block", json!({ "reason": " " }))
        .await
        .refused(422, "bad_text");
    let unseen = ask(Method::POST, "/api/users/43/block", json!({ "reason": "fraud" })).await;
    unseen.refused(404, "not_found");
    let blocked = ask(Method::POST, "/api/users/42/block", json!({ "reason": "fraud" })).await;
    assert_eq!(
        (blocked.status.as_u16(), &blocked.body["blocked_reason"]),
        (200, &json!("fraud"))
    );
    api.once("/api/orders", &order()).await.refused(403, "user_blocked");
    let listed = ask(Method::GET, "/api/users?blocked=true", Value::Null).await;
    assert_eq!(listed.body["items"][0]["id"], 42);
    assert_eq!(
        ask(Method::GET, "/api/users?blocked=false", Value::Null).await.body["items"],
        json!([])
    );
    let free = ask(Method::POST, "/api/users/42/unblock", Value::Null).await;
    assert_eq!((free.status.as_u16(), &free.body["blocked_at"]), (200, &Value::Null));
    assert_eq!(api.once("/api/orders", &order()).await.status, 201);
    assert_eq!(ask(Method::GET, "/api/users/42", Value::Null).await.body["id"], 42);
    ask(Method::GET, "/api/users/43", Value::Null)
        .await
        .refused(404, "not_found");
}

#[tokio::test]
async fn users_come_in_pages() {
    let api = TestApi::new().await;
    for user in [7, 9, 1_000_000_000_000] {
        api.deposit(user, "1").await;
    }
    let (_, token) = api.signed_in(&["observer"]).await;
    let (mut seen, mut path) = (Vec::new(), "/api/users?limit=2".to_owned());
    loop {
        let page = api.with_token(&token, Method::GET, &path, &Value::Null).await;
        let items = page.body["items"].as_array().unwrap().clone();
        seen.extend(items.into_iter().map(|item| item["id"].as_i64().unwrap()));
        match page.body["next_cursor"].as_i64() {
            Some(cursor) => path = format!("/api/users?limit=2&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(seen, [7, 9, 42, 1_000_000_000_000]);
}
