//! `cargo xtask test`: all tests, against services that nobody else uses and that end with the run.

use anyhow::{Context, Result, bail};

use crate::interrupt::Interrupt;
use crate::repo;
use crate::services::Ephemeral;

/// Runs `cargo test --workspace` with `args`; an error if any test fails.
pub(crate) fn run(interrupt: &Interrupt, args: &[String]) -> Result<()> {
    let ephemeral = Ephemeral::start("test")?;
    interrupt.check()?;
    let mut command = repo::cargo();
    command
        .args(["test", "--workspace"])
        .args(args)
        .env("SWITCHYARD_TEST_DATABASE_URL", &ephemeral.services.database_admin_url)
        .env("SWITCHYARD_TEST_REDIS_URL", &ephemeral.services.redis_url)
        // with which a test starts and stops a PostgreSQL of its own
        .env(
            "SWITCHYARD_XTASK",
            std::env::current_exe().context("our own path is unknown")?,
        );
    let status = interrupt.run(&mut command)?;
    if !status.success() {
        bail!("tests failed ({status})");
    }
    Ok(())
}
