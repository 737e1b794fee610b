//! Supplier wallets, and the choice of one for an order.

mod health;
mod key;
mod promised;
mod reading;
mod standing;
mod stock;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

pub use health::Failures;
pub use promised::Promised;
pub use reading::{UnfreezingRow, WalletFigures};
pub use standing::Lending;
pub use stock::PoolFigures;

use super::WalletPurpose;
use super::list::{Span, narrow, narrow_to_any, page_by};
use crate::schema::supplier_wallets as w;
use crate::text_enum;
use crate::{Conn, Prepare as _};

text_enum! {
    /// Whether a wallet's key has been taken in.
    WalletState {
        /// A sealed key waits for a worker.
        Importing = "importing",
        /// Its key is at rest and its address known.
        Active = "active",
        /// Its key could not be used; `rejected_reason` says why.
        Rejected = "rejected",
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Identifiable)]
#[diesel(table_name = w, check_for_backend(diesel::pg::Pg))]
pub struct SupplierWallet {
    pub id: Uuid,
    pub address: Option<String>,
    pub label: Option<String>,
    pub state: WalletState,
    pub rejected_reason: Option<String>,
    pub enabled: bool,
    pub isolated_at: Option<DateTime<Utc>>,
    pub isolated_reason: Option<String>,
    pub failures: i32,
    pub permission_id: i32,
    pub last_timestamp_ms: i64,
    pub balance_sun: i64,
    pub staked_energy_sun: i64,
    pub staked_bandwidth_sun: i64,
    pub delegated_energy_sun: i64,
    pub delegatable_sun: i64,
    pub bandwidth_available: i64,
    pub synced_block: i64,
    pub synced_at: Option<DateTime<Utc>>,
    pub reserved_sun: i64,
    pub purpose: WalletPurpose,
    pub usdt_micro: i64,
    /// A list of [`UnfreezingRow`]s.
    pub unfreezing: serde_json::Value,
    /// When the first of `failures` was.
    pub first_failed_at: Option<DateTime<Utc>>,
    /// When an isolated wallet is tried again by itself; `None`: an operator has to release it.
    pub probation_at: Option<DateTime<Utc>>,
    /// How often it was, since the last success.
    pub probations: i32,
    /// The key's own address where it is another account's than the wallet's.
    pub key_address: Option<String>,
    /// Which of the wallet's keys it is: one more with each that is replaced.
    pub key_generation: i32,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug, Insertable)]
#[diesel(table_name = w)]
pub struct NewSupplierWallet<'a> {
    pub id: Uuid,
    /// The account whose key is not the one that is given; else it is known once the key is opened.
    pub address: Option<&'a str>,
    pub label: Option<&'a str>,
    pub state: WalletState,
    pub permission_id: i32,
    pub purpose: WalletPurpose,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// What a list of wallets is narrowed to.
#[derive(Debug, Clone, Default)]
pub struct WalletFilter {
    /// One of these; none of them: any.
    pub states: Vec<WalletState>,
    /// The same.
    pub purposes: Vec<WalletPurpose>,
    pub address: Option<String>,
    pub enabled: Option<bool>,
    pub isolated: Option<bool>,
    /// When it was taken in; without the end.
    pub created: Span<DateTime<Utc>>,
    /// By the last read, both ends included.
    pub balance_sun: Span<i64>,
    pub newest_first: bool,
}

impl NewSupplierWallet<'_> {
    pub async fn insert(&self, conn: &mut Conn) -> QueryResult<SupplierWallet> {
        diesel::insert_into(w::table)
            .values(self)
            .returning(SupplierWallet::as_returning())
            .get_result(conn)
            .await
    }
}

/// Wallets that fit, the best first: the rule of `domain::delegations::choice::best`, which gives the reasons, said in SQL
/// so that one row is locked instead of all being read. A test of claims holds the two to each other. A wallet short of
/// bandwidth still fits if it can burn a TRX for it. Whom it carries is asked once, and not of each wallet.
const FITTING: &str = "SELECT w.id FROM supplier_wallets w \
    WHERE w.purpose = 'supply' AND w.state = 'active' AND w.enabled AND w.isolated_at IS NULL AND w.address <> $2 \
      AND w.delegatable_sun - w.reserved_sun >= $1 \
      AND (w.bandwidth_available >= $3 OR w.balance_sun >= 1000000) \
    ORDER BY w.id IN (SELECT d.wallet_id FROM delegations d WHERE d.order_id = $4), \
             w.id IN (SELECT d.wallet_id FROM delegations d WHERE d.receiver = $2 \
                     AND d.state IN ('reserved', 'active', 'reclaiming')), \
             w.delegatable_sun - w.reserved_sun, w.id \
    LIMIT 1";

