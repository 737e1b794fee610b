//! Transfers on chain that concern us, one row each for good.

use chrono::{DateTime, Utc};
use diesel::expression::SqlLiteral;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::list::{Span, narrow, narrow_to_any, page_by};
use crate::Conn;
use crate::schema::incoming_transfers as t;
use crate::text_enum;

text_enum! {
    /// Where a transfer stands.
    TransferState {
        /// In a block that we applied.
        Seen = "seen",
        /// The block that carried it was taken back by a fork; it may land again.
        Reverted = "reverted",
        /// A user has the money.
        Credited = "credited",
        /// It waits for an operator.
        Held = "held",
        /// It is shown, and nothing is done about it.
        Ignored = "ignored",
        /// It was paid back.
        Refunded = "refunded",
        /// The credit was taken back by an operator.
        Reversed = "reversed",
    }
}
text_enum! {
    /// What a transfer turned out to be.
    TransferKind {
        /// What was announced, or the rest of it.
        Exact = "exact",
        /// Less than was announced.
        Partial = "partial",
        /// More than was announced.
        Over = "over",
        /// For a deposit whose time was over.
        Late = "late",
        /// For a deposit that was paid already.
        Duplicate = "duplicate",
        /// To a user's own address, unannounced.
        Plain = "plain",
        /// A token that is no money here.
        WrongToken = "wrong_token",
        /// To nobody of ours.
        UnknownAddress = "unknown_address",
        /// Too little to be worth a line in the books.
        Dust = "dust",
        /// From a sender that we take nothing from.
        BlockedSender = "blocked_sender",
        /// To an address that is out of use.
        RetiredAddress = "retired_address",
        /// To a shared address, and nothing says for whom.
        Unmatched = "unmatched",
        /// More than the ledger can hold.
        TooLarge = "too_large",
        /// Coin that a contract sent on, which not every node tells of.
        ByContract = "by_contract",
        /// From a wallet of ours: nobody paid it in.
        Internal = "internal",
        /// To the published address that energy is bought at.
        Rental = "rental",
    }
}

/// `amount` as text: it is wider than any integer of ours.
const AMOUNT: &str = "incoming_transfers.amount::text";

#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = t, check_for_backend(diesel::pg::Pg))]
pub struct IncomingTransfer {
    pub id: Uuid,
    pub network: String,
    pub txid: String,
    pub log_index: i32,
    pub block_number: i64,
    pub block_id: String,
    pub block_time: DateTime<Utc>,
    pub place: i32,
    pub token: Option<String>,
    pub from_address: String,
    pub to_address: String,
    pub address_id: Option<Uuid>,
    #[diesel(select_expression = diesel::dsl::sql::<Text>(AMOUNT), select_expression_type = SqlLiteral<Text>)]
    pub amount: String,
    pub memo: Option<String>,
    pub state: TransferState,
    pub kind: Option<TransferKind>,
    pub deposit_id: Option<Uuid>,
    pub user_id: Option<i64>,
    pub asset: Option<String>,
    pub credited: Option<i64>,
    pub decided_by: Option<String>,
    pub decided_at: Option<DateTime<Utc>>,
    pub reason: Option<String>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// A transfer as a block told it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewIncomingTransfer {
    pub id: Uuid,
    pub txid: String,
    pub log_index: i32,
    pub block_number: i64,
    pub block_id: String,
    pub block_time: DateTime<Utc>,
    pub place: i32,
    pub token: Option<String>,
    pub from_address: String,
    pub to_address: String,
    pub address_id: Option<Uuid>,
    /// Decimal digits.
    pub amount: String,
    pub memo: Option<String>,
}

/// What a list of transfers is narrowed to.
#[derive(Debug, Clone, Default)]
pub struct TransferFilter {
    /// One of these; none of them: any.
    pub states: Vec<TransferState>,
    pub kind: Option<TransferKind>,
    pub user: Option<i64>,
    pub txid: Option<String>,
    pub asset: Option<&'static str>,
    /// Where it went.
    pub address: Option<String>,
    /// The block's time; without the end.
    pub at: Span<DateTime<Utc>>,
    /// What was credited, in the smallest unit, both ends included.
    pub credited: Span<i64>,
    pub oldest_first: bool,
}

/// What was decided about a transfer.
#[derive(Debug, Clone, Copy)]
pub struct Decision<'a> {
    pub id: Uuid,
    pub from: TransferState,
    pub to: TransferState,
    pub kind: TransferKind,
    pub deposit_id: Option<Uuid>,
    pub user_id: Option<i64>,
    pub asset: Option<&'a str>,
    pub credited: Option<i64>,
    pub by: &'a str,
    pub reason: Option<&'a str>,
}

#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
}

