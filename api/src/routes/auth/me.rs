//! `GET /api/auth/me`.

use std::sync::Arc;

use axum::extract::State;
use axum::{Extension, Json};
use domain::operators::{missing, profile};
use serde::Serialize;
use utoipa::ToSchema;

use super::own;
use crate::App;
use crate::middleware::Caller;
use crate::problem::Problem;
use crate::routes::operators::OperatorView;

/// The operator who asks.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MeView {
    operator: OperatorView,
    /// What he may do now.
    #[schema(example = json!(["account:own", "orders:read"]))]
    permissions: Vec<&'static str>,
    /// What is missing before he may do anything else: `change_password`, `enrol_totp`.
    next: Vec<&'static str>,
}

/// Answers who asks, and what he may do.
#[utoipa::path(get, path = "/api/auth/me", tag = "auth", responses((status = 200, description = "You", body = MeView)))]
pub(crate) async fn get_me(State(app): State<Arc<App>>, Extension(caller): Caller) -> Result<Json<MeView>, Problem> {
    let (operator, may) = profile(&app.pool, own(&caller)?.0).await?;
    Ok(Json(MeView {
        permissions: may.words(),
        next: missing(&operator).iter().map(|step| step.word()).collect(),
        operator: operator.into(),
    }))
}
