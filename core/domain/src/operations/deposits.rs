//! Transfers that wait for a person: listed, and given to a user, let be, marked as paid back, or taken back from a user.

use chrono::{DateTime, Utc};
use db::models::{Action, Decision, EventType, IncomingTransfer, TransferFilter, TransferState, User};
use db::{Conn, Pool, acquire, run_tx};
use diesel::sql_types::{BigInt, Nullable, Text};
use diesel_async::RunQueryDsl;
use kernel::{Asset, IdGen, UserId};
use ledger::movements::{DepositCredit, reverse_deposit_in_tx};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Command, Done, Instruction};
use crate::DomainError;
use crate::deposits::{amount_of, on_chain, post_in_tx, subject, tell_of_transfers_in_tx};
use crate::exchanges::cancel_of_transfer_in_tx;
use crate::findings::{self, FindingKind};
use crate::orders::guarded;
use crate::rates::RatePolicy;

/// What an operator decides about a transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ruling {
    /// The user gets it; where none is named, the one whose address it went to.
    Credit(Option<UserId>),
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
            Self::Ignore => Action::DepositsIgnore,
            Self::Refunded => Action::DepositsRefund,
            Self::Reverse => Action::DepositsReverse,
        }
    }

    /// What receivers are told of it.
    const fn event(self) -> Option<EventType> {
        match self {
            Self::Credit(_) => Some(EventType::DepositCredited),
            Self::Reverse => Some(EventType::DepositReverted),
            Self::Ignore | Self::Refunded => None,
        }
    }

    /// Where a transfer goes from this state, if it may.
    const fn arrow(self, from: TransferState) -> Option<TransferState> {
        match (self, from) {
            (Self::Credit(_), TransferState::Held | TransferState::Ignored) => Some(TransferState::Credited),
            (Self::Ignore, TransferState::Held) => Some(TransferState::Ignored),
            (Self::Refunded, TransferState::Held) => Some(TransferState::Refunded),
            (Self::Reverse, TransferState::Credited) => Some(TransferState::Reversed),
            _ => None,
        }
    }
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
    filter: TransferFilter<'_>,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<IncomingTransfer>, DomainError> {
    let mut conn = acquire(pool).await?;
    Ok(IncomingTransfer::page(&mut conn, filter, before, limit).await?)
}

/// Carries out what an operator decides about one transfer. `exchange`: how USDT is exchanged as it is credited, if it is.
///
/// # Errors
/// [`DomainError::NotFound`]; a reason that is missing; [`DomainError::TransferStanding`] when it is past that;
/// [`DomainError::NotCreditable`] and [`DomainError::UserNeeded`] when it cannot be credited; insufficient funds when what
/// is to be taken back was spent. Nothing is written then.
pub async fn rule_transfer(
    pool: &Pool,
    ids: &dyn IdGen,
    (instruction, exchange): (&Instruction, Option<&RatePolicy>),
    (id, ruling): (Uuid, Ruling),
    now: DateTime<Utc>,
) -> Result<(IncomingTransfer, Done), DomainError> {
    let filter = match ruling {
        Ruling::Credit(Some(user)) => json!({ "object_id": id, "user_id": user }),
        _ => json!({ "object_id": id }),
    };
    let command = Command::new(ids, ruling.action(), instruction, filter, now)?;
    run_tx(pool, "rule_transfer", async |conn| {
        let found = IncomingTransfer::lock(conn, id).await?;
        let found = found.ok_or(DomainError::NotFound("transfer"))?;
        if instruction.dry_run {
            let fits = i64::from(ruling.arrow(found.state).is_some());
            return Ok((found, Done::counted(fits)));
        }
        if let Some(done) = command.replay_in_tx(conn).await? {
            return Ok((found, done));
        }
        let to = ruling
            .arrow(found.state)
            .ok_or(DomainError::TransferStanding(found.state))?;
        carry_out_in_tx(conn, ids, (instruction, exchange), &found, (ruling, to), now).await?;
        findings::clear_in_tx(conn, FindingKind::DepositHeld, &subject(&found), now).await?;
        if let Some(event_type) = ruling.event() {
            tell_of_transfers_in_tx(conn, ids, event_type, &[id], now).await?;
        }
        let done = command.done_in_tx(conn, 1, vec![before(&found)], Vec::new()).await?;
        let ruled = IncomingTransfer::find(conn, id).await?;
        Ok((ruled.ok_or(DomainError::NotFound("transfer"))?, done))
    })
    .await
}

async fn carry_out_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    (instruction, exchange): (&Instruction, Option<&RatePolicy>),
    found: &IncomingTransfer,
    (ruling, to): (Ruling, TransferState),
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    let reason = instruction.reason.as_deref().ok_or(DomainError::BadReason)?;
    let money = match ruling {
        Ruling::Credit(user) => Some(credit_of(found, user.map(|user| user.0), instruction, now)?),
        Ruling::Reverse => Some(credit_of(found, None, instruction, now)?),
        Ruling::Ignore | Ruling::Refunded => None,
    };
    let kind = found.kind.ok_or(DomainError::TransferStanding(found.state))?;
    let decision = Decision {
        id: found.id,
        from: found.state,
        to,
        kind,
        deposit_id: found.deposit_id,
        user_id: money.as_ref().map(|money| money.user.0).or(found.user_id),
        asset: found.asset.as_deref(),
        credited: money.as_ref().map(|money| money.amount.minor()),
        by: &instruction.actor,
        reason: Some(reason),
    };
    match (&money, ruling) {
        (Some(money), Ruling::Reverse) => {
            cancel_of_transfer_in_tx(conn, ids, found.id, now).await?;
            reverse_deposit_in_tx(conn, money, reason).await?;
        }
        (Some(money), _) => {
            User::ensure(conn, money.user.0, now).await?;
            post_in_tx(conn, ids, exchange, vec![(found.id, money.clone())], now).await?;
        }
        (None, _) => {}
    }
    let moved = IncomingTransfer::decide(conn, &decision, now).await?;
    guarded(moved, "incoming transfer", found.id)
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
