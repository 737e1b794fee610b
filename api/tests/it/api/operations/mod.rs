//! `/api/operations`.

mod actions;
mod audit;
mod findings;
mod jobs;
mod orders;
mod queues;
mod stakings;
mod stuck;
mod sweeps;
mod switches;

use crate::support::TestApi;

/// Dead jobs `o1` to `o<n>` of a kind, the first the oldest; all by the API's clock.
async fn dead(api: &TestApi, kind: &str, n: u32) {
    let now = kernel::Clock::now(&*api.clock).to_rfc3339();
    let sql = format!(
        "INSERT INTO jobs (kind, object_id, queue, runs, state, next_run_at, last_error_code, last_error, dead_at, created_at)
         SELECT '{kind}', 'o' || n, 'wallets', 10, 'dead', '{now}', 'bad', 'in words',
             '{now}'::timestamptz + n * interval '1 second', '{now}' FROM generate_series(1, {n}) n"
    );
    api.db.sql(&sql).await;
}
