//! Orders that an operator has tried now, gives the money back of, or writes a note at: one or many at once.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use db::models::{Action, NewOrderEvent, Order, OrderEvent, OrderState};
use db::{Conn, Pool, run_tx};
use jobs::{JobKind, Wake, enqueue_each_in_tx};
use kernel::{Amount, Asset, IdGen, OrderId, UserId};
use ledger::Account;
use ledger::movements::{Adjustment, Direction};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{ApprovalPolicy, Command, Done, Instruction, is_reason};
use crate::orders::cancel_in_tx;
use crate::{DomainError, users};

/// Orders that one command names at most.
pub const ORDERS_AT_ONCE: usize = 100;
/// What a note is called in a timeline.
pub const NOTED: &str = "noted";
/// What the credit of a settled order's price is called there.
const REFUNDED: &str = "refunded_by_hand";

/// What is done with orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderCommand<'a> {
    /// Those that wait are tried now.
    Retry,
    /// Those that wait are cancelled; what a settled one cost is credited, once.
    Refund,
    /// A text is put into their timelines, for operators.
    Note(&'a str),
}

impl OrderCommand<'_> {
    const fn action(self) -> Action {
        match self {
            Self::Retry => Action::OrdersRetry,
            Self::Refund => Action::OrdersRefund,
            Self::Note(_) => Action::OrdersNote,
        }
    }

    /// Why it does nothing to this order, if so.
    fn obstacle(
        self,
        order: &Order,
        (policy, refunded): (&ApprovalPolicy, &[Uuid]),
    ) -> Result<Option<&'static str>, DomainError> {
        let settled = order.settled_at.is_some();
        Ok(match (self, order.state) {
            (Self::Note(_), _) | (_, OrderState::Pending) => None,
            (Self::Retry, _) => Some("not_waiting"),
            (Self::Refund, OrderState::Completed) if refunded.contains(&order.id) => Some("given_back"),
            (Self::Refund, OrderState::Completed) if settled => {
                let above = policy.adjustment(Asset::Trx, price(order)?);
                above.then_some("needs_approval")
            }
            // its money is in escrow, and may have to go back by itself
            (Self::Refund, OrderState::Completed | OrderState::Processing) => Some("not_settled"),
            (Self::Refund, _) => Some("given_back"),
        })
    }
}

/// An order that nothing was done to, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Skipped {
    /// The order.
    pub order: OrderId,
    /// `not_found`, `not_waiting`, `not_settled`, `given_back` or `needs_approval`.
    pub why: &'static str,
}

