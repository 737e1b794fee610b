//! Schemathesis against a running API: requests made from our own description, right ones, wrong ones and odd ones. No answer may
//! be a failure of ours, and none one that the description does not promise. The suite is in `api/tests/schemathesis`.

use std::net::SocketAddr;
use std::path::Path;
use std::thread::JoinHandle;

use kernel::{Clock, IdGen, RandomIds, SystemClock};
use serde_json::{Value, json};
use settings::Settings;
use switchyard_api::{App, Scope, Server};
use testkit::{Role, Suite, TestRedis};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use tracing::subscriber::NoSubscriber;

use crate::support::{TestApi, settings};

const FILES: [&str; 6] = [
    "requirements.txt",
    "schemathesis.toml",
    "nobody.toml",
    "hooks.py",
    "nobody.py",
    "values.py",
];
const ROWS: &str = include_str!("../schemathesis/rows.sql");
/// Somebody's address; the account m/44'/195'/0' of the words "abandon … about".
const STRANGER: &str = "TZ4UXDV5ZhNW7fb2AMSbgfAEZ7hWsnYS2g";
const ACCOUNT_XPUB: &str =
    "xpub6D1AabNHCupeiLM65ZR9UStMhJ1vCpyV4XbZdyhMZBiJXALQtmn9p42VTQckoHVn8WNqS7dqnJokZHAHcHGoaQgmv8D45oNUKx6DZMNZBCd";
