//! Four eyes: what waits for a second operator, who may decide it, and that it is carried out once.

use axum::http::{Method, StatusCode};
use db::models::{Approval, ApprovalState};
use futures::future::join_all;
use serde_json::{Value, json};
use switchyard_api::Scope;

use crate::support::{Reply, TestApi};

const FOUR_EYES: [(&str, &str); 3] = [
    ("APPROVALS__KEY_REPLACEMENTS", "true"),
    ("APPROVALS__PRICES", "true"),
    ("APPROVALS__SETTINGS", "true"),
];
const WALLET: &str = "00000000-0000-7000-8000-0000000000a1";

fn why() -> Value {
    json!({ "reason": "checked" })
}

fn much() -> Value {
    json!({ "amount": "10000.000001", "reason": "invoice 7" })
}

fn asked(reply: &Reply) -> String {
    assert_eq!(reply.status, StatusCode::ACCEPTED, "{}", reply.body);
    assert_eq!(reply.body["approval"]["state"], "open");
    reply.body["approval"]["id"].as_str().unwrap().to_owned()
}

impl TestApi {
    async fn decide(&self, token: &str, id: &str, word: &str) -> Reply {
        let path = format!("/api/approvals/{id}/{word}");
        self.with_token(token, Method::POST, &path, &why()).await
    }

    async fn approval(&self, token: &str, id: &str) -> Value {
        let path = format!("/api/approvals/{id}");
        self.with_token(token, Method::GET, &path, &Value::Null).await.body
    }
}

#[tokio::test]
async fn much_money_is_corrected_once_another_operator_agrees() {
    let api = TestApi::new().await;
    let (_, token) = api.signed_in(&["finance_manager"]).await;
    // the limit itself is still below
    api.deposit(42, "10000").await;
    let reply = api.marked("/api/users/42/deposit", "m", &much()).await;
    let id = asked(&reply);
    let again = api.marked("/api/users/42/deposit", "m", &much()).await;
    assert_eq!(
        (asked(&again), again.header("idempotency-replayed")),
        (id.clone(), "true")
    );
    assert_eq!(api.balance(42).await, "10100.000000", "nothing moved yet");
    let decided = api.decide(&token, &id, "approve").await;
    assert_eq!(decided.status, StatusCode::OK, "{}", decided.body);
    assert_eq!(decided.body["state"], "approved");
    assert_eq!(decided.body["result"]["balance"], "20100.000001");
    assert_eq!(api.balance(42).await, "20100.000001");
    api.decide(&token, &id, "approve")
        .await
        .refused(409, "approval_decided");
    api.decide(&token, &id, "reject").await.refused(409, "approval_decided");
    // who asked is told what came of it
    let told = api.marked("/api/users/42/deposit", "m", &much()).await;
    assert_eq!(told.status, StatusCode::ACCEPTED);
    assert_eq!(told.body["approval"]["state"], "approved");
    assert_eq!(api.balance(42).await, "20100.000001");
    let in_whose_name =
        "SELECT count(*) FROM ledger_transfers WHERE reason = 'operator_adjustment' AND amount = 10000000001";
    let asker = format!("{in_whose_name} AND actor = 'api_key:{}'", api.key_id);
    assert_eq!(api.count(&asker).await, 1);
}

#[tokio::test]
async fn nobody_agrees_to_what_he_asked_for_himself() {
    let api = TestApi::new().await;
    let (_, anna) = api.signed_in(&["finance_manager"]).await;
    let (_, ben) = api.signed_in(&["finance_manager"]).await;
    let id = asked(
        &api.with_token(&anna, Method::POST, "/api/users/42/deposit", &much())
            .await,
    );
    api.decide(&anna, &id, "approve").await.refused(403, "own_proposal");
    assert_eq!(api.approval(&anna, &id).await["state"], "open");
    assert_eq!(api.decide(&ben, &id, "approve").await.status, StatusCode::OK);
    // he may take it back
    let id = asked(
        &api.with_token(&anna, Method::POST, "/api/users/42/deposit", &much())
            .await,
    );
    let back = api.decide(&anna, &id, "reject").await;
    assert_eq!((back.status, &back.body["state"]), (StatusCode::OK, &json!("rejected")));
    assert_eq!(back.body["result"], Value::Null);
    api.decide(&ben, &id, "approve").await.refused(409, "approval_decided");
    assert_eq!(api.balance(42).await, "10100.000001");
}

