//! Lists by what they are narrowed to: each filter alone and several together, in both directions, and what is refused.

use serde_json::{Value, json};

use crate::support::TestApi;

/// What is listed, each by one of its fields.
async fn listed(api: &TestApi, path: &str, name: &str) -> Vec<String> {
    let reply = api.get(path).await;
    assert_eq!(reply.status, 200, "{path}: {}", reply.body);
    let items = reply.body["items"].as_array().unwrap().iter();
    items.map(|item| item[name].as_str().unwrap().to_owned()).collect()
}

/// Each query finds the rows whose ids end in these.
async fn finds(api: &TestApi, list: &str, cases: &[(&str, &[&str])]) {
    for (query, ends) in cases {
        let found = listed(api, &format!("{list}?{query}"), "id").await;
        let found: Vec<&str> = found.iter().map(|id| &id[34..]).collect();
        assert_eq!(found, *ends, "{list}?{query}");
    }
}

/// Each query is refused for this parameter.
async fn refuses(api: &TestApi, list: &str, cases: &[(&str, &str)]) {
    for (query, name) in cases {
        let reply = api.get(&format!("{list}?{query}")).await;
        reply.refused(422, "invalid_parameter");
        let pointer = format!("query/{name}");
        assert_eq!(reply.field(), (pointer.as_str(), "invalid_value"), "{list}?{query}");
    }
}

/// What every list with a time and two directions refuses.
const WRONG: [(&str, &str); 5] = [
    ("since=2027-01-02T00:00:00Z&until=2027-01-01T00:00:00Z", "since"),
    ("until=tomorrow", "until"),
    ("order=up", "order"),
    ("state=lost", "state"),
    ("state=%00", "state"),
];

/// A walk in pages of one, in either direction, shows what one page does.
async fn is_walked(api: &TestApi, list: &str, query: &str, name: &str) {
    for order in ["newest", "oldest"] {
        let whole = listed(api, &format!("{list}?{query}&order={order}&limit=100"), name).await;
        assert!(whole.len() > 1, "{list}?{query}");
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let path = format!("{list}?{query}&order={order}&limit=1{cursor}");
            seen.extend(listed(api, &path, name).await);
            match &api.get(&path).await.body["next_cursor"] {
                Value::String(next) => cursor = format!("&cursor={next}"),
                _ => break,
            }
        }
        assert_eq!(seen, whole, "{list}?{query}&order={order}");
    }
}

/// Three exchanges of user 42, a minute apart; the second brought by a transfer.
const EXCHANGES: &str = "
    INSERT INTO deposit_addresses (id, network, address, kind, created_at)
        VALUES ('00000000-0000-7000-8000-0000000000b1', 'tron', 'TUJ2YbSDGtCqzRz7quPQidRCMC98jDAPXc', 'shared', now());
    INSERT INTO incoming_transfers (id, network, txid, log_index, block_number, block_id, block_time, place, from_address,
        to_address, address_id, amount, state, kind, asset, decided_by, decided_at, created_at, updated_at)
        VALUES ('00000000-0000-7000-8000-0000000000c1', 'tron', repeat('1', 64), 0, 7, 'b7', now(), 0, 'TA',
            'TUJ2YbSDGtCqzRz7quPQidRCMC98jDAPXc', '00000000-0000-7000-8000-0000000000b1', 2000000, 'held', 'unmatched', 'USDT',
            'worker', now(), now(), now());
    INSERT INTO exchanges (id, user_id, usdt_micro, cause, transfer_id, requested_by, state, created_at, updated_at)
        SELECT ('00000000-0000-7000-8000-0000000000d' || n)::uuid, 42, n * 1000000,
            CASE n WHEN 2 THEN 'deposit' ELSE 'request' END,
            CASE n WHEN 2 THEN '00000000-0000-7000-8000-0000000000c1'::uuid END, 'worker', 'pending', at, at
        FROM (SELECT n, '2027-01-15T07:00:00Z'::timestamptz + n * interval '1 minute' AS at FROM generate_series(1, 3) n) AS made;
    UPDATE exchanges SET state = 'failed', reason_code = 'too_small', ended_at = now() WHERE usdt_micro = 3000000";

