//! How often a key and an address may ask, whichever process they ask.

use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use domain::api_keys::{KeyTerms, revoke, set_terms};
use domain::operators::By;
use kernel::Clock;
use switchyard_api::Scope;

use crate::support::{Reply, TestApi};

const THREE: [(&str, &str); 2] = [
    ("API__IP_REQUESTS_PER_MINUTE", "3"),
    ("API__TRUSTED_PROXIES", "10.0.0.0/8"),
];
const HERE: &str = "203.0.113.7";
const ELSEWHERE: &str = "198.51.100.1";

async fn from(api: &TestApi, peer: &str, authorization: &str) -> Reply {
    let request = Request::get("/api/prices").header("authorization", authorization);
    let mut request = request.body(Body::empty()).unwrap();
    let peer = SocketAddr::new(peer.parse().unwrap(), 4000);
    request.extensions_mut().insert(ConnectInfo(peer));
    api.send(request).await
}

fn wrong_key() -> String {
    format!("Bearer sk_{}_{}", "A".repeat(12), "B".repeat(52))
}

#[tokio::test]
async fn replicas_share_the_limit_of_a_key() {
    let mut api = TestApi::new().await;
    (_, api.key) = api.key_with(&[Scope::OrdersRead], 3).await;
    let processes = [api.router.clone(), api.replica(&[])];
    for (process, left) in [(0, "2"), (1, "1"), (0, "0")] {
        api.router = processes[process].clone();
        let reply = api.get("/api/prices").await;
        assert_eq!(
            (reply.status.as_u16(), reply.header("ratelimit-remaining")),
            (200, left)
        );
    }
    for process in processes {
        api.router = process;
        let refused = api.get("/api/prices").await;
        refused.refused(429, "rate_limited");
        assert_eq!(refused.header("retry-after"), "20");
    }
}

#[tokio::test]
async fn without_redis_each_process_holds_to_the_limits_alone() {
    let away = [("REDIS__URL", "redis://127.0.0.1:1"), THREE[0]];
    let mut api = TestApi::with(&away).await;
    (_, api.key) = api.key_with(&[Scope::OrdersRead], 3).await;
    for left in ["2", "1", "0"] {
        let reply = api.get("/api/prices").await;
        assert_eq!(
            (reply.status.as_u16(), reply.header("ratelimit-remaining")),
            (200, left)
        );
    }
    api.get("/api/prices").await.refused(429, "rate_limited");
    for _ in 0..3 {
        from(&api, HERE, &wrong_key()).await.refused(401, "unauthorized");
    }
    from(&api, HERE, &wrong_key()).await.refused(429, "rate_limited");
    let metrics = settings::metrics::install().unwrap().render();
    let counted = metrics.lines().any(|line| {
        let count = line.strip_prefix("switchyard_rate_limit_fallbacks_total ");
        count.is_some_and(|count| count != "0")
    });
    assert!(counted, "{metrics}");
}

#[tokio::test]
async fn an_address_guesses_only_so_often() {
    let api = TestApi::with(&THREE).await;
    for authorization in [String::new(), wrong_key(), format!("Basic {}", api.key)] {
        from(&api, HERE, &authorization).await.refused(401, "unauthorized");
    }
    let refused = from(&api, HERE, &wrong_key()).await;
    refused.refused(429, "rate_limited");
    let headers = [
        "retry-after",
        "ratelimit-limit",
        "ratelimit-remaining",
        "ratelimit-reset",
    ];
    assert_eq!(headers.map(|name| refused.header(name)), ["20", "3", "0", "20"]);
    assert_eq!(
        refused.body["detail"],
        "at most 3 requests per minute from one address without a right key"
    );
    from(&api, ELSEWHERE, "").await.refused(401, "unauthorized");
    api.clock.advance_seconds(20);
    from(&api, HERE, "").await.refused(401, "unauthorized");
    from(&api, HERE, "").await.refused(429, "rate_limited");
}

#[tokio::test]
async fn a_key_that_is_known_to_be_right_is_no_guess() {
    let mut api = TestApi::with(&THREE).await;
    let right = format!("Bearer {}", api.key);
    for _ in 0..3 {
        from(&api, HERE, "").await.refused(401, "unauthorized");
    }
    for _ in 0..5 {
        let reply = from(&api, HERE, &right).await;
        assert_eq!(reply.status, 200);
        assert_eq!(reply.header("ratelimit-limit"), "1000000", "it has its own limit");
    }
    api.clock.advance_seconds(5);
    assert_eq!(from(&api, HERE, &right).await.status, 200, "looked up again");
    // a process that never saw it cannot tell it from a guess
    let other = api.replica(&THREE);
    let first = std::mem::replace(&mut api.router, other);
    from(&api, HERE, &right).await.refused(429, "rate_limited");
    assert_eq!(from(&api, ELSEWHERE, &right).await.status, 200);
    assert_eq!(from(&api, HERE, &right).await.status, 200);
    api.router = first;
    revoke(&api.owner, api.key_id, api.clock.now()).await.unwrap();
    api.clock.advance_seconds(5);
    from(&api, HERE, &right).await.refused(401, "unauthorized");
    from(&api, HERE, &right).await.refused(429, "rate_limited");
}

