//! What browsers are told with every answer, and which sites' pages may ask.

use axum::body::Body;
use axum::http::{HeaderMap, Method, Request};
use tower::ServiceExt;

use crate::support::TestApi;

const SHOP: &str = "https://shop.example";
const ALLOWED: (&str, &str) = ("API__ALLOWED_ORIGINS", "https://shop.example,https://bot.example:8443");

async fn send(api: &TestApi, request: Request<Body>) -> (u16, HeaderMap) {
    let answer = api.router.clone().oneshot(request).await.unwrap();
    (answer.status().as_u16(), answer.headers().clone())
}

/// What a browser asks before a page of `origin` may place an order.
async fn preflight(api: &TestApi, origin: &str) -> (u16, HeaderMap) {
    let request = Request::options("/api/orders")
        .header("origin", origin)
        .header("access-control-request-method", "POST")
        .header(
            "access-control-request-headers",
            "authorization,content-type,idempotency-key",
        );
    send(api, request.body(Body::empty()).unwrap()).await
}

fn list(headers: &HeaderMap, name: &str) -> Vec<String> {
    let values = headers.get_all(name).iter();
    let mut words: Vec<String> = values
        .flat_map(|value| value.to_str().unwrap().split(','))
        .map(|word| word.trim().to_lowercase())
        .collect();
    words.sort_unstable();
    words
}

#[tokio::test]
async fn every_answer_says_how_it_is_to_be_taken() {
    let api = TestApi::new().await;
    let bare = |path: &str| Request::get(path).body(Body::empty()).unwrap();
    let with_key = |method, path| api.request(method, path).body(Body::empty()).unwrap();
    for (request, status, kept) in [
        (with_key(Method::GET, "/api/prices"), 200, "private, no-cache"),
        (with_key(Method::POST, "/api/orders"), 400, "no-store"),
        (bare("/api/prices"), 401, "no-store"),
        (bare("/api/nowhere"), 404, "no-store"),
        (bare("/health/live"), 200, "no-store"),
        (bare("/operations/"), 200, "no-cache"),
    ] {
        let path = request.uri().path().to_owned();
        let (answered, headers) = send(&api, request).await;
        assert_eq!(answered, status, "{path}");
        assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
        assert_eq!(headers["referrer-policy"], "no-referrer", "{path}");
        let said: Vec<_> = headers.get_all("cache-control").iter().collect();
        assert_eq!(said, [kept], "{path}");
        for name in [
            "server",
            "x-powered-by",
            "strict-transport-security",
            "access-control-allow-origin",
        ] {
            assert!(!headers.contains_key(name), "{path} says {name}");
        }
    }
}

#[tokio::test]
async fn https_is_kept_to_where_that_is_configured() {
    let api = TestApi::with(&[("API__HSTS_MAX_AGE_S", "31536000")]).await;
    for path in ["/api/prices", "/operations/"] {
        let (_, headers) = send(&api, Request::get(path).body(Body::empty()).unwrap()).await;
        assert_eq!(headers["strict-transport-security"], "max-age=31536000");
    }
}

#[tokio::test]
async fn by_default_no_other_site_may_ask() {
    let api = TestApi::new().await;
    let (status, headers) = preflight(&api, SHOP).await;
    assert_eq!(status, 405);
    assert!(!headers.keys().any(|name| name.as_str().starts_with("access-control-")));
    let request = api.request(Method::GET, "/api/prices").header("origin", SHOP);
    let (status, headers) = send(&api, request.body(Body::empty()).unwrap()).await;
    assert_eq!(status, 200, "a bot may send what it likes");
    assert!(!headers.keys().any(|name| name.as_str().starts_with("access-control-")));
}

#[tokio::test]
async fn a_page_of_an_allowed_site_may_ask_without_a_key_whether_it_may_ask() {
    let api = TestApi::with(&[ALLOWED]).await;
    for origin in [SHOP, "https://bot.example:8443"] {
        let (status, headers) = preflight(&api, origin).await;
        assert_eq!(status, 200);
        assert_eq!(headers["access-control-allow-origin"], origin);
        assert_eq!(
            list(&headers, "access-control-allow-methods"),
            ["delete", "get", "patch", "post", "put"]
        );
        assert_eq!(
            list(&headers, "access-control-allow-headers"),
            [
                "authorization",
                "content-type",
                "idempotency-key",
                "if-none-match",
                "last-event-id",
                "x-request-id"
            ]
        );
        assert_eq!(headers["access-control-max-age"], "600");
        assert!(list(&headers, "vary").contains(&"origin".to_owned()));
        assert!(!headers.contains_key("access-control-allow-credentials"));
        assert_eq!(headers["x-content-type-options"], "nosniff");
    }
    for origin in [
        "https://shop.example.evil",
        "https://evil-shop.example",
        "http://shop.example",
        "https://shop.example:8443",
        "https://SHOP.example",
        "null",
        "*",
    ] {
        let (_, headers) = preflight(&api, origin).await;
        assert!(!headers.contains_key("access-control-allow-origin"), "{origin}");
    }
}

#[tokio::test]
async fn a_page_of_an_allowed_site_reads_answers_and_problems() {
    let api = TestApi::with(&[ALLOWED]).await;
    let ask = async |origin: &str, key: bool, path: &str| {
        let mut request = Request::get(path).header("origin", origin);
        if key {
            request = request.header("authorization", format!("Bearer {}", api.key));
        }
        send(&api, request.body(Body::empty()).unwrap()).await
    };
    for (key, path, status) in [
        (true, "/api/prices", 200),
        (false, "/api/prices", 401),
        (true, "/api/nowhere", 404),
    ] {
        let (answered, headers) = ask(SHOP, key, path).await;
        assert_eq!(answered, status);
        assert_eq!(headers["access-control-allow-origin"], SHOP);
        assert!(list(&headers, "vary").contains(&"origin".to_owned()));
        let exposed = list(&headers, "access-control-expose-headers");
        for name in [
            "etag",
            "idempotency-replayed",
            "location",
            "ratelimit-limit",
            "ratelimit-remaining",
            "ratelimit-reset",
            "retry-after",
            "x-request-id",
        ] {
            assert!(exposed.contains(&name.to_owned()), "{name} in {exposed:?}");
        }
        let (answered, headers) = ask("https://evil.example", key, path).await;
        assert_eq!(answered, status);
        assert!(!headers.contains_key("access-control-allow-origin"));
        assert!(list(&headers, "vary").contains(&"origin".to_owned()));
    }
}
