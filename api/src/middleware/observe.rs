//! Around every handler: request id, span, one log line, rate/errors/duration metrics, panics, and problem bodies.
//!
//! Never logs headers, bodies or query strings. Whatever error a router or extractor answers by itself leaves as a
//! problem too.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{CONTENT_LENGTH, HeaderName, HeaderValue};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use tracing::Instrument;

use crate::App;
use crate::problem::{Code, Problem};

pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const MAX_REQUEST_ID_LEN: usize = 64;

/// Put into an answer by the guard, so that the log names the key (its id, not the key).
#[derive(Debug, Clone, Copy)]
pub(super) struct AnsweredFor(pub(super) kernel::ApiKeyId);

/// The request's id, for who writes down what it did.
#[derive(Debug, Clone)]
pub(super) struct RequestId(pub(super) String);

/// Wraps everything.
pub(crate) async fn observe(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let method = method_label(request.method());
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "unmatched".to_owned(), |path| path.as_str().to_owned());
    let request_id = given_id(&request).unwrap_or_else(|| app.ids.uuid().to_string());
    request.extensions_mut().insert(RequestId(request_id.clone()));
    let span = tracing::info_span!("request", %request_id, method, route);
    let started = Instant::now();
    let answer = AssertUnwindSafe(next.run(request))
        .catch_unwind()
        .instrument(span.clone());
    let response = answer.await.unwrap_or_else(|panic| panicked(&*panic));
    let _entered = span.enter();
    let (mut response, code) = finished(response, &request_id);
    if let Ok(value) = HeaderValue::try_from(&request_id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    let status = response.status().as_u16();
    let elapsed = started.elapsed();
    let api_key = response
        .extensions()
        .get::<AnsweredFor>()
        .map(|caller| caller.0.to_string());
    let ms = elapsed.as_millis();
    if route.starts_with("/health/") {
        tracing::debug!(status, ms, "answered"); // asked for every few seconds, for ever
    } else {
        tracing::info!(status, code, api_key, ms, "answered");
    }
    metrics::counter!("switchyard_http_requests_total", "method" => method, "route" => route.clone(),
        "status" => status.to_string(), "code" => code.unwrap_or("ok"))
    .increment(1);
    metrics::histogram!("switchyard_http_request_seconds", "method" => method, "route" => route)
        .record(elapsed.as_secs_f64());
    response
}

/// Renders a problem, or what the router answered in place of one.
fn finished(response: Response, request_id: &str) -> (Response, Option<&'static str>) {
    let problem = response.extensions().get::<Arc<Problem>>().cloned();
    let status = response.status();
    let problem = match problem {
        Some(problem) => problem,
        None if is_error(status) && response.extensions().get::<Plain>().is_none() => {
            Arc::new(Problem::new(Code::of_status(status)))
        }
        None => return (response, None),
    };
    let code = problem.code();
    if let Some(cause) = problem.cause() {
        if code.status() == StatusCode::INTERNAL_SERVER_ERROR {
            tracing::error!(code = code.word(), cause, "a request failed");
        } else {
            tracing::warn!(code = code.word(), cause, "a request failed");
        }
    }
    let (mut parts, _) = response.into_parts();
    parts.headers.remove(CONTENT_LENGTH);
    let mut rendered = problem.render(request_id, parts.headers);
    *rendered.extensions_mut() = parts.extensions;
    (rendered, Some(code.word()))
}

/// Marks an answer whose error status is not a problem: an unready health check.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plain;

fn is_error(status: StatusCode) -> bool {
    status.is_client_error() || status.is_server_error()
}

fn panicked(panic: &(dyn Any + Send)) -> Response {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    metrics::counter!("switchyard_http_panics_total").increment(1);
    Problem::internal(format!("panic: {}", text.unwrap_or("of unknown kind"))).into_response()
}

/// The caller's own id, where it is short and harmless.
fn given_id(request: &Request) -> Option<String> {
    let given = request.headers().get(REQUEST_ID)?.to_str().ok()?;
    let harmless = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let fits = (1..=MAX_REQUEST_ID_LEN).contains(&given.len()) && given.bytes().all(harmless);
    fits.then(|| given.to_owned())
}

/// Clients choose methods freely; labels must not.
fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        Method::PATCH => "PATCH",
        _ => "other",
    }
}
