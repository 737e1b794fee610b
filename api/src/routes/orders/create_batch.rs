//! `POST /api/orders/batch`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::{Extension, Json};
use domain::orders::{
    AcceptOrder, BATCH_KEY_MAX, BATCH_MAX, BatchError, BatchMode, BatchResult, Idempotency, accept_batch,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::OrderView;
use super::create::CreateOrder;
use crate::App;
use crate::extract::{Idempotent, JsonObject};
use crate::middleware::Caller;
use crate::problem::{Code, Problem};
use crate::routes::replayed;

/// Orders to place.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateOrders {
    /// What becomes of the others where one is refused.
    mode: ModeWord,
    /// 1 to 100.
    #[schema(value_type = Vec<CreateOrder>)]
    orders: Vec<JsonObject<CreateOrder>>,
}

/// What becomes of a batch of which one order is refused.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum ModeWord {
    /// None is placed, and the answer is the problem of the first that is refused.
    AllOrNothing,
    /// The others are placed, and the answer has a result for each.
    BestEffort,
}

/// What came of each order.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BatchView {
    /// How many are placed, now or before.
    placed: usize,
    /// In the order of the request.
    results: Vec<ResultView>,
}

/// What came of one order: either it, or why it was refused.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ResultView {
    order: Option<OrderView>,
    problem: Option<RefusalView>,
}

/// Why an order of a batch was refused.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RefusalView {
    /// The stable code to decide by.
    #[schema(example = "insufficient_funds")]
    code: &'static str,
    /// What the code means.
    title: &'static str,
    /// The same in Chinese.
    title_zh: &'static str,
    /// More about this case.
    detail: Option<String>,
}

/// Accepts up to 100 orders, all or none, or each that can be had.
///
/// Sent again with the same Idempotency-Key (at most 250 characters here) and body, nothing is placed twice: what was placed is answered
/// as it is now, and what was refused is tried again.
#[utoipa::path(post, path = "/api/orders/batch", tag = "orders", request_body = CreateOrders,
    params(("Idempotency-Key" = String, Header, description = "1 to 250 visible ASCII characters, your name for this request")),
    responses((status = 200, description = "What came of each", body = BatchView,
        headers(("Idempotency-Replayed" = String, description = "true, if all of it was placed before")))))]
pub(crate) async fn create_orders(
    State(app): State<Arc<App>>,
    Extension(caller): Caller,
    request: Idempotent<CreateOrders>,
) -> Result<(HeaderMap, Json<BatchView>), Problem> {
    if request.key.len() > BATCH_KEY_MAX {
        return Err(Problem::new(Code::IdempotencyKeyInvalid));
    }
    let mark = Idempotency {
        key: request.key,
        request_sha256: request.request_sha256,
    };
    let CreateOrders { mode, orders } = request.body;
    if !(1..=BATCH_MAX).contains(&orders.len()) {
        let detail = format!("must have 1 to {BATCH_MAX} orders");
        return Err(Problem::field(Code::InvalidBody, "#/orders", "invalid_value", detail));
    }
    let orders: Vec<AcceptOrder> = orders
        .into_iter()
        .enumerate()
        .map(|(index, JsonObject(order))| order.to_accept(&caller, mark.clone(), &format!("#/orders/{index}")))
        .collect::<Result<_, _>>()?;
    let mode = match mode {
        ModeWord::AllOrNothing => BatchMode::AllOrNothing,
        ModeWord::BestEffort => BatchMode::BestEffort,
    };
    let by = (caller.key, &mark, mode);
    let results = accept_batch(&app.pool, &*app.ids, &app.rules().policy, by, &orders, app.clock.now())
        .await
        .map_err(problem)?;
    let all_replayed = results
        .iter()
        .all(|result| result.as_ref().is_ok_and(|accepted| accepted.replayed));
    let mut view = BatchView {
        placed: 0,
        results: Vec::with_capacity(results.len()),
    };
    for result in results {
        view.results.push(of_result(&app, result)?);
    }
    view.placed = view.results.iter().filter(|result| result.order.is_some()).count();
    let headers = if all_replayed { replayed() } else { HeaderMap::new() };
    Ok((headers, Json(view)))
}

/// Of the order that is to blame, with its place.
fn problem(error: BatchError) -> Problem {
    let BatchError { index, source } = error;
    let problem = Problem::from(source);
    match index {
        Some(index) => problem.of_item("orders", index),
        None => problem,
    }
}

fn of_result(app: &App, result: BatchResult) -> Result<ResultView, Problem> {
    Ok(match result {
        Ok(accepted) => {
            app.wakes.push(accepted.wake);
            ResultView {
                order: Some(accepted.order.try_into()?),
                problem: None,
            }
        }
        Err(error) => {
            let problem = Problem::from(error);
            let code = problem.code();
            ResultView {
                order: None,
                problem: Some(RefusalView {
                    code: code.word(),
                    title: code.title(),
                    title_zh: code.title_zh(),
                    detail: problem.said().map(str::to_owned),
                }),
            }
        }
    })
}
