//! `POST /api/users/{user_id}/deposits`.

use std::sync::Arc;

use access::Permission;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::{HeaderMap, HeaderValue, LOCATION};
use axum::{Extension, Json};
use chain::TronAddress;
use db::models::DepositWay;
use domain::DomainError;
use domain::deposits::{OpenDeposit, WantedOrder, open};
use domain::orders::Idempotency;
use kernel::{Amount, Asset};
use serde::Deserialize;
use utoipa::ToSchema;

use super::DepositView;
use crate::App;
use crate::extract::{Idempotent, JsonObject, user_id};
use crate::middleware::{Caller, need};
use crate::problem::{Code, Problem};
use crate::routes::orders::create::REPLAYED;

/// A deposit to announce.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OpenDepositBody {
    #[schema(value_type = String, example = "USDT")]
    asset: Asset,
    /// How much is wanted; needed for the way `amount`, which adds at most 0.009999 to it.
    #[schema(value_type = Option<String>, example = "10.000000")]
    amount: Option<Amount>,
    /// `address` or `amount`.
    #[schema(value_type = String, example = "amount")]
    way: DepositWay,
    /// What the deposit is to buy once all of it came; its price is the amount then, so give none.
    #[schema(value_type = Option<DepositOrderBody>)]
    order: Option<JsonObject<DepositOrderBody>>,
}

/// An order to pay directly.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DepositOrderBody {
    /// Who receives the energy: a TRON address in base58.
    #[schema(value_type = String, example = "TLyqzVGLV1srkB7dToTAEqgDSfPtXRJZYH")]
    receiver: TronAddress,
    /// How much energy.
    #[schema(example = 65000)]
    energy: i64,
    /// For how long, seconds.
    #[schema(example = 3600)]
    duration_s: i32,
}

/// Announces a deposit, and answers where and exactly what to pay.
///
/// With an `order`, which needs the scope `orders:write` as well, the deposit buys it: the answer's amount is its price, and
/// the order is placed once the payment is final. `order.order_id` names it then; where it cannot be placed, `order.reason`
/// says why, and the money is on the user's balance.
///
/// Sent again with the same Idempotency-Key and body it answers the same deposit, with 200 and `Idempotency-Replayed: true`.
#[utoipa::path(post, path = "/api/users/{user_id}/deposits", tag = "deposits", request_body = OpenDepositBody,
    params(
        ("user_id" = i64, Path, description = "The user"),
        ("Idempotency-Key" = String, Header, description = "1 to 255 visible ASCII characters, your name for this request")),
    responses(
        (status = 201, description = "Announced", body = DepositView, headers(("Location" = String, description = "The deposit"))),
        (status = 200, description = "Announced before", body = DepositView,
            headers(("Idempotency-Replayed" = String, description = "true")))))]
pub(crate) async fn open_deposit(
    State(app): State<Arc<App>>,
    Extension(caller): Caller,
    Path(user): Path<String>,
    request: Idempotent<OpenDepositBody>,
) -> Result<(StatusCode, HeaderMap, Json<DepositView>), Problem> {
    let order = request.body.order.map(|JsonObject(order)| WantedOrder {
        receiver: order.receiver,
        energy: order.energy,
        duration_s: order.duration_s,
    });
    if order.is_some() {
        need(&caller, Permission::OrdersWrite)?;
        if request.body.amount.is_some() {
            let text = "the order says how much is to be paid";
            return Err(Problem::field(Code::InvalidBody, "#/amount", "invalid_value", text));
        }
    }
    let wanted = OpenDeposit {
        api_key: caller.key,
        user: user_id(&user)?,
        asset: request.body.asset,
        amount: request.body.amount,
        way: request.body.way,
        order,
        idempotency: Idempotency {
            key: request.key,
            request_sha256: request.request_sha256,
        },
    };
    let opened = open(&app.pool, &*app.ids, &app.rules().deposits, &wanted, app.clock.now()).await;
    let (announced, replayed) = opened.map_err(refused)?;
    let deposit = DepositView::try_from(announced)?;
    let mut headers = HeaderMap::new();
    if let Ok(location) = HeaderValue::try_from(format!("/api/deposits/{}", deposit.id)) {
        headers.insert(LOCATION, location);
    }
    if replayed {
        headers.insert(REPLAYED, HeaderValue::from_static("true"));
        return Ok((StatusCode::OK, headers, Json(deposit)));
    }
    Ok((StatusCode::CREATED, headers, Json(deposit)))
}

/// What is wrong with an order is wrong inside of it.
fn refused(error: DomainError) -> Problem {
    let inside = matches!(
        error,
        DomainError::EnergyOutOfRange { .. } | DomainError::DurationOutOfRange { .. } | DomainError::ReceiverIsSupplier
    );
    let problem = Problem::from(error);
    if inside { problem.under("order") } else { problem }
}
