//! What deposits, deductions and refunds by hand share.

use axum::Json;
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

/// Books one correction per Idempotency-Key of a caller. The action is part of the note, so that a refund never passes
/// for the repetition of a deposit.
pub(super) async fn adjust(
    app: &App,
    caller: &Principal,
    user: &str,
    (action, direction): (&str, Direction),
    request: Idempotent<AdjustBalance>,
) -> Result<Json<AdjustedView>, Problem> {
    let (user, body) = (user_id(user)?, request.body);
    check_reason(&body.reason)?;
    let asset = body.asset.unwrap_or(Asset::Trx);
    let reference = format!("{}:{}", caller.key, hex::encode(Sha256::digest(request.key.as_bytes())));
    let adjustment = Adjustment {
        reference: &reference,
        user,
        asset,
        amount: body.amount,
        direction,
        note: &format!("{action}: {}", body.reason),
        actor: &caller.actor(),
        at: app.clock.now(),
    };
    let adjusted = users::adjust(&app.pool, &adjustment).await?;
    Ok(Json(AdjustedView {
        user_id: user.0,
        asset,
        amount: body.amount,
        balance: adjusted.balance,
        replayed: adjusted.replayed,
    }))
}

fn check_reason(reason: &str) -> Result<(), Problem> {
    let fits = (1..=MAX_REASON_LEN).contains(&reason.chars().count()) && !reason.chars().any(char::is_control);
    let detail = || format!("must have 1 to {MAX_REASON_LEN} printable characters");
    fits.then_some(())
        .ok_or_else(|| Problem::field(Code::InvalidBody, "#/reason", "invalid_value", detail()))
}
