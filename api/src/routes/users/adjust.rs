//! What deposits, deductions and refunds by hand share.

use axum::Json;
use axum::http::{HeaderMap, StatusCode};
use domain::operations::{Wanted, WantedAdjustment, is_reason};
use domain::principals::Principal;
use domain::users;
use kernel::{Amount, Asset};
use ledger::movements::{Adjustment, Direction};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use crate::App;
use crate::extract::{Idempotent, user_id};
use crate::problem::{Code, Problem};
use crate::routes::approvals::{WaitingView, wait};

/// With the action's name in front it fits the ledger's note.
const MAX_REASON_LEN: usize = 480;

/// A correction of a balance.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AdjustBalance {
    /// `TRX` where not given.
    #[schema(value_type = Option<String>, example = "TRX")]
    pub(super) asset: Option<Asset>,
    /// How much; not zero.
    #[schema(value_type = String, example = "12.500000")]
    pub(super) amount: Amount,
    /// Why, in words: 1 to 480 characters. Kept for good.
    #[schema(example = "paid by card, invoice 1042")]
    pub(super) reason: String,
}

/// What a correction left behind.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AdjustedView {
    user_id: i64,
    #[schema(value_type = String, example = "TRX")]
    asset: Asset,
    /// What was moved.
    #[schema(value_type = String, example = "12.500000")]
    amount: Amount,
    /// The balance now.
    #[schema(value_type = String, example = "112.500000")]
    balance: Amount,
    /// Whether it was booked before, so that nothing moved now.
    replayed: bool,
}

/// What came of asking for a correction.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum AdjustAnswer {
    /// Booked, with 200.
    Adjusted(AdjustedView),
    /// Above the limits, with 202: another operator has to agree.
    Waiting(WaitingView),
}

/// An answer with its status and headers.
pub(super) type Answered<T> = (StatusCode, HeaderMap, T);

/// Books one correction per Idempotency-Key of a caller, or keeps it for another operator to agree to. The action is part of the
/// note, so that a refund never passes for the repetition of a deposit.
pub(super) async fn adjust(
    app: &App,
    caller: &Principal,
    user: &str,
    (action, direction): (&str, Direction),
    request: Idempotent<AdjustBalance>,
) -> Result<Answered<AdjustAnswer>, Problem> {
    let (user, body) = (user_id(user)?, &request.body);
    check_reason(&body.reason)?;
    let asset = body.asset.unwrap_or(Asset::Trx);
    let reference = format!("{}:{}", caller.key, hex::encode(Sha256::digest(request.key.as_bytes())));
    let note = format!("{action}: {}", body.reason);
    if app.approvals.adjustment(asset, body.amount) {
        let wanted = Wanted::Adjust(WantedAdjustment {
            reference,
            user: user.0,
            asset,
            amount: body.amount,
            credit: direction == Direction::Credit,
            note,
        });
        let (headers, waiting) = wait(app, (caller, &request), (&wanted, None), &body.reason).await?;
        return Ok((StatusCode::ACCEPTED, headers, AdjustAnswer::Waiting(waiting)));
    }
    let adjustment = Adjustment {
        reference: &reference,
        user,
        asset,
        amount: body.amount,
        direction,
        note: &note,
        actor: &caller.actor(),
        at: app.clock.now(),
    };
    let adjusted = users::adjust(&app.pool, &adjustment).await?;
    let view = AdjustedView {
        user_id: user.0,
        asset,
        amount: body.amount,
        balance: adjusted.balance,
        replayed: adjusted.replayed,
    };
    Ok((StatusCode::OK, HeaderMap::new(), AdjustAnswer::Adjusted(view)))
}

/// [`adjust`], as a handler answers it.
pub(super) async fn adjusted(
    app: &App,
    caller: &Principal,
    user: &str,
    how: (&str, Direction),
    request: Idempotent<AdjustBalance>,
) -> Result<Answered<Json<AdjustAnswer>>, Problem> {
    let (status, headers, answer) = adjust(app, caller, user, how, request).await?;
    Ok((status, headers, Json(answer)))
}

fn check_reason(reason: &str) -> Result<(), Problem> {
    // what waits for another operator is held to the same: none is taken there that is blank
    let fits = reason.chars().count() <= MAX_REASON_LEN && is_reason(reason);
    let detail = || format!("must have 1 to {MAX_REASON_LEN} printable characters");
    fits.then_some(())
        .ok_or_else(|| Problem::field(Code::InvalidBody, "#/reason", "invalid_value", detail()))
}
