//! A hundred clients send one request at once: each write of the API has the effect of one.

use std::collections::{BTreeMap, BTreeSet};

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use futures::future::join_all;
use serde_json::{Value, json};
use switchyard_api::{Scope, openapi};

use crate::operators::{PASSWORD, TestOperator, refresh_token};
use crate::support::{RECEIVER, Reply, TestApi, order};

const AT_ONCE: usize = 100;
const XPUB: &str =
    "xpub6D1AabNHCupeiLM65ZR9UStMhJ1vCpyV4XbZdyhMZBiJXALQtmn9p42VTQckoHVn8WNqS7dqnJokZHAHcHGoaQgmv8D45oNUKx6DZMNZBCd";
const ADDRESSES: [&str; 2] = [
    "TLyqzVGLV1srkB7dToTAEqgDSfPtXRJZYH",
    "TUJ2YbSDGtCqzRz7quPQidRCMC98jDAPXc",
];
const WALLETS: [&str; 2] = [
    "00000000-0000-7000-8000-0000000000a1",
    "00000000-0000-7000-8000-0000000000a2",
];
const KEYS: [&str; 2] = [
    "b5a4cea271ff424d7c31dc12a3e43e401df7a40d7412a15750f3f0b6b5449a28",
    "0c28fca386c7a227600b2fe50b7cae11ec86d3bf1fbe471be89827e19d72aa1d",
];

/// Two of everything that a request may be about.
const GROUND: &str = "
    INSERT INTO supplier_wallets (id, address, state, balance_sun, staked_energy_sun, delegatable_sun, bandwidth_available,
        synced_at, created_at, updated_at) VALUES
        ('00000000-0000-7000-8000-0000000000a1', 'TJRabPrwbZy45sbavfcjinPJC18kjpRTv8', 'active', 9000000000, 900000000000,
            900000000000, 600000, '2027-01-15T07:59:00Z', '2027-01-15T06:00:00Z', '2027-01-15T07:00:00Z'),
        ('00000000-0000-7000-8000-0000000000a2', 'TUEZSdKsoDHQMeZwihtdoBiN46zxhGWYdH', 'active', 9000000000, 900000000000,
            900000000000, 600000, '2027-01-15T07:59:00Z', '2027-01-15T06:00:00Z', '2027-01-15T07:00:00Z');
    INSERT INTO chain_cursors (network, head_number, head_block_id, head_time, solid_number, solid_block_id, solid_time,
        first_number, total_energy_limit, total_energy_weight, updated_at)
        VALUES ('tron', 100, repeat('a', 64), '2027-01-15T07:59:57Z', 90, repeat('b', 64), '2027-01-15T07:59:30Z', 1,
            180000000000, 18000000000, now());
    INSERT INTO rates (id, at, kind, sun_per_usdt) VALUES (gen_random_uuid(), '2027-01-15T07:59:50Z', 'market', 3500000);
    INSERT INTO findings (id, kind, severity, subject, metric, action, first_seen_at, last_seen_at)
        SELECT ('00000000-0000-7000-8000-0000000000f' || n)::uuid, 'pool.low_stock', 'warning', 'n' || n, 'm', 'Look.', now(), now()
        FROM generate_series(1, 2) AS n;
    INSERT INTO jobs (kind, object_id, queue, runs, state, next_run_at, last_error_code, last_error, dead_at, created_at)
        SELECT 'wallets.sync', 'o' || n, 'wallets', 10, 'dead', '2027-01-15T08:00:00Z', 'bad', 'in words', '2027-01-15T08:00:00Z',
            '2027-01-15T08:00:00Z' FROM generate_series(1, 2) AS n;
    INSERT INTO deposit_addresses (id, network, address, kind, created_at)
        VALUES ('00000000-0000-7000-8000-0000000000b1', 'tron', 'TUJ2YbSDGtCqzRz7quPQidRCMC98jDAPXc', 'shared', now());
    INSERT INTO incoming_transfers (id, network, txid, log_index, block_number, block_id, block_time, place, from_address,
        to_address, address_id, amount, state, kind, asset, decided_by, decided_at, created_at, updated_at)
        SELECT ('00000000-0000-7000-8000-0000000000c' || n)::uuid, 'tron', repeat(n::text, 64), -1, 7, 'b7', now(), 0, 'TA',
            'TUJ2YbSDGtCqzRz7quPQidRCMC98jDAPXc', '00000000-0000-7000-8000-0000000000b1', 5000000, 'held', 'unmatched', 'TRX',
            'worker', now(), now(), now() FROM generate_series(1, 2) AS n";

