//! How many requests at once, and how long each: what is beyond is refused at once, and what takes too long is given up.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::App;
use crate::problem::{Code, Problem};

/// A request given up in the middle of a transaction is rolled back: its connection leaves the pool.
pub(crate) async fn bounds(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let Ok(_slot) = app.slots.try_acquire() else {
        return Problem::new(Code::Overloaded).into_response();
    };
    tokio::time::timeout(app.request_timeout(), next.run(request))
        .await
        .unwrap_or_else(|_| Problem::new(Code::Timeout).into_response())
}
