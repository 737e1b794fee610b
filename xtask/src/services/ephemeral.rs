//! Instances that live as long as one command: for tests and for generating the schema.

use std::fs::{File, OpenOptions, TryLockError};

use anyhow::{Context, Result};

use super::{Services, ServicesOptions, state};
use crate::repo;

/// A fresh instance that ends, data and all, when this value is dropped, or at the next run if we are killed.
pub(crate) struct Ephemeral {
    pub(crate) services: Services,
    /// Held while we live: tells others that the instance is in use.
    _in_use: File,
}

impl Ephemeral {
    /// Starts a fresh instance for `purpose`, fast rather than safe.
    pub(crate) fn start(purpose: &str) -> Result<Self> {
        Self::start_as(purpose, false, &[])
    }

    /// Starts a fresh instance for `purpose`, which waits for the disk if it is to be durable.
    pub(crate) fn start_as(purpose: &str, durable: bool, postgres: &[&str]) -> Result<Self> {
        sweep(purpose)?;
        let name = format!("{purpose}-{}", std::process::id());
        let in_use = in_use(&name)?.context("another program has our process id")?;
        match Services::ensure(&ServicesOptions {
            name: name.clone(),
            durable,
            in_memory: !durable && super::has_memory(),
            postgres: postgres.iter().map(ToString::to_string).collect(),
        }) {
            Ok(services) => Ok(Self {
                services,
                _in_use: in_use,
            }),
            Err(error) => {
                if let Err(left) = Services::remove(&name) {
                    eprintln!("could not clean up: {left:#}");
                }
                Err(error)
            }
        }
    }
}

impl Drop for Ephemeral {
    fn drop(&mut self) {
        if let Err(error) = Services::remove(&self.services.name) {
            eprintln!("could not stop the services: {error:#}");
        }
    }
}

/// The mark that an instance is in use; `None` if somebody else has it.
fn in_use(name: &str) -> Result<Option<File>> {
    let dir = state::instance_dir(&repo::root(), name)?;
    std::fs::create_dir_all(&dir).context("cannot make the services' folder")?;
    let mut options = OpenOptions::new();
    let file = options
        .create(true)
        .truncate(false)
        .write(true)
        .open(dir.join("in_use"))
        .context("cannot mark")?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error).context("cannot mark the instance as in use"),
    }
}

/// Ends instances that a killed run left behind.
fn sweep(purpose: &str) -> Result<()> {
    let parent = repo::root().join(".switchyard/services");
    for entry in std::fs::read_dir(parent).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let left_behind = name.strip_prefix(purpose).and_then(|rest| rest.strip_prefix('-'));
        let ours = left_behind.is_some_and(|pid| pid.chars().all(|c| c.is_ascii_digit()));
        if ours && in_use(&name)?.is_some() {
            Services::remove(&name)?;
        }
    }
    Ok(())
}
