//! `GET /api/pool`, `GET /api/operations/pool` and a wallet's reads: what can be sold, now and later.

use serde_json::{Value, json};

use crate::support::TestApi;

const SELLS: &str = "00000000-0000-7000-8000-0000000000a1";
const ISOLATED: &str = "00000000-0000-7000-8000-0000000000a2";

/// One wallet that sells, with 900 TRX free, 48 whose energy is used and a rental that ends; and one that does not sell.
pub(super) async fn with_stock() -> TestApi {
    let api = TestApi::new().await;
    let order = api.order("o1").await.body["id"].as_str().unwrap().to_owned();
    let wallets = format!(
        "INSERT INTO chain_cursors (network, head_number, head_block_id, head_time, solid_number, solid_block_id, solid_time, first_number, \
             total_energy_limit, total_energy_weight, updated_at) \
         VALUES ('tron', 100, repeat('a', 64), now(), 90, repeat('b', 64), now(), 1, 180000000000, 18000000000, now()); \
         INSERT INTO supplier_wallets (id, address, label, state, balance_sun, staked_energy_sun, delegatable_sun, reserved_sun, \
             bandwidth_available, unfreezing, synced_at, isolated_at, isolated_reason, created_at, updated_at) VALUES \
             ('{SELLS}', 'TJRabPrwbZy45sbavfcjinPJC18kjpRTv8', 'first', 'active', 5000000, 1048000000, 1000000000, 100000000, \
              600, '[{{\"resource\": \"energy\", \"amount_sun\": 7000000, \"ready_at\": \"2027-01-20T08:00:00Z\"}}]', \
              '2027-01-15T07:59:00Z', NULL, NULL, '2027-01-15T06:00:00Z', '2027-01-15T07:00:00Z'), \
             ('{ISOLATED}', 'TLyqzVGLV1srkB7dToTAEqgDSfPtXRJZYH', NULL, 'active', 0, 500000000, 500000000, 0, \
              600, '[]', '2027-01-15T07:59:00Z', '2027-01-15T07:00:00Z', 'x', '2027-01-15T06:00:00Z', '2027-01-15T07:00:00Z'); \
         INSERT INTO delegations (id, order_id, wallet_id, network, receiver, energy, amount_sun, state, block_number, active_at, \
             ends_at, created_at, updated_at) \
         VALUES ('00000000-0000-7000-8000-0000000000d1', '{order}', '{SELLS}', 'tron', 'TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t', \
             65000, 240000000, 'active', 99, now(), '2027-01-15T09:30:00Z', now(), now())"
    );
    api.db.sql(&wallets).await;
    api
}

#[tokio::test]
async fn bots_see_what_they_can_buy_now_and_in_the_next_hours() {
    let api = with_stock().await;
    let reply = api.get("/api/pool").await;
    assert_eq!(reply.status, 200);
    // 900 TRX at 10 energy each; an order of all of it takes 1 % more, and one less for safety
    assert_eq!(reply.body["available_energy"], 9_000);
    assert_eq!(reply.body["largest_order_energy"], 0, "no order is so small");
    assert_eq!(reply.body["read_at"], "2027-01-15T07:59:00Z");
    let forecast = reply.body["forecast"].as_array().unwrap();
    assert_eq!(forecast.len(), 24);
    let line = |hour: usize| {
        let line = &forecast[hour - 1];
        (
            line["at"].clone(),
            line["energy_at_least"].clone(),
            line["energy_at_most"].clone(),
        )
    };
    // 48 TRX recover over a day; 240 are back within the second hour
    assert_eq!(line(1), (json!("2027-01-15T09:00:00Z"), json!(9_020), json!(9_020)));
    assert_eq!(line(2), (json!("2027-01-15T10:00:00Z"), json!(9_040), json!(11_440)));
    assert_eq!(line(3).1, 9_160);
    assert_eq!(line(24).2, 11_880);
    assert_eq!(reply.body["prices"], api.get("/api/prices").await.body);
}

#[tokio::test]
async fn an_empty_pool_is_shown_too() {
    let api = TestApi::new().await;
    let reply = api.get("/api/pool").await;
    assert_eq!(reply.status, 200);
    assert_eq!(
        (&reply.body["available_energy"], &reply.body["read_at"]),
        (&json!(0), &Value::Null)
    );
}

#[tokio::test]
async fn the_largest_order_is_one_that_a_wallet_delivers() {
    let api = with_stock().await;
    let more = "UPDATE supplier_wallets SET delegatable_sun = 6000000000, staked_energy_sun = 6000000000";
    api.db.sql(more).await;
    let shown = api.get("/api/pool").await.body;
    // 5,900 TRX: 59,000 energy, of which 1 % is margin
    assert_eq!(shown["largest_order_energy"], 58_414);
    api.db
        .sql("UPDATE supplier_wallets SET bandwidth_available = 10, balance_sun = 10")
        .await;
    let shown = api.get("/api/pool").await.body;
    assert_eq!(shown["largest_order_energy"], 0, "it can pay for no transaction");
}

#[tokio::test]
async fn operators_see_each_wallets_part() {
    let api = with_stock().await;
    let mut reply = api.get("/api/operations/pool").await;
    for item in reply.body["items"].as_array_mut().unwrap() {
        item["forecast"].as_array_mut().unwrap().truncate(2);
    }
    insta::assert_json_snapshot!(reply.body);
    let first = api.get("/api/operations/pool?limit=1").await;
    let cursor = first.body["next_cursor"].as_str().unwrap();
    let second = api.get(&format!("/api/operations/pool?limit=1&cursor={cursor}")).await;
    assert_eq!(second.body["items"][0]["id"], ISOLATED);
    assert!(second.body["next_cursor"].is_null());
    api.get("/api/operations/pool?cursor=x")
        .await
        .refused(422, "invalid_parameter");
}

#[tokio::test]
async fn the_reads_of_a_wallet_are_listed_newest_first() {
    let api = with_stock().await;
    api.db
        .sql(&format!(
            "SELECT wallet_snapshots_month('2027-01-15T00:00:00Z'); \
             INSERT INTO wallet_snapshots SELECT '{SELLS}', 'tron', '2027-01-15T07:00:00Z'::timestamptz + n * interval '5 minutes', \
                 n, n * 1000000, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13 FROM generate_series(1, 3) n"
        ))
        .await;
    let path = format!("/api/supplier-wallets/{SELLS}/snapshots");
    let first = api.get(&format!("{path}?limit=2")).await;
    insta::assert_json_snapshot!(first.body);
    let cursor = first.body["next_cursor"].as_str().unwrap();
    let second = api.get(&format!("{path}?limit=2&cursor={cursor}")).await;
    assert_eq!(second.body["items"][0]["balance"], "1.000000");
    assert!(second.body["next_cursor"].is_null());
    let unknown = "/api/supplier-wallets/00000000-0000-7000-8000-00000000ffff/snapshots";
    api.get(unknown).await.refused(404, "not_found");
    api.get(&format!("{path}?cursor=x"))
        .await
        .refused(422, "invalid_parameter");
}
