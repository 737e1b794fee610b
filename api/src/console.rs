//! The operators' page: three files that hold no data. It asks the API with the key that is typed into it; what a key may
//! not do, the page may not do.

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

/// The page at `/operations/`.
pub(crate) fn console<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route("/operations", get(|| async { Redirect::permanent("operations/") }))
        .route(
            "/operations/",
            get(|| file("text/html; charset=utf-8", include_str!("../console/index.html"))),
        )
        .route(
            "/operations/app.js",
            get(|| file("text/javascript; charset=utf-8", include_str!("../console/app.js"))),
        )
        .route(
            "/operations/style.css",
            get(|| file("text/css; charset=utf-8", include_str!("../console/style.css"))),
        )
}

async fn file(content_type: &'static str, text: &'static str) -> impl IntoResponse {
    (HEADERS, [(CONTENT_TYPE, content_type)], text)
}
