//! The processes can tell whether the schema is theirs, with no more rights than they have.

use switchyard_db::pending_migrations;
use testkit::{Role, TestDb};

#[tokio::test(flavor = "multi_thread")]
async fn every_process_sees_what_is_missing() {
    let db = TestDb::new().await;
    for role in [Role::Api, Role::Worker] {
        assert_eq!(pending_migrations(&db.pool(role)).await.unwrap(), 0);
    }
    db.sql(
        "DELETE FROM __diesel_schema_migrations WHERE version = (SELECT max(version) FROM __diesel_schema_migrations)",
    )
    .await;
    for role in [Role::Api, Role::Worker] {
        assert_eq!(pending_migrations(&db.pool(role)).await.unwrap(), 1, "{role:?}");
    }
}