/// A request that is sent.
struct Call {
    method: Method,
    path: String,
    body: Option<Value>,
    /// Whether it carries an Idempotency-Key.
    marked: bool,
    key: Option<String>,
}

fn post(path: impl Into<String>, body: Value) -> Call {
    Call {
        method: Method::POST,
        path: path.into(),
        body: Some(body),
        marked: true,
        key: None,
    }
}

impl Call {
    fn unmarked(self) -> Self {
        Self { marked: false, ..self }
    }

    fn by(self, method: Method) -> Self {
        Self { method, ..self }
    }

    fn with_key(self, key: String) -> Self {
        let key = Some(key);
        Self { key, ..self }
    }

    fn without_body(self) -> Self {
        Self { body: None, ..self }
    }
}

fn id(reply: &Reply) -> String {
    assert!(reply.status.is_success(), "{}", reply.body);
    reply.body["id"].as_str().unwrap().to_owned()
}

/// What a request of this operation is about, made before: the first or the second of it.
async fn prepare(api: &TestApi, operation: &str, n: usize) -> Call {
    match operation.split_once('_').unwrap().1 {
        "user" => users(api, operation, n)
            .await
            .with_key(api.signed_in(&["super_admin"]).await.1),
        _ if of_people(operation) => people(api, operation, n).await,
        _ if operation.contains("webhook") => webhooks(api, operation, n).await,
        _ if operation == "rule_deposit" => operators(operation, n),
        "order" | "orders" | "standing_order" | "quote" | "pending_orders" => orders(api, operation, n).await,
        "payout" => payouts(api, operation, n).await,
        "user_balance" | "payout_address" | "user_wallet" | "deposit" | "exchange" => users(api, operation, n).await,
        _ => operators(operation, n),
    }
}

/// Whether it is about those who sign in.
fn of_people(operation: &str) -> bool {
    let words = [
        "operator",
        "totp",
        "password",
        "session",
        "sign_",
        "role",
        "create_key",
        "rotate_key",
        "key_terms",
        "revoke_key",
        "switch",
        "pause_queue",
        "_request",
        "publish_prices",
        "retry_orders",
        "refund_orders",
        "note_orders",
        "settings",
    ];
    words.iter().any(|word| operation.contains(word))
}

/// Each makes or compares passwords, which takes its time.
fn is_slow(operation: &str) -> bool {
    let slow = [
        "sign_in",
        "change_password",
        "enrol_totp",
        "create_operator",
        "reset_operator",
    ];
    slow.iter().any(|word| operation.contains(word))
}

