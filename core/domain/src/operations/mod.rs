//! What operators see and do, over HTTP and by command alike: jobs, stuck objects, findings, payouts, and the record of what was
//! done by hand.
//!
//! Each command is one transaction: its effect, its line in `operator_actions`, and the mark of its request. It changes at
//! most [`AT_ONCE`] objects and says how many are left, so that no command holds locks for long.

mod approvals;
mod deposits;
mod figures;
mod findings;
mod jobs;
mod keys;
mod orders;
mod payouts;
mod prices;
mod proposals;
mod rates;
mod rentals;
mod stakings;
mod stuck;
mod sweeps;
mod switches;
mod webhooks;

use ::jobs::Wake;
use chrono::{DateTime, Utc};
use db::models::{Action, ActionFilter, ApiKey, IdempotencyKey, NewIdempotencyKey, NewOperatorAction, OperatorAction};
use db::{Conn, Pool, acquire, trail};
use kernel::{ApiKeyId, IdGen};
use serde_json::{Value, json};
use uuid::Uuid;

pub use approvals::{
    ApprovalPolicy, Verdict, Wanted, WantedAdjustment, approval, approvals_page, ask, decide_approval,
};
pub use deposits::{Ruled, Ruling, TransferFigures, rule_transfer, transfer, transfer_figures, transfers_page};
pub use figures::{Held, NetworkFigures, held, networks};
pub use findings::{FindingPlace, findings_page, resolve_finding};
pub use jobs::{drop_jobs, jobs_page, queues, redrive_jobs};
pub use keys::replace_key;
pub use orders::{NOTED, ORDERS_AT_ONCE, OrderCommand, Skipped, command_orders};
pub use payouts::{Decision, decide_payout};
pub use prices::publish_prices;
pub use proposals::{RulingPolicy, open_proposals};
pub use rates::{ManualRate, clear_rate, set_rate};
pub use rentals::{RentalRuling, rule_rental};
pub use stakings::{AskedToStake, request_staking, revoke_staking};
pub use stuck::{Stuck, StuckFilter, StuckKind, count_stuck, redrive_stuck, stuck_page};
pub use sweeps::{SweepRuling, rule_sweep};
pub use switches::{SWITCHES, pause_queue, paused_queues, switches, throw_switch};
pub(crate) use webhooks::deliver;
pub use webhooks::{change_webhook, change_webhook_as, resend_message, resend_messages};

use crate::DomainError;

/// Objects that one command changes at most.
pub const AT_ONCE: i64 = 500;

/// The bounds of a reason.
const MAX_REASON: usize = 500;

/// Whether it says why.
#[must_use]
pub fn is_reason(reason: &str) -> bool {
    let length = reason.chars().count();
    (1..=MAX_REASON).contains(&length) && !reason.trim().is_empty() && !reason.chars().any(char::is_control)
}

/// The mark that a caller over HTTP gave a request, so that it is carried out once.
#[derive(Debug, Clone)]
pub struct Mark {
    /// Whose mark.
    pub api_key: ApiKeyId,
    /// The Idempotency-Key header.
    pub key: String,
    /// SHA-256 over method, path and body.
    pub request_sha256: [u8; 32],
}

impl Mark {
    /// Claims the mark for something of this kind; answers what it made if it was carried out before. A request with the same
    /// mark that runs at this moment is waited for by the claim itself.
    ///
    /// # Errors
    /// [`DomainError::IdempotencyMismatch`] where the mark was used for another request; [`DomainError::CallerGone`].
    pub(crate) async fn replay_in_tx(
        &self,
        conn: &mut Conn,
        kind: &'static str,
        makes: Uuid,
        now: DateTime<Utc>,
    ) -> Result<Option<Uuid>, DomainError> {
        let claim = NewIdempotencyKey {
            api_key_id: self.api_key.0,
            key: &self.key,
            request_sha256: &self.request_sha256,
            resource_kind: kind,
            resource_id: makes.to_string(),
            created_at: now,
        };
        let claimed = claim.claim(conn).await?;
        // a process may know the caller from seconds ago; who revokes a key waits for this claim, or it for him
        if ApiKey::is_gone(conn, self.api_key.0).await? {
            return Err(DomainError::CallerGone);
        }
        if claimed {
            return Ok(None);
        }
        let earlier = IdempotencyKey::find(conn, self.api_key.0, &self.key)
            .await?
            .filter(|earlier| earlier.resource_kind == kind && earlier.request_sha256 == self.request_sha256)
            .ok_or(DomainError::IdempotencyMismatch)?;
        let id = earlier.resource_id.parse();
        id.map(Some)
            .map_err(|_| DomainError::Broken(format!("the idempotency row of {kind} {}", earlier.resource_id)))
    }
}

