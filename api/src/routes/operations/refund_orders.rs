//! `POST /api/operations/orders/refund`.

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

/// Gives the money of orders back: what waits is cancelled, and what a settled one cost is credited to its user, once.
///
/// What was delivered stays delivered: its energy was lent. More time that was bought for it is not given back with it. An order
/// between the two, whose money is in escrow, is skipped: it ends by itself.
#[utoipa::path(post, path = "/api/operations/orders/refund", tag = "operations", request_body = ChooseOrders,
    params(("Idempotency-Key" = String, Header, description = "1 to 255 visible ASCII characters, your name for this request")),
    responses((status = 200, description = "Done", body = OrdersDoneView,
        headers(("Idempotency-Replayed" = String, description = "true, if it was done before")))))]
pub(crate) async fn refund_orders(
    State(app): State<Arc<App>>,
    Extension(caller): Caller,
    request: Idempotent<ChooseOrders>,
) -> Result<(HeaderMap, Json<OrdersDoneView>), Problem> {
    let body = &request.body;
    let instruction = instruction(&caller, &request, body.reason.as_ref(), body.dry_run);
    command(&app, &instruction, (OrderCommand::Refund, &body.orders)).await
}
