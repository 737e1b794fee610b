//! Sweeps by hand: looked at now, or given up while nothing of them can land.

use chrono::{DateTime, Utc};
use db::models::{Action, Sweep, SweepState};
use db::{Pool, run_tx};
use jobs::{JobKind, JobRequest, enqueue_in_tx};
use kernel::{IdGen, SweepId};
use serde_json::json;

use super::{Command, Done, Instruction};
use crate::DomainError;
use crate::sweeps::{cancel_in_tx, lock};

/// What an operator decides about a sweep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SweepRuling {
    /// It is looked at now.
    Retry,
    /// It is given up. What lies there is planned anew when more comes, or when a planner looks again.
    Cancel,
}

impl SweepRuling {
    const fn action(self) -> Action {
        match self {
            Self::Retry => Action::SweepsRetry,
            Self::Cancel => Action::SweepsCancel,
        }
    }

    /// Whether it may be carried out: only what is planned has surely nothing on its way.
    const fn fits(self, state: SweepState) -> bool {
        match self {
            Self::Retry => matches!(state, SweepState::Planned | SweepState::Renting),
            Self::Cancel => matches!(state, SweepState::Planned),
        }
    }
}

/// Carries out what an operator decides about one sweep. Of several decisions one has an effect: the row lock decides.
///
/// # Errors
/// [`DomainError::NotFound`]; [`DomainError::SweepStanding`] when it is past that; a reason that is missing or cannot be kept;
/// a database failure.
pub async fn rule_sweep(
    pool: &Pool,
    ids: &dyn IdGen,
    instruction: &Instruction,
    (id, ruling): (SweepId, SweepRuling),
    now: DateTime<Utc>,
) -> Result<(Sweep, Done), DomainError> {
    let command = Command::new(ids, ruling.action(), instruction, json!({ "object_id": id }), now)?;
    run_tx(pool, "rule_sweep", async |conn| {
        let sweep = lock(conn, id.0).await?;
        let fits = ruling.fits(sweep.state);
        if instruction.dry_run {
            return Ok((sweep, Done::counted(i64::from(fits))));
        }
        if let Some(done) = command.replay_in_tx(conn).await? {
            return Ok((sweep, done));
        }
        if !fits {
            return Err(DomainError::SweepStanding(sweep.state));
        }
        let wakes = match ruling {
            SweepRuling::Retry => {
                let job = JobRequest {
                    kind: JobKind::DepositsSweep,
                    object_id: &id.to_string(),
                    run_at: now,
                    now,
                };
                enqueue_in_tx(conn, job).await?.into_iter().collect()
            }
            SweepRuling::Cancel => {
                let actor = instruction.actor.as_str();
                let detail = json!({ "reason": instruction.reason });
                cancel_in_tx(conn, &sweep, ("by_operator", actor), detail, now).await?;
                Vec::new()
            }
        };
        let object = json!({
            "object_id": id, "state": sweep.state, "asset": sweep.asset, "reason": sweep.reason_code,
        });
        let done = command.done_in_tx(conn, 1, vec![object], wakes).await?;
        let sweep = Sweep::find(conn, id.0).await?.ok_or(DomainError::NotFound("sweep"))?;
        Ok((sweep, done))
    })
    .await
}
