//! `cargo xtask bench`: measures a release build on this machine, beside what the machine could do at most, and tells
//! which budgets hold. It fails when something is wrong (an order lost, books that do not balance), not when it is slow.

mod budget;
mod compare;
mod cpu;
mod ground;
mod idle;
mod limits;
mod load;
mod meters;
mod orders;
mod reclaims;
mod run;
mod statements;
mod stats;
mod table;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::Serialize;

use crate::interrupt::Interrupt;
use crate::services::Ephemeral;
use crate::stage::books::Books;
use crate::stage::children::Children;
use crate::stage::{self, Profile};
use budget::Row;
use compare::Comparison;
use ground::{Ground, Size};
use idle::Idle;
use limits::Limits;
use reclaims::Reclaims;
use run::{Load, Run};

/// Everything but the build.
const LIMIT: Duration = Duration::from_secs(3_600);
const PACKAGES: [&str; 4] = [
    "switchyard-api",
    "switchyard-worker",
    "switchyard-devnet",
    "switchyard-load",
];
/// Numbers of worker processes, and the one for idleness and half load: that of docker-compose.yml.
const WORKERS: [u16; 3] = [1, 2, 4];
const USUAL_WORKERS: u16 = 2;

/// What the bench is asked for.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct BenchOptions {
    /// Orders of each run under full load
    #[arg(long)]
    orders: Option<usize>,
    /// A smoke run of a minute or two; its figures are rough
    #[arg(long)]
    quick: bool,
    /// Print everything that was measured as JSON on standard output
    #[arg(long)]
    json: bool,
    /// Print also which statements PostgreSQL spent its time on
    #[arg(long)]
    statements: bool,
    /// Measure a FastAPI + Celery service too that does the same work; needs Python 3 and its packages from the network
    #[arg(long, conflicts_with = "node")]
    compare: bool,
    /// Fail when a budget is missed
    #[arg(long)]
    strict: bool,
    /// Connections of the load generator
    #[arg(long, default_value_t = 64)]
    connections: u32,
    /// Numbers of worker processes to measure
    #[arg(long, value_delimiter = ',', default_values_t = WORKERS)]
    workers: Vec<u16>,
    /// A node that runs already, in place of a devnet; the files name wallets that have stake there, and receivers
    #[arg(long, requires = "wallet_keys", requires = "receivers")]
    node: Option<String>,
    /// Private keys of supplier wallets, one a line
    #[arg(long, requires = "node")]
    wallet_keys: Option<PathBuf>,
    /// Activated addresses that receive the energy, one a line
    #[arg(long, requires = "node")]
    receivers: Option<PathBuf>,
    /// How often a worker may call the node in a second
    #[arg(long, default_value_t = 100_000)]
    node_requests_per_second: u32,
}

impl BenchOptions {
    fn size(&self) -> Size {
        let (orders, idle_orders, half_load_s, limit_s) = if self.quick {
            (1_000, 12, 8, 3)
        } else {
            (6_000, 60, 40, 8)
        };
        Size {
            orders: self.orders.unwrap_or(orders).max(1),
            users: 1_000,
            wallets: 100,
            connections: self.connections,
            idle_orders,
            half_load_s,
            limit_s,
        }
    }
}

/// Everything that was measured.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Findings {
    cores: usize,
    limits: Option<Limits>,
    idle: Option<Idle>,
    saturation: Vec<Run>,
    half_load: Option<Run>,
    reclaims: Option<Reclaims>,
    comparison: Option<Comparison>,
    rows: Vec<Row>,
}

impl Findings {
    /// The best rate of orders end to end.
    fn best_per_s(&self) -> Option<f64> {
        self.saturation.iter().map(|run| run.completed_per_s).reduce(f64::max)
    }
}

