//! `/api/webhooks`: registered, shown, changed, removed; secrets shown once; messages listed and sent again.

use axum::http::Method;
use serde_json::{Value, json};
use switchyard_api::Scope;

use crate::support::{Log, Reply, TestApi};

const PATH: &str = "/api/webhooks";
const NOBODY: &str = "/api/webhooks/00000000-0000-7000-8000-00000000dead";

async fn register(api: &TestApi, mark: &str) -> Reply {
    let body = json!({
        "url": "https://shop.example/hook", "description": "the shop",
        "event_types": ["order.settled", "order.created", "order.created"],
    });
    api.marked(PATH, mark, &body).await
}

fn path_of(reply: &Reply) -> String {
    format!("{PATH}/{}", reply.body["id"].as_str().unwrap())
}

async fn patch(api: &TestApi, path: &str, mark: &str, body: &Value) -> Reply {
    let request = api
        .request(Method::PATCH, path)
        .header("content-type", "application/json")
        .header("idempotency-key", mark);
    api.send(request.body(body.to_string().into()).unwrap()).await
}

#[tokio::test]
async fn an_endpoint_is_registered_once_and_its_secret_shown_once() {
    let api = TestApi::new().await;
    let first = register(&api, "m1").await;
    assert_eq!(first.status, 201, "{}", first.body);
    assert_eq!(first.header("location"), path_of(&first));
    assert_eq!(first.body["event_types"], json!(["order.created", "order.settled"]));
    let secret = first.body["secret"].as_str().unwrap().to_owned();
    assert!(secret.starts_with("whsec_"));

    let again = register(&api, "m1").await;
    assert_eq!(
        (again.status.as_u16(), again.header("idempotency-replayed")),
        (200, "true")
    );
    assert_eq!(
        (&again.body["id"], &again.body["secret"]),
        (&first.body["id"], &Value::Null)
    );
    let other = json!({ "url": "https://other.example/" });
    api.marked(PATH, "m1", &other)
        .await
        .refused(409, "idempotency_key_reused");
    api.post(PATH, &other).await.refused(400, "idempotency_key_required");

    let shown = api.get(&path_of(&first)).await;
    assert_eq!((shown.status.as_u16(), &shown.body["secret"]), (200, &Value::Null));
    insta::assert_json_snapshot!(shown.body, { ".id" => "[id]" });
    let rotated = api
        .marked(&format!("{}/rotate-secret", path_of(&first)), "m2", &json!({}))
        .await;
    assert_eq!(rotated.status, 201);
    let fresh = rotated.body["secret"].as_str().unwrap().to_owned();
    assert_ne!(fresh, secret);
    let again = api
        .marked(&format!("{}/rotate-secret", path_of(&first)), "m2", &json!({}))
        .await;
    assert_eq!((again.status.as_u16(), &again.body["secret"]), (200, &Value::Null));
    assert_eq!(api.count("SELECT count(*) FROM webhook_secrets").await, 2);

    let logged = Log::text();
    assert!(logged.contains(PATH));
    for secret in [secret, fresh] {
        assert!(!logged.contains(&secret[6..]), "a secret is in the log");
    }
}

#[tokio::test]
async fn what_cannot_be_an_endpoint_is_refused() {
    let api = TestApi::with(&[("WEBHOOKS__ALLOW_PRIVATE_NETWORKS", "false")]).await;
    for url in [
        "http://shop.example/",
        "https://localhost./",
        "https://127.0.0.1/",
        "https://2130706433/",
        "https://user@shop.example/",
        "nonsense",
    ] {
        let reply = api.marked(PATH, "m", &json!({ "url": url })).await;
        reply.refused(422, "webhook_url_refused");
        assert_eq!(reply.field(), ("#/url", "webhook_url_refused"), "{url}");
    }
    let text = "x".repeat(201);
    let long = json!({ "url": "https://shop.example/", "description": text });
    api.marked(PATH, "m", &long).await.refused(422, "bad_text");
    for body in [
        json!({ "url": "https://shop.example/", "event_types": ["order.exploded"] }),
        json!({ "url": "https://shop.example/", "secret": "mine" }),
        json!({}),
    ] {
        api.marked(PATH, "m", &body).await.refused(422, "invalid_body");
    }
    let first = register(&api, "m").await;
    assert_eq!(first.status, 201, "refused requests use no key up");
    let change = json!({ "url": "https://10.0.0.1/" });
    patch(&api, &path_of(&first), "p", &change)
        .await
        .refused(422, "webhook_url_refused");
}

