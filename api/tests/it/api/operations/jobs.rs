//! `/api/operations/jobs`: listed, re-driven, dropped.

use axum::body::Body;
use axum::http::Method;
use serde_json::json;
use switchyard_api::Scope;

use super::dead;
use crate::support::{Reply, TestApi};

const REDRIVE: &str = "/api/operations/jobs/redrive";
const DROP: &str = "/api/operations/jobs/drop";

fn ids(reply: &Reply) -> Vec<&str> {
    let items = reply.body["items"].as_array().unwrap();
    items.iter().map(|job| job["object_id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn dead_jobs_are_listed_in_pages_the_oldest_first() {
    let api = TestApi::new().await;
    dead(&api, "wallets.sync", 3).await;
    api.order("o1").await;
    let first = api.get("/api/operations/jobs?state=dead&limit=2").await;
    assert_eq!(first.status, 200);
    insta::assert_json_snapshot!(first.body);
    let cursor = first.body["next_cursor"].as_str().unwrap();
    let second = api
        .get(&format!("/api/operations/jobs?state=dead&limit=2&cursor={cursor}"))
        .await;
    assert_eq!(ids(&second), ["o3"]);
    assert!(second.body["next_cursor"].is_null());
}

#[tokio::test]
async fn lists_are_narrowed() {
    let api = TestApi::new().await;
    dead(&api, "wallets.sync", 2).await;
    api.order("o1").await;
    api.clock.advance_seconds(61);
    for (query, rows) in [
        ("", 3),
        ("state=due", 1),
        ("state=later", 0),
        ("overdue=true", 1),
        ("kind=wallets.sync", 2),
        ("queue=orders", 1),
        ("object_id=o2", 1),
        ("code=bad", 2),
        ("code=bad&object_id=o1", 1),
        ("code=none", 0),
    ] {
        let reply = api.get(&format!("/api/operations/jobs?{query}")).await;
        assert_eq!(ids(&reply).len(), rows, "{query}");
    }
    for (query, pointer) in [
        ("state=lost", "query/state"),
        ("overdue=1", "query/overdue"),
        ("cursor=x", "query/cursor"),
        ("limit=0", "query/limit"),
        ("sort=up", "query/sort"),
    ] {
        let reply = api.get(&format!("/api/operations/jobs?{query}")).await;
        reply.refused(422, "invalid_parameter");
        assert_eq!(reply.field().0, pointer);
    }
}

#[tokio::test]
async fn one_job_or_all_that_fit_are_redriven_once_per_mark() {
    let api = TestApi::new().await;
    dead(&api, "wallets.sync", 4).await;
    let one = json!({ "kind": "wallets.sync", "object_id": "o1", "reason": "the node is back" });
    let first = api.marked(REDRIVE, "m1", &one).await;
    assert_eq!(first.status, 200);
    assert_eq!(
        first.body,
        json!({ "action_id": first.body["action_id"], "matched": 1, "affected": 1, "remaining": 0 })
    );
    api.db
        .sql("UPDATE jobs SET state = 'dead', dead_at = now() WHERE object_id = 'o1'")
        .await;
    let again = api.marked(REDRIVE, "m1", &one).await;
    assert_eq!(
        (again.status.as_u16(), again.header("idempotency-replayed")),
        (200, "true")
    );
    assert_eq!(again.body, first.body);
    assert_eq!(
        api.count("SELECT count(*) FROM jobs WHERE state = 'dead'").await,
        4,
        "not carried out again"
    );

    let all = json!({ "all": true, "code": "bad" });
    api.marked(REDRIVE, "m1", &all)
        .await
        .refused(409, "idempotency_key_reused");
    let counted = api
        .marked(REDRIVE, "m2", &json!({ "all": true, "code": "bad", "dry_run": true }))
        .await;
    assert_eq!(
        (counted.body["matched"].as_i64(), counted.body["affected"].as_i64()),
        (Some(4), Some(0))
    );
    assert!(counted.body["action_id"].is_null());
    let done = api.marked(REDRIVE, "m2", &all).await;
    assert_eq!(done.body["affected"], 4, "counting does not use a key up");
    assert_eq!(
        api.count("SELECT count(*) FROM jobs WHERE state = 'due' AND runs = 0")
            .await,
        4
    );
}

#[tokio::test]
async fn dead_jobs_are_dropped_for_a_reason_and_the_key_is_named() {
    let api = TestApi::new().await;
    dead(&api, "wallets.sync", 2).await;
    api.order("o1").await;
    let body = json!({ "all": true, "reason": "the wallet is gone" });
    let reply = api.marked(DROP, "m1", &body).await;
    assert_eq!((reply.status.as_u16(), reply.body["affected"].as_i64()), (200, Some(2)));
    assert_eq!(
        api.count("SELECT count(*) FROM jobs").await,
        1,
        "the order's job is not dead"
    );
    let kept = api
        .text("SELECT actor || ' ' || actor_name || ' ' || action || ' ' || reason || ' ' || affected FROM operator_actions")
        .await;
    assert_eq!(
        kept,
        format!("api_key:{} test jobs.drop the wallet is gone 2", api.key_id)
    );
}

#[tokio::test]
async fn what_is_not_said_rightly_is_refused_and_nothing_happens() {
    let api = TestApi::new().await;
    dead(&api, "wallets.sync", 2).await;
    let cases = [
        (REDRIVE, json!({}), "invalid_body", "# invalid_value"),
        (
            REDRIVE,
            json!({ "kind": "wallets.sync" }),
            "invalid_body",
            "# invalid_value",
        ),
        (REDRIVE, json!({ "object_id": "o1" }), "invalid_body", "# invalid_value"),
        (
            REDRIVE,
            json!({ "all": true, "state": "running" }),
            "invalid_body",
            "#/state invalid_body",
        ),
        (
            REDRIVE,
            json!({ "all": true, "state": "lost" }),
            "invalid_body",
            "#/state invalid_type",
        ),
        (
            REDRIVE,
            json!({ "all": true, "reason": "" }),
            "bad_text",
            "#/reason bad_text",
        ),
        (
            REDRIVE,
            json!({ "all": true, "kinds": [] }),
            "invalid_body",
            "#/kinds unknown_field",
        ),
        (DROP, json!({ "all": true }), "bad_text", "#/reason bad_text"),
        (
            DROP,
            json!({ "all": true, "reason": "x".repeat(501) }),
            "bad_text",
            "#/reason bad_text",
        ),
        (
            DROP,
            json!({ "all": true, "reason": "x", "state": "later" }),
            "invalid_body",
            "#/state invalid_body",
        ),
        (DROP, json!({ "reason": "x" }), "invalid_body", "# invalid_value"),
    ];
    for (n, (path, body, code, field)) in cases.iter().enumerate() {
        let reply = api.marked(path, &format!("case-{n}"), body).await;
        reply.refused(422, code);
        let (pointer, kind) = reply.field();
        assert_eq!(format!("{pointer} {kind}"), *field, "{path} {body}");
    }
    for path in [REDRIVE, DROP] {
        let body = json!({ "all": true, "reason": "x" });
        api.post(path, &body).await.refused(400, "idempotency_key_required");
        let bare = api.request(Method::POST, path).header("idempotency-key", "k");
        let reply = api.send(bare.body(Body::from(body.to_string())).unwrap()).await;
        reply.refused(415, "unsupported_media_type");
    }
    assert_eq!(api.count("SELECT count(*) FROM jobs WHERE state = 'dead'").await, 2);
    assert_eq!(api.count("SELECT count(*) FROM operator_actions").await, 0);
}

#[tokio::test]
async fn reading_is_one_right_and_acting_another() {
    let mut api = TestApi::new().await;
    dead(&api, "wallets.sync", 1).await;
    (_, api.key) = api.key_with(&[Scope::OperationsRead], 100).await;
    assert_eq!(api.get("/api/operations/jobs").await.status, 200);
    for path in [REDRIVE, DROP] {
        let reply = api.marked(path, "m", &json!({ "all": true, "reason": "x" })).await;
        reply.refused(403, "insufficient_scope");
    }
    (_, api.key) = api.key_with(&[Scope::OperationsWrite], 100).await;
    api.get("/api/operations/jobs").await.refused(403, "insufficient_scope");
    assert_eq!(api.marked(REDRIVE, "m", &json!({ "all": true })).await.status, 200);
}
