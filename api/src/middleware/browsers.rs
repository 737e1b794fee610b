//! What browsers and caches are told with every answer, and which sites' pages may ask. None of this keeps anybody out: keys do.

use std::time::Duration;

use axum::Router;
use axum::http::Method;
use axum::http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderName, HeaderValue, IF_NONE_MATCH, LOCATION,
    REFERRER_POLICY, RETRY_AFTER, STRICT_TRANSPORT_SECURITY, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use settings::Api;
use tower_http::cors::{AllowOrigin, CorsLayer};
use tower_http::set_header::SetResponseHeaderLayer;

use super::observe::REQUEST_ID;
use super::rate_limit::{LIMIT, REMAINING, RESET};
use crate::extract::IDEMPOTENCY_KEY;
use crate::routes::events::stream::LAST_EVENT_ID;
use crate::routes::orders::create::REPLAYED;

/// How long a browser need not ask again whether it may ask.
const MAX_AGE: Duration = Duration::from_secs(600);

/// Wraps all else, so that answers without a handler have these headers, too. What a handler said itself is kept.
pub(crate) fn browsers(router: Router, api: &Api) -> Router {
    // where no other site may ask there is no preflight: OPTIONS is refused, and with it what their pages would send
    let router = if api.allowed_origins.is_empty() {
        router
    } else {
        router.layer(cors(api.allowed_origins.clone()))
    };
    let https = SetResponseHeaderLayer::if_not_present(STRICT_TRANSPORT_SECURITY, hsts(api.hsts_max_age_s));
    router
        .layer(unless_said(X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(unless_said(REFERRER_POLICY, "no-referrer"))
        .layer(unless_said(CACHE_CONTROL, "no-store"))
        .layer(https)
}

fn unless_said(name: HeaderName, value: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
}

/// Pages set the key's header themselves: what a browser would add on its own, such as cookies, is never asked for.
fn cors(allowed: Vec<String>) -> CorsLayer {
    let allowed = move |origin: &HeaderValue| allowed.iter().any(|allowed| *origin == allowed.as_str());
    CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(move |origin, _| allowed(origin)))
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers([
            AUTHORIZATION,
            CONTENT_TYPE,
            LAST_EVENT_ID,
            IF_NONE_MATCH,
            IDEMPOTENCY_KEY,
            REQUEST_ID,
        ])
        .expose_headers([
            ETAG,
            REPLAYED,
            LOCATION,
            LIMIT,
            REMAINING,
            RESET,
            RETRY_AFTER,
            WWW_AUTHENTICATE,
            REQUEST_ID,
        ])
        .max_age(MAX_AGE)
}

/// Only who runs the API, and the proxy where one is before it, knows that nobody comes by http any more.
fn hsts(max_age_s: u32) -> Option<HeaderValue> {
    if max_age_s == 0 {
        return None;
    }
    HeaderValue::try_from(format!("max-age={max_age_s}")).ok()
}