#[tokio::test]
async fn endpoints_are_listed_changed_and_removed() {
    let api = TestApi::new().await;
    let (one, two) = (register(&api, "m1").await, register(&api, "m2").await);
    let page = api.get(&format!("{PATH}?limit=1")).await;
    assert_eq!(page.body["items"][0]["id"], one.body["id"]);
    let cursor = page.body["next_cursor"].as_str().unwrap();
    let page = api.get(&format!("{PATH}?limit=1&cursor={cursor}")).await;
    assert_eq!(page.body["items"][0]["id"], two.body["id"]);
    assert!(page.body["next_cursor"].is_null());

    let off = patch(
        &api,
        &path_of(&one),
        "p1",
        &json!({ "enabled": false, "event_types": [] }),
    )
    .await;
    assert_eq!(
        (&off.body["enabled"], &off.body["disabled_reason"]),
        (&json!(false), &json!("by_hand"))
    );
    assert_eq!(off.body["event_types"], json!([]));
    let again = patch(
        &api,
        &path_of(&one),
        "p1",
        &json!({ "enabled": false, "event_types": [] }),
    )
    .await;
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(api.count("SELECT count(*) FROM operator_actions").await, 1);
    let test = format!("{}/test", path_of(&one));
    api.marked(&test, "t", &json!({}))
        .await
        .refused(409, "webhook_disabled");
    let resend = format!("{}/resend", path_of(&one));
    api.marked(&resend, "r", &json!({}))
        .await
        .refused(409, "webhook_disabled");

    let request = api.request(Method::DELETE, &path_of(&one));
    assert_eq!(api.send(request.body("".into()).unwrap()).await.status, 204);
    api.get(&path_of(&one)).await.refused(404, "not_found");
    assert_eq!(api.get(PATH).await.body["items"].as_array().unwrap().len(), 1);
    for path in ["", "/deliveries"] {
        api.get(&format!("{NOBODY}{path}")).await.refused(404, "not_found");
    }
    for path in ["/test", "/rotate-secret", "/resend"] {
        let reply = api.marked(&format!("{NOBODY}{path}"), "x", &json!({})).await;
        reply.refused(404, "not_found");
    }
    patch(&api, NOBODY, "x", &json!({})).await.refused(404, "not_found");
}

#[tokio::test]
async fn an_endpoint_is_told_only_what_its_keeper_may_see() {
    let api = TestApi::new().await;
    let (_, narrow) = api.key_with(&[Scope::WebhooksWrite, Scope::OrdersRead], 1_000).await;
    let not_wallets: Vec<Scope> = Scope::ALL
        .iter()
        .copied()
        .filter(|scope| *scope != Scope::SupplierWalletsRead)
        .collect();
    let (_, no_wallets) = api.key_with(&not_wallets, 1_000).await;
    let register = async |key: &str, types: Value| {
        let body = json!({ "url": "https://shop.example/hook", "event_types": types });
        api.with_token(key, Method::POST, PATH, &body).await
    };
    for types in [
        json!([]),
        json!(["payout.sent"]),
        json!(["order.created", "deposit.credited"]),
        json!(["exchange.failed"]),
        json!(["wallet.isolated"]),
    ] {
        register(&narrow, types).await.refused(403, "insufficient_scope");
    }
    let unsaid = json!({ "url": "https://shop.example/hook" });
    let refused = api.with_token(&narrow, Method::POST, PATH, &unsaid).await;
    refused.refused(403, "insufficient_scope");
    let own = register(&narrow, json!(["order.created", "standing_order.held"])).await;
    assert_eq!(own.status, 201, "{}", own.body);
    // what has to be named takes its right where it is named
    let all = register(&no_wallets, json!([])).await;
    assert_eq!(all.status, 201, "{}", all.body);
    let refused = register(&no_wallets, json!(["wallet.enabled"])).await;
    refused.refused(403, "insufficient_scope");

    let change = async |path: &str, body: Value| api.with_token(&narrow, Method::PATCH, path, &body).await;
    for body in [
        json!({ "url": "https://elsewhere.example/hook" }),
        json!({ "enabled": true }),
        json!({ "event_types": ["order.created"] }),
    ] {
        // it is told more than the key sees, now
        change(&path_of(&all), body).await.refused(403, "insufficient_scope");
    }
    for types in [json!([]), json!(["payout.sent"])] {
        let more = change(&path_of(&own), json!({ "event_types": types })).await;
        more.refused(403, "insufficient_scope");
    }
    let moved = json!({ "url": "https://elsewhere.example/hook", "event_types": ["order.settled"] });
    let moved = change(&path_of(&own), moved).await;
    assert_eq!(moved.status, 200, "{}", moved.body);
    assert_eq!(api.get(&path_of(&all)).await.body["url"], "https://shop.example/hook");
}

