//! Keys of wallets that take the place of others.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::Conn;
use crate::schema::wallet_key_replacements as r;
use crate::text_enum;

text_enum! {
    /// How far a replacement is.
    ReplacementState {
        /// A sealed key waits for a worker; the old one signs.
        Requested = "requested",
        /// The new key signs.
        Done = "done",
        /// The new key could not be used, and nothing was changed; `rejected_reason` says why.
        Rejected = "rejected",
    }
}

/// All but what is sealed.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = r, check_for_backend(diesel::pg::Pg))]
pub struct KeyReplacement {
    pub id: Uuid,
    pub wallet_id: Uuid,
    pub state: ReplacementState,
    /// What the new key signs by.
    pub permission_id: i32,
    pub requested_by: String,
    pub reason: String,
    pub old_key_address: Option<String>,
    pub old_permission_id: Option<i32>,
    /// Known once the key is opened.
    pub new_key_address: Option<String>,
    pub rejected_reason: Option<String>,
    pub created_at: DateTime<Utc>,
    pub ended_at: Option<DateTime<Utc>>,
}

#[derive(Debug, Insertable)]
#[diesel(table_name = r)]
pub struct NewKeyReplacement<'a> {
    pub id: Uuid,
    pub wallet_id: Uuid,
    pub state: ReplacementState,
    /// `None`: a worker had the key itself, and ends this in the same transaction.
    pub sealed: Option<&'a [u8]>,
    pub permission_id: i32,
    pub requested_by: &'a str,
    pub reason: &'a str,
    pub created_at: DateTime<Utc>,
}

impl NewKeyReplacement<'_> {
    /// Answers whether it was made: a wallet has at most one open.
    pub async fn insert_if_none_open(&self, conn: &mut Conn) -> QueryResult<bool> {
        let made = diesel::insert_into(r::table)
            .values(self)
            .on_conflict_do_nothing()
            .execute(conn)
            .await?;
        Ok(made == 1)
    }
}

impl KeyReplacement {
    pub async fn find(conn: &mut Conn, id: Uuid) -> QueryResult<Option<Self>> {
        r::table.find(id).select(Self::as_select()).first(conn).await.optional()
    }

    /// Whether a wallet has an open one. Does not read what is sealed, which not everybody may.
    pub async fn any_open(conn: &mut Conn, wallet: Uuid) -> QueryResult<bool> {
        let open = r::table.filter(r::wallet_id.eq(wallet).and(r::state.eq(ReplacementState::Requested)));
        let ids: Vec<Uuid> = open.select(r::id).limit(1).load(conn).await?;
        Ok(!ids.is_empty())
    }

    /// The open one of a wallet, with its sealed key.
    pub async fn open_of(conn: &mut Conn, wallet: Uuid) -> QueryResult<Option<(Self, Vec<u8>)>> {
        let found: Option<(Self, Option<Vec<u8>>)> = r::table
            .filter(r::wallet_id.eq(wallet).and(r::state.eq(ReplacementState::Requested)))
            .select((Self::as_select(), r::sealed))
            .first(conn)
            .await
            .optional()?;
        Ok(found.and_then(|(replacement, sealed)| Some((replacement, sealed?))))
    }

    /// The last one of each of these wallets that ever had one.
    pub async fn last_of(conn: &mut Conn, wallets: &[Uuid]) -> QueryResult<Vec<Self>> {
        r::table
            .filter(r::wallet_id.eq_any(wallets))
            .distinct_on(r::wallet_id)
            .order((r::wallet_id, r::id.desc()))
            .select(Self::as_select())
            .load(conn)
            .await
    }

    /// Guarded: the new key signs from now on.
    pub async fn set_done(
        conn: &mut Conn,
        id: Uuid,
        old: (&str, i32),
        new_key_address: &str,
        now: DateTime<Utc>,
    ) -> QueryResult<bool> {
        let row = r::table.filter(r::id.eq(id).and(r::state.eq(ReplacementState::Requested)));
        let set = (
            r::state.eq(ReplacementState::Done),
            r::sealed.eq(None::<Vec<u8>>),
            r::old_key_address.eq(old.0),
            r::old_permission_id.eq(old.1),
            r::new_key_address.eq(new_key_address),
            r::ended_at.eq(now),
        );
        Ok(diesel::update(row).set(set).execute(conn).await? == 1)
    }

    /// Guarded: nothing was changed, for this reason.
    pub async fn set_rejected(
        conn: &mut Conn,
        id: Uuid,
        (new_key_address, reason): (Option<&str>, &str),
        now: DateTime<Utc>,
    ) -> QueryResult<bool> {
        let row = r::table.filter(r::id.eq(id).and(r::state.eq(ReplacementState::Requested)));
        let set = (
            r::state.eq(ReplacementState::Rejected),
            r::sealed.eq(None::<Vec<u8>>),
            r::new_key_address.eq(new_key_address),
            r::rejected_reason.eq(reason),
            r::ended_at.eq(now),
        );
        Ok(diesel::update(row).set(set).execute(conn).await? == 1)
    }
}
