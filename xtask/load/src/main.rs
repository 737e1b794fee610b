//! What `cargo xtask bench` has a process of its own for: sending requests over many connections, signing in a loop, and
//! addresses that nobody has the key of. Knows HTTP and a list of requests; what they mean is for the bench to say.

mod http;
mod run;
mod sign;

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, Result};
use chain::TronAddress;
use clap::{Parser, Subcommand};
use tron::PrivateKey;

use run::Load;

#[derive(Parser)]
#[command(name = "switchyard-load")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Send every request of a file, and write down what became of each
    Run {
        /// `host:port` to connect to
        #[arg(long)]
        to: String,
        /// Requests, one a line: path, idempotency key and JSON body, parted by tabs
        #[arg(long)]
        requests: PathBuf,
        /// Where to write the answers: idempotency key, status, start in microseconds since 1970, microseconds that it
        /// took, and the answer's `id`, parted by tabs
        #[arg(long)]
        answers: PathBuf,
        /// How many are sent at the same time, each on a connection of its own
        #[arg(long, default_value_t = 64)]
        connections: usize,
        /// Requests a second, whether or not the earlier ones were answered; without it the next one is sent when the
        /// last one was answered
        #[arg(long)]
        rate: Option<f64>,
        /// The bearer token
        #[arg(long, env = "LOAD_API_KEY", hide_env_values = true)]
        api_key: String,
    },
    /// Print addresses
    Addresses {
        /// How many
        #[arg(long)]
        count: u32,
    },
    /// Print new private keys, each with its address
    Keys {
        /// How many
        #[arg(long)]
        count: u32,
    },
    /// Build and sign delegations on one thread, and print how many a second
    Sign {
        /// For so long
        #[arg(long, default_value_t = 2.0)]
        seconds: f64,
    },
}

fn main() -> Result<()> {
    match Cli::parse().command {
        Command::Run {
            to,
            requests,
            answers,
            connections,
            rate,
            api_key,
        } => {
            let text = std::fs::read_to_string(&requests).context("cannot read the requests")?;
            let load = Load {
                to: &to,
                api_key: &api_key,
                connections,
                rate,
            };
            let told = load.run(&text)?;
            std::fs::write(&answers, told).context("cannot write the answers")
        }
        Command::Addresses { count } => print(&(0..count).map(|n| format!("{}\n", address(n))).collect::<String>()),
        Command::Keys { count } => print(&(0..count).map(|_| key()).collect::<Result<String>>()?),
        Command::Sign { seconds } => print(&format!("{:.0}\n", sign::per_second(seconds)?)),
    }
}

/// An address made of a hash: a key for it would have to be found first.
fn address(n: u32) -> TronAddress {
    let hash = tron::keccak256(format!("switchyard bench receiver {n}").as_bytes());
    let mut bytes = [0; 20];
    bytes.copy_from_slice(&hash[12..]);
    TronAddress::from_evm20(bytes)
}

fn key() -> Result<String> {
    let key = PrivateKey::generate()?;
    let hex: String = key.expose_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("{hex} {}\n", key.address()))
}

fn print(text: &str) -> Result<()> {
    std::io::stdout().write_all(text.as_bytes()).context("cannot print")
}
