//! Finds the servers' programs, or has the system's package manager install them. Starts nothing.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// What must be there, by the package that has it.
const NEEDED: [Package; 2] = [
    Package {
        programs: &["initdb", "postgres", "psql"],
        apt: "postgresql",
        brew: "postgresql@17",
    },
    Package {
        programs: &["redis-server"],
        apt: "redis-server",
        brew: "redis",
    },
];

struct Package {
    programs: &'static [&'static str],
    apt: &'static str,
    brew: &'static str,
}

/// The path of a program that [`ensure`] has found or installed.
pub(crate) fn program(name: &str) -> Result<PathBuf> {
    find(name).with_context(|| format!("`{name}` is not installed"))
}

/// Whether the servers' package brought a library that PostgreSQL can load.
pub(crate) fn beside(library: &str) -> bool {
    let config = program("pg_config").ok();
    let folder = config.and_then(|config| Command::new(config).arg("--pkglibdir").output().ok());
    let folder = folder.and_then(|output| String::from_utf8(output.stdout).ok());
    folder.is_some_and(|folder| {
        let library = Path::new(folder.trim()).join(library);
        ["so", "dylib"]
            .iter()
            .any(|extension| library.with_extension(extension).exists())
    })
}

/// Installs what is missing.
pub(crate) fn ensure() -> Result<()> {
    let missing = missing();
    if missing.is_empty() {
        return Ok(());
    }
    if cfg!(target_os = "macos") {
        let packages: Vec<&str> = missing.iter().map(|package| package.brew).collect();
        eprintln!("installing {} with brew", packages.join(" and "));
        run(Command::new("brew").arg("install").args(&packages))?;
    } else {
        let packages: Vec<&str> = missing.iter().map(|package| package.apt).collect();
        apt(&packages).with_context(|| {
            format!(
                "PostgreSQL and Redis are needed: install {} (Debian's names), then try again",
                packages.join(" and ")
            )
        })?;
    }
    match self::missing().first() {
        None => Ok(()),
        Some(package) => bail!(
            "{} was installed, but {} cannot be found",
            package.apt,
            package.programs.join(", ")
        ),
    }
}

fn missing() -> Vec<&'static Package> {
    NEEDED
        .iter()
        .filter(|package| package.programs.iter().any(|program| find(program).is_none()))
        .collect()
}

fn apt(packages: &[&str]) -> Result<()> {
    let sudo = !nix::unistd::geteuid().is_root();
    let apt_get = || {
        let mut command = Command::new(if sudo { "sudo" } else { "apt-get" });
        if sudo {
            command.args(["-n", "DEBIAN_FRONTEND=noninteractive", "apt-get"]);
        }
        command.env("DEBIAN_FRONTEND", "noninteractive");
        command
    };
    eprintln!("installing {} with apt-get", packages.join(" and "));
    run(apt_get().args(["-qq", "update"]))?;
    run(apt_get()
        .args(["-qq", "install", "--yes", "--no-install-recommends"])
        .args(packages))
}

/// What a package manager tells goes to the error output: the other one may be read by a program.
fn run(command: &mut Command) -> Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    command.stdin(Stdio::null()).stdout(io::stderr());
    let status = command.status().with_context(|| format!("cannot run {program}"))?;
    if !status.success() {
        bail!("{program} failed ({status})");
    }
    Ok(())
}

fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path)
        .map(|dir| dir.join(name))
        .find(|file| file.is_file());
    on_path.or_else(|| versioned(name))
}

/// Debian and others keep PostgreSQL's programs off the PATH, in one folder a version: the newest one is taken.
fn versioned(name: &str) -> Option<PathBuf> {
    let places = [
        ("/usr/lib/postgresql", "", "bin"),
        ("/usr", "pgsql-", "bin"),
        ("/opt/homebrew/opt", "postgresql@", "bin"),
        ("/usr/local/opt", "postgresql@", "bin"),
    ];
    let mut found: Vec<(u32, PathBuf)> = Vec::new();
    for (parent, prefix, bin) in places {
        for entry in std::fs::read_dir(parent).into_iter().flatten().flatten() {
            let version = entry
                .file_name()
                .to_str()
                .and_then(|dir| dir.strip_prefix(prefix)?.parse().ok());
            let file = Path::new(parent).join(entry.file_name()).join(bin).join(name);
            if let Some(version) = version.filter(|_| file.is_file()) {
                found.push((version, file));
            }
        }
    }
    found.into_iter().max().map(|(_, file)| file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_exists_is_found_and_what_does_not_is_named() {
        assert!(program("sh").unwrap().is_absolute());
        let error = program("no-such-program-here").unwrap_err().to_string();
        assert_eq!(error, "`no-such-program-here` is not installed");
    }
}
