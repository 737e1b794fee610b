//! `GET /api/operations/audit`, and what the requests themselves leave there.

use axum::body::{Body, to_bytes};
use axum::http::Method;
use db::models::SealedNow;
use serde_json::{Value, json};
use switchyard_api::Scope;
use tower::ServiceExt;

use crate::support::{RECEIVER, TestApi};

const PRIVATE_KEY: &str = "5ca1ab1e5ca1ab1e5ca1ab1e5ca1ab1e5ca1ab1e5ca1ab1e5ca1ab1e5ca1ab1e";

impl TestApi {
    /// Seals what waits, as a worker does, and asks for a page.
    async fn audit(&self, query: &str) -> Vec<Value> {
        let mut conn = db::acquire(&self.owner).await.unwrap();
        SealedNow::seal(&mut conn, 1000).await.unwrap();
        drop(conn);
        let reply = self.get(&format!("/api/operations/audit{query}")).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        reply.body["items"].as_array().unwrap().clone()
    }
}

#[tokio::test]
async fn who_did_what_from_where_and_what_became_of_it() {
    let api = TestApi::new().await;
    let placed = api.order("m1").await;
    let lines = api.audit("?action=create_order").await;
    let [line] = lines.as_slice() else { panic!("{lines:?}") };
    insta::assert_json_snapshot!(line, {
        ".principal" => "[key]", ".request_id" => "[id]", ".hash" => "[hash]", ".changes[].order" => "[order]" });
    assert_eq!(line["principal"], format!("api_key:{}", api.key_id));
    assert_eq!(line["request_id"], placed.header("x-request-id"));
    assert_eq!(line["changes"][0]["order"], placed.body["id"]);
}

#[tokio::test]
async fn what_was_refused_is_there_with_its_code() {
    let api = TestApi::new().await;
    let poor = json!({ "user_id": 43, "receiver": RECEIVER, "energy": 65_000, "duration_s": 3600 });
    api.marked("/api/orders", "m1", &poor)
        .await
        .refused(409, "insufficient_funds");
    api.post("/api/orders", &poor)
        .await
        .refused(400, "idempotency_key_required");
    let (_, reader) = api.key_with(&[Scope::OrdersRead], 100).await;
    let request = api
        .request(Method::POST, "/api/orders")
        .header("content-type", "application/json")
        .header("idempotency-key", "m2");
    let mut request = request.body(Body::from(poor.to_string())).unwrap();
    let bearer = format!("Bearer {reader}").parse().unwrap();
    request.headers_mut().insert("authorization", bearer);
    api.send(request).await.refused(403, "insufficient_scope");
    let results: Vec<Value> = api
        .audit("?action=create_order")
        .await
        .iter()
        .map(|line| json!([line["result"], line["step"], line["asked"]["user_id"]]))
        .collect();
    assert_eq!(
        results,
        [
            json!(["insufficient_scope", null, null]),
            json!(["idempotency_key_required", null, null]),
            json!(["insufficient_funds", null, 43]),
        ]
    );
}

#[tokio::test]
async fn nobody_who_is_nobody_fills_it_and_reading_leaves_nothing() {
    let api = TestApi::new().await;
    let before = api.audit("").await.len();
    let anonymous = axum::http::Request::builder().method(Method::POST).uri("/api/orders");
    api.send(anonymous.body(Body::empty()).unwrap())
        .await
        .refused(401, "unauthorized");
    api.get("/api/orders?user_id=42").await;
    assert_eq!(api.audit("").await.len(), before);
}

