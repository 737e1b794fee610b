//! Deposits that customers announced.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::list::{Span, narrow, narrow_to_any, page_by};
use crate::Conn;
use crate::schema::deposits as d;
use crate::text_enum;

text_enum! {
    /// How the payer is told from others.
    DepositWay {
        /// By the address, which is the user's own.
        Address = "address",
        /// By the amount, which nobody else is asked for on that address.
        Amount = "amount",
    }
}
text_enum! {
    /// What came of a deposit.
    DepositState {
        /// Nothing came yet.
        Open = "open",
        /// Less came than was announced.
        Partial = "partial",
        /// All of it came, or more.
        Paid = "paid",
        /// Not all of it came in time. What comes late is credited all the same.
        Expired = "expired",
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = d, check_for_backend(diesel::pg::Pg))]
pub struct Deposit {
    pub id: Uuid,
    pub user_id: i64,
    pub api_key_id: Uuid,
    pub network: String,
    pub asset: String,
    pub way: DepositWay,
    pub address_id: Uuid,
    pub amount: Option<i64>,
    pub code: String,
    pub state: DepositState,
    pub received: i64,
    pub expires_at: DateTime<Utc>,
    pub amount_held_until: DateTime<Utc>,
    pub amount_released_at: Option<DateTime<Utc>>,
    pub paid_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// What a transfer does to its deposit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    pub id: Uuid,
    pub before: (DepositState, i64),
    pub after: (DepositState, i64),
    /// When the last of it came.
    pub paid_at: Option<DateTime<Utc>>,
}

/// What a list of deposits is narrowed to.
#[derive(Debug, Clone, Default)]
pub struct DepositFilter {
    pub user_id: Option<i64>,
    /// One of these; none of them: any.
    pub states: Vec<DepositState>,
    pub asset: Option<&'static str>,
    pub way: Option<DepositWay>,
    /// Where it is to be paid.
    pub address: Option<String>,
    /// Of a transaction that paid something of it.
    pub txid: Option<String>,
    /// When it was announced; without the end.
    pub created: Span<DateTime<Utc>>,
    /// What was announced, in the smallest unit, both ends included.
    pub amount: Span<i64>,
    pub oldest_first: bool,
}

impl Deposit {
    /// Keeps the deposit; `false` where its amount is taken on that address (or its code anywhere).
    pub async fn insert_if_free(&self, conn: &mut Conn) -> QueryResult<bool> {
        let rows = diesel::insert_into(d::table)
            .values(self)
            .on_conflict_do_nothing()
            .execute(conn)
            .await?;
        Ok(rows == 1)
    }

    pub async fn find(conn: &mut Conn, id: Uuid) -> QueryResult<Option<Self>> {
        d::table.find(id).select(Self::as_select()).first(conn).await.optional()
    }

    pub async fn lock(conn: &mut Conn, id: Uuid) -> QueryResult<Option<Self>> {
        let row = d::table.find(id).select(Self::as_select());
        row.for_update().first(conn).await.optional()
    }

    pub async fn by_ids(conn: &mut Conn, ids: &[Uuid]) -> QueryResult<Vec<Self>> {
        d::table
            .filter(d::id.eq_any(ids))
            .select(Self::as_select())
            .load(conn)
            .await
    }

    /// A page of the deposits behind `place` (a deposit's id) in the filter's direction.
    pub async fn page(
        conn: &mut Conn,
        filter: &DepositFilter,
        place: Option<Uuid>,
        limit: i64,
    ) -> QueryResult<Vec<Self>> {
        let mut query = d::table.select(Self::as_select()).limit(limit).into_boxed();
        narrow!(query,
            filter.user_id => d::user_id, eq;
            filter.asset => d::asset, eq;
            filter.way => d::way, eq;
            filter.created.from => d::created_at, ge;
            filter.created.to => d::created_at, lt;
            filter.amount.from => d::amount, ge;
            filter.amount.to => d::amount, le;
        );
        narrow_to_any!(query, filter.states.as_slice() => d::state);
        if let Some(address) = filter.address.as_deref() {
            let at = diesel::dsl::sql::<Bool>(
                "deposits.address_id IN (SELECT a.id FROM deposit_addresses a WHERE a.network = deposits.network \
                 AND a.address = ",
            );
            query = query.filter(at.bind::<Text, _>(address).sql(")"));
        }
        if let Some(txid) = filter.txid.as_deref() {
            let paid_by = diesel::dsl::sql::<Bool>(
                "EXISTS (SELECT 1 FROM incoming_transfers t WHERE t.deposit_id = deposits.id \
                 AND t.network = deposits.network AND t.txid = ",
            );
            query = query.filter(paid_by.bind::<Text, _>(txid).sql(")"));
        }
        page_by!(query, d::id, place, filter.oldest_first);
        query.load(conn).await
    }

    /// The newest deposits announced on a user's own address, newest first, locked.
    pub async fn lock_of_address(conn: &mut Conn, address: Uuid, asset: &str, limit: i64) -> QueryResult<Vec<Self>> {
        d::table
            .filter(d::address_id.eq(address).and(d::asset.eq(asset)))
            .filter(d::way.eq(DepositWay::Address))
            .order(d::id.desc())
            .limit(limit)
            .select(Self::as_select())
            .for_update()
            .load(conn)
            .await
    }