async fn people(api: &TestApi, operation: &str, n: usize) -> Call {
    let (boss, admin) = api.signed_in(&["super_admin"]).await;
    let other = api.operator(&["observer"]).await;
    let call = match operation {
        "sign_in" => {
            let code = other.code(api.now());
            let body = json!({ "email": other.email, "password": PASSWORD, "totp_code": code });
            return Call {
                key: Some(String::new()),
                ..post("/api/auth/sign-in", body).unmarked()
            };
        }
        "refresh_session" => {
            let (session, _) = api.session_of(other.id).await;
            let body = json!({ "refresh_token": refresh_token(session) });
            return Call {
                key: Some(String::new()),
                ..post("/api/auth/refresh", body).unmarked()
            };
        }
        "sign_out" => nothing("/api/auth/sign-out".to_owned()),
        "sign_out_everywhere" => nothing("/api/auth/sign-out-everywhere".to_owned()),
        "end_own_session" => {
            let (session, _) = api.session_of(boss.id).await;
            nothing(format!("/api/auth/sessions/{session}")).by(Method::DELETE)
        }
        "change_password" => {
            let body = json!({ "current_password": PASSWORD, "new_password": "nine green doors over the hill" });
            post("/api/auth/password", body).unmarked()
        }
        "enrol_totp" => post("/api/auth/totp", json!({ "password": PASSWORD })).unmarked(),
        "confirm_totp" => {
            let made = format!(
                "UPDATE operators SET (totp_pending, totp_last_step) = (totp_sealed, NULL) WHERE id = '{}'",
                boss.id
            );
            api.db.sql(&made).await;
            post("/api/auth/totp/confirm", json!({ "totp_code": boss.code(api.now()) })).unmarked()
        }
        _ => administration(api, (operation, n), &admin, &other).await,
    };
    call.with_key(admin)
}

fn nothing(path: String) -> Call {
    post(path, Value::Null).without_body().unmarked()
}

async fn administration(api: &TestApi, (operation, n): (&str, usize), admin: &str, other: &TestOperator) -> Call {
    let him = |action: &str| format!("/api/operators/{}/{action}", other.id);
    let role = json!({ "title": "Night shift", "permissions": ["jobs:read"] });
    match operation {
        "create_operator" => post(
            "/api/operators",
            json!({ "email": format!("new{n}@example.org"), "name": "Anna", "roles": ["observer"] }),
        ),
        "update_operator" => {
            let path = format!("/api/operators/{}", other.id);
            post(path, json!({ "roles": [] })).unmarked().by(Method::PATCH)
        }
        "reset_operator_password" => post(him("reset-password"), json!({ "reason": "test" })),
        "reset_operator_totp" => post(him("reset-totp"), json!({ "reason": "test" })),
        "create_key" => post(
            "/api/keys",
            json!({ "name": "bot", "scopes": ["orders:read"], "allowed_from": ["10.0.0.0/8"] }),
        ),
        "rotate_key" | "set_key_terms" | "revoke_key" | "sign_key" | "unsign_key" => {
            let (key, _) = api.key_with(&[Scope::OrdersRead], 100).await;
            let path = format!("/api/keys/{key}");
            match operation {
                "sign_key" => post(format!("{path}/signing"), json!({ "overlap_hours": 1 })),
                "unsign_key" => nothing(format!("{path}/signing")).by(Method::DELETE),
                "rotate_key" => post(format!("{path}/rotate"), json!({ "overlap_hours": 1 })),
                "set_key_terms" => {
                    let body = json!({ "rate_limit_per_minute": 50 });
                    post(format!("{path}/terms"), body).unmarked().by(Method::PUT)
                }
                _ => nothing(format!("{path}/revoke")),
            }
        }
        "throw_switch" => {
            let name = ["maintenance", "payouts"][n];
            let body = json!({ "enabled": true, "reason": "test" });
            post(format!("/api/operations/switches/{name}"), body)
                .unmarked()
                .by(Method::PUT)
        }
        "pause_queue" => {
            let path = format!("/api/operations/queues/{}", ["payouts", "wallets"][n]);
            let body = json!({ "paused": true, "reason": "test" });
            post(path, body).unmarked().by(Method::PUT)
        }
        "update_settings" | "restore_settings" => settings(api, (operation, n), admin).await,
        "unlock_operator" => nothing(him("unlock")),
        "sign_operator_out" => nothing(him("sign-out")),
        "set_role" => post(format!("/api/roles/night{n}"), role).unmarked().by(Method::PUT),
        "delete_role" => {
            let path = format!("/api/roles/night{n}");
            assert_eq!(
                api.with_token(admin, Method::PUT, &path, &role).await.status,
                StatusCode::CREATED
            );
            nothing(path).by(Method::DELETE)
        }
        _ => commands(api, (operation, n)).await,
    }
}