#[tokio::test]
async fn what_a_key_registered_is_told_nothing_once_it_is_revoked() {
    let api = TestApi::new().await;
    let (id, key) = api.key_with(Scope::ALL, 1_000).await;
    let body = json!({ "url": "https://shop.example/hook" });
    let made = api.with_token(&key, Method::POST, PATH, &body).await;
    let (of_key, of_other) = (path_of(&made), path_of(&register(&api, "m1").await));
    let (_, admin) = api.signed_in(&["super_admin"]).await;
    let revoke = format!("/api/keys/{id}/revoke");
    let revoked = api.with_token(&admin, Method::POST, &revoke, &Value::Null).await;
    assert_eq!(revoked.status, 204, "{}", revoked.body);
    let shown = api.get(&of_key).await.body;
    assert_eq!(
        (&shown["enabled"], &shown["disabled_reason"]),
        (&json!(false), &json!("key_revoked"))
    );
    assert_eq!(api.get(&of_other).await.body["enabled"], true);
    // processes believe a key for seconds; what it does now would last
    for (method, path, body) in [
        (Method::PATCH, of_key.as_str(), json!({ "enabled": true })),
        (Method::POST, PATH, json!({ "url": "https://thief.example/hook" })),
        (Method::POST, &*format!("{of_other}/rotate-secret"), json!({})),
        (
            Method::POST,
            "/api/users/7/deposit",
            json!({ "amount": "5", "asset": "TRX", "reason": "mine" }),
        ),
        (
            Method::POST,
            "/api/users/7/deposits",
            json!({ "asset": "TRX", "way": "address" }),
        ),
    ] {
        api.with_token(&key, method, path, &body)
            .await
            .refused(401, "unauthorized");
    }
    assert_eq!(api.get(&of_key).await.body["enabled"], false);
    assert_eq!(api.count("SELECT count(*) FROM webhook_endpoints").await, 2);
    let told = "SELECT count(*) FROM webhook_deliveries WHERE event_type = 'order.created'";
    assert_eq!(api.order("o1").await.status, 201);
    assert_eq!(api.count(told).await, 1);
    // somebody may take it over
    let on = patch(&api, &of_key, "p1", &json!({ "enabled": true })).await;
    assert_eq!(on.body["enabled"], true);
}

#[tokio::test]
async fn what_a_key_changed_last_is_told_nothing_once_it_is_revoked() {
    let api = TestApi::new().await;
    let (id, key) = api.key_with(Scope::ALL, 1_000).await;
    let (taken, left) = (
        path_of(&register(&api, "m1").await),
        path_of(&register(&api, "m2").await),
    );
    let elsewhere = json!({ "url": "https://thief.example/hook" });
    assert_eq!(
        api.with_token(&key, Method::PATCH, &taken, &elsewhere).await.status,
        200
    );
    let (_, admin) = api.signed_in(&["super_admin"]).await;
    let revoke = format!("/api/keys/{id}/revoke");
    assert_eq!(
        api.with_token(&admin, Method::POST, &revoke, &Value::Null).await.status,
        204
    );
    assert_eq!(api.get(&taken).await.body["disabled_reason"], "key_revoked");
    assert_eq!(api.get(&left).await.body["enabled"], true);
}

#[tokio::test]
async fn who_is_told_less_is_not_sent_the_rest_by_hand() {
    let api = TestApi::new().await;
    let path = path_of(&register(&api, "m1").await);
    assert_eq!(api.order("o1").await.status, 201);
    let narrowed = patch(&api, &path, "p1", &json!({ "event_types": ["deposit.credited"] })).await;
    assert_eq!(narrowed.status, 200, "{}", narrowed.body);
    let all = api.get(&format!("{path}/deliveries")).await;
    let message = &all.body["items"][0];
    assert_eq!(
        (&message["type"], &message["state"]),
        (&json!("order.created"), &json!("failed"))
    );
    for (mark, body) in [("r1", json!({})), ("r2", json!({ "type": "order.created" }))] {
        let again = api.marked(&format!("{path}/resend"), mark, &body).await;
        assert_eq!(
            (again.status.as_u16(), &again.body["matched"]),
            (200, &json!(0)),
            "{}",
            again.body
        );
    }
    let one = format!("{path}/deliveries/{}/resend", message["id"].as_str().unwrap());
    api.marked(&one, "r3", &json!({})).await.refused(404, "not_found");
    let widened = patch(&api, &path, "p2", &json!({ "event_types": [] })).await;
    assert_eq!(widened.status, 200);
    let again = api.marked(&format!("{path}/resend"), "r4", &json!({})).await;
    assert_eq!(again.body["matched"], 1, "{}", again.body);
}

