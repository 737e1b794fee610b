//! Transfers that wait for a person: listed, and given to a user or to a deposit, let be, marked as paid back, or taken back
//! from a user.

use chrono::{DateTime, Utc};
use db::models::{
    Action, Decision, Deposit, EventType, IncomingTransfer, Rental, RentalMove, RentalState, TransferFilter,
    TransferProposal, TransferState, User,
};
use db::{Conn, Pool, acquire, run_tx};
use diesel::sql_types::{BigInt, Nullable, Text};
use diesel_async::RunQueryDsl;
use jobs::Wake;
use kernel::{Asset, IdGen, UserId};
use ledger::movements::{DepositCredit, reverse_deposit_in_tx};
use serde_json::{Value, json};
use uuid::Uuid;

use super::proposals::{RulingPolicy, propose_in_tx};
use super::{Command, Done, Instruction};
use crate::DomainError;
use crate::deposits::{
    amount_of, on_chain, orders_due_in_tx, post_in_tx, receive_in_tx, subject, take_back_in_tx, tell_of_transfers_in_tx,
};
use crate::exchanges::cancel_of_transfer_in_tx;
use crate::findings::{self, FindingKind};
use crate::orders::guarded;
use crate::rates::RatePolicy;
use crate::rentals::subject as subject_of_rental;

/// What an operator decides about a transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ruling {
    /// The user gets it; where none is named, the one whose address it went to.
    Credit(Option<UserId>),
    /// The deposit's user gets it, and it counts for the deposit, which may buy an order with it.
    Attach(Uuid),
    /// It is let be.
    Ignore,
    /// It was paid back by hand.
    Refunded,
    /// Its credit is taken back from the user.
    Reverse,
}

impl Ruling {
    const fn action(self) -> Action {
        match self {
            Self::Credit(_) => Action::DepositsCredit,
            Self::Attach(_) => Action::DepositsAttach,
            Self::Ignore => Action::DepositsIgnore,
            Self::Refunded => Action::DepositsRefund,
            Self::Reverse => Action::DepositsReverse,
        }
    }

    /// Its word in proposals.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Credit(_) => "credit",
            Self::Attach(_) => "attach",
            Self::Ignore => "ignore",
            Self::Refunded => "refunded",
            Self::Reverse => "reverse",
        }
    }

    /// What receivers are told of it.
    const fn event(self) -> Option<EventType> {
        match self {
            Self::Credit(_) | Self::Attach(_) => Some(EventType::DepositCredited),
            Self::Reverse => Some(EventType::DepositReverted),
            Self::Ignore | Self::Refunded => None,
        }
    }

    /// Where a transfer goes from this state, if it may.
    const fn arrow(self, from: TransferState) -> Option<TransferState> {
        match (self, from) {
            (Self::Credit(_) | Self::Attach(_), TransferState::Held | TransferState::Ignored) => {
                Some(TransferState::Credited)
            }
            (Self::Ignore, TransferState::Held) => Some(TransferState::Ignored),
            (Self::Refunded, TransferState::Held) => Some(TransferState::Refunded),
            (Self::Reverse, TransferState::Credited) => Some(TransferState::Reversed),
            _ => None,
        }
    }
}

/// What came of a ruling.
#[derive(Debug)]
pub struct Ruled {
    /// The transfer as it is now.
    pub transfer: IncomingTransfer,
    /// What waits for another operator; `None` if the ruling was carried out.
    pub proposal: Option<TransferProposal>,
    /// The command.
    pub done: Done,
}

/// A transfer.
///
/// # Errors
/// [`DomainError::NotFound`].
pub async fn transfer(pool: &Pool, id: Uuid) -> Result<IncomingTransfer, DomainError> {
    let mut conn = acquire(pool).await?;
    let found = IncomingTransfer::find(&mut conn, id).await?;
    found.ok_or(DomainError::NotFound("transfer"))
}

/// Transfers, newest first, before the transfer `before`.
///
/// # Errors
/// When the database cannot be asked.
pub async fn transfers_page(
    pool: &Pool,
    filter: &TransferFilter,
    place: Option<Uuid>,
    limit: i64,
) -> Result<Vec<IncomingTransfer>, DomainError> {
    let mut conn = acquire(pool).await?;
    Ok(IncomingTransfer::page(&mut conn, filter, place, limit).await?)
}

