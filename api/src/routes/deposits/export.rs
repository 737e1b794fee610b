//! `GET /api/operations/deposits.csv`.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use db::models::{IncomingTransfer, TransferFilter, TransferKind};
use domain::operations::transfers_page;
use uuid::Uuid;

use super::TransferView;
use crate::App;
use crate::extract::QueryParams;
use crate::problem::Problem;
use crate::routes::csv::{self, Lines, PAGE, Pages};
use crate::routes::operations::list_deposits::filter;

const HEAD: [&str; 19] = [
    "id",
    "network",
    "txid",
    "log_index",
    "block_number",
    "block_time",
    "from",
    "to",
    "token",
    "amount_minor",
    "memo",
    "state",
    "case",
    "deposit_id",
    "user_id",
    "asset",
    "credited",
    "decided_by",
    "reason",
];

/// Where the export stands.
struct Export {
    app: Arc<App>,
    filter: TransferFilter,
    place: Option<Uuid>,
}

/// The same rows as the list, as a table for spreadsheets (RFC 4180), in one order from end to end. Beyond 300,000 lines the
/// connection is closed before the end: narrow it by `since` and `until`.
#[utoipa::path(get, path = "/api/operations/deposits.csv", tag = "operations",
    params(
        ("state" = Option<String>, Query, description = "Only `seen`, `reverted`, `credited`, `held`, `ignored`, `refunded` or `reversed`, or several with commas between"),
        ("case" = Option<String>, Query, description = "Only this case, such as `unmatched`"),
        ("user_id" = Option<i64>, Query, description = "Only this user's"),
        ("txid" = Option<String>, Query, description = "Only of this transaction"),
        ("asset" = Option<String>, Query, description = "Only credited in this asset"),
        ("address" = Option<String>, Query, description = "Only to this address"),
        ("since" = Option<chrono::DateTime<chrono::Utc>>, Query, description = "Only of blocks of then or later"),
        ("until" = Option<chrono::DateTime<chrono::Utc>>, Query, description = "Only of blocks before"),
        ("min_amount" = Option<String>, Query, description = "Only where so much or more was credited"),
        ("max_amount" = Option<String>, Query, description = "Only where so much or less was credited"),
        ("order" = Option<String>, Query, description = "`newest` (where not given) or `oldest` first")),
    responses((status = 200, description = "A table", body = String, content_type = "text/csv")))]
pub(crate) async fn export_deposits(State(app): State<Arc<App>>, mut query: QueryParams) -> Result<Response, Problem> {
    let filter = filter(&mut query)?;
    query.finish()?;
    let export = Export {
        app,
        filter,
        place: None,
    };
    csv::answer("deposits", &HEAD, export).await
}

impl Pages for Export {
    async fn next(&mut self) -> Result<Lines, Problem> {
        let rows = transfers_page(&self.app.pool, &self.filter, self.place, PAGE).await?;
        self.place = rows.last().map(|row| row.id).or(self.place);
        Lines::of(rows, line)
    }
}

/// The memo, and why it was decided so, were written by anybody.
fn line(transfer: IncomingTransfer) -> Result<Vec<String>, Problem> {
    let view = TransferView::try_from(transfer)?;
    let written = |text: Option<String>| csv::harmless(text.as_deref().unwrap_or_default());
    Ok(vec![
        view.id.to_string(),
        view.network,
        view.txid,
        view.log_index.to_string(),
        view.block_number.to_string(),
        csv::time(view.block_time),
        view.from,
        view.to,
        csv::shown(view.token),
        view.amount_minor,
        written(view.memo),
        view.state.word().to_owned(),
        csv::shown(view.case.map(TransferKind::word)),
        csv::shown(view.deposit_id),
        csv::shown(view.user_id),
        csv::shown(view.asset),
        csv::shown(view.credited),
        written(view.decided_by),
        written(view.reason),
    ])
}
