//! A wallet's key: taken in, refused, and replaced.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::{SupplierWallet, WalletState};
use crate::Conn;
use crate::schema::supplier_wallets as w;

impl SupplierWallet {
    /// The address that the wallet's key has to be of; `None` until the key is taken in.
    #[must_use]
    pub fn key_address(&self) -> Option<&str> {
        self.key_address.as_deref().or(self.address.as_deref())
    }

    /// Guarded: an import that succeeded. The key's own address is given where it is not the wallet's.
    pub async fn set_imported(
        conn: &mut Conn,
        id: Uuid,
        (address, key_address): (&str, Option<&str>),
        now: DateTime<Utc>,
    ) -> QueryResult<bool> {
        let row = w::table.filter(w::id.eq(id).and(w::state.eq(WalletState::Importing)));
        let set = (
            w::state.eq(WalletState::Active),
            w::address.eq(address),
            w::key_address.eq(key_address),
            w::updated_at.eq(now),
        );
        Ok(diesel::update(row).set(set).execute(conn).await? == 1)
    }

    /// Guarded: an import that cannot succeed. The address, if it was given, is free again.
    pub async fn set_rejected(conn: &mut Conn, id: Uuid, reason: &str, now: DateTime<Utc>) -> QueryResult<bool> {
        let row = w::table.filter(w::id.eq(id).and(w::state.eq(WalletState::Importing)));
        let set = (
            w::state.eq(WalletState::Rejected),
            w::rejected_reason.eq(reason),
            w::address.eq(None::<String>),
            w::updated_at.eq(now),
        );
        Ok(diesel::update(row).set(set).execute(conn).await? == 1)
    }

    /// Another key, and what it signs by. Whoever holds an older one opened learns of it by the generation. The caller holds
    /// the lock.
    pub async fn set_key(
        conn: &mut Conn,
        id: Uuid,
        (key_address, permission_id): (Option<&str>, i32),
        now: DateTime<Utc>,
    ) -> QueryResult<()> {
        let set = (
            w::key_address.eq(key_address),
            w::permission_id.eq(permission_id),
            w::key_generation.eq(w::key_generation + 1),
            w::updated_at.eq(now),
        );
        diesel::update(w::table.find(id)).set(set).execute(conn).await.map(drop)
    }
}
