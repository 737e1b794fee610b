//! Clients that others wrote, against the devnet: tronweb under Node, tronpy under Python. Both suites must run; a missing
//! interpreter is a failure. Packages are installed once into a cache under the target folder.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test helper that fails is a test that fails"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use switchyard_devnet::{Devnet, DevnetConfig, Interval};
use tokio::process::Command;

/// Installing packages and running a suite each get as long.
const LIMIT: Duration = Duration::from_secs(240);

async fn devnet() -> Devnet {
    let config = DevnetConfig {
        interval: Interval::Instant,
        solid_lag: 0,
        ..DevnetConfig::default()
    };
    Devnet::start(config).await.unwrap()
}

fn sources(client: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("clients").join(client)
}

/// An own folder under the target folder with copies of the client's files.
fn cache(client: &str, files: &[&str]) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("devnet-clients")
        .join(client);
    fs::create_dir_all(&folder).unwrap();
    for file in files {
        fs::copy(sources(client).join(file), folder.join(file)).unwrap();
    }
    folder
}

async fn run(what: &str, command: &mut Command) {
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

/// Installs unless the same list of packages was installed before.
async fn install(folder: &Path, list: &str, steps: Vec<(&str, Command)>) {
    let wanted = fs::read_to_string(folder.join(list)).unwrap();
    let marker = folder.join(".installed");
    if fs::read_to_string(&marker).is_ok_and(|installed| installed == wanted) {
        return;
    }
    for (what, mut command) in steps {
        run(what, &mut command).await;
    }
    fs::write(marker, wanted).unwrap();
}

fn with_urls<'a>(command: &'a mut Command, devnet: &Devnet) -> &'a mut Command {
    command
        .env("DEVNET_NODE_URL", devnet.node_url())
        .env("DEVNET_ADMIN_URL", devnet.admin_url())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tronweb_works_against_the_devnet() {
    let folder = cache("tronweb", &["package.json", "package-lock.json", "devnet.test.mjs"]);
    let mut npm = Command::new("npm");
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
        .current_dir(&folder);
    install(&folder, "package-lock.json", vec![("npm ci", npm)]).await;
    let devnet = devnet().await;
    let mut node = Command::new("node");
    node.args(["--test", "devnet.test.mjs"]).current_dir(&folder);
    run("node --test", with_urls(&mut node, &devnet)).await;
    assert!(
        devnet.calls("/wallet/broadcasttransaction") >= 15,
        "the suite talked to this devnet"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tronpy_works_against_the_devnet() {
    let folder = cache("tronpy", &["requirements.txt", "test_devnet.py"]);
    let python = folder.join("venv/bin/python");
    let mut venv = Command::new("python3");
    venv.args(["-m", "venv", "--clear", "venv"]).current_dir(&folder);
    let mut pip = Command::new(&python);
    pip.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "-r",
        "requirements.txt",
    ]);
    pip.current_dir(&folder);
    install(
        &folder,
        "requirements.txt",
        vec![("python3 -m venv", venv), ("pip install", pip)],
    )
    .await;
    let devnet = devnet().await;
    let mut suite = Command::new(&python);
    suite.args(["-m", "unittest", "test_devnet"]).current_dir(&folder);
    run("python -m unittest", with_urls(&mut suite, &devnet)).await;
    assert!(
        devnet.calls("/wallet/broadcasttransaction") >= 12,
        "the suite talked to this devnet"
    );
}
