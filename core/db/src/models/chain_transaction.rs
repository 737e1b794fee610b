//! Signed transactions and their way through the chain.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::schema::chain_transactions as ct;
use crate::text_enum;

mod insert;
mod spent;

use crate::{Conn, Prepare as _};
pub use insert::NewChainTransaction;
pub use spent::Spent;

text_enum! {
    /// Where a signed transaction stands.
    TxState {
        /// Stored; perhaps never sent.
        Signed = "signed",
        /// Sent at least once.
        Sent = "sent",
        /// In a block that may still be reverted.
        Included = "included",
        /// In a solidified block.
        Final = "final",
        /// It can never land.
        Dead = "dead",
    }
}
text_enum! {
    /// What a transaction is for.
    IntentKind {
        /// Make a delegation.
        Delegate = "delegate",
        /// Undo one.
        Reclaim = "reclaim",
        /// Pay a user's money to an address.
        Payout = "payout",
        /// Collect what lies at a deposit address.
        Sweep = "sweep",
        /// Send coin to a deposit address, so that it exists.
        Activate = "activate",
        /// Stake coin of a supplier's wallet, or undo that.
        Stake = "stake",
    }
}
text_enum! {
    /// How an included transaction ended.
    Outcome { Ok = "ok", Failed = "failed" }
}
text_enum! {
    /// How we know that a transaction can never land.
    DeathCause {
        /// A solidified block later than its expiry was read, and no block up to it carries it.
        Expired = "expired",
        /// A node refused it on its very first send, so no pool holds it.
        RefusedOnFirstSend = "refused_on_first_send",
    }
}

#[derive(Debug, Clone, Queryable, Selectable, Identifiable)]
#[diesel(table_name = ct, check_for_backend(diesel::pg::Pg))]
pub struct ChainTransaction {
    pub id: Uuid,
    pub network: String,
    pub txid: String,
    pub intent_kind: IntentKind,
    pub intent_id: Uuid,
    pub wallet_id: Uuid,
    pub raw: Vec<u8>,
    pub timestamp_ms: i64,
    pub expires_at: DateTime<Utc>,
    pub state: TxState,
    pub outcome: Option<Outcome>,
    pub block_number: Option<i64>,
    pub block_id: Option<String>,
    pub block_time: Option<DateTime<Utc>>,
    pub fee_sun: Option<i64>,
    pub sends: i32,
    pub last_sent_at: Option<DateTime<Utc>>,
    pub last_code: Option<String>,
    pub last_message: Option<String>,
    pub death_cause: Option<DeathCause>,
    pub next_check_at: DateTime<Utc>,
    pub created_at: DateTime<Utc>,
    /// The last answer said that it is at fault itself.
    pub refused: bool,
}

/// Where and how a transaction landed.
#[derive(Debug, Clone)]
pub struct Inclusion<'a> {
    pub id: Uuid,
    pub block_number: i64,
    pub block_id: &'a str,
    pub block_time: DateTime<Utc>,
    pub outcome: Outcome,
    pub fee_sun: i64,
    pub energy_used: i64,
    pub bandwidth_used: i64,
}

#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
}

impl ChainTransaction {
    pub async fn lock(conn: &mut Conn, id: Uuid) -> QueryResult<Option<Self>> {
        ct::table
            .find(id)
            .select(Self::as_select())
            .for_update()
            .first(conn)
            .await
            .optional()
    }

    /// The one transaction of an intent that can still land or has landed well.
    pub async fn live_of(conn: &mut Conn, kind: IntentKind, intent: Uuid) -> QueryResult<Option<Self>> {
        ct::table
            .filter(ct::intent_kind.eq(kind).and(ct::intent_id.eq(intent)))
            .filter(diesel::dsl::not(
                ct::state.eq(TxState::Dead).or(ct::state
                    .eq(TxState::Final)
                    .and(ct::outcome.eq(Outcome::Failed).assume_not_null())),
            ))
            .select(Self::as_select())
            .first(conn)
            .await
            .optional()
    }

    /// Those of these intents whose transaction did what it says, in a block that can no longer be reverted.
    pub async fn final_of(conn: &mut Conn, kind: IntentKind, intents: &[Uuid]) -> QueryResult<Vec<Uuid>> {
        ct::table
            .filter(ct::intent_kind.eq(kind).and(ct::intent_id.eq_any(intents)))
            .filter(ct::state.eq(TxState::Final).and(ct::outcome.eq(Outcome::Ok)))
            .select(ct::intent_id)
            .load(conn)
            .await
    }

    /// Every transaction made for these intents, oldest first.
    pub async fn of_intents(conn: &mut Conn, intents: &[Uuid]) -> QueryResult<Vec<Self>> {
        ct::table
            .filter(ct::intent_id.eq_any(intents))
            .order(ct::created_at)
            .select(Self::as_select())
            .load(conn)
            .await
    }

    /// Ours among the txids of a block, locked in id order.
    pub async fn lock_by_txids(conn: &mut Conn, network: &str, txids: &[String]) -> QueryResult<Vec<Self>> {
        ct::table
            .filter(ct::network.eq(network).and(ct::txid.eq_any(txids)))
            .order(ct::id)
            .select(Self::as_select())
            .for_update()
            .load(conn)
            .await
    }

