//! What the chain said at the last read of who may sign for a wallet.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::Value;
use uuid::Uuid;

use crate::schema::wallet_permissions as p;
use crate::{Conn, Prepare as _};

/// Read and written under the wallet's lock.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = p, check_for_backend(diesel::pg::Pg), treat_none_as_null = true)]
pub struct WalletPermission {
    pub wallet_id: Uuid,
    pub network: String,
    pub read_at: DateTime<Utc>,
    /// The head just before it was read.
    pub as_of_block: i64,
    pub key_address: String,
    pub permission_id: i32,
    /// `None`: the account has no such permission.
    pub permission_name: Option<String>,
    pub threshold: i64,
    /// Of the key in it; 0 where it is not named.
    pub weight: i64,
    /// 64 hex digits; `None`: an owner's, which allows everything.
    pub operations: Option<String>,
    /// A list of words.
    pub can: Value,
    /// A list of words: what the wallet's purpose needs.
    pub lacks: Value,
    /// A list of words: what the key alone may do with money, by whichever permission of the account.
    pub moves_money: Value,
    pub signs_alone: bool,
    /// Why the key cannot sign for what the wallet is for.
    pub problem: Option<String>,
}

impl WalletPermission {
    pub async fn find(conn: &mut Conn, wallet: Uuid, network: &str) -> QueryResult<Option<Self>> {
        p::table
            .find((wallet, network))
            .select(Self::as_select())
            .first(conn)
            .await
            .optional()
    }

    /// What was read of a wallet, one for each network that was asked.
    pub async fn of_wallet(conn: &mut Conn, wallet: Uuid) -> QueryResult<Vec<Self>> {
        p::table
            .filter(p::wallet_id.eq(wallet))
            .order(p::network)
            .select(Self::as_select())
            .load(conn)
            .await
    }

    /// Takes the place of what was there.
    pub async fn write(&self, conn: &mut Conn) -> QueryResult<()> {
        diesel::insert_into(p::table)
            .values(self)
            .on_conflict((p::wallet_id, p::network))
            .do_update()
            .set(self)
            .prepared()
            .execute(conn)
            .await
            .map(drop)
    }

    /// Nothing is known any more: it was about another key.
    pub async fn forget(conn: &mut Conn, wallet: Uuid) -> QueryResult<()> {
        diesel::delete(p::table.filter(p::wallet_id.eq(wallet)))
            .execute(conn)
            .await
            .map(drop)
    }
}