/// Who gives a command, and how it is to be carried out.
#[derive(Debug, Clone)]
pub struct Instruction {
    /// `api_key:<id>` or `operator:<name>`.
    pub actor: String,
    /// The name of the key or of the operator.
    pub name: String,
    /// Why.
    pub reason: Option<String>,
    /// The mark of the request, if it has one.
    pub mark: Option<Mark>,
    /// Only count what fits; nothing is changed or written down.
    pub dry_run: bool,
}

/// What came of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// Its line in `operator_actions`; `None` if it only counted.
    pub id: Option<Uuid>,
    /// How many objects fitted.
    pub matched: i64,
    /// How many of them it changed.
    pub affected: i64,
    /// Whether the same request was carried out before, so that nothing happened now.
    pub replayed: bool,
    /// To be pushed after the commit.
    pub wakes: Vec<Wake>,
}

impl Done {
    const fn counted(matched: i64) -> Self {
        Self {
            id: None,
            matched,
            affected: 0,
            replayed: false,
            wakes: Vec::new(),
        }
    }
}

/// A command on its way: what it is, and its future line in the record.
struct Command<'a> {
    id: Uuid,
    action: Action,
    instruction: &'a Instruction,
    /// What was asked for.
    filter: Value,
    now: DateTime<Utc>,
}

impl<'a> Command<'a> {
    /// # Errors
    /// When a reason is needed and missing, or one that is given cannot be kept.
    fn new(
        ids: &dyn IdGen,
        action: Action,
        instruction: &'a Instruction,
        filter: Value,
        now: DateTime<Utc>,
    ) -> Result<Self, DomainError> {
        let needed = !matches!(
            action,
            Action::JobsRedrive
                | Action::StuckRedrive
                | Action::SweepsRetry
                | Action::OrdersRetry
                | Action::WebhooksResend
                | Action::WebhooksChange
        );
        if !instruction.reason.as_deref().map_or(!needed, is_reason) {
            return Err(DomainError::BadReason);
        }
        let id = ids.uuid();
        Ok(Self {
            id,
            action,
            instruction,
            filter,
            now,
        })
    }

    /// The same request, come to another end.
    fn as_action(&self, action: Action) -> Self {
        Self {
            id: self.id,
            action,
            instruction: self.instruction,
            filter: self.filter.clone(),
            now: self.now,
        }
    }

    /// Claims the mark of the request; answers what came of it if it was carried out before.
    async fn replay_in_tx(&self, conn: &mut Conn) -> Result<Option<Done>, DomainError> {
        let Some(mark) = &self.instruction.mark else {
            return Ok(None);
        };
        let Some(earlier) = mark.replay_in_tx(conn, RESOURCE, self.id, self.now).await? else {
            return Ok(None);
        };
        let broken = || DomainError::Broken(format!("the idempotency row of action {earlier}"));
        let action = OperatorAction::find(conn, earlier).await?.ok_or_else(broken)?;
        Ok(Some(Done {
            id: Some(action.id),
            matched: action.matched,
            affected: action.affected,
            replayed: true,
            wakes: Vec::new(),
        }))
    }

    /// Writes down what was done, in the transaction of the effect.
    async fn done_in_tx(
        &self,
        conn: &mut Conn,
        matched: i64,
        objects: Vec<Value>,
        wakes: Vec<Wake>,
    ) -> Result<Done, DomainError> {
        let affected = i64::try_from(objects.len()).unwrap_or(i64::MAX);
        trail::changed(
            || json!({ "operator_action": self.id, "action": self.action, "reason": self.instruction.reason, "before": objects }),
        );
        // what came to fit between the count and the effect
        let matched = matched.max(affected);
        NewOperatorAction {
            id: self.id,
            at: self.now,
            actor: &self.instruction.actor,
            actor_name: &self.instruction.name,
            action: self.action,
            filter: &self.filter,
            reason: self.instruction.reason.as_deref(),
            matched,
            affected,
            objects: Value::Array(objects),
        }
        .insert(conn)
        .await?;
        tracing::warn!(
            action = self.action.word(),
            actor = self.instruction.actor,
            name = self.instruction.name,
            reason = self.instruction.reason,
            filter = %self.filter,
            affected,
            "an operator acted"
        );
        Ok(Done {
            id: Some(self.id),
            matched,
            affected,
            replayed: false,
            wakes,
        })
    }
}

/// What an idempotency row of a command points to.
const RESOURCE: &str = "operator_action";

/// What was done by hand, newest first, before the action `before`.
///
/// # Errors
/// When the database cannot be asked.
pub async fn actions_page(
    pool: &Pool,
    filter: ActionFilter<'_>,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<OperatorAction>, DomainError> {
    let mut conn = acquire(pool).await?;
    Ok(OperatorAction::page(&mut conn, filter, before, limit).await?)
}
