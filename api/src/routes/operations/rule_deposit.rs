//! `POST /api/operations/deposits/{id}/rule`.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::{Extension, Json};
use domain::operations::{Ruling, rule_transfer};
use kernel::UserId;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{answer, instruction};
use crate::App;
use crate::extract::{Idempotent, path};
use crate::middleware::Caller;
use crate::problem::{Code, Problem};
use crate::routes::deposits::TransferView;

/// What is decided about a transfer, and why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RuleDeposit {
    ruling: RulingWord,
    /// Whose it is, for `credit`; where not given, the user whose address it went to.
    #[schema(example = 42)]
    user_id: Option<i64>,
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
    /// It is let be. From `held`.
    Ignore,
    /// It was paid back by hand. From `held`.
    Refunded,
    /// Its credit is taken back. From `credited`.
    Reverse,
}

impl RuleDeposit {
    fn ruling(&self) -> Result<Ruling, Problem> {
        let wrong = |detail| Problem::field(Code::InvalidBody, "#/user_id", "invalid_value", detail);
        match (self.ruling, self.user_id) {
            (RulingWord::Credit, Some(user)) if user < 1 => Err(wrong("must be positive")),
            (RulingWord::Credit, user) => Ok(Ruling::Credit(user.map(UserId))),
            (_, Some(_)) => Err(wrong("is for `credit` alone")),
            (RulingWord::Ignore, None) => Ok(Ruling::Ignore),
            (RulingWord::Refunded, None) => Ok(Ruling::Refunded),
            (RulingWord::Reverse, None) => Ok(Ruling::Reverse),
        }
    }
}

/// Decides about a transfer by hand.
#[utoipa::path(post, path = "/api/operations/deposits/{id}/rule", tag = "operations", request_body = RuleDeposit,
    params(
        ("id" = uuid::Uuid, Path, description = "The transfer"),
        ("Idempotency-Key" = String, Header, description = "1 to 255 visible ASCII characters, your name for this request")),
    responses((status = 200, description = "Decided", body = TransferView,
        headers(("Idempotency-Replayed" = String, description = "true, if it was done before")))))]
pub(crate) async fn rule_deposit(
    State(app): State<Arc<App>>,
    Extension(caller): Caller,
    Path(id): Path<String>,
    request: Idempotent<RuleDeposit>,
) -> Result<(HeaderMap, Json<TransferView>), Problem> {
    let instruction = instruction(&caller, &request, Some(&request.body.reason), false);
    let what = (path("id", &id)?, request.body.ruling()?);
    let by = (&instruction, app.deposit_exchange());
    let ruled = rule_transfer(&app.pool, &*app.ids, by, what, app.clock.now()).await;
    let (transfer, done) = ruled?;
    Ok(answer(&done, transfer.try_into()?))
}
