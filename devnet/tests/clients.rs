//! Clients that others wrote, against the devnet: tronweb under Node, tronpy under Python. Both suites must run; a missing
//! interpreter is a failure. Packages are installed once into a cache under the target folder.
#![expect(clippy::unwrap_used, reason = "a test helper that fails is a test that fails")]

use std::path::Path;

use switchyard_devnet::{Devnet, DevnetConfig, Interval};
use testkit::Suite;
use tokio::process::Command;

async fn devnet() -> Devnet {
    let config = DevnetConfig {
        interval: Interval::Instant,
        solid_lag: 0,
        ..DevnetConfig::default()
    };
    Devnet::start(config).await.unwrap()
}

fn suite(client: &str, files: &[&str]) -> Suite {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients").join(client);
    Suite::of(env!("CARGO_TARGET_TMPDIR"), client, &sources, files)
}

fn with_urls<'a>(command: &'a mut Command, devnet: &Devnet) -> &'a mut Command {
    command
        .env("DEVNET_NODE_URL", devnet.node_url())
        .env("DEVNET_ADMIN_URL", devnet.admin_url())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tronweb_works_against_the_devnet() {
    let suite = suite("tronweb", &["package.json", "package-lock.json", "devnet.test.mjs"]);
    let mut npm = suite.command("npm");
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
    suite.install("package-lock.json", vec![("npm ci", npm)]).await;
    let devnet = devnet().await;
    let mut node = suite.command("node");
    node.args(["--test", "devnet.test.mjs"]);
    suite.run("node --test", with_urls(&mut node, &devnet)).await;
    assert!(
        devnet.calls("/wallet/broadcasttransaction") >= 15,
        "the suite talked to this devnet"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tronpy_works_against_the_devnet() {
    let suite = suite("tronpy", &["requirements.txt", "test_devnet.py"]);
    let python = suite.python().await;
    let devnet = devnet().await;
    let mut tests = suite.command(&python);
    tests.args(["-m", "unittest", "test_devnet"]);
    suite.run("python -m unittest", with_urls(&mut tests, &devnet)).await;
    assert!(
        devnet.calls("/wallet/broadcasttransaction") >= 12,
        "the suite talked to this devnet"
    );
}
