//! Alive and ready, and what the API does without Redis or PostgreSQL.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use futures::future::join_all;
use serde_json::Value;
use switchyard_api::{App, ops_router, router};
use testkit::{Role, TestDb, TestRedis};
use tower::ServiceExt;

use crate::support::{TestApi, settings};

const WITHOUT_THE_LAST_MIGRATION: &str =
    "DELETE FROM __diesel_schema_migrations WHERE version = (SELECT max(version) FROM __diesel_schema_migrations)";

async fn get(router: Router, path: &str) -> (u16, Value) {
    let response = router
        .oneshot(Request::get(path).body(Body::empty()).unwrap())
        .await
        .unwrap();
    let status = response.status().as_u16();
    let bytes = to_bytes(response.into_body(), 1 << 22).await.unwrap();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

fn app(database: &str, redis: &str) -> Arc<App> {
    let more = [("REDIS__URL", redis), ("DATABASE__ACQUIRE_TIMEOUT_MS", "500")];
    App::from_settings(settings(database, &TestRedis::new(), &more)).unwrap()
}

#[tokio::test]
async fn all_is_well() {
    let db = TestDb::new().await;
    let app = app(&db.url(Role::Api), &TestRedis::new().url);
    for router in [router(app.clone()), ops_router(app.clone())] {
        assert_eq!(get(router.clone(), "/health/live").await.0, 200);
        let (status, body) = get(router, "/health/ready").await;
        assert_eq!(status, 200);
        insta::allow_duplicates! { insta::assert_json_snapshot!(body); }
    }
}

#[tokio::test]
async fn without_redis_the_api_is_ready_and_takes_orders() {
    let db = TestDb::new().await;
    let (status, body) = get(router(app(&db.url(Role::Api), "redis://127.0.0.1:1")), "/health/ready").await;
    assert_eq!((status, body["status"].as_str()), (200, Some("degraded")));
    assert_eq!(body["dependencies"]["redis"], "unavailable");
    let api = TestApi::with(&[("REDIS__URL", "redis://127.0.0.1:1")]).await;
    assert_eq!(api.order("o1").await.status, 201);
}

#[tokio::test]
async fn without_postgresql_the_api_says_so() {
    let app = app("postgres://nobody@127.0.0.1:1/none", &TestRedis::new().url);
    let (status, body) = get(router(app.clone()), "/health/ready").await;
    assert_eq!((status, body["status"].as_str()), (503, Some("unready")));
    assert_eq!(body["dependencies"]["postgres"], "unavailable");
    assert_eq!(get(router(app.clone()), "/health/live").await.0, 200);
    let key = format!("Bearer sk_{}_{}", "A".repeat(12), "B".repeat(52));
    let request = Request::get("/api/prices").header("authorization", key);
    let response = router(app).oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(response.status(), 503);
    assert_eq!(response.headers()["retry-after"], "1");
    let bytes = to_bytes(response.into_body(), 10_000).await.unwrap();
    let problem: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(problem["code"], "unavailable");
    assert!(!problem.to_string().contains("127.0.0.1"), "{problem}");
}

#[tokio::test]
async fn a_database_that_lacks_a_migration_is_not_ready() {
    let db = TestDb::new().await;
    db.sql(WITHOUT_THE_LAST_MIGRATION).await;
    let (status, body) = get(router(app(&db.url(Role::Api), &TestRedis::new().url)), "/health/ready").await;
    assert_eq!(
        (status, body["dependencies"]["migrations"].as_str()),
        (503, Some("pending"))
    );
}

#[tokio::test]
async fn what_was_found_is_told_again_for_a_second() {
    let api = TestApi::new().await;
    let path = "/health/ready";
    assert_eq!(api.get(path).await.status, 200);
    api.db.sql(WITHOUT_THE_LAST_MIGRATION).await;
    let many = join_all((0..20).map(|_| api.get(path))).await;
    assert!(many.iter().all(|reply| reply.status == 200));
    api.clock.advance_seconds(1);
    assert_eq!(api.get(path).await.status, 503);
}

#[tokio::test]
async fn a_database_that_was_never_migrated_is_not_ready() {
    let db = TestDb::new().await;
    db.sql("DROP TABLE __diesel_schema_migrations").await;
    let (status, body) = get(router(app(&db.url(Role::Api), &TestRedis::new().url)), "/health/ready").await;
    let said = |name: &str| body["dependencies"][name].as_str();
    assert_eq!(
        (status, said("postgres"), said("migrations")),
        (503, Some("ok"), Some("unknown"))
    );
}

#[tokio::test]
async fn operators_see_metrics_and_the_description() {
    let api = TestApi::new().await;
    api.get("/api/prices").await;
    let app = app(&api.db.url(Role::Api), &TestRedis::new().url);
    let (_, metrics) = get(ops_router(app.clone()), "/metrics").await;
    let metrics = metrics.as_str().unwrap();
    let counted = metrics.lines().any(|line| {
        line.starts_with("switchyard_http_requests_total{")
            && line.contains("route=\"/api/prices\"")
            && line.contains("status=\"200\"")
    });
    assert!(counted, "{metrics}");
    let (status, document) = get(ops_router(app.clone()), "/openapi.json").await;
    assert_eq!((status, document["info"]["title"].as_str()), (200, Some("Switchyard")));
    let (status, page) = get(ops_router(app), "/docs/").await;
    assert_eq!(status, 200);
    assert!(page.as_str().unwrap().contains("swagger-ui"));
}