#[tokio::test]
async fn secrets_are_not_in_it() {
    let api = TestApi::new().await;
    let body = json!({ "private_key": PRIVATE_KEY, "label": "one" });
    let added = api.once("/api/supplier-wallets/add", &body).await;
    assert!(added.status.is_success(), "{}", added.body);
    let hook = json!({ "url": "https://shop.example/hooks/5ca1ab1e", "event_types": [] });
    let made = api.marked("/api/webhooks", "m1", &hook).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let secret = made.body["secret"].as_str().unwrap();
    let path = format!("/api/webhooks/{}", made.body["id"].as_str().unwrap());
    for change in [
        json!({ "enabled": false }),
        json!({ "enabled": true, "url": "https://shop.example:8443/new/5ca1ab1e?token=5ca1ab1e" }),
        json!({ "description": "moved" }),
    ] {
        let changed = api.with_token(&api.key, Method::PATCH, &path, &change).await;
        assert_eq!(changed.status, 200, "{}", changed.body);
    }
    let kept =
        "SELECT count(*) FROM operator_actions WHERE action = 'webhooks.change' AND objects::text LIKE '%5ca1ab1e%'";
    assert_eq!(api.count(kept).await, 0);
    let lines = api.audit("").await;
    let text = Value::from(lines.clone()).to_string();
    assert!(!text.contains("5ca1ab1e") && !text.contains(secret), "{text}");
    let asked = |action: &str| lines.iter().find(|line| line["action"] == action).unwrap()["asked"].clone();
    assert_eq!(
        asked("add_supplier_wallets"),
        json!({ "private_key": "…", "label": "one" })
    );
    assert_eq!(asked("create_webhook"), json!({ "url": "…", "event_types": [] }));
    let changes = lines.iter().filter(|line| line["action"] == "update_webhook");
    let before: Vec<&Value> = changes.map(|line| &line["changes"][0]["before"][0]["url"]).collect();
    let (first, later) = ("https://shop.example", "https://shop.example:8443");
    assert_eq!(before, [later, first, first], "newest first");
}

#[tokio::test]
async fn it_is_paged_and_narrowed() {
    let api = TestApi::new().await;
    for mark in ["m1", "m2", "m3"] {
        api.order(mark).await;
    }
    let all = api.audit("").await;
    let seqs: Vec<i64> = all.iter().map(|line| line["seq"].as_i64().unwrap()).collect();
    assert!(
        seqs.len() >= 4 && seqs.windows(2).all(|pair| pair[0] == pair[1] + 1),
        "{seqs:?}"
    );
    let first = api.get("/api/operations/audit?limit=2").await;
    let cursor = &first.body["next_cursor"];
    let rest = api.audit(&format!("?cursor={cursor}")).await;
    assert_eq!(rest.len(), seqs.len() - 2);
    let request = all[0]["request_id"].as_str().unwrap();
    for (query, rows) in [
        ("action=create_order".to_owned(), 3),
        ("principal=operator:anna".to_owned(), 0),
        (format!("principal=api_key:{}&action=create_order", api.key_id), 3),
        (format!("request_id={request}"), 1),
        ("since=2099-01-01T00:00:00Z".to_owned(), 0),
        ("until=2099-01-01T00:00:00Z&action=create_order".to_owned(), 3),
    ] {
        assert_eq!(api.audit(&format!("?{query}")).await.len(), rows, "{query}");
    }
    for query in ["cursor=x", "since=yesterday", "by=me"] {
        api.get(&format!("/api/operations/audit?{query}"))
            .await
            .refused(422, "invalid_parameter");
    }
    let (_, key) = api.key_with(&[Scope::OperationsRead], 100).await;
    let request = axum::http::Request::get("/api/operations/audit").header("authorization", format!("Bearer {key}"));
    api.send(request.body(Body::empty()).unwrap())
        .await
        .refused(403, "insufficient_scope");
}

/// Lines of somebody whose name is a formula, enough for several reads of an export, and one whose body holds quotes and commas.
const MANY: &str = "
    INSERT INTO audit_inbox (at, principal, principal_name, action, result, changes)
        SELECT '2027-01-15T07:00:00Z'::timestamptz + n * interval '1 second', 'operator:anna', '=1+1', 'cli.test', 'ok', '[]'
        FROM generate_series(1, 120) n;
    INSERT INTO audit_inbox (at, principal, principal_name, address, request_id, action, target, result, asked, changes)
        VALUES ('2027-01-15T07:30:00Z', 'operator:bob', 'bob', '10.0.0.1', '-r1', 'cli.test', 'POST /x', 'ok',
            '{\"note\": \"a, b\"}', '[]')";

