//! The example bot against a running API: its client is generated from the API's own description, and its suite runs.

use std::path::Path;

use switchyard_api::{App, Server};
use testkit::{Role, Suite, TestRedis};
use tokio_util::sync::CancellationToken;

use crate::support::{TestApi, settings};

const FILES: [&str; 12] = [
    "requirements.txt",
    "switchyard_bot/__init__.py",
    "switchyard_bot/__main__.py",
    "switchyard_bot/backend.py",
    "switchyard_bot/bot.py",
    "switchyard_bot/config.py",
    "switchyard_bot/import_json.py",
    "switchyard_bot/store.py",
    "switchyard_bot/texts.py",
    "tests/__init__.py",
    "tests/doubles.py",
    "tests/test_bot.py",
];
/// The account m/44'/195'/0' of the words "abandon … about", which are in every book.
const ACCOUNT_XPUB: &str =
    "xpub6D1AabNHCupeiLM65ZR9UStMhJ1vCpyV4XbZdyhMZBiJXALQtmn9p42VTQckoHVn8WNqS7dqnJokZHAHcHGoaQgmv8D45oNUKx6DZMNZBCd";

#[tokio::test(flavor = "multi_thread")]
async fn the_example_bot_works_with_a_client_made_from_our_description() {
    let api = TestApi::new().await;
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/bot");
    let suite = Suite::of(env!("CARGO_TARGET_TMPDIR"), "bot", &sources, &FILES);
    let python = suite.python().await;
    let description = serde_json::to_string(&switchyard_api::openapi()).unwrap();
    std::fs::write(suite.folder().join("openapi.json"), description).unwrap();
    let mut generate = suite.command(suite.folder().join("venv/bin/openapi-python-client"));
    generate.args(["generate", "--path", "openapi.json", "--meta", "none"]);
    generate.args(["--output-path", "switchyard_client", "--overwrite"]);
    suite.run("openapi-python-client", &mut generate).await;

    let ways = [("DEPOSITS__WAYS", "address"), ("DEPOSITS__ACCOUNT_XPUB", ACCOUNT_XPUB)];
    let settings = settings(&api.db.url(Role::Api), &TestRedis::new(), &ways);
    let server = Server::bind(App::from_settings(settings).unwrap()).await.unwrap();
    let url = format!("http://{}", server.api_address());
    let stop = CancellationToken::new();
    let running = tokio::spawn(server.run(stop.clone()));
    let mut tests = suite.command(&python);
    tests.args(["-m", "unittest", "tests.test_bot"]);
    tests.env("SWITCHYARD_URL", url).env("SWITCHYARD_KEY", &api.key);
    suite.run("python -m unittest", &mut tests).await;
    assert!(
        api.count("SELECT count(*) FROM orders").await >= 3,
        "the suite talked to this API"
    );
    stop.cancel();
    running.await.unwrap().unwrap();
}