    /// Deposits on a shared address that one of these codes names, or this amount if it was paid at this time, locked.
    /// Whether their amounts were released since says nothing of that time.
    pub async fn lock_named(
        conn: &mut Conn,
        address: Uuid,
        asset: &str,
        (amount, at, codes): (i64, DateTime<Utc>, &[String]),
    ) -> QueryResult<Vec<Self>> {
        let named = d::amount_held_until.ge(at).and(d::amount.eq(amount).assume_not_null());
        d::table
            .filter(d::address_id.eq(address).and(d::asset.eq(asset)))
            .filter(d::way.eq(DepositWay::Amount))
            .filter(named.or(d::code.eq_any(codes)))
            .order(d::id.desc())
            .select(Self::as_select())
            .for_update()
            .load(conn)
            .await
    }

    /// A tail that makes `base` an amount which nobody is asked for on that address, at random; `None` where all are taken.
    pub async fn free_tail(
        conn: &mut Conn,
        address: Uuid,
        asset: &str,
        (base, most): (i64, i64),
    ) -> QueryResult<Option<i64>> {
        #[derive(QueryableByName)]
        struct Tail {
            #[diesel(sql_type = BigInt)]
            tail: i64,
        }
        let tail = diesel::sql_query(
            "SELECT t.tail FROM generate_series(1, $4) AS t (tail) WHERE NOT EXISTS (SELECT 1 FROM deposits d \
             WHERE d.address_id = $1 AND d.asset = $2 AND d.amount = $3 + t.tail AND d.way = 'amount' \
             AND d.amount_released_at IS NULL) ORDER BY random() LIMIT 1",
        )
        .bind::<diesel::sql_types::Uuid, _>(address)
        .bind::<Text, _>(asset)
        .bind::<BigInt, _>(base)
        .bind::<BigInt, _>(most)
        .get_result::<Tail>(conn)
        .await
        .optional()?;
        Ok(tail.map(|found| found.tail))
    }

    /// Guarded: what came is added; `false` where the deposit is not as the caller saw it.
    pub async fn receive(conn: &mut Conn, receipt: &Receipt, now: DateTime<Utc>) -> QueryResult<bool> {
        let ((state, received), (new_state, new_received)) = (receipt.before, receipt.after);
        let row = d::table.filter(d::id.eq(receipt.id));
        let row = row.filter(d::state.eq(state).and(d::received.eq(received)));
        let set = (
            d::state.eq(new_state),
            d::received.eq(new_received),
            d::paid_at.eq(receipt.paid_at),
            d::updated_at.eq(now),
        );
        Ok(diesel::update(row).set(set).execute(conn).await? == 1)
    }

    /// Whether something is past its time by the chain's clock: a deposit, or the hold on its amount.
    pub async fn any_past(conn: &mut Conn, network: &str, time: DateTime<Utc>) -> QueryResult<bool> {
        #[derive(QueryableByName)]
        struct Any {
            #[diesel(sql_type = Bool)]
            any: bool,
        }
        let any = diesel::sql_query(
            "SELECT EXISTS (SELECT 1 FROM deposits WHERE network = $1 AND expires_at < $2 AND state IN ('open', 'partial')) \
             OR EXISTS (SELECT 1 FROM deposits WHERE network = $1 AND amount_held_until < $2 AND way = 'amount' \
                AND amount_released_at IS NULL) AS any",
        )
        .bind::<Text, _>(network)
        .bind::<Timestamptz, _>(time)
        .get_result::<Any>(conn)
        .await?;
        Ok(any.any)
    }

    /// Ends deposits whose time is over by the chain's clock, at most `limit`; answers the ids.
    pub async fn expire(
        conn: &mut Conn,
        network: &str,
        time: DateTime<Utc>,
        limit: i64,
        now: DateTime<Utc>,
    ) -> QueryResult<Vec<Uuid>> {
        #[derive(QueryableByName)]
        struct Expired {
            #[diesel(sql_type = diesel::sql_types::Uuid)]
            id: Uuid,
        }
        let expired = diesel::sql_query(
            "UPDATE deposits SET state = 'expired', updated_at = $4 WHERE id IN (SELECT id FROM deposits \
             WHERE network = $1 AND expires_at < $2 AND state IN ('open', 'partial') \
             ORDER BY expires_at LIMIT $3 FOR UPDATE SKIP LOCKED) RETURNING id",
        )
        .bind::<Text, _>(network)
        .bind::<Timestamptz, _>(time)
        .bind::<BigInt, _>(limit)
        .bind::<Timestamptz, _>(now)
        .load::<Expired>(conn)
        .await?;
        Ok(expired.into_iter().map(|row| row.id).collect())
    }

    /// Lets others be asked for amounts that were held long enough, at most `limit`; answers how many.
    pub async fn release_amounts(
        conn: &mut Conn,
        network: &str,
        time: DateTime<Utc>,
        limit: i64,
        now: DateTime<Utc>,
    ) -> QueryResult<usize> {
        diesel::sql_query(
            "UPDATE deposits SET amount_released_at = $4, updated_at = $4 WHERE id IN (SELECT id FROM deposits \
             WHERE network = $1 AND amount_held_until < $2 AND way = 'amount' AND amount_released_at IS NULL \
             ORDER BY amount_held_until LIMIT $3 FOR UPDATE SKIP LOCKED)",
        )
        .bind::<Text, _>(network)
        .bind::<Timestamptz, _>(time)
        .bind::<BigInt, _>(limit)
        .bind::<Timestamptz, _>(now)
        .execute(conn)
        .await
    }
}
