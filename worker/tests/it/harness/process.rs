//! Workers in processes of their own, as an operator runs them: they can be killed and halted at any step.

use std::fs::File;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};

use tempfile::TempDir;

use super::World;

/// A `switchyard-worker run`. Dropped, it is killed.
pub(crate) struct Process {
    child: Child,
    folder: TempDir,
}

impl Process {
    /// Starts one on the test's clock.
    pub(crate) fn start(world: &World) -> Self {
        Self::start_in(world, TempDir::new().unwrap())
    }

    /// Starts one that is killed when it reaches this place.
    pub(crate) fn start_killed_at(world: &World, place: &str) -> Self {
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join("armed"), format!("{place} kill")).unwrap();
        Self::start_in(world, folder)
    }

    fn start_in(world: &World, folder: TempDir) -> Self {
        let log = File::create(folder.path().join("log")).unwrap();
        let endpoint = format!(
            "[{{name=\"devnet\",url=\"{}\",requests_per_second=10000,timeout_ms=5000}}]",
            world.node_url
        );
        let (id, master) = world.masters.first().cloned().unwrap();
        let settings = [
            ("DATABASE__URL", world.database_url.clone()),
            ("DATABASE__MAX_CONNECTIONS", "8".into()),
            ("DATABASE__STATEMENT_TIMEOUT_MS", "5000".into()),
            ("REDIS__URL", world.wakes.url.clone()),
            ("JOBS__REDIS_NAMESPACE", world.wakes.namespace.clone()),
            ("JOBS__DISPATCH_INTERVAL_MS", "100".into()),
            ("NETWORKS__TRON__ENDPOINTS", endpoint),
            ("NETWORKS__TRON__POLL_INTERVAL_MS", "50".into()),
            ("NETWORKS__TRON__TOKENS__USDT", world.usdt.to_string()),
            ("DEPOSITS__ACCOUNT_XPUB", super::ACCOUNT_XPUB.into()),
            ("DEPOSITS__RENTAL__ADDRESS", super::RENTAL_ADDRESS.into()),
            ("DEPOSITS__RENTAL__HOUSE_API_KEY", world.house_key.to_string()),
            (
                "DEPOSITS__RENTAL__PACKAGES",
                "[{price=\"4\",energy=32000,duration_s=600}]".into(),
            ),
            ("DEPOSITS__SWEEP__ENABLED", "true".into()),
            ("DEPOSITS__SWEEP__USDT", "true".into()),
            ("DEPOSITS__SWEEP__HOUSE_API_KEY", world.house_key.to_string()),
            ("DEPOSITS__SWEEP__USDT_THRESHOLD", "5".into()),
            ("DEPOSITS__SWEEP__RETRY_MS", "30000".into()),
            // tests ask for it themselves
            ("SCHEDULES__PLAN_SWEEPS__ENABLED", "false".into()),
            ("SCHEDULES__PLAN_STAKES__ENABLED", "false".into()),
            ("POOL__SYNC_MARGIN_BLOCKS", "3".into()),
            ("POOL__LOW_STOCK_ENERGY", "0".into()),
            ("VAULT__MASTER_KEY", master),
            ("VAULT__MASTER_KEY_ID", id.to_string()),
            ("VAULT__IMPORT_PRIVATE_KEY", world.import.clone()),
            ("VAULT__IMPORT_PUBLIC_KEY", world.import_public.clone()),
            ("WORKER__OPS_LISTEN", "127.0.0.1:0".into()),
            ("TELEMETRY__LOG_FILTER", "info".into()),
        ];
        let child = Command::new(env!("CARGO_BIN_EXE_switchyard-worker"))
            .arg("run")
            .env(
                "SWITCHYARD_CONFIG_DIR",
                concat!(env!("CARGO_MANIFEST_DIR"), "/../config"),
            )
            .env("SWITCHYARD_ENV", "dev")
            .env("SWITCHYARD_FAIL_POINTS", folder.path())
            .env("SWITCHYARD_TEST_CLOCK", world.clock.file())
            .envs(settings.map(|(name, value)| (format!("SWITCHYARD__{name}"), value)))
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        Self { child, folder }
    }

    /// The first to reach this place gets SIGKILL.
    pub(crate) fn kill_at(&self, place: &str) {
        self.arm(place, "kill");
    }

    /// The first to reach this place gets SIGSTOP.
    pub(crate) fn stop_at(&self, place: &str) {
        self.arm(place, "stop");
    }

    fn arm(&self, place: &str, action: &str) {
        let new = self.folder.path().join("arming");
        std::fs::write(&new, format!("{place} {action}")).unwrap();
        std::fs::rename(new, self.folder.path().join("armed")).unwrap();
    }

    /// Every place it reached so far, in order.
    pub(crate) fn trace(&self) -> Vec<String> {
        let trace = std::fs::read_to_string(self.folder.path().join("trace")).unwrap_or_default();
        trace.lines().map(ToOwned::to_owned).collect()
    }

    /// Whether it has come to the end of every run and of every commit that it began, and is not about to die: what
    /// others see of a commit comes before the process hears of it.
    pub(crate) fn is_between_steps(&self) -> bool {
        let trace = self.trace();
        let times = |place: &str| trace.iter().filter(|reached| *reached == place).count();
        let followed = |place: &String| {
            let commit = place.strip_suffix(".commit").map(|what| format!("{what}.committed"));
            let end = commit.or_else(|| place.strip_suffix(".begun").map(|what| format!("{what}.ended")));
            end.is_none_or(|end| times(&end) >= times(place))
        };
        trace.iter().all(followed) && !self.folder.path().join("fired").exists()
    }

    /// Whether SIGKILL ended it. Any other end fails the test.
    pub(crate) fn is_killed(&mut self) -> bool {
        let ended = self.child.try_wait().unwrap();
        ended.is_some_and(|status| self.was_killed(status))
    }

    fn was_killed(&self, status: ExitStatus) -> bool {
        let killed = status.signal() == Some(9);
        assert!(killed, "the worker ended by itself: {status}\n{}", self.log());
        killed
    }

    /// Whether it is halted by SIGSTOP.
    pub(crate) fn is_halted(&self) -> bool {
        let id = self.child.id().to_string();
        let state = Command::new("ps").args(["-o", "state=", "-p", &id]).output().unwrap();
        state.stdout.first() == Some(&b'T')
    }

    /// Lets a halted process go on.
    pub(crate) fn go_on(&self) {
        self.signal("-CONT");
    }

    /// Ends it as an operator does and waits until it has drained. Answers whether SIGKILL ended it instead.
    pub(crate) async fn end(mut self) -> bool {
        if self.is_killed() {
            return true;
        }
        self.signal("-TERM");
        let ended = tokio::task::spawn_blocking(move || {
            let status = self.child.wait().unwrap();
            !status.success() && self.was_killed(status)
        });
        ended.await.unwrap()
    }

    fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }

    /// What it wrote.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("log")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // an error only means that it is gone already
        let _gone = self.child.kill();
        let _status = self.child.wait();
        if std::thread::panicking() {
            eprintln!("the worker's log:\n{}", self.log());
        }
    }
}
