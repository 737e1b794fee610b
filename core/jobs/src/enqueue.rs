//! Asking for a job, inside the transaction that makes the reason for it.

use chrono::{DateTime, Utc};
use db::schema::jobs;
use db::{Conn, DbError, Prepare as _};
use diesel::dsl::{case_when, sql};
use diesel::sql_types::{Integer, Nullable, Timestamptz};
use diesel::upsert::excluded;
use diesel::{ExpressionMethods, define_sql_function};
use diesel_async::RunQueryDsl;

use crate::{JobKind, Wake};

/// A wish to have something done.
#[derive(Debug, Clone, Copy)]
pub struct JobRequest<'a> {
    /// What is to be done.
    pub kind: JobKind,
    /// To what: 1 to 100 characters.
    pub object_id: &'a str,
    /// Not before this time.
    pub run_at: DateTime<Utc>,
    /// The current time.
    pub now: DateTime<Utc>,
}

define_sql_function! {
    /// The earlier of two times.
    fn least(a: Timestamptz, b: Timestamptz) -> Timestamptz;
}
define_sql_function! {
    /// The first that is not null.
    fn coalesce(a: Nullable<Timestamptz>, b: Nullable<Timestamptz>) -> Nullable<Timestamptz>;
}

/// Writes the request down. A job that is asked for while it waits comes no later than before; one that runs is run once
/// more after this run; a dead one starts anew.
///
/// Push the answer after the commit: `queue.push(wake)`. It is `None` when the job is for later; the dispatcher brings
/// it then, as it does when the push is lost.
///
/// # Errors
/// When PostgreSQL refuses the row.
pub async fn enqueue_in_tx(conn: &mut Conn, request: JobRequest<'_>) -> Result<Option<Wake>, DbError> {
    let JobRequest {
        kind,
        object_id,
        run_at,
        now,
    } = request;
    let pushed_at = (run_at <= now).then_some(now);
    let generation = diesel::insert_into(jobs::table)
        .values((
            jobs::kind.eq(kind),
            jobs::object_id.eq(object_id),
            jobs::queue.eq(kind.policy().queue),
            jobs::next_run_at.eq(run_at),
            jobs::pushed_at.eq(pushed_at),
            jobs::created_at.eq(now),
        ))
        .on_conflict((jobs::kind, jobs::object_id))
        .do_update()
        .set((
            jobs::request.eq(jobs::request + 1),
            jobs::generation.eq(sql::<Integer>("nextval('job_generation')::integer")),
            jobs::queue.eq(excluded(jobs::queue)),
            jobs::next_run_at.eq(case_when(
                jobs::state.eq("due"),
                least(jobs::next_run_at, excluded(jobs::next_run_at)),
            )
            .otherwise(excluded(jobs::next_run_at))),
            jobs::pushed_at.eq(coalesce(excluded(jobs::pushed_at), jobs::pushed_at)),
            jobs::runs.eq(case_when(jobs::state.eq("due"), jobs::runs).otherwise(0)),
            jobs::state.eq("due"),
            jobs::dead_at.eq(None::<DateTime<Utc>>),
        ))
        .returning(jobs::generation)
        .prepared()
        .get_result::<i32>(conn)
        .await?;
    Ok(pushed_at.map(|_| Wake {
        kind,
        object_id: object_id.to_owned(),
        generation,
    }))
}

/// Writes many requests down, in one order for everybody, so that two callers cannot deadlock.
///
/// # Errors
/// When PostgreSQL refuses a row.
pub async fn enqueue_many_in_tx(conn: &mut Conn, requests: &[JobRequest<'_>]) -> Result<Vec<Wake>, DbError> {
    let mut sorted = requests.to_vec();
    sorted.sort_by(|a, b| (a.kind, a.object_id).cmp(&(b.kind, b.object_id)));
    let mut wakes = Vec::with_capacity(sorted.len());
    for request in sorted {
        wakes.extend(enqueue_in_tx(conn, request).await?);
    }
    Ok(wakes)
}

/// Asks for one kind of job about each of these objects, now.
///
/// # Errors
/// When PostgreSQL refuses a row.
pub async fn enqueue_each_in_tx(
    conn: &mut Conn,
    kind: JobKind,
    objects: &[String],
    now: DateTime<Utc>,
) -> Result<Vec<Wake>, DbError> {
    let request = |object_id| JobRequest {
        kind,
        object_id,
        run_at: now,
        now,
    };
    let requests: Vec<JobRequest<'_>> = objects.iter().map(|id| request(id.as_str())).collect();
    enqueue_many_in_tx(conn, &requests).await
}