impl IncomingTransfer {
    /// Records what blocks carry: new transfers, and those that a fork took back and that landed again (perhaps doing
    /// something else than before). What is recorded already is left as it is. Answers the ids of those that changed.
    pub async fn record(
        conn: &mut Conn,
        network: &str,
        rows: &[NewIncomingTransfer],
        now: DateTime<Utc>,
    ) -> QueryResult<Vec<Uuid>> {
        Self::insert(conn, network, rows, (TransferState::Seen, None), now).await
    }

    /// Records what is decided already; what is recorded before is left as it is.
    pub async fn record_decided(
        conn: &mut Conn,
        network: &str,
        rows: &[NewIncomingTransfer],
        (state, kind, by): (TransferState, TransferKind, &str),
        now: DateTime<Utc>,
    ) -> QueryResult<()> {
        Self::insert(conn, network, rows, (state, Some((kind, by))), now)
            .await
            .map(drop)
    }

    async fn insert(
        conn: &mut Conn,
        network: &str,
        rows: &[NewIncomingTransfer],
        (state, decided): (TransferState, Option<(TransferKind, &str)>),
        now: DateTime<Utc>,
    ) -> QueryResult<Vec<Uuid>> {
        fn column<T>(rows: &[NewIncomingTransfer], of: impl Fn(&NewIncomingTransfer) -> T) -> Vec<T> {
            rows.iter().map(of).collect()
        }
        let ids: Vec<Id> = diesel::sql_query(include_str!("incoming_transfer/record.sql"))
            .bind::<Text, _>(network)
            .bind::<Timestamptz, _>(now)
            .bind::<Array<SqlUuid>, _>(column(rows, |row| row.id))
            .bind::<Array<Text>, _>(column(rows, |row| row.txid.clone()))
            .bind::<Array<Integer>, _>(column(rows, |row| row.log_index))
            .bind::<Array<BigInt>, _>(column(rows, |row| row.block_number))
            .bind::<Array<Text>, _>(column(rows, |row| row.block_id.clone()))
            .bind::<Array<Timestamptz>, _>(column(rows, |row| row.block_time))
            .bind::<Array<Integer>, _>(column(rows, |row| row.place))
            .bind::<Array<Nullable<Text>>, _>(column(rows, |row| row.token.clone()))
            .bind::<Array<Text>, _>(column(rows, |row| row.from_address.clone()))
            .bind::<Array<Text>, _>(column(rows, |row| row.to_address.clone()))
            .bind::<Array<Nullable<SqlUuid>>, _>(column(rows, |row| row.address_id))
            .bind::<Array<Text>, _>(column(rows, |row| row.amount.clone()))
            .bind::<Array<Nullable<Text>>, _>(column(rows, |row| row.memo.clone()))
            .bind::<Text, _>(state.word())
            .bind::<Nullable<Text>, _>(decided.map(|(kind, _)| kind.word()))
            .bind::<Nullable<Text>, _>(decided.map(|(_, by)| by))
            .load(conn)
            .await?;
        Ok(ids.into_iter().map(|row| row.id).collect())
    }

    pub async fn find(conn: &mut Conn, id: Uuid) -> QueryResult<Option<Self>> {
        t::table.find(id).select(Self::as_select()).first(conn).await.optional()
    }

    /// In the order in which they were recorded.
    pub async fn by_ids(conn: &mut Conn, ids: &[Uuid]) -> QueryResult<Vec<Self>> {
        t::table
            .filter(t::id.eq_any(ids))
            .order(t::id)
            .select(Self::as_select())
            .load(conn)
            .await
    }

    pub async fn lock(conn: &mut Conn, id: Uuid) -> QueryResult<Option<Self>> {
        t::table
            .find(id)
            .select(Self::as_select())
            .for_update()
            .first(conn)
            .await
            .optional()
    }

    /// What is known of a transaction, in the order of its logs.
    pub async fn of_transaction(conn: &mut Conn, network: &str, txid: &str) -> QueryResult<Vec<Self>> {
        t::table
            .filter(t::network.eq(network).and(t::txid.eq(txid)))
            .order(t::log_index)
            .limit(1000)
            .select(Self::as_select())
            .load(conn)
            .await
    }

    /// A page of the transfers behind `place` in the filter's direction.
    pub async fn page(
        conn: &mut Conn,
        filter: &TransferFilter,
        place: Option<Uuid>,
        limit: i64,
    ) -> QueryResult<Vec<Self>> {
        let mut query = t::table.select(Self::as_select()).limit(limit).into_boxed();
        narrow!(query,
            filter.kind => t::kind, eq;
            filter.user => t::user_id, eq;
            filter.txid.as_deref() => t::txid, eq;
            filter.asset => t::asset, eq;
            filter.address.as_deref() => t::to_address, eq;
            filter.at.from => t::block_time, ge;
            filter.at.to => t::block_time, lt;
            filter.credited.from => t::credited, ge;
            filter.credited.to => t::credited, le;
        );
        narrow_to_any!(query, filter.states.as_slice() => t::state);
        page_by!(query, t::id, place, filter.oldest_first);
        query.load(conn).await
    }

