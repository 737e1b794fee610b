//! The operators' page: some files that hold no data. It asks the API as the operator who signs in there, or with the key that is
//! typed into it; what these may not do, the page may not do.

use axum::Router;
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, REFERRER_POLICY};
use axum::http::header::{X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS};
use axum::response::{IntoResponse, Redirect};
use axum::routing::get;

/// Only these files and the API beside them; nothing inline, no frame around it, and no text becomes markup.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

/// Sent with each file.
const HEADERS: [(HeaderName, HeaderValue); 7] = [
    (CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        HeaderValue::from_static("same-origin"),
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    ),
];

const SCRIPT: &str = "text/javascript; charset=utf-8";
/// Where each file is, what it is, and the file.
const FILES: [(&str, &str, &str); 10] = [
    (
        "/operations/",
        "text/html; charset=utf-8",
        include_str!("../console/index.html"),
    ),
    (
        "/operations/style.css",
        "text/css; charset=utf-8",
        include_str!("../console/style.css"),
    ),
    ("/operations/app.js", SCRIPT, include_str!("../console/app.js")),
    ("/operations/account.js", SCRIPT, include_str!("../console/account.js")),
    ("/operations/api.js", SCRIPT, include_str!("../console/api.js")),
    (
        "/operations/commands.js",
        SCRIPT,
        include_str!("../console/commands.js"),
    ),
    ("/operations/dom.js", SCRIPT, include_str!("../console/dom.js")),
    (
        "/operations/settings.js",
        SCRIPT,
        include_str!("../console/settings.js"),
    ),
    ("/operations/texts.js", SCRIPT, include_str!("../console/texts.js")),
    ("/operations/views.js", SCRIPT, include_str!("../console/views.js")),
];

/// The page at `/operations/`.
pub(crate) fn console<S: Clone + Send + Sync + 'static>() -> Router<S> {
    let page = Router::new().route("/operations", get(|| async { Redirect::permanent("operations/") }));
    FILES.into_iter().fold(page, |page, (path, content_type, text)| {
        page.route(path, get(move || file(content_type, text)))
    })
}

async fn file(content_type: &'static str, text: &'static str) -> impl IntoResponse {
    (HEADERS, [(CONTENT_TYPE, content_type)], text)
}
