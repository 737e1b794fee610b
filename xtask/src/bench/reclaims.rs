//! Every rental of the runs before ends in the same moment, while customers go on ordering. Blocks come as on the main network,
//! one in three seconds: each makes some of the reclaims due, and how far the watcher is behind is counted in blocks.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use serde::Serialize;

use super::ground::Ground;
use super::load::{Answers, RENTAL_S, micros};
use super::meters::Meters;
use super::orders::{self, LOOK, Times};
use super::run::rate;
use super::stats::Spread;
use crate::services::DATABASE;
use crate::stage::devnet::Devnet;

/// The main network's time between two blocks.
const BLOCK_TIME: Duration = Duration::from_secs(3);

const LIVE: &str = "SELECT count(*) FROM delegations WHERE state IN ('active', 'reclaiming')";
/// Orders that are placed meanwhile are rentals that do not end.
const LEFT: &str = "SELECT count(*) FROM delegations d JOIN orders o ON o.id = d.order_id \
    WHERE d.state IN ('active', 'reclaiming') AND o.created_at < to_timestamp($1 / 1e6)";

/// The chain's clock as it was read, in seconds.
const CLOCK: &str = "SELECT extract(epoch FROM max(head_time))::bigint AS epoch FROM chain_cursors";

/// What came of it.
#[derive(Debug, Serialize)]
pub(crate) struct Reclaims {
    pub(crate) workers: u16,
    /// Rentals that ended at once.
    pub(crate) due: usize,
    /// From their end until the chain had taken all of them back.
    pub(crate) seconds: f64,
    pub(crate) reclaimed_per_s: f64,
    /// Orders that were placed meanwhile, and how many a second.
    pub(crate) orders: usize,
    pub(crate) offered_per_s: f64,
    pub(crate) paid_to_broadcast: Option<Spread>,
    pub(crate) node_calls_per_reclaim: Option<f64>,
}

/// Lets a day pass on the chain, with so many orders a second meanwhile.
pub(crate) fn measure(ground: &mut Ground<'_>, workers: u16, offered_per_s: f64, orders: usize) -> Result<Reclaims> {
    let psql = ground.services.psql()?;
    let due: usize = psql.run(DATABASE, LIVE)?.trim().parse().context("a count")?;
    ground.start(workers)?;
    let before = Meters::read(&ground.services, &ground.stage, &ground.children)?;
    let begin = psql.run(DATABASE, "SELECT (extract(epoch FROM clock_timestamp()) * 1e6)::bigint")?;
    let left = LEFT.replace("$1", begin.trim());
    let clock = psql.run(DATABASE, CLOCK)?;
    ground.stage.devnet.advance(RENTAL_S + 60)?;
    let started = Instant::now();
    let (answers, seconds) = at_the_main_network_s_pace(&ground.stage.devnet, || {
        meanwhile(ground, (&clock, &left), (offered_per_s, orders), started)
    })?;
    let used = Meters::read(&ground.services, &ground.stage, &ground.children)?.since(&before);
    ground.stop()?;
    let times = Times::of(&answers.answers, &orders::steps(&ground.services)?)?;
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    let calls = used
        .node
        .map(|calls| calls.values().sum::<i64>() as f64 / (due + orders).max(1) as f64);
    Ok(Reclaims {
        workers,
        due,
        seconds,
        reclaimed_per_s: rate(due, seconds),
        orders,
        offered_per_s,
        paid_to_broadcast: times.paid_to_broadcast,
        node_calls_per_reclaim: calls,
    })
}

/// Places the orders once a block after the jump is read, and waits for the reclaims and for them; answers how long the
/// reclaims took.
fn meanwhile(
    ground: &Ground<'_>,
    (clock, left): (&str, &str),
    (offered_per_s, orders): (f64, usize),
    started: Instant,
) -> Result<(Answers, f64)> {
    let psql = ground.services.psql()?;
    // what is signed on a block before the jump has expired by the one after it
    let jumped = format!(
        "SELECT count(*) FROM ({CLOCK}) c WHERE c.epoch >= {} + {RENTAL_S}",
        clock.trim()
    );
    ground
        .waiting
        .until_every(LOOK, &ground.children, "a block after the jump is read", || {
            let read = psql.run(DATABASE, &jumped)?;
            Ok((read.trim() == "1").then_some(()))
        })?;
    let requests = ground.orders("reclaims", orders);
    let answers = ground
        .sender()
        .send(&ground.stage.api, &requests, Some(offered_per_s))?;
    answers.all_good()?;
    ground
        .waiting
        .until_every(LOOK, &ground.children, "all energy is taken back", || {
            let left = psql.run(DATABASE, left)?;
            Ok((left.trim() == "0").then_some(()))
        })?;
    let seconds = micros(i64::try_from(started.elapsed().as_micros())?);
    orders::wait_for_all(&ground.services, &ground.children, &ground.waiting)?;
    Ok((answers, seconds))
}

/// Blocks come one in three seconds while `work` is done, and then as before.
fn at_the_main_network_s_pace<T>(devnet: &Devnet, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let (done, is_done) = mpsc::channel::<()>();
    devnet.pause_mining(true)?;
    let worked = thread::scope(|scope| {
        let miner = scope.spawn(move || {
            while let Err(RecvTimeoutError::Timeout) = is_done.recv_timeout(BLOCK_TIME) {
                devnet.mine()?;
            }
            anyhow::Ok(())
        });
        let worked = work();
        drop(done);
        let mined = miner.join().map_err(|_| anyhow!("the miner panicked"))?;
        mined.and(worked)
    });
    devnet.pause_mining(false).and(worked)
}
