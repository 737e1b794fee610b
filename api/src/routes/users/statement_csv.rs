//! `GET /api/users/{user_id}/statement.csv`.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use domain::users::statement;
use kernel::UserId;
use ledger::{Movement, StatementFilter, StatementPlace};

use super::statement::{MovementView, filter};
use crate::App;
use crate::extract::{QueryParams, user_id};
use crate::problem::Problem;
use crate::routes::csv::{self, Lines, PAGE, Pages};

const HEAD: [&str; 9] = [
    "at",
    "event",
    "reason",
    "asset",
    "amount",
    "order_id",
    "payout_id",
    "actor",
    "note",
];

/// Where the export stands.
struct Export {
    app: Arc<App>,
    user: UserId,
    filter: StatementFilter,
    before: Option<StatementPlace>,
}

/// The same as a table for spreadsheets (RFC 4180), newest first. Beyond 300,000 lines the connection is closed before the end: narrow
/// it by `since` and `until`.
#[utoipa::path(get, path = "/api/users/{user_id}/statement.csv", tag = "users",
    params(
        ("user_id" = i64, Path, description = "The user"),
        ("asset" = Option<String>, Query, description = "Only of this asset"),
        ("since" = Option<chrono::DateTime<chrono::Utc>>, Query, description = "Only what moved then or later"),
        ("until" = Option<chrono::DateTime<chrono::Utc>>, Query, description = "Only what moved before")),
    responses((status = 200, description = "A table", body = String, content_type = "text/csv")))]
pub(crate) async fn export_user_statement(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    mut query: QueryParams,
) -> Result<Response, Problem> {
    let user = user_id(&id)?;
    let filter = filter(&mut query)?;
    query.finish()?;
    let export = Export {
        app,
        user,
        filter,
        before: None,
    };
    csv::answer(&format!("statement-{user}"), &HEAD, export).await
}

impl Pages for Export {
    async fn next(&mut self) -> Result<Lines, Problem> {
        let rows = statement(&self.app.pool, self.user, self.filter, self.before.as_ref(), PAGE).await?;
        self.before = rows.last().map(Movement::place);
        Lines::of(rows, line)
    }
}

fn line(movement: Movement) -> Result<Vec<String>, Problem> {
    let view = MovementView::try_from(movement)?;
    Ok(vec![
        csv::time(view.at),
        view.event,
        view.reason.to_owned(),
        view.asset,
        view.amount,
        csv::shown(view.order_id),
        csv::shown(view.payout_id),
        csv::shown(view.actor),
        csv::harmless(view.note.as_deref().unwrap_or_default()),
    ])
}
