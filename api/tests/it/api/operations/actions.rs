//! `GET /api/operations/actions`.

use serde_json::json;

use super::dead;
use crate::support::TestApi;

#[tokio::test]
async fn what_was_done_is_listed_newest_first_with_each_object_as_it_was() {
    let api = TestApi::new().await;
    dead(&api, "wallets.sync", 2).await;
    let one = json!({ "kind": "wallets.sync", "object_id": "o1" });
    api.marked("/api/operations/jobs/redrive", "m1", &one).await;
    let rest = json!({ "all": true, "kind": "wallets.sync", "reason": "gone" });
    api.marked("/api/operations/jobs/drop", "m2", &rest).await;
    let first = api.get("/api/operations/actions?limit=1").await;
    assert_eq!(first.status, 200);
    insta::assert_json_snapshot!(first.body, { ".items[].actor" => "[key]", ".items[].id" => "[id]", ".next_cursor" => "[id]" });
    let cursor = first.body["next_cursor"].as_str().unwrap();
    let second = api
        .get(&format!("/api/operations/actions?limit=1&cursor={cursor}"))
        .await;
    assert_eq!(second.body["items"][0]["action"], "jobs.redrive");
    assert!(second.body["next_cursor"].is_null());
    for (query, rows) in [
        ("action=jobs.drop".to_owned(), 1),
        ("object_id=o1".to_owned(), 1),
        ("object_id=o9".to_owned(), 0),
        (format!("actor=api_key:{}", api.key_id), 2),
        ("actor=operator:anna".to_owned(), 0),
    ] {
        let reply = api.get(&format!("/api/operations/actions?{query}")).await;
        assert_eq!(reply.body["items"].as_array().unwrap().len(), rows, "{query}");
    }
    for query in ["action=jobs.make", "cursor=x", "by=me"] {
        api.get(&format!("/api/operations/actions?{query}"))
            .await
            .refused(422, "invalid_parameter");
    }
}
