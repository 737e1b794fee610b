//! `ETag` and `If-None-Match`: who has an object already is told that it has not changed, and is not sent it again.
//!
//! The handler runs all the same, behind the guard: what may not be seen is refused or not found whatever the request names.
//! What is saved is the transfer. Only small JSON answers are looked at; what is streamed passes untouched.

use axum::body::{Body, HttpBody, to_bytes};
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue, IF_NONE_MATCH};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use crate::problem::Problem;

/// The reads that carry an `ETag`: single objects, and lists that seldom change.
pub(crate) const KEPT: &[&str] = &[
    "get_order",
    "get_standing_order",
    "get_deposit",
    "get_payout",
    "get_exchange",
    "get_prices",
    "get_pool",
    "get_rates",
    "list_packages",
    "list_permissions",
    "list_roles",
];

/// Larger answers are sent as they are.
const BOUND: usize = 1 << 20;

/// Adds an `ETag` to an answer, or says that it is what the caller has.
pub(crate) async fn unchanged(request: Request, next: Next) -> Response {
    let known = request.headers().get_all(IF_NONE_MATCH);
    let known: Vec<HeaderValue> = known.iter().cloned().collect();
    let response = next.run(request).await;
    if !is_small_json(&response) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let bytes = match to_bytes(body, BOUND).await {
        Ok(bytes) => bytes,
        Err(error) => return Problem::internal(error.to_string()).into_response(),
    };
    let tag = format!("\"{}\"", hex::encode(&Sha256::digest(&bytes)[..16]));
    let is_known = names(&known, &tag);
    if let Ok(tag) = HeaderValue::try_from(tag) {
        parts.headers.insert(ETAG, tag);
        // kept by who asked, and never used without asking again
        let kept = HeaderValue::from_static("private, no-cache");
        parts.headers.insert(CACHE_CONTROL, kept);
    }
    if is_known {
        parts.status = StatusCode::NOT_MODIFIED;
        parts.headers.remove(CONTENT_TYPE);
        parts.headers.remove(CONTENT_LENGTH);
        return Response::from_parts(parts, Body::empty());
    }
    Response::from_parts(parts, Body::from(bytes))
}

fn is_small_json(response: &Response) -> bool {
    let size = response.body().size_hint().exact();
    response.status() == StatusCode::OK
        && is_json(response.headers())
        && size.is_some_and(|size| usize::try_from(size).is_ok_and(|size| size <= BOUND))
}

fn is_json(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE);
    content_type.is_some_and(|value| value.as_bytes().starts_with(b"application/json"))
}

/// Whether a list of tags names this one. Weak ones do as well (RFC 9110, 13.1.2); what cannot be read names nothing.
fn names(known: &[HeaderValue], tag: &str) -> bool {
    let texts = known.iter().filter_map(|value| value.to_str().ok());
    let mut tags = texts.flat_map(|text| text.split(',')).map(str::trim);
    tags.any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_found_in_lists() {
        for (known, named) in [
            ("\"a\"", true),
            ("W/\"a\"", true),
            ("\"b\", \"a\"", true),
            ("*", true),
            ("\"b\"", false),
            ("a", false),
            ("", false),
        ] {
            assert_eq!(names(&[HeaderValue::from_static(known)], "\"a\""), named, "{known}");
        }
        assert!(!names(&[], "\"a\""));
    }
}
