//! What operators see and do: queues, jobs, stuck objects, findings, and the record of what was done by hand.

pub(crate) mod approve_payout;
pub(crate) mod command_orders;
pub(crate) mod drop_jobs;
pub(crate) mod export_audit;
pub(crate) mod list_actions;
pub(crate) mod list_audit;
pub(crate) mod list_deposits;
pub(crate) mod list_findings;
pub(crate) mod list_jobs;
pub(crate) mod list_payouts;
pub(crate) mod list_pool;
pub(crate) mod list_rentals;
pub(crate) mod list_stakings;
pub(crate) mod list_stuck;
pub(crate) mod list_sweeps;
pub(crate) mod list_switches;
pub(crate) mod note_orders;
pub(crate) mod pause_queue;
pub(crate) mod queues;
pub(crate) mod redrive_jobs;
pub(crate) mod redrive_stuck;
pub(crate) mod refund_orders;
pub(crate) mod reject_payout;
pub(crate) mod request_staking;
pub(crate) mod resolve_finding;
pub(crate) mod retry_orders;
pub(crate) mod rule_deposit;
pub(crate) mod throw_switch;

use axum::Json;
use axum::http::header::{HeaderMap, HeaderValue};
use domain::operations::{Done, Instruction};
use domain::principals::Principal;
use jobs::operate::{JobFilter, Standing};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::mark;
use super::orders::create::REPLAYED;
use crate::extract::Idempotent;
use crate::problem::{Code, Problem};

/// Which jobs: one by its `kind` and `object_id`, or with `all` everything that fits what is given.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChooseJobs {
    /// Everything that fits, not just one job.
    #[serde(default)]
    all: bool,
    /// `dead` where not given; a re-drive takes `later` too.
    #[schema(value_type = Option<String>, example = "dead")]
    state: Option<Standing>,
    /// Such as `orders.delegate`.
    #[schema(example = "wallets.sync")]
    kind: Option<String>,
    /// Such as `orders`.
    queue: Option<String>,
    /// What the job is about.
    object_id: Option<String>,
    /// What it failed with last.
    code: Option<String>,
    /// Why: 1 to 500 characters, kept for good. To drop needs one.
    reason: Option<String>,
    /// Only count what fits.
    #[serde(default)]
    dry_run: bool,
}

impl ChooseJobs {
    fn filter(&self) -> Result<JobFilter, Problem> {
        if !self.all && (self.kind.is_none() || self.object_id.is_none()) {
            return Err(nothing_named("give kind and object_id of one job, or all: true"));
        }
        Ok(JobFilter {
            standing: self.state,
            kind: self.kind.clone(),
            queue: self.queue.clone(),
            object_id: self.object_id.clone(),
            code: self.code.clone(),
            ..JobFilter::default()
        })
    }
}

/// What came of a command. At most 500 objects are changed at once: ask again, with a fresh key, while some remain.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DoneView {
    /// Its line in the record; null if it only counted.
    action_id: Option<Uuid>,
    /// How many objects fitted.
    matched: i64,
    /// How many of them were changed.
    affected: i64,
    /// How many are left.
    remaining: i64,
}

impl From<&Done> for DoneView {
    fn from(done: &Done) -> Self {
        Self {
            action_id: done.id,
            matched: done.matched,
            affected: done.affected,
            remaining: done.matched - done.affected,
        }
    }
}

/// An answer to a marked request, which says when it was carried out before.
pub(super) fn answer<T>(done: &Done, body: T) -> (HeaderMap, Json<T>) {
    let mut headers = HeaderMap::new();
    if done.replayed {
        headers.insert(REPLAYED, HeaderValue::from_static("true"));
    }
    (headers, Json(body))
}

/// Who asks, and with which mark.
pub(super) fn instruction<T>(
    caller: &Principal,
    request: &Idempotent<T>,
    reason: Option<&String>,
    dry_run: bool,
) -> Instruction {
    Instruction {
        actor: caller.actor(),
        name: caller.name.clone(),
        reason: reason.cloned(),
        mark: Some(mark(caller, request)),
        dry_run,
    }
}

fn nothing_named(detail: &str) -> Problem {
    Problem::field(Code::InvalidBody, "#", "invalid_value", detail)
}
