//! Keys, scopes and how often a key may ask.

use axum::body::Body;
use axum::http::{Method, Request};
use kernel::Clock;
use switchyard_api::Scope;

use crate::support::{Reply, TestApi};

async fn with_authorization(api: &TestApi, value: &str) -> Reply {
    let request = Request::get("/api/prices").header("authorization", value);
    api.send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn without_a_right_key_nothing_is_told() {
    let api = TestApi::new().await;
    let bare = api.send(Request::get("/api/prices").body(Body::empty()).unwrap()).await;
    bare.refused(401, "unauthorized");
    assert_eq!(bare.header("www-authenticate"), "Bearer realm=\"switchyard\"");
    let mut wrong_secret = api.key.clone();
    let last = if wrong_secret.pop() == Some('A') { 'B' } else { 'A' };
    wrong_secret.push(last);
    for value in [
        format!("Bearer {wrong_secret}"),
        format!("Bearer sk_{}_{}", "A".repeat(12), "B".repeat(52)),
        "Bearer x".to_owned(),
    ] {
        let reply = with_authorization(&api, &value).await;
        reply.refused(401, "unauthorized");
        assert!(reply.header("www-authenticate").contains("invalid_token"));
    }
    with_authorization(&api, &format!("Basic {}", api.key))
        .await
        .refused(401, "unauthorized");
    assert_eq!(
        with_authorization(&api, &format!("bearer {}", api.key)).await.status,
        200
    );
}

#[tokio::test]
async fn a_revoked_key_is_refused_within_five_seconds() {
    let api = TestApi::new().await;
    assert_eq!(api.get("/api/prices").await.status, 200);
    domain::api_keys::revoke(&api.owner, api.key_id, api.clock.now())
        .await
        .unwrap();
    // believed for a moment, so that not every request asks the database
    api.clock.advance_seconds(4);
    assert_eq!(api.get("/api/prices").await.status, 200);
    api.clock.advance_seconds(1);
    api.get("/api/prices").await.refused(401, "unauthorized");
}

#[tokio::test]
async fn a_key_does_only_what_its_scopes_allow() {
    let mut api = TestApi::new().await;
    let document = serde_json::to_value(switchyard_api::openapi()).unwrap();
    let id = "00000000-0000-7000-8000-00000000ffff";
    for scope in Scope::ALL {
        let others: Vec<Scope> = Scope::ALL.iter().copied().filter(|other| other != scope).collect();
        (_, api.key) = api.key_with(&others, 1000).await;
        let mut refused = 0;
        for (template, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let path = template
                    .replace("{id}", id)
                    .replace("{user_id}", "42")
                    .replace("{address}", "T");
                let method: Method = method.to_uppercase().parse().unwrap();
                let reply = api.send(api.request(method, &path).body(Body::empty()).unwrap()).await;
                let lacking = reply.code() == "insufficient_scope";
                assert_eq!(lacking, operation["x-scope"] == scope.word(), "{path} {}", reply.body);
                refused += usize::from(lacking);
                if lacking {
                    assert!(reply.header("www-authenticate").contains(scope.word()));
                }
            }
        }
        assert!(refused > 0, "no route needs {}", scope.word());
    }
}

#[tokio::test]
async fn a_key_that_asks_too_often_is_put_off() {
    let mut api = TestApi::new().await;
    (_, api.key) = api.key_with(&[Scope::OrdersRead], 3).await;
    for left in ["2", "1", "0"] {
        let reply = api.get("/api/prices").await;
        assert_eq!(reply.status, 200);
        assert_eq!(
            (reply.header("ratelimit-limit"), reply.header("ratelimit-remaining")),
            ("3", left)
        );
    }
    let refused = api.get("/api/prices").await;
    refused.refused(429, "rate_limited");
    let headers = [
        "retry-after",
        "ratelimit-limit",
        "ratelimit-remaining",
        "ratelimit-reset",
    ];
    assert_eq!(headers.map(|name| refused.header(name)), ["20", "3", "0", "20"]);
    api.clock.advance_seconds(20);
    assert_eq!(api.get("/api/prices").await.status, 200);
    api.get("/api/prices").await.refused(429, "rate_limited");
}
