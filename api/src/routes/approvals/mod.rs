//! What somebody asked for that a second operator has to agree to: listed, shown, decided.

pub(crate) mod approve;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod reject;

use access::Permission;
use axum::Json;
use axum::http::HeaderMap;
use chrono::{DateTime, Utc};
use db::models::{Approval, ApprovalKind, ApprovalState};
use domain::operations::{Verdict, Wanted, approval, ask, decide_approval};
use domain::principals::Principal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use vault::SealedImport;

use super::operations::{answer, instruction};
use crate::App;
use crate::extract::{Idempotent, path};
use crate::middleware::need;
use crate::problem::Problem;
use crate::rules::settings_judge;

/// What somebody asked for, and what came of it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ApprovalView {
    id: Uuid,
    /// `balances.adjust`, `wallets.replace_key`, `prices.publish` or `settings.change`.
    #[schema(value_type = String, example = "balances.adjust")]
    kind: ApprovalKind,
    /// `user:` and an id, `wallet:` and an id, `prices` or `settings`.
    #[schema(example = "user:42")]
    subject: String,
    /// What is done once somebody agrees, whole. A key is never shown.
    #[schema(value_type = Object)]
    request: serde_json::Value,
    /// `api_key:` and an id, or `operator:` and an id.
    requested_by: String,
    /// The key's name, or the operator's e-mail address.
    requested_name: String,
    reason: String,
    requested_at: DateTime<Utc>,
    /// It is over then.
    expires_at: DateTime<Utc>,
    /// `open`, `approved` (it was carried out), `rejected` or `expired`.
    #[schema(value_type = String, example = "open")]
    state: ApprovalState,
    decided_by: Option<String>,
    decided_name: Option<String>,
    decision_reason: Option<String>,
    ended_at: Option<DateTime<Utc>>,
    /// What it made: the `balance`, the `replacement` of the key, or the `version` of the prices or settings.
    #[schema(value_type = Option<Object>)]
    result: Option<serde_json::Value>,
}

impl ApprovalView {
    /// As it is at that time: nobody has to come by for it to be over.
    fn at(of: Approval, now: DateTime<Utc>) -> Self {
        let over = of.state == ApprovalState::Open && of.expires_at <= now;
        Self {
            id: of.id,
            kind: of.kind,
            subject: of.subject,
            request: of.request,
            requested_by: of.requested_by,
            requested_name: of.requested_name,
            reason: of.reason,
            requested_at: of.requested_at,
            expires_at: of.expires_at,
            state: if over { ApprovalState::Expired } else { of.state },
            decided_by: of.decided_by,
            decided_name: of.decided_name,
            decision_reason: of.decision_reason,
            ended_at: of.ended_at.or(over.then_some(of.expires_at)),
            result: of.result,
        }
    }
}

/// An answer to what waits for a second operator.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WaitingView {
    /// What waits; see `GET /api/approvals/{id}` for what comes of it.
    approval: Box<ApprovalView>,
}

/// Keeps what is wanted until somebody else decides; asked again with the same mark, says what came of it.
pub(super) async fn wait<T>(
    app: &App,
    (caller, request): (&Principal, &Idempotent<T>),
    (wanted, sealed): (&Wanted, Option<&SealedImport>),
    reason: &String,
) -> Result<(HeaderMap, WaitingView), Problem> {
    let (instruction, now) = (instruction(caller, request, Some(reason), false), app.clock.now());
    let how = (&instruction, &app.approvals);
    let judge = settings_judge(app);
    let (approval, again) = ask(&app.pool, &*app.ids, how, (wanted, sealed), &judge, now).await?;
    let headers = if again { super::replayed() } else { HeaderMap::new() };
    let approval = Box::new(ApprovalView::at(approval, now));
    Ok((headers, WaitingView { approval }))
}

/// Why one decides so.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DecideApproval {
    /// In words: 1 to 500 characters, kept for good.
    #[schema(example = "checked against invoice 1042")]
    reason: String,
}

/// Who decides on this kind.
const fn point(kind: ApprovalKind) -> Permission {
    match kind {
        ApprovalKind::BalancesAdjust => Permission::BalancesApprove,
        ApprovalKind::WalletsReplaceKey => Permission::WalletsApprove,
        ApprovalKind::PricesPublish => Permission::PricingApprove,
        ApprovalKind::SettingsChange => Permission::SettingsApprove,
    }
}

async fn decide(
    app: &App,
    caller: &Principal,
    (id, verdict): (&str, Verdict),
    request: &Idempotent<DecideApproval>,
) -> Result<(HeaderMap, Json<ApprovalView>), Problem> {
    let id: Uuid = path("id", id)?;
    let asked = approval(&app.pool, id).await?;
    need(caller, point(asked.kind))?;
    let (instruction, now) = (
        instruction(caller, request, Some(&request.body.reason), false),
        app.clock.now(),
    );
    let (judge, what) = (settings_judge(app), (id, verdict));
    let (decided, mut done) = decide_approval(&app.pool, &*app.ids, &instruction, what, &judge, now).await?;
    app.wakes.push(std::mem::take(&mut done.wakes));
    if decided.kind == ApprovalKind::SettingsChange {
        // it is committed: where this look fails, the next one sees it
        let _seen = app.look_at_settings().await;
    }
    Ok(answer(&done, ApprovalView::at(decided, now)))
}
