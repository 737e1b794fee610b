//! Signed transactions, written before they are sent.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Binary, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::{IntentKind, TxState};
use crate::{Conn, Prepare as _};

#[derive(Debug)]
pub struct NewChainTransaction<'a> {
    pub id: Uuid,
    pub network: &'a str,
    pub txid: String,
    pub intent_kind: IntentKind,
    pub intent_id: Uuid,
    pub wallet_id: Uuid,
    pub raw: &'a [u8],
    pub timestamp_ms: i64,
    pub expires_at: DateTime<Utc>,
    pub state: TxState,
    pub next_check_at: DateTime<Utc>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl NewChainTransaction<'_> {
    /// One text for any number of them.
    pub async fn insert_many(conn: &mut Conn, rows: &[Self]) -> QueryResult<()> {
        diesel::sql_query(
            "INSERT INTO chain_transactions (id, network, txid, intent_kind, intent_id, wallet_id, raw, timestamp_ms, \
                expires_at, state, next_check_at, created_at, updated_at) \
             SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        )
        .bind::<Array<SqlUuid>, _>(rows.iter().map(|row| row.id).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(rows.iter().map(|row| row.network).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(rows.iter().map(|row| row.txid.as_str()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(rows.iter().map(|row| row.intent_kind).collect::<Vec<_>>())
        .bind::<Array<SqlUuid>, _>(rows.iter().map(|row| row.intent_id).collect::<Vec<_>>())
        .bind::<Array<SqlUuid>, _>(rows.iter().map(|row| row.wallet_id).collect::<Vec<_>>())
        .bind::<Array<Binary>, _>(rows.iter().map(|row| row.raw).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(rows.iter().map(|row| row.timestamp_ms).collect::<Vec<_>>())
        .bind::<Array<Timestamptz>, _>(rows.iter().map(|row| row.expires_at).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(rows.iter().map(|row| row.state).collect::<Vec<_>>())
        .bind::<Array<Timestamptz>, _>(rows.iter().map(|row| row.next_check_at).collect::<Vec<_>>())
        .bind::<Array<Timestamptz>, _>(rows.iter().map(|row| row.created_at).collect::<Vec<_>>())
        .bind::<Array<Timestamptz>, _>(rows.iter().map(|row| row.updated_at).collect::<Vec<_>>())
        .prepared()
        .execute(conn)
        .await
        .map(drop)
    }
}
