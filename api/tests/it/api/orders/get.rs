//! `GET /api/orders/{id}`.

use crate::support::TestApi;

const MISSING: &str = "/api/orders/00000000-0000-7000-8000-00000000ffff";

/// What the worker leaves behind when an order was delivered.
const DELIVERED: &str = "
INSERT INTO supplier_wallets (id, address, state, created_at, updated_at) VALUES
    ('00000000-0000-7000-8000-0000000000aa', 'TJRabPrwbZy45sbavfcjinPJC18kjpRTv8', 'active', now(), now());
UPDATE orders SET state = 'processing', attempts = 1;
UPDATE orders SET state = 'completed', completed_at = '2027-01-15T08:00:06Z', ends_at = '2027-01-15T09:00:06Z';
INSERT INTO delegations (id, order_id, wallet_id, network, receiver, energy, amount_sun, state, block_number, active_at,
        ends_at, created_at, updated_at)
    SELECT '00000000-0000-7000-8000-0000000000bb', id, '00000000-0000-7000-8000-0000000000aa', network, receiver, energy,
        6500000000, 'active', 1234, '2027-01-15T08:00:06Z', '2027-01-15T09:00:06Z', '2027-01-15T08:00:01Z', now()
    FROM orders;
INSERT INTO chain_transactions (id, network, txid, intent_kind, intent_id, wallet_id, raw, timestamp_ms, expires_at, state,
        outcome, block_number, block_id, block_time, fee_sun, sends, last_sent_at, next_check_at, created_at, updated_at)
    VALUES ('00000000-0000-7000-8000-0000000000cc', 'tron', repeat('ab', 32), 'delegate',
        '00000000-0000-7000-8000-0000000000bb', '00000000-0000-7000-8000-0000000000aa', decode(repeat('01', 200), 'hex'), 1,
        '2027-01-15T08:01:00Z', 'included', 'ok', 1234, repeat('cd', 32), '2027-01-15T08:00:06Z', 280000, 1,
        '2027-01-15T08:00:02Z', now(),
        '2027-01-15T08:00:01Z', now());
";

#[tokio::test]
async fn an_order_is_shown_with_all_that_happened() {
    let api = TestApi::new().await;
    let id = api.order("o1").await.body["id"].as_str().unwrap().to_owned();
    api.db.sql(DELIVERED).await;
    let reply = api.get(&format!("/api/orders/{id}")).await;
    assert_eq!(reply.status, 200);
    insta::assert_json_snapshot!(reply.body, { ".timeline[].actor" => "[key]" });
}

#[tokio::test]
async fn what_is_not_there_is_said_so() {
    let api = TestApi::new().await;
    let reply = api.get(MISSING).await;
    reply.refused(404, "not_found");
    let reply = api.get("/api/orders/7").await;
    reply.refused(422, "invalid_parameter");
    assert_eq!(reply.field(), ("path/id", "invalid_value"));
}
