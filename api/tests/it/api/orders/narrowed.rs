//! What lists of orders are narrowed to, their two directions, and the table of the same rows.

use axum::body::{Body, to_bytes};
use axum::http::{Method, Request};
use tower::ServiceExt;

use crate::support::{Reply, TestApi};

fn ids(reply: &Reply) -> Vec<String> {
    assert_eq!(reply.status, 200, "{}", reply.body);
    let items = reply.body["items"].as_array().unwrap();
    let id = |order: &serde_json::Value| order["id"].as_str().unwrap().to_owned();
    items.iter().map(id).collect()
}

async fn placed(api: &TestApi, mark: &str) -> String {
    api.order(mark).await.body["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_walk_in_either_direction_misses_and_repeats_nothing_while_orders_come_in() {
    let api = TestApi::new().await;
    for (order, state) in [("newest", ""), ("oldest", "&state=pending")] {
        let before = ids(&api.get(&format!("/api/orders?order={order}&limit=100")).await);
        let mut expected = before;
        for n in 0..5 {
            let id = placed(&api, &format!("{order}-{n}")).await;
            let at = if order == "newest" { 0 } else { expected.len() };
            expected.insert(at, id);
        }
        let (mut seen, mut cursor, mut page) = (Vec::new(), String::new(), 0);
        loop {
            let reply = api
                .get(&format!("/api/orders?user_id=42&order={order}{state}&limit=2{cursor}"))
                .await;
            seen.extend(ids(&reply));
            if page == 0 {
                let late = placed(&api, &format!("{order}-late")).await;
                if order == "oldest" {
                    expected.push(late);
                }
            }
            page += 1;
            let Some(next) = reply.body["next_cursor"].as_str() else {
                break;
            };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(seen, expected, "{order}");
    }
}

#[tokio::test]
async fn each_filter_finds_what_it_names_and_nothing_else() {
    let api = TestApi::new().await;
    let id = placed(&api, "o1").await;
    let now = api.now().to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
    let receiver = crate::support::RECEIVER;
    for (query, rows) in [
        (format!("receiver={receiver}"), 1),
        ("receiver=TLyqzVGLV1srkB7dToTAEqgDSfPtXRJZYX".to_owned(), 0),
        ("reason=no_wallet_fits".to_owned(), 0),
        (format!("since={now}"), 1),
        (format!("until={now}"), 0),
        ("min_energy=65000&max_energy=65000".to_owned(), 1),
        ("min_energy=65001".to_owned(), 0),
        ("min_price=3.25&max_price=3.25".to_owned(), 1),
        ("max_price=3.249999".to_owned(), 0),
        (format!("txid={}", "a".repeat(64)), 0),
    ] {
        let found = ids(&api.get(&format!("/api/orders?{query}")).await);
        assert_eq!(found.len(), rows, "{query}");
        assert!(found.iter().all(|found| *found == id));
    }
}

#[tokio::test]
async fn ranges_that_hold_nothing_and_wrong_words_are_refused() {
    let api = TestApi::new().await;
    for (query, pointer) in [
        ("since=2027-01-02T00:00:00Z&until=2027-01-01T00:00:00Z", "query/since"),
        ("min_energy=2&max_energy=1", "query/min_energy"),
        ("min_price=2&max_price=1", "query/min_price"),
        ("min_price=-1", "query/min_price"),
        ("order=up", "query/order"),
        ("txid=ab", "query/txid"),
    ] {
        let reply = api.get(&format!("/api/orders?{query}")).await;
        reply.refused(422, "invalid_parameter");
        assert_eq!(reply.field(), (pointer, "invalid_value"), "{query}");
    }
}

#[tokio::test]
async fn several_states_are_asked_for_at_once() {
    let api = TestApi::new().await;
    let mut placed_ids = Vec::new();
    for mark in ["o1", "o2", "o3"] {
        placed_ids.push(placed(&api, mark).await);
    }
    let cancel = api.request(Method::POST, &format!("/api/orders/{}/cancel", placed_ids[1]));
    assert_eq!(api.send(cancel.body(Body::empty()).unwrap()).await.status, 200);
    api.db
        .sql(&format!(
            "UPDATE orders SET state = 'processing' WHERE id = '{}'",
            placed_ids[2]
        ))
        .await;
    let (_, manager) = api.signed_in(&["finance_manager"]).await;
    for (query, found) in [
        ("state=pending", vec![0]),
        ("state=pending,cancelled", vec![1, 0]),
        ("state=cancelled,pending,cancelled,pending", vec![1, 0]),
        ("state=pending,cancelled,processing&order=oldest", vec![0, 1, 2]),
        ("state=completed,refunded,failed", vec![]),
        ("state=processing,cancelled&user_id=42&min_energy=65000", vec![2, 1]),
        ("state=processing,cancelled&user_id=43", vec![]),
    ] {
        let expected: Vec<String> = found.iter().map(|n: &usize| placed_ids[*n].clone()).collect();
        let list = ids(&api.get(&format!("/api/orders?{query}")).await);
        assert_eq!(list, expected, "{query}");
        let lines = table(&api, &manager, query).await;
        let told: Vec<&str> = lines[1..].iter().map(|line| &line[..36]).collect();
        assert_eq!(told, expected, "{query}");
    }
    for query in [
        "state=",
        "state=pending,",
        "state=pending,lost",
        "state=pending%20,failed",
    ] {
        let reply = api.get(&format!("/api/orders?{query}")).await;
        reply.refused(422, "invalid_parameter");
        assert_eq!(reply.field(), ("query/state", "invalid_value"), "{query}");
        let detail = reply.body["errors"][0]["detail"].as_str().unwrap();
        assert!(detail.contains("`pending`, `processing`, `completed`"), "{detail}");
    }
    let many = ["pending"; 21].join(",");
    let reply = api.get(&format!("/api/orders?state={many}")).await;
    reply.refused(422, "invalid_parameter");
}

async fn table(api: &TestApi, token: &str, query: &str) -> Vec<String> {
    let request = Request::builder()
        .method(Method::GET)
        .uri(format!("/api/orders.csv?{query}"))
        .header("authorization", format!("Bearer {token}"));
    let response = api
        .router
        .clone()
        .oneshot(request.body(Body::empty()).unwrap())
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "text/csv; charset=utf-8");
    let text = to_bytes(response.into_body(), 1 << 20).await.unwrap().to_vec();
    let text = String::from_utf8(text).unwrap();
    text.split_terminator("\r\n").map(str::to_owned).collect()
}

#[tokio::test]
async fn the_table_holds_what_the_list_does() {
    let api = TestApi::new().await;
    for n in 0..3 {
        placed(&api, &format!("o{n}")).await;
    }
    let (_, manager) = api.signed_in(&["finance_manager"]).await;
    for query in ["", "order=oldest", "user_id=42&state=pending", "user_id=43"] {
        let listed = ids(&api.get(&format!("/api/orders?{query}")).await);
        let lines = table(&api, &manager, query).await;
        assert!(lines[0].starts_with("id,user_id,receiver,energy,"));
        let told: Vec<&str> = lines[1..].iter().map(|line| &line[..36]).collect();
        assert_eq!(told, listed, "{query}");
    }
    let lines = table(&api, &manager, "").await;
    assert!(lines[1].contains(",65000,3600,3.250000,TRX,pending,,"), "{}", lines[1]);
    api.get("/api/orders.csv").await.refused(403, "insufficient_scope");
}
