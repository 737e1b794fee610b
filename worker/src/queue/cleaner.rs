//! Keeps apalis-redis in order: what it never removes, and what would wedge it. Its own `vacuum` loses jobs.
//!
//! Everything here may be lost or repeated: Redis holds no truth.

use std::sync::Arc;
use std::time::Duration;

use apalis_redis::{Config, ConnectionManager};
use jobs::{Queue, WakeConfig, WakeError};
use kernel::Clock;
use redis::{AsyncTypedCommands, Script, pipe};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

/// Between two looks at the queues.
const PERIOD: Duration = Duration::from_secs(5);
/// Between two looks for what crashed workers left.
const SWEEP_PERIOD: Duration = Duration::from_secs(600);
/// At most so many ids in one step, so that Redis never stops for others.
const STEP: usize = 500;
/// apalis moves all due ids at once, and above 8,000 fails to; far below that we move them in steps.
const MANY_DUE: usize = 2000;

/// Cleans until told to stop.
pub(super) async fn clean(config: WakeConfig, queues: Vec<Queue>, clock: Arc<dyn Clock>, stop: CancellationToken) {
    let mut next_sweep = Instant::now();
    while stop.run_until_cancelled(sleep(PERIOD)).await.is_some() {
        let sweep = Instant::now() >= next_sweep;
        if sweep {
            next_sweep = Instant::now() + SWEEP_PERIOD;
        }
        // each time anew: after a failover an old connection may stay open, to a Redis where nothing is left to clean
        let Ok(mut conn) = config.connection() else { return };
        for queue in &queues {
            let apalis = config.apalis(*queue);
            if let Err(error) = clean_queue(&mut conn, &apalis, clock.now().timestamp(), sweep).await {
                tracing::debug!(queue = queue.word(), %error, "the queue was not cleaned");
                break;
            }
        }
    }
}

/// One look at one queue; `now` in seconds.
pub(super) async fn clean_queue(
    conn: &mut ConnectionManager,
    apalis: &Config,
    now: i64,
    sweep: bool,
) -> Result<(), WakeError> {
    promote(conn, apalis, now).await?;
    remove_done(conn, apalis).await?;
    if sweep {
        forget_the_crashed(conn, apalis).await?;
    }
    Ok(())
}

/// `KEYS` scheduled, active; `ARGV` now, at most.
const PROMOTE: &str = "
    local ids = redis.call('ZRANGEBYSCORE', KEYS[1], 0, ARGV[1], 'LIMIT', 0, ARGV[2])
    if #ids > 0 then
        redis.call('RPUSH', KEYS[2], unpack(ids))
        redis.call('ZREM', KEYS[1], unpack(ids))
    end
    return #ids";

/// Moves due ids to where they are fetched from, in steps, when there are many.
async fn promote(conn: &mut ConnectionManager, apalis: &Config, now: i64) -> Result<(), WakeError> {
    if conn.zcard(apalis.scheduled_jobs_set()).await? < MANY_DUE {
        return Ok(());
    }
    let script = Script::new(PROMOTE);
    loop {
        let moved: usize = script
            .key(apalis.scheduled_jobs_set())
            .key(apalis.active_jobs_list())
            .arg(now)
            .arg(STEP)
            .invoke_async(conn)
            .await?;
        if moved < STEP {
            return Ok(());
        }
    }
}

/// Removes what is kept of tasks that are done.
async fn remove_done(conn: &mut ConnectionManager, apalis: &Config) -> Result<(), WakeError> {
    let (done, meta) = (apalis.done_jobs_set(), apalis.job_meta_hash());
    let mut cursor = 0_u64;
    loop {
        let (next, ids): (u64, Vec<String>) = redis::cmd("SSCAN")
            .arg(&done)
            .arg(cursor)
            .arg("COUNT")
            .arg(STEP)
            .query_async(conn)
            .await?;
        if !ids.is_empty() {
            let metas: Vec<String> = ids.iter().map(|id| format!("{meta}:{id}")).collect();
            pipe()
                .hdel(apalis.job_data_hash(), &ids)
                .del(metas)
                .srem(&done, &ids)
                .exec_async(conn)
                .await?;
        }
        if next == 0 {
            return Ok(());
        }
        cursor = next;
    }
}

/// Removes the metadata of workers that no longer beat.
async fn forget_the_crashed(conn: &mut ConnectionManager, apalis: &Config) -> Result<(), WakeError> {
    let prefix = format!("{}:metadata:", apalis.workers_set());
    let mut cursor = 0_u64;
    loop {
        let (next, keys): (u64, Vec<String>) = redis::cmd("SCAN")
            .arg(cursor)
            .arg("MATCH")
            .arg(format!("{prefix}*"))
            .arg("COUNT")
            .arg(STEP)
            .query_async(conn)
            .await?;
        for key in keys {
            let name = key.strip_prefix(&prefix).unwrap_or_default();
            if conn.zscore(apalis.workers_set(), name).await?.is_none() {
                conn.del(&key).await?;
            }
        }
        if next == 0 {
            return Ok(());
        }
        cursor = next;
    }
}

/// `KEYS` in-flight, data, active, workers, metadata; `ARGV` the worker.
const FORGET: &str = "
    local back = 0
    for _, id in ipairs(redis.call('SMEMBERS', KEYS[1])) do
        if redis.call('HEXISTS', KEYS[2], id) == 1 then
            redis.call('RPUSH', KEYS[3], id)
            back = back + 1
        end
    end
    redis.call('DEL', KEYS[1], KEYS[5])
    redis.call('ZREM', KEYS[4], ARGV[1])
    return back";

/// Removes a worker that has ended and puts back what it had fetched and not finished. An id without data is dropped: it
/// would kill each worker that fetches it.
pub(super) async fn forget_worker(conn: &mut ConnectionManager, apalis: &Config, name: &str) -> Result<u64, WakeError> {
    let (workers, inflight) = (apalis.workers_set(), apalis.inflight_jobs_set());
    Ok(Script::new(FORGET)
        .key(format!("{inflight}:{name}"))
        .key(apalis.job_data_hash())
        .key(apalis.active_jobs_list())
        .key(&workers)
        .key(format!("{workers}:metadata:{name}"))
        .arg(name)
        .invoke_async(conn)
        .await?)
}