/// Carries out what an operator decides about one transfer, or keeps it for another one to agree, above the limits.
///
/// # Errors
/// [`DomainError::NotFound`]; [`DomainError::OwnProposal`] where it waits for somebody else; a reason that is missing; [`DomainError::TransferStanding`] when it is past that;
/// [`DomainError::NotCreditable`] and [`DomainError::UserNeeded`] when it cannot be credited; insufficient funds when what
/// is to be taken back was spent. Nothing is written then.
pub async fn rule_transfer(
    pool: &Pool,
    ids: &dyn IdGen,
    (instruction, policy): (&Instruction, &RulingPolicy),
    (id, ruling): (Uuid, Ruling),
    now: DateTime<Utc>,
) -> Result<Ruled, DomainError> {
    let filter = match ruling {
        Ruling::Credit(Some(user)) => json!({ "object_id": id, "user_id": user }),
        Ruling::Attach(deposit) => json!({ "object_id": id, "deposit_id": deposit }),
        _ => json!({ "object_id": id }),
    };
    let command = Command::new(ids, ruling.action(), instruction, filter, now)?;
    run_tx(pool, "rule_transfer", async |conn| {
        let found = IncomingTransfer::lock(conn, id).await?;
        let found = found.ok_or(DomainError::NotFound("transfer"))?;
        if instruction.dry_run {
            let fits = i64::from(ruling.arrow(found.state).is_some());
            return Ok(Ruled::of(found, Done::counted(fits)));
        }
        if let Some(done) = command.replay_in_tx(conn).await? {
            let proposal = TransferProposal::open_of(conn, &[id]).await?.into_iter().next();
            let ruled = Ruled::of(found, done);
            return Ok(Ruled { proposal, ..ruled });
        }
        let to = ruling
            .arrow(found.state)
            .ok_or(DomainError::TransferStanding(found.state))?;
        let plan = plan_in_tx(conn, instruction, &found, ruling, now).await?;
        let wants = propose_in_tx(conn, ids, (instruction, policy), (&found, ruling), now).await?;
        if let Some(proposal) = wants {
            let command = command.as_action(Action::DepositsPropose);
            let done = command
                .done_in_tx(conn, 1, vec![proposed(&found, &proposal)], Vec::new())
                .await?;
            let ruled = Ruled::of(found, done);
            return Ok(Ruled {
                proposal: Some(proposal),
                ..ruled
            });
        }
        let exchange = policy.exchange.as_ref();
        let wakes = carry_out_in_tx(conn, ids, (instruction, exchange), &found, (ruling, to, plan), now).await?;
        findings::clear_in_tx(conn, FindingKind::DepositHeld, &subject(&found), now).await?;
        if let Some(event_type) = ruling.event() {
            tell_of_transfers_in_tx(conn, ids, event_type, &[id], now).await?;
        }
        let done = command.done_in_tx(conn, 1, vec![before(&found)], wakes).await?;
        let ruled = IncomingTransfer::find(conn, id).await?;
        Ok(Ruled::of(ruled.ok_or(DomainError::NotFound("transfer"))?, done))
    })
    .await
}

/// What a ruling comes to.
struct Plan {
    /// The deposit that the transfer is to count for, locked.
    deposit: Option<Deposit>,
    /// What a user gets, or gives back.
    money: Option<DepositCredit>,
}

/// What a ruling would do, before anybody has to agree: what cannot be done is not proposed.
async fn plan_in_tx(
    conn: &mut Conn,
    instruction: &Instruction,
    found: &IncomingTransfer,
    ruling: Ruling,
    now: DateTime<Utc>,
) -> Result<Plan, DomainError> {
    let deposit = match ruling {
        Ruling::Attach(deposit) => Some(attachable(conn, found, deposit).await?),
        _ => None,
    };
    let user = match ruling {
        Ruling::Credit(user) => user.map(|user| user.0),
        _ => deposit.as_ref().map(|deposit| deposit.user_id),
    };
    let money = match ruling {
        Ruling::Credit(_) | Ruling::Attach(_) | Ruling::Reverse => Some(credit_of(found, user, instruction, now)?),
        Ruling::Ignore | Ruling::Refunded => None,
    };
    Ok(Plan { deposit, money })
}

async fn carry_out_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    (instruction, exchange): (&Instruction, Option<&RatePolicy>),
    found: &IncomingTransfer,
    (ruling, to, plan): (Ruling, TransferState, Plan),
    now: DateTime<Utc>,
) -> Result<Vec<Wake>, DomainError> {
    let reason = instruction.reason.as_deref().ok_or(DomainError::BadReason)?;
    let Plan { deposit, money } = plan;
    let kind = found.kind.ok_or(DomainError::TransferStanding(found.state))?;
    let decision = Decision {
        id: found.id,
        from: found.state,
        to,
        kind,
        deposit_id: deposit.as_ref().map(|deposit| deposit.id).or(found.deposit_id),
        user_id: money.as_ref().map(|money| money.user.0).or(found.user_id),
        asset: found.asset.as_deref(),
        credited: money.as_ref().map(|money| money.amount.minor()),
        by: &instruction.actor,
        reason: Some(reason),
    };
    match (&money, ruling) {
        (Some(money), Ruling::Reverse) => {
            close_rental_in_tx(conn, found, now).await?;
            cancel_of_transfer_in_tx(conn, ids, found.id, now).await?;
            if let Some(deposit) = found.deposit_id {
                take_back_in_tx(conn, ids, (deposit, money.amount), now).await?;
            }
            reverse_deposit_in_tx(conn, money, reason).await?;
        }
        (Some(money), _) => {
            User::ensure(conn, money.user.0, now).await?;
            post_in_tx(conn, ids, exchange, vec![(found.id, money.clone())], now).await?;
        }
        (None, _) => {}
    }
    let moved = IncomingTransfer::decide(conn, &decision, now).await?;
    guarded(moved, "incoming transfer", found.id)?;
    let (Some(deposit), Some(money)) = (deposit, money) else {
        return Ok(Vec::new());
    };
    receive_in_tx(conn, &deposit, money.amount, found.block_time, now).await?;
    orders_due_in_tx(conn, &[deposit.id], now).await
}