#[tokio::test]
async fn exchanges_are_found_by_what_they_are() {
    let api = TestApi::new().await;
    api.db.sql(EXCHANGES).await;
    let list = "/api/users/42/exchanges";
    let cases: &[(&str, &[&str])] = &[
        ("", &["d3", "d2", "d1"]),
        ("order=oldest", &["d1", "d2", "d3"]),
        ("state=pending", &["d2", "d1"]),
        ("state=failed,pending,failed", &["d3", "d2", "d1"]),
        ("state=done", &[]),
        ("cause=deposit", &["d2"]),
        ("transfer_id=00000000-0000-7000-8000-0000000000c1", &["d2"]),
        ("transfer_id=00000000-0000-7000-8000-0000000000c2", &[]),
        ("since=2027-01-15T07:02:00Z", &["d3", "d2"]),
        ("until=2027-01-15T07:02:00Z", &["d1"]),
        ("min_amount=2&max_amount=2.5", &["d2"]),
        ("max_amount=0.999999", &[]),
        (
            "state=pending&cause=request&since=2027-01-15T07:01:00Z&max_amount=3&order=oldest",
            &["d1"],
        ),
    ];
    finds(&api, list, cases).await;
    assert_eq!(listed(&api, "/api/users/43/exchanges", "id").await.len(), 0);
    is_walked(&api, list, "state=pending,failed", "id").await;
    refuses(&api, list, &WRONG).await;
    let wrong = [
        ("cause=luck", "cause"),
        ("transfer_id=x", "transfer_id"),
        ("min_amount=2&max_amount=1", "min_amount"),
        ("min_amount=-1", "min_amount"),
    ];
    refuses(&api, list, &wrong).await;
}

/// Three deposits that user 42 announced, a minute apart: in TRX at two addresses, and in USDT, of which some is paid.
const DEPOSITS: &str = "
    INSERT INTO deposit_addresses (id, network, address, kind, created_at) VALUES
        ('00000000-0000-7000-8000-0000000000b1', 'tron', 'TUJ2YbSDGtCqzRz7quPQidRCMC98jDAPXc', 'shared', now()),
        ('00000000-0000-7000-8000-0000000000b2', 'tron', 'TLyqzVGLV1srkB7dToTAEqgDSfPtXRJZYH', 'shared', now());
    INSERT INTO deposits (id, user_id, api_key_id, network, asset, way, address_id, amount, code, state, expires_at,
        amount_held_until, created_at, updated_at)
        SELECT ('00000000-0000-7000-8000-0000000000d' || n)::uuid, 42, (SELECT id FROM api_keys LIMIT 1), 'tron',
            CASE n WHEN 3 THEN 'USDT' ELSE 'TRX' END, CASE n WHEN 2 THEN 'address' ELSE 'amount' END,
            ('00000000-0000-7000-8000-0000000000b' || CASE n WHEN 1 THEN 2 ELSE 1 END)::uuid, n * 1000000,
            'ABCDEFGHJ' || (n + 1), 'open', at, at, at, at
        FROM (SELECT n, '2027-01-15T07:00:00Z'::timestamptz + n * interval '1 minute' AS at FROM generate_series(1, 3) n) AS made;
    UPDATE deposits SET state = 'partial', received = 1 WHERE asset = 'USDT';
    INSERT INTO incoming_transfers (id, network, txid, log_index, block_number, block_id, block_time, place, from_address,
        to_address, address_id, amount, state, kind, deposit_id, user_id, asset, credited, decided_by, decided_at, created_at,
        updated_at)
        VALUES ('00000000-0000-7000-8000-0000000000c1', 'tron', repeat('ab', 32), 0, 7, 'b7', now(), 0, 'TA',
            'TUJ2YbSDGtCqzRz7quPQidRCMC98jDAPXc', '00000000-0000-7000-8000-0000000000b1', 1, 'credited', 'partial',
            '00000000-0000-7000-8000-0000000000d3', 42, 'USDT', 1, 'worker', now(), now(), now())";

