//! `GET /api/operations/queues`.

use super::dead;
use crate::support::TestApi;

#[tokio::test]
async fn every_queue_is_shown_with_its_kinds() {
    let api = TestApi::new().await;
    dead(&api, "wallets.sync", 2).await;
    api.order("o1").await;
    api.clock.advance_seconds(75);
    let reply = api.get("/api/operations/queues").await;
    assert_eq!(reply.status, 200);
    insta::assert_json_snapshot!(reply.body);
}
