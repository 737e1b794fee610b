//! `PUT /api/operations/switches/{name}`.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::{Extension, Json};
use domain::operations::{SWITCHES, throw_switch as throw};
use serde::Deserialize;
use utoipa::ToSchema;

use super::list_switches::SwitchView;
use crate::App;
use crate::extract::JsonBody;
use crate::middleware::Caller;
use crate::problem::{Code, Problem};

/// How a switch is to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ThrowSwitch {
    /// On, it stops something.
    enabled: bool,
    /// Why: 1 to 500 characters.
    #[schema(example = "PostgreSQL is moved tonight")]
    reason: String,
}

/// Throws a switch, within seconds in every process. `maintenance` stops new orders, `payouts` and `sweeps` what their names say; what
/// runs goes on.
#[utoipa::path(put, path = "/api/operations/switches/{name}", tag = "operations", request_body = ThrowSwitch,
    params(("name" = String, Path, description = "`maintenance`, `payouts` or `sweeps`")),
    responses((status = 200, description = "Thrown", body = SwitchView)))]
pub(crate) async fn throw_switch(
    State(app): State<Arc<App>>,
    Extension(caller): Caller,
    Path(name): Path<String>,
    JsonBody(body): JsonBody<ThrowSwitch>,
) -> Result<Json<SwitchView>, Problem> {
    let known = SWITCHES.into_iter().find(|known| *known == name);
    let name = known.ok_or_else(|| Problem::new(Code::NotFound))?;
    let wanted = (body.enabled, body.reason.as_str());
    let thrown = throw(&app.pool, name, wanted, &caller.actor(), app.clock.now()).await?;
    Ok(Json(SwitchView::new(name, Some(thrown))))
}