#[tokio::test]
async fn a_key_that_was_not_used_for_long_may_be_a_guess_again() {
    let api = TestApi::with(&THREE).await;
    let right = format!("Bearer {}", api.key);
    for (later, status) in [(604, 200), (605, 429)] {
        api.clock.advance_seconds(later);
        assert_eq!(from(&api, ELSEWHERE, &right).await.status, 200);
        api.clock.advance_seconds(later);
        for _ in 0..3 {
            from(&api, HERE, "").await.refused(401, "unauthorized");
        }
        assert_eq!(from(&api, HERE, &right).await.status, status);
    }
}

#[tokio::test]
async fn a_network_of_ipv6_counts_as_one() {
    let api = TestApi::with(&THREE).await;
    for host in ["::1", ":ffff::1", ":1:2:3:4"] {
        let address = format!("2001:db8:1:2{host}");
        from(&api, &address, "").await.refused(401, "unauthorized");
    }
    from(&api, "2001:db8:1:2::99", "").await.refused(429, "rate_limited");
    from(&api, "2001:db8:1:3::1", "").await.refused(401, "unauthorized");
}

#[tokio::test]
async fn behind_a_proxy_of_ours_clients_count_one_by_one() {
    let api = TestApi::with(&THREE).await;
    let ask = async |peer: &str, client: &str| {
        let request = Request::get("/api/prices").header("x-forwarded-for", client);
        let mut request = request.body(Body::empty()).unwrap();
        let peer = SocketAddr::new(peer.parse().unwrap(), 4000);
        request.extensions_mut().insert(ConnectInfo(peer));
        api.send(request).await
    };
    for _ in 0..3 {
        ask("10.0.0.1", HERE).await.refused(401, "unauthorized");
    }
    ask("10.0.0.1", HERE).await.refused(429, "rate_limited");
    ask("10.0.0.1", ELSEWHERE).await.refused(401, "unauthorized");
    // who makes up clients is no proxy of ours
    for n in 0..2 {
        ask(ELSEWHERE, &format!("192.0.2.{n}"))
            .await
            .refused(401, "unauthorized");
    }
    ask(ELSEWHERE, "192.0.2.3").await.refused(429, "rate_limited");
}

#[tokio::test]
async fn a_stolen_key_uses_up_the_limit_of_the_thief() {
    let mut api = TestApi::with(&THREE).await;
    let id;
    (id, api.key) = api.key_with(&[Scope::OrdersRead], 5).await;
    let right = format!("Bearer {}", api.key);
    let terms = KeyTerms {
        allowed_from: vec!["203.0.113.0/24".parse().unwrap()],
        ..KeyTerms::default()
    };
    set_terms(&api.owner, &By::command("test"), id, (&terms, None))
        .await
        .unwrap();
    for _ in 0..3 {
        from(&api, ELSEWHERE, &right).await.refused(403, "address_not_allowed");
    }
    from(&api, ELSEWHERE, &right).await.refused(429, "rate_limited");
    let reply = from(&api, HERE, &right).await;
    assert_eq!((reply.status.as_u16(), reply.header("ratelimit-remaining")), (200, "4"));
    from(&api, ELSEWHERE, &right).await.refused(429, "rate_limited");
}

#[tokio::test]
async fn addresses_may_have_no_limit() {
    let api = TestApi::with(&[("API__IP_REQUESTS_PER_MINUTE", "0")]).await;
    for _ in 0..20 {
        from(&api, HERE, "").await.refused(401, "unauthorized");
    }
}

#[tokio::test]
async fn a_clock_that_is_set_back_locks_no_key_out() {
    let mut api = TestApi::new().await;
    (_, api.key) = api.key_with(&[Scope::OrdersRead], 3).await;
    for _ in 0..3 {
        assert_eq!(api.get("/api/prices").await.status, 200);
    }
    api.clock.advance_seconds(-86_400);
    let refused = api.get("/api/prices").await;
    refused.refused(429, "rate_limited");
    assert_eq!(refused.header("retry-after"), "20");
    api.clock.advance_seconds(20);
    assert_eq!(api.get("/api/prices").await.status, 200);
}
