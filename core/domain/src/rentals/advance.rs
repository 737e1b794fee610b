//! One step of a rental: its order is placed, followed, and what bought nothing is paid back.

use chrono::{DateTime, Duration, Utc};
use db::models::{Order, OrderState, OrderTerms, Payout, PayoutState, Rental, RentalMove, RentalState};
use db::{Conn, Pool, run_tx};
use jobs::Wake;
use kernel::{Amount, ApiKeyId, IdGen, OrderId, UserId};
use serde_json::json;
use uuid::Uuid;

use super::RentalPolicy;
use crate::findings::{self, FindingKind};
use crate::orders::{Purchase, check_orderable, guarded, place_in_tx};
use crate::payouts::{PayBack, pay_back_in_tx};
use crate::pricing::{Price, price_of};
use crate::{DomainError, WORKER};

/// What one look came to.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// It is at its end, or waits for an operator.
    Rests(RentalState),
    /// It goes on, and is to be looked at again.
    Goes {
        /// When.
        at: DateTime<Utc>,
        /// What it waits for.
        waits_for: &'static str,
        /// To be pushed after the commit.
        wakes: Vec<Wake>,
    },
}

/// Pause before an order or a payout that is on its way is looked at again.
const FOLLOW: Duration = Duration::seconds(10);
/// Pause before something that is stopped, or beyond a limit, is tried again.
const STOPPED: Duration = Duration::seconds(60);

/// A rental whose row is held, and when.
pub(crate) struct Moving<'a> {
    pub(crate) rental: &'a Rental,
    pub(crate) now: DateTime<Utc>,
}

impl Moving<'_> {
    async fn to(&self, conn: &mut Conn, change: &RentalMove<'_>) -> Result<(), DomainError> {
        let (id, from) = (self.rental.transfer_id, self.rental.state);
        guarded(Rental::set(conn, (id, from), change, self.now).await?, "rental", id)
    }

    fn goes(&self, pause: Duration, waits_for: &'static str, wakes: Vec<Wake>) -> Step {
        Step::Goes {
            at: self.now + pause,
            waits_for,
            wakes,
        }
    }

    /// Leaves the money where it is, for an operator.
    async fn hold(
        &self,
        conn: &mut Conn,
        ids: &dyn IdGen,
        reason: &str,
        held: &'static str,
    ) -> Result<Step, DomainError> {
        let change = RentalMove {
            reason_code: Some(reason),
            held_code: Some(held),
            ..RentalMove::to(RentalState::Held)
        };
        self.to(conn, &change).await?;
        let rental = self.rental;
        let detail = json!({
            "sender": rental.sender, "amount_sun": rental.amount_sun, "reason": reason, "held": held,
            "order": rental.order_id, "payout": rental.payout_id,
        });
        findings::record_in_tx(conn, ids, FindingKind::RentalHeld, &subject(rental), detail, self.now).await?;
        Ok(Step::Rests(RentalState::Held))
    }
}

/// The name of a rental in findings.
pub(crate) fn subject(rental: &Rental) -> String {
    format!("rental:{}", rental.transfer_id)
}

