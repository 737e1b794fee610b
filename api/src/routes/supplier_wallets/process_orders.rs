//! `POST /api/supplier-wallets/process-orders`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::orders::wake_pending;
use serde::Serialize;
use utoipa::ToSchema;

use crate::App;
use crate::problem::Problem;

/// How many orders were woken.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProcessingView {
    orders: usize,
}

/// Has every pending order tried again now, the nearest deadline first, at most 1000.
#[utoipa::path(post, path = "/api/supplier-wallets/process-orders", tag = "supplier wallets",
    responses((status = 202, description = "Asked for", body = ProcessingView)))]
pub(crate) async fn process_pending_orders(
    State(app): State<Arc<App>>,
) -> Result<(StatusCode, Json<ProcessingView>), Problem> {
    let (orders, wakes) = wake_pending(&app.pool, app.clock.now()).await?;
    app.wakes.push(wakes);
    Ok((StatusCode::ACCEPTED, Json(ProcessingView { orders })))
}
