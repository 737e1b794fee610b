//! `/operations/`: the operators' page is served as it is in the source, may load nothing but itself, keeps nothing of who signs in,
//! asks for nothing that there is not, and by what it asks for an operator gets in.

use access::{Permission, TotpSecret};
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::operators::PASSWORD;
use crate::support::{Reply, TestApi};

const SCRIPT: &str = "text/javascript; charset=utf-8";
const PAGE: &str = include_str!("../../console/index.html");
const STYLE: &str = include_str!("../../console/style.css");
const TEXTS: &str = include_str!("../../console/texts.js");
const SCRIPTS: [(&str, &str); 8] = [
    ("app.js", include_str!("../../console/app.js")),
    ("account.js", include_str!("../../console/account.js")),
    ("api.js", include_str!("../../console/api.js")),
    ("commands.js", include_str!("../../console/commands.js")),
    ("dom.js", include_str!("../../console/dom.js")),
    ("settings.js", include_str!("../../console/settings.js")),
    ("texts.js", TEXTS),
    ("views.js", include_str!("../../console/views.js")),
];

/// Where each file is, what it is, and the file.
fn files() -> Vec<(String, &'static str, &'static str)> {
    let mut files = vec![
        ("/operations/".to_owned(), "text/html; charset=utf-8", PAGE),
        ("/operations/style.css".to_owned(), "text/css; charset=utf-8", STYLE),
    ];
    files.extend(SCRIPTS.map(|(name, text)| (format!("/operations/{name}"), SCRIPT, text)));
    files
}

fn all_scripts() -> String {
    SCRIPTS.map(|(_, text)| text).join("\n")
}

/// What stands between an opening and the next of the closing characters, each time.
fn after<'a>(text: &'a str, opening: &str, closing: &[char]) -> Vec<&'a str> {
    let found = text.split(opening).skip(1);
    found.map(|rest| rest.split(closing).next().unwrap()).collect()
}

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
    for (path, content_type, text) in files() {
        let (status, headers, body) = get(&api, &path).await;
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
    let loaded: Vec<&str> = ["src=\"", "href=\""]
        .iter()
        .flat_map(|attribute| after(PAGE, attribute, &['"']))
        .collect();
    assert_eq!(loaded, ["app.js", "data:,", "style.css"]);
    let served: Vec<String> = SCRIPTS.iter().map(|(name, _)| format!("./{name}")).collect();
    let script = all_scripts();
    for imported in after(&script, " from \"", &['"']) {
        assert!(served.iter().any(|name| name == imported), "{imported}");
    }
    assert!(!script.contains("import("), "what is loaded is known");
    for (path, _, text) in files() {
        assert!(
            !text.contains("//cdn") && !text.contains("http:") && !text.contains("https:"),
            "{path}"
        );
        assert!(!text.contains("@import") && !text.contains("url("), "{path}");
    }
    // the policy would refuse these anyway; the browser must not be the first to tell
    assert_eq!(PAGE.matches("<script").count(), 1);
    assert!(
        !PAGE.contains("<style") && !PAGE.contains(" style=") && !PAGE.contains(" on"),
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
        "document.cookie",
        "console.",
        ".style",
    ] {
        assert!(!script.contains(forbidden), "{forbidden}");
    }
}

#[test]
fn what_an_operator_signed_in_with_is_kept_nowhere() {
    let script = all_scripts();
    let stored = after(&script, "sessionStorage.setItem(", &[')']);
    assert_eq!(stored, ["\"key\", mine.key"], "an API key, and nothing else");
    assert_eq!(script.matches("fetch(").count(), 1, "all is asked in one way");
    assert!(script.contains("fetch(`../api/${path}`") && script.contains("credentials: \"omit\""));
}

#[test]
fn the_page_asks_for_what_there_is() {
    let document = serde_json::to_value(switchyard_api::openapi()).unwrap();
    let paths: Vec<&String> = document["paths"].as_object().unwrap().keys().collect();
    let script = all_scripts();
    let mut asked = Vec::new();
    for opening in [
        "\"operations/",
        "`operations/",
        "\"auth/",
        "`auth/",
        "\"approvals",
        "`approvals",
        "\"settings",
        "`settings",
        "\"events",
    ] {
        let area = &opening[1..];
        // a point is named by its area, too
        let rest = after(&script, opening, &['"', '`', '?', '$', ':']);
        asked.extend(rest.into_iter().map(|rest| format!("/api/{area}{rest}")));
    }
    // what all of these begin with, and a kind of what waits for a second operator
    asked.retain(|path| path != "/api/auth/" && !path.ends_with("settings.change"));
    assert!(asked.len() > 20, "{asked:?}");
    for path in asked {
        // one that ends in a slash goes on with an id
        let begins = format!("{path}{{");
        let found = paths
            .iter()
            .any(|known| **known == path || (path.ends_with('/') && known.starts_with(&begins)));
        assert!(found, "{path}");
    }
    let points: Vec<&str> = after(&script, "\"", &['"'])
        .into_iter()
        .filter(|word| {
            let parts = word.split_once(':');
            parts.is_some_and(|(area, what)| {
                [area, what]
                    .iter()
                    .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase()))
            })
        })
        .collect();
    assert!(points.len() > 8, "{points:?}");
    for point in points {
        assert!(Permission::of_word(point).is_some(), "{point}");
    }
}

