//! The binary: flags, both URLs on the standard output, and an orderly end on SIGTERM.

use std::io::Write;
use std::net::SocketAddr;

use anyhow::Context;
use clap::Parser;
use switchyard_devnet::{Devnet, DevnetConfig, GenesisAccount, Interval};
use tokio::signal::unix::{SignalKind, signal};

/// A TRON network in a process.
#[derive(Debug, Parser)]
#[command(name = "switchyard-devnet", version)]
struct Flags {
    /// Where the node's API listens.
    #[arg(long, default_value = "127.0.0.1:8090", env = "DEVNET_LISTEN")]
    listen: SocketAddr,
    /// Where the admin API listens.
    #[arg(long, default_value = "127.0.0.1:8091", env = "DEVNET_ADMIN_LISTEN")]
    admin_listen: SocketAddr,
    /// Real milliseconds between blocks; 0 makes blocks only when the admin asks.
    #[arg(long, default_value_t = 3_000)]
    interval_ms: u64,
    /// Milliseconds between block timestamps; more than the interval makes chain time run fast.
    #[arg(long, default_value_t = 3_000)]
    block_time_ms: u64,
    /// Blocks that the solidified one lies behind the newest.
    #[arg(long, default_value_t = 19)]
    solid_lag: u64,
    /// A block as soon as something is pending.
    #[arg(long)]
    instant: bool,
    /// Shortest time between two instant blocks, in milliseconds.
    #[arg(long, default_value_t = 10)]
    instant_gap_ms: u64,
    /// An account with money from the start, as `<address>=<sun>`; may be repeated.
    #[arg(long = "genesis-account", value_parser = genesis_account)]
    genesis: Vec<GenesisAccount>,
}

fn genesis_account(text: &str) -> Result<GenesisAccount, String> {
    let (address, sun) = text.split_once('=').ok_or("expected <address>=<sun>")?;
    let address = address.parse().map_err(|error| format!("{error}"))?;
    let sun = sun
        .parse()
        .ok()
        .filter(|sun| *sun > 0)
        .ok_or("sun: expected a positive integer")?;
    Ok(GenesisAccount { address, sun })
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    let flags = Flags::parse();
    let interval = match (flags.instant, flags.interval_ms) {
        (true, _) => Interval::Instant,
        (false, 0) => Interval::OnDemand,
        (false, every_ms) => Interval::Auto(every_ms),
    };
    let config = DevnetConfig {
        listen: flags.listen,
        admin_listen: flags.admin_listen,
        interval,
        instant_gap_ms: flags.instant_gap_ms,
        block_time_ms: flags.block_time_ms,
        solid_lag: flags.solid_lag,
        genesis: flags.genesis,
        ..DevnetConfig::default()
    };
    let mut terminated = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let devnet = Devnet::start(config).await?;
    let mut out = std::io::stdout();
    writeln!(out, "node  {}", devnet.node_url())?;
    writeln!(out, "admin {}", devnet.admin_url())?;
    out.flush()?;
    tokio::select! {
        _ = terminated.recv() => {}
        interrupted = tokio::signal::ctrl_c() => interrupted.context("cannot listen for SIGINT")?,
    }
    devnet.stop();
    Ok(())
}