/// Carries a command out on each order that it fits, all in one transaction. Answers the others too; of a request that was
/// carried out before, none.
///
/// # Errors
/// A reason that is missing, a note that cannot be kept, more than [`ORDERS_AT_ONCE`], or a database failure: nothing is written
/// then.
pub async fn command_orders(
    pool: &Pool,
    ids: &dyn IdGen,
    (instruction, policy): (&Instruction, &ApprovalPolicy),
    (what, orders): (OrderCommand<'_>, &[OrderId]),
    now: DateTime<Utc>,
) -> Result<(Done, Vec<Skipped>), DomainError> {
    let named: BTreeSet<Uuid> = orders.iter().map(|order| order.0).collect();
    if named.is_empty() || named.len() > ORDERS_AT_ONCE {
        return Err(DomainError::BadText("name 1 to 100 orders"));
    }
    if let OrderCommand::Note(note) = what
        && !is_reason(note)
    {
        return Err(DomainError::BadText("a note has 1 to 500 printable characters"));
    }
    let filter = match what {
        OrderCommand::Note(note) => json!({ "orders": named, "note": note }),
        _ => json!({ "orders": named }),
    };
    let command = Command::new(ids, what.action(), instruction, filter, now)?;
    let named: Vec<Uuid> = named.into_iter().collect();
    run_tx(pool, "command_orders", async |conn| {
        let found = Order::lock_many(conn, &named).await?;
        if !instruction.dry_run
            && let Some(done) = command.replay_in_tx(conn).await?
        {
            return Ok((done, Vec::new()));
        }
        let refunded = OrderEvent::orders_with(conn, &named, REFUNDED).await?;
        let (fitting, skipped) = sorted(what, &named, found, (policy, &refunded))?;
        let matched = i64::try_from(fitting.len()).unwrap_or(i64::MAX);
        if instruction.dry_run {
            return Ok((Done::counted(matched), skipped));
        }
        let wakes = act_in_tx(conn, ids, (instruction, what), &fitting, now).await?;
        let objects = fitting.iter().map(object).collect();
        Ok((command.done_in_tx(conn, matched, objects, wakes).await?, skipped))
    })
    .await
}

fn sorted(
    what: OrderCommand<'_>,
    named: &[Uuid],
    found: Vec<Order>,
    known: (&ApprovalPolicy, &[Uuid]),
) -> Result<(Vec<Order>, Vec<Skipped>), DomainError> {
    let there: BTreeSet<Uuid> = found.iter().map(|order| order.id).collect();
    let missing = named.iter().filter(|id| !there.contains(id));
    let mut skipped: Vec<Skipped> = missing
        .map(|id| Skipped {
            order: OrderId(*id),
            why: "not_found",
        })
        .collect();
    let mut fitting = Vec::with_capacity(found.len());
    for order in found {
        match what.obstacle(&order, known)? {
            None => fitting.push(order),
            Some(why) => skipped.push(Skipped {
                order: OrderId(order.id),
                why,
            }),
        }
    }
    Ok((fitting, skipped))
}

async fn act_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    (instruction, what): (&Instruction, OrderCommand<'_>),
    orders: &[Order],
    now: DateTime<Utc>,
) -> Result<Vec<Wake>, DomainError> {
    let by = instruction.actor.as_str();
    match what {
        OrderCommand::Retry => {
            let waiting: Vec<String> = orders.iter().map(|order| order.id.to_string()).collect();
            return Ok(enqueue_each_in_tx(conn, JobKind::OrdersDelegate, &waiting, now).await?);
        }
        OrderCommand::Refund => {
            let reason = instruction.reason.as_deref().unwrap_or_default();
            for order in by_account(orders) {
                refund_in_tx(conn, ids, order, (by, reason), now).await?;
            }
        }
        OrderCommand::Note(note) => {
            let events: Vec<_> = orders
                .iter()
                .map(|order| event(order, NOTED, by, json!({ "note": note, "by": instruction.name }), now))
                .collect();
            NewOrderEvent::insert_many(conn, &events).await?;
        }
    }
    Ok(Vec::new())
}

/// In the order in which everybody locks accounts, so that two commands never wait for each other.
fn by_account(orders: &[Order]) -> Vec<&Order> {
    let mut sorted: Vec<&Order> = orders.iter().collect();
    sorted.sort_by_cached_key(|order| {
        let (user, asset) = (UserId(order.user_id), Asset::Trx);
        Account::User { user, asset }.code()
    });
    sorted
}

/// What waits is cancelled, with its money. What a delivered one cost is credited: its energy was lent, so it stays what it is.
async fn refund_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    order: &Order,
    (by, reason): (&str, &str),
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    if order.state == OrderState::Pending {
        cancel_in_tx(conn, ids, order, ("cancelled_by_operator", by), now).await?;
        return Ok(());
    }
    let amount = price(order)?;
    // one name for each order: whoever asks again, it is booked once
    let adjustment = Adjustment {
        reference: &format!("order_refund:{}", order.id),
        user: UserId(order.user_id),
        asset: Asset::Trx,
        amount,
        direction: Direction::Credit,
        note: &format!("refund of order {}", order.id),
        actor: by,
        at: now,
    };
    users::adjust_in_tx(conn, &adjustment).await?;
    let detail = json!({ "reason": reason, "amount": amount });
    NewOrderEvent::insert_many(conn, &[event(order, REFUNDED, by, detail, now)]).await?;
    Ok(())
}

fn event<'a>(order: &Order, event: &'a str, actor: &'a str, detail: Value, at: DateTime<Utc>) -> NewOrderEvent<'a> {
    NewOrderEvent {
        order_id: order.id,
        at,
        event,
        state: order.state,
        actor,
        detail,
    }
}

fn object(order: &Order) -> Value {
    json!({ "object_id": order.id, "state": order.state, "user_id": order.user_id, "price_sun": order.price_sun })
}

fn price(order: &Order) -> Result<Amount, DomainError> {
    Amount::from_minor(order.price_sun)
        .map_err(|_| DomainError::Broken(format!("{} sun of order {} are no amount", order.price_sun, order.id)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_user(user_id: i64) -> Order {
        let at = DateTime::<Utc>::UNIX_EPOCH;
        Order {
            id: Uuid::from_u128(u128::from(user_id.unsigned_abs())),
            user_id,
            api_key_id: Uuid::nil(),
            network: "nile".into(),
            receiver: "T".into(),
            energy: 1,
            duration_s: 1,
            price_sun: 1,
            price_version_id: Uuid::nil(),
            state: OrderState::Pending,
            attempts: 0,
            deadline_at: at,
            reason_code: None,
            completed_at: None,
            ends_at: None,
            settled_at: None,
            created_at: at,
            updated_at: at,
        }
    }

    #[test]
    fn accounts_are_locked_in_the_order_of_their_codes() {
        let orders = [9, 10, -2, 100].map(of_user);
        let users: Vec<i64> = by_account(&orders).iter().map(|order| order.user_id).collect();
        assert_eq!(users, [-2, 100, 10, 9]);
    }
}