/// Coin that bought energy, or is on its way back, is spent: only what is held can be taken back from the house's customer,
/// and with that the rental is closed.
async fn close_rental_in_tx(conn: &mut Conn, found: &IncomingTransfer, now: DateTime<Utc>) -> Result<(), DomainError> {
    let Some(rental) = Rental::lock(conn, found.id).await? else {
        return Ok(());
    };
    let change = RentalMove::to(RentalState::Closed);
    if rental.state != RentalState::Held || !Rental::set(conn, (found.id, RentalState::Held), &change, now).await? {
        return Err(DomainError::RentalStanding(rental.state));
    }
    findings::clear_in_tx(conn, FindingKind::RentalHeld, &subject_of_rental(&rental), now).await
}

/// The deposit that a transfer is to count for, locked: of the same asset and network, and not of another than the one
/// whose address the transfer went to.
async fn attachable(conn: &mut Conn, found: &IncomingTransfer, deposit: Uuid) -> Result<Deposit, DomainError> {
    let deposit = Deposit::lock(conn, deposit).await?;
    let deposit = deposit.ok_or(DomainError::NotFound("deposit"))?;
    let fits = found.network == deposit.network
        && found.asset.as_deref() == Some(deposit.asset.as_str())
        && found.user_id.is_none_or(|user| user == deposit.user_id);
    fits.then_some(deposit).ok_or(DomainError::DepositOfOthers)
}

/// The credit that a transfer is or was worth.
fn credit_of(
    found: &IncomingTransfer,
    user: Option<i64>,
    instruction: &Instruction,
    now: DateTime<Utc>,
) -> Result<DepositCredit, DomainError> {
    let asset: Option<Asset> = found.asset.as_deref().and_then(|asset| asset.parse().ok());
    let ours = found.address_id.is_some();
    let (Some(asset), Some(amount), true) = (asset, amount_of(found), ours) else {
        return Err(DomainError::NotCreditable);
    };
    let user = user.or(found.user_id).ok_or(DomainError::UserNeeded)?;
    Ok(DepositCredit {
        on_chain: on_chain(found)?,
        user: UserId(user),
        asset,
        amount,
        actor: Some(instruction.actor.clone()),
        at: now,
    })
}

impl Ruled {
    const fn of(transfer: IncomingTransfer, done: Done) -> Self {
        Self {
            transfer,
            proposal: None,
            done,
        }
    }
}

/// What is wanted of a transfer, for the record.
fn proposed(found: &IncomingTransfer, proposal: &TransferProposal) -> Value {
    let mut object = before(found);
    object["proposed"] = json!({
        "ruling": proposal.ruling, "user_id": proposal.user_id, "deposit_id": proposal.deposit_id,
    });
    object
}

/// A transfer as it was, for the record.
fn before(found: &IncomingTransfer) -> Value {
    json!({
        "kind": "transfer", "object_id": found.id, "network": found.network, "txid": found.txid,
        "log_index": found.log_index, "state": found.state, "case": found.kind, "user_id": found.user_id,
        "amount_minor": found.amount, "asset": found.asset,
    })
}

/// Transfers by what became of them, for metrics.
#[derive(Debug, Clone, PartialEq, Eq, diesel::QueryableByName)]
pub struct TransferFigures {
    /// Where they stand.
    #[diesel(sql_type = Text)]
    pub state: String,
    /// What they turned out to be, once that was decided.
    #[diesel(sql_type = Nullable<Text>)]
    pub kind: Option<String>,
    /// How many.
    #[diesel(sql_type = BigInt)]
    pub count: i64,
}

/// Counts transfers that are not at their end: what is seen, reverted, held or ignored. Credited ones are counted by the
/// ledger.
///
/// # Errors
/// When the database cannot be asked.
pub async fn transfer_figures(conn: &mut Conn) -> Result<Vec<TransferFigures>, DomainError> {
    Ok(diesel::sql_query(
        "SELECT state, kind, count(*) AS count FROM incoming_transfers \
         WHERE state IN ('seen', 'held', 'ignored') GROUP BY state, kind",
    )
    .load(conn)
    .await?)
}
