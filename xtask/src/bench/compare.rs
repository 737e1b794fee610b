//! The same work done by a FastAPI + Celery service (`xtask/comparison`): same PostgreSQL, Redis, devnet and load.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde::Serialize;

use super::ground::{BANDWIDTH_TRX, Ground};
use super::limits::output;
use super::load::{FIRST_USER, micros};
use super::meters::Meters;
use super::orders::LOOK;
use super::run::{PerOrder, rate};
use super::stats::Spread;
use crate::repo;
use crate::services::free_port;
use crate::stage::http::Http;
use crate::stage::shop;

const DATABASE: &str = "comparison";
const WARM: usize = 128;
const ROOM_SUN: &str = "1000000000000000";
const STAKE_TRX: i64 = 20_000_000;
const BALANCE_SUN: &str = "1000000000000";
/// Without any progress for so long, what is left stays where it is.
const STALLED: Duration = Duration::from_secs(20);
/// Names of its processes begin so.
const PREFIX: &str = "python-";

/// What came of it.
#[derive(Debug, Serialize)]
pub(crate) struct Comparison {
    pub(crate) orders: usize,
    /// Of these, never delivered.
    pub(crate) lost: usize,
    pub(crate) accepted_per_s: f64,
    pub(crate) completed_per_s: f64,
    pub(crate) accept: Option<Spread>,
    pub(crate) per_order: PerOrder,
}

/// Installs it, starts it, loads it, stops it.
pub(crate) fn measure(ground: &mut Ground<'_>) -> Result<Comparison> {
    let python = install(ground)?;
    let psql = ground.services.psql()?;
    psql.run("postgres", &format!("CREATE DATABASE {DATABASE}"))?;
    let port = free_port(Some(8070))?;
    let api = Http {
        base: format!("http://127.0.0.1:{port}"),
        api_key: Some(shop::private_key()?),
    };
    prepare(ground, &python, &api)?;
    start(ground, &python, &api, port)?;
    ground
        .waiting
        .until(&ground.children, "the Python service answers", || {
            Ok(api.text("/health").map(drop))
        })?;
    let (_, cold) = send(ground, &api, "python-warm", WARM)?;
    let before = Meters::read(&ground.services, &ground.stage, &ground.children)?;
    let (answers, left) = send(ground, &api, "python", ground.size.orders)?;
    let (orders, lost) = (ground.size.orders, left - cold.min(left));
    let after = Meters::read(&ground.services, &ground.stage, &ground.children)?;
    ground.children.end(PREFIX)?;
    let used = after.with_services(&ground.services)?.since(&before);
    let last = psql.run(
        DATABASE,
        "SELECT (EXTRACT(EPOCH FROM max(completed_at)) * 1000000)::bigint FROM orders",
    )?;
    let last_us: i64 = last.trim().parse().context("no order was completed")?;
    Ok(Comparison {
        orders,
        lost,
        accepted_per_s: rate(orders, answers.seconds),
        completed_per_s: rate(orders - lost, micros(last_us - answers.begin_us())),
        accept: Spread::of(answers.took_us()),
        per_order: PerOrder::of(&used, orders, answers.cpu_ms),
    })
}

/// Orders, until each is completed and settled, or nothing moves any more: that service never sends again what a node refused once.
/// Answers what came back, and how many were left lying.
fn send(ground: &Ground<'_>, api: &Http, series: &str, count: usize) -> Result<(super::load::Answers, usize)> {
    let answers = ground.sender().send(api, &ground.orders(series, count), None)?;
    answers.all_good()?;
    let psql = ground.services.psql()?;
    let open = "SELECT count(*) FROM orders WHERE state <> 'completed' OR settled_at IS NULL";
    let mut last = (usize::MAX, Instant::now());
    let left = ground
        .waiting
        .until_every(LOOK, &ground.children, "the Python service is done", || {
            let left: usize = psql.run(DATABASE, open)?.trim().parse().context("a count")?;
            if left != last.0 {
                last = (left, Instant::now());
            }
            Ok((left == 0 || last.1.elapsed() > STALLED).then_some(left))
        })?;
    Ok((answers, left))
}