async fn audit_table(api: &TestApi, token: &str, query: &str) -> Vec<String> {
    let request = axum::http::Request::get(format!("/api/operations/audit.csv?{query}"));
    let request = request.header("authorization", format!("Bearer {token}"));
    let response = api.router.clone().oneshot(request.body(Body::empty()).unwrap());
    let response = response.await.unwrap();
    assert_eq!(response.status(), 200, "{query}");
    assert_eq!(response.headers()["content-type"], "text/csv; charset=utf-8");
    let named = response.headers()["content-disposition"].to_str().unwrap();
    assert_eq!(named, "attachment; filename=\"audit.csv\"");
    let text = to_bytes(response.into_body(), 1 << 20).await.unwrap().to_vec();
    let text = String::from_utf8(text).unwrap();
    text.split_terminator("\r\n").map(str::to_owned).collect()
}

#[tokio::test]
async fn the_table_holds_every_line_of_the_list_and_no_formula() {
    let api = TestApi::new().await;
    api.db.sql(MANY).await;
    let all = api.audit("?limit=100").await;
    let newest = all[0]["seq"].as_i64().unwrap();
    assert!(newest > 121);
    let (_, boss) = api.signed_in(&["super_admin"]).await;
    let seqs = |lines: &[String]| -> Vec<i64> {
        let seq = |line: &String| line.split(',').next().unwrap().parse().unwrap();
        lines[1..].iter().map(seq).collect()
    };
    let whole = audit_table(&api, &boss, "order=oldest").await;
    assert!(whole[0].starts_with("seq,at,principal,principal_name,address,request_id,action,target,step,result,asked"));
    assert_eq!(
        seqs(&whole),
        (1..=newest).collect::<Vec<_>>(),
        "over several reads, none missing, none twice"
    );
    let turned = audit_table(&api, &boss, "").await;
    assert_eq!(seqs(&turned), (1..=newest).rev().collect::<Vec<_>>());

    let anna = audit_table(&api, &boss, "principal=operator:anna&order=oldest").await;
    assert_eq!(anna.len(), 121);
    assert!(
        anna[1].contains(",2027-01-15T07:00:01.000000Z,operator:anna,'=1+1,,,cli.test,,,ok,,[],"),
        "{}",
        anna[1]
    );
    for (query, lines) in [
        ("action=cli.test", 121),
        ("action=cli.test&since=2027-01-15T07:30:00Z", 1),
        (
            "principal=operator:anna&since=2027-01-15T07:00:11Z&until=2027-01-15T07:00:21Z",
            10,
        ),
        ("request_id=-r1", 1),
        ("request_id=-r1&principal=operator:anna", 0),
        ("until=2026-01-01T00:00:00Z", 0),
    ] {
        let table = audit_table(&api, &boss, query).await;
        assert_eq!(table.len(), lines + 1, "{query}");
        let listed = api.audit(&format!("?limit=100&{query}")).await;
        let listed: Vec<i64> = listed.iter().map(|line| line["seq"].as_i64().unwrap()).collect();
        assert_eq!(seqs(&table)[..listed.len()], listed, "{query}");
    }
    let bob = audit_table(&api, &boss, "principal=operator:bob").await;
    let cells = ",operator:bob,bob,10.0.0.1,'-r1,cli.test,POST /x,,ok,\"{\"\"note\"\":\"\"a, b\"\"}\",[],";
    assert!(bob[1].contains(cells), "{}", bob[1]);
}

#[tokio::test]
async fn the_table_is_for_whom_it_is_given_to_and_refuses_what_the_list_does() {
    let api = TestApi::new().await;
    let path = "/api/operations/audit.csv";
    api.get(path).await.refused(403, "insufficient_scope");
    let (_, reader) = api.signed_in(&["observer"]).await;
    let refused = api.with_token(&reader, Method::GET, path, &Value::Null).await;
    refused.refused(403, "insufficient_scope");
    let (_, boss) = api.signed_in(&["super_admin"]).await;
    for query in [
        "since=2027-01-02T00:00:00Z&until=2027-01-01T00:00:00Z",
        "since=yesterday",
        "order=up",
        "limit=2",
        "cursor=1",
    ] {
        let path = format!("{path}?{query}");
        let refused = api.with_token(&boss, Method::GET, &path, &Value::Null).await;
        refused.refused(422, "invalid_parameter");
    }
}
