//! What the commands on orders share: `POST /api/operations/orders/retry`, `…/refund` and `…/note`.

use axum::Json;
use axum::http::HeaderMap;
use domain::operations::{Instruction, OrderCommand, Skipped, command_orders};
use kernel::OrderId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{DoneView, answer};
use crate::App;
use crate::problem::Problem;

/// Which orders, and why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChooseOrders {
    /// 1 to 100 of them.
    #[schema(value_type = Vec<uuid::Uuid>)]
    pub(super) orders: Vec<OrderId>,
    /// Why: 1 to 500 characters, kept for good. A refund needs one.
    #[schema(example = "the customer sent it to the wrong address")]
    pub(super) reason: Option<String>,
    /// Only say which of them it fits.
    #[serde(default)]
    pub(super) dry_run: bool,
}

/// What came of a command on orders.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OrdersDoneView {
    #[serde(flatten)]
    done: DoneView,
    /// Those that nothing was done to; not told again where the request was carried out before.
    skipped: Vec<SkippedView>,
}

/// An order that nothing was done to.
#[derive(Debug, Serialize, ToSchema)]
struct SkippedView {
    #[schema(value_type = uuid::Uuid)]
    order: OrderId,
    /// `not_found`, `not_waiting` (it is not `pending`), `not_settled` (its money is in escrow and may go back by itself),
    /// `given_back`, or `needs_approval` (it cost more than `approvals.adjustment_above_trx`: refund the user, which another
    /// operator has to agree to).
    #[schema(example = "not_settled")]
    why: &'static str,
}

impl From<Skipped> for SkippedView {
    fn from(of: Skipped) -> Self {
        Self {
            order: of.order,
            why: of.why,
        }
    }
}

/// Carries a command out on orders.
pub(super) async fn command(
    app: &App,
    instruction: &Instruction,
    what: (OrderCommand<'_>, &[OrderId]),
) -> Result<(HeaderMap, Json<OrdersDoneView>), Problem> {
    let (how, now) = ((instruction, &app.approvals), app.clock.now());
    let (mut done, skipped) = command_orders(&app.pool, &*app.ids, how, what, now).await?;
    app.wakes.push(std::mem::take(&mut done.wakes));
    let view = OrdersDoneView {
        done: DoneView::from(&done),
        skipped: skipped.into_iter().map(SkippedView::from).collect(),
    };
    Ok(answer(&done, view))
}