    /// What is known of these transactions.
    pub async fn of_transactions(conn: &mut Conn, network: &str, txids: &[String]) -> QueryResult<Vec<Self>> {
        t::table
            .filter(t::network.eq(network).and(t::txid.eq_any(txids)))
            .order((t::txid, t::log_index))
            .select(Self::as_select())
            .load(conn)
            .await
    }

    /// What came for a deposit, in the order of the chain.
    pub async fn of_deposit(conn: &mut Conn, deposit: Uuid) -> QueryResult<Vec<Self>> {
        t::table
            .filter(t::deposit_id.eq(deposit))
            .order((t::block_number, t::place))
            .limit(1000)
            .select(Self::as_select())
            .load(conn)
            .await
    }

    /// Takes back what is not final above `number`: a fork replaced its block. Answers the ids.
    pub async fn revert_above(
        conn: &mut Conn,
        network: &str,
        number: i64,
        now: DateTime<Utc>,
    ) -> QueryResult<Vec<Uuid>> {
        let rows = t::table
            .filter(t::network.eq(network).and(t::state.eq(TransferState::Seen)))
            .filter(t::block_number.gt(number));
        let set = (t::state.eq(TransferState::Reverted), t::updated_at.eq(now));
        diesel::update(rows).set(set).returning(t::id).get_results(conn).await
    }

    /// Whether something in blocks up to `solid` waits to be decided.
    pub async fn any_undecided(conn: &mut Conn, network: &str, solid: i64) -> QueryResult<bool> {
        let rows = t::table
            .filter(t::network.eq(network).and(t::state.eq(TransferState::Seen)))
            .filter(t::block_number.le(solid));
        diesel::select(diesel::dsl::exists(rows)).get_result(conn).await
    }

    /// What in blocks up to `solid` waits to be decided, in the order of the chain, locked. Two callers do not share the
    /// work: the second waits for the first, so that the order holds.
    pub async fn lock_undecided(conn: &mut Conn, network: &str, solid: i64, limit: i64) -> QueryResult<Vec<Self>> {
        t::table
            .filter(t::network.eq(network).and(t::state.eq(TransferState::Seen)))
            .filter(t::block_number.le(solid))
            .order((t::block_number, t::place))
            .limit(limit)
            .select(Self::as_select())
            .for_update()
            .load(conn)
            .await
    }

    /// Marks what was credited at an address, of an asset and in blocks up to `number`, as collected by a sweep, but for the
    /// newest that `lies` there still covers.
    pub async fn set_swept(
        conn: &mut Conn,
        (address, asset): (Uuid, &str),
        (number, lies): (i64, i64),
        sweep: Uuid,
    ) -> QueryResult<usize> {
        diesel::sql_query(
            "UPDATE incoming_transfers t SET swept_by = $5 FROM (\
                SELECT id, sum(credited) OVER (ORDER BY block_number DESC, place DESC, id DESC \
                    ROWS UNBOUNDED PRECEDING) AS newest FROM incoming_transfers \
                WHERE address_id = $1 AND asset = $2 AND state = 'credited' AND swept_by IS NULL AND block_number <= $3) n \
             WHERE t.id = n.id AND n.newest > $4",
        )
        .bind::<SqlUuid, _>(address)
        .bind::<Text, _>(asset)
        .bind::<BigInt, _>(number)
        .bind::<BigInt, _>(lies)
        .bind::<SqlUuid, _>(sweep)
        .execute(conn)
        .await
    }

    /// Guarded: moves a transfer from the state that its decision was made in.
    pub async fn decide(conn: &mut Conn, decision: &Decision<'_>, now: DateTime<Utc>) -> QueryResult<bool> {
        let row = t::table.filter(t::id.eq(decision.id).and(t::state.eq(decision.from)));
        let set = (
            t::state.eq(decision.to),
            t::kind.eq(decision.kind),
            t::deposit_id.eq(decision.deposit_id),
            t::user_id.eq(decision.user_id),
            t::asset.eq(decision.asset),
            t::credited.eq(decision.credited),
            t::decided_by.eq(decision.by),
            t::decided_at.eq(now),
            t::reason.eq(decision.reason),
            t::updated_at.eq(now),
        );
        Ok(diesel::update(row).set(set).execute(conn).await? == 1)
    }
}
