//! Wallets of deposit addresses: made when an address is to be collected, and in no figure of suppliers.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::{SupplierWallet, WalletPurpose, WalletState};
use crate::Conn;
use crate::schema::{deposit_addresses as a, supplier_wallets as w};

/// Where the key of a deposit wallet is derived from.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct DerivedFrom {
    /// Names the account.
    pub fingerprint: Option<String>,
    /// The place in it.
    pub index: Option<i64>,
}

#[derive(Debug, Insertable)]
#[diesel(table_name = w)]
struct NewDepositWallet<'a> {
    id: Uuid,
    address: &'a str,
    state: WalletState,
    permission_id: i32,
    purpose: WalletPurpose,
    deposit_address_id: Uuid,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl SupplierWallet {
    /// The wallet of a deposit address, made as `id` where there is none. `None` where the address is a wallet of another
    /// purpose: somebody handed its key in.
    pub async fn ensure_deposit(
        conn: &mut Conn,
        id: Uuid,
        (address_id, address): (Uuid, &str),
        now: DateTime<Utc>,
    ) -> QueryResult<Option<Uuid>> {
        let new = NewDepositWallet {
            id,
            address,
            state: WalletState::Active,
            permission_id: 0,
            purpose: WalletPurpose::Deposit,
            deposit_address_id: address_id,
            created_at: now,
            updated_at: now,
        };
        diesel::insert_into(w::table)
            .values(new)
            .on_conflict_do_nothing()
            .execute(conn)
            .await?;
        w::table
            .filter(w::deposit_address_id.eq(address_id))
            .select(w::id)
            .first(conn)
            .await
            .optional()
    }

    /// Where a deposit wallet's key is derived from; `None` for every other wallet.
    pub async fn derived_from(conn: &mut Conn, wallet: Uuid) -> QueryResult<Option<DerivedFrom>> {
        w::table
            .inner_join(a::table.on(w::deposit_address_id.eq(a::id.nullable())))
            .filter(w::id.eq(wallet))
            .select((a::key_fingerprint, a::derivation_index))
            .first(conn)
            .await
            .optional()
    }

    /// The deposit address that a wallet is of; `None` for every other wallet.
    pub async fn deposit_address_of(conn: &mut Conn, wallet: Uuid) -> QueryResult<Option<Uuid>> {
        let found: Option<Option<Uuid>> = w::table
            .find(wallet)
            .select(w::deposit_address_id)
            .first(conn)
            .await
            .optional()?;
        Ok(found.flatten())
    }

    /// Which of these addresses are wallets of ours, whatever for.
    pub async fn among(conn: &mut Conn, addresses: &[String]) -> QueryResult<Vec<String>> {
        let ours: Vec<Option<String>> = w::table
            .filter(w::address.eq_any(addresses))
            .select(w::address)
            .load(conn)
            .await?;
        Ok(ours.into_iter().flatten().collect())
    }

    /// Every wallet in id order after `after`.
    pub async fn page_of_all(conn: &mut Conn, after: Option<Uuid>, limit: i64) -> QueryResult<Vec<Self>> {
        let mut query = w::table
            .select(Self::as_select())
            .order(w::id)
            .limit(limit)
            .into_boxed();
        if let Some(after) = after {
            query = query.filter(w::id.gt(after));
        }
        query.load(conn).await
    }

    /// Addresses by wallet.
    pub async fn addresses_of(conn: &mut Conn, ids: &[Uuid]) -> QueryResult<HashMap<Uuid, String>> {
        let rows: Vec<(Uuid, Option<String>)> = w::table
            .filter(w::id.eq_any(ids))
            .select((w::id, w::address))
            .load(conn)
            .await?;
        Ok(rows
            .into_iter()
            .filter_map(|(id, address)| Some((id, address?)))
            .collect())
    }

    /// The wallet at an address.
    pub async fn at(conn: &mut Conn, address: &str) -> QueryResult<Option<Self>> {
        w::table
            .filter(w::address.eq(address))
            .select(Self::as_select())
            .first(conn)
            .await
            .optional()
    }
}
