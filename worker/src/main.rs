//! `switchyard-worker`: runs the jobs, and the operator's commands.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use switchyard_worker::commands::{Command, dispatch};

/// Switchyard's worker and operator commands.
#[derive(Parser)]
#[command(version, about)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

fn main() -> ExitCode {
    let command = Cli::parse().command.unwrap_or(Command::Run { queues: Vec::new() });
    // an error only means that a provider is there already
    let _installed = rustls::crypto::ring::default_provider().install_default();
    let failure = command.failure();
    carry_out(command).unwrap_or_else(|error| {
        complain(&error);
        failure
    })
}

fn carry_out(command: Command) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(dispatch(command))
}

/// What stopped it, and what caused that.
fn complain(error: &anyhow::Error) {
    // where stderr is closed nobody is left to tell
    let _told = writeln!(std::io::stderr(), "Error: {error:?}");
}
