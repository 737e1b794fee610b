//! Keys, scopes and how often a key may ask.

use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Method, Request};
use chrono::Duration;
use domain::api_keys::{KeyTerms, rotate, set_terms};
use domain::operators::By;
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
                    .replace("{address}", "T")
                    // a stream would not end
                    .replace("/api/events", "/api/events?follow=false");
                let method: Method = method.to_uppercase().parse().unwrap();
                let reply = api.send(api.request(method, &path).body(Body::empty()).unwrap()).await;
                let lacking = reply.code() == "insufficient_scope";
                let its = operation["x-scope"] == scope.word();
                let of_operators = operation["x-scope"].is_null() && !operation["x-permission"].is_null();
                assert_eq!(lacking, its || of_operators, "{path} {}", reply.body);
                refused += usize::from(its);
                if its {
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

#[tokio::test]
async fn a_key_ends_at_its_time_even_if_it_was_right_a_moment_ago() {
    let api = TestApi::new().await;
    let terms = KeyTerms {
        expires_at: Some(api.clock.now() + Duration::seconds(3)),
        ..KeyTerms::default()
    };
    set_terms(&api.owner, &By::command("test"), api.key_id, (&terms, None))
        .await
        .unwrap();
    assert_eq!(api.get("/api/prices").await.status, 200);
    api.clock.advance_seconds(5);
    // what was remembered before it was limited is over by now
    assert_eq!(api.get("/api/prices").await.code(), "unauthorized");
    let longer = KeyTerms {
        expires_at: Some(api.clock.now() + Duration::seconds(3)),
        ..KeyTerms::default()
    };
    set_terms(&api.owner, &By::command("test"), api.key_id, (&longer, None))
        .await
        .unwrap();
    assert_eq!(api.get("/api/prices").await.status, 200);
    api.clock.advance_seconds(2);
    assert_eq!(api.get("/api/prices").await.status, 200);
    api.clock.advance_seconds(1);
    api.get("/api/prices").await.refused(401, "unauthorized");
}

#[tokio::test]
async fn a_rotated_key_stays_who_it_is_and_its_secret_before_works_on_for_a_while() {
    let mut api = TestApi::new().await;
    let placed = api.order("o1").await;
    let turn = async |api: &TestApi, random: u8| {
        let turned = rotate(
            &api.owner,
            api.key_id,
            &[random; 64],
            Duration::hours(1),
            api.clock.now(),
        )
        .await;
        turned.unwrap()
    };
    let first = api.key.clone();
    let second = turn(&api, 8).await;
    assert_eq!(second.id, api.key_id);
    for key in [&first, &second.clear] {
        api.key.clone_from(key);
        let again = api.order("o1").await;
        assert_eq!(
            (again.status.as_u16(), &again.body["id"]),
            (200, &placed.body["id"]),
            "it is the same caller"
        );
    }
    // the next one ends all but the one before it
    let third = turn(&api, 9).await;
    api.clock.advance_seconds(5);
    for (key, status) in [(&first, 401), (&second.clear, 200), (&third.clear, 200)] {
        api.key.clone_from(key);
        assert_eq!(api.get("/api/prices").await.status, status);
    }
    api.clock.advance_seconds(3595);
    for (key, status) in [(&second.clear, 401), (&third.clear, 200)] {
        api.key.clone_from(key);
        assert_eq!(api.get("/api/prices").await.status, status);
    }
    let fourth = turn(&api, 10).await;
    domain::api_keys::revoke(&api.owner, api.key_id, api.clock.now())
        .await
        .unwrap();
    api.clock.advance_seconds(5);
    for key in [&third.clear, &fourth.clear] {
        api.key.clone_from(key);
        api.get("/api/prices").await.refused(401, "unauthorized");
    }
    let over = rotate(&api.owner, api.key_id, &[11; 64], Duration::zero(), api.clock.now()).await;
    assert!(over.is_err(), "a revoked key is not brought back");
    let days = Duration::days(31);
    assert!(
        rotate(&api.owner, api.key_id, &[11; 64], days, api.clock.now())
            .await
            .is_err()
    );
}

#[tokio::test]
async fn without_an_overlap_the_secret_before_ends_at_once() {
    let mut api = TestApi::new().await;
    let first = api.key.clone();
    let turned = rotate(&api.owner, api.key_id, &[8; 64], Duration::zero(), api.clock.now()).await;
    api.clock.advance_seconds(5);
    api.get("/api/prices").await.refused(401, "unauthorized");
    let mut wrong = turned.unwrap().clear;
    // the visible part of one and the secret part of the other are no key
    wrong.replace_range(16.., &first[16..]);
    api.key = wrong;
    api.get("/api/prices").await.refused(401, "unauthorized");
}

#[tokio::test]
async fn a_key_that_is_bound_to_addresses_is_used_from_there_alone() {
    let api = TestApi::with(&[("API__TRUSTED_PROXIES", "10.0.0.0/8")]).await;
    let terms = KeyTerms {
        allowed_from: vec!["203.0.113.0/24".parse().unwrap(), "2001:db8::1".parse().unwrap()],
        ..KeyTerms::default()
    };
    set_terms(&api.owner, &By::command("test"), api.key_id, (&terms, None))
        .await
        .unwrap();
    api.clock.advance_seconds(5);
    let from = async |peer: &str, forwarded: &str| {
        let request = api
            .request(Method::GET, "/api/prices")
            .header("x-forwarded-for", forwarded);
        let mut request = request.body(Body::empty()).unwrap();
        let peer: SocketAddr = peer.parse().unwrap();
        request.extensions_mut().insert(ConnectInfo(peer));
        api.send(request).await
    };
    assert_eq!(from("203.0.113.7:4000", "").await.status, 200);
    assert_eq!(from("[2001:db8::1]:4000", "").await.status, 200);
    let refused = from("198.51.100.1:4000", "").await;
    refused.refused(403, "address_not_allowed");
    assert_eq!(refused.body["detail"], "this key may not be used from 198.51.100.1");
    assert_eq!(refused.header("ratelimit-limit"), "", "it does not count");
    assert_eq!(from("10.0.0.1:4000", "203.0.113.7").await.status, 200);
    from("198.51.100.1:4000", "203.0.113.7")
        .await
        .refused(403, "address_not_allowed");
    api.get("/api/prices").await.refused(403, "address_not_allowed");
    let many = KeyTerms {
        allowed_from: vec![terms.allowed_from[0]; 51],
        ..KeyTerms::default()
    };
    assert!(
        set_terms(&api.owner, &By::command("test"), api.key_id, (&many, None))
            .await
            .is_err()
    );
}

#[tokio::test]
async fn who_tries_a_key_from_elsewhere_is_in_the_audit_trail() {
    let api = TestApi::new().await;
    let terms = KeyTerms {
        allowed_from: vec!["203.0.113.0/24".parse().unwrap()],
        ..KeyTerms::default()
    };
    set_terms(&api.owner, &By::command("test"), api.key_id, (&terms, None))
        .await
        .unwrap();
    api.clock.advance_seconds(5);
    for (method, path) in [(Method::POST, "/api/orders"), (Method::GET, "/api/prices")] {
        let mut request = api.request(method, path).body(Body::from("{}")).unwrap();
        let peer: SocketAddr = "198.51.100.1:4000".parse().unwrap();
        request.extensions_mut().insert(ConnectInfo(peer));
        api.send(request).await.refused(403, "address_not_allowed");
    }
    let lines = format!(
        "SELECT count(*) FROM audit_inbox WHERE principal = 'api_key:{}' AND address = '198.51.100.1' \
         AND result = 'address_not_allowed'",
        api.key_id
    );
    let told = "AND action = 'create_order' AND target = 'POST /api/orders' AND step IS NULL";
    assert_eq!(api.count(&format!("{lines} {told}")).await, 1);
    let read = "AND action = 'get_prices' AND target = 'GET /api/prices'";
    assert_eq!(
        api.count(&format!("{lines} {read}")).await,
        1,
        "also where it only reads"
    );
    assert_eq!(api.count(&lines).await, 2);
}
