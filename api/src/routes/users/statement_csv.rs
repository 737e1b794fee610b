//! `GET /api/users/{user_id}/statement.csv`.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use chrono::SecondsFormat;
use domain::users::statement;
use futures::stream::{self, StreamExt};
use kernel::UserId;
use ledger::{Movement, StatementFilter, StatementPlace};

use super::statement::{MovementView, filter};
use crate::App;
use crate::extract::{QueryParams, user_id};
use crate::problem::Problem;

/// Rows read at a time.
const PAGE: i64 = 500;
/// More are not sent at once.
const PAGES: usize = 600;
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
    let mut export = Export {
        app,
        user,
        filter,
        before: None,
    };
    // what fails at once is told with its own status
    let first = export.page().await?;
    let head = row(HEAD).map_err(|error| Problem::internal(error.to_string()))?;
    let begun = stream::iter([Ok(head), table(first.0)]);
    let rest = stream::try_unfold((export, first.1, 1), |(mut export, more, pages)| async move {
        if !more {
            return Ok(None);
        }
        if pages == PAGES {
            return Err(std::io::Error::other("more lines than are exported at once"));
        }
        let (rows, more) = export.page().await.map_err(broken_off)?;
        Ok(Some((table(rows)?, (export, more, pages + 1))))
    });
    let body = Body::from_stream(begun.chain(rest));
    let name = HeaderValue::try_from(format!("attachment; filename=\"statement-{user}.csv\""));
    let headers = HeaderMap::from_iter([
        (CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8")),
        (
            CONTENT_DISPOSITION,
            name.map_err(|error| Problem::internal(error.to_string()))?,
        ),
    ]);
    Ok((headers, body).into_response())
}

impl Export {
    /// The next rows, and whether there may be more.
    async fn page(&mut self) -> Result<(Vec<Movement>, bool), Problem> {
        let rows = statement(&self.app.pool, self.user, self.filter, self.before.as_ref(), PAGE).await?;
        self.before = rows.last().map(Movement::place);
        let more = i64::try_from(rows.len()).is_ok_and(|count| count == PAGE);
        Ok((rows, more))
    }
}

/// The connection is closed without an end, so that nobody takes half a table for a whole one.
fn broken_off(problem: Problem) -> std::io::Error {
    let why = problem.cause().unwrap_or("unknown").to_owned();
    tracing::error!(error = why, "an export broke off");
    std::io::Error::other("the export broke off")
}

fn table(rows: Vec<Movement>) -> Result<Vec<u8>, std::io::Error> {
    let mut text = Vec::new();
    for movement in rows {
        let view = MovementView::try_from(movement).map_err(broken_off)?;
        let shown = |id: Option<uuid::Uuid>| id.map(|id| id.to_string()).unwrap_or_default();
        text.extend(row([
            &view.at.to_rfc3339_opts(SecondsFormat::Micros, true),
            &view.event,
            view.reason,
            &view.asset,
            &view.amount,
            &shown(view.order_id),
            &shown(view.payout_id),
            view.actor.as_deref().unwrap_or_default(),
            &harmless(view.note.as_deref().unwrap_or_default()),
        ])?);
    }
    Ok(text)
}

fn row<const N: usize>(fields: [&str; N]) -> Result<Vec<u8>, std::io::Error> {
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    writer.write_record(fields).map_err(std::io::Error::other)?;
    writer
        .into_inner()
        .map_err(|error| std::io::Error::other(error.to_string()))
}

/// What people write must not be a formula to who opens the table.
fn harmless(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@']) {
        return format!("'{text}");
    }
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_quoted_where_they_have_to_be() {
        let text = String::from_utf8(row(["a", "b,c", "say \"hi\"", &harmless("=1+1"), ""]).unwrap()).unwrap();
        assert_eq!(text, "a,\"b,c\",\"say \"\"hi\"\"\",'=1+1,\r\n");
        assert_eq!(harmless("-1"), "'-1");
        assert_eq!(harmless("paid by card"), "paid by card");
    }
}
