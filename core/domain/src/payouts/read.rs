//! Payouts as they are shown.

use db::models::{ChainTransaction, Outcome, Payout, PayoutEvent, PayoutFilter, TxState};
use db::{Pool, acquire};
use kernel::PayoutId;
use uuid::Uuid;

use crate::DomainError;

/// A payout with the transaction that may pay it, or has paid it.
#[derive(Debug, Clone)]
pub struct PayoutWithTransaction {
    /// The payout.
    pub payout: Payout,
    /// The one that is neither dead nor without effect; `None` while there is none.
    pub transaction: Option<ChainTransaction>,
}

/// A payout with all that happened to it.
#[derive(Debug, Clone)]
pub struct PayoutDetail {
    /// The payout.
    pub payout: Payout,
    /// What happened, oldest first.
    pub events: Vec<PayoutEvent>,
    /// Everything that was signed for it, oldest first.
    pub transactions: Vec<ChainTransaction>,
}

/// A payout.
///
/// # Errors
/// [`DomainError::NotFound`].
pub async fn find(pool: &Pool, id: PayoutId) -> Result<Payout, DomainError> {
    let mut conn = acquire(pool).await?;
    Payout::find(&mut conn, id.0)
        .await?
        .ok_or(DomainError::NotFound("payout"))
}

/// A payout with its timeline and its transactions.
///
/// # Errors
/// [`DomainError::NotFound`].
pub async fn detail(pool: &Pool, id: PayoutId) -> Result<PayoutDetail, DomainError> {
    let mut conn = acquire(pool).await?;
    let payout = Payout::find(&mut conn, id.0)
        .await?
        .ok_or(DomainError::NotFound("payout"))?;
    Ok(PayoutDetail {
        payout,
        events: PayoutEvent::of_payout(&mut conn, id.0).await?,
        transactions: ChainTransaction::of_intents(&mut conn, &[id.0]).await?,
    })
}

/// Payouts, newest first, before the payout `before`.
///
/// # Errors
/// When the database cannot be asked.
pub async fn page(
    pool: &Pool,
    filter: &PayoutFilter,
    place: Option<PayoutId>,
    limit: i64,
) -> Result<Vec<Payout>, DomainError> {
    let mut conn = acquire(pool).await?;
    Ok(Payout::page(&mut conn, filter, place.map(|id| id.0), limit).await?)
}

/// Adds to each payout the transaction that may pay it, or has paid it.
///
/// # Errors
/// When the database cannot be asked.
pub async fn with_transactions(pool: &Pool, payouts: Vec<Payout>) -> Result<Vec<PayoutWithTransaction>, DomainError> {
    let ids: Vec<Uuid> = payouts.iter().map(|payout| payout.id).collect();
    let mut conn = acquire(pool).await?;
    let mut transactions = ChainTransaction::of_intents(&mut conn, &ids).await?;
    transactions.retain(is_live);
    let add = |payout: Payout| {
        let own = transactions.iter().find(|tx| tx.intent_id == payout.id);
        PayoutWithTransaction {
            transaction: own.cloned(),
            payout,
        }
    };
    Ok(payouts.into_iter().map(add).collect())
}

/// Whether it can still land, or has landed well.
fn is_live(tx: &ChainTransaction) -> bool {
    let without_effect = tx.state == TxState::Final && tx.outcome == Some(Outcome::Failed);
    tx.state != TxState::Dead && !without_effect
}
