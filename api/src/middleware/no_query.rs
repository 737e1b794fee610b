//! Routes that have no parameters: what a query asks of them is a mistake, and is not passed over.

use axum::extract::{FromRequestParts, Request};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::extract::QueryParams;

/// Lets a request without parameters through.
pub(crate) async fn no_query(request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let params = QueryParams::from_request_parts(&mut parts, &()).await;
    match params.and_then(QueryParams::finish) {
        Ok(()) => next.run(Request::from_parts(parts, body)).await,
        Err(problem) => problem.into_response(),
    }
}