#[tokio::test]
async fn who_was_shown_a_key_does_not_agree_to_what_it_asks_for() {
    let api = TestApi::new().await;
    let (_, anna) = api.signed_in(&["super_admin"]).await;
    let (_, ben) = api.signed_in(&["super_admin"]).await;
    let asked_with = async |clear: &str| {
        let path = "/api/users/42/deposit";
        asked(&api.with_token(clear, Method::POST, path, &much()).await)
    };
    let refused_then_done = async |id: &str| {
        api.decide(&anna, id, "approve").await.refused(403, "own_proposal");
        assert_eq!(api.approval(&anna, id).await["state"], "open");
        let done = api.decide(&ben, id, "approve").await;
        assert_eq!(done.status, StatusCode::OK, "{}", done.body);
    };
    // made
    let new = json!({ "name": "bot", "scopes": ["balances:write"] });
    let made = api.with_token(&anna, Method::POST, "/api/keys", &new).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    let id = asked_with(made.body["clear"].as_str().unwrap()).await;
    refused_then_done(&id).await;
    // rotated, or told to sign, between the request and the decision
    for (action, status) in [("rotate", StatusCode::OK), ("signing", StatusCode::CREATED)] {
        let (key, clear) = api.key_with(&[Scope::BalancesWrite], 100).await;
        let id = asked_with(&clear).await;
        let path = format!("/api/keys/{key}/{action}");
        let shown = api.with_token(&anna, Method::POST, &path, &json!({})).await;
        assert_eq!(shown.status, status, "{}", shown.body);
        refused_then_done(&id).await;
    }
    // whoever only limits it was shown nothing
    let (key, clear) = api.key_with(&[Scope::BalancesWrite], 100).await;
    let path = format!("/api/keys/{key}/terms");
    let limited = api.with_token(&anna, Method::PUT, &path, &json!({})).await;
    assert_eq!(limited.status, StatusCode::OK, "{}", limited.body);
    let id = asked_with(&clear).await;
    assert_eq!(api.decide(&anna, &id, "approve").await.status, StatusCode::OK);
    // he may take back what it asked for
    let id = asked_with(&clear).await;
    assert_eq!(api.decide(&anna, &id, "reject").await.status, StatusCode::OK);
}

#[tokio::test]
async fn each_kind_takes_a_point_of_its_own_and_no_key_decides() {
    let api = TestApi::with(&FOUR_EYES).await;
    let (_, wallets) = api.signed_in(&["wallet_manager"]).await;
    let (_, observer) = api.signed_in(&["observer"]).await;
    let id = asked(&api.once("/api/users/42/deposit", &much()).await);
    api.decide(&wallets, &id, "approve")
        .await
        .refused(403, "insufficient_scope");
    api.decide(&observer, &id, "reject")
        .await
        .refused(403, "insufficient_scope");
    let path = format!("/api/approvals/{id}/approve");
    api.once(&path, &why()).await.refused(403, "insufficient_scope");
    let missing = "00000000-0000-7000-8000-000000000000";
    api.decide(&wallets, missing, "approve").await.refused(404, "not_found");
    let page = api
        .with_token(
            &observer,
            Method::GET,
            "/api/approvals?state=open&kind=balances.adjust",
            &Value::Null,
        )
        .await;
    assert_eq!(page.body["items"][0]["id"], json!(id));
    assert_eq!(api.approval(&wallets, &id).await["state"], "open");
}