/// What operators alone do with orders, prices and what others asked for.
async fn commands(api: &TestApi, (operation, n): (&str, usize)) -> Call {
    match operation {
        "publish_prices" => {
            let band = json!({ "energy_min": 1, "energy_max": 1_000_000, "duration_min_s": 60, "duration_max_s": 86_400,
                "price_millisun_per_energy": 40_000 });
            post("/api/prices", json!({ "bands": [band], "reason": "test" }))
        }
        "retry_orders" | "refund_orders" | "note_orders" => {
            let placed = id(&api.order(&format!("ground-{n}")).await);
            let word = operation.strip_suffix("_orders").unwrap();
            let reason = if word == "note" { "note" } else { "reason" };
            let path = format!("/api/operations/orders/{word}");
            post(path, json!({ "orders": [placed], reason: "test" }))
        }
        "approve_request" | "reject_request" => {
            let body = json!({ "amount": "20000", "reason": "test" });
            let asked = api.marked("/api/users/42/deposit", &format!("ground-{n}"), &body).await;
            let approval = asked.body["approval"]["id"].as_str().unwrap();
            let word = operation.strip_suffix("_request").unwrap();
            post(format!("/api/approvals/{approval}/{word}"), json!({ "reason": "test" }))
        }
        other => panic!("{other} has no case here"),
    }
}

/// A change on the versions that are there by then, or the going back to one of two that were made before.
async fn settings(api: &TestApi, (operation, n): (&str, usize), admin: &str) -> Call {
    let change = |base: usize, quote_s: usize| json!({ "base_version": base, "changes": { "orders.quote_s": quote_s }, "reason": "test" });
    if operation == "update_settings" {
        return post("/api/settings", change(n, 70 + n)).by(Method::PUT);
    }
    let made = api
        .with_token(admin, Method::PUT, "/api/settings", &change(n, 70 + n))
        .await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    // the first goes back to version 1 and makes the third, which the second takes back to version 2
    let body = json!({ "base_version": n + 2, "reason": "test" });
    post(format!("/api/settings/versions/{}/restore", n + 1), body)
}

async fn orders(api: &TestApi, operation: &str, n: usize) -> Call {
    let standing = || {
        json!({ "user_id": 42, "receiver": RECEIVER, "keep_energy": 65_000, "duration_s": 3_600, "budget": "10",
            "until": "2027-02-01T00:00:00Z" })
    };
    match operation {
        "create_order" => post("/api/orders", order()),
        "create_orders" => post(
            "/api/orders/batch",
            json!({ "mode": "all_or_nothing", "orders": [order(), order()] }),
        ),
        "cancel_order" => {
            let placed = id(&api.order(&format!("ground-{n}")).await);
            post(format!("/api/orders/{placed}/cancel"), json!({})).unmarked()
        }
        "extend_order" => post(
            format!("/api/orders/{}/extend", settled(api, n).await),
            json!({ "duration_s": 3_600 }),
        ),
        "create_standing_order" => {
            let mut body = standing();
            body["receiver"] = json!(ADDRESSES[n]);
            post("/api/standing-orders", body)
        }
        "stop_standing_order" => {
            let mut body = standing();
            body["receiver"] = json!(ADDRESSES[n]);
            let made = id(&api.marked("/api/standing-orders", &format!("ground-{n}"), &body).await);
            post(format!("/api/standing-orders/{made}/stop"), json!({})).unmarked()
        }
        "create_quote" => post(
            "/api/quotes",
            json!({ "energy": 65_000, "duration_s": 3_600, "hold_stock": true }),
        ),
        "process_pending_orders" => post("/api/supplier-wallets/process-orders", json!({})).unmarked(),
        other => panic!("{other} has no case here"),
    }
}

