//! `/api/rentals`: what is sold by transfer, and what came of it.

use serde_json::{Value, json};

use crate::support::TestApi;

const TXID: &str = "aa00000000000000000000000000000000000000000000000000000000000001";
const RENTALS: &str = "
    INSERT INTO users (id, created_at) VALUES (-2, '2027-01-15T08:00:00Z');
    INSERT INTO deposit_addresses (id, network, address, kind, created_at) VALUES
    ('00000000-0000-7000-8000-0000000000b1', 'tron', 'TUEZSdKsoDHQMeZwihtdoBiN46zxhGWYdH', 'rental', '2027-01-15T08:00:00Z');
    INSERT INTO incoming_transfers (id, network, txid, log_index, block_number, block_id, block_time, place, from_address,
        to_address, address_id, amount, state, kind, user_id, asset, credited, decided_by, decided_at, created_at, updated_at)
    SELECT ('00000000-0000-7000-8000-0000000000c' || n)::uuid, 'tron', 'aa' || lpad(n::text, 62, '0'), -1, 70, 'x',
        '2027-01-15T08:00:00Z', n, 'TUJ2YbSDGtCqzRz7quPQidRCMC98jDAPXc', 'TUEZSdKsoDHQMeZwihtdoBiN46zxhGWYdH',
        '00000000-0000-7000-8000-0000000000b1', 3000000, 'credited', 'rental', -2, 'TRX', 3000000, 'worker',
        '2027-01-15T08:01:00Z', '2027-01-15T08:00:00Z', '2027-01-15T08:01:00Z' FROM generate_series(1, 2) n;
    INSERT INTO rentals (transfer_id, user_id, api_key_id, sender, amount_sun, receiver, energy, duration_s, state,
        created_at, updated_at)
    SELECT t.id, -2, k.id, t.from_address, 3000000, t.from_address, 65000, 3600, 'waiting', t.created_at, t.updated_at
    FROM incoming_transfers t, (SELECT id FROM api_keys LIMIT 1) k;
    UPDATE rentals SET state = 'held', reason_code = 'no_price', held_code = 'sender_unknown'
    WHERE transfer_id = '00000000-0000-7000-8000-0000000000c2'";

#[tokio::test]
async fn what_is_sold_is_shown_and_nothing_while_nothing_is() {
    let off = TestApi::new().await;
    let shown = off.get("/api/rentals/packages").await;
    assert_eq!(
        (&shown.body["address"], &shown.body["packages"]),
        (&Value::Null, &json!([]))
    );
    let on = TestApi::with(&[
        ("DEPOSITS__RENTAL__ADDRESS", "TUEZSdKsoDHQMeZwihtdoBiN46zxhGWYdH"),
        (
            "DEPOSITS__RENTAL__HOUSE_API_KEY",
            "01990a5e-0000-7000-8000-000000000000",
        ),
        (
            "DEPOSITS__RENTAL__PACKAGES",
            "[{price=\"3.2\",energy=65000,duration_s=3600}]",
        ),
    ])
    .await;
    let shown = on.get("/api/rentals/packages").await;
    assert_eq!(
        shown.body,
        json!({
            "network": "tron", "address": "TUEZSdKsoDHQMeZwihtdoBiN46zxhGWYdH",
            "packages": [{ "price": "3.200000", "energy": 65_000, "duration_s": 3_600 }],
        })
    );
}

#[tokio::test]
async fn a_transaction_tells_what_it_bought_and_operators_see_what_waits() {
    let api = TestApi::new().await;
    api.db.sql(RENTALS).await;
    let shown = api.get(&format!("/api/rentals/{}", TXID.to_uppercase())).await;
    let rental = &shown.body["items"][0];
    assert_eq!(
        (&rental["state"], &rental["amount"]),
        (&json!("waiting"), &json!("3.000000"))
    );
    assert_eq!(
        (&rental["energy"], &rental["held_because"]),
        (&json!(65_000), &Value::Null)
    );
    api.get(&format!("/api/rentals/{}", "b".repeat(64)))
        .await
        .refused(404, "not_found");
    api.get("/api/rentals/bb").await.refused(422, "invalid_parameter");
    for (query, rows) in [("", 2), ("state=held", 1), ("state=returned", 0), ("limit=1", 1)] {
        let reply = api.get(&format!("/api/operations/rentals?{query}")).await;
        assert_eq!(reply.body["items"].as_array().unwrap().len(), rows, "{query}");
    }
    let held = api.get("/api/operations/rentals?state=held").await;
    assert_eq!(held.body["items"][0]["held_because"], "sender_unknown");
    assert!(held.body["items"][0]["txid"].as_str().unwrap().ends_with("2"));
    let first = api.get("/api/operations/rentals?limit=1").await;
    let cursor = first.body["next_cursor"].as_str().unwrap();
    let second = api
        .get(&format!("/api/operations/rentals?limit=1&cursor={cursor}"))
        .await;
    assert_eq!(second.body["items"][0]["txid"], TXID);
    assert!(second.body["next_cursor"].is_null());
    for query in ["state=gone", "cursor=x", "page=2"] {
        api.get(&format!("/api/operations/rentals?{query}"))
            .await
            .refused(422, "invalid_parameter");
    }
    let stuck = api.get("/api/operations/stuck?kind=rental").await;
    assert_eq!(
        stuck.body["items"].as_array().unwrap().len(),
        1,
        "one is held, and the other waits not for long yet"
    );
}