#[tokio::test]
async fn deposits_of_a_user_are_found_by_what_they_are() {
    let api = TestApi::new().await;
    api.db.sql(DEPOSITS).await;
    let list = "/api/users/42/deposits";
    let paid_by = format!("txid={}", "AB".repeat(32));
    let paid_nothing = format!("txid={}", "cd".repeat(32));
    let cases: &[(&str, &[&str])] = &[
        ("", &["d3", "d2", "d1"]),
        ("order=oldest", &["d1", "d2", "d3"]),
        ("state=partial", &["d3"]),
        ("state=open,partial", &["d3", "d2", "d1"]),
        ("state=paid,expired", &[]),
        ("asset=TRX", &["d2", "d1"]),
        ("way=address", &["d2"]),
        ("address=TUJ2YbSDGtCqzRz7quPQidRCMC98jDAPXc", &["d3", "d2"]),
        ("address=TJRabPrwbZy45sbavfcjinPJC18kjpRTv8", &[]),
        (paid_by.as_str(), &["d3"]),
        (paid_nothing.as_str(), &[]),
        ("since=2027-01-15T07:02:00Z", &["d3", "d2"]),
        ("until=2027-01-15T07:02:00Z", &["d1"]),
        ("min_amount=2&max_amount=2", &["d2"]),
        (
            "state=open&asset=TRX&way=amount&since=2027-01-15T07:00:00Z&min_amount=1&order=oldest",
            &["d1"],
        ),
    ];
    finds(&api, list, cases).await;
    assert_eq!(listed(&api, "/api/users/43/deposits", "id").await.len(), 0);
    is_walked(&api, list, "asset=TRX", "id").await;
    refuses(&api, list, &WRONG).await;
    let wrong = [
        ("asset=BTC", "asset"),
        ("way=luck", "way"),
        ("txid=ab", "txid"),
        ("min_amount=2&max_amount=1", "min_amount"),
    ];
    refuses(&api, list, &wrong).await;
}

/// Three transfers for energy, a minute apart: one waits, one is held, one was let be.
const RENTALS: &str = "
    INSERT INTO users (id, created_at) VALUES (-2, now());
    INSERT INTO deposit_addresses (id, network, address, kind, created_at)
        VALUES ('00000000-0000-7000-8000-0000000000b1', 'tron', 'TUEZSdKsoDHQMeZwihtdoBiN46zxhGWYdH', 'rental', now());
    INSERT INTO incoming_transfers (id, network, txid, log_index, block_number, block_id, block_time, place, from_address,
        to_address, address_id, amount, state, kind, user_id, asset, credited, decided_by, decided_at, created_at, updated_at)
        SELECT ('00000000-0000-7000-8000-0000000000d' || n)::uuid, 'tron', repeat('a' || n, 32), -1, 70, 'x', at, n,
            CASE n WHEN 3 THEN 'TLyqzVGLV1srkB7dToTAEqgDSfPtXRJZYH' ELSE 'TUJ2YbSDGtCqzRz7quPQidRCMC98jDAPXc' END,
            'TUEZSdKsoDHQMeZwihtdoBiN46zxhGWYdH', '00000000-0000-7000-8000-0000000000b1', n * 1000000, 'credited', 'rental', -2,
            'TRX', n * 1000000, 'worker', at, at, at
        FROM (SELECT n, '2027-01-15T07:00:00Z'::timestamptz + n * interval '1 minute' AS at FROM generate_series(1, 3) n) AS made;
    INSERT INTO rentals (transfer_id, user_id, api_key_id, sender, amount_sun, receiver, energy, duration_s, state,
        created_at, updated_at)
        SELECT t.id, -2, (SELECT id FROM api_keys LIMIT 1), t.from_address, t.credited, 'TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t',
            65000, 3600, 'waiting', t.created_at, t.created_at
        FROM incoming_transfers t;
    UPDATE rentals SET state = 'held', reason_code = 'no_price', held_code = 'sender_unknown' WHERE amount_sun > 1000000;
    UPDATE rentals SET state = 'closed' WHERE amount_sun > 2000000";