/// Runs the bench. Whatever was started has ended when this returns.
pub(crate) fn run(interrupt: &Interrupt, options: &BenchOptions) -> Result<()> {
    let size = options.size();
    eprintln!("• release builds; the first time this takes minutes");
    let binaries = stage::build(interrupt, Profile::Release, &PACKAGES)?;
    let children = Children::claim("bench")?;
    let services = Ephemeral::start_as("bench", true, &meters::postgres_settings(options.statements))?;
    let mut found = Findings {
        cores: std::thread::available_parallelism().map_or(1, usize::from),
        ..Findings::default()
    };
    eprintln!("• the limits: pgbench and a loop of signatures");
    let places = (binaries.as_path(), children.home());
    found.limits = Some(limits::measure(interrupt, &services.services, places, size.limit_s)?);
    eprintln!("• {} users, {} wallets", size.users, size.wallets);
    let on = (binaries, services.services.clone());
    let mut ground = Ground::prepare(interrupt, (options, size), on, children, LIMIT)?;
    let measured = measure(&mut ground, options, &mut found);
    if measured.is_err() && interrupt.check().is_ok() {
        eprintln!("{}", ground.children.tails());
    }
    found.rows = budget::rows(&found);
    // what was found before something went wrong is worth seeing
    let told = tell(&found, options);
    measured.and(told)
}

fn measure(ground: &mut Ground<'_>, options: &BenchOptions, found: &mut Findings) -> Result<()> {
    eprintln!("• idle, {USUAL_WORKERS} workers, one order at a time");
    found.idle = Some(idle::measure(ground, USUAL_WORKERS)?);
    let orders = ground.size.orders;
    for &workers in &options.workers {
        eprintln!("• {workers} workers, {orders} orders as fast as they are accepted");
        let series = format!("full-{workers}");
        let load = Load {
            series: &series,
            workers,
            orders,
            rate: None,
        };
        let run = run::measure(ground, load)?;
        eprintln!("  {:.0} orders a second end to end", run.completed_per_s);
        if options.statements {
            eprintln!("{}", statements::render(&run.statements, run.orders));
        }
        found.saturation.push(run);
        check_books(ground)?;
    }
    let usual = found.saturation.iter().find(|run| run.workers == USUAL_WORKERS);
    let full = usual.map(|run| run.completed_per_s).or(found.best_per_s());
    let rate = (full.context("no run under full load")? / 2.0).max(1.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rate of orders, positive"
    )]
    let orders = (rate * f64::from(ground.size.half_load_s)) as usize;
    eprintln!("• half load: {USUAL_WORKERS} workers, {orders} orders at {rate:.0} a second");
    let half = Load {
        series: "half",
        workers: USUAL_WORKERS,
        orders,
        rate: Some(rate),
    };
    found.half_load = Some(run::measure(ground, half)?);
    check_books(ground)?;
    // before the chain's clock leaves that of the machine, by which that service makes its transactions
    if options.compare {
        eprintln!(
            "• FastAPI + Celery, {} orders as fast as they are accepted",
            ground.size.orders
        );
        found.comparison = Some(compare::measure(ground)?);
    }
    if options.node.is_none() {
        eprintln!(
            "• every rental ends at once, {USUAL_WORKERS} workers, orders go on at {:.0} a second",
            rate / 2.0
        );
        found.reclaims = Some(reclaims::measure(ground, USUAL_WORKERS, rate / 2.0, orders / 4)?);
        check_books(ground)?;
    }
    Ok(())
}

/// Every sun is where it belongs, and nothing waits for people.
fn check_books(ground: &Ground<'_>) -> Result<()> {
    let books = Books::read(&ground.services)?;
    if !books.balanced() || books.escrow_sun != 0 || books.dead_jobs != 0 || books.critical_findings != 0 {
        bail!("the books are not as they should be: {books:?}");
    }
    Ok(())
}

fn tell(found: &Findings, options: &BenchOptions) -> Result<()> {
    let table = table::render(&found.rows);
    if options.json {
        eprintln!("\n{table}");
        println!("{}", serde_json::to_string_pretty(found).context("cannot write JSON")?);
    } else {
        println!("\n{table}");
    }
    let missed = found.rows.iter().filter(|row| row.holds == Some(false)).count();
    if options.strict && missed > 0 {
        bail!("{missed} budgets are missed");
    }
    Ok(())
}