const OPEN: [(&str, &str); 3] = [
    ("DEPOSITS__WAYS", "address,amount"),
    ("DEPOSITS__ACCOUNT_XPUB", ACCOUNT_XPUB),
    ("DEPOSITS__SHARED_ADDRESS", "TUJ2YbSDGtCqzRz7quPQidRCMC98jDAPXc"),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_is_one_that_our_description_promises() {
    let mut api = TestApi::with(&OPEN).await;
    // what is made here is to be of the server's time
    api.clock
        .advance_seconds((SystemClock.now() - api.clock.now()).num_seconds());
    let ids = exists(&mut api).await.to_string();
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/schemathesis");
    let suite = Suite::of(env!("CARGO_TARGET_TMPDIR"), "schemathesis", &sources, &FILES);
    let python = suite.python().await;
    let description = serde_json::to_string(&switchyard_api::openapi()).unwrap();
    std::fs::write(suite.folder().join("openapi.json"), description).unwrap();

    let stop = CancellationToken::new();
    let settings = settings(&api.db.url(Role::Api), &TestRedis::new(), &OPEN);
    let (address, running) = serve(settings, stop.clone()).await;
    for config in ["schemathesis.toml", "nobody.toml"] {
        let mut run = suite.command(&python);
        run.args(["-m", "schemathesis.cli", "--config-file", config]);
        run.args(["run", "openapi.json", "--no-color"]);
        run.env("SWITCHYARD_URL", format!("http://{address}"))
            .env("SWITCHYARD_KEY", &api.key)
            .env("SWITCHYARD_IDS", &ids);
        suite.run(config, &mut run).await;
    }
    assert!(
        api.count("SELECT count(*) FROM orders").await > 3,
        "the suite talked to this API"
    );
    stop.cancel();
    running.join().unwrap();
}

/// Serves on a thread of its own, where nothing is logged: this binary keeps all that it logs, and these are many requests.
async fn serve(settings: Settings, stop: CancellationToken) -> (SocketAddr, JoinHandle<()>) {
    let (tell, told) = oneshot::channel();
    let running = std::thread::spawn(move || {
        let _quiet = tracing::subscriber::set_default(NoSubscriber::default());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.unwrap().block_on(async {
            let server = Server::bind(App::from_settings(settings).unwrap()).await.unwrap();
            tell.send(server.api_address()).unwrap();
            server.run(stop).await.unwrap();
        });
    });
    (told.await.unwrap(), running)
}

/// Makes something of everything. Answers the ids, by the beginning of the paths that name them.
async fn exists(api: &mut TestApi) -> Value {
    let order = json!({ "user_id": 42, "receiver": STRANGER, "energy": 65_000, "duration_s": 3_600 });
    let usdt = json!({ "asset": "USDT", "amount": "100000", "reason": "test" });
    let trx = json!({ "amount": "100000", "reason": "test" });
    make(api, "/api/users/42/deposit", &usdt).await;
    make(api, "/api/users/42/deposit", &trx).await;
    let endpoint = json!({ "url": "https://shop.example/hook" });
    let hook = id(&make(api, "/api/webhooks", &endpoint).await);
    // of these one will be removed
    let hooks = [
        id(&make(api, "/api/webhooks", &endpoint).await),
        id(&make(api, "/api/webhooks", &endpoint).await),
    ];
    let message = make(api, &format!("/api/webhooks/{hook}/test"), &json!({})).await;
    let orders = [
        id(&make(api, "/api/orders", &order).await),
        id(&make(api, "/api/orders", &order).await),
        id(&make(api, "/api/orders", &order).await),
    ];
    api.db.sql(ROWS).await;
    let own = |last: &str| format!("00000000-0000-7000-8000-0000000000{last}");
    let (wallet, importing) = (own("a1"), own("a3"));
    let findings = ["f1", "f2", "f3", "f4"].map(own);
    let transfers = ["c3", "c4", "c1"].map(own);
    let payouts = payouts(api).await;
    let trx = json!({ "asset": "TRX", "way": "amount", "amount": "10" });
    let usdt = json!({ "asset": "USDT", "way": "address" });
    let deposits = [
        id(&make(api, "/api/users/42/deposits", &trx).await),
        id(&make(api, "/api/users/42/deposits", &usdt).await),
    ];
    let exchange = json!({ "from": "USDT", "to": "TRX", "amount": "10" });
    let exchange = id(&make(api, "/api/users/42/exchange", &exchange).await);
    let until = (api.clock.now() + chrono::Duration::days(30)).to_rfc3339();
    let standing = json!({
        "user_id": 42, "receiver": STRANGER, "keep_energy": 131_000, "duration_s": 3_600, "budget": "100", "until": until,
    });
    let standing = id(&make(api, "/api/standing-orders", &standing).await);
    let staking = json!({
        "wallet_id": wallet, "action": "unstake", "resource": "energy", "amount": "100", "reason": "test",
    });
    make(api, "/api/operations/stakings", &staking).await;
    json!({
        // the newest, which was delivered
        "/api/orders/{id}/extend": { "id": [orders[2]] },
        "/api/orders/{id}": { "id": orders },
        "/api/standing-orders/{id}": { "id": [standing] },
        "/api/payouts/{id}": { "id": payouts },
        "/api/operations/payouts/{id}": { "id": payouts },
        "/api/deposits/{id}": { "id": deposits },
        "/api/exchanges/{id}": { "id": [exchange] },
        "/api/rentals/{txid}": { "txid": [format!("aa{:062}", 1), format!("AA{:062}", 2)] },
        "/api/supplier-wallets/{id}": { "id": [wallet, importing] },
        "/api/operations/findings/{id}": { "id": findings },
        "/api/operations/deposits/{id}": { "id": transfers },
        "/api/webhooks/{id}/": { "id": [hook], "delivery_id": [message["delivery_id"]] },
        "/api/webhooks/{id}": { "id": hooks },
    })
}

/// One that is approved at once, and two that wait for it, of which another key asked for one.
async fn payouts(api: &mut TestApi) -> [String; 3] {
    let payout = |amount: &str| json!({ "asset": "TRX", "amount": amount, "to": STRANGER });
    let path = "/api/users/42/payouts";
    let small = id(&make(api, path, &payout("12")).await);
    let large = id(&make(api, path, &payout("300")).await);
    let (_, others) = api.key_with(Scope::ALL, 1_000).await;
    let own = std::mem::replace(&mut api.key, others);
    let of_another = id(&make(api, path, &payout("300")).await);
    api.key = own;
    [of_another, large, small]
}

async fn make(api: &TestApi, path: &str, body: &Value) -> Value {
    let reply = api.marked(path, &RandomIds.uuid().to_string(), body).await;
    assert!(reply.status.is_success(), "{path}: {}", reply.body);
    reply.body
}

fn id(made: &Value) -> String {
    made["id"].as_str().unwrap().to_owned()
}
