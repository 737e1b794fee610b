//! Suites in other languages. Their files are copied into a folder of their own under the target folder, where packages are
//! installed once for each list of them.

#![expect(clippy::panic, reason = "a helper that fails fails its test")]

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::process::Command;

/// Installing packages and running a suite each get as long.
const LIMIT: Duration = Duration::from_secs(600);

/// A suite's folder. An interpreter that is missing fails the test: it must not pass for lack of one.
#[derive(Debug)]
pub struct Suite {
    folder: PathBuf,
}

impl Suite {
    /// The suite of this name under `target`, with copies of these files of `sources`.
    ///
    /// # Panics
    /// When a file cannot be copied.
    #[must_use]
    pub fn of(target: &str, name: &str, sources: &Path, files: &[&str]) -> Self {
        let folder = Path::new(target).join("suites").join(name);
        for file in files {
            let copy = folder.join(file);
            fs::create_dir_all(copy.parent().expect("a folder")).expect("a folder can be made");
            fs::copy(sources.join(file), copy).unwrap_or_else(|error| panic!("{file}: {error}"));
        }
        Self { folder }
    }

    /// Where it is.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A command that is run there.
    #[must_use]
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.folder);
        command
    }

    /// Runs a command to its good end.
    ///
    /// # Panics
    /// When it fails, takes too long, or cannot be started; its output is shown.
    pub async fn run(&self, what: &str, command: &mut Command) {
        let started = command.kill_on_drop(true).output();
        let output = match tokio::time::timeout(LIMIT, started).await {
            Err(_) => panic!("{what}: not done within {LIMIT:?}"),
            Ok(Err(error)) => panic!("{what} cannot be started ({error}); Node, npm and Python 3 must be installed"),
            Ok(Ok(output)) => output,
        };
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(
            output.status.success(),
            "{what} failed:\n{}\n{}",
            text(&output.stdout),
            text(&output.stderr)
        );
    }

    /// Runs these commands unless packages were installed here for the same list.
    ///
    /// # Panics
    /// When one fails.
    pub async fn install(&self, list: &str, steps: Vec<(&str, Command)>) {
        let wanted = fs::read_to_string(self.folder.join(list)).expect("a list of packages");
        let marker = self.folder.join(".installed");
        if fs::read_to_string(&marker).is_ok_and(|installed| installed == wanted) {
            return;
        }
        for (what, mut command) in steps {
            self.run(what, &mut command).await;
        }
        fs::write(marker, wanted).expect("a marker can be written");
    }

    /// A Python of its own with what `requirements.txt` names.
    ///
    /// # Panics
    /// When it cannot be had.
    pub async fn python(&self) -> PathBuf {
        let python = self.folder.join("venv/bin/python");
        let mut venv = self.command("python3");
        venv.args(["-m", "venv", "--clear", "venv"]);
        let mut pip = self.command(&python);
        let quietly = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
        pip.args(quietly).args(["-r", "requirements.txt"]);
        let steps = vec![("python3 -m venv", venv), ("pip install", pip)];
        self.install("requirements.txt", steps).await;
        python
    }
}
