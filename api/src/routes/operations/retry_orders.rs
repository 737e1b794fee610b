//! `POST /api/operations/orders/retry`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::{Extension, Json};
use domain::operations::OrderCommand;

use super::command_orders::{ChooseOrders, OrdersDoneView, command};
use super::instruction;
use crate::App;
use crate::extract::Idempotent;
use crate::middleware::Caller;
use crate::problem::Problem;

/// Has waiting orders tried now, each once.
#[utoipa::path(post, path = "/api/operations/orders/retry", tag = "operations", request_body = ChooseOrders,
    params(("Idempotency-Key" = String, Header, description = "1 to 255 visible ASCII characters, your name for this request")),
    responses((status = 200, description = "Done", body = OrdersDoneView,
        headers(("Idempotency-Replayed" = String, description = "true, if it was done before")))))]
pub(crate) async fn retry_orders(
    State(app): State<Arc<App>>,
    Extension(caller): Caller,
    request: Idempotent<ChooseOrders>,
) -> Result<(HeaderMap, Json<OrdersDoneView>), Problem> {
    let body = &request.body;
    let instruction = instruction(&caller, &request, body.reason.as_ref(), body.dry_run);
    command(&app, &instruction, (OrderCommand::Retry, &body.orders)).await
}
