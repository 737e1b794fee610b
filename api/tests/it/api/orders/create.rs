//! `POST /api/orders`: what is accepted, and what is refused without a trace.

use serde_json::{Value, json};

use crate::support::{TestApi, order};

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
async fn what_cannot_be_is_refused_and_leaves_nothing_behind() {
    let api = TestApi::new().await;
    api.db
        .sql(
            "INSERT INTO supplier_wallets (id, address, state, created_at, updated_at) VALUES \
             ('00000000-0000-7000-8000-0000000000aa', 'TJRabPrwbZy45sbavfcjinPJC18kjpRTv8', 'active', now(), now()); \
             INSERT INTO users (id, blocked_at, blocked_reason, created_at) VALUES (13, now(), 'fraud', now())",
        )
        .await;
    let cases: Vec<(Value, u16, &str, Option<(&str, &str)>)> = vec![
        (
            json!({"energy": 9_999}),
            422,
            "energy_out_of_range",
            Some(("#/energy", "energy_out_of_range")),
        ),
        (json!({"energy": 20_000_000}), 422, "energy_out_of_range", None),
        (json!({"energy": 2_000_000}), 422, "no_price", None),
        (
            json!({"energy": "65000"}),
            422,
            "invalid_body",
            Some(("#/energy", "invalid_type")),
        ),
        (
            json!({"duration_s": 60}),
            422,
            "duration_out_of_range",
            Some(("#/duration_s", "duration_out_of_range")),
        ),
        (
            json!({"duration_s": 4_000_000_000_u64}),
            422,
            "invalid_body",
            Some(("#/duration_s", "invalid_type")),
        ),
        (
            json!({"receiver": "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6T"}),
            422,
            "invalid_body",
            Some(("#/receiver", "invalid_value")),
        ),
        (
            json!({"receiver": "TJRabPrwbZy45sbavfcjinPJC18kjpRTv8"}),
            422,
            "receiver_is_supplier",
            Some(("#/receiver", "receiver_is_supplier")),
        ),
        (
            json!({"user_id": 0}),
            422,
            "invalid_body",
            Some(("#/user_id", "invalid_value")),
        ),
        (json!({"user_id": 13}), 403, "user_blocked", None),
        (json!({"user_id": 43}), 409, "insufficient_funds", None),
        (
            json!({"price": "0.000001"}),
            422,
            "invalid_body",
            Some(("#/price", "unknown_field")),
        ),
        (
            json!({"receiver": null}),
            422,
            "invalid_body",
            Some(("#/receiver", "invalid_type")),
        ),
    ];
    for (n, (change, status, code, field)) in cases.into_iter().enumerate() {
        let mut body = order();
        for (name, value) in change.as_object().unwrap() {
            body[name] = value.clone();
        }
        let reply = api.marked("/api/orders", &format!("case-{n}"), &body).await;
        reply.refused(status, code);
        if let Some(field) = field {
            assert_eq!(reply.field(), field, "{body}");
        }
    }
    for table in ["orders", "order_events", "idempotency_keys", "jobs"] {
        assert_eq!(api.count(&format!("SELECT count(*) FROM {table}")).await, 0, "{table}");
    }
    assert_eq!(
        api.count("SELECT count(*) FROM ledger_transfers WHERE reason LIKE 'order%'")
            .await,
        0
    );
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
