//! Chain transactions: stored signed, then moved by what nodes answer and by what blocks carry. Death is final and
//! proven: by expiry under a solidified block, or by refusal on the very first send.

use chain::{Broadcast, Refusal};
use chrono::{DateTime, Duration, Utc};
use db::models::{ChainTransaction, DeathCause, Finding, IntentKind, NewChainTransaction, TxState};
use db::{Conn, Pool, acquire, run_tx};
use jobs::Wake;
use kernel::{ChainTransactionId, IdGen, WalletId};
use serde_json::json;
use uuid::Uuid;

use crate::DomainError;
use crate::findings::{self, FindingKind};
use crate::intents::{self, Cause, DeathPolicy};

/// Bytes that are signed and not yet stored.
#[derive(Debug, Clone)]
pub struct Signed {
    /// 64 hex digits.
    pub txid: String,
    /// The whole signed transaction.
    pub raw: Vec<u8>,
    /// `raw_data.timestamp`, unique per wallet.
    pub timestamp_ms: i64,
    /// `raw_data.expiration`.
    pub expires_at: DateTime<Utc>,
}

/// What a transaction is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Intent {
    /// What is to be done.
    pub kind: IntentKind,
    /// The delegation or the payout.
    pub id: Uuid,
    /// Who signs.
    pub wallet: WalletId,
}

/// How often signed bytes are sent again while nobody has seen them in a block.
#[derive(Debug, Clone, Copy)]
pub struct ResendPolicy {
    /// After the first send; doubles with each further one.
    pub after: Duration,
    /// Never longer than this.
    pub at_most: Duration,
}

impl ResendPolicy {
    /// When a transaction that was sent `sends` times is looked at again.
    #[must_use]
    pub fn next(&self, sends: i32, now: DateTime<Utc>) -> DateTime<Utc> {
        let doublings = u32::try_from(sends.clamp(0, 16)).unwrap_or(16);
        let wait = self
            .after
            .checked_mul(1 << doublings)
            .map_or(self.at_most, |wait| wait.min(self.at_most));
        now + wait
    }
}

/// Bytes to be stored: their row's id, what they are for, and when they are looked at if nobody hears of them.
#[derive(Debug, Clone, Copy)]
pub struct ToStore<'a> {
    /// The row's id.
    pub id: ChainTransactionId,
    /// Where they go.
    pub network: &'a str,
    /// What they are for.
    pub intent: Intent,
    /// The bytes.
    pub signed: &'a Signed,
}

/// Stores signed bytes before anybody sends them. A second live transaction of the same intent is refused by the
/// database.
///
/// # Errors
/// When a row is refused: then nothing may be sent.
pub async fn store_in_tx(
    conn: &mut Conn,
    all: &[ToStore<'_>],
    (now, next_check_at): (DateTime<Utc>, DateTime<Utc>),
) -> Result<(), DomainError> {
    let rows: Vec<NewChainTransaction<'_>> = all
        .iter()
        .map(|new| NewChainTransaction {
            id: new.id.0,
            network: new.network,
            txid: new.signed.txid.clone(),
            intent_kind: new.intent.kind,
            intent_id: new.intent.id,
            wallet_id: new.intent.wallet.0,
            raw: &new.signed.raw,
            timestamp_ms: new.signed.timestamp_ms,
            expires_at: new.signed.expires_at,
            state: TxState::Signed,
            next_check_at,
            created_at: now,
            updated_at: now,
        })
        .collect();
    Ok(NewChainTransaction::insert_many(conn, &rows).await?)
}

/// One send and its answer.
#[derive(Debug, Clone)]
pub struct Sent<'a> {
    /// What was sent.
    pub transaction: ChainTransactionId,
    /// What the node said.
    pub answer: &'a Broadcast,
    /// Whether the process that signed these bytes sends them for its first time. It is the first of all only if nobody
    /// has taken the transaction for a resend meanwhile, which its state says.
    pub first_send: bool,
}

/// What became of a transaction after an answer was recorded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recorded {
    /// It can never land; its intent went back to work or ended.
    pub died: bool,
    /// To be pushed after the commit.
    pub wakes: Vec<Wake>,
}

/// Records a node's answer. Only a refusal on the very first send is a death, and not of every intent; anything else may
/// still land.
///
/// # Errors
/// When the database fails: the transaction is then sent again later, which is harmless.
pub async fn record_answer(
    pool: &Pool,
    ids: &dyn IdGen,
    sent: Sent<'_>,
    (resend, death): (ResendPolicy, &DeathPolicy),
    now: DateTime<Utc>,
) -> Result<Recorded, DomainError> {
    run_tx(pool, "record_broadcast", async |conn| {
        let Some(transaction) = ChainTransaction::lock(conn, sent.transaction.0).await? else {
            return Err(DomainError::NotFound("chain transaction"));
        };
        if !matches!(transaction.state, TxState::Signed | TxState::Sent) {
            return Ok(Recorded::default()); // a block was faster than the answer
        }
        let answer = (sent.answer.code(), sent.answer.message(), finds_at_fault(sent.answer));
        let next = resend.next(transaction.sends, now);
        ChainTransaction::record_send(conn, transaction.id, answer, now, next).await?;
        match sent.answer {
            Broadcast::Refused { refusal, .. }
                if sent.first_send
                    && transaction.state == TxState::Signed
                    && intents::dies_of_refusal(transaction.intent_kind) =>
            {
                let cause = DeathCause::RefusedOnFirstSend;
                // as it is now, with this answer
                let Some(transaction) = ChainTransaction::lock(conn, transaction.id).await? else {
                    return Err(DomainError::NotFound("chain transaction"));
                };
                let wakes = bury_in_tx(conn, ids, &transaction, (cause, Some(*refusal)), death, now).await?;
                Ok(Recorded { died: true, wakes })
            }
            _ => Ok(Recorded::default()),
        }
    })
    .await
}

