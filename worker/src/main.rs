//! `switchyard-worker`: runs the jobs, and the operator's commands.

use clap::Parser;
use switchyard_worker::commands::{Command, dispatch};

/// Switchyard's worker and operator commands.
#[derive(Parser)]
#[command(version, about)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    // an error only means that a provider is there already
    let _installed = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(dispatch(cli.command.unwrap_or(Command::Run { queues: Vec::new() })))
}