#[tokio::test]
async fn what_cannot_be_carried_out_stays_open_and_ends_by_itself() {
    let api = TestApi::new().await;
    let (_, token) = api.signed_in(&["finance_manager"]).await;
    let id = asked(&api.once("/api/users/42/deduct", &much()).await);
    let refused = api.decide(&token, &id, "approve").await;
    refused.refused(409, "insufficient_funds");
    assert_eq!(api.balance(42).await, "100.000000");
    assert_eq!(api.approval(&token, &id).await["state"], "open");
    api.clock.advance_seconds(86_400);
    let (_, token) = api.signed_in(&["finance_manager"]).await;
    assert_eq!(api.approval(&token, &id).await["state"], "expired");
    api.deposit(42, "9999").await;
    api.deposit(42, "9999").await;
    api.decide(&token, &id, "approve")
        .await
        .refused(409, "approval_decided");
    let mut conn = db::acquire(&api.owner).await.unwrap();
    assert_eq!(Approval::expire(&mut conn, api.now(), 10).await.unwrap(), 1);
    let ended = Approval::find(&mut conn, id.parse().unwrap()).await.unwrap().unwrap();
    assert_eq!((ended.state, ended.ended_at), (ApprovalState::Expired, Some(api.now())));
    assert_eq!(api.balance(42).await, "20098.000000");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_decisions_at_once_one_has_an_effect() {
    let api = TestApi::new().await;
    let id = asked(&api.once("/api/users/42/deposit", &much()).await);
    let mut tokens = Vec::new();
    for _ in 0..8 {
        tokens.push(api.signed_in(&["finance_manager"]).await.1);
    }
    let words = ["approve", "reject"];
    let all = tokens.iter().zip(words.iter().cycle());
    let replies = join_all(all.map(|(token, word)| api.decide(token, &id, word))).await;
    assert_eq!(replies.iter().filter(|reply| reply.status == StatusCode::OK).count(), 1);
    let lost = replies.iter().filter(|reply| reply.code() == "approval_decided");
    assert_eq!(lost.count(), 7);
    let booked = "SELECT count(*) FROM ledger_transfers WHERE amount = 10000000001";
    let approved = "SELECT count(*) FROM approvals WHERE state = 'approved'";
    assert_eq!(api.count(booked).await, api.count(approved).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_one_who_asks_only_so_much_waits() {
    let api = TestApi::with(&[("APPROVALS__OPEN_MAX", "5")]).await;
    let (_, token) = api.signed_in(&["finance_manager"]).await;
    let body = much();
    let path = "/api/users/42/deposit";
    let replies = join_all((0..20).map(|_| api.once(path, &body))).await;
    let waits: Vec<_> = replies
        .iter()
        .filter(|reply| reply.status == StatusCode::ACCEPTED)
        .collect();
    assert_eq!(waits.len(), 5);
    let refused = replies.iter().filter(|reply| reply.code() == "approval_limit");
    assert_eq!(refused.count(), 15);
    api.once(path, &body).await.refused(409, "approval_limit");
    // another has room of his own
    asked(&api.with_token(&token, Method::POST, path, &body).await);
    assert_eq!(
        api.decide(&token, &asked(waits[0]), "approve").await.status,
        StatusCode::OK
    );
    assert_eq!(
        api.decide(&token, &asked(waits[1]), "reject").await.status,
        StatusCode::OK
    );
    for _ in 0..2 {
        asked(&api.once(path, &body).await);
    }
    api.once(path, &body).await.refused(409, "approval_limit");
}

#[tokio::test]
async fn prices_count_once_another_operator_agrees() {
    let api = TestApi::with(&FOUR_EYES).await;
    let (_, anna) = api.signed_in(&["strategy_manager"]).await;
    let (_, ben) = api.signed_in(&["finance_manager"]).await;
    let table = |price: i64, max: i64| {
        let band = json!({ "energy_min": 1, "energy_max": max, "duration_min_s": 60, "duration_max_s": 86_400,
            "price_millisun_per_energy": price });
        json!({ "bands": [band], "reason": "cheaper" })
    };
    let publish = async |table: Value| api.with_token(&anna, Method::POST, "/api/prices", &table).await;
    let bad = publish(table(1, 0)).await;
    bad.refused(422, "bad_price_table");
    assert_eq!(bad.field().0, "#/bands");
    let id = asked(&publish(table(20_000, 1_000_000)).await);
    publish(table(10_000, 1_000_000)).await.refused(409, "conflict");
    let before = api.get("/api/prices").await.body;
    api.clock.advance_seconds(1);
    let done = api.decide(&ben, &id, "approve").await;
    assert_eq!(done.status, StatusCode::OK, "{}", done.body);
    let after = api.get("/api/prices").await.body;
    assert_ne!(before["version"], after["version"]);
    assert_eq!(done.body["result"]["version"], after["version"]);
    assert_eq!(after["bands"][0]["price_millisun_per_energy"], 20_000);
    asked(&publish(table(10_000, 1_000_000)).await);
}

#[tokio::test]
async fn settings_count_once_another_operator_agrees() {
    let api = TestApi::with(&FOUR_EYES).await;
    let (operator, anna) = api.signed_in(&["super_admin"]).await;
    let (_, ben) = api.signed_in(&["super_admin"]).await;
    let change = async |base: i64, changes: Value| {
        let body = json!({ "base_version": base, "changes": changes, "reason": "short" });
        api.with_token(&anna, Method::PUT, "/api/settings", &body).await
    };
    let bad = change(0, json!({ "orders.energy_max": 1 })).await;
    bad.refused(422, "invalid_body");
    change(1, json!({ "orders.energy_max": 60_000 }))
        .await
        .refused(409, "conflict");
    let id = asked(&change(0, json!({ "orders.energy_max": 60_000 })).await);
    change(0, json!({ "orders.quote_s": 90 }))
        .await
        .refused(409, "conflict");
    assert_eq!(api.order("before").await.status, 201, "nothing is changed yet");
    api.decide(&anna, &id, "approve").await.refused(403, "own_proposal");
    let done = api.decide(&ben, &id, "approve").await;
    assert_eq!(done.status, StatusCode::OK, "{}", done.body);
    assert_eq!(done.body["result"], json!({ "version": 1 }));
    api.order("after").await.refused(422, "energy_out_of_range");
    let path = "/api/settings/versions/1";
    let version = api.with_token(&ben, Method::GET, path, &Value::Null).await.body;
    assert_eq!(version["author"], format!("operator:{}", operator.id), "{version}");

    let back = async |base: i64| {
        let body = json!({ "base_version": base, "reason": "enough" });
        let path = "/api/settings/versions/0/restore";
        api.with_token(&anna, Method::POST, path, &body).await
    };
    let id = asked(&back(1).await);
    // by command meanwhile: it was asked for on what is no longer in force, and stays open
    api.db
        .sql(
            "INSERT INTO setting_versions (version, id, overrides, since, author, author_name, reason, created_at)
             VALUES (2, gen_random_uuid(), '{}', '{}', 'operator:cara', 'cara', 'test', now())",
        )
        .await;
    api.decide(&ben, &id, "approve").await.refused(409, "conflict");
    assert_eq!(api.approval(&anna, &id).await["state"], "open");
    assert_eq!(api.decide(&anna, &id, "reject").await.status, StatusCode::OK);
}

async fn with_a_wallet() -> TestApi {
    let api = TestApi::with(&FOUR_EYES).await;
    api.db
        .sql(&format!(
            "INSERT INTO supplier_wallets (id, address, state, created_at, updated_at)
             VALUES ('{WALLET}', 'TJRabPrwbZy45sbavfcjinPJC18kjpRTv8', 'active', now(), now())"
        ))
        .await;
    api
}

#[tokio::test]
async fn a_key_that_nobody_decided_on_is_gone_when_the_next_one_is_asked_for() {
    let api = with_a_wallet().await;
    let path = format!("/api/supplier-wallets/{WALLET}/key");
    let body = json!({ "private_key": "5ca1ab1e".repeat(8), "reason": "rotated", "permission_id": 2 });
    let first = asked(&api.once(&path, &body).await);
    api.clock.advance_seconds(86_400);
    let second = asked(&api.once(&path, &body).await);
    let (_, token) = api.signed_in(&["wallet_manager"]).await;
    for (id, state, sealed) in [(&first, "expired", 0), (&second, "open", 1)] {
        let kept =
            format!("SELECT count(*) FROM approvals WHERE id = '{id}' AND state = '{state}' AND sealed IS NOT NULL");
        assert_eq!(api.count(&kept).await, sealed);
        assert_eq!(api.approval(&token, id).await["state"], state);
    }
    api.decide(&token, &first, "approve")
        .await
        .refused(409, "approval_decided");
    let noted = format!(
        "SELECT count(*) FROM (SELECT changes FROM audit_inbox UNION ALL SELECT changes FROM audit_trail) AS lines \
         WHERE changes::jsonb @> '[{{\"approval\": \"{first}\", \"state\": \"expired\"}}]'"
    );
    assert_eq!(api.count(&noted).await, 1, "the trail says that it ended");
}

#[tokio::test]
async fn a_wallets_key_waits_sealed_and_is_gone_once_that_ended() {
    let api = with_a_wallet().await;
    let (_, token) = api.signed_in(&["wallet_manager"]).await;
    let path = format!("/api/supplier-wallets/{WALLET}/key");
    let key = "5ca1ab1e".repeat(8);
    let body = json!({ "private_key": key, "reason": "rotated", "permission_id": 2 });
    let tried = api
        .once(
            &path,
            &json!({ "private_key": key, "reason": "x", "permission_id": 2, "dry_run": true }),
        )
        .await;
    assert_eq!(tried.status, StatusCode::OK, "{}", tried.body);
    let first = asked(&api.once(&path, &body).await);
    api.once(&path, &body).await.refused(409, "conflict");
    let sealed = "SELECT count(*) FROM approvals WHERE sealed IS NOT NULL";
    assert_eq!(api.count(sealed).await, 1);
    assert_eq!(api.decide(&token, &first, "reject").await.status, StatusCode::OK);
    assert_eq!(api.count(sealed).await, 0);
    let second = asked(&api.once(&path, &body).await);
    assert_eq!(api.count("SELECT count(*) FROM wallet_key_replacements").await, 0);
    let done = api.decide(&token, &second, "approve").await;
    assert_eq!(done.status, StatusCode::OK, "{}", done.body);
    let asked_for = format!(
        "SELECT count(*) FROM wallet_key_replacements WHERE id = '{}' AND sealed IS NOT NULL AND state = 'requested'",
        done.body["result"]["replacement"].as_str().unwrap()
    );
    assert_eq!((api.count(&asked_for).await, api.count(sealed).await), (1, 0));
    assert_eq!(
        api.count("SELECT count(*) FROM jobs WHERE kind = 'wallets.import'")
            .await,
        1
    );
    assert!(!done.body.to_string().contains(&key));
}

#[tokio::test]
async fn what_was_asked_for_cannot_be_altered() {
    let api = TestApi::new().await;
    let id = asked(&api.once("/api/users/42/deposit", &much()).await);
    for change in [
        "UPDATE approvals SET request = '{}'",
        "UPDATE approvals SET expires_at = now() + interval '9 years'",
        "DELETE FROM approvals",
        "TRUNCATE approvals",
    ] {
        assert!(api.db.try_sql(change).await.is_err(), "{change}");
    }
    let own = format!(
        "UPDATE approvals SET (state, decided_by, decided_name, decision_reason, ended_at, result)
         = ('approved', requested_by, 'x', 'x', now(), '{{}}') WHERE id = '{id}'"
    );
    assert!(api.db.try_sql(&own).await.is_err(), "four eyes");
}

#[tokio::test]
async fn a_price_table_is_tried_out_on_the_orders_of_a_day() {
    let api = TestApi::with(&FOUR_EYES).await;
    let ground = api.order("a").await.body;
    api.order("b").await;
    let back = api.order("c").await.body;
    let cancel = format!("/api/orders/{}/cancel", back["id"].as_str().unwrap());
    api.post(&cancel, &Value::Null).await;
    let large = json!({ "user_id": 42, "receiver": ground["receiver"], "energy": 100_000, "duration_s": 3600 });
    api.once("/api/orders", &large).await;
    api.clock.advance_seconds(86_400);
    let (_, token) = api.signed_in(&["strategy_manager"]).await;
    let band = |max: i64, price: i64| {
        json!({ "energy_min": 1, "energy_max": max, "duration_min_s": 60, "duration_max_s": 86_400,
            "price_millisun_per_energy": price })
    };
    let body = json!({ "bands": [band(65_000, 40_001)], "reason": "cheaper", "dry_run": true });
    let tried = api.with_token(&token, Method::POST, "/api/prices", &body).await;
    assert_eq!(tried.status, StatusCode::OK, "{}", tried.body);
    let expected = json!({ "day": "2027-01-15", "orders": 3, "was": "11.500000", "would": "5.200130", "without_price": 1,
        "bands": [{ "band": 0, "orders": 2, "was": "6.500000", "would": "5.200130" }] });
    assert_eq!(tried.body, expected);
    let mut empty = body.clone();
    empty["day"] = json!("2027-01-14");
    let tried = api.with_token(&token, Method::POST, "/api/prices", &empty).await;
    assert_eq!((&tried.body["orders"], &tried.body["bands"]), (&json!(0), &json!([])));
    assert_eq!(
        api.count("SELECT count(*) FROM price_versions").await,
        1,
        "nothing was published"
    );
    assert_eq!(api.count("SELECT count(*) FROM approvals").await, 0);
    let mut bad = body.clone();
    bad["day"] = json!("12000-01-01");
    api.with_token(&token, Method::POST, "/api/prices", &bad)
        .await
        .refused(422, "invalid_body");
    let mut bad = body;
    bad["bands"] = json!([]);
    api.with_token(&token, Method::POST, "/api/prices", &bad)
        .await
        .refused(422, "bad_price_table");
}