/// Whether this answer says that the transaction itself is at fault. That it is too late says nothing of what it was before.
const fn finds_at_fault(answer: &Broadcast) -> Option<bool> {
    match answer {
        Broadcast::Accepted | Broadcast::AlreadyKnown { .. } => Some(false),
        Broadcast::Refused {
            refusal: Refusal::BadReference,
            ..
        }
        | Broadcast::Retry { .. }
        | Broadcast::Unknown { .. } => None,
        Broadcast::Refused { .. } => Some(true),
    }
}

/// Records several first sends that a node took at once, each with the time of its next look. Answers those that still
/// waited for an answer; the others were seen in a block or taken for a resend meanwhile, or are so at this moment, and
/// the answer says nothing new of them.
///
/// # Errors
/// When the database fails: the transactions are then sent again later, which is harmless.
pub async fn record_accepted(
    pool: &Pool,
    accepted: &[(ChainTransactionId, DateTime<Utc>)],
    now: DateTime<Utc>,
) -> Result<Vec<ChainTransactionId>, DomainError> {
    let ids: Vec<Uuid> = accepted.iter().map(|(id, _)| id.0).collect();
    let next: Vec<DateTime<Utc>> = accepted.iter().map(|(_, next)| *next).collect();
    let mut conn = acquire(pool).await?;
    let code = Broadcast::Accepted.code();
    let moved = ChainTransaction::record_accepted(&mut conn, (&ids, &next), code, now).await?;
    Ok(moved.into_iter().map(ChainTransactionId).collect())
}

/// Buries a transaction whose death is proven, and sends its intent back to work or ends it. The caller holds its row.
///
/// # Errors
/// When it was not waiting to land, or the database fails.
pub async fn bury_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    transaction: &ChainTransaction,
    (cause, refusal): (DeathCause, Option<Refusal>),
    policy: &DeathPolicy,
    now: DateTime<Utc>,
) -> Result<Vec<Wake>, DomainError> {
    let moved = ChainTransaction::set_dead(conn, transaction.id, cause, now).await?;
    crate::orders::guarded(moved, "chain transaction", transaction.id)?;
    metrics::counter!("switchyard_chain_transactions_dead_total",
        "intent" => transaction.intent_kind.word(), "cause" => cause.word())
    .increment(1);
    tracing::warn!(txid = transaction.txid, intent = %transaction.intent_kind, cause = %cause, "transaction is dead");
    let cause = Cause {
        word: cause.word(),
        refusal,
    };
    intents::after_death_in_tx(conn, ids, transaction, cause, policy, now).await
}

/// A node says that a solidified block carries this transaction, and we read that block without it: an operator has to look.
/// Nothing is said of one that a block brought meanwhile.
///
/// # Errors
/// When the database fails.
pub async fn missed(
    pool: &Pool,
    ids: &dyn IdGen,
    id: ChainTransactionId,
    block: i64,
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    run_tx(pool, "record_missed_transaction", async |conn| {
        let transaction = ChainTransaction::lock(conn, id.0).await?;
        let transaction = transaction.ok_or(DomainError::NotFound("chain transaction"))?;
        if !matches!(transaction.state, TxState::Signed | TxState::Sent) {
            return Ok(());
        }
        let subject = format!("transaction:{}", transaction.txid);
        let detail = json!({ "block": block, "note": "a node has it, the blocks we read have not" });
        findings::record_in_tx(conn, ids, FindingKind::TransactionMissed, &subject, detail, now).await
    })
    .await
}

/// Buries one transaction if the blocks we read prove that it can never land: a solidified block at or past its expiry
/// is applied, and no block up to it carries the id (else its state would say so).
///
/// # Errors
/// When the database fails.
pub async fn bury_if_expired(
    pool: &Pool,
    ids: &dyn IdGen,
    id: ChainTransactionId,
    policy: &DeathPolicy,
    now: DateTime<Utc>,
) -> Result<Recorded, DomainError> {
    run_tx(pool, "bury_expired", async |conn| {
        let Some(transaction) = ChainTransaction::lock(conn, id.0).await? else {
            return Err(DomainError::NotFound("chain transaction"));
        };
        let solid = db::models::ChainCursor::find(conn, &transaction.network).await?;
        let proven =
            solid.is_some_and(|cursor| cursor.halted_at.is_none() && cursor.solid_time >= transaction.expires_at);
        if !proven || !matches!(transaction.state, TxState::Signed | TxState::Sent) {
            return Ok(Recorded::default());
        }
        // a node knew of it once: that others do not is no proof any more, until an operator says that this one was wrong
        let subject = format!("transaction:{}", transaction.txid);
        if Finding::stands(conn, FindingKind::TransactionMissed.word(), &subject).await? {
            return Ok(Recorded::default());
        }
        let wakes = bury_in_tx(conn, ids, &transaction, (DeathCause::Expired, None), policy, now).await?;
        Ok(Recorded { died: true, wakes })
    })
    .await
}
