//! `GET /api/orders`.

use crate::support::{Reply, TestApi};

fn ids(reply: &Reply) -> Vec<String> {
    let items = reply.body["items"].as_array().unwrap();
    items
        .iter()
        .map(|order| order["id"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn pages_follow_one_another_newest_first() {
    let api = TestApi::new().await;
    let mut placed = Vec::new();
    for n in 0..5 {
        placed.push(
            api.order(&format!("o{n}")).await.body["id"]
                .as_str()
                .unwrap()
                .to_owned(),
        );
    }
    placed.reverse();
    let (mut seen, mut path) = (Vec::new(), "/api/orders?limit=2".to_owned());
    for page in [2, 2, 1] {
        let reply = api.get(&path).await;
        assert_eq!(ids(&reply).len(), page);
        seen.extend(ids(&reply));
        path = format!(
            "/api/orders?limit=2&cursor={}",
            reply.body["next_cursor"].as_str().unwrap_or("end")
        );
    }
    assert_eq!(seen, placed);
    assert!(path.ends_with("cursor=end"));
}

#[tokio::test]
async fn lists_are_narrowed() {
    let api = TestApi::new().await;
    api.order("o1").await;
    for (query, rows) in [
        ("user_id=42", 1),
        ("user_id=43", 0),
        ("state=pending", 1),
        ("state=completed", 0),
        ("user_id=42&state=pending&limit=1", 1),
    ] {
        let reply = api.get(&format!("/api/orders?{query}")).await;
        assert_eq!(ids(&reply).len(), rows, "{query}");
        assert!(reply.body["next_cursor"].is_null());
    }
}

#[tokio::test]
async fn wrong_parameters_are_named() {
    let api = TestApi::new().await;
    for (query, pointer, kind) in [
        ("limit=0", "query/limit", "invalid_value"),
        ("limit=101", "query/limit", "invalid_value"),
        ("limit=-1", "query/limit", "invalid_value"),
        ("user_id=bob", "query/user_id", "invalid_value"),
        ("state=lost", "query/state", "invalid_value"),
        ("cursor=7", "query/cursor", "invalid_value"),
        ("page=2", "query/page", "unknown_parameter"),
        ("limit=1&limit=2", "query/limit", "invalid_value"),
    ] {
        let reply = api.get(&format!("/api/orders?{query}")).await;
        reply.refused(422, "invalid_parameter");
        assert_eq!(reply.field(), (pointer, kind), "{query}");
    }
}
