//! Paying an order directly: a deposit that is announced for an order buys it once all of it came. The price is the one
//! that was told when it was announced; what came late buys it at that price only if it has not become dearer since.
//!
//! The deposit is credited to the user whatever comes of the order, and the order is paid from his balance. So nothing is
//! lost where it cannot be placed, and crediting waits for no order.

use chain::TronAddress;
use chrono::{DateTime, Duration, Utc};
use db::models::{Deposit, DepositOrder, DepositOrderState, DepositState, EventType, OrderTerms, Receipt};
use db::{Conn, Pool, run_tx};
use jobs::{JobKind, Wake, enqueue_each_in_tx};
use kernel::{Amount, ApiKeyId, IdGen, OrderId, PriceVersionId, UserId};
use uuid::Uuid;

use super::news::tell_of_order_in_tx;
use crate::api_keys::spend_by_key_in_tx;
use crate::orders::{Purchase, check_orderable, guarded, place_in_tx};
use crate::pricing::{self, Price};
use crate::{DomainError, WORKER};

/// An order that a deposit is to buy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WantedOrder {
    /// Who receives the energy.
    pub receiver: TronAddress,
    /// How much.
    pub energy: i64,
    /// For how long, seconds.
    pub duration_s: i32,
}

impl WantedOrder {
    /// Keeps it with its deposit, at this price.
    pub(super) async fn keep_in_tx(
        self,
        conn: &mut Conn,
        deposit: Uuid,
        price: Price,
        now: DateTime<Utc>,
    ) -> Result<DepositOrder, DomainError> {
        let order = DepositOrder {
            deposit_id: deposit,
            receiver: self.receiver.to_string(),
            energy: self.energy,
            duration_s: self.duration_s,
            price_sun: price.amount.minor(),
            price_version_id: price.version.0,
            state: DepositOrderState::Waiting,
            order_id: None,
            reason_code: None,
            created_at: now,
            updated_at: now,
        };
        order.insert(conn).await?;
        Ok(order)
    }
}

/// Asks for the orders of deposits that became paid.
pub(crate) async fn orders_due_in_tx(
    conn: &mut Conn,
    paid: &[Uuid],
    now: DateTime<Utc>,
) -> Result<Vec<Wake>, DomainError> {
    if paid.is_empty() {
        return Ok(Vec::new());
    }
    let waiting = DepositOrder::due_of(conn, paid).await?;
    let waiting: Vec<String> = waiting.iter().map(Uuid::to_string).collect();
    Ok(enqueue_each_in_tx(conn, JobKind::DepositsPlaceOrder, &waiting, now).await?)
}

/// Takes a credit that was taken back out of what its deposit received. What was paid stays so called, but its order is not
/// placed any more where the rest does not cover it: it would be paid with the user's other money. What was not paid yet waits
/// for all that is missing now.
pub(crate) async fn take_back_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    (deposit, amount): (Uuid, Amount),
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    let deposit = Deposit::lock(conn, deposit).await?;
    let mut deposit = deposit.ok_or(DomainError::NotFound("deposit"))?;
    // a sum beyond all money there is was never added
    let received = deposit.received.saturating_sub(amount.minor()).max(0);
    let receipt = Receipt {
        id: deposit.id,
        before: (deposit.state, deposit.received),
        after: (deposit.state, received),
        paid_at: deposit.paid_at,
    };
    guarded(Deposit::receive(conn, &receipt, now).await?, "deposit", deposit.id)?;
    deposit.received = received;
    let covered = deposit.amount.is_none_or(|wanted| received >= wanted);
    if deposit.state != DepositState::Paid || covered {
        return Ok(());
    }
    match DepositOrder::lock(conn, deposit.id).await? {
        Some(wanted) if wanted.state == DepositOrderState::Waiting => {
            give_up_in_tx(conn, ids, (&deposit, wanted), "deposit_reversed", now).await
        }
        _ => Ok(()),
    }
}

