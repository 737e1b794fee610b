//! `POST /api/users/{user_id}/deposits`.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::{HeaderMap, HeaderValue, LOCATION};
use axum::{Extension, Json};
use db::models::DepositWay;
use domain::deposits::{OpenDeposit, open};
use domain::orders::Idempotency;
use kernel::{Amount, Asset};
use serde::Deserialize;
use utoipa::ToSchema;

use super::DepositView;
use crate::App;
use crate::extract::{Idempotent, user_id};
use crate::middleware::Caller;
use crate::problem::Problem;
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
}

/// Announces a deposit, and answers where and exactly what to pay.
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
    let wanted = OpenDeposit {
        api_key: caller.key,
        user: user_id(&user)?,
        asset: request.body.asset,
        amount: request.body.amount,
        way: request.body.way,
        idempotency: Idempotency {
            key: request.key,
            request_sha256: request.request_sha256,
        },
    };
    let (announced, replayed) = open(&app.pool, &*app.ids, &app.deposits, &wanted, app.clock.now()).await?;
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