/// A wallet with so much sun can burn it for bandwidth that it lacks.
const TRX: i64 = 1_000_000;

#[derive(QueryableByName)]
struct WalletId {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
}

impl SupplierWallet {
    /// Whether it can burn coin for bandwidth that it lacks.
    #[must_use]
    pub const fn can_burn(&self) -> bool {
        self.balance_sun >= TRX
    }

    pub async fn find(conn: &mut Conn, id: Uuid) -> QueryResult<Option<Self>> {
        w::table.find(id).select(Self::as_select()).first(conn).await.optional()
    }

    pub async fn lock(conn: &mut Conn, id: Uuid) -> QueryResult<Option<Self>> {
        w::table
            .find(id)
            .select(Self::as_select())
            .for_update()
            .first(conn)
            .await
            .optional()
    }

    /// A page of the wallets behind `place` (a wallet's id) in the filter's direction, but for deposit addresses, which may be
    /// many.
    pub async fn page(
        conn: &mut Conn,
        filter: &WalletFilter,
        place: Option<Uuid>,
        limit: i64,
    ) -> QueryResult<Vec<Self>> {
        let mut query = w::table
            .filter(w::purpose.ne(WalletPurpose::Deposit))
            .select(Self::as_select())
            .limit(limit)
            .into_boxed();
        narrow!(query,
            filter.address.as_deref() => w::address, eq;
            filter.enabled => w::enabled, eq;
            filter.isolated => w::isolated_at.is_not_null(), eq;
            filter.created.from => w::created_at, ge;
            filter.created.to => w::created_at, lt;
            filter.balance_sun.from => w::balance_sun, ge;
            filter.balance_sun.to => w::balance_sun, le;
        );
        narrow_to_any!(query, filter.states.as_slice() => w::state);
        narrow_to_any!(query, filter.purposes.as_slice() => w::purpose);
        page_by!(query, w::id, place, !filter.newest_first);
        query.load(conn).await
    }

    /// Ids of every wallet whose key is in; deposit addresses are read only when they are collected.
    pub async fn active_ids(conn: &mut Conn) -> QueryResult<Vec<Uuid>> {
        w::table
            .filter(w::purpose.ne(WalletPurpose::Deposit))
            .filter(w::state.eq(WalletState::Active))
            .order(w::id)
            .select(w::id)
            .load(conn)
            .await
    }

    /// Whether an address is one of ours.
    pub async fn is_ours(conn: &mut Conn, address: &str) -> QueryResult<bool> {
        diesel::select(diesel::dsl::exists(w::table.filter(w::address.eq(address))))
            .get_result(conn)
            .await
    }

    /// Chooses and locks the best wallet. First among those that nobody holds; while others hold all that fit, waits for
    /// one: that a wallet is busy for a moment is no lack of energy. The wait re-checks the room it finds, and may come
    /// back with nothing although another wallet still fits, hence the rounds.
    pub async fn choose(
        conn: &mut Conn,
        (order, receiver): (Uuid, &str),
        amount_sun: i64,
        bandwidth: i64,
    ) -> QueryResult<Option<Self>> {
        const ROUNDS: usize = 5;
        for _ in 0..ROUNDS {
            for ending in [" FOR UPDATE OF w SKIP LOCKED", "", " FOR UPDATE OF w"] {
                let found = diesel::sql_query(format!("{FITTING}{ending}"))
                    .bind::<BigInt, _>(amount_sun)
                    .bind::<Text, _>(receiver)
                    .bind::<BigInt, _>(bandwidth)
                    .bind::<SqlUuid, _>(order)
                    .prepared()
                    .get_result::<WalletId>(conn)
                    .await
                    .optional()?;
                match found {
                    Some(_) if ending.is_empty() => {} // one fits, and somebody holds it
                    None if ending.is_empty() => return Ok(None),
                    Some(found) => return Self::find(conn, found.id).await,
                    None => {}
                }
            }
        }
        Ok(None)
    }

