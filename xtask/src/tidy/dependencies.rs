//! Which way dependencies run, over `cargo metadata`.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use super::Violation;
use crate::repo;

const PREFIX: &str = "switchyard-";

/// A library that only these crates of ours may use.
struct Reserved {
    library: &'static str,
    to: &'static [&'static str],
    reason: &'static str,
}

const RESERVED: [Reserved; 11] = [
    Reserved {
        library: "axum",
        to: &["api", "devnet", "worker"],
        reason: "HTTP is served by the processes alone",
    },
    Reserved {
        library: "apalis",
        to: &["jobs", "worker"],
        reason: "the queue stays behind `jobs` and worker/src/queue",
    },
    Reserved {
        library: "apalis-core",
        to: &["jobs", "worker"],
        reason: "the queue stays behind `jobs` and worker/src/queue",
    },
    Reserved {
        library: "apalis-redis",
        to: &["jobs", "worker"],
        reason: "the queue stays behind `jobs` and worker/src/queue",
    },
    Reserved {
        library: "redis",
        to: &["jobs", "worker"],
        reason: "Redis carries wake-ups and counts requests: nothing else may come to stand on it",
    },
    Reserved {
        library: "reqwest",
        to: &["chain", "tron", "evm", "devnet", "webhook", "quotes", "xtask"],
        reason: "only chain clients, webhooks and rate sources call out",
    },
    Reserved {
        library: "prost",
        to: &["chain", "tron", "evm", "devnet", "xtask"],
        reason: "wire formats stay with their chain",
    },
    Reserved {
        library: "switchyard-testkit",
        to: &[],
        reason: "test support is a dev-dependency only",
    },
    Reserved {
        library: "switchyard-api",
        to: &[],
        reason: "a process is linked by tests only",
    },
    Reserved {
        library: "switchyard-worker",
        to: &[],
        reason: "a process is linked by tests only",
    },
    Reserved {
        library: "switchyard-devnet",
        to: &["xtask"],
        reason: "the devnet is no part of what is shipped",
    },
];

/// A crate of ours that another one must not reach, however indirectly.
struct Apart {
    from: &'static str,
    never: &'static [&'static str],
    reason: &'static str,
}

const APART: [Apart; 4] = [
    Apart {
        from: "api",
        never: &["tron", "evm", "keyring"],
        reason: "the API can neither sign nor open a key",
    },
    Apart {
        from: "domain",
        never: &["tron", "evm", "keyring"],
        reason: "use cases know chains by their traits",
    },
    Apart {
        from: "hd",
        never: &["chain", "tron", "evm", "keyring", "vault", "db"],
        reason: "addresses come from public keys alone",
    },
    Apart {
        from: "vault",
        never: &["keyring", "db"],
        reason: "sealing needs neither keys nor a database",
    },
];

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    /// `None` for normal, else `dev` or `build`.
    kind: Option<String>,
}

pub(super) fn check() -> Result<Vec<Violation>> {
    let output = repo::cargo()
        .args(["metadata", "--format-version=1", "--no-deps"])
        .output();
    let output = output.context("cannot run cargo metadata")?;
    if !output.status.success() {
        bail!(
            "cargo metadata failed: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(violations(
        &serde_json::from_slice(&output.stdout).context("cargo metadata's answer")?,
    ))
}

fn violations(metadata: &Metadata) -> Vec<Violation> {
    let shipped: BTreeMap<&str, BTreeSet<&str>> = metadata
        .packages
        .iter()
        .map(|package| {
            let names = package
                .dependencies
                .iter()
                .filter(|dependency| dependency.kind.as_deref() != Some("dev"));
            (
                package.name.as_str(),
                names.map(|dependency| dependency.name.as_str()).collect(),
            )
        })
        .collect();
    let mut found = Vec::new();
    for (package, libraries) in &shipped {
        found.extend(reserved(package, libraries));
        if *package == "switchyard-kernel" {
            let ours = libraries.iter().filter(|library| library.starts_with(PREFIX));
            found.extend(ours.map(|library| violation(package, library, "everything stands on `kernel`")));
        }
    }
    found.extend(APART.iter().flat_map(|rule| apart(rule, &shipped)));
    found
}

