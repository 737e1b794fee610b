//! `/operations/`: the operators' page is served as it is in the source, and may load nothing but itself.

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request};
use tower::ServiceExt;

use crate::support::TestApi;

const FILES: [(&str, &str, &str); 3] = [
    (
        "/operations/",
        "text/html; charset=utf-8",
        include_str!("../../console/index.html"),
    ),
    (
        "/operations/app.js",
        "text/javascript; charset=utf-8",
        include_str!("../../console/app.js"),
    ),
    (
        "/operations/style.css",
        "text/css; charset=utf-8",
        include_str!("../../console/style.css"),
    ),
];

async fn get(api: &TestApi, path: &str) -> (u16, HeaderMap, String) {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let (parts, body) = api.router.clone().oneshot(request).await.unwrap().into_parts();
    let bytes = to_bytes(body, 1 << 20).await.unwrap();
    (
        parts.status.as_u16(),
        parts.headers,
        String::from_utf8(bytes.to_vec()).unwrap(),
    )
}

#[tokio::test]
async fn the_page_is_served_without_a_key_and_holds_no_data() {
    let api = TestApi::new().await;
    for (path, content_type, text) in FILES {
        let (status, headers, body) = get(&api, path).await;
        assert_eq!((status, &*body), (200, text), "{path}");
        let header = |name: &str| headers[name].to_str().unwrap().to_owned();
        assert_eq!(header("content-type"), content_type);
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(header("x-frame-options"), "DENY");
        assert_eq!(header("referrer-policy"), "no-referrer");
        assert_eq!(header("cache-control"), "no-cache");
        assert_eq!(header("cross-origin-opener-policy"), "same-origin");
        assert!(!header("x-request-id").is_empty());
        let policy = header("content-security-policy");
        let rules: Vec<&str> = policy.split("; ").collect();
        for rule in [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
        ] {
            assert!(rules.contains(&rule), "{rule} in {policy}");
        }
        assert!(
            !policy.contains("unsafe") && !policy.contains('*') && !policy.contains("http"),
            "{policy}"
        );
    }
    let (status, headers, _) = get(&api, "/operations").await;
    assert_eq!((status, headers["location"].to_str().unwrap()), (308, "operations/"));
    assert_eq!(get(&api, "/operations/data.json").await.0, 404);
}

#[test]
fn the_page_loads_only_its_own_files_and_makes_no_markup_of_text() {
    let [(_, _, html), (_, _, script), (_, _, style)] = FILES;
    let loaded: Vec<&str> = ["src=\"", "href=\""]
        .iter()
        .flat_map(|attribute| html.split(attribute).skip(1))
        .map(|rest| rest.split('"').next().unwrap())
        .collect();
    assert_eq!(loaded, ["app.js", "data:,", "style.css"]);
    for (name, text) in [("html", html), ("script", script), ("style", style)] {
        assert!(
            !text.contains("//cdn") && !text.contains("http:") && !text.contains("https:"),
            "{name}"
        );
        assert!(!text.contains("@import") && !text.contains("url("), "{name}");
    }
    // the policy would refuse these anyway; the browser must not be the first to tell
    assert_eq!(html.matches("<script").count(), 1);
    assert!(
        !html.contains("<style") && !html.contains(" style=") && !html.contains(" on"),
        "nothing inline"
    );
    for forbidden in [
        "innerHTML",
        "outerHTML",
        "insertAdjacent",
        "document.write",
        "eval(",
        "new Function",
        "localStorage",
        ".style",
    ] {
        assert!(!script.contains(forbidden), "{forbidden}");
    }
}

#[test]
fn both_languages_say_everything() {
    let script = FILES[1].2;
    let names = |language: &str| {
        let block = script
            .split(&format!("\n  {language}: {{"))
            .nth(1)
            .unwrap()
            .split("\n  },")
            .next()
            .unwrap();
        let mut names: Vec<&str> = block
            .split([',', '\n'])
            .filter_map(|part| part.trim().split_once(": "))
            .map(|(name, _)| name)
            .filter(|name| name.bytes().all(|b| b.is_ascii_alphanumeric()))
            .collect();
        names.sort_unstable();
        names
    };
    assert!(names("en").len() > 40, "{:?}", names("en"));
    assert_eq!(names("en"), names("zh"));
    let calls = script.match_indices("t(\"").filter(|(at, _)| {
        let before = script[..*at].chars().next_back();
        !before.is_some_and(char::is_alphanumeric)
    });
    let used: Vec<&str> = calls
        .map(|(at, call)| script[at + call.len()..].split('"').next().unwrap())
        .collect();
    assert!(used.len() > 20, "{used:?}");
    for name in used {
        assert!(names("en").contains(&name), "{name}");
    }
}
