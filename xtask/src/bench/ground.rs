//! What every part of the bench stands on: services that wait for the disk, a devnet, a shop with users and wallets.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::load::{Requests, Sender};
use super::{BenchOptions, meters};
use crate::interrupt::Interrupt;
use crate::services::Services;
use crate::stage::children::Children;
use crate::stage::wait::Waiting;
use crate::stage::{Plan, Stage, shop};

/// Blocks come as soon as something is pending, at most one in 50 ms: few enough that reading them does not drown the
/// rest, often enough that nobody waits for the chain.
const DEVNET: [&str; 4] = [
    "--instant",
    "--instant-gap-ms=50",
    "--block-time-ms=1000",
    "--solid-lag=2",
];

/// What differs from production: the watcher looks as often as blocks come. Everything else is as delivered.
const SETTINGS: [(&str, &str); 6] = [
    ("NETWORKS__TRON__POLL_INTERVAL_MS", "50"),
    // users are given more than one person may
    ("APPROVALS__ADJUSTMENT_ABOVE_TRX", "1000000000"),
    ("API__DRAIN_TIMEOUT_MS", "5000"),
    ("WORKER__DRAIN_TIMEOUT_MS", "5000"),
    ("TELEMETRY__LOG_FORMAT", "json"),
    ("TELEMETRY__LOG_FILTER", "info"),
];
const KEY_LIMIT_PER_MINUTE: u32 = 1_000_000;

/// Stake of the devnet's wallets: energy for all orders three times over, as any wallet may be asked for many.
const TRX_PER_ORDER: usize = 7_500;
pub(crate) const BANDWIDTH_TRX: i64 = 1_000_000;
const DEPOSIT_TRX: i64 = 1_000_000;
const WORKERS_AT_SETUP: u16 = 1;

/// How much there is of everything.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    pub(crate) orders: usize,
    pub(crate) users: usize,
    pub(crate) wallets: usize,
    pub(crate) connections: u32,
    pub(crate) idle_orders: usize,
    pub(crate) half_load_s: u32,
    pub(crate) limit_s: u32,
}

/// The ground itself.
pub(crate) struct Ground<'a> {
    pub(crate) interrupt: &'a Interrupt,
    pub(crate) waiting: Waiting<'a>,
    pub(crate) children: Children,
    pub(crate) services: Services,
    pub(crate) stage: Stage,
    pub(crate) receivers: Vec<String>,
    pub(crate) size: Size,
}

impl<'a> Ground<'a> {
    /// Sets everything up: afterwards the shop can sell, and neither API nor workers run.
    pub(crate) fn prepare(
        interrupt: &'a Interrupt,
        (options, size): (&BenchOptions, Size),
        (binaries, services): (PathBuf, Services),
        mut children: Children,
        limit: Duration,
    ) -> Result<Self> {
        meters::prepare(&services)?;
        let plan = Plan {
            settings: &SETTINGS,
            devnet: &DEVNET,
            node: options.node.as_deref(),
            requests_per_second: options.node_requests_per_second,
        };
        let stage = Stage::prepare(binaries, &services, (interrupt, &mut children), &plan)?;
        let mut ground = Self {
            interrupt,
            waiting: Waiting::new(interrupt, limit),
            children,
            services,
            stage,
            receivers: Vec::new(),
            size,
        };
        ground.start(WORKERS_AT_SETUP)?;
        let (stage, children) = (&ground.stage, &ground.children);
        shop::publish_prices(stage, interrupt, children, "bench")?;
        let key = shop::create_api_key(stage, interrupt, children, ("bench", KEY_LIMIT_PER_MINUTE))?;
        ground.stage.api.api_key = Some(key);
        ground.receivers = ground.prepare_receivers(options.receivers.as_deref())?;
        ground.prepare_wallets(options.wallet_keys.as_deref())?;
        let deposits = Requests::deposits(size.users, DEPOSIT_TRX);
        ground.sender().send(&ground.stage.api, &deposits, None)?.all_good()?;
        ground.stop()?;
        Ok(ground)
    }

    /// Starts the API and so many workers, and waits for them.
    pub(crate) fn start(&mut self, workers: u16) -> Result<()> {
        self.stage.start_api(&mut self.children)?;
        self.stage.start_workers(&mut self.children, workers)?;
        self.stage.wait(&self.children, &self.waiting)
    }

    /// Stops them; PostgreSQL then knows all that they did.
    pub(crate) fn stop(&mut self) -> Result<()> {
        self.children.check()?;
        self.stage.stop(&mut self.children)
    }

    /// Sends requests.
    pub(crate) fn sender(&self) -> Sender<'_> {
        Sender {
            interrupt: self.interrupt,
            binaries: self.stage.binaries(),
            home: self.children.home(),
            connections: self.size.connections,
        }
    }

    /// Orders that no other series has.
    pub(crate) fn orders(&self, series: &str, count: usize) -> Requests {
        Requests::orders(series, count, self.size.users, &self.receivers)
    }

    /// Activated addresses, one for each user: made up on the devnet, or given.
    fn prepare_receivers(&self, given: Option<&Path>) -> Result<Vec<String>> {
        if let Some(file) = given {
            return lines(file);
        }
        let receivers = self.sender().addresses(self.size.users)?;
        for receiver in &receivers {
            self.stage.devnet.fund(receiver, 10)?;
        }
        Ok(receivers)
    }

    /// Brings the wallets in and waits until the worker has read stake and bandwidth of each from the chain.
    fn prepare_wallets(&self, given: Option<&Path>) -> Result<()> {
        let (stage, devnet) = (&self.stage, &self.stage.devnet);
        let keys = match given {
            Some(file) => lines(file)?,
            None => (0..self.size.wallets)
                .map(|_| shop::private_key())
                .collect::<Result<_>>()?,
        };
        let ids = keys
            .iter()
            .map(|key| shop::add_wallet(stage, key, "bench"))
            .collect::<Result<Vec<_>>>()?;
        let stake = self.size.orders_in_all() * TRX_PER_ORDER * 3 / keys.len().max(1);
        let stake = i64::try_from(stake.max(1_000_000)).context("too much stake")?;
        for id in &ids {
            let what = "a worker opens the imported keys";
            let address = self.waiting.until(&self.children, what, || {
                let wallet = shop::wallet(stage, id)?;
                Ok(wallet.address.filter(|_| wallet.state == "active"))
            })?;
            if given.is_none() {
                devnet.fund(&address, 1_000)?;
                devnet.stake(&address, "ENERGY", stake)?;
                devnet.stake(&address, "BANDWIDTH", BANDWIDTH_TRX)?;
            }
        }
        shop::read_wallets(stage)?;
        for id in &ids {
            self.waiting.until(
                &self.children,
                "the worker reads the wallets' stake from the chain",
                || {
                    let wallet = shop::wallet(stage, id)?;
                    let staked = wallet.delegatable != "0.000000" && wallet.bandwidth_available > 1_000;
                    Ok(staked.then_some(()))
                },
            )?;
        }
        Ok(())
    }
}

impl Size {
    /// Every order that the bench places.
    const fn orders_in_all(&self) -> usize {
        self.orders * 6
    }
}

fn lines(file: &Path) -> Result<Vec<String>> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let lines: Vec<String> = text
        .lines()
        .map(|line| line.trim().to_owned())
        .filter(|line| !line.is_empty())
        .collect();
    if lines.is_empty() {
        bail!("{} is empty", file.display());
    }
    Ok(lines)
}