/// An order whose energy is there for good.
async fn settled(api: &TestApi, n: usize) -> String {
    let mut wish = order();
    wish["receiver"] = json!(ADDRESSES[n]);
    let order = id(&api.marked("/api/orders", &format!("ground-{n}"), &wish).await);
    let (times, wallet) = ("'2027-01-15T08:00:00Z', '2027-01-15T09:00:00Z'", WALLETS[n]);
    let receiver = ADDRESSES[n];
    api.db
        .sql(&format!(
            "UPDATE orders SET state = 'processing' WHERE id = '{order}';
             INSERT INTO delegations (id, order_id, wallet_id, network, receiver, energy, amount_sun, state, block_number,
                active_at, ends_at, created_at, updated_at) VALUES (gen_random_uuid(), '{order}', '{wallet}', 'tron', '{receiver}',
                65000, 240000000, 'active', 99, {times}, now(), now());
             UPDATE orders SET state = 'completed', (completed_at, ends_at) = ({times}) WHERE id = '{order}';
             UPDATE orders SET settled_at = now() WHERE id = '{order}'"
        ))
        .await;
    order
}

async fn payouts(api: &TestApi, operation: &str, n: usize) -> Call {
    let body = json!({ "asset": "TRX", "amount": "200.000001", "to": ADDRESSES[0] });
    if operation == "create_payout" {
        return post("/api/users/42/payouts", body);
    }
    let payout = id(&api.marked("/api/users/42/payouts", &format!("ground-{n}"), &body).await);
    let (_, other) = api.key_with(Scope::ALL, 1_000_000).await;
    let word = operation.strip_suffix("_payout").unwrap();
    let path = format!("/api/operations/payouts/{payout}/{word}");
    post(path, json!({ "reason": "test" })).with_key(other)
}

async fn users(api: &TestApi, operation: &str, n: usize) -> Call {
    let adjust = |word: &str| {
        post(
            format!("/api/users/42/{word}"),
            json!({ "amount": "1", "reason": "test" }),
        )
    };
    let listed = json!({ "address": ADDRESSES[n] });
    let kept = |path: &str| format!("{path}/{}", ADDRESSES[n]);
    let (payout_addresses, wallets) = ("/api/users/42/payout-addresses", "/api/wallets/users/42");
    match operation {
        "block_user" => post("/api/users/42/block", json!({ "reason": "test" })).unmarked(),
        "unblock_user" => post("/api/users/42/unblock", Value::Null).without_body().unmarked(),
        "deposit_user_balance" => adjust("deposit"),
        "deduct_user_balance" => adjust("deduct"),
        "refund_user_balance" => adjust("refund"),
        "add_payout_address" => post(payout_addresses, listed).unmarked(),
        "create_user_wallet" => post(wallets, listed).unmarked(),
        "delete_payout_address" | "delete_user_wallet" => {
            let path = if operation == "delete_user_wallet" {
                wallets
            } else {
                payout_addresses
            };
            assert_eq!(api.post(path, &listed).await.status, StatusCode::CREATED);
            let call = post(kept(path), Value::Null).by(Method::DELETE);
            call.unmarked().without_body()
        }
        "open_deposit" => {
            // the user's address is made with the first
            let (path, body) = ("/api/users/42/deposits", json!({ "asset": "TRX", "way": "address" }));
            assert_eq!(
                api.marked(path, &format!("ground-{n}"), &body).await.status,
                StatusCode::CREATED
            );
            post(path, body)
        }
        "create_exchange" => {
            let usdt = json!({ "asset": "USDT", "amount": "50", "reason": "test" });
            let given = api.marked("/api/users/42/deposit", &format!("ground-{n}"), &usdt).await;
            assert_eq!(given.status, StatusCode::OK);
            post(
                "/api/users/42/exchange",
                json!({ "from": "USDT", "to": "TRX", "amount": "20" }),
            )
        }
        other => panic!("{other} has no case here"),
    }
}

