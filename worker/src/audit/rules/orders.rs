//! An order's money and its delegations, by our books alone.

use db::models::{DelegationState, Order, OrderState};
use domain::reconcile::STUCK_AFTER;
use ledger::{OrderTransfer, Reason};

use super::Context;
use crate::audit::complaint::{Complaint, Rule};
use crate::audit::evidence::Case;

const ESCROW: &str = "house:escrow:TRX";
const REVENUE: &str = "house:revenue:TRX";

pub(super) fn of_case(case: &Case, context: &Context<'_>) -> Vec<Complaint> {
    let found = [money(case), delegations(case), in_time(case, context)];
    found.into_iter().flatten().collect()
}

/// Paid once; and what left escrow left it once, whole, to where the order's end says.
fn money(case: &Case) -> Option<Complaint> {
    let order = &case.order;
    let user = format!("user:{}:TRX", order.user_id);
    let mut due = vec![(Reason::OrderHold, user.as_str(), ESCROW, order.price_sun)];
    due.extend(end_of(order).map(|reason| {
        let to = if reason == Reason::OrderSettle {
            REVENUE
        } else {
            user.as_str()
        };
        (reason, ESCROW, to, order.price_sun)
    }));
    let as_row = |t: &OrderTransfer| format!("{} {} from {} to {}", t.reason, t.minor, t.debit, t.credit);
    let row = |(reason, from, to, minor): &(Reason, &str, &str, i64)| format!("{reason} {minor} from {from} to {to}");
    let mut due: Vec<String> = due.iter().map(row).collect();
    let mut moved: Vec<String> = case.transfers.iter().map(as_row).collect();
    due.sort();
    moved.sort();
    (moved != due || order.state == OrderState::Failed).then(|| {
        let text = format!(
            "is {}, settled {:?}: moved was {moved:?}, due is {due:?}",
            order.state, order.settled_at
        );
        Complaint::new(Rule::OrderMoney, case.subject(), text)
    })
}

/// How the money of an order in this state has left escrow.
fn end_of(order: &Order) -> Option<Reason> {
    match order.state {
        OrderState::Pending | OrderState::Processing | OrderState::Failed => None,
        OrderState::Completed => order.settled_at.map(|_| Reason::OrderSettle),
        OrderState::Cancelled => Some(Reason::OrderCancel),
        OrderState::Refunded => Some(Reason::OrderRefund),
    }
}

/// At most one delegation of an order was not given up, and it is where the order's state says. A stray is none of it.
fn delegations(case: &Case) -> Option<Complaint> {
    use DelegationState::{Active, Reclaimed, Reclaiming, Released, Reserved};
    let kept = case.delegations.iter().filter(|d| d.state != Released && !d.stray);
    let kept: Vec<DelegationState> = kept.map(|delegation| delegation.state).collect();
    let right = match (case.order.state, kept.as_slice()) {
        (OrderState::Pending | OrderState::Cancelled | OrderState::Refunded, []) => true,
        (OrderState::Processing, [state]) => *state == Reserved,
        (OrderState::Completed, [state]) => matches!(state, Active | Reclaiming | Reclaimed),
        _ => false,
    };
    (!right).then(|| {
        let text = format!("is {}, with delegations that are {kept:?}", case.order.state);
        Complaint::new(Rule::OrderDelegation, case.subject(), text)
    })
}

fn in_time(case: &Case, context: &Context<'_>) -> Option<Complaint> {
    let order = &case.order;
    let open = matches!(order.state, OrderState::Pending | OrderState::Processing);
    let late = order.deadline_at + STUCK_AFTER < context.rigour.now;
    (open && late).then(|| {
        let text = format!("is {} beyond its deadline {}", order.state, order.deadline_at);
        Complaint::new(Rule::OrderInTime, case.subject(), text)
    })
}
