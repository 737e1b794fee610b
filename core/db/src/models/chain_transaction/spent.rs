//! What a wallet's transactions cost since it was read.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::ChainTransaction;
use crate::{Conn, Prepare as _};

/// What a wallet's own transactions may have taken from it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, QueryableByName)]
pub struct Spent {
    /// Fees of those that landed, in sun.
    #[diesel(sql_type = BigInt)]
    pub fees_sun: i64,
    /// How many may have landed in blocks that we have not applied.
    #[diesel(sql_type = BigInt)]
    pub in_flight: i64,
}

impl ChainTransaction {
    /// What a wallet's transactions took in blocks above `block`, or may be taking.
    pub async fn spent_above(conn: &mut Conn, network: &str, wallet: Uuid, block: i64) -> QueryResult<Spent> {
        diesel::sql_query(
            "SELECT COALESCE(sum(fee_sun) FILTER (WHERE state IN ('included', 'final')), 0)::bigint AS fees_sun, \
                count(*) FILTER (WHERE state IN ('signed', 'sent')) AS in_flight \
             FROM chain_transactions \
             WHERE wallet_id = $1 AND network = $2 AND (block_number > $3 OR block_number IS NULL)",
        )
        .bind::<SqlUuid, _>(wallet)
        .bind::<Text, _>(network)
        .bind::<BigInt, _>(block)
        .prepared()
        .get_result(conn)
        .await
    }
}
