//! The wallets that payouts leave from and that deposits are collected to, and the choice of one.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::{SupplierWallet, WalletState};
use crate::Conn;
use crate::schema::supplier_wallets as w;
use crate::text_enum;

text_enum! {
    /// What a wallet is for. It never changes.
    WalletPurpose {
        /// Its energy is lent to customers.
        Supply = "supply",
        /// Payouts leave from it.
        Treasury = "treasury",
        /// It is a deposit address, and is collected from.
        Deposit = "deposit",
    }
}

/// What a treasury wallet must have for a payout.
#[derive(Debug, Clone, Copy)]
pub struct TreasuryWish<'a> {
    pub network: &'a str,
    /// Who is to be paid: never the wallet itself.
    pub to: &'a str,
    /// Coin that must be left over: the amount and a reserve, or the fee of a call.
    pub sun: i64,
    /// Tokens that must be left over.
    pub usdt_micro: i64,
    /// What each token payout on its way may burn.
    pub token_fee_limit_sun: i64,
}

#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
}

/// What the chain takes from who sends the coin that makes an account: for the account, and for the bandwidth.
pub const ACTIVATION_FEE_SUN: i64 = 1_100_000;

/// Treasury wallets with what the last read said of them, less everything that left and that this read may not show: on its
/// way, or in a block above the read's. That is payouts, and coin for new accounts with its fees. The smallest sufficient balance first. A payout that failed in its block counts, too,
/// until the next read.
const FITTING: &str = "SELECT f.id FROM ( \
        SELECT w.id, w.balance_sun - coalesce(o.sun, 0) - coalesce(n.sun, 0) AS sun, w.usdt_micro - coalesce(o.usdt, 0) AS usdt \
        FROM supplier_wallets w LEFT JOIN LATERAL ( \
            SELECT sum(CASE p.asset WHEN 'TRX' THEN p.amount ELSE $5 END)::bigint AS sun, \
                sum(CASE p.asset WHEN 'USDT' THEN p.amount ELSE 0 END)::bigint AS usdt \
            FROM chain_transactions t JOIN payouts p ON p.id = t.intent_id \
            WHERE t.intent_kind = 'payout' AND t.wallet_id = w.id AND t.network = $1 \
                AND (t.block_number > w.synced_block OR (t.block_number IS NULL AND t.state IN ('signed', 'sent')))) o ON true \
        LEFT JOIN LATERAL ( \
            SELECT sum(s.activation_sun + $7)::bigint AS sun \
            FROM chain_transactions t JOIN sweeps s ON s.id = t.intent_id \
            WHERE t.intent_kind = 'activate' AND t.wallet_id = w.id AND t.network = $1 \
                AND (t.block_number > w.synced_block OR (t.block_number IS NULL AND t.state IN ('signed', 'sent')))) n ON true \
        WHERE w.purpose = 'treasury' AND w.state = 'active' AND w.enabled AND w.isolated_at IS NULL \
            AND w.address <> $2 AND ($6 IS NULL OR w.id = $6)) f \
    WHERE f.sun >= $3 AND f.usdt >= $4 ORDER BY CASE WHEN $4 > 0 THEN f.usdt ELSE f.sun END, f.id LIMIT 1";

impl TreasuryWish<'_> {
    /// The best treasury wallet that has so much, of all or of one. What it read may be old by the time it is answered:
    /// whoever decides by it holds [`lock_treasury`] and asks again once the wallet is locked.
    pub async fn find(&self, conn: &mut Conn, only: Option<Uuid>) -> QueryResult<Option<Uuid>> {
        let found = diesel::sql_query(FITTING)
            .bind::<Text, _>(self.network)
            .bind::<Text, _>(self.to)
            .bind::<BigInt, _>(self.sun)
            .bind::<BigInt, _>(self.usdt_micro)
            .bind::<BigInt, _>(self.token_fee_limit_sun)
            .bind::<Nullable<SqlUuid>, _>(only)
            .bind::<BigInt, _>(ACTIVATION_FEE_SUN)
            .get_result::<Id>(conn)
            .await
            .optional()?;
        Ok(found.map(|found| found.id))
    }
}

/// Until the transaction ends nobody else chooses a treasury wallet: what is on its way from each is then all in sight.
pub async fn lock_treasury(conn: &mut Conn) -> QueryResult<()> {
    diesel::sql_query("SELECT pg_advisory_xact_lock(hashtext('payouts.treasury'))")
        .execute(conn)
        .await
        .map(drop)
}

/// The treasury wallet that what is collected goes to: the one at this address, or else the one that has the least of the
/// asset. It is in use, and was found to exist by the last read: a transfer to an account that does not costs more.
pub async fn receiving_treasury(
    conn: &mut Conn,
    address: Option<&str>,
    of_token: bool,
) -> QueryResult<Option<SupplierWallet>> {
    let has = if of_token { "usdt_micro, id" } else { "balance_sun, id" };
    let mut query = w::table
        .filter(w::purpose.eq(WalletPurpose::Treasury))
        .filter(
            w::state
                .eq(WalletState::Active)
                .and(w::enabled)
                .and(w::isolated_at.is_null()),
        )
        .filter(w::synced_at.is_not_null().and(w::balance_sun.gt(0)))
        .order(diesel::dsl::sql::<diesel::sql_types::Integer>(has))
        .select(SupplierWallet::as_select())
        .into_boxed();
    if let Some(address) = address {
        query = query.filter(w::address.eq(address));
    }
    query.first(conn).await.optional()
}

/// Ids of the wallets that payouts may leave from.
pub async fn treasury_ids(conn: &mut Conn) -> QueryResult<Vec<Uuid>> {
    w::table
        .filter(w::purpose.eq(WalletPurpose::Treasury))
        .filter(w::state.eq(WalletState::Active).and(w::enabled))
        .order(w::id)
        .select(w::id)
        .load(conn)
        .await
}
