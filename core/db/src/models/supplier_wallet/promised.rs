//! What of a wallet's stake is promised: its reservation is the sum of it.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::SupplierWallet;
use crate::{Conn, Prepare as _};

const PROMISED: &str = "SELECT (coalesce((SELECT sum(d.amount_sun) FROM delegations d WHERE d.wallet_id = $1 \
        AND (d.state = 'reserved' OR (d.state IN ('active', 'reclaiming') AND d.block_number > $2))), 0) \
    + coalesce((SELECT sum(s.amount_sun) FROM stakings s WHERE s.wallet_id = $1 AND s.action = 'unstake' \
        AND s.resource = 'energy' AND (s.state = 'processing' OR s.block_number > $2)), 0))::bigint AS unseen_sun, \
    coalesce((SELECT sum(h.amount_sun) FROM stock_holds h WHERE h.wallet_id = $1), 0)::bigint AS held_sun";

/// Stake for energy that is not free, although a snapshot may show it as such.
#[derive(Debug, Clone, Copy, PartialEq, Eq, QueryableByName)]
pub struct Promised {
    /// Reserved or being unstaked, or gone in a block that the snapshot may not know.
    #[diesel(sql_type = BigInt)]
    pub unseen_sun: i64,
    /// Set aside for quotes.
    #[diesel(sql_type = BigInt)]
    pub held_sun: i64,
}

impl Promised {
    #[must_use]
    pub const fn sum(self) -> i64 {
        self.unseen_sun.saturating_add(self.held_sun)
    }
}

impl SupplierWallet {
    /// What a wallet has promised, beside a snapshot as of `block`. The caller holds its lock.
    pub async fn promised(conn: &mut Conn, id: Uuid, block: i64) -> QueryResult<Promised> {
        diesel::sql_query(PROMISED)
            .bind::<SqlUuid, _>(id)
            .bind::<BigInt, _>(block)
            .prepared()
            .get_result(conn)
            .await
    }
}
