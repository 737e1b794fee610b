//! `/api/operations/findings`: listed and resolved.

use serde_json::json;

use crate::support::TestApi;

const FINDINGS: &str = "
    INSERT INTO findings (id, kind, severity, subject, metric, action, first_seen_at, last_seen_at, resolved_at, resolved_by) VALUES
    ('00000000-0000-7000-8000-0000000000a1', 'pool.low_stock', 'warning', 'tron', 'switchyard_pool_sellable_energy',
        'Add stake.', '2027-01-15T08:00:00Z', '2027-01-15T08:01:00Z', NULL, NULL),
    ('00000000-0000-7000-8000-0000000000a2', 'ledger.unbalanced', 'critical', 'asset:TRX', 'switchyard_findings_open',
        'Stop.', '2027-01-15T08:00:00Z', '2027-01-15T08:00:00Z', NULL, NULL),
    ('00000000-0000-7000-8000-0000000000a3', 'orders.stuck', 'info', 'order:x', 'switchyard_findings_open',
        'Look.', '2027-01-15T08:00:00Z', '2027-01-15T08:00:00Z', '2027-01-15T08:02:00Z', 'worker')";

fn resolve(id: &str) -> String {
    format!("/api/operations/findings/00000000-0000-7000-8000-0000000000{id}/resolve")
}

#[tokio::test]
async fn findings_are_listed_the_worst_first() {
    let api = TestApi::new().await;
    api.db.sql(FINDINGS).await;
    let first = api.get("/api/operations/findings?limit=1").await;
    assert_eq!(first.status, 200);
    let cursor = first.body["next_cursor"].as_str().unwrap();
    let second = api
        .get(&format!("/api/operations/findings?limit=1&cursor={cursor}"))
        .await;
    assert!(second.body["next_cursor"].is_null());
    insta::assert_json_snapshot!([&first.body["items"][0], &second.body["items"][0]]);
    for (query, rows) in [
        ("state=open", 2),
        ("state=resolved", 1),
        ("state=all", 3),
        ("severity=critical", 1),
        ("kind=pool.low_stock", 1),
        ("subject=tron&state=all", 1),
    ] {
        let reply = api.get(&format!("/api/operations/findings?{query}")).await;
        assert_eq!(reply.body["items"].as_array().unwrap().len(), rows, "{query}");
    }
    for query in ["state=closed", "severity=bad", "cursor=critical", "page=2"] {
        api.get(&format!("/api/operations/findings?{query}"))
            .await
            .refused(422, "invalid_parameter");
    }
}

#[tokio::test]
async fn a_finding_is_resolved_once_for_a_reason() {
    let api = TestApi::new().await;
    api.db.sql(FINDINGS).await;
    let body = json!({ "reason": "stake was added" });
    let first = api.marked(&resolve("a1"), "m1", &body).await;
    assert_eq!(first.status, 200);
    assert_eq!(first.body["resolved_by"], format!("api_key:{}", api.key_id));
    assert_eq!(
        (&first.body["resolved_reason"], &first.body["resolved_at"]),
        (&body["reason"], &json!("2027-01-15T08:00:00Z"))
    );
    let again = api.marked(&resolve("a1"), "m1", &body).await;
    assert_eq!(
        (again.status.as_u16(), again.header("idempotency-replayed")),
        (200, "true")
    );
    assert_eq!(again.body, first.body);
    api.marked(&resolve("a1"), "m2", &body).await.refused(409, "conflict");
    api.marked(&resolve("a2"), "m1", &body)
        .await
        .refused(409, "idempotency_key_reused");
    assert_eq!(api.count("SELECT count(*) FROM operator_actions").await, 1);
    assert_eq!(
        api.count("SELECT count(*) FROM findings WHERE resolved_at IS NULL")
            .await,
        1
    );
}

#[tokio::test]
async fn what_is_not_said_rightly_is_refused() {
    let api = TestApi::new().await;
    api.db.sql(FINDINGS).await;
    let body = json!({ "reason": "x" });
    api.marked(&resolve("ff"), "m1", &body).await.refused(404, "not_found");
    api.marked("/api/operations/findings/7/resolve", "m1", &body)
        .await
        .refused(422, "invalid_parameter");
    api.post(&resolve("a1"), &body)
        .await
        .refused(400, "idempotency_key_required");
    api.marked(&resolve("a1"), "m1", &json!({}))
        .await
        .refused(422, "invalid_body");
    api.marked(&resolve("a1"), "m1", &json!({ "reason": " " }))
        .await
        .refused(422, "bad_text");
    assert_eq!(
        api.count("SELECT count(*) FROM findings WHERE resolved_at IS NULL")
            .await,
        2
    );
}
