//! `POST /api/orders`: what is accepted, and what is refused without a trace.

use axum::http::Method;
use serde_json::{Value, json};

use crate::support::{RECEIVER, TestApi, order};

#[tokio::test]
async fn an_order_is_accepted_and_paid_for() {
    let api = TestApi::new().await;
    let reply = api.order("o1").await;
    assert_eq!(reply.status, 201);
    assert_eq!(
        reply.header("location"),
        format!("/api/orders/{}", reply.body["id"].as_str().unwrap())
    );
    assert_eq!(reply.header("idempotency-replayed"), "");
    insta::assert_json_snapshot!(reply.body);
    assert_eq!(api.balance(42).await, "96.750000");
    let job = "SELECT count(*) FROM jobs WHERE kind = 'orders.delegate' AND object_id = (SELECT id::text FROM orders)";
    assert_eq!(api.count(job).await, 1);
}

#[tokio::test]
async fn what_an_operator_orders_is_booked_in_his_name() {
    let api = TestApi::new().await;
    let (operator, token) = api.signed_in(&["super_admin"]).await;
    let many = json!({ "mode": "all_or_nothing", "orders": [order()] });
    for (path, body, status) in [("/api/orders", order(), 201), ("/api/orders/batch", many, 200)] {
        let placed = api.with_token(&token, Method::POST, path, &body).await;
        assert_eq!(placed.status, status, "{}", placed.body);
    }
    for table in ["order_events", "ledger_transfers"] {
        for (kind, lines) in [("operator", 2), ("api_key", 0)] {
            let booked = format!("SELECT count(*) FROM {table} WHERE actor = '{kind}:{}'", operator.id);
            assert_eq!(api.count(&booked).await, lines, "{table} {kind}");
        }
    }
}

/// Places orders that differ from a good one in one field; each is refused, and none leaves anything behind.
async fn all_refused(api: &TestApi, cases: &[(Value, u16, &str, &str)]) {
    for (n, (change, status, code, field)) in cases.iter().enumerate() {
        let mut body = order();
        for (name, value) in change.as_object().unwrap() {
            body[name] = value.clone();
        }
        let reply = api.marked("/api/orders", &format!("case-{n}"), &body).await;
        reply.refused(*status, code);
        if !field.is_empty() {
            let (pointer, kind) = reply.field();
            assert_eq!(format!("{pointer} {kind}"), *field, "{body}");
        }
    }
    for table in ["orders", "order_events", "idempotency_keys", "jobs"] {
        assert_eq!(api.count(&format!("SELECT count(*) FROM {table}")).await, 0, "{table}");
    }
    let held = "SELECT count(*) FROM ledger_transfers WHERE reason LIKE 'order%'";
    assert_eq!(api.count(held).await, 0);
}

#[tokio::test]
async fn wrong_fields_are_refused_and_leave_nothing_behind() {
    let api = TestApi::new().await;
    let cases = [
        (
            json!({"energy": 9_999}),
            422,
            "energy_out_of_range",
            "#/energy energy_out_of_range",
        ),
        (json!({"energy": 20_000_000}), 422, "energy_out_of_range", ""),
        (json!({"energy": "65000"}), 422, "invalid_body", "#/energy invalid_type"),
        (
            json!({"duration_s": 60}),
            422,
            "duration_out_of_range",
            "#/duration_s duration_out_of_range",
        ),
        (
            json!({"duration_s": 4_000_000_000_u64}),
            422,
            "invalid_body",
            "#/duration_s invalid_type",
        ),
        (
            json!({"receiver": RECEIVER.to_lowercase()}),
            422,
            "invalid_body",
            "#/receiver invalid_value",
        ),
        (
            json!({"receiver": null}),
            422,
            "invalid_body",
            "#/receiver invalid_type",
        ),
        (json!({"user_id": 0}), 422, "invalid_body", "#/user_id invalid_value"),
        (
            json!({"price": "0.000001"}),
            422,
            "invalid_body",
            "#/price unknown_field",
        ),
    ];
    all_refused(&api, &cases).await;
}

#[tokio::test]
async fn what_cannot_be_sold_is_refused_and_leaves_nothing_behind() {
    let api = TestApi::new().await;
    let world = "INSERT INTO supplier_wallets (id, address, state, created_at, updated_at) VALUES \
         ('00000000-0000-7000-8000-0000000000aa', 'TJRabPrwbZy45sbavfcjinPJC18kjpRTv8', 'active', now(), now()); \
         INSERT INTO users (id, blocked_at, blocked_reason, created_at) VALUES (13, now(), 'fraud', now())";
    api.db.sql(world).await;
    let ours = json!({"receiver": "TJRabPrwbZy45sbavfcjinPJC18kjpRTv8"});
    let cases = [
        (json!({"energy": 2_000_000}), 422, "no_price", ""),
        (ours, 422, "receiver_is_supplier", "#/receiver receiver_is_supplier"),
        (json!({"user_id": 13}), 403, "user_blocked", ""),
        (json!({"user_id": 43}), 409, "insufficient_funds", ""),
    ];
    all_refused(&api, &cases).await;
    assert_eq!(api.count("SELECT count(*) FROM users WHERE id = 43").await, 0);
}

#[tokio::test]
async fn in_maintenance_orders_are_put_off() {
    let api = TestApi::new().await;
    let on = "INSERT INTO switches VALUES ('maintenance', true, 'test', 'operator:test', now())";
    api.db.sql(on).await;
    let reply = api.order("o1").await;
    reply.refused(503, "maintenance");
    assert_eq!(reply.header("retry-after"), "1");
    insta::assert_json_snapshot!(reply.body);
}
