//! `cargo xtask <command>`: what a developer and CI run. Builds nothing that is shipped, and is linked by nobody.
#![expect(clippy::print_stdout, reason = "printing is this program's job")]

mod bench;
mod ci;
mod demo;
mod interrupt;
mod repo;
mod schema;
mod services;
mod stage;
mod test;
mod tidy;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use bench::BenchOptions;
use demo::DemoOptions;
use interrupt::Interrupt;
use services::{Services, ServicesOptions};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Switchyard's chores")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// The whole service on this machine, selling energy on a TRON devnet
    Demo(DemoOptions),
    /// How fast it is on this machine, beside what the machine could do at most
    Bench(BenchOptions),
    /// PostgreSQL and Redis of this checkout's own, on free ports of 127.0.0.1
    #[command(subcommand)]
    Services(ServicesCommand),
    /// Run all tests against fresh services, which end with the run
    Test {
        /// Handed to `cargo test --workspace`
        #[arg(last = true)]
        args: Vec<String>,
    },
    /// Generate core/db/src/schema.rs from a migrated database
    Schema {
        /// Change nothing; fail if the file is out of date
        #[arg(long)]
        check: bool,
    },
    /// Check the rules that the compiler does not know
    Tidy,
    /// Everything that must pass before a merge
    Ci,
}

#[derive(Subcommand)]
enum ServicesCommand {
    /// Start what does not run yet, and print the URLs
    Start {
        #[command(flatten)]
        instance: Instance,
        /// Faster, and loses data with the machine: for tests
        #[arg(long)]
        no_sync: bool,
    },
    /// Stop what `start` started; the data stays
    Stop(Instance),
    /// Stop what `start` started, and delete its data
    Remove(Instance),
    /// Print what is known of the services
    Status(Instance),
}

#[derive(clap::Args)]
struct Instance {
    /// Which instance; each has data, ports and passwords of its own
    #[arg(long, default_value = "dev")]
    name: String,
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let cli = Cli::parse();
    let interrupt = Interrupt::install()?;
    match cli.command {
        Command::Demo(options) => demo::run(&interrupt, &options),
        Command::Bench(options) => bench::run(&interrupt, &options),
        Command::Services(command) => run_services(command),
        Command::Test { args } => test::run(&interrupt, &args),
        Command::Schema { check } => schema::run(check),
        Command::Tidy => tidy::run(),
        Command::Ci => ci::run(&interrupt),
    }
}

fn run_services(command: ServicesCommand) -> Result<()> {
    match command {
        ServicesCommand::Start { instance, no_sync } => {
            let options = ServicesOptions {
                name: instance.name,
                durable: !no_sync,
                in_memory: false,
                postgres: Vec::new(),
            };
            println!("{}", Services::ensure(&options)?.to_json()?);
        }
        ServicesCommand::Stop(instance) => Services::stop_named(&instance.name)?,
        ServicesCommand::Remove(instance) => Services::remove(&instance.name)?,
        ServicesCommand::Status(instance) => println!("{}", services::status(&instance.name)?),
    }
    Ok(())
}
