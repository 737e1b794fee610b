//! Requests of keys that have to sign: each is signed by a secret that does not travel, is of now, and is taken once.

use access::SignedParts;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::header::{HeaderMap, HeaderName};
use domain::principals::{Principal, Signing};
use sha2::{Digest, Sha256};

use crate::App;
use crate::extract::IDEMPOTENCY_KEY;
use crate::problem::{Code, Problem};

pub(crate) const TIMESTAMP: HeaderName = HeaderName::from_static("switchyard-timestamp");
pub(crate) const SIGNATURE: HeaderName = HeaderName::from_static("switchyard-signature");

/// The request, if it is signed as its caller has to.
pub(super) async fn signed(app: &App, caller: &Principal, request: Request) -> Result<Request, Problem> {
    if caller.signing.is_empty() {
        return Ok(request);
    }
    let (parts, body) = request.into_parts();
    let given = given(&parts.headers)?;
    let body = whole(app, body).await?;
    let now = app.clock.now();
    let signed = SignedParts {
        timestamp_ms: given.timestamp_ms,
        method: parts.method.as_str(),
        path_and_query: parts.uri.path_and_query().map_or("/", |path| path.as_str()),
        body: &body,
        idempotency_key: mark(&parts.headers)?,
    };
    if !signed.is_fresh(now.timestamp_millis()) {
        let detail = format!(
            "its time must be within 30 seconds of ours, which is {} ms",
            now.timestamp_millis()
        );
        return Err(Problem::new(Code::SignatureInvalid).with_detail(detail));
    }
    let still = caller
        .signing
        .iter()
        .filter(|secret| secret.until.is_none_or(|until| now < until));
    let mut right = false;
    for secret in still {
        right |= opened(app, caller, secret, |secret| signed.verify(secret, given.signature))?;
    }
    if !right {
        return Err(Problem::new(Code::SignatureInvalid));
    }
    let used = hex::encode(Sha256::digest(given.signature.to_ascii_lowercase()));
    if !app.limits.is_first_use(&used).await {
        return Err(Problem::new(Code::SignatureReplayed));
    }
    Ok(Request::from_parts(parts, Body::from(body)))
}

struct Given<'a> {
    timestamp_ms: i64,
    signature: &'a str,
}

fn given(headers: &HeaderMap) -> Result<Given<'_>, Problem> {
    let text = |name: &HeaderName| {
        let value = headers.get(name).ok_or_else(|| {
            let detail = format!("the header {name} is missing");
            Problem::new(Code::SignatureRequired).with_detail(detail)
        })?;
        value.to_str().map_err(|_| Problem::new(Code::SignatureInvalid))
    };
    let timestamp_ms = text(&TIMESTAMP)?.parse().map_err(|_| {
        let detail = format!("{TIMESTAMP} is Unix time in milliseconds");
        Problem::new(Code::SignatureInvalid).with_detail(detail)
    })?;
    Ok(Given {
        timestamp_ms,
        signature: text(&SIGNATURE)?,
    })
}

/// The Idempotency-Key as it was sent; nothing where there is none. Of several none is taken later on.
fn mark(headers: &HeaderMap) -> Result<&str, Problem> {
    let sent = headers.get(IDEMPOTENCY_KEY).map_or(Ok(""), |value| value.to_str());
    sent.map_err(|_| Problem::new(Code::SignatureInvalid))
}

/// The body, as far as it may be and as fast as it has to come.
async fn whole(app: &App, body: Body) -> Result<Bytes, Problem> {
    let body = to_bytes(body, app.settings.api.max_body_bytes);
    let arrived = tokio::time::timeout(app.request_timeout() / 2, body).await;
    arrived.ok().and_then(Result::ok).ok_or_else(|| {
        let detail = "the body did not arrive, or is too large: its signature cannot be looked at";
        Problem::new(Code::BadRequest).with_detail(detail)
    })
}

/// Looks at a secret for a moment.
fn opened(app: &App, caller: &Principal, secret: &Signing, look: impl FnOnce(&[u8]) -> bool) -> Result<bool, Problem> {
    // the key that sealed it was taken out of operators.keys: make another secret
    let broken = || Problem::internal(format!("the signing secret of key {} cannot be opened", caller.key));
    let door = app.door.as_ref().ok_or_else(broken)?;
    let clear = door
        .keys
        .open(caller.key.0.as_bytes(), &secret.sealed)
        .map_err(|_| broken())?;
    Ok(look(&clear))
}
