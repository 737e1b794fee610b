//! The time of one test: the machine's, moved ahead as the chain's blocks are.

use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, OnceLock};

use chrono::{DateTime, TimeDelta, Utc};
use kernel::{Clock, SystemClock};
use tempfile::TempDir;

/// Runs on, so that two runs of a job never begin at the same moment, and jumps when told to.
#[derive(Debug, Default)]
pub(crate) struct TestClock {
    ahead: AtomicI64,
    /// Where other processes read how far it is ahead.
    told: OnceLock<TempDir>,
    /// Whoever tells them.
    telling: Mutex<()>,
}

impl TestClock {
    pub(crate) fn advance(&self, seconds: i64) {
        self.ahead.fetch_add(seconds, Ordering::SeqCst);
        if let Some(folder) = self.told.get() {
            self.write(folder);
        }
    }

    /// A file that says how many seconds this clock is ahead, from now on and as long as the clock lives.
    pub(crate) fn file(&self) -> PathBuf {
        let folder = self.told.get_or_init(|| TempDir::new().unwrap());
        self.write(folder);
        folder.path().join("ahead")
    }

    /// In one step, so that nobody reads half of it, and by one at a time, so that the last told is the newest.
    fn write(&self, folder: &TempDir) {
        let _alone = self.telling.lock().unwrap();
        let new = folder.path().join("new");
        std::fs::write(&new, self.ahead.load(Ordering::SeqCst).to_string()).unwrap();
        std::fs::rename(new, folder.path().join("ahead")).unwrap();
    }
}

impl Clock for TestClock {
    fn now(&self) -> DateTime<Utc> {
        SystemClock.now() + TimeDelta::seconds(self.ahead.load(Ordering::SeqCst))
    }
}
