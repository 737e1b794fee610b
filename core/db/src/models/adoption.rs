//! A transaction that was held for dead and is in a block: back among those that count.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::{ChainTransaction, DeathCause, Inclusion, TxState};
use crate::Conn;
use crate::schema::chain_transactions as ct;

impl ChainTransaction {
    pub async fn lock_by_txid(conn: &mut Conn, txid: &str) -> QueryResult<Option<Self>> {
        ct::table
            .filter(ct::txid.eq(txid))
            .select(Self::as_select())
            .for_update()
            .first(conn)
            .await
            .optional()
    }

    /// Guarded: from `dead` to `final`, when a solidified block turned out to carry it.
    pub async fn set_adopted(conn: &mut Conn, landed: &Inclusion<'_>, now: DateTime<Utc>) -> QueryResult<bool> {
        let row = ct::table.filter(ct::id.eq(landed.id).and(ct::state.eq(TxState::Dead)));
        let set = (
            ct::state.eq(TxState::Final),
            ct::outcome.eq(landed.outcome),
            ct::death_cause.eq(None::<DeathCause>),
            ct::block_number.eq(landed.block_number),
            ct::block_id.eq(landed.block_id),
            ct::block_time.eq(landed.block_time),
            ct::fee_sun.eq(landed.fee_sun),
            ct::energy_used.eq(landed.energy_used),
            ct::bandwidth_used.eq(landed.bandwidth_used),
            ct::updated_at.eq(now),
        );
        Ok(diesel::update(row).set(set).execute(conn).await? == 1)
    }
}
