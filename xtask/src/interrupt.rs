//! Ctrl-C and SIGTERM end the child that is running, not this program: it still has services to stop.

use std::os::unix::process::CommandExt;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// How long a child may take to end after it was asked.
const GRACE: Duration = Duration::from_secs(10);

/// Knows the running child and whether somebody asked to stop.
pub(crate) struct Interrupt {
    asked: Arc<AtomicBool>,
    child: Arc<Mutex<Option<Pid>>>,
}

impl Interrupt {
    /// Takes the signals over, for the rest of the process's life.
    pub(crate) fn install() -> Result<Self> {
        let interrupt = Self {
            asked: Arc::default(),
            child: Arc::default(),
        };
        let (asked, child) = (Arc::clone(&interrupt.asked), Arc::clone(&interrupt.child));
        let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).context("cannot take signals over")?;
        thread::spawn(move || {
            for _ in signals.forever() {
                asked.store(true, Ordering::SeqCst);
                eprintln!("stopping");
                let running = *child.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(group) = running {
                    end(group, &child);
                }
            }
        });
        Ok(interrupt)
    }

    /// Runs a command to its end in a process group of its own, without standard input.
    pub(crate) fn run(&self, command: &mut Command) -> Result<ExitStatus> {
        let program = command.get_program().to_string_lossy().into_owned();
        let mut child = {
            let mut slot = self.child.lock().unwrap_or_else(PoisonError::into_inner);
            self.check()?;
            let child = command
                .process_group(0)
                .stdin(Stdio::null())
                .spawn()
                .with_context(|| format!("cannot start {program}"))?;
            *slot = Some(Pid::from_raw(i32::try_from(child.id()).context("a process id")?));
            child
        };
        let status = child.wait().with_context(|| format!("cannot wait for {program}"))?;
        *self.child.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.check()?;
        Ok(status)
    }

    /// Fails once somebody asked to stop.
    pub(crate) fn check(&self) -> Result<()> {
        if self.asked.load(Ordering::SeqCst) {
            bail!("stopped on request");
        }
        Ok(())
    }
}

/// Asks the group to end, and ends it if it does not.
fn end(group: Pid, child: &Mutex<Option<Pid>>) {
    let still_there = || *child.lock().unwrap_or_else(PoisonError::into_inner) == Some(group);
    if killpg(group, Signal::SIGTERM).is_err() {
        return;
    }
    for _ in 0..GRACE.as_millis() / 50 {
        if !still_there() {
            return;
        }
        thread::sleep(Duration::from_millis(50));
    }
    if still_there() && killpg(group, Signal::SIGKILL).is_err() {
        eprintln!("process group {group} is gone");
    }
}
