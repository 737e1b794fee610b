//! One server process: started apart from this program, recognised later by its id and start time, stopped for sure.

use std::fs::OpenOptions;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

const STOP_WITHIN: Duration = Duration::from_secs(30);
const STEP: Duration = Duration::from_millis(20);

/// A process that we started. A process id alone may by now belong to somebody else: the start time tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Process {
    pub(crate) pid: i32,
    /// As the system tells it; only ever compared.
    pub(crate) started: String,
}

impl Process {
    /// Starts `command` in the background, in a process group of its own, writing to `log`.
    pub(crate) fn spawn(command: &mut Command, log: &Path) -> Result<Self> {
        let program = command.get_program().to_string_lossy().into_owned();
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(log)
            .context("cannot open the log")?;
        let child = command
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(log.try_clone().context("cannot share the log")?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("cannot start {program}"))?;
        let pid = i32::try_from(child.id()).context("a process id")?;
        let started = start_time(pid).with_context(|| format!("{program} ended at once"))?;
        Ok(Self { pid, started })
    }

    /// Whether this very process still runs.
    pub(crate) fn is_alive(&self) -> bool {
        start_time(self.pid).is_some_and(|started| started == self.started)
    }

    /// Asks it to end with `signal`, and kills it if it does not. A process that is gone is fine.
    pub(crate) fn stop(&self, signal: Signal) -> Result<()> {
        for signal in [signal, Signal::SIGKILL] {
            if !self.is_alive() {
                return Ok(());
            }
            if let Err(error) = kill(Pid::from_raw(self.pid), signal)
                && self.is_alive()
            {
                return Err(error).with_context(|| format!("cannot signal process {}", self.pid));
            }
            if wait_until(STOP_WITHIN, || Ok(!self.is_alive()))? {
                return Ok(());
            }
        }
        bail!("process {} does not end", self.pid)
    }
}

/// Asks `condition` again and again until it holds; `false` when it did not hold in time.
pub(crate) fn wait_until(within: Duration, mut condition: impl FnMut() -> Result<bool>) -> Result<bool> {
    let begin = Instant::now();
    loop {
        if condition()? {
            return Ok(true);
        }
        if begin.elapsed() > within {
            return Ok(false);
        }
        thread::sleep(STEP);
    }
}

/// When the process started; `None` if there is none, or only a dead one that nobody has buried.
fn start_time(pid: i32) -> Option<String> {
    if !Path::new("/proc/self/stat").exists() {
        return start_time_by_ps(pid);
    }
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // the name before it is in parentheses and may hold anything; then state, ..., and start time as field 22
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let dead = matches!(*fields.first()?, "Z" | "X");
    (!dead)
        .then(|| fields.get(19).map(|field| (*field).to_owned()))
        .flatten()
}

fn start_time_by_ps(pid: i32) -> Option<String> {
    let output = Command::new("ps")
        .args(["-o", "stat=,lstart=", "-p", &pid.to_string()])
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let (state, started) = text.trim().split_once(char::is_whitespace)?;
    (!state.starts_with('Z')).then(|| started.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sleeper(dir: &Path) -> Process {
        Process::spawn(Command::new("sleep").arg("60"), &dir.join("log")).unwrap()
    }

    #[test]
    fn a_process_is_known_by_its_start_time_too() {
        let dir = tempfile::tempdir().unwrap();
        let process = sleeper(dir.path());
        assert!(process.is_alive());
        let other = Process {
            started: "1".into(),
            ..process.clone()
        };
        assert!(!other.is_alive());
        other.stop(Signal::SIGTERM).unwrap();
        assert!(process.is_alive(), "a stranger with that id is left alone");
        process.stop(Signal::SIGTERM).unwrap();
        assert!(!process.is_alive());
        process.stop(Signal::SIGTERM).unwrap();
    }

    #[test]
    fn waiting_is_bounded() {
        assert!(!wait_until(Duration::from_millis(30), || Ok(false)).unwrap());
        assert!(wait_until(Duration::from_secs(60), || Ok(true)).unwrap());
        assert!(wait_until(Duration::from_secs(60), || bail!("no")).is_err());
    }
}
