//! `POST /api/operations/orders/note`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::{Extension, Json};
use domain::operations::OrderCommand;
use kernel::OrderId;
use serde::Deserialize;
use utoipa::ToSchema;

use super::command_orders::{OrdersDoneView, command};
use super::instruction;
use crate::App;
use crate::extract::Idempotent;
use crate::middleware::Caller;
use crate::problem::Problem;

/// Which orders, and what is to be known of them.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoteOrders {
    /// 1 to 100 of them.
    #[schema(value_type = Vec<uuid::Uuid>)]
    orders: Vec<OrderId>,
    /// 1 to 500 characters, kept for good.
    #[schema(example = "asked twice by phone; calls back on Monday")]
    note: String,
}

/// Writes a note into the timelines of orders. Operators see it there; API keys do not.
#[utoipa::path(post, path = "/api/operations/orders/note", tag = "operations", request_body = NoteOrders,
    params(("Idempotency-Key" = String, Header, description = "1 to 255 visible ASCII characters, your name for this request")),
    responses((status = 200, description = "Done", body = OrdersDoneView,
        headers(("Idempotency-Replayed" = String, description = "true, if it was done before")))))]
pub(crate) async fn note_orders(
    State(app): State<Arc<App>>,
    Extension(caller): Caller,
    request: Idempotent<NoteOrders>,
) -> Result<(HeaderMap, Json<OrdersDoneView>), Problem> {
    let body = &request.body;
    let instruction = instruction(&caller, &request, Some(&body.note), false);
    command(&app, &instruction, (OrderCommand::Note(&body.note), &body.orders)).await
}
