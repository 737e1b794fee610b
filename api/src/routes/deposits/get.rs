//! `GET /api/deposits/{id}`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use domain::deposits::find;
use serde::Serialize;
use utoipa::ToSchema;

use super::{DepositView, TransferView};
use crate::App;
use crate::extract::path;
use crate::problem::Problem;

/// A deposit with what came for it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DepositDetailView {
    #[serde(flatten)]
    deposit: DepositView,
    /// Transfers that were for it, in the order of the chain. What is not final yet is not among them.
    transfers: Vec<TransferView>,
}

/// Shows a deposit with its transfers.
#[utoipa::path(get, path = "/api/deposits/{id}", tag = "deposits",
    params(("id" = uuid::Uuid, Path, description = "The deposit")),
    responses((status = 200, description = "The deposit", body = DepositDetailView)))]
pub(crate) async fn get_deposit(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Json<DepositDetailView>, Problem> {
    let (announced, transfers) = find(&app.pool, path("id", &id)?).await?;
    let transfers = transfers.into_iter().map(TransferView::try_from);
    Ok(Json(DepositDetailView {
        deposit: announced.try_into()?,
        transfers: transfers.collect::<Result<_, _>>()?,
    }))
}
