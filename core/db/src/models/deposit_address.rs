//! Addresses of ours that customers pay to.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::Conn;
use crate::schema::deposit_addresses as a;
use crate::text_enum;

text_enum! {
    /// Whom a payment to an address is from.
    AddressKind {
        /// One customer's own address.
        User = "user",
        /// Deposits are told apart by their amounts.
        Shared = "shared",
        /// What comes buys energy.
        Rental = "rental",
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = a, check_for_backend(diesel::pg::Pg))]
pub struct DepositAddress {
    pub id: Uuid,
    pub network: String,
    pub address: String,
    pub kind: AddressKind,
    pub user_id: Option<i64>,
    pub key_fingerprint: Option<String>,
    pub derivation_index: Option<i64>,
    pub retired_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
}

impl DepositAddress {
    /// Keeps the address; `false` where the address, its place or its user has one already.
    pub async fn insert_if_missing(&self, conn: &mut Conn) -> QueryResult<bool> {
        let rows = diesel::insert_into(a::table)
            .values(self)
            .on_conflict_do_nothing()
            .execute(conn)
            .await?;
        Ok(rows == 1)
    }

    pub async fn find(conn: &mut Conn, network: &str, address: &str) -> QueryResult<Option<Self>> {
        a::table
            .filter(a::network.eq(network).and(a::address.eq(address)))
            .select(Self::as_select())
            .first(conn)
            .await
            .optional()
    }

    /// Whether an address takes deposits, on whichever network.
    pub async fn is_one(conn: &mut Conn, address: &str) -> QueryResult<bool> {
        diesel::select(diesel::dsl::exists(a::table.filter(a::address.eq(address))))
            .get_result(conn)
            .await
    }

    /// Those of these addresses that are ours: one statement, however many are asked for and however many we have.
    pub async fn of(conn: &mut Conn, network: &str, addresses: &[String]) -> QueryResult<Vec<Self>> {
        a::table
            .filter(a::network.eq(network).and(a::address.eq_any(addresses)))
            .select(Self::as_select())
            .load(conn)
            .await
    }

    /// The address that a user pays to now.
    pub async fn of_user(conn: &mut Conn, network: &str, user: i64) -> QueryResult<Option<Self>> {
        a::table
            .filter(a::network.eq(network).and(a::user_id.eq(user)))
            .filter(a::retired_at.is_null())
            .select(Self::as_select())
            .first(conn)
            .await
            .optional()
    }

    pub async fn by_ids(conn: &mut Conn, ids: &[Uuid]) -> QueryResult<Vec<Self>> {
        a::table
            .filter(a::id.eq_any(ids))
            .select(Self::as_select())
            .load(conn)
            .await
    }

    /// Draws a place for a derived address. Nobody is given it again.
    pub async fn next_index(conn: &mut Conn) -> QueryResult<i64> {
        let next = diesel::dsl::sql::<diesel::sql_types::BigInt>("nextval('deposit_address_index')");
        diesel::select(next).get_result(conn).await
    }

    /// Guarded: nothing is expected there any more.
    pub async fn retire(conn: &mut Conn, id: Uuid, now: DateTime<Utc>) -> QueryResult<bool> {
        let row = a::table.filter(a::id.eq(id).and(a::retired_at.is_null()));
        Ok(diesel::update(row).set(a::retired_at.eq(now)).execute(conn).await? == 1)
    }
}
