//! What this machine can do at most, measured beside the product: PostgreSQL with the least SQL that an order needs, and
//! one core that does nothing but sign.

use std::fs::File;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde::Serialize;

use crate::interrupt::Interrupt;
use crate::services::Services;

const TABLES: &str = include_str!("limits.sql");
const SCRIPT: &str = include_str!("limits.pgbench");
const DATABASE: &str = "limits";
const THREADS: &str = "2";

/// The limits.
#[derive(Debug, Serialize)]
pub(crate) struct Limits {
    /// Orders a second by PostgreSQL alone.
    pub(crate) pgbench_16_clients: f64,
    pub(crate) pgbench_64_clients: f64,
    /// Delegations a second that one core builds and signs.
    pub(crate) signs_per_core: f64,
}

impl Limits {
    /// The better of the two figures of PostgreSQL.
    pub(crate) fn database(&self) -> f64 {
        self.pgbench_16_clients.max(self.pgbench_64_clients)
    }
}

/// Measures them, each for so many seconds.
pub(crate) fn measure(
    interrupt: &Interrupt,
    services: &Services,
    (binaries, home): (&Path, &Path),
    seconds: u32,
) -> Result<Limits> {
    let psql = services.psql()?;
    psql.run("postgres", &format!("CREATE DATABASE {DATABASE}"))?;
    psql.run(DATABASE, TABLES)?;
    let script = home.join("limits.pgbench");
    std::fs::write(&script, SCRIPT).context("cannot write the script")?;
    let pgbench = |clients: u32| {
        let mut command = services.pgbench(DATABASE)?;
        command.args(["--no-vacuum", "--protocol=prepared", "--jobs", THREADS]);
        command.args([format!("--client={clients}"), format!("--time={seconds}")]);
        command.arg("--file").arg(&script);
        transactions_per_second(&output(interrupt, &mut command, home)?)
    };
    let (pgbench_16_clients, pgbench_64_clients) = (pgbench(16)?, pgbench(64)?);
    psql.run("postgres", &format!("DROP DATABASE {DATABASE}"))?;
    let mut sign = Command::new(binaries.join("switchyard-load"));
    sign.args(["sign", "--seconds", &seconds.min(3).to_string()]);
    let signs = output(interrupt, &mut sign, home)?;
    Ok(Limits {
        pgbench_16_clients,
        pgbench_64_clients,
        signs_per_core: signs.trim().parse().context("the sign loop printed no number")?,
    })
}

/// Runs a command to its end; answers what it printed.
pub(crate) fn output(interrupt: &Interrupt, command: &mut Command, home: &Path) -> Result<String> {
    let path = home.join("output");
    let file = File::create(&path).context("cannot make a file")?;
    let log = File::options()
        .create(true)
        .append(true)
        .open(home.join("logs/tools.log"));
    let program = command.get_program().to_string_lossy().into_owned();
    let status = interrupt.run(command.stdout(file).stderr(log.context("cannot open the log")?))?;
    if !status.success() {
        bail!(
            "{program} failed ({status}): see {}",
            home.join("logs/tools.log").display()
        );
    }
    std::fs::read_to_string(&path).context("cannot read what it printed")
}

fn transactions_per_second(text: &str) -> Result<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix("tps = "));
    let number = line.and_then(|line| line.split(' ').next()?.parse().ok());
    number.with_context(|| format!("pgbench printed no tps: {text}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_figure_is_found() {
        let text = "latency average = 4 ms\ntps = 1234.567890 (without initial connection time)\n";
        assert!((transactions_per_second(text).unwrap() - 1_234.567_89).abs() < 1e-6);
        assert!(transactions_per_second("pgbench: error").is_err());
    }
}
