//! `GET /api/prices`.

use crate::support::TestApi;

#[tokio::test]
async fn the_table_in_force_is_shown() {
    let api = TestApi::new().await;
    let reply = api.get("/api/prices").await;
    assert_eq!(reply.status, 200);
    insta::assert_json_snapshot!(reply.body);
}
