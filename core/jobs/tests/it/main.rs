//! The job table against a real PostgreSQL, with the rights that each process has, and wake-ups and limits against a real Redis.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a helper that fails fails its test"
)]

mod feed;
mod limits;
mod operate;
mod table;
mod wakes;

use chrono::{DateTime, TimeDelta, Utc};
use kernel::{Clock, SystemClock};
use switchyard_jobs::{JobKind, JobRequest, RunningJob, Wake, begin, enqueue_in_tx};
use testkit::{Role, TestDb};

pub(crate) const KIND: JobKind = JobKind::OrdersDelegate;

pub(crate) fn now() -> DateTime<Utc> {
    SystemClock.now()
}

pub(crate) fn seconds(n: i64) -> TimeDelta {
    TimeDelta::seconds(n)
}

/// Asks as the API does: with its rights, in a transaction of its own.
pub(crate) async fn ask(db: &TestDb, object_id: &str, run_at: DateTime<Utc>, now: DateTime<Utc>) -> Option<Wake> {
    let pool = db.pool(Role::Api);
    let request = JobRequest {
        kind: KIND,
        object_id,
        run_at,
        now,
    };
    db::run_tx(&pool, "ask", async |conn| enqueue_in_tx(conn, request).await)
        .await
        .unwrap()
}

/// Begins as a worker does; the job must be there to begin.
pub(crate) async fn start(db: &TestDb, object_id: &str, now: DateTime<Utc>) -> RunningJob {
    begin(&db.pool(Role::Worker), KIND, object_id, now)
        .await
        .unwrap()
        .expect("the job begins")
}

/// The row as a text, or `gone`.
pub(crate) async fn row(db: &TestDb, object_id: &str) -> String {
    use diesel::sql_types::Text;
    use diesel_async::RunQueryDsl;
    #[derive(diesel::QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        text: String,
    }
    let mut conn = db::acquire(&db.pool(Role::Owner)).await.unwrap();
    diesel::sql_query(
        "SELECT state || ' request ' || request || ' runs ' || runs || CASE WHEN started_at IS NULL THEN '' ELSE ' running' END
            || coalesce(' ' || last_error_code, '') AS text
         FROM jobs WHERE object_id = $1",
    )
    .bind::<Text, _>(object_id)
    .load::<Row>(&mut conn)
    .await
    .unwrap()
    .pop()
    .map_or_else(|| "gone".into(), |row| row.text)
}
