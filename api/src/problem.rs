//! The only place where errors become HTTP: the table of codes, and RFC 9457 problem documents.
//!
//! A handler answers a [`Problem`]; `middleware::observe` logs it once and renders it with the request's id. Texts here
//! never quote what the client sent. Bodies of 5xx are constant.

mod codes;
mod from_domain;

pub use codes::Code;

use std::error::Error as StdError;
use std::sync::Arc;

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use axum::http::{HeaderMap, Response, StatusCode};
use axum::response::IntoResponse;
use serde::Serialize;
use utoipa::ToSchema;

/// One wrong field or parameter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// Where: `#/receiver` in the body (a JSON pointer), `query/limit`, `path/id`.
    #[schema(example = "#/receiver")]
    pub pointer: String,
    /// What kind of mistake.
    #[schema(example = "invalid_value")]
    pub code: &'static str,
    /// What is expected.
    pub detail: String,
}

/// An error on its way to the client.
#[derive(Debug, Clone)]
pub struct Problem {
    code: Code,
    detail: Option<String>,
    errors: Vec<FieldError>,
    headers: Vec<(HeaderName, String)>,
    /// For the log alone.
    cause: Option<String>,
}

/// The body of every error (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
pub struct ProblemView {
    /// `urn:switchyard:problem:` and the code.
    #[serde(rename = "type")]
    #[schema(example = "urn:switchyard:problem:insufficient_funds")]
    pub type_: String,
    /// What the code means.
    pub title: &'static str,
    /// The same in Chinese.
    pub title_zh: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// The stable code to decide by.
    #[schema(example = "insufficient_funds")]
    pub code: &'static str,
    /// More about this case, where there is more to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Names this request in our logs.
    pub request_id: String,
    /// The fields and parameters that are wrong; empty for other problems.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
}

impl Problem {
    /// A problem of which the code says all.
    #[must_use]
    pub const fn new(code: Code) -> Self {
        Self {
            code,
            detail: None,
            errors: Vec::new(),
            headers: Vec::new(),
            cause: None,
        }
    }

    /// One wrong field or parameter.
    #[must_use]
    pub fn field(code: Code, pointer: impl Into<String>, kind: &'static str, detail: impl Into<String>) -> Self {
        let error = FieldError {
            pointer: pointer.into(),
            code: kind,
            detail: detail.into(),
        };
        Self {
            errors: vec![error],
            ..Self::new(code)
        }
    }

    /// The same about what the body holds under this name.
    #[must_use]
    pub(crate) fn under(mut self, name: &str) -> Self {
        for error in &mut self.errors {
            if let Some(rest) = error.pointer.strip_prefix("#/") {
                error.pointer = format!("#/{name}/{rest}");
            }
        }
        self
    }

    /// The same about one item of a list that the body holds; where no field is wrong, it is the item.
    #[must_use]
    pub(crate) fn of_item(self, list: &str, index: usize) -> Self {
        let mut problem = self.under(&format!("{list}/{index}"));
        if problem.errors.is_empty() && !problem.code.status().is_server_error() {
            problem.errors.push(FieldError {
                pointer: format!("#/{list}/{index}"),
                code: problem.code.word(),
                detail: problem
                    .detail
                    .clone()
                    .unwrap_or_else(|| problem.code.title().to_owned()),
            });
        }
        problem
    }

    /// What it says of this case, wherever it says it.
    pub(crate) fn said(&self) -> Option<&str> {
        let of_field = || self.errors.first().map(|error| error.detail.as_str());
        self.detail.as_deref().or_else(of_field)
    }

    /// A failure of ours: the client learns nothing of its cause, the log does.
    #[must_use]
    pub fn internal(cause: impl Into<String>) -> Self {
        Self {
            cause: Some(cause.into()),
            ..Self::new(Code::Internal)
        }
    }

    /// Says more about this case. Must not quote the request.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Adds a header to the answer.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Its code.
    #[must_use]
    pub const fn code(&self) -> Code {
        self.code
    }

    /// Why, for the log alone.
    #[must_use]
    pub(crate) fn cause(&self) -> Option<&str> {
        self.cause.as_deref()
    }

    /// The answer as the client gets it; `headers` are those that the router set, such as `Allow`.
    pub(crate) fn render(&self, request_id: &str, mut headers: HeaderMap) -> Response<Body> {
        let status = self.code.status();
        let view = ProblemView {
            type_: format!("urn:switchyard:problem:{}", self.code.word()),
            title: self.code.title(),
            title_zh: self.code.title_zh(),
            status: status.as_u16(),
            code: self.code.word(),
            detail: self.detail.clone(),
            request_id: request_id.to_owned(),
            errors: self.errors.clone(),
        };
        // only strings and numbers: this cannot fail, and an empty body would still carry the status
        let body = serde_json::to_vec(&view).unwrap_or_default();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        for (name, value) in &self.headers {
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.insert(name, value);
            }
        }
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        response
    }
}

impl IntoResponse for Problem {
    /// An empty answer that carries the problem; `middleware::observe` gives it its body.
    fn into_response(self) -> Response<Body> {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = self.code.status();
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}

/// An error and what caused it, on one line.
pub(crate) fn chain(error: &(dyn StdError + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}

#[cfg(test)]
mod tests;
