//! Places where a test may kill or stop this process: every step of every transaction, and what others name with
//! [`reach`]. Release builds have none: there [`reach`] is empty, and no variable is looked at.
//!
//! A test names a folder in `SWITCHYARD_FAIL_POINTS`. Each place reached is appended to its file `trace`. While its file
//! `armed` holds `<place> kill` or `<place> stop`, the first to reach that place takes the file away and ends the process
//! by SIGKILL, or halts it by SIGSTOP.

/// The process is at a step of something. Places are named `<what>.<step>`.
#[cfg(not(debug_assertions))]
#[inline]
pub const fn reach(_what: &str, _step: &str) {}

#[cfg(debug_assertions)]
pub use armed::reach;

#[cfg(debug_assertions)]
mod armed {
    use std::fs::{self, OpenOptions};
    use std::io::Write;
    use std::path::{Path, PathBuf};
    use std::process::Command;
    use std::sync::LazyLock;

    static FOLDER: LazyLock<Option<PathBuf>> =
        LazyLock::new(|| std::env::var_os("SWITCHYARD_FAIL_POINTS").map(Into::into));

    /// The process is at a step of something. Places are named `<what>.<step>`.
    pub fn reach(what: &str, step: &str) {
        let Some(folder) = FOLDER.as_deref() else { return };
        let place = format!("{what}.{step}");
        if let Err(error) = note(folder, &place) {
            tracing::error!(%error, place, "a fail point cannot be traced");
        }
        let armed = folder.join("armed");
        let Ok(order) = fs::read_to_string(&armed) else { return };
        let Some((wanted, action)) = order.trim().split_once(' ') else {
            return;
        };
        // who takes the file away is the first
        if wanted == place && fs::rename(&armed, folder.join("fired")).is_ok() {
            signal(if action == "stop" { "-STOP" } else { "-KILL" });
        }
    }

    fn note(folder: &Path, place: &str) -> std::io::Result<()> {
        let mut trace = OpenOptions::new()
            .create(true)
            .append(true)
            .open(folder.join("trace"))?;
        trace.write_all(format!("{place}\n").as_bytes())
    }

    /// The shell's own way, since this crate forbids what a system call would need.
    fn signal(signal: &str) {
        let sent = Command::new("kill")
            .args([signal, &std::process::id().to_string()])
            .status();
        // after SIGKILL nobody comes here; after SIGSTOP, whoever is continued
        if !sent.is_ok_and(|status| status.success()) {
            tracing::error!(signal, "a fail point could not fire");
        }
    }
}