    /// Included in blocks above `number`: what a fork takes back. Locked in id order.
    pub async fn lock_included_above(conn: &mut Conn, network: &str, number: i64) -> QueryResult<Vec<Self>> {
        ct::table
            .filter(ct::network.eq(network).and(ct::state.eq(TxState::Included)))
            .filter(ct::block_number.gt(number).assume_not_null())
            .order(ct::id)
            .select(Self::as_select())
            .for_update()
            .load(conn)
            .await
    }

    /// Included in blocks up to `number` and not yet final, locked in id order, at most `limit`.
    pub async fn lock_to_finalise(conn: &mut Conn, network: &str, number: i64, limit: i64) -> QueryResult<Vec<Self>> {
        ct::table
            .filter(ct::network.eq(network).and(ct::state.eq(TxState::Included)))
            .filter(ct::block_number.le(number).assume_not_null())
            .order(ct::id)
            .limit(limit)
            .select(Self::as_select())
            .for_update()
            .skip_locked()
            .load(conn)
            .await
    }

    /// Whether anything included up to `number` is not final yet. The first in an index's order is asked for, not whether there is
    /// one: that has the table read from its beginning, where it seems to hold many.
    pub async fn any_to_finalise(conn: &mut Conn, network: &str, number: i64) -> QueryResult<bool> {
        let rows = ct::table
            .filter(ct::network.eq(network).and(ct::state.eq(TxState::Included)))
            .filter(ct::block_number.le(number).assume_not_null());
        let first = rows.order(ct::block_number).select(ct::id).first::<Uuid>(conn).await;
        Ok(first.optional()?.is_some())
    }

    /// Whether anything is due to be sent again or looked at; asked in the same way.
    pub async fn any_to_check(conn: &mut Conn, network: &str, now: DateTime<Utc>) -> QueryResult<bool> {
        let rows = ct::table
            .filter(
                ct::network
                    .eq(network)
                    .and(ct::state.eq_any([TxState::Signed, TxState::Sent])),
            )
            .filter(ct::next_check_at.le(now));
        let first = rows.order(ct::next_check_at).select(ct::id).first::<Uuid>(conn).await;
        Ok(first.optional()?.is_some())
    }

    /// Claims transactions that are due to be sent again or looked at, by moving their next check to `next`. They count
    /// as sent from here on: whoever signed them and is late must not take its own send for the first. Must run inside a
    /// transaction, whose locks keep the watcher from moving a row between the look and the mark.
    pub async fn claim_to_check(
        conn: &mut Conn,
        network: &str,
        now: DateTime<Utc>,
        next: DateTime<Utc>,
        limit: i64,
    ) -> QueryResult<Vec<Self>> {
        let due: Vec<Uuid> = ct::table
            .filter(
                ct::network
                    .eq(network)
                    .and(ct::state.eq_any([TxState::Signed, TxState::Sent])),
            )
            .filter(ct::next_check_at.le(now))
            .order(ct::next_check_at)
            .limit(limit)
            .select(ct::id)
            .for_update()
            .skip_locked()
            .load(conn)
            .await?;
        diesel::update(ct::table.filter(ct::id.eq_any(due)))
            .set((ct::next_check_at.eq(next), ct::state.eq(TxState::Sent)))
            .returning(Self::as_select())
            .get_results(conn)
            .await
    }

