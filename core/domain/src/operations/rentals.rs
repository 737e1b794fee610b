//! Rentals by hand: coin that bought nothing and that nobody sent back is sent back, or let be.

use chrono::{DateTime, Utc};
use db::models::{Action, Rental, RentalMove, RentalState};
use db::{Pool, run_tx};
use jobs::{JobKind, JobRequest, enqueue_in_tx};
use kernel::IdGen;
use serde_json::json;
use uuid::Uuid;

use super::{Command, Done, Instruction};
use crate::DomainError;
use crate::findings::{self, FindingKind};
use crate::orders::guarded;
use crate::rentals::{Moving, RentalPolicy, return_in_tx, subject};

/// What an operator decides about a rental that is held.
#[derive(Debug, Clone, Copy)]
pub enum RentalRuling<'a> {
    /// A payout brings it back to its sender; above the limit somebody else has to approve that.
    Return(&'a RentalPolicy),
    /// It is let be: the money stays with the house's own customer.
    Close,
}

impl RentalRuling<'_> {
    const fn action(self) -> Action {
        match self {
            Self::Return(_) => Action::RentalsReturn,
            Self::Close => Action::RentalsClose,
        }
    }
}

/// Carries out what an operator decides about one rental. Of several decisions one has an effect: the row lock decides.
///
/// # Errors
/// [`DomainError::NotFound`]; [`DomainError::RentalStanding`] unless it is held; a reason that is missing; what stands against
/// a payout; a database failure. Nothing is written then.
pub async fn rule_rental(
    pool: &Pool,
    ids: &dyn IdGen,
    instruction: &Instruction,
    (id, ruling): (Uuid, RentalRuling<'_>),
    now: DateTime<Utc>,
) -> Result<(Rental, Done), DomainError> {
    let command = Command::new(ids, ruling.action(), instruction, json!({ "object_id": id }), now)?;
    run_tx(pool, "rule_rental", async |conn| {
        let rental = Rental::lock(conn, id).await?;
        let rental = rental.ok_or(DomainError::NotFound("rental"))?;
        let fits = rental.state == RentalState::Held;
        if instruction.dry_run {
            return Ok((rental, Done::counted(i64::from(fits))));
        }
        if let Some(done) = command.replay_in_tx(conn).await? {
            return Ok((rental, done));
        }
        if !fits {
            return Err(DomainError::RentalStanding(rental.state));
        }
        let wakes = match ruling {
            RentalRuling::Return(policy) => {
                let reason = rental.reason_code.as_deref().unwrap_or("by_operator");
                let moving = Moving { rental: &rental, now };
                let mut wakes = return_in_tx(conn, ids, policy, &moving, (reason, &instruction.actor)).await?;
                let job = JobRequest {
                    kind: JobKind::DepositsRent,
                    object_id: &id.to_string(),
                    run_at: now,
                    now,
                };
                wakes.extend(enqueue_in_tx(conn, job).await?);
                wakes
            }
            RentalRuling::Close => {
                let change = RentalMove::to(RentalState::Closed);
                let moved = Rental::set(conn, (id, RentalState::Held), &change, now).await?;
                guarded(moved, "rental", id)?;
                Vec::new()
            }
        };
        findings::clear_in_tx(conn, FindingKind::RentalHeld, &subject(&rental), now).await?;
        let object = json!({
            "kind": "rental", "object_id": id, "state": rental.state, "sender": rental.sender,
            "amount_sun": rental.amount_sun, "reason": rental.reason_code, "held": rental.held_code,
        });
        let done = command.done_in_tx(conn, 1, vec![object], wakes).await?;
        let rental = Rental::find(conn, id).await?.ok_or(DomainError::NotFound("rental"))?;
        Ok((rental, done))
    })
    .await
}
