//! `GET /api/operations/payouts.csv`.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use db::models::PayoutFilter;
use domain::payouts::{PayoutWithTransaction, page, with_transactions};
use kernel::PayoutId;

use super::{PayoutView, filter};
use crate::App;
use crate::extract::QueryParams;
use crate::problem::Problem;
use crate::routes::csv::{self, Lines, PAGE, Pages};

const HEAD: [&str; 14] = [
    "id",
    "user_id",
    "network",
    "amount",
    "asset",
    "to",
    "state",
    "reason",
    "requested_by",
    "approved_by",
    "txid",
    "created_at",
    "updated_at",
    "ended_at",
];

/// Where the export stands.
struct Export {
    app: Arc<App>,
    filter: PayoutFilter,
    place: Option<PayoutId>,
}

/// The same rows as the list, as a table for spreadsheets (RFC 4180), in one order from end to end. Beyond 300,000 lines the
/// connection is closed before the end: narrow it by `since` and `until`.
#[utoipa::path(get, path = "/api/operations/payouts.csv", tag = "operations",
    params(
        ("user_id" = Option<i64>, Query, description = "Only this user's"),
        ("state" = Option<String>, Query, description = "Only in this state, or one of several with commas between"),
        ("asset" = Option<String>, Query, description = "Only of this asset"),
        ("address" = Option<String>, Query, description = "Only to this address"),
        ("txid" = Option<String>, Query, description = "Only the one that this transaction was signed for"),
        ("since" = Option<chrono::DateTime<chrono::Utc>>, Query, description = "Only asked for then or later"),
        ("until" = Option<chrono::DateTime<chrono::Utc>>, Query, description = "Only asked for before"),
        ("min_amount" = Option<String>, Query, description = "Only of so much or more"),
        ("max_amount" = Option<String>, Query, description = "Only of so much or less"),
        ("order" = Option<String>, Query, description = "`newest` (where not given) or `oldest` first")),
    responses((status = 200, description = "A table", body = String, content_type = "text/csv")))]
pub(crate) async fn export_payouts(State(app): State<Arc<App>>, mut query: QueryParams) -> Result<Response, Problem> {
    let user = query.take("user_id")?;
    let filter = filter(&mut query, user)?;
    query.finish()?;
    let export = Export {
        app,
        filter,
        place: None,
    };
    csv::answer("payouts", &HEAD, export).await
}

impl Pages for Export {
    async fn next(&mut self) -> Result<Lines, Problem> {
        let rows = page(&self.app.pool, &self.filter, self.place, PAGE).await?;
        self.place = rows.last().map(|payout| PayoutId(payout.id)).or(self.place);
        Lines::of(with_transactions(&self.app.pool, rows).await?, line)
    }
}

fn line(payout: PayoutWithTransaction) -> Result<Vec<String>, Problem> {
    let view = PayoutView::try_from(payout)?;
    Ok(vec![
        view.id.to_string(),
        view.user_id.to_string(),
        view.network,
        view.amount.amount.to_string(),
        view.amount.asset.code().to_owned(),
        view.to,
        view.state.word().to_owned(),
        csv::shown(view.reason),
        csv::harmless(&view.requested_by),
        csv::harmless(view.approved_by.as_deref().unwrap_or_default()),
        csv::shown(view.txid),
        csv::time(view.created_at),
        csv::time(view.updated_at),
        csv::shown(view.ended_at.map(csv::time)),
    ])
}
