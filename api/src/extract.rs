//! What handlers take from a request: JSON bodies, idempotent ones, path and query parameters, all with typed problems.
//!
//! Problems name the field and what is expected, never what was sent: a body may hold a key.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::header::{CONTENT_TYPE, HeaderMap, HeaderName};
use axum::http::request::Parts;
use db::trail;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use crate::App;
use crate::problem::{Code, Problem};

mod json;
mod listing;
mod masked;
mod moment;

pub(crate) use json::JsonObject;
pub(crate) use listing::WORDS_MAX;
pub(crate) use moment::Moment;

pub(crate) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// A JSON body without unknown fields.
#[derive(Debug)]
pub(crate) struct JsonBody<T>(pub(crate) T);

/// A JSON body with the caller's mark of the request.
#[derive(Debug)]
pub(crate) struct Idempotent<T> {
    /// The Idempotency-Key header.
    pub(crate) key: String,
    /// SHA-256 over method, path and body as they were sent.
    pub(crate) request_sha256: [u8; 32],
    /// The body.
    pub(crate) body: T,
}

impl<T: DeserializeOwned> FromRequest<Arc<App>> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Problem> {
        check_content_type(request.headers())?;
        body(&read(request, app).await?).map(Self)
    }
}

impl<T: DeserializeOwned> FromRequest<Arc<App>> for Idempotent<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Problem> {
        let key = idempotency_key(request.headers())?;
        check_content_type(request.headers())?;
        let hash = Sha256::new()
            .chain_update(request.method().as_str())
            .chain_update(b"\n")
            .chain_update(request.uri().path())
            .chain_update(b"\n");
        let bytes = read(request, app).await?;
        Ok(Self {
            key,
            request_sha256: hash.chain_update(&bytes).finalize().into(),
            body: body(&bytes)?,
        })
    }
}

/// A body that may be left out: nothing at all is the default, and so is null.
pub(crate) struct OptionalBody<T>(pub(crate) T);

impl<T: DeserializeOwned + Default> FromRequest<Arc<App>> for OptionalBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Problem> {
        let content_type = check_content_type(request.headers());
        let bytes = read(request, app).await?;
        if bytes.is_empty() {
            return Ok(Self(T::default()));
        }
        content_type?;
        if bytes.trim_ascii() == b"null" {
            return Ok(Self(T::default()));
        }
        body(&bytes).map(Self)
    }
}

/// Reads a body, and shows it to the audit trail.
fn body<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let body = json::parse(bytes)?;
    trail::asked(|| masked::masked(bytes));
    Ok(body)
}

/// Half the time of a request is for its body to arrive, so that a slow client is told so.
async fn read(request: Request, app: &Arc<App>) -> Result<Bytes, Problem> {
    match tokio::time::timeout(app.request_timeout() / 2, Bytes::from_request(request, app)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(rejection)) => Err(Problem::new(Code::of_status(rejection.status()))),
        Err(_) => Err(Problem::new(Code::BodyTimeout)),
    }
}

fn check_content_type(headers: &HeaderMap) -> Result<(), Problem> {
    let given = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = given.and_then(|value| value.split(';').next()).map(str::trim);
    match essence {
        Some(essence) if essence.eq_ignore_ascii_case("application/json") => Ok(()),
        _ => Err(Problem::new(Code::UnsupportedMediaType)),
    }
}

fn idempotency_key(headers: &HeaderMap) -> Result<String, Problem> {
    let mut given = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(key) = given.next() else {
        return Err(Problem::new(Code::IdempotencyKeyRequired));
    };
    let key = key.as_bytes();
    let fits = (1..=255).contains(&key.len()) && key.iter().all(u8::is_ascii_graphic);
    if given.next().is_some() || !fits {
        return Err(Problem::new(Code::IdempotencyKeyInvalid));
    }
    Ok(key.iter().copied().map(char::from).collect())
}

/// Reads a path parameter.
pub(crate) fn path<T: FromStr>(name: &str, text: &str) -> Result<T, Problem> {
    text.parse()
        .map_err(|_| parameter(&format!("path/{name}"), "this is not its form"))
}

/// Reads a user's id of a path: a positive number.
pub(crate) fn user_id(text: &str) -> Result<kernel::UserId, Problem> {
    let id: i64 = path("user_id", text)?;
    if id > 0 {
        Ok(kernel::UserId(id))
    } else {
        Err(parameter("path/user_id", "must be positive"))
    }
}

fn parameter(pointer: &str, detail: &str) -> Problem {
    Problem::field(Code::InvalidParameter, pointer, "invalid_value", detail)
}

/// The query string's parameters; each is taken once, and none may be left over.
#[derive(Debug)]
pub(crate) struct QueryParams(BTreeMap<String, String>);

impl<S: Send + Sync> FromRequestParts<S> for QueryParams {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Query(pairs) = Query::<Vec<(String, String)>>::from_request_parts(parts, state)
            .await
            .map_err(|_| Problem::new(Code::BadRequest).with_detail("the query string cannot be read"))?;
        let mut params = BTreeMap::new();
        for (name, value) in pairs {
            let pointer = format!("query/{}", name.chars().take(100).collect::<String>());
            // PostgreSQL holds no such text
            if value.contains('\0') {
                return Err(parameter(&pointer, "must not hold the character U+0000"));
            }
            if params.insert(name, value).is_some() {
                return Err(parameter(&pointer, "is given twice"));
            }
        }
        Ok(Self(params))
    }
}

impl QueryParams {
    /// Takes a parameter, if it is there.
    pub(crate) fn take<T: FromStr>(&mut self, name: &str) -> Result<Option<T>, Problem> {
        let Some(text) = self.0.remove(name) else {
            return Ok(None);
        };
        let parsed = text
            .parse()
            .map_err(|_| parameter(&format!("query/{name}"), "this is not its form"));
        parsed.map(Some)
    }

    /// Takes `limit`, which is 50 or the largest page, whichever is less, where it is not given.
    pub(crate) fn take_limit(&mut self, app: &App) -> Result<u32, Problem> {
        let max = app.settings.limits.page_size_max;
        let limit = self.take("limit")?.unwrap_or(max.min(50));
        if (1..=max).contains(&limit) {
            Ok(limit)
        } else {
            Err(parameter("query/limit", &format!("must be between 1 and {max}")))
        }
    }

    /// Refuses what nobody took.
    pub(crate) fn finish(self) -> Result<(), Problem> {
        match self.0.into_keys().next() {
            None => Ok(()),
            Some(name) => {
                let pointer = format!("query/{}", name.chars().take(100).collect::<String>());
                Err(Problem::field(
                    Code::InvalidParameter,
                    pointer,
                    "unknown_parameter",
                    "this route has no such parameter",
                ))
            }
        }
    }
}