    /// Locks up to `limit` wallets that nobody holds and that fit at least `amount_sun`, those with the least room first:
    /// for several orders at once. None, or too little room, says nothing: others may hold the rest.
    pub async fn lock_free(conn: &mut Conn, amount_sun: i64, bandwidth: i64, limit: i64) -> QueryResult<Vec<Self>> {
        let room = || w::delegatable_sun - w::reserved_sun;
        w::table
            .filter(w::purpose.eq(WalletPurpose::Supply))
            .filter(
                w::state
                    .eq(WalletState::Active)
                    .and(w::enabled)
                    .and(w::isolated_at.is_null()),
            )
            .filter(room().ge(amount_sun))
            .filter(w::bandwidth_available.ge(bandwidth).or(w::balance_sun.ge(TRX)))
            .order((room(), w::id))
            .limit(limit)
            .select(Self::as_select())
            .for_update()
            .skip_locked()
            .load(conn)
            .await
    }

    /// Locks up to `limit` wallets that nobody holds and that have at least `amount_sun`, those with the most room first: for
    /// an order that none of them can carry alone.
    pub async fn lock_largest(conn: &mut Conn, amount_sun: i64, bandwidth: i64, limit: i64) -> QueryResult<Vec<Self>> {
        let locked: Vec<WalletId> = diesel::sql_query(
            "SELECT id FROM supplier_wallets \
             WHERE purpose = 'supply' AND state = 'active' AND enabled AND isolated_at IS NULL \
                AND delegatable_sun - reserved_sun >= $1 AND (bandwidth_available >= $2 OR balance_sun >= $3) \
             ORDER BY delegatable_sun - reserved_sun DESC, id DESC LIMIT $4 FOR UPDATE SKIP LOCKED",
        )
        .bind::<BigInt, _>(amount_sun)
        .bind::<BigInt, _>(bandwidth)
        .bind::<BigInt, _>(TRX)
        .bind::<BigInt, _>(limit)
        .load(conn)
        .await?;
        w::table
            .filter(w::id.eq_any(locked.iter().map(|row| row.id).collect::<Vec<_>>()))
            .select(Self::as_select())
            .load(conn)
            .await
    }

    /// Promises stake and bandwidth to delegations and notes the last timestamp they sign with. The caller holds the lock.
    pub async fn reserve(
        conn: &mut Conn,
        id: Uuid,
        amount_sun: i64,
        bandwidth: i64,
        timestamp_ms: i64,
        now: DateTime<Utc>,
    ) -> QueryResult<()> {
        let set = (
            w::reserved_sun.eq(w::reserved_sun + amount_sun),
            w::bandwidth_available.eq(w::bandwidth_available - bandwidth),
            w::last_timestamp_ms.eq(timestamp_ms),
            w::updated_at.eq(now),
        );
        diesel::update(w::table.find(id))
            .set(set)
            .prepared()
            .execute(conn)
            .await
            .map(drop)
    }

    /// Sets the reservation to a recounted figure. The caller holds the lock.
    pub async fn set_reserved(conn: &mut Conn, id: Uuid, reserved_sun: i64, now: DateTime<Utc>) -> QueryResult<()> {
        let set = (w::reserved_sun.eq(reserved_sun), w::updated_at.eq(now));
        diesel::update(w::table.find(id)).set(set).execute(conn).await.map(drop)
    }

    /// Locked in id order, so that two callers cannot deadlock.
    pub async fn lock_many(conn: &mut Conn, ids: &[Uuid]) -> QueryResult<Vec<Self>> {
        w::table
            .filter(w::id.eq_any(ids))
            .order(w::id)
            .select(Self::as_select())
            .for_update()
            .load(conn)
            .await
    }

    /// Notes the last timestamp that each signs with. The caller holds the locks.
    pub async fn set_timestamps(conn: &mut Conn, all: &[(Uuid, i64)]) -> QueryResult<()> {
        diesel::sql_query(
            "UPDATE supplier_wallets w SET last_timestamp_ms = a.timestamp_ms \
             FROM unnest($1, $2) AS a (id, timestamp_ms) WHERE w.id = a.id",
        )
        .bind::<Array<SqlUuid>, _>(all.iter().map(|(id, _)| *id).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(all.iter().map(|(_, timestamp)| *timestamp).collect::<Vec<_>>())
        .prepared()
        .execute(conn)
        .await
        .map(drop)
    }

    /// Notes the timestamp that a transaction signs with. The caller holds the lock.
    pub async fn set_timestamp(conn: &mut Conn, id: Uuid, timestamp_ms: i64) -> QueryResult<()> {
        diesel::update(w::table.find(id))
            .set(w::last_timestamp_ms.eq(timestamp_ms))
            .prepared()
            .execute(conn)
            .await
            .map(drop)
    }
}
