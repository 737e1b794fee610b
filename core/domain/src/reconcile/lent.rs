//! What our wallets lend, receiver by receiver, by our books.

use db::Conn;
use diesel::sql_types::{Array, BigInt, Bool, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::DomainError;

/// What our books say that one wallet lends to one receiver.
#[derive(Debug, Clone, PartialEq, Eq, diesel::QueryableByName)]
pub struct LentByBooks {
    /// The wallet.
    #[diesel(sql_type = SqlUuid)]
    pub wallet: Uuid,
    /// The receiver, base58.
    #[diesel(sql_type = Text)]
    pub receiver: String,
    /// Staked sun of the delegations that are on chain.
    #[diesel(sql_type = BigInt)]
    pub lent_sun: i64,
    /// The last block that made or undid one of them.
    #[diesel(sql_type = BigInt)]
    pub last_block: i64,
    /// Whether a transaction that makes or undoes one may still land.
    #[diesel(sql_type = Bool)]
    pub in_motion: bool,
}

impl LentByBooks {
    /// Whether a read that surely holds all blocks up to `block` must agree with our books: nothing is on its way, and what
    /// there is was made, and what there was undone, up to that block.
    #[must_use]
    pub const fn is_settled_at(&self, block: i64) -> bool {
        !self.in_motion && self.last_block <= block
    }
}

/// Every receiver of these wallets with a live delegation, or with one that was undone after block `horizon`.
///
/// # Errors
/// When the database cannot be asked.
pub async fn lent_by_books(
    conn: &mut Conn,
    network: &str,
    wallets: &[Uuid],
    horizon: i64,
) -> Result<Vec<LentByBooks>, DomainError> {
    Ok(diesel::sql_query(
        "SELECT wallet_id AS wallet, receiver, \
             COALESCE(sum(amount_sun) FILTER (WHERE state IN ('active', 'reclaiming')), 0)::bigint AS lent_sun, \
             COALESCE(max(GREATEST(block_number, reclaim_block_number)), 0) AS last_block, \
             bool_or(state IN ('reserved', 'reclaiming')) AS in_motion \
         FROM delegations WHERE network = $1 AND wallet_id = ANY($2) \
             AND (state IN ('reserved', 'active', 'reclaiming') OR (state = 'reclaimed' AND reclaim_block_number > $3)) \
         GROUP BY wallet_id, receiver ORDER BY wallet_id, receiver",
    )
    .bind::<Text, _>(network)
    .bind::<Array<SqlUuid>, _>(wallets)
    .bind::<BigInt, _>(horizon)
    .load(conn)
    .await?)
}