#[tokio::test]
async fn messages_are_listed_with_their_sends_and_sent_again() {
    let api = TestApi::new().await;
    let endpoint = register(&api, "m1").await;
    let path = path_of(&endpoint);
    assert_eq!(api.order("o1").await.status, 201);
    let test = api.marked(&format!("{path}/test"), "t1", &json!({})).await;
    assert_eq!(test.status, 201);
    let again = api.marked(&format!("{path}/test"), "t1", &json!({})).await;
    assert_eq!((again.status.as_u16(), &again.body), (200, &test.body));

    let all = api.get(&format!("{path}/deliveries")).await;
    let items = all.body["items"].as_array().unwrap();
    let types: Vec<&Value> = items.iter().map(|item| &item["type"]).collect();
    assert_eq!(types, ["webhook.test", "order.created"], "newest first");
    assert_eq!(items[0]["id"], test.body["delivery_id"]);
    assert!(
        items
            .iter()
            .all(|item| item["state"] == "pending" && item["attempts"] == json!([]))
    );
    let id = items[1]["id"].as_str().unwrap();
    api.db
        .sql(&format!(
            "UPDATE webhook_deliveries SET state = 'failed', attempts = 10 WHERE event_id = '{id}'; \
             INSERT INTO webhook_attempts (endpoint_id, event_id, at, status, answer, duration_ms) \
             SELECT endpoint_id, event_id, created_at, 500, 'broken', 12 FROM webhook_deliveries WHERE event_id = '{id}'"
        ))
        .await;
    let failed = api.get(&format!("{path}/deliveries?state=failed")).await;
    insta::assert_json_snapshot!(failed.body, { ".items[].id" => "[id]" });
    for (query, rows) in [
        ("state=pending", 1),
        ("type=order.created", 1),
        ("state=delivered", 0),
        ("limit=1", 1),
    ] {
        let page = api.get(&format!("{path}/deliveries?{query}")).await;
        assert_eq!(page.body["items"].as_array().unwrap().len(), rows, "{query}");
    }
    let wrong = api.get(&format!("{path}/deliveries?state=lost")).await;
    wrong.refused(422, "invalid_parameter");
    sent_again(&api, &path, id).await;
}

/// Of two messages, the one with this id failed.
async fn sent_again(api: &TestApi, path: &str, id: &str) {
    let resend = format!("{path}/resend");
    let dry = json!({ "dry_run": true });
    let counted = api.marked(&resend, "r0", &dry).await;
    assert_eq!(
        (&counted.body["matched"], &counted.body["affected"]),
        (&json!(1), &json!(0))
    );
    let pending = json!({ "state": "pending" });
    api.marked(&resend, "r1", &pending).await.refused(422, "bad_text");
    let since = json!({ "since": "2030-01-01T00:00:00Z" });
    let none = api.marked(&resend, "r2", &since).await;
    assert_eq!(none.body["matched"], 0);
    let done = api
        .marked(&resend, "r3", &json!({ "reason": "the shop is back" }))
        .await;
    assert_eq!(
        (&done.body["affected"], &done.body["remaining"]),
        (&json!(1), &json!(0))
    );
    let again = api
        .marked(&resend, "r3", &json!({ "reason": "the shop is back" }))
        .await;
    assert_eq!(
        (&again.body, again.header("idempotency-replayed")),
        (&done.body, "true")
    );
    let one = api
        .marked(&format!("{path}/deliveries/{id}/resend"), "r4", &json!({}))
        .await;
    assert_eq!(one.body["affected"], 1);
    let nobody = "00000000-0000-7000-8000-00000000dead";
    let missing = api
        .marked(&format!("{path}/deliveries/{nobody}/resend"), "r5", &json!({}))
        .await;
    missing.refused(404, "not_found");
    assert_eq!(
        api.count("SELECT count(*) FROM webhook_deliveries WHERE state = 'pending' AND attempts = 0")
            .await,
        2
    );
}
