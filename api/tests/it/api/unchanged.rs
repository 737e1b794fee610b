//! `ETag` and `If-None-Match`.

use axum::body::Body;
use axum::http::Method;
use serde_json::{Value, json};

use crate::support::{Reply, TestApi};

async fn known(api: &TestApi, method: Method, path: &str, tag: &str) -> Reply {
    let request = api.request(method, path).header("if-none-match", tag);
    api.send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn what_has_not_changed_is_not_sent_again_and_what_has_is() {
    let api = TestApi::new().await;
    let placed = api.order("o1").await;
    let path = format!("/api/orders/{}", placed.body["id"].as_str().unwrap());
    let first = api.get(&path).await;
    let tag = first.header("etag").to_owned();
    assert_eq!(tag.len(), 34, "{tag}");
    assert_eq!(first.header("cache-control"), "private, no-cache");
    for (method, tags) in [
        (Method::GET, tag.clone()),
        (Method::HEAD, tag.clone()),
        (Method::GET, format!("\"other\", W/{tag}")),
        (Method::GET, "*".to_owned()),
    ] {
        let reply = known(&api, method, &path, &tags).await;
        assert_eq!((reply.status.as_u16(), &reply.body), (304, &Value::Null), "{tags}");
        assert_eq!(reply.header("etag"), tag);
        assert_eq!(reply.header("content-type"), "");
    }
    let cancelled = known(&api, Method::POST, &format!("{path}/cancel"), "*").await;
    assert_eq!(cancelled.status, 200, "{}", cancelled.body);
    let changed = known(&api, Method::GET, &path, &tag).await;
    assert_eq!(
        (changed.status.as_u16(), &changed.body["state"]),
        (200, &json!("cancelled"))
    );
    assert_ne!(changed.header("etag"), tag);
}

#[tokio::test]
async fn a_tag_opens_nothing() {
    let api = TestApi::new().await;
    let nobodys = "/api/orders/01931d3c-7d5e-7c8a-9b52-5f1a2c3d4e5f";
    let reply = known(&api, Method::GET, nobodys, "*").await;
    reply.refused(404, "not_found");
    assert_eq!((reply.header("etag"), reply.header("cache-control")), ("", "no-store"));
    // lists that change all the time are as they were
    let reply = known(&api, Method::GET, "/api/orders", "*").await;
    assert_eq!(
        (reply.status.as_u16(), reply.header("cache-control")),
        (200, "no-store")
    );
}
