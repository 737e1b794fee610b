//! `GET /api/auth/sessions`.

use std::sync::Arc;

use axum::extract::State;
use axum::{Extension, Json};
use domain::operators::sessions;
use serde::Serialize;
use utoipa::ToSchema;

use super::{SessionView, own};
use crate::App;
use crate::middleware::Caller;
use crate::problem::Problem;

/// Where an operator is signed in, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SessionList {
    pub(crate) items: Vec<SessionView>,
}

/// Lists where one is signed in.
#[utoipa::path(get, path = "/api/auth/sessions", tag = "auth",
    responses((status = 200, description = "All that go on", body = SessionList)))]
pub(crate) async fn list_own_sessions(
    State(app): State<Arc<App>>,
    Extension(caller): Caller,
) -> Result<Json<SessionList>, Problem> {
    let (id, current) = own(&caller)?;
    let found = sessions(&app.pool, id, app.clock.now()).await?;
    let items = found
        .into_iter()
        .map(|session| SessionView::new(session, Some(current)));
    Ok(Json(SessionList { items: items.collect() }))
}
