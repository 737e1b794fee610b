//! What a request can hold and PostgreSQL cannot, and forms that no description of ours allows: refused, and no failure of ours.

use serde_json::json;

use crate::support::{RECEIVER, TestApi, order};

#[tokio::test]
async fn a_text_with_nul_in_a_query_is_refused() {
    let api = TestApi::new().await;
    for (path, name) in [
        ("actions", "actor"),
        ("actions", "object_id"),
        ("deposits", "txid"),
        ("findings", "kind"),
        ("findings", "subject"),
        ("jobs", "kind"),
        ("jobs", "queue"),
        ("jobs", "object_id"),
        ("jobs", "code"),
        ("stuck", "object_id"),
        ("stuck", "state"),
        ("stuck", "network"),
        // within what is a place in a list
        ("jobs", "cursor"),
        ("stuck", "cursor"),
    ] {
        for text in ["%00", "0,a%00,b"] {
            let reply = api.get(&format!("/api/operations/{path}?{name}={text}")).await;
            reply.refused(422, "invalid_parameter");
            assert_eq!(reply.field().0, format!("query/{name}"));
        }
    }
    api.get("/api/rentals/%00").await.refused(422, "invalid_parameter");
    api.get("/api/orders/%00").await.refused(422, "invalid_parameter");
    api.get("/api/orders/%FF").await.refused(400, "bad_request");
}

#[tokio::test]
async fn a_text_with_nul_in_a_body_is_refused() {
    let api = TestApi::new().await;
    let (jobs, stuck) = ("/api/operations/jobs/redrive", "/api/operations/stuck/redrive");
    let wallet = |label: &str| json!({ "address": RECEIVER, "label": label });
    for (path, body, pointer) in [
        (jobs, json!({ "all": true, "kind": "\0" }), "#/kind"),
        (jobs, json!({ "all": true, "queue": "a\0b" }), "#/queue"),
        (jobs, json!({ "all": true, "object_id": "\0" }), "#/object_id"),
        (jobs, json!({ "all": true, "code": "\0" }), "#/code"),
        (stuck, json!({ "all": true, "object_id": "\0" }), "#/object_id"),
        (stuck, json!({ "all": true, "state": "\0" }), "#/state"),
        (stuck, json!({ "all": true, "network": "\0" }), "#/network"),
        ("/api/wallets/users/42", wallet("\0"), "#/label"),
        ("/api/users/42/payout-addresses", wallet("a\0"), "#/label"),
        (
            "/api/supplier-wallets/add",
            json!({ "private_key": "11".repeat(32), "label": "\0" }),
            "#/label",
        ),
    ] {
        let reply = api.marked(path, "m1", &body).await;
        reply.refused(422, "invalid_body");
        assert_eq!(reply.field(), (pointer, "invalid_value"), "{body}");
    }
}

#[tokio::test]
async fn a_time_that_no_calendar_of_ours_has_is_refused() {
    let api = TestApi::new().await;
    let wallet = "00000000-0000-7000-8000-0000000000a1";
    for path in [
        "/api/operations/jobs?cursor=-8200000000000000000,a,b".to_owned(),
        "/api/operations/stuck?cursor=-8200000000000000000,a,b".to_owned(),
        format!("/api/supplier-wallets/{wallet}/snapshots?cursor=-262143-01-01T00:00:00Z"),
        format!("/api/supplier-wallets/{wallet}/snapshots?cursor=%2B262142-01-01T00:00:00Z"),
    ] {
        let reply = api.get(&path).await;
        reply.refused(422, "invalid_parameter");
        assert_eq!(reply.field().0, "query/cursor");
    }
    let body = json!({ "since": "-262143-01-01T00:00:00Z" });
    let reply = api.marked(&format!("/api/webhooks/{wallet}/resend"), "m1", &body).await;
    reply.refused(422, "invalid_body");
    assert_eq!(reply.field(), ("#/since", "invalid_value"));
}

#[tokio::test]
async fn a_list_is_no_object() {
    let api = TestApi::new().await;
    let listed = json!([42, RECEIVER, 65_000, 3_600, null]);
    let batch = json!({ "mode": "best_effort", "orders": [order(), listed] });
    let deposit = json!({ "asset": "TRX", "way": "amount", "order": [RECEIVER, 65_000, 3_600] });
    for (path, body, pointer) in [
        ("/api/orders", &listed, "#"),
        ("/api/orders/batch", &batch, "#/orders/1"),
        ("/api/users/42/deposits", &deposit, "#/order"),
        ("/api/quotes", &json!([65_000, 3_600]), "#"),
        (
            "/api/webhooks/00000000-0000-7000-8000-0000000000a1/test",
            &json!([]),
            "#",
        ),
    ] {
        let reply = api.marked(path, "m1", body).await;
        reply.refused(422, "invalid_body");
        assert_eq!(reply.field(), (pointer, "invalid_type"), "{body}");
    }
    assert_eq!(api.count("SELECT count(*) FROM orders").await, 0);
}