fn sources() -> PathBuf {
    repo::root().join("xtask/comparison")
}

/// A Python of its own with the packages in it, kept until the list of packages changes.
fn install(ground: &Ground<'_>) -> Result<PathBuf> {
    let home = ground.children.home();
    let (venv, list) = (home.join("venv"), sources().join("requirements.txt"));
    let (python, mark) = (venv.join("bin/python"), venv.join("installed.txt"));
    let wanted = fs::read_to_string(&list).context("cannot read the list of packages")?;
    if fs::read_to_string(&mark).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    let mut make = Command::new("python3");
    output(ground.interrupt, make.args(["-m", "venv", "--clear"]).arg(&venv), home)?;
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]);
    output(ground.interrupt, pip.arg(&list), home)?;
    fs::write(mark, wanted).context("cannot note what was installed")?;
    Ok(python)
}

/// Its tables, its users, its wallets with stake.
fn prepare(ground: &Ground<'_>, python: &Path, api: &Http) -> Result<()> {
    let (home, devnet) = (ground.children.home(), &ground.stage.devnet);
    let wallets = home.join("wallets.txt");
    let mut keys = Command::new(ground.stage.binaries().join("switchyard-load"));
    keys.args(["keys", "--count", &ground.size.wallets.to_string()]);
    let keys = output(ground.interrupt, &mut keys, home)?;
    for line in keys.lines() {
        let (_, address) = line.split_once(' ').context("a key and its address")?;
        devnet.fund(address, 1_000)?;
        devnet.stake(address, "ENERGY", STAKE_TRX)?;
        devnet.stake(address, "BANDWIDTH", BANDWIDTH_TRX)?;
    }
    fs::write(&wallets, keys).context("cannot write the wallets")?;
    let mut prepare = program(ground, python, api);
    prepare.arg("prepare.py").arg(&wallets).args([
        ROOM_SUN,
        &FIRST_USER.to_string(),
        &ground.size.users.to_string(),
        BALANCE_SUN,
    ]);
    output(ground.interrupt, &mut prepare, home).map(drop)
}

fn start(ground: &mut Ground<'_>, python: &Path, api: &Http, port: u16) -> Result<()> {
    let port = port.to_string();
    let uvicorn = [
        "-m",
        "uvicorn",
        "app:app",
        "--workers=2",
        "--no-access-log",
        "--log-level=warning",
        "--port",
        &port,
    ];
    let celery = [
        "-m",
        "celery",
        "-A",
        "tasks",
        "worker",
        "--concurrency=4",
        "--loglevel=warning",
    ];
    for (name, args) in [
        ("api", &uvicorn[..]),
        ("celery", &celery[..]),
        ("poller", &["poller.py"][..]),
    ] {
        let mut command = program(ground, python, api);
        command.args(args);
        ground.children.start(&format!("{PREFIX}{name}"), &mut command)?;
    }
    Ok(())
}

/// Python in the service's folder, with what it needs to know.
fn program(ground: &Ground<'_>, python: &Path, api: &Http) -> Command {
    let database = ground
        .services
        .database_admin_url
        .replace("postgres://", "postgresql+psycopg://");
    let database = database.trim_end_matches("/postgres");
    let redis = ground.services.redis_url.trim_end_matches('0');
    let mut command = Command::new(python);
    command
        .current_dir(sources())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("COMPARISON_DATABASE_URL", format!("{database}/{DATABASE}"))
        .env("COMPARISON_REDIS_URL", format!("{redis}1"))
        .env("COMPARISON_NODE_URL", &ground.stage.devnet.node.base)
        .env("COMPARISON_API_KEY", api.api_key.as_deref().unwrap_or_default());
    command
}
