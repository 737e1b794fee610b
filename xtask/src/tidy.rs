//! `cargo xtask tidy`: the rules of the house that neither the compiler nor clippy checks. Prints every violation.

mod dependencies;
mod files;

use std::fmt;

use anyhow::{Result, bail};

/// One broken rule.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Violation {
    /// A crate, or a file with its line.
    place: String,
    /// What is there.
    found: String,
    /// Why it must not be.
    reason: &'static str,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.place, self.found, self.reason)
    }
}

/// Checks everything; an error if anything is broken.
pub(crate) fn run() -> Result<()> {
    let mut violations = dependencies::check()?;
    violations.extend(files::check()?);
    violations.sort();
    for violation in &violations {
        println!("{violation}");
    }
    match violations.len() {
        0 => Ok(()),
        count => bail!("{count} rules are broken"),
    }
}