fn reserved(package: &str, libraries: &BTreeSet<&str>) -> Vec<Violation> {
    let short = package.strip_prefix(PREFIX).unwrap_or(package);
    let broken = RESERVED
        .iter()
        .filter(|rule| libraries.contains(rule.library) && !rule.to.contains(&short));
    broken
        .map(|rule| violation(package, rule.library, rule.reason))
        .collect()
}

fn apart(rule: &Apart, shipped: &BTreeMap<&str, BTreeSet<&str>>) -> Vec<Violation> {
    let from = format!("{PREFIX}{}", rule.from);
    let Some((from, _)) = shipped.get_key_value(from.as_str()) else {
        return Vec::new();
    };
    let mut reached: BTreeSet<&str> = BTreeSet::new();
    let mut next = vec![*from];
    while let Some(package) = next.pop() {
        let ours = shipped
            .get(package)
            .into_iter()
            .flatten()
            .filter(|library| shipped.contains_key(*library));
        next.extend(ours.filter(|library| reached.insert(library)));
    }
    let never = reached.iter().filter(|name| {
        name.strip_prefix(PREFIX)
            .is_some_and(|short| rule.never.contains(&short))
    });
    never.map(|name| violation(from, name, rule.reason)).collect()
}

fn violation(package: &str, library: &str, reason: &'static str) -> Violation {
    Violation {
        place: package.to_owned(),
        found: format!("reaches `{library}`"),
        reason,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `a: b, dev c` per line.
    fn metadata(text: &str) -> Metadata {
        let dependency = |text: &str| match text.trim().split_once(' ') {
            Some((kind, name)) => Dependency {
                name: name.into(),
                kind: Some(kind.into()),
            },
            None => Dependency {
                name: text.trim().into(),
                kind: None,
            },
        };
        let package = |line: &str| {
            let (name, dependencies) = line.split_once(':').unwrap();
            let dependencies = dependencies
                .split(',')
                .filter(|d| !d.trim().is_empty())
                .map(dependency)
                .collect();
            Package {
                name: name.trim().into(),
                dependencies,
            }
        };
        Metadata {
            packages: text
                .lines()
                .filter(|line| !line.trim().is_empty())
                .map(package)
                .collect(),
        }
    }

    fn broken(text: &str) -> Vec<(String, String)> {
        violations(&metadata(text))
            .into_iter()
            .map(|violation| (violation.place, violation.found))
            .collect()
    }

    #[test]
    fn what_is_allowed_passes() {
        assert_eq!(
            broken(
                "switchyard-api: axum, switchyard-domain, dev switchyard-testkit, dev reqwest
                 switchyard-domain: switchyard-chain
                 switchyard-chain: reqwest, switchyard-kernel
                 switchyard-tron: prost, reqwest
                 switchyard-worker: axum, apalis, switchyard-tron, dev switchyard-api
                 switchyard-testkit: switchyard-kernel
                 switchyard-kernel: serde"
            ),
            []
        );
    }

    #[test]
    fn each_rule_is_told() {
        for (text, place, found) in [
            ("switchyard-api: apalis", "switchyard-api", "reaches `apalis`"),
            ("switchyard-domain: axum", "switchyard-domain", "reaches `axum`"),
            ("switchyard-db: build reqwest", "switchyard-db", "reaches `reqwest`"),
            (
                "switchyard-db: switchyard-testkit",
                "switchyard-db",
                "reaches `switchyard-testkit`",
            ),
            (
                "switchyard-kernel: switchyard-db",
                "switchyard-kernel",
                "reaches `switchyard-db`",
            ),
            (
                "switchyard-api: switchyard-jobs\nswitchyard-jobs: switchyard-tron\nswitchyard-tron:",
                "switchyard-api",
                "reaches `switchyard-tron`",
            ),
        ] {
            assert_eq!(broken(text), [(place.to_owned(), found.to_owned())], "{text}");
        }
    }
}
