//! An order's money and its delegations, by our books alone.

use chrono::Duration;
use db::models::{Delegation, DelegationState, Order, OrderState};
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

/// Paid once; and what left escrow left it once, whole, to where the order's end says. Each extension is paid once.
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
    let extensions = case.extensions.iter();
    due.extend(extensions.map(|bought| (Reason::OrderExtension, user.as_str(), REVENUE, bought.price_sun)));
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

/// What was not given up of an order's delegations has together what was ordered, or less while it lacks a part; all are
/// where the order's state says. A stray is none of it.
fn delegations(case: &Case) -> Option<Complaint> {
    use DelegationState::{Active, Reclaimed, Reclaiming, Reserved};
    let order = &case.order;
    let kept: Vec<&Delegation> = case.delegations.iter().filter(|d| d.is_kept()).collect();
    let energy: i64 = kept.iter().map(|delegation| delegation.energy).sum();
    let whole = kept.len() == 1 && energy == order.energy;
    let marked = kept.iter().all(|delegation| delegation.partial != whole);
    let all_are = |states: &[DelegationState]| kept.iter().all(|delegation| states.contains(&delegation.state));
    let right = match order.state {
        OrderState::Pending | OrderState::Cancelled | OrderState::Refunded => kept.is_empty(),
        OrderState::Processing => {
            let open = energy < order.energy || !all_are(&[Active]);
            marked && (1..=order.energy).contains(&energy) && open && all_are(&[Reserved, Active])
        }
        OrderState::Completed => {
            let bought: i64 = case.extensions.iter().map(|bought| i64::from(bought.duration_s)).sum();
            let sold = Duration::seconds(i64::from(order.duration_s) + bought);
            let end = order.completed_at.map(|at| at + sold);
            let together = kept.iter().all(|delegation| delegation.ends_at == end) && order.ends_at == end;
            marked && together && energy == order.energy && all_are(&[Active, Reclaiming, Reclaimed])
        }
        OrderState::Failed => false,
    };
    (!right).then(|| {
        let kept: Vec<_> = kept
            .iter()
            .map(|kept| (kept.state, kept.energy, kept.ends_at))
            .collect();
        let text = format!("is {}, with delegations that are {kept:?}", order.state);
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
