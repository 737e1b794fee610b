//! `switchyard-api`: subcommands only.

use std::io::Write;

use anyhow::Context;
use clap::{Parser, Subcommand};
use kernel::{Clock, SystemClock};
use settings::{Role, Settings, shutdown, telemetry};

/// Switchyard's HTTP API.
#[derive(Parser)]
#[command(version, about)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Serves until SIGTERM or SIGINT. The default.
    Serve,
    /// Prints the configuration in effect, without secrets, and fails if it cannot be used.
    CheckConfig,
    /// Prints the OpenAPI document.
    Openapi,
}

fn main() -> anyhow::Result<()> {
    match Cli::parse().command.unwrap_or(Command::Serve) {
        Command::Serve => serve(),
        Command::CheckConfig => {
            let settings = Settings::load()?;
            say(&settings.redacted()?)?;
            settings.validate(Role::Api)?;
            if let Some(ends) = switchyard_api::check_certificate(&settings, SystemClock.now())? {
                say(&format!("# the certificate of api.tls is good until {ends}"))?;
            }
            say(&settings.verdict(Role::Api))
        }
        Command::Openapi => say(&switchyard_api::openapi().to_pretty_json()?),
    }
}

fn serve() -> anyhow::Result<()> {
    let settings = Settings::load()?;
    settings.validate(Role::Api)?;
    telemetry::init(&settings.telemetry)?;
    // an error only means that a provider is there already
    let _installed = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let shutdown = shutdown::listen().context("cannot listen to signals")?;
        Ok(switchyard_api::serve(settings, shutdown).await?)
    })
}

fn say(text: &str) -> anyhow::Result<()> {
    Ok(writeln!(std::io::stdout(), "{text}")?)
}
