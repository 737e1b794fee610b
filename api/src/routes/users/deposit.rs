//! `POST /api/users/{user_id}/deposit`.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::{Extension, Json};
use chain::TxId;
use domain::deposits::{Asked, ask};
use kernel::{Amount, Asset};
use ledger::movements::Direction;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::adjust::{AdjustAnswer, AdjustBalance, AdjustedView, Answered, adjust};
use crate::App;
use crate::extract::{Idempotent, user_id};
use crate::middleware::Caller;
use crate::problem::{Code, Problem};
use crate::routes::approvals::WaitingView;
use crate::routes::deposits::TransferView;

/// Either `txid` alone: a payment on the chain, to be looked up there. Or `amount` and `reason`: money that came outside
/// of any chain, on the caller's word.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DepositUser {
    /// The transaction that the user says he paid with: 64 hex digits.
    #[schema(example = "2a6c1f5f0a4de4b6d1a2d1c0b8f0c3f2f6c1d5e4a3b2c1d0e9f8a7b6c5d4e3f2")]
    txid: Option<String>,
    /// `TRX` where not given.
    #[schema(value_type = Option<String>, example = "TRX")]
    asset: Option<Asset>,
    /// How much; not zero.
    #[schema(value_type = Option<String>, example = "12.500000")]
    amount: Option<Amount>,
    /// Why, in words: 1 to 480 characters. Kept for good.
    #[schema(example = "paid by card, invoice 1042")]
    reason: Option<String>,
}

/// What is known of a transaction.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ConfirmedView {
    txid: String,
    /// `known`: these are its transfers that concern us. `looking`: nothing is known yet, and a worker asks the chain.
    #[schema(example = "known")]
    standing: &'static str,
    transfers: Vec<TransferView>,
}

/// The answer to either form.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum DepositAnswer {
    /// To `txid`.
    Confirmed(ConfirmedView),
    /// To `amount`.
    Adjusted(AdjustedView),
    /// To `amount`, above the limits: another operator has to agree.
    Waiting(WaitingView),
}

/// Confirms a payment by its transaction, or credits a user who paid outside of any chain.
///
/// With `txid` nothing that is said is believed: the transaction is looked up in the solidified blocks, and each of its
/// transfers is credited once, to whom its address, amount or memo names. 200 answers what is known, 202 that it is being
/// looked for; ask again. With `amount`, the same Idempotency-Key and body again moves nothing, and above
/// `approvals.adjustment_above_*` it waits, with 202, until another operator agrees.
#[utoipa::path(post, path = "/api/users/{user_id}/deposit", tag = "users", request_body = DepositUser,
    params(
        ("user_id" = i64, Path, description = "The user"),
        ("Idempotency-Key" = String, Header, description = "1 to 255 visible ASCII characters, your name for this request")),
    responses(
        (status = 200, description = "Booked, or known", body = DepositAnswer),
        (status = 202, description = "Being looked for, or waiting for another operator", body = DepositAnswer)))]
pub(crate) async fn deposit_user_balance(
    State(app): State<Arc<App>>,
    Extension(caller): Caller,
    Path(user): Path<String>,
    request: Idempotent<DepositUser>,
) -> Result<Answered<Json<DepositAnswer>>, Problem> {
    let body = request.body;
    let Some(txid) = body.txid else {
        let request = Idempotent {
            key: request.key,
            request_sha256: request.request_sha256,
            body: AdjustBalance {
                asset: body.asset,
                amount: body.amount.ok_or_else(|| missing("#/amount"))?,
                reason: body.reason.ok_or_else(|| missing("#/reason"))?,
            },
        };
        let how = ("deposit", Direction::Credit);
        let (status, headers, answer) = adjust(&app, &caller, &user, how, request).await?;
        let answer = match answer {
            AdjustAnswer::Adjusted(adjusted) => DepositAnswer::Adjusted(adjusted),
            AdjustAnswer::Waiting(waiting) => DepositAnswer::Waiting(waiting),
        };
        return Ok((status, headers, Json(answer)));
    };
    user_id(&user)?;
    if body.asset.is_some() || body.amount.is_some() || body.reason.is_some() {
        let detail = "a transaction says by itself what was paid";
        return Err(Problem::field(Code::InvalidBody, "#/txid", "invalid_value", detail));
    }
    confirm(&app, &txid).await
}

async fn confirm(app: &App, txid: &str) -> Result<Answered<Json<DepositAnswer>>, Problem> {
    let wrong = |_| Problem::field(Code::InvalidBody, "#/txid", "invalid_value", "must be 64 hex digits");
    let txid: TxId = txid.parse().map_err(wrong)?;
    let (status, standing, transfers) =
        match ask(&app.pool, &app.rules().deposits.network, txid, app.clock.now()).await? {
            Asked::Known(transfers) => (StatusCode::OK, "known", transfers),
            Asked::Looking(wake) => {
                app.wakes.push(wake);
                (StatusCode::ACCEPTED, "looking", Vec::new())
            }
        };
    let transfers = transfers.into_iter().map(TransferView::try_from);
    let view = ConfirmedView {
        txid: txid.to_string(),
        standing,
        transfers: transfers.collect::<Result<_, _>>()?,
    };
    Ok((status, HeaderMap::new(), Json(DepositAnswer::Confirmed(view))))
}

fn missing(pointer: &str) -> Problem {
    Problem::field(Code::InvalidBody, pointer, "missing_field", "is required")
}