    /// Makes every unseen transaction due at once, as when the solidified head passed expiries.
    pub async fn wake_expired(
        conn: &mut Conn,
        network: &str,
        solid_time: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> QueryResult<usize> {
        let expired = ct::table
            .filter(
                ct::network
                    .eq(network)
                    .and(ct::state.eq_any([TxState::Signed, TxState::Sent])),
            )
            .filter(ct::expires_at.le(solid_time).and(ct::next_check_at.gt(now)));
        diesel::update(expired)
            .set(ct::next_check_at.eq(now))
            .execute(conn)
            .await
    }

    /// Stores a node's answer to a send, and whether it finds the transaction at fault, where it says anything of that. Once
    /// included, the answer no longer matters.
    pub async fn record_send(
        conn: &mut Conn,
        id: Uuid,
        (code, message, refused): (&str, &str, Option<bool>),
        now: DateTime<Utc>,
        next_check_at: DateTime<Utc>,
    ) -> QueryResult<bool> {
        let row = ct::table.filter(ct::id.eq(id).and(ct::state.eq_any([TxState::Signed, TxState::Sent])));
        let rows = diesel::update(row)
            .set((
                ct::state.eq(TxState::Sent),
                ct::sends.eq(ct::sends + 1),
                ct::last_sent_at.eq(now),
                ct::last_code.eq(code.chars().take(100).collect::<String>()),
                ct::last_message.eq(message.chars().take(1000).collect::<String>()),
                refused.map(|refused| ct::refused.eq(refused)),
                ct::next_check_at.eq(next_check_at),
                ct::updated_at.eq(now),
            ))
            .prepared()
            .execute(conn)
            .await?;
        Ok(rows == 1)
    }

    /// Guarded: a node took these at their first send, from `signed` to `sent`; each is looked at again at its time.
    /// Answers those that moved; rows that somebody holds are moving anyway. What is lost with PostgreSQL's machine is sent once more, so nothing waits for the disk.
    pub async fn record_accepted(
        conn: &mut Conn,
        (ids, next_check_at): (&[Uuid], &[DateTime<Utc>]),
        code: &str,
        now: DateTime<Utc>,
    ) -> QueryResult<Vec<Uuid>> {
        let moved: Vec<Id> = diesel::sql_query(
            "WITH signed AS (SELECT id FROM chain_transactions WHERE id = ANY($1) AND state = 'signed' \
                ORDER BY id FOR UPDATE SKIP LOCKED) \
             UPDATE chain_transactions t SET state = 'sent', sends = t.sends + 1, last_sent_at = $4, last_code = $3, \
                last_message = '', next_check_at = a.next, updated_at = $4 \
             FROM unnest($1, $2) AS a (id, next), signed \
             WHERE t.id = a.id AND t.id = signed.id AND set_config('synchronous_commit', 'off', true) = 'off' \
             RETURNING t.id",
        )
        .bind::<Array<SqlUuid>, _>(ids)
        .bind::<Array<Timestamptz>, _>(next_check_at)
        .bind::<Text, _>(code)
        .bind::<Timestamptz, _>(now)
        .prepared()
        .load(conn)
        .await?;
        Ok(moved.into_iter().map(|row| row.id).collect())
    }

    /// Guarded: from `signed` or `sent` to `dead`.
    pub async fn set_dead(conn: &mut Conn, id: Uuid, cause: DeathCause, now: DateTime<Utc>) -> QueryResult<bool> {
        let row = ct::table.filter(ct::id.eq(id).and(ct::state.eq_any([TxState::Signed, TxState::Sent])));
        let set = (
            ct::state.eq(TxState::Dead),
            ct::death_cause.eq(cause),
            ct::updated_at.eq(now),
        );
        Ok(diesel::update(row).set(set).execute(conn).await? == 1)
    }

    /// Guarded: from `signed` or `sent` to `included`. Answers how many moved.
    pub async fn set_included(conn: &mut Conn, all: &[Inclusion<'_>], now: DateTime<Utc>) -> QueryResult<usize> {
        if all.is_empty() {
            return Ok(0);
        }
        diesel::sql_query(
            "UPDATE chain_transactions t SET state = 'included', outcome = i.outcome, block_number = i.block_number, \
                block_id = i.block_id, block_time = i.block_time, fee_sun = i.fee_sun, energy_used = i.energy_used, \
                bandwidth_used = i.bandwidth_used, updated_at = $9 \
             FROM unnest($1, $2, $3, $4, $5, $6, $7, $8) AS i \
                (id, block_number, block_id, block_time, outcome, fee_sun, energy_used, bandwidth_used) \
             WHERE t.id = i.id AND t.state IN ('signed', 'sent')",
        )
        .bind::<Array<SqlUuid>, _>(all.iter().map(|row| row.id).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(all.iter().map(|row| row.block_number).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(all.iter().map(|row| row.block_id).collect::<Vec<_>>())
        .bind::<Array<Timestamptz>, _>(all.iter().map(|row| row.block_time).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(all.iter().map(|row| row.outcome.word()).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(all.iter().map(|row| row.fee_sun).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(all.iter().map(|row| row.energy_used).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(all.iter().map(|row| row.bandwidth_used).collect::<Vec<_>>())
        .bind::<Timestamptz, _>(now)
        .prepared()
        .execute(conn)
        .await
    }

    /// Guarded: from `included` back to `sent`, when its block was reverted. It may land again.
    pub async fn set_reverted(conn: &mut Conn, id: Uuid, now: DateTime<Utc>) -> QueryResult<bool> {
        let row = ct::table.filter(ct::id.eq(id).and(ct::state.eq(TxState::Included)));
        let set = (
            ct::state.eq(TxState::Sent),
            ct::outcome.eq(None::<Outcome>),
            ct::block_number.eq(None::<i64>),
            ct::block_id.eq(None::<String>),
            ct::block_time.eq(None::<DateTime<Utc>>),
            ct::fee_sun.eq(None::<i64>),
            ct::energy_used.eq(None::<i64>),
            ct::bandwidth_used.eq(None::<i64>),
            ct::next_check_at.eq(now),
            ct::updated_at.eq(now),
        );
        Ok(diesel::update(row).set(set).execute(conn).await? == 1)
    }

    /// Guarded: from `included` to `final`.
    pub async fn set_final(conn: &mut Conn, ids: &[Uuid], now: DateTime<Utc>) -> QueryResult<usize> {
        let rows = ct::table.filter(ct::id.eq_any(ids).and(ct::state.eq(TxState::Included)));
        diesel::update(rows)
            .set((ct::state.eq(TxState::Final), ct::updated_at.eq(now)))
            .prepared()
            .execute(conn)
            .await
    }
}
