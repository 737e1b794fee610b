//! The processes of a run: started with a log each, watched, and stopped whatever happens. Those that a killed run left
//! behind are stopped by the next one.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use nix::sys::signal::Signal;

use crate::repo;
use crate::services::{Process, read_json, write_json};

/// Lines of each log that an error shows.
const TAIL: usize = 12;

/// The running processes, by name. Dropped, it stops them.
pub(crate) struct Children {
    home: PathBuf,
    running: Vec<(String, Process)>,
    /// Held while we live: there is one run of a kind per checkout.
    _only: File,
}

impl Children {
    /// Takes `.switchyard/<kind>` for this run, and ends what an earlier run left in it.
    pub(crate) fn claim(kind: &str) -> Result<Self> {
        Self::in_folder(repo::root().join(".switchyard").join(kind))
    }

    fn in_folder(home: PathBuf) -> Result<Self> {
        let private = |dir: &Path| DirBuilder::new().recursive(true).mode(0o700).create(dir);
        private(&home).context("cannot make the run's folder")?;
        let mut options = OpenOptions::new();
        let only = options
            .create(true)
            .truncate(false)
            .write(true)
            .open(home.join("lock"))
            .context("cannot open the demo's lock")?;
        match only.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => bail!("another run uses {}: stop it first", home.display()),
            Err(TryLockError::Error(error)) => return Err(error).context("cannot lock the run's folder"),
        }
        let left: Vec<(String, Process)> = read_json(&home.join("processes.json"))?.unwrap_or_default();
        for (_, process) in left {
            process.stop(Signal::SIGTERM)?;
        }
        let logs = home.join("logs");
        if logs.exists() {
            std::fs::remove_dir_all(&logs).context("cannot remove the last run's logs")?;
        }
        private(&logs).context("cannot make the logs' folder")?;
        Ok(Self {
            home,
            running: Vec::new(),
            _only: only,
        })
    }

    /// The run's folder.
    pub(crate) fn home(&self) -> &Path {
        &self.home
    }

    /// Where `name` logs.
    pub(crate) fn log(&self, name: &str) -> PathBuf {
        self.home.join("logs").join(format!("{name}.log"))
    }

    /// Starts `command` in a process group of its own: Ctrl-C in the terminal reaches us alone.
    pub(crate) fn start(&mut self, name: &str, command: &mut Command) -> Result<()> {
        let process = Process::spawn(command, &self.log(name))?;
        self.running.push((name.to_owned(), process));
        write_json(&self.home.join("processes.json"), &self.running)
    }

    /// Stops the processes whose names begin with `prefix`, the last one started first.
    pub(crate) fn end(&mut self, prefix: &str) -> Result<()> {
        for (name, process) in self.running.iter().rev() {
            if name.starts_with(prefix) {
                process.stop(Signal::SIGTERM)?;
            }
        }
        self.running.retain(|(name, _)| !name.starts_with(prefix));
        write_json(&self.home.join("processes.json"), &self.running)
    }

    /// The running processes by name, with their ids.
    pub(crate) fn pids(&self) -> impl Iterator<Item = (&str, i32)> {
        self.running.iter().map(|(name, process)| (name.as_str(), process.pid))
    }

    /// An error if a process has ended by itself.
    pub(crate) fn check(&self) -> Result<()> {
        match self.running.iter().find(|(_, process)| !process.is_alive()) {
            None => Ok(()),
            Some((name, _)) => bail!("{name} ended by itself: see {}", self.log(name).display()),
        }
    }

    /// The ends of all logs.
    pub(crate) fn tails(&self) -> String {
        let mut logs: Vec<PathBuf> = std::fs::read_dir(self.home.join("logs"))
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path())
            .collect();
        logs.sort();
        let mut text = String::new();
        for log in logs {
            let content = std::fs::read(&log).unwrap_or_default();
            let content = String::from_utf8_lossy(&content);
            let lines: Vec<&str> = content.lines().collect();
            let tail = &lines[lines.len().saturating_sub(TAIL)..];
            text.push_str(&format!("── {}\n{}\n", log.display(), tail.join("\n")));
        }
        text
    }

    /// Stops everything, the last one started first.
    fn stop(&mut self) {
        while let Some((name, process)) = self.running.pop() {
            if let Err(error) = process.stop(Signal::SIGTERM) {
                eprintln!("{name} could not be stopped: {error:#}");
            }
        }
        if let Err(error) = write_json(&self.home.join("processes.json"), &self.running) {
            eprintln!("{error:#}");
        }
    }
}

impl Drop for Children {
    fn drop(&mut self) {
        self.stop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sleeper() -> Command {
        let mut command = Command::new("sleep");
        command.arg("60");
        command
    }

    #[test]
    fn processes_end_with_their_run() {
        let dir = tempfile::tempdir().unwrap();
        let mut children = Children::in_folder(dir.path().to_owned()).unwrap();
        children.start("a", &mut sleeper()).unwrap();
        children.start("b", &mut sleeper()).unwrap();
        children.check().unwrap();
        let started: Vec<Process> = children.running.iter().map(|(_, process)| process.clone()).collect();
        drop(children);
        assert!(started.iter().all(|process| !process.is_alive()));
    }

    #[test]
    fn some_end_and_the_others_stay() {
        let dir = tempfile::tempdir().unwrap();
        let mut children = Children::in_folder(dir.path().to_owned()).unwrap();
        for name in ["worker-1", "api", "worker-2"] {
            children.start(name, &mut sleeper()).unwrap();
        }
        let started: Vec<Process> = children.running.iter().map(|(_, process)| process.clone()).collect();
        children.end("worker-").unwrap();
        let alive: Vec<bool> = started.iter().map(Process::is_alive).collect();
        assert_eq!(alive, [false, true, false]);
        assert_eq!(children.pids().map(|(name, _)| name).collect::<Vec<_>>(), ["api"]);
        children.check().unwrap();
    }

    #[test]
    fn a_process_that_ends_by_itself_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let mut children = Children::in_folder(dir.path().to_owned()).unwrap();
        children.start("worker-1", &mut sleeper()).unwrap();
        children.running[0].1.stop(Signal::SIGKILL).unwrap();
        let error = children.check().unwrap_err().to_string();
        assert!(error.starts_with("worker-1 ended by itself"), "{error}");
    }

    #[test]
    fn a_second_run_is_refused_and_a_killed_one_is_cleaned_up() {
        let dir = tempfile::tempdir().unwrap();
        let mut first = Children::in_folder(dir.path().to_owned()).unwrap();
        assert!(Children::in_folder(dir.path().to_owned()).is_err());
        first.start("devnet", &mut sleeper()).unwrap();
        let left = first.running[0].1.clone();
        // what a kill leaves: the note of its processes, and no lock
        let note = std::fs::read(dir.path().join("processes.json")).unwrap();
        first.running.clear();
        drop(first);
        std::fs::write(dir.path().join("processes.json"), note).unwrap();
        assert!(left.is_alive());
        drop(Children::in_folder(dir.path().to_owned()).unwrap());
        assert!(!left.is_alive());
    }
}
