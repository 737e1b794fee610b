//! `cargo xtask ci`: every check, cheap ones first, with a summary at the end. One that fails does not hide the others.

mod deny;

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::interrupt::Interrupt;
use crate::{repo, schema, test, tidy};

/// What became of a step.
enum Outcome {
    Passed,
    Failed(String),
    /// It cannot run here; the reason is shown, so that nobody takes it for passed.
    NotRun(String),
}

struct Step {
    name: &'static str,
    run: fn(&Interrupt) -> Result<Outcome>,
}

const STEPS: [Step; 8] = [
    Step {
        name: "format",
        run: |interrupt| cargo(interrupt, &["fmt", "--all", "--check"], None),
    },
    Step {
        name: "tidy",
        run: |_| tidy::run().map(|()| Outcome::Passed),
    },
    Step {
        name: "dependencies",
        run: deny::rules,
    },
    Step {
        name: "advisories",
        run: deny::advisories,
    },
    Step {
        name: "schema",
        run: |_| schema::run(true).map(|()| Outcome::Passed),
    },
    Step {
        name: "clippy",
        run: clippy,
    },
    Step {
        name: "docs",
        run: docs,
    },
    Step {
        name: "tests",
        run: |interrupt| test::run(interrupt, &[]).map(|()| Outcome::Passed),
    },
];

/// Runs every step; an error if any failed.
pub(crate) fn run(interrupt: &Interrupt) -> Result<()> {
    let mut results: Vec<(&str, Outcome, Duration)> = Vec::new();
    for step in &STEPS {
        interrupt.check()?;
        println!("── {}", step.name);
        let begin = Instant::now();
        let outcome = (step.run)(interrupt).unwrap_or_else(|error| Outcome::Failed(format!("{error:#}")));
        results.push((step.name, outcome, begin.elapsed()));
    }
    interrupt.check()?;
    println!();
    for (name, outcome, took) in &results {
        let (word, detail) = match outcome {
            Outcome::Passed => ("ok", ""),
            Outcome::Failed(why) => ("FAILED", why.as_str()),
            Outcome::NotRun(why) => ("not run", why.as_str()),
        };
        println!("{name:<13} {:>7.1} s  {word:<8} {detail}", took.as_secs_f64());
    }
    match results
        .iter()
        .filter(|(_, outcome, _)| matches!(outcome, Outcome::Failed(_)))
        .count()
    {
        0 => Ok(()),
        failed => bail!("{failed} of {} steps failed", results.len()),
    }
}

fn clippy(interrupt: &Interrupt) -> Result<Outcome> {
    cargo(
        interrupt,
        &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"],
        None,
    )
}

fn docs(interrupt: &Interrupt) -> Result<Outcome> {
    cargo(
        interrupt,
        &["doc", "--workspace", "--no-deps"],
        Some(("RUSTDOCFLAGS", "-D warnings")),
    )
}

fn cargo(interrupt: &Interrupt, args: &[&str], variable: Option<(&str, &str)>) -> Result<Outcome> {
    let mut command: Command = repo::cargo();
    command.args(args).envs(variable);
    let status = interrupt.run(&mut command)?;
    if status.success() {
        Ok(Outcome::Passed)
    } else {
        Ok(Outcome::Failed(format!("cargo {} failed", args.join(" "))))
    }
}
