//! `GET /api/operators/{id}/sessions`.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::{Extension, Json};
use domain::operators::{find, sessions};

use crate::App;
use crate::extract::path;
use crate::middleware::Caller;
use crate::problem::Problem;
use crate::routes::auth::SessionView;
use crate::routes::auth::list_sessions::SessionList;

/// Lists where an operator is signed in.
#[utoipa::path(get, path = "/api/operators/{id}/sessions", tag = "operators",
    params(("id" = uuid::Uuid, Path, description = "The operator")),
    responses((status = 200, description = "All that go on", body = SessionList)))]
pub(crate) async fn list_operator_sessions(
    State(app): State<Arc<App>>,
    Extension(caller): Caller,
    Path(id): Path<String>,
) -> Result<Json<SessionList>, Problem> {
    let operator = find(&app.pool, path("id", &id)?).await?;
    let found = sessions(&app.pool, operator.id, app.clock.now()).await?;
    let items = found
        .into_iter()
        .map(|session| SessionView::new(session, caller.session));
    Ok(Json(SessionList { items: items.collect() }))
}