#[tokio::test]
async fn rentals_are_found_by_what_they_are() {
    let api = TestApi::new().await;
    api.db.sql(RENTALS).await;
    let list = "/api/operations/rentals";
    let brought_by = format!("txid={}", "A2".repeat(32));
    let cases: &[(&str, &[&str])] = &[
        ("", &["d3", "d2", "d1"]),
        ("order=oldest", &["d1", "d2", "d3"]),
        ("state=held", &["d2"]),
        ("state=held,waiting,held", &["d2", "d1"]),
        ("state=returned,placed", &[]),
        ("sender=TUJ2YbSDGtCqzRz7quPQidRCMC98jDAPXc", &["d2", "d1"]),
        ("receiver=TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", &["d3", "d2", "d1"]),
        ("receiver=TUJ2YbSDGtCqzRz7quPQidRCMC98jDAPXc", &[]),
        ("reason=no_price", &["d3", "d2"]),
        (brought_by.as_str(), &["d2"]),
        ("since=2027-01-15T07:02:00Z", &["d3", "d2"]),
        ("until=2027-01-15T07:02:00Z", &["d1"]),
        ("min_amount=2&max_amount=2", &["d2"]),
        (
            "state=held,closed&reason=no_price&since=2027-01-15T07:00:00Z&min_amount=1&order=oldest",
            &["d2", "d3"],
        ),
        ("state=held&sender=TLyqzVGLV1srkB7dToTAEqgDSfPtXRJZYH", &[]),
    ];
    finds(&api, list, cases).await;
    is_walked(&api, list, "state=held,closed,waiting", "id").await;
    refuses(&api, list, &WRONG).await;
    let wrong = [("txid=ab", "txid"), ("min_amount=2&max_amount=1", "min_amount")];
    refuses(&api, list, &wrong).await;
}

/// Four wallets, a minute apart: one in service, one isolated, one that pays and is off, one whose key is not in.
const WALLETS: &str = "
    INSERT INTO supplier_wallets (id, address, state, purpose, balance_sun, created_at, updated_at) VALUES
        ('00000000-0000-7000-8000-0000000000d1', 'TJRabPrwbZy45sbavfcjinPJC18kjpRTv8', 'active', 'supply', 1000000,
            '2027-01-15T07:01:00Z', now()),
        ('00000000-0000-7000-8000-0000000000d2', 'TUJ2YbSDGtCqzRz7quPQidRCMC98jDAPXc', 'active', 'supply', 2000000,
            '2027-01-15T07:02:00Z', now()),
        ('00000000-0000-7000-8000-0000000000d3', 'TLyqzVGLV1srkB7dToTAEqgDSfPtXRJZYH', 'active', 'treasury', 3000000,
            '2027-01-15T07:03:00Z', now()),
        ('00000000-0000-7000-8000-0000000000d4', NULL, 'importing', 'supply', 0, '2027-01-15T07:04:00Z', now());
    UPDATE supplier_wallets SET isolated_at = now(), isolated_reason = 'three failures' WHERE balance_sun = 2000000;
    UPDATE supplier_wallets SET enabled = false WHERE purpose = 'treasury'";

