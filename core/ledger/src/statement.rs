//! What moved on a user's accounts, newest first: what he is shown who asks where his money went.

use chrono::{DateTime, Utc};
use db::Conn;
use diesel::sql_types::{Array, BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{QueryableByName, sql_query};
use diesel_async::RunQueryDsl;
use kernel::{Asset, UserId};
use uuid::Uuid;

use crate::{Account, LedgerError, Reason};

/// Which movements.
#[derive(Debug, Clone, Copy, Default)]
pub struct StatementFilter {
    /// Of this asset.
    pub asset: Option<Asset>,
    /// From then on.
    pub since: Option<DateTime<Utc>>,
    /// Before then.
    pub until: Option<DateTime<Utc>>,
}

/// The place of a movement among all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementPlace {
    /// The transaction that wrote it.
    pub xact: i64,
    /// Its event.
    pub event: String,
}

/// One movement.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Movement {
    /// The business event, such as `order:<id>:hold`: there is one of it.
    #[diesel(sql_type = Text)]
    pub event: String,
    /// `TRX` or `USDT`.
    #[diesel(sql_type = Text)]
    pub asset: String,
    /// In minor units; negative where it left the user.
    #[diesel(sql_type = BigInt)]
    pub minor: i64,
    /// Why.
    #[diesel(sql_type = Text)]
    pub reason: Reason,
    /// The order that it is about.
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub order_id: Option<Uuid>,
    /// The payout that it is about.
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub payout_id: Option<Uuid>,
    /// Who moved it, when a person or a client did.
    #[diesel(sql_type = Nullable<Text>)]
    pub actor: Option<String>,
    /// What a person said of it.
    #[diesel(sql_type = Nullable<Text>)]
    pub note: Option<String>,
    /// When it happened.
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
    #[diesel(sql_type = BigInt)]
    xact: i64,
}

impl Movement {
    /// Where it stands among the others.
    #[must_use]
    pub fn place(&self) -> StatementPlace {
        StatementPlace {
            xact: self.xact,
            event: self.event.clone(),
        }
    }
}

/// A page of a user's movements, newest first, of those before `before`.
///
/// # Errors
/// When the database cannot be asked.
pub async fn statement(
    conn: &mut Conn,
    user: UserId,
    filter: StatementFilter,
    before: Option<&StatementPlace>,
    limit: i64,
) -> Result<Vec<Movement>, LedgerError> {
    let assets = filter.asset.map_or_else(|| Asset::ALL.to_vec(), |asset| vec![asset]);
    let codes: Vec<String> = assets
        .into_iter()
        .map(|asset| Account::User { user, asset }.code())
        .collect();
    // each side of each account is read along its own index, and no further than the page
    let side = |own: &str, sign: &str| {
        format!(
            "(SELECT event, asset, {sign}amount AS minor, reason, order_id, payout_id, actor, note, created_at, xact_id \
             FROM ledger_transfers WHERE {own} = account.code \
                AND ($2::text IS NULL OR (xact_id, event) < ($2::text::xid8, $3)) \
                AND ($4::timestamptz IS NULL OR created_at >= $4) AND ($5::timestamptz IS NULL OR created_at < $5) \
             ORDER BY xact_id DESC, event DESC LIMIT $6)"
        )
    };
    let sql = format!(
        "SELECT event, asset, minor, reason, order_id, payout_id, actor, note, created_at, xact_id::text::bigint AS xact \
         FROM unnest($1) AS account (code), LATERAL ({} UNION ALL {}) AS moved \
         ORDER BY xact_id DESC, event DESC LIMIT $6",
        side("credit_account", ""),
        side("debit_account", "-")
    );
    let query = sql_query(sql)
        .bind::<Array<Text>, _>(codes)
        .bind::<Nullable<Text>, _>(before.map(|place| place.xact.to_string()))
        .bind::<Nullable<Text>, _>(before.map(|place| place.event.clone()))
        .bind::<Nullable<Timestamptz>, _>(filter.since)
        .bind::<Nullable<Timestamptz>, _>(filter.until)
        .bind::<BigInt, _>(limit);
    Ok(query.load(conn).await?)
}
