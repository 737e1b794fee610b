//! `GET /api/users/{user_id}/statement`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use chrono::{DateTime, Utc};
use domain::users::statement;
use kernel::{Amount, Asset};
use ledger::{Movement, StatementFilter, StatementPlace};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::App;
use crate::extract::{QueryParams, user_id};
use crate::problem::{Code, Problem};
use crate::routes::cut;

/// A page of what moved on a user's accounts, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StatementView {
    items: Vec<MovementView>,
    /// The `cursor` of the next page; null on the last one.
    next_cursor: Option<String>,
}

/// One movement of a user's money. Each event is booked once: two lines are two events.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MovementView {
    /// What it was booked for, such as `order:<id>:hold`.
    #[schema(example = "order:01931d3c-7d5e-7c8a-9b52-5f1a2c3d4e5f:hold")]
    pub(super) event: String,
    pub(super) at: DateTime<Utc>,
    #[schema(example = "order_hold")]
    pub(super) reason: &'static str,
    #[schema(example = "TRX")]
    pub(super) asset: String,
    /// With a minus where it left the user.
    #[schema(example = "-3.250000")]
    pub(super) amount: String,
    pub(super) order_id: Option<Uuid>,
    pub(super) payout_id: Option<Uuid>,
    /// Who moved it, when a person or a client did: `api_key:<id>`, `operator:<id>`.
    pub(super) actor: Option<String>,
    /// What a person said of it.
    pub(super) note: Option<String>,
}

impl TryFrom<Movement> for MovementView {
    type Error = Problem;

    fn try_from(movement: Movement) -> Result<Self, Problem> {
        let size = movement.minor.checked_abs().map(Amount::from_minor);
        let broken = || Problem::internal(format!("the amount of {}", movement.event));
        let size = size.and_then(Result::ok).ok_or_else(broken)?;
        let sign = if movement.minor < 0 { "-" } else { "" };
        Ok(Self {
            amount: format!("{sign}{size}"),
            at: movement.created_at,
            reason: movement.reason.word(),
            event: movement.event,
            asset: movement.asset,
            order_id: movement.order_id,
            payout_id: movement.payout_id,
            actor: movement.actor,
            note: movement.note,
        })
    }
}

/// Takes the filters of a statement out of the query.
pub(super) fn filter(query: &mut QueryParams) -> Result<StatementFilter, Problem> {
    let period = query.take_period()?;
    let asset: Option<Asset> = query.take("asset")?;
    Ok(StatementFilter {
        asset,
        since: period.from,
        until: period.to,
    })
}

/// Lists what moved on a user's accounts, newest first: the ledger's own lines.
#[utoipa::path(get, path = "/api/users/{user_id}/statement", tag = "users",
    params(
        ("user_id" = i64, Path, description = "The user"),
        ("asset" = Option<String>, Query, description = "Only of this asset"),
        ("since" = Option<DateTime<Utc>>, Query, description = "Only what moved then or later"),
        ("until" = Option<DateTime<Utc>>, Query, description = "Only what moved before"),
        ("limit" = Option<u32>, Query, description = "Rows per page; 50 where not given"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before")),
    responses((status = 200, description = "A page", body = StatementView)))]
pub(crate) async fn get_user_statement(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    mut query: QueryParams,
) -> Result<Json<StatementView>, Problem> {
    let user = user_id(&id)?;
    let filter = filter(&mut query)?;
    let before = query.take("cursor")?.map(|cursor: String| place(&cursor)).transpose()?;
    let limit = query.take_limit(&app)?;
    query.finish()?;
    let mut moved = statement(&app.pool, user, filter, before.as_ref(), i64::from(limit) + 1).await?;
    let next_cursor = cut(&mut moved, limit, |movement| {
        let StatementPlace { xact, event } = movement.place();
        format!("{xact}.{event}")
    });
    let items = moved
        .into_iter()
        .map(MovementView::try_from)
        .collect::<Result<_, _>>()?;
    Ok(Json(StatementView { items, next_cursor }))
}

fn place(cursor: &str) -> Result<StatementPlace, Problem> {
    let parts = cursor.split_once('.').and_then(|(xact, event)| {
        let xact: i64 = xact.parse().ok().filter(|xact| *xact >= 0)?;
        Some(StatementPlace {
            xact,
            event: event.to_owned(),
        })
    });
    parts.ok_or_else(|| {
        Problem::field(
            Code::InvalidParameter,
            "query/cursor",
            "invalid_value",
            "this is not its form",
        )
    })
}