#[tokio::test]
async fn supplier_wallets_are_found_by_what_they_are() {
    let api = TestApi::new().await;
    api.db.sql(WALLETS).await;
    let list = "/api/supplier-wallets/";
    let cases: &[(&str, &[&str])] = &[
        ("", &["d1", "d2", "d3", "d4"]),
        ("order=newest", &["d4", "d3", "d2", "d1"]),
        ("state=importing", &["d4"]),
        ("state=active,importing", &["d1", "d2", "d3", "d4"]),
        ("state=rejected", &[]),
        ("purpose=treasury", &["d3"]),
        ("purpose=treasury,supply&state=active", &["d1", "d2", "d3"]),
        ("address=TUJ2YbSDGtCqzRz7quPQidRCMC98jDAPXc", &["d2"]),
        ("enabled=false", &["d3"]),
        ("isolated=true", &["d2"]),
        ("isolated=false&enabled=true", &["d1", "d4"]),
        ("since=2027-01-15T07:03:00Z", &["d3", "d4"]),
        ("until=2027-01-15T07:02:00Z", &["d1"]),
        ("min_balance=2&max_balance=2", &["d2"]),
        ("min_balance=3.000001", &[]),
        (
            "state=active&purpose=supply&min_balance=1&since=2027-01-15T07:00:00Z&order=newest",
            &["d2", "d1"],
        ),
    ];
    finds(&api, list, cases).await;
    is_walked(&api, list, "state=active", "id").await;
    refuses(&api, list, &WRONG).await;
    let wrong = [
        ("purpose=deposit", "purpose"),
        ("enabled=1", "enabled"),
        ("isolated=perhaps", "isolated"),
        ("min_balance=2&max_balance=1", "min_balance"),
    ];
    refuses(&api, list, &wrong).await;
}

/// Four findings, a minute apart: two warnings, one that is critical, and one that is over.
const FINDINGS: &str = "
    INSERT INTO findings (id, kind, severity, subject, metric, action, first_seen_at, last_seen_at)
        SELECT ('00000000-0000-7000-8000-0000000000d' || n)::uuid, CASE n WHEN 2 THEN 'ledger.unbalanced' ELSE 'pool.low_stock' END,
            CASE n WHEN 2 THEN 'critical' ELSE 'warning' END, 'network:' || n, 'switchyard_findings_open', 'Look.', at, at
        FROM (SELECT n, '2027-01-15T07:00:00Z'::timestamptz + n * interval '1 minute' AS at FROM generate_series(1, 4) n) AS made;
    UPDATE findings SET resolved_at = now(), resolved_by = 'worker' WHERE subject = 'network:4'";

#[tokio::test]
async fn findings_are_found_by_time_and_turned_round_within_what_matters_alike() {
    let api = TestApi::new().await;
    api.db.sql(FINDINGS).await;
    let list = "/api/operations/findings";
    let cases: &[(&str, &[&str])] = &[
        ("", &["d2", "d3", "d1"]),
        ("order=oldest", &["d2", "d1", "d3"]),
        ("state=all&order=oldest", &["d2", "d1", "d3", "d4"]),
        ("since=2027-01-15T07:02:00Z", &["d2", "d3"]),
        ("since=2027-01-15T07:02:00Z&state=all&severity=warning", &["d4", "d3"]),
        ("until=2027-01-15T07:02:00Z", &["d1"]),
        (
            "kind=pool.low_stock&since=2027-01-15T07:00:00Z&order=oldest",
            &["d1", "d3"],
        ),
        ("subject=network:3&until=2027-01-15T07:03:00Z", &[]),
    ];
    finds(&api, list, cases).await;
    is_walked(&api, list, "state=all", "id").await;
    refuses(&api, list, &WRONG).await;
}

