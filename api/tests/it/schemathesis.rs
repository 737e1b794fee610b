//! Schemathesis against a running API: requests made from our own description, right ones, wrong ones and odd ones. No answer may
//! be a failure of ours, and none one that the description does not promise. The suite is in `api/tests/schemathesis`.

use std::net::SocketAddr;
use std::path::Path;
use std::thread::JoinHandle;

use access::PermissionSet;
use axum::http::Method;
use chrono::Duration;
use domain::operators::{By, RoleDraft, set_role};
use kernel::{Clock, IdGen, RandomIds, SystemClock};
use serde_json::{Value, json};
use settings::Settings;
use switchyard_api::{App, Scope, Server};
use testkit::{Role, Suite, TestRedis};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use tracing::subscriber::NoSubscriber;
use uuid::Uuid;

use crate::operators::{long_token, refresh_token};
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
const OPEN: [(&str, &str); 11] = [
    ("PAYOUTS__TRX__USER_DAY", "1000000"),
    ("PAYOUTS__TRX__SYSTEM_HOUR", "1000000"),
    ("OPERATORS__REQUESTS_PER_MINUTE", "1000000"),
    ("OPERATORS__IP_SIGN_INS_PER_MINUTE", "1000000"),
    // a table that fits the description and sells nothing must not come into force
    ("APPROVALS__PRICES", "true"),
    ("APPROVALS__SETTINGS", "true"),
    ("APPROVALS__ADJUSTMENT_ABOVE_TRX", "1000000"),
    ("APPROVALS__ADJUSTMENT_ABOVE_USDT", "1000000"),
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
    let mut ids = exists(&mut api).await;
    let people = people(&api, &mut ids).await;
    let ids = ids.to_string();
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
            .env("SWITCHYARD_KEY", &people.boss)
            .envs(people.tokens.iter().cloned())
            .env("SWITCHYARD_REFRESH", &people.refresh)
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

/// Who asks.
struct People {
    /// The token of one who may do everything.
    boss: String,
    /// Of others, for operations that end the session that asks, or count wrong passwords: by the variable that the suite reads.
    tokens: Vec<(String, String)>,
    refresh: String,
}

/// Makes operators, roles and keys, and adds what they are to `ids`.
async fn people(api: &TestApi, ids: &mut Value) -> People {
    // not all, so that others may have more: those he cannot sign out and reset, and they are asked elsewhere in this run
    let mut points: Vec<String> = PermissionSet::all().words().into_iter().map(str::to_owned).collect();
    let not_his = [
        "account:own",
        "content:publish",
        "keys:revoke",
        "users:block",
        "maintenance:manage",
    ];
    points.retain(|point| !not_his.contains(&point.as_str()));
    let nearly_all = RoleDraft {
        name: "nearly_all",
        title: "Nearly everything",
        permissions: &points,
    };
    set_role(&api.owner, &By::command("test"), nearly_all, api.now())
        .await
        .unwrap();
    let boss = api.operator(&["nearly_all"]).await;
    let (session, _) = api.session_of(boss.id).await;
    let for_hours = |operator: Uuid, session: Uuid| long_token(operator, session, api.now() + Duration::hours(2));
    let boss_token = for_hours(boss.id, session);
    let mut operators = Vec::new();
    for _ in 0..3 {
        operators.push(api.operator(&["observer"]).await.id);
    }
    let mut tokens = Vec::new();
    for of in ["SIGN_OUT", "SIGN_OUT_EVERYWHERE", "PASSWORD", "TOTP", "TOTP_CONFIRM"] {
        let somebody = api.operator(&["super_admin"]).await.id;
        let token = for_hours(somebody, api.session_of(somebody).await.0);
        tokens.push((format!("SWITCHYARD_{of}"), token));
    }
    let ending = api.operator(&["super_admin"]).await.id;
    let own = api.session_of(ending).await.0;
    tokens.push(("SWITCHYARD_SESSIONS".to_owned(), for_hours(ending, own)));
    let mut sessions = Vec::new();
    for _ in 0..3 {
        sessions.push(api.session_of(ending).await.0);
    }
    let plain = api.operator(&["super_admin"]).await.id;
    let one_step =
        format!("UPDATE operators SET (email, totp_sealed) = ('plain@example.org', NULL) WHERE id = '{plain}'");
    api.db.sql(&one_step).await;
    let refreshed = api.session_of(plain).await.0;
    for role in ["night", "day", "noon"] {
        let body = json!({ "title": "Shift", "permissions": ["jobs:read"] });
        let put = api
            .with_token(&boss_token, Method::PUT, &format!("/api/roles/{role}"), &body)
            .await;
        assert_eq!(put.status, 201);
    }
    let mut keys = Vec::new();
    for _ in 0..3 {
        keys.push(api.key_with(&[Scope::OrdersRead], 10).await.0);
    }
    ids["/api/auth/sessions/{id}"] = json!({ "id": sessions });
    ids["/api/operators/{id}"] = json!({ "id": operators });
    ids["/api/roles/{name}"] = json!({ "name": ["night", "day", "noon"] });
    ids["/api/keys/{id}"] = json!({ "id": keys });
    People {
        boss: boss_token,
        tokens,
        refresh: refresh_token(refreshed),
    }
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
    let (much, mut approvals) = (json!({ "amount": "2000000", "reason": "test" }), Vec::new());
    for _ in 0..12 {
        let asked = make(api, "/api/users/42/deposit", &much).await;
        approvals.push(id(&asked["approval"]));
    }
    json!({
        "/api/operations/queues/{queue}": { "queue": ["payouts", "notify"] },
        // what is approved cannot be rejected any more
        "/api/approvals/{id}/approve": { "id": approvals[..6] },
        "/api/approvals/{id}": { "id": approvals[6..] },
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
        "/api/settings/versions/{version}": { "version": ["1", "2"] },
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
