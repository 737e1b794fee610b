//! `GET /api/orders.csv`.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use db::models::{Order, OrderFilter};
use domain::orders::page;
use kernel::OrderId;

use super::OrderView;
use super::list::filter;
use crate::App;
use crate::extract::QueryParams;
use crate::problem::Problem;
use crate::routes::csv::{self, Lines, PAGE, Pages};

const HEAD: [&str; 14] = [
    "id",
    "user_id",
    "receiver",
    "energy",
    "duration_s",
    "price",
    "asset",
    "state",
    "reason",
    "created_at",
    "deadline_at",
    "completed_at",
    "ends_at",
    "settled_at",
];

/// Where the export stands.
struct Export {
    app: Arc<App>,
    filter: OrderFilter,
    place: Option<OrderId>,
}

/// The same rows as the list, as a table for spreadsheets (RFC 4180), in one order from end to end. Beyond 300,000 lines the
/// connection is closed before the end: narrow it by `since` and `until`.
#[utoipa::path(get, path = "/api/orders.csv", tag = "orders",
    params(
        ("user_id" = Option<i64>, Query, description = "Only this user's"),
        ("state" = Option<String>, Query, description = "Only in this state, or one of several with commas between"),
        ("receiver" = Option<String>, Query, description = "Only for this address"),
        ("reason" = Option<String>, Query, description = "Only with this reason, such as `no_wallet_fits`"),
        ("txid" = Option<String>, Query, description = "Only the one whose energy this transaction delegated or took back"),
        ("since" = Option<chrono::DateTime<chrono::Utc>>, Query, description = "Only accepted then or later"),
        ("until" = Option<chrono::DateTime<chrono::Utc>>, Query, description = "Only accepted before"),
        ("min_energy" = Option<i64>, Query, description = "Only of so much energy or more"),
        ("max_energy" = Option<i64>, Query, description = "Only of so much energy or less"),
        ("min_price" = Option<String>, Query, description = "Only of this price or more, TRX"),
        ("max_price" = Option<String>, Query, description = "Only of this price or less, TRX"),
        ("order" = Option<String>, Query, description = "`newest` (where not given) or `oldest` first")),
    responses((status = 200, description = "A table", body = String, content_type = "text/csv")))]
pub(crate) async fn export_orders(State(app): State<Arc<App>>, mut query: QueryParams) -> Result<Response, Problem> {
    let filter = filter(&mut query)?;
    query.finish()?;
    let export = Export {
        app,
        filter,
        place: None,
    };
    csv::answer("orders", &HEAD, export).await
}

impl Pages for Export {
    async fn next(&mut self) -> Result<Lines, Problem> {
        let rows = page(&self.app.pool, &self.filter, self.place, PAGE).await?;
        self.place = rows.last().map(|order| OrderId(order.id)).or(self.place);
        Lines::of(rows, line)
    }
}

fn line(order: Order) -> Result<Vec<String>, Problem> {
    let view = OrderView::try_from(order)?;
    Ok(vec![
        view.id.to_string(),
        view.user_id.to_string(),
        view.receiver,
        view.energy.to_string(),
        view.duration_s.to_string(),
        view.price.amount.to_string(),
        view.price.asset.code().to_owned(),
        view.state.word().to_owned(),
        csv::shown(view.reason),
        csv::time(view.created_at),
        csv::time(view.deadline_at),
        csv::shown(view.completed_at.map(csv::time)),
        csv::shown(view.ends_at.map(csv::time)),
        csv::shown(view.settled_at.map(csv::time)),
    ])
}
