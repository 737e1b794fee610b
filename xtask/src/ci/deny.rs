//! cargo-deny: licences, bans and sources always; advisories where their database can be reached.

use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};

use super::{Outcome, cargo};
use crate::interrupt::Interrupt;
use crate::repo;

const ADVISORY_DB: &str = "https://github.com/rustsec/advisory-db";
const REACH_WITHIN: Duration = Duration::from_secs(20);

/// Licences, bans and sources, by deny.toml.
pub(super) fn rules(interrupt: &Interrupt) -> Result<Outcome> {
    if let Err(why) = ensure(interrupt) {
        interrupt.check()?;
        return Ok(Outcome::NotRun(format!("{why:#}")));
    }
    cargo(
        interrupt,
        &["deny", "--all-features", "check", "bans", "licenses", "sources"],
        None,
    )
}

/// Known weaknesses of what we depend on.
pub(super) fn advisories(interrupt: &Interrupt) -> Result<Outcome> {
    if !is_installed()? {
        return Ok(Outcome::NotRun("cargo-deny is not installed".to_owned()));
    }
    if !reachable()? {
        return Ok(Outcome::NotRun(format!("{ADVISORY_DB} cannot be reached from here")));
    }
    cargo(interrupt, &["deny", "--all-features", "check", "advisories"], None)
}

fn ensure(interrupt: &Interrupt) -> Result<()> {
    if is_installed()? {
        return Ok(());
    }
    println!("installing cargo-deny");
    let status = interrupt.run(repo::cargo().args(["install", "cargo-deny", "--locked", "--debug"]))?;
    anyhow::ensure!(
        status.success(),
        "cargo-deny is not installed, and `cargo install cargo-deny --locked --debug` failed"
    );
    Ok(())
}

fn is_installed() -> Result<bool> {
    let mut command = repo::cargo();
    command
        .args(["deny", "--version"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    Ok(command.status().context("cannot run cargo")?.success())
}

/// Asks the git host for one reference; an answer that takes long is none.
fn reachable() -> Result<bool> {
    let asked = Command::new("git")
        .args(["ls-remote", "--quiet", ADVISORY_DB, "HEAD"])
        .env("GIT_TERMINAL_PROMPT", "0")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let Ok(mut child) = asked else { return Ok(false) };
    let mut status = None;
    crate::services::wait_until(REACH_WITHIN, || {
        status = child.try_wait().context("cannot wait for git")?;
        Ok(status.is_some())
    })?;
    match status {
        Some(status) => Ok(status.success()),
        None => {
            child.kill().context("cannot end git")?;
            child.wait().context("cannot wait for git")?;
            Ok(false)
        }
    }
}