/// Looks at a rental and takes the next step, each in one transaction under the lock of its row.
///
/// # Errors
/// When the database or the ledger fails; nothing is written then.
pub async fn advance(
    pool: &Pool,
    ids: &dyn IdGen,
    policy: &RentalPolicy,
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<Step, DomainError> {
    let order = OrderId::new(ids);
    run_tx(pool, "advance_rental", async |conn| {
        let rental = Rental::lock(conn, id).await?;
        let rental = rental.ok_or(DomainError::NotFound("rental"))?;
        let moving = Moving { rental: &rental, now };
        match rental.state {
            RentalState::Waiting => buy(conn, ids, policy, &moving, order).await,
            RentalState::Placed => follow_order(conn, ids, policy, &moving).await,
            RentalState::Returning => follow_payout(conn, ids, &moving).await,
            state => Ok(Step::Rests(state)),
        }
    })
    .await
}

/// Places the order, at what was sent.
async fn buy(
    conn: &mut Conn,
    ids: &dyn IdGen,
    policy: &RentalPolicy,
    moving: &Moving<'_>,
    id: OrderId,
) -> Result<Step, DomainError> {
    let rental = moving.rental;
    let (Some(receiver), Some(energy), Some(duration_s)) = (&rental.receiver, rental.energy, rental.duration_s) else {
        let reason = rental.reason_code.as_deref().unwrap_or("no_package");
        return give_back(conn, ids, policy, moving, reason).await;
    };
    let terms = OrderTerms::read(conn, (rental.user_id, receiver), (energy, duration_s)).await?;
    match check_orderable(&terms) {
        Ok(()) => {}
        Err(DomainError::Maintenance) => return Ok(moving.goes(STOPPED, "maintenance", Vec::new())),
        Err(DomainError::UserBlocked) => return give_back(conn, ids, policy, moving, "user_blocked").await,
        Err(DomainError::ReceiverIsSupplier) => {
            return give_back(conn, ids, policy, moving, "receiver_is_supplier").await;
        }
        Err(other) => return Err(other),
    }
    // the package's price holds; the table says whether such an order is sold at all
    let Ok(listed) = price_of(&terms, energy) else {
        return give_back(conn, ids, policy, moving, "no_price").await;
    };
    let price = Price {
        amount: amount_of(rental)?,
        version: listed.version,
    };
    let purchase = Purchase {
        id,
        user: UserId(rental.user_id),
        api_key: ApiKeyId(rental.api_key_id),
        network: &policy.network,
        receiver,
        energy,
        duration_s,
        price,
        deadline: policy.order_deadline,
        actor: WORKER,
    };
    let (_, wake) = place_in_tx(conn, ids, &purchase, moving.now).await?;
    let change = RentalMove {
        order_id: Some(id.0),
        ..RentalMove::to(RentalState::Placed)
    };
    moving.to(conn, &change).await?;
    Ok(moving.goes(FOLLOW, "order", wake.into_iter().collect()))
}

fn amount_of(rental: &Rental) -> Result<Amount, DomainError> {
    let broken = |_| DomainError::Broken(format!("the amount of rental {}", rental.transfer_id));
    Amount::from_minor(rental.amount_sun).map_err(broken)
}

/// Waits for the order's end.
async fn follow_order(
    conn: &mut Conn,
    ids: &dyn IdGen,
    policy: &RentalPolicy,
    moving: &Moving<'_>,
) -> Result<Step, DomainError> {
    let broken = || DomainError::Broken(format!("the order of rental {}", moving.rental.transfer_id));
    let order = Order::find(conn, moving.rental.order_id.ok_or_else(broken)?).await?;
    let order = order.ok_or_else(broken)?;
    match (order.state, order.settled_at) {
        (OrderState::Completed, Some(_)) => {
            moving.to(conn, &RentalMove::to(RentalState::Delivered)).await?;
            Ok(Step::Rests(RentalState::Delivered))
        }
        (OrderState::Cancelled | OrderState::Refunded, _) => {
            let reason = order.reason_code.as_deref().unwrap_or("order_ended");
            give_back(conn, ids, policy, moving, reason).await
        }
        _ => Ok(moving.goes(FOLLOW, "order", Vec::new())),
    }
}

/// Waits for the payout's end.
async fn follow_payout(conn: &mut Conn, ids: &dyn IdGen, moving: &Moving<'_>) -> Result<Step, DomainError> {
    let broken = || DomainError::Broken(format!("the payout of rental {}", moving.rental.transfer_id));
    let payout = Payout::find(conn, moving.rental.payout_id.ok_or_else(broken)?).await?;
    let payout = payout.ok_or_else(broken)?;
    let reason = moving.rental.reason_code.as_deref().unwrap_or("unknown");
    match payout.state {
        PayoutState::Completed => {
            moving.to(conn, &RentalMove::to(RentalState::Returned)).await?;
            Ok(Step::Rests(RentalState::Returned))
        }
        PayoutState::Rejected => moving.hold(conn, ids, reason, "payout_rejected").await,
        PayoutState::Failed => moving.hold(conn, ids, reason, "payout_failed").await,
        _ => Ok(moving.goes(FOLLOW, "payout", Vec::new())),
    }
}

/// Sends the money back where that is certainly right, or has an operator look.
async fn give_back(
    conn: &mut Conn,
    ids: &dyn IdGen,
    policy: &RentalPolicy,
    moving: &Moving<'_>,
    reason: &str,
) -> Result<Step, DomainError> {
    let rental = moving.rental;
    if rental.amount_sun < policy.return_from.minor() {
        return moving.hold(conn, ids, reason, "below_minimum").await;
    }
    if !Rental::is_customers_own(conn, &rental.sender).await? {
        return moving.hold(conn, ids, reason, "sender_unknown").await;
    }
    match return_in_tx(conn, ids, policy, moving, (reason, WORKER)).await {
        Ok(wakes) => Ok(moving.goes(FOLLOW, "payout", wakes)),
        Err(DomainError::PayoutsStopped) => Ok(moving.goes(STOPPED, "payouts_stopped", Vec::new())),
        Err(DomainError::PayoutLimit(_)) => Ok(moving.goes(STOPPED, "payout_limit", Vec::new())),
        Err(DomainError::PayoutToOurs) => moving.hold(conn, ids, reason, "sender_is_ours").await,
        Err(other) => Err(other),
    }
}

/// Has a payout bring the money back to its sender, in somebody's name. Where it is refused nothing was written.
pub(crate) async fn return_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    policy: &RentalPolicy,
    moving: &Moving<'_>,
    (reason, actor): (&str, &str),
) -> Result<Vec<Wake>, DomainError> {
    let rental = moving.rental;
    let broken = |_| DomainError::Broken(format!("the sender of rental {}", rental.transfer_id));
    let back = PayBack {
        user: UserId(rental.user_id),
        amount: amount_of(rental)?,
        to: rental.sender.parse().map_err(broken)?,
        actor,
    };
    let (payout, wake) = pay_back_in_tx(conn, ids, (&policy.network, &policy.limits), &back, moving.now).await?;
    let change = RentalMove {
        payout_id: Some(payout.id),
        reason_code: Some(reason),
        ..RentalMove::to(RentalState::Returning)
    };
    moving.to(conn, &change).await?;
    Ok(wake.into_iter().collect())
}