fn operators(operation: &str, n: usize) -> Call {
    let (wallet, which) = (WALLETS[n], n + 1);
    let one = json!({ "kind": "wallets.sync", "object_id": format!("o{which}"), "reason": "test" });
    match operation {
        "add_supplier_wallets" => post("/api/supplier-wallets/add", json!({ "private_key": KEYS[n] })),
        "replace_supplier_wallet_key" => post(
            format!("/api/supplier-wallets/{wallet}/key"),
            json!({ "private_key": KEYS[n], "reason": "test" }),
        ),
        "update_supplier_wallet_balances" => {
            post("/api/supplier-wallets/update-balances", json!({ "ids": [wallet] })).unmarked()
        }
        "toggle_supplier_wallet" => {
            let call = post(
                format!("/api/supplier-wallets/{wallet}/toggle"),
                json!({ "enabled": false }),
            );
            call.unmarked().by(Method::PUT)
        }
        "redrive_jobs" => post("/api/operations/jobs/redrive", one),
        "drop_jobs" => post("/api/operations/jobs/drop", one),
        "redrive_stuck" => post("/api/operations/stuck/redrive", json!({ "all": true })),
        "resolve_finding" => post(
            format!("/api/operations/findings/00000000-0000-7000-8000-0000000000f{which}/resolve"),
            json!({ "reason": "test" }),
        ),
        "rule_deposit" => post(
            format!("/api/operations/deposits/00000000-0000-7000-8000-0000000000c{which}/rule"),
            json!({ "ruling": "credit", "user_id": 42, "reason": "test" }),
        ),
        "request_staking" => post(
            "/api/operations/stakings",
            json!({ "wallet_id": wallet, "action": "stake", "resource": "energy", "amount": "100", "reason": "test" }),
        ),
        other => panic!("{other} has no case here"),
    }
}

async fn webhooks(api: &TestApi, operation: &str, n: usize) -> Call {
    let endpoint = json!({ "url": format!("https://shop{n}.example/hooks"), "event_types": [] });
    if operation == "create_webhook" {
        return post("/api/webhooks", endpoint);
    }
    let made = id(&api.marked("/api/webhooks", &format!("ground-{n}"), &endpoint).await);
    let path = format!("/api/webhooks/{made}");
    match operation {
        "update_webhook" => post(path, json!({ "description": "test" })).by(Method::PATCH),
        "delete_webhook" => post(path, Value::Null).by(Method::DELETE).unmarked().without_body(),
        "rotate_webhook_secret" => post(format!("{path}/rotate-secret"), json!({})),
        "test_webhook" => post(format!("{path}/test"), json!({})),
        "resend_webhook_delivery" | "resend_webhook_deliveries" => {
            let test = api
                .marked(&format!("{path}/test"), &format!("test-{n}"), &json!({}))
                .await;
            let delivery = test.body["delivery_id"].as_str().unwrap();
            let failed = format!("UPDATE webhook_deliveries SET state = 'failed' WHERE event_id = '{delivery}'");
            api.db.sql(&failed).await;
            if operation == "resend_webhook_delivery" {
                post(format!("{path}/deliveries/{delivery}/resend"), json!({}))
            } else {
                post(format!("{path}/resend"), json!({ "reason": "test" }))
            }
        }
        other => panic!("{other} has no case here"),
    }
}

