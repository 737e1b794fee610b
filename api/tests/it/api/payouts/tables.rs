//! Payouts and transfers by what they are narrowed to, and the tables of the same rows.

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use serde_json::json;
use tower::ServiceExt;

use crate::support::TestApi;

const ADDRESSES: [&str; 2] = [
    "TLyqzVGLV1srkB7dToTAEqgDSfPtXRJZYH",
    "TUJ2YbSDGtCqzRz7quPQidRCMC98jDAPXc",
];
/// Two transfers that wait, and one that is credited.
const TRANSFERS: &str = "
    INSERT INTO deposit_addresses (id, network, address, kind, created_at)
        VALUES ('00000000-0000-7000-8000-0000000000b1', 'tron', 'TUJ2YbSDGtCqzRz7quPQidRCMC98jDAPXc', 'shared', now());
    INSERT INTO incoming_transfers (id, network, txid, log_index, block_number, block_id, block_time, place, from_address,
        to_address, address_id, amount, state, kind, asset, decided_by, decided_at, created_at, updated_at)
        SELECT ('00000000-0000-7000-8000-0000000000c' || n)::uuid, 'tron', repeat(n::text, 64), -1, 7, 'b7',
            '2027-01-15T07:00:00Z'::timestamptz + n * interval '1 minute', 0, 'TA', 'TUJ2YbSDGtCqzRz7quPQidRCMC98jDAPXc',
            '00000000-0000-7000-8000-0000000000b1', 5000000, 'held', 'unmatched', 'TRX', 'worker', now(), now(), now()
        FROM generate_series(1, 3) AS n";

/// The first column of a table, without its head.
async fn table(api: &TestApi, token: &str, path: &str) -> Vec<String> {
    let request = Request::builder()
        .uri(path)
        .header("authorization", format!("Bearer {token}"));
    let request = request.body(Body::empty()).unwrap();
    let response = api.router.clone().oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK, "{path}");
    assert_eq!(response.headers()["content-type"], "text/csv; charset=utf-8");
    let text = to_bytes(response.into_body(), 1 << 20).await.unwrap().to_vec();
    let text = String::from_utf8(text).unwrap();
    let lines = text.split_terminator("\r\n").skip(1);
    lines.map(|line| line.split(',').next().unwrap().to_owned()).collect()
}

async fn listed(api: &TestApi, path: &str) -> Vec<String> {
    let reply = api.get(path).await;
    assert_eq!(reply.status, StatusCode::OK, "{path}: {}", reply.body);
    let items = reply.body["items"].as_array().unwrap().iter();
    items.map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn payouts_are_found_by_what_they_are_and_exported_alike() {
    let api = TestApi::new().await;
    let (_, manager) = api.signed_in(&["finance_manager"]).await;
    let mut ids = Vec::new();
    for (n, (amount, to)) in [("2", ADDRESSES[0]), ("5", ADDRESSES[1]), ("7.5", ADDRESSES[0])]
        .into_iter()
        .enumerate()
    {
        let body = json!({ "asset": "TRX", "amount": amount, "to": to });
        let made = api.marked("/api/users/42/payouts", &format!("p{n}"), &body).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
        ids.push(made.body["id"].as_str().unwrap().to_owned());
    }
    let now = api.now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    for (query, found) in [
        ("order=oldest".to_owned(), vec![0, 1, 2]),
        (String::new(), vec![2, 1, 0]),
        (format!("address={}", ADDRESSES[0]), vec![2, 0]),
        ("min_amount=5&max_amount=5".to_owned(), vec![1]),
        ("min_amount=5.000001".to_owned(), vec![2]),
        ("state=approved,requested,failed&order=oldest".to_owned(), vec![0, 1, 2]),
        ("state=completed,failed".to_owned(), vec![]),
        ("asset=USDT".to_owned(), vec![]),
        ("user_id=43".to_owned(), vec![]),
        (format!("since={now}"), vec![2, 1, 0]),
        (format!("until={now}"), vec![]),
        (format!("txid={}", "a".repeat(64)), vec![]),
    ] {
        let expected: Vec<String> = found.iter().map(|n: &usize| ids[*n].clone()).collect();
        let list = listed(&api, &format!("/api/operations/payouts?{query}")).await;
        assert_eq!(list, expected, "{query}");
        let exported = table(&api, &manager, &format!("/api/operations/payouts.csv?{query}")).await;
        assert_eq!(exported, expected, "{query}");
    }
    let wrong = api.get("/api/operations/payouts?min_amount=2&max_amount=1").await;
    wrong.refused(422, "invalid_parameter");
}

#[tokio::test]
async fn transfers_are_found_by_what_they_are_and_exported_alike() {
    let api = TestApi::new().await;
    let (_, manager) = api.signed_in(&["finance_manager"]).await;
    api.db.sql(TRANSFERS).await;
    let id = |n: usize| format!("00000000-0000-7000-8000-0000000000c{n}");
    for (query, found) in [
        ("order=oldest".to_owned(), vec![1, 2, 3]),
        ("state=held".to_owned(), vec![3, 2, 1]),
        ("state=credited,held".to_owned(), vec![3, 2, 1]),
        ("state=credited,seen".to_owned(), vec![]),
        (format!("address={}", ADDRESSES[1]), vec![3, 2, 1]),
        (format!("address={}", ADDRESSES[0]), vec![]),
        (format!("txid={}", "2".repeat(64)), vec![2]),
        ("since=2027-01-15T07:02:00Z".to_owned(), vec![3, 2]),
        (
            "since=2027-01-15T07:02:00Z&until=2027-01-15T07:03:00Z".to_owned(),
            vec![2],
        ),
        ("asset=USDT".to_owned(), vec![]),
    ] {
        let expected: Vec<String> = found.into_iter().map(id).collect();
        let list = listed(&api, &format!("/api/operations/deposits?{query}")).await;
        assert_eq!(list, expected, "{query}");
        let exported = table(&api, &manager, &format!("/api/operations/deposits.csv?{query}")).await;
        assert_eq!(exported, expected, "{query}");
    }
}
