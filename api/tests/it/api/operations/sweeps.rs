//! `/api/operations/sweeps`: listed.

use crate::support::TestApi;

const SWEEPS: &str = "
    INSERT INTO users (id, created_at) VALUES (7, '2027-01-15T08:00:00Z') ON CONFLICT DO NOTHING;
    INSERT INTO deposit_addresses (id, network, address, kind, user_id, key_fingerprint, derivation_index, created_at) VALUES
    ('00000000-0000-7000-8000-0000000000b1', 'tron', 'TUEZSdKsoDHQMeZwihtdoBiN46zxhGWYdH', 'user', 7, '0a1b2c3d', 0,
        '2027-01-15T08:00:00Z');
    INSERT INTO supplier_wallets (id, address, state, purpose, deposit_address_id, created_at, updated_at) VALUES
    ('00000000-0000-7000-8000-0000000000b2', 'TUEZSdKsoDHQMeZwihtdoBiN46zxhGWYdH', 'active', 'deposit',
        '00000000-0000-7000-8000-0000000000b1', '2027-01-15T08:00:00Z', '2027-01-15T08:00:00Z');
    INSERT INTO sweeps (id, network, asset, wallet_id, state, created_at, updated_at) VALUES
    ('00000000-0000-7000-8000-0000000000c1', 'tron', 'TRX', '00000000-0000-7000-8000-0000000000b2', 'planned',
        '2027-01-15T08:00:00Z', '2027-01-15T08:00:00Z'),
    ('00000000-0000-7000-8000-0000000000c2', 'tron', 'USDT', '00000000-0000-7000-8000-0000000000b2', 'planned',
        '2027-01-15T08:01:00Z', '2027-01-15T08:01:00Z');
    UPDATE sweeps SET state = 'processing', amount = 30000000, to_address = 'TUJ2YbSDGtCqzRz7quPQidRCMC98jDAPXc',
        read_block = 70, attempts = 1 WHERE asset = 'TRX'";

#[tokio::test]
async fn sweeps_are_listed_the_newest_first_and_their_wallets_are_no_suppliers() {
    let api = TestApi::new().await;
    api.db.sql(SWEEPS).await;
    let first = api.get("/api/operations/sweeps?limit=1").await;
    assert_eq!(first.status, 200);
    assert_eq!(first.body["items"][0]["asset"], "USDT");
    let cursor = first.body["next_cursor"].as_str().unwrap();
    let second = api
        .get(&format!("/api/operations/sweeps?limit=1&cursor={cursor}"))
        .await;
    assert!(second.body["next_cursor"].is_null());
    let shown = &second.body["items"][0];
    assert_eq!(shown["from"], "TUEZSdKsoDHQMeZwihtdoBiN46zxhGWYdH");
    assert_eq!(
        (&shown["amount"], &shown["state"]),
        (&"30.000000".into(), &"processing".into())
    );
    for (query, rows) in [
        ("state=planned", 1),
        ("state=planned,processing", 2),
        ("asset=TRX", 1),
        ("state=sent", 0),
        ("", 2),
    ] {
        let reply = api.get(&format!("/api/operations/sweeps?{query}")).await;
        assert_eq!(reply.body["items"].as_array().unwrap().len(), rows, "{query}");
    }
    for query in [
        "state=closed",
        "state=planned,closed",
        "asset=BTC",
        "cursor=x",
        "page=2",
    ] {
        api.get(&format!("/api/operations/sweeps?{query}"))
            .await
            .refused(422, "invalid_parameter");
    }
    assert_eq!(stuck_sweeps(&api).await, 0);
    api.clock.advance_seconds(2 * 3_600);
    assert_eq!(stuck_sweeps(&api).await, 2, "for an hour nothing came of them");
    let suppliers = api.get("/api/supplier-wallets/").await;
    assert_eq!(suppliers.body["items"].as_array().unwrap().len(), 0);
}

async fn stuck_sweeps(api: &TestApi) -> usize {
    let stuck = api.get("/api/operations/stuck?kind=sweep").await;
    stuck.body["items"].as_array().unwrap().len()
}