#[test]
fn both_languages_say_everything_and_nothing_is_left_unsaid() {
    let names = |language: &str| {
        let block = TEXTS
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
    assert!(names("en").len() > 80, "{:?}", names("en"));
    assert_eq!(names("en"), names("zh"));
    let script = all_scripts();
    for name in names("en") {
        assert!(script.contains(&format!("\"{name}\"")), "{name} is said nowhere");
    }
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

/// What an authenticator app makes of the secret that is typed into it.
fn typed(secret: &str) -> TotpSecret {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let bits: String = secret
        .bytes()
        .map(|digit| format!("{:05b}", DIGITS.iter().position(|known| *known == digit).unwrap()))
        .collect();
    let bytes: Vec<u8> = bits
        .as_bytes()
        .chunks_exact(8)
        .map(|bits| u8::from_str_radix(std::str::from_utf8(bits).unwrap(), 2).unwrap())
        .collect();
    TotpSecret::from_bytes(&bytes).unwrap()
}

/// The requests that the page makes, one after the other.
#[tokio::test]
async fn a_new_operator_sets_himself_up_and_sees_to_his_sessions() {
    let api = TestApi::new().await;
    let auth = async |token: &str, method: Method, path: &str, body: Value| {
        api.with_token(token, method, &format!("/api/auth/{path}"), &body).await
    };
    let sign_in = async |password: &str, code: Option<&str>| {
        let body = json!({ "email": "anna@example.org", "password": password, "totp_code": code });
        auth("", Method::POST, "sign-in", body).await
    };
    let next = async |token: &str| auth(token, Method::GET, "me", Value::Null).await.body["next"].clone();
    let token = |reply: &Reply| reply.body["access_token"].as_str().unwrap().to_owned();

    let (_, boss) = api.signed_in(&["super_admin"]).await;
    let new = json!({ "email": "anna@example.org", "name": "Anna", "roles": ["observer"] });
    let made = api.with_token(&boss, Method::POST, "/api/operators", &new).await;
    let given = made.body["password"].as_str().unwrap();
    let first = token(&sign_in(given, None).await);
    assert_eq!(next(&first).await, json!(["change_password", "enrol_totp"]));
    let passwords = json!({ "current_password": given, "new_password": PASSWORD });
    assert_eq!(auth(&first, Method::POST, "password", passwords).await.status, 204);
    assert_eq!(next(&first).await, json!(["enrol_totp"]));

    let enrolled = auth(&first, Method::POST, "totp", json!({ "password": PASSWORD })).await;
    let secret = typed(enrolled.body["secret"].as_str().unwrap());
    let code = json!({ "totp_code": secret.code(api.now()) });
    assert_eq!(auth(&first, Method::POST, "totp/confirm", code).await.status, 204);
    assert_eq!(next(&first).await, json!([]));
    // what he may do is looked up again
    api.clock.advance_seconds(6);
    let path = "/api/operations/queues";
    let queues = api.with_token(&first, Method::GET, path, &Value::Null).await;
    assert_eq!(queues.status, 200);

    api.clock.advance_seconds(30);
    sign_in(PASSWORD, None).await.refused(401, "code_needed");
    let second = sign_in(PASSWORD, Some(&secret.code(api.now()))).await;
    let (second, refresh) = (token(&second), second.body["refresh_token"].clone());
    let sessions = async || auth(&second, Method::GET, "sessions", Value::Null).await.body["items"].clone();
    let both = sessions().await;
    let (current, others): (Vec<&Value>, Vec<&Value>) =
        both.as_array().unwrap().iter().partition(|one| one["current"] == true);
    assert_eq!((current.len(), others.len()), (1, 1));
    let other = format!("sessions/{}", others[0]["id"].as_str().unwrap());
    assert_eq!(auth(&second, Method::DELETE, &other, Value::Null).await.status, 204);
    assert_eq!(sessions().await.as_array().unwrap().len(), 1);

    let everywhere = auth(&second, Method::POST, "sign-out-everywhere", Value::Null).await;
    assert_eq!(everywhere.status, 204);
    api.clock.advance_seconds(6);
    let me = auth(&second, Method::GET, "me", Value::Null).await;
    me.refused(401, "unauthorized");
    let again = auth("", Method::POST, "refresh", json!({ "refresh_token": refresh })).await;
    again.refused(401, "session_over");
}