/// Three messages, a minute apart, to the one endpoint.
const MESSAGES: &str = "
    INSERT INTO webhook_deliveries (endpoint_id, event_id, event_type, state, next_attempt_at, delivered_at, created_at, updated_at)
        SELECT (SELECT id FROM webhook_endpoints), ('00000000-0000-7000-8000-0000000000d' || n)::uuid,
            CASE n WHEN 3 THEN 'payout.sent' ELSE 'order.created' END,
            CASE n WHEN 1 THEN 'delivered' WHEN 2 THEN 'failed' ELSE 'pending' END, at, CASE n WHEN 1 THEN at END, at, at
        FROM (SELECT n, '2027-01-15T07:00:00Z'::timestamptz + n * interval '1 minute' AS at FROM generate_series(1, 3) n) AS made";

#[tokio::test]
async fn messages_are_found_by_what_they_are() {
    let api = TestApi::new().await;
    let hook = json!({ "url": "https://shop.example/hook", "event_types": [] });
    let made = api.marked("/api/webhooks", "m1", &hook).await;
    assert_eq!(made.status, 201, "{}", made.body);
    api.db.sql(MESSAGES).await;
    let list = format!("/api/webhooks/{}/deliveries", made.body["id"].as_str().unwrap());
    let cases: &[(&str, &[&str])] = &[
        ("", &["d3", "d2", "d1"]),
        ("order=oldest", &["d1", "d2", "d3"]),
        ("state=failed", &["d2"]),
        ("state=failed,delivered,failed", &["d2", "d1"]),
        ("type=order.created", &["d2", "d1"]),
        ("type=order.created,payout.sent&state=pending,failed", &["d3", "d2"]),
        ("type=order.settled", &[]),
        ("event_id=00000000-0000-7000-8000-0000000000d2", &["d2"]),
        ("event_id=00000000-0000-7000-8000-0000000000d2&state=pending", &[]),
        ("since=2027-01-15T07:02:00Z", &["d3", "d2"]),
        ("until=2027-01-15T07:02:00Z", &["d1"]),
        (
            "since=2027-01-15T07:01:00Z&until=2027-01-15T07:03:00Z&type=order.created&order=oldest",
            &["d1", "d2"],
        ),
    ];
    finds(&api, &list, cases).await;
    is_walked(&api, &list, "state=pending,failed,delivered", "id").await;
    refuses(&api, &list, &WRONG).await;
    let wrong = [
        ("type=order.exploded", "type"),
        ("type=order.created,", "type"),
        ("event_id=x", "event_id"),
    ];
    refuses(&api, &list, &wrong).await;
}

#[tokio::test]
async fn dead_jobs_are_found_by_the_time_of_their_death() {
    let api = TestApi::new().await;
    api.db
        .sql(
            "INSERT INTO jobs (kind, object_id, queue, runs, state, next_run_at, last_error_code, last_error, dead_at, created_at)
             SELECT 'wallets.sync', 'd' || n, 'wallets', 10, 'dead', at, 'bad', 'in words', at, at
             FROM (SELECT n, '2027-01-15T07:00:00Z'::timestamptz + n * interval '1 minute' AS at FROM generate_series(1, 3) n)
             AS made",
        )
        .await;
    let list = "/api/operations/jobs";
    for (query, expected) in [
        ("state=dead", vec!["d1", "d2", "d3"]),
        ("state=dead&order=newest", vec!["d3", "d2", "d1"]),
        ("state=dead&since=2027-01-15T07:02:00Z", vec!["d2", "d3"]),
        ("state=dead&until=2027-01-15T07:02:00Z", vec!["d1"]),
        (
            "state=dead&code=bad&since=2027-01-15T07:01:00Z&until=2027-01-15T07:03:00Z&order=newest",
            vec!["d2", "d1"],
        ),
        ("state=due&until=2027-01-15T07:59:00Z", vec![]),
    ] {
        let found = listed(&api, &format!("{list}?{query}"), "object_id").await;
        assert_eq!(found, expected, "{query}");
    }
    is_walked(&api, list, "state=dead", "object_id").await;
    refuses(&api, list, &WRONG).await;
}