impl TestApi {
    async fn call(&self, call: &Call, mark: &str) -> Reply {
        let key = call.key.as_ref().unwrap_or(&self.key);
        let mut request = Request::builder().method(call.method.clone()).uri(&call.path);
        if !key.is_empty() {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        if call.marked {
            request = request.header("idempotency-key", mark);
        }
        let body = match &call.body {
            Some(body) => {
                request = request.header("content-type", "application/json");
                Body::from(body.to_string())
            }
            None => Body::empty(),
        };
        self.send(request.body(body).unwrap()).await
    }

    /// How many rows each table has, but for those of the audit trail, which tells of each request, and for the ledger's
    /// accounts, which are opened when they are first needed.
    async fn rows(&self) -> BTreeMap<String, i64> {
        let text = self
            .text(
                "SELECT string_agg(tablename || ' ' || (xpath('/row/n/text()', query_to_xml(format('SELECT count(*) AS n FROM %I', \
                 tablename), false, true, '')))[1]::text, ',') FROM pg_tables \
                 WHERE schemaname = 'public' AND tablename NOT LIKE 'audit%' AND tablename <> 'ledger_accounts'",
            )
            .await;
        let row = |row: &str| {
            let (table, n) = row.split_once(' ').unwrap();
            (table.to_owned(), n.parse().unwrap())
        };
        text.split(',').map(row).collect()
    }
}

/// What came to be, by table.
fn more(before: &BTreeMap<String, i64>, after: &BTreeMap<String, i64>) -> BTreeMap<String, i64> {
    let differ = after.iter().filter(|(table, n)| before[*table] != **n);
    differ.map(|(table, n)| (table.clone(), n - before[table])).collect()
}

fn operations_that_write() -> BTreeSet<String> {
    let document = serde_json::to_value(openapi()).unwrap();
    let items = document["paths"].as_object().unwrap().values();
    items
        .flat_map(|item| item.as_object().unwrap())
        .filter(|(method, _)| *method != "get")
        .map(|(_, operation)| operation["operationId"].as_str().unwrap().to_owned())
        .collect()
}

async fn has_one_effect(operation: &str) {
    let api = TestApi::with(&[("DEPOSITS__WAYS", "address"), ("DEPOSITS__ACCOUNT_XPUB", XPUB)]).await;
    api.deposit(42, "900").await;
    api.db.sql(GROUND).await;
    let (first, second) = (prepare(&api, operation, 0).await, prepare(&api, operation, 1).await);
    let before = api.rows().await;
    let once = api.call(&first, "once").await;
    assert!(once.status.is_success(), "{operation}: {}", once.body);
    let between = api.rows().await;
    let at_once = if is_slow(operation) { 20 } else { AT_ONCE };
    let replies = join_all((0..at_once).map(|_| api.call(&second, "at-once"))).await;
    let effect = more(&before, &between);
    let one = replies
        .iter()
        .find(|reply| !reply.status.is_success())
        .unwrap_or(&replies[0]);
    assert_eq!(more(&between, &api.rows().await), effect, "{operation}: {}", one.body);
    let balances = api
        .text("SELECT string_agg(code || balance, ' ' ORDER BY code) FROM ledger_accounts WHERE balance IS NOT NULL");
    assert!(!balances.await.contains('-'), "{operation}: nobody owes");
    let succeeded: Vec<&Reply> = replies.iter().filter(|reply| reply.status.is_success()).collect();
    if first.marked {
        assert_eq!(succeeded.len(), at_once, "{operation}: {}", replies[0].body);
        // a correction of a balance says it in its body
        let replayed =
            |reply: &&&Reply| reply.header("idempotency-replayed") == "true" || reply.body["replayed"] == true;
        assert_eq!(succeeded.iter().filter(replayed).count(), at_once - 1, "{operation}");
    } else {
        assert!(!succeeded.is_empty(), "{operation}: {}", replies[0].body);
        let lost = |reply: &&Reply| {
            let seen = matches!(reply.status, StatusCode::NOT_FOUND | StatusCode::CONFLICT);
            // the session that asked was ended by the first
            let ended = operation.contains("sign_out") && reply.code() == "unauthorized";
            seen || ended || ["sign_in_failed", "not_proven"].contains(&reply.code())
        };
        assert_eq!(
            succeeded.len() + replies.iter().filter(lost).count(),
            at_once,
            "{operation}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_replays_of_each_write_have_the_effect_of_one() {
    let operations = operations_that_write();
    assert!(operations.len() > 30, "{operations:?}");
    for operation in &operations {
        has_one_effect(operation).await;
    }
}
