//! Requests that no handler sees: unknown routes, methods, bodies that are none or too large, too many at once.

use axum::body::Body;
use axum::http::{Method, Request};
use serde_json::{Value, json};

use crate::support::{TestApi, order};

#[tokio::test]
async fn unknown_routes_and_methods_are_problems_too() {
    let api = TestApi::new().await;
    let nowhere = api
        .send(Request::get("/api/nowhere").body(Body::empty()).unwrap())
        .await;
    nowhere.refused(404, "route_not_found");
    insta::assert_json_snapshot!(nowhere.body, { ".request_id" => "[id]" });
    let wrong = api
        .send(Request::patch("/api/orders").body(Body::empty()).unwrap())
        .await;
    wrong.refused(405, "method_not_allowed");
    assert!(wrong.header("allow").contains("POST"));
    // described on the operators' listener alone
    for path in ["/openapi.json", "/docs", "/metrics"] {
        let reply = api.send(Request::get(path).body(Body::empty()).unwrap()).await;
        assert_eq!(reply.status, 404, "{path}");
    }
}

#[tokio::test]
async fn a_callers_request_id_is_kept_where_it_is_harmless() {
    let api = TestApi::new().await;
    for (given, kept) in [
        ("abc-1_2.3", true),
        ("a b", false),
        ("x\"y", false),
        (&*"x".repeat(65), false),
    ] {
        let request = Request::get("/api/nowhere").header("x-request-id", given);
        let reply = api.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(reply.header("x-request-id") == given, kept, "{given}");
    }
}

#[tokio::test]
async fn bodies_must_be_json_and_not_too_large() {
    let api = TestApi::with(&[("API__MAX_BODY_BYTES", "1024")]).await;
    let send = async |content_type: Option<&str>, body: String| {
        let mut request = api.request(Method::POST, "/api/orders").header("idempotency-key", "k");
        if let Some(content_type) = content_type {
            request = request.header("content-type", content_type);
        }
        api.send(request.body(Body::from(body)).unwrap()).await
    };
    let json = Some("application/json");
    send(json, "{".into()).await.refused(400, "malformed_json");
    send(json, String::new()).await.refused(400, "malformed_json");
    send(json, format!("{} x", order()))
        .await
        .refused(400, "malformed_json");
    send(json, "[".repeat(1000)).await.refused(422, "invalid_body");
    send(json, " ".repeat(1025)).await.refused(413, "payload_too_large");
    send(None, order().to_string())
        .await
        .refused(415, "unsupported_media_type");
    send(Some("text/plain"), order().to_string())
        .await
        .refused(415, "unsupported_media_type");
    let charset = send(Some("application/json; charset=utf-8"), order().to_string()).await;
    assert_eq!(charset.status, 201);
}

#[tokio::test]
async fn a_body_that_never_ends_is_given_up() {
    let api = TestApi::with(&[("API__REQUEST_TIMEOUT_MS", "200")]).await;
    let endless = Body::from_stream(futures::stream::pending::<Result<Vec<u8>, std::io::Error>>());
    let request = api
        .request(Method::POST, "/api/orders")
        .header("content-type", "application/json")
        .header("idempotency-key", "k");
    api.send(request.body(endless).unwrap())
        .await
        .refused(408, "body_timeout");
}

#[tokio::test]
async fn too_many_at_once_are_refused_and_health_is_not() {
    let api = TestApi::with(&[("API__MAX_CONCURRENT_REQUESTS", "1")]).await;
    let endless = Body::from_stream(futures::stream::pending::<Result<Vec<u8>, std::io::Error>>());
    let request = api
        .request(Method::POST, "/api/orders")
        .header("content-type", "application/json")
        .header("idempotency-key", "k");
    let mut busy = Box::pin(api.send(request.body(endless).unwrap()));
    assert!(futures::poll!(busy.as_mut()).is_pending());
    let reply = api.get("/api/prices").await;
    reply.refused(503, "overloaded");
    assert_eq!(reply.header("retry-after"), "1");
    let live = api
        .send(Request::get("/health/live").body(Body::empty()).unwrap())
        .await;
    assert_eq!(live.status, 200);
    drop(busy);
    assert_eq!(api.get("/api/prices").await.status, 200);
}

#[tokio::test]
async fn parameters_of_a_route_that_has_none_are_refused() {
    let api = TestApi::new().await;
    let order = api.order("o1").await.body["id"].as_str().unwrap().to_owned();
    for (method, path, body) in [
        (Method::GET, "/api/prices".to_owned(), Value::Null),
        (Method::GET, format!("/api/orders/{order}"), Value::Null),
        (Method::POST, format!("/api/orders/{order}/cancel"), Value::Null),
        (
            Method::POST,
            "/api/quotes".to_owned(),
            json!({ "energy": 65_000, "duration_s": 3_600 }),
        ),
    ] {
        let reply = api.json(method, &format!("{path}?page=2"), &body).await;
        reply.refused(422, "invalid_parameter");
        assert_eq!(reply.field(), ("query/page", "unknown_parameter"), "{path}");
    }
    // an empty query is none
    assert_eq!(api.get(&format!("/api/orders/{order}?")).await.body["state"], "pending");
}
