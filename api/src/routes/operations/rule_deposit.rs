//! `POST /api/operations/deposits/{id}/rule`.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::{Extension, Json};
use domain::operations::{Ruling, rule_transfer};
use kernel::UserId;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::list_deposits::RuledView;
use super::{answer, instruction};
use crate::App;
use crate::extract::{Idempotent, path};
use crate::middleware::Caller;
use crate::problem::{Code, Problem};

/// What is decided about a transfer, and why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RuleDeposit {
    ruling: RulingWord,
    /// Whose it is, for `credit`; where not given, the user whose address it went to.
    #[schema(example = 42)]
    user_id: Option<i64>,
    /// The deposit that it counts for, for `attach`.
    deposit_id: Option<Uuid>,
    /// In words: 1 to 500 characters, kept for good.
    #[schema(example = "the payer sent a screenshot, ticket 88")]
    reason: String,
}

/// What is decided.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum RulingWord {
    /// The user gets it. From `held` or `ignored`.
    Credit,
    /// The user of the deposit gets it, and it counts for the deposit, which buys its order if it is paid by it. From `held`
    /// or `ignored`.
    Attach,
    /// It is let be. From `held`.
    Ignore,
    /// It was paid back by hand. From `held`.
    Refunded,
    /// Its credit is taken back. From `credited`.
    Reverse,
}

impl RuleDeposit {
    fn ruling(&self) -> Result<Ruling, Problem> {
        let wrong = |at, detail| Err(Problem::field(Code::InvalidBody, at, "invalid_value", detail));
        match (self.ruling, self.user_id, self.deposit_id) {
            (RulingWord::Credit, Some(user), None) if user < 1 => wrong("#/user_id", "must be positive"),
            (RulingWord::Credit, user, None) => Ok(Ruling::Credit(user.map(UserId))),
            (RulingWord::Attach, None, Some(deposit)) => Ok(Ruling::Attach(deposit)),
            (RulingWord::Attach, None, None) => wrong("#/deposit_id", "is needed for `attach`"),
            (_, Some(_), _) => wrong("#/user_id", "is for `credit` alone"),
            (_, None, Some(_)) => wrong("#/deposit_id", "is for `attach` alone"),
            (RulingWord::Ignore, None, None) => Ok(Ruling::Ignore),
            (RulingWord::Refunded, None, None) => Ok(Ruling::Refunded),
            (RulingWord::Reverse, None, None) => Ok(Ruling::Reverse),
        }
    }
}

/// Decides about a transfer by hand.
///
/// What is decided about more than `deposits.approval_above_*` is kept as a `proposal`, with 202, until another key gives the
/// same ruling. Another ruling replaces it.
#[utoipa::path(post, path = "/api/operations/deposits/{id}/rule", tag = "operations", request_body = RuleDeposit,
    params(
        ("id" = uuid::Uuid, Path, description = "The transfer"),
        ("Idempotency-Key" = String, Header, description = "1 to 255 visible ASCII characters, your name for this request")),
    responses(
        (status = 200, description = "Decided", body = RuledView,
            headers(("Idempotency-Replayed" = String, description = "true, if it was done before"))),
        (status = 202, description = "Waits for another key to give the same ruling", body = RuledView,
            headers(("Idempotency-Replayed" = String, description = "true, if it was asked for before")))))]
pub(crate) async fn rule_deposit(
    State(app): State<Arc<App>>,
    Extension(caller): Caller,
    Path(id): Path<String>,
    request: Idempotent<RuleDeposit>,
) -> Result<(StatusCode, HeaderMap, Json<RuledView>), Problem> {
    let instruction = instruction(&caller, &request, Some(&request.body.reason), false);
    let what = (path("id", &id)?, request.body.ruling()?);
    let rules = app.rules();
    let by = (&instruction, &rules.rulings);
    let ruled = rule_transfer(&app.pool, &*app.ids, by, what, app.clock.now()).await?;
    app.wakes.push(ruled.done.wakes.iter().cloned());
    let status = match ruled.proposal {
        Some(_) => StatusCode::ACCEPTED,
        None => StatusCode::OK,
    };
    let (headers, view) = answer(&ruled.done, RuledView::of(ruled.transfer, ruled.proposal)?);
    Ok((status, headers, view))
}