/// What came of the order of a deposit.
#[derive(Debug, PartialEq, Eq)]
pub enum Placing {
    /// The deposit has none, is not paid, or its order was decided before.
    NothingToDo,
    /// It is placed and paid for.
    Placed {
        /// The order.
        order: OrderId,
        /// To be pushed after the commit.
        wake: Option<Wake>,
    },
    /// It is not and will not be placed, for this reason.
    Failed(&'static str),
    /// New orders are stopped: to be asked for again.
    Stopped,
    /// The key that it was announced with has had users spend what it may in this day: to be asked for again.
    Limited,
}

/// Places the order of a paid deposit, once: the row of the deposit's order is locked, and says what became of it.
///
/// # Errors
/// When the database fails; nothing is written then.
pub async fn place_order(
    pool: &Pool,
    ids: &dyn IdGen,
    deposit: Uuid,
    deadline: Duration,
    now: DateTime<Utc>,
) -> Result<Placing, DomainError> {
    let id = OrderId::new(ids);
    let tried = run_tx(pool, "place_paid_order", async |conn| {
        let Some((deposit, wanted)) = waiting(conn, deposit).await? else {
            return Ok(Placing::NothingToDo);
        };
        if let Some(reason) = obstacle(conn, &deposit, &wanted).await? {
            give_up_in_tx(conn, ids, (&deposit, wanted), reason, now).await?;
            return Ok(Placing::Failed(reason));
        }
        buy_in_tx(conn, ids, (id, deadline), (&deposit, &wanted), now).await
    })
    .await;
    let placing = match tried {
        Err(DomainError::Maintenance) => Placing::Stopped,
        Err(DomainError::DailyLimit { .. }) => Placing::Limited,
        // some of it was spent before the rest came; the refusal has ended the transaction
        Err(DomainError::InsufficientFunds { .. }) => give_up(pool, ids, deposit, "insufficient_funds", now).await?,
        other => other?,
    };
    let outcome = match placing {
        Placing::Placed { .. } => "placed",
        Placing::Failed(_) => "failed",
        Placing::NothingToDo | Placing::Stopped | Placing::Limited => return Ok(placing),
    };
    metrics::counter!("switchyard_deposit_orders_total", "outcome" => outcome).increment(1);
    Ok(placing)
}

/// The deposit and what it is to buy, locked, if it is paid and has bought nothing.
async fn waiting(conn: &mut Conn, deposit: Uuid) -> Result<Option<(Deposit, DepositOrder)>, DomainError> {
    let wanted = DepositOrder::lock(conn, deposit).await?;
    let Some(wanted) = wanted.filter(|wanted| wanted.state == DepositOrderState::Waiting) else {
        return Ok(None);
    };
    let deposit = Deposit::find(conn, deposit).await?;
    let deposit = deposit.ok_or(DomainError::NotFound("deposit"))?;
    Ok((deposit.state == DepositState::Paid).then_some((deposit, wanted)))
}

/// Why the order is never placed.
///
/// # Errors
/// [`DomainError::Maintenance`] while new orders are stopped.
async fn obstacle(
    conn: &mut Conn,
    deposit: &Deposit,
    wanted: &DepositOrder,
) -> Result<Option<&'static str>, DomainError> {
    let (key, parties) = (deposit.api_key_id, (deposit.user_id, wanted.receiver.as_str()));
    let terms = OrderTerms::read_for(conn, Some(key), parties, (wanted.energy, wanted.duration_s)).await?;
    match check_orderable(&terms) {
        Err(DomainError::UserBlocked) => return Ok(Some("user_blocked")),
        Err(DomainError::ReceiverIsSupplier) => return Ok(Some("receiver_is_supplier")),
        other => other?,
    }
    if terms.daily_limit_sun.is_some_and(|limit| wanted.price_sun > limit) {
        return Ok(Some("daily_limit")); // no day has room for it
    }
    let late = deposit.paid_at.is_none_or(|paid_at| paid_at > deposit.expires_at);
    let as_cheap = |price: Price| price.amount.minor() <= wanted.price_sun;
    let holds = !late || pricing::price_of(&terms, wanted.energy).is_ok_and(as_cheap);
    Ok((!holds).then_some("late"))
}

async fn buy_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    (id, deadline): (OrderId, Duration),
    (deposit, wanted): (&Deposit, &DepositOrder),
    now: DateTime<Utc>,
) -> Result<Placing, DomainError> {
    let no_amount = |_| DomainError::Broken(format!("the price of deposit {}", deposit.id));
    let purchase = Purchase {
        id,
        user: UserId(deposit.user_id),
        api_key: ApiKeyId(deposit.api_key_id),
        network: &deposit.network,
        receiver: &wanted.receiver,
        energy: wanted.energy,
        duration_s: wanted.duration_s,
        price: Price {
            amount: Amount::from_minor(wanted.price_sun).map_err(no_amount)?,
            version: PriceVersionId(wanted.price_version_id),
        },
        deadline,
        actor: WORKER,
    };
    spend_by_key_in_tx(conn, purchase.api_key, purchase.price.amount, now).await?;
    let (_, wake) = place_in_tx(conn, ids, &purchase, now).await?;
    let moved = DepositOrder::set_placed(conn, deposit.id, id.0, now).await?;
    guarded(moved, "the order of deposit", deposit.id)?;
    Ok(Placing::Placed { order: id, wake })
}

/// The same in a transaction of its own; whoever was first decides.
async fn give_up(
    pool: &Pool,
    ids: &dyn IdGen,
    deposit: Uuid,
    reason: &'static str,
    now: DateTime<Utc>,
) -> Result<Placing, DomainError> {
    run_tx(pool, "fail_paid_order", async |conn| {
        let Some((deposit, wanted)) = waiting(conn, deposit).await? else {
            return Ok(Placing::NothingToDo);
        };
        give_up_in_tx(conn, ids, (&deposit, wanted), reason, now).await?;
        Ok(Placing::Failed(reason))
    })
    .await
}

async fn give_up_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    (deposit, mut wanted): (&Deposit, DepositOrder),
    reason: &'static str,
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    let moved = DepositOrder::set_failed(conn, deposit.id, reason, now).await?;
    guarded(moved, "the order of deposit", deposit.id)?;
    wanted.state = DepositOrderState::Failed;
    wanted.reason_code = Some(reason.to_owned());
    tell_of_order_in_tx(conn, ids, EventType::DepositOrderFailed, (deposit, &wanted), now).await
}
