//! What our wallets lend on chain is what they lend by our books, receiver by receiver.
//!
//! A node is asked first: the solidified head S, then what the wallet lends to each receiver, out of solidified blocks.
//! Behind one address there may be nodes that lag by `margin` blocks, so the figures surely hold every block up to
//! B = min(S − margin, what we hold for solid). Then, with the wallet's row locked, the books are read. Each delegation
//! of the pair is one of these:
//!
//! - made up to B and not on its way back: in the figure, with its whole stake;
//! - undone up to B, or given up: not in the figure;
//! - anything else (signed and not seen yet, on its way back, made or undone after B): in the figure or not.
//!
//! The first kind gives the least that the chain can say, all kinds but the second the most. Nothing that moves while we
//! look escapes this: bytes are stored before they are sent, so whatever could land during the read was of the third
//! kind before it; and at the second look it still is, or it has landed after B, or it has landed up to B (then the
//! figure holds it, since the head was told before), or it has died (then it never landed). A fork changes nothing up to
//! B on either side, since both hold it for solid. So a figure outside these bounds is a difference, and a receiver who
//! orders all the time is compared like any other.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use db::models::{ChainCursor, DueComparison, Finding, SupplierWallet};
use db::{Conn, Pool, run_tx};
use diesel::sql_types::{Array, BigInt, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use kernel::IdGen;
use serde_json::json;
use uuid::Uuid;

use crate::DomainError;
use crate::findings::{self, FindingKind};
use crate::wallets::isolate_in_tx;

/// What findings of this proof are.
const KINDS: [FindingKind; 2] = [FindingKind::LendsUnknown, FindingKind::LendsMissing];

/// What a wallet lends to whom by our books, in sun: at least and at most, as a read of the chain may show it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LentBounds {
    /// What every such read shows.
    pub least: i64,
    /// What such a read may show.
    pub most: i64,
}

impl LentBounds {
    /// Whether a read that shows this agrees with our books.
    #[must_use]
    pub const fn allow(&self, sun: i64) -> bool {
        self.least <= sun && sun <= self.most
    }
}

#[derive(diesel::QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    receiver: String,
    #[diesel(sql_type = BigInt)]
    least: i64,
    #[diesel(sql_type = BigInt)]
    most: i64,
}

/// The bounds of each of these receivers for a read that surely holds every block up to `block`. One without a row has
/// nothing.
///
/// # Errors
/// When the database cannot be asked.
pub async fn lent_bounds(
    conn: &mut Conn,
    network: &str,
    wallet: Uuid,
    receivers: &[String],
    block: i64,
) -> Result<BTreeMap<String, LentBounds>, DomainError> {
    let rows: Vec<Row> = diesel::sql_query(
        "SELECT receiver, \
             COALESCE(sum(amount_sun) FILTER (WHERE state = 'active' AND block_number <= $4), 0)::bigint AS least, \
             sum(amount_sun)::bigint AS most \
         FROM delegations WHERE wallet_id = $2 AND network = $1 AND receiver = ANY($3) \
             AND (state IN ('reserved', 'active', 'reclaiming') OR (state = 'reclaimed' AND reclaim_block_number > $4)) \
         GROUP BY receiver",
    )
    .bind::<Text, _>(network)
    .bind::<SqlUuid, _>(wallet)
    .bind::<Array<Text>, _>(receivers)
    .bind::<BigInt, _>(block)
    .load(conn)
    .await?;
    let bounds = |row: Row| {
        let bounds = LentBounds {
            least: row.least,
            most: row.most,
        };
        (row.receiver, bounds)
    };
    Ok(rows.into_iter().map(bounds).collect())
}

/// The bounds of a wallet's whole stake, for all receivers together.
///
/// # Errors
/// When the database cannot be asked.
pub(crate) async fn lent_in_all(
    conn: &mut Conn,
    network: &str,
    wallet: Uuid,
    block: i64,
) -> Result<LentBounds, DomainError> {
    let row: Row = diesel::sql_query(
        "SELECT '' AS receiver, \
             COALESCE(sum(amount_sun) FILTER (WHERE state = 'active' AND block_number <= $3), 0)::bigint AS least, \
             COALESCE(sum(amount_sun), 0)::bigint AS most \
         FROM delegations WHERE wallet_id = $2 AND network = $1 \
             AND (state IN ('reserved', 'active', 'reclaiming') OR (state = 'reclaimed' AND reclaim_block_number > $3))",
    )
    .bind::<Text, _>(network)
    .bind::<SqlUuid, _>(wallet)
    .bind::<BigInt, _>(block)
    .get_result(conn)
    .await?;
    Ok(LentBounds {
        least: row.least,
        most: row.most,
    })
}

/// The last block that a read surely holds, given the solidified head that a node told before it; `None` while the network
/// is halted or unread, when nothing can be compared.
///
/// # Errors
/// When the database cannot be asked.
pub async fn surely_held(
    conn: &mut Conn,
    network: &str,
    as_of_block: i64,
    margin_blocks: i64,
) -> Result<Option<i64>, DomainError> {
    let cursor = ChainCursor::find(conn, network).await?;
    let cursor = cursor.filter(|cursor| cursor.halted_at.is_none());
    Ok(cursor.map(|cursor| cursor.solid_number.min(as_of_block - margin_blocks)))
}

/// Whom a wallet lends to by our books, and whom a finding is open about.
///
/// # Errors
/// When the database cannot be asked.
pub async fn known_receivers(conn: &mut Conn, network: &str, wallet: Uuid) -> Result<Vec<String>, DomainError> {
    #[derive(diesel::QueryableByName)]
    struct Receiver {
        #[diesel(sql_type = Text)]
        receiver: String,
    }
    let rows: Vec<Receiver> = diesel::sql_query(
        "SELECT DISTINCT receiver FROM delegations \
         WHERE wallet_id = $1 AND network = $2 AND state IN ('reserved', 'active', 'reclaiming')",
    )
    .bind::<SqlUuid, _>(wallet)
    .bind::<Text, _>(network)
    .load(conn)
    .await?;
    let prefix = subject(wallet, "");
    let found = Finding::open_subjects(conn, &KINDS.map(FindingKind::word), &prefix).await?;
    let found = found
        .into_iter()
        .filter_map(|found| Some(found.strip_prefix(&prefix)?.to_owned()));
    Ok(rows.into_iter().map(|row| row.receiver).chain(found).collect())
}

fn subject(wallet: Uuid, receiver: &str) -> String {
    format!("wallet:{wallet}:{receiver}")
}

/// What a node said of one receiver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LentSeen {
    /// Base58.
    pub receiver: String,
    /// Staked sun.
    pub sun: i64,
    /// Transactions that we held for dead and that are in solidified blocks: they explain stake that we do not know.
    pub landed: Vec<String>,
}

/// What a node said of one wallet.
#[derive(Debug, Clone)]
pub struct LentRead {
    /// The network.
    pub network: String,
    /// The wallet.
    pub wallet: Uuid,
    /// The solidified head before the figures.
    pub as_of_block: i64,
    /// The figures.
    pub seen: Vec<LentSeen>,
    /// Where the round goes on; `None`: it is over.
    pub after_receiver: Option<String>,
}

/// The last transactions that we hold for dead and that would have made a delegation of this pair: candidates for stake
/// that we do not know.
///
/// # Errors
/// When the database cannot be asked.
pub async fn dead_delegates(
    conn: &mut Conn,
    network: &str,
    wallet: Uuid,
    receiver: &str,
) -> Result<Vec<String>, DomainError> {
    #[derive(diesel::QueryableByName)]
    struct Dead {
        #[diesel(sql_type = Text)]
        txid: String,
    }
    let rows: Vec<Dead> = diesel::sql_query(
        "SELECT t.txid FROM chain_transactions t JOIN delegations d ON d.id = t.intent_id \
         WHERE d.wallet_id = $1 AND d.network = $2 AND d.receiver = $3 AND d.state = 'released' \
             AND t.intent_kind = 'delegate' AND t.state = 'dead' ORDER BY t.created_at DESC LIMIT 20",
    )
    .bind::<SqlUuid, _>(wallet)
    .bind::<Text, _>(network)
    .bind::<Text, _>(receiver)
    .load(conn)
    .await?;
    Ok(rows.into_iter().map(|row| row.txid).collect())
}

/// How many receivers were compared, and with what result.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Compared {
    /// The books allow what the chain says.
    pub equal: usize,
    /// They do not.
    pub differ: usize,
}

/// The receivers whose figures our books do not allow. Reads only, so that a second read can be made before anything is
/// said.
///
/// # Errors
/// When the database cannot be asked.
pub async fn differing(conn: &mut Conn, read: &LentRead, margin_blocks: i64) -> Result<Vec<LentSeen>, DomainError> {
    let Some(block) = surely_held(conn, &read.network, read.as_of_block, margin_blocks).await? else {
        return Ok(Vec::new());
    };
    let bounds = lent_bounds(conn, &read.network, read.wallet, &receivers_of(read), block).await?;
    let of = |receiver: &str| bounds.get(receiver).copied().unwrap_or_default();
    Ok(read
        .seen
        .iter()
        .filter(|seen| !of(&seen.receiver).allow(seen.sun))
        .cloned()
        .collect())
}

/// Compares a read with the books, records each difference, closes what is no difference any more, and notes how far the
/// round has come. While the network is halted nothing is compared and nothing noted.
///
/// # Errors
/// When the database fails; nothing is written then.
pub async fn compare(
    pool: &Pool,
    ids: &dyn IdGen,
    read: &LentRead,
    margin_blocks: i64,
    now: DateTime<Utc>,
) -> Result<Compared, DomainError> {
    run_tx(pool, "compare_lent", async |conn| {
        let Some(block) = surely_held(conn, &read.network, read.as_of_block, margin_blocks).await? else {
            return Ok(Compared::default());
        };
        // a second run of the same round comes after this one
        SupplierWallet::lock(conn, read.wallet)
            .await?
            .ok_or(DomainError::NotFound("wallet"))?;
        let bounds = lent_bounds(conn, &read.network, read.wallet, &receivers_of(read), block).await?;
        let (mut equal, mut differ) = (Vec::new(), 0);
        for seen in &read.seen {
            let bounds = bounds.get(&seen.receiver).copied().unwrap_or_default();
            if bounds.allow(seen.sun) {
                equal.push(subject(read.wallet, &seen.receiver));
            } else {
                differ += 1;
                record_in_tx(conn, ids, read, seen, bounds, now).await?;
            }
        }
        for kind in KINDS {
            findings::clear_many_in_tx(conn, kind, &equal, now).await?;
        }
        let after = read.after_receiver.as_deref();
        let over = after.is_none().then_some(now);
        DueComparison::note(conn, (&read.network, read.wallet), after, over).await?;
        Ok(Compared {
            equal: equal.len(),
            differ,
        })
    })
    .await
}

fn receivers_of(read: &LentRead) -> Vec<String> {
    read.seen.iter().map(|seen| seen.receiver.clone()).collect()
}

/// Of the two kinds one holds for a receiver at a time. Where a customer has less than he was sold, somebody else moves
/// the wallet's stake: it is sold no more.
async fn record_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    read: &LentRead,
    seen: &LentSeen,
    bounds: LentBounds,
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    let subject = subject(read.wallet, &seen.receiver);
    let (kind, other) = if seen.sun > bounds.most {
        (FindingKind::LendsUnknown, FindingKind::LendsMissing)
    } else {
        (FindingKind::LendsMissing, FindingKind::LendsUnknown)
    };
    let detail = json!({
        "chain_sun": seen.sun, "books_sun": bounds.least, "books_sun_at_most": bounds.most,
        "block": read.as_of_block, "landed": seen.landed,
    });
    findings::record_in_tx(conn, ids, kind, &subject, detail, now).await?;
    if kind == FindingKind::LendsMissing {
        let reason = "it lends a customer less than was sold";
        isolate_in_tx(conn, ids, read.wallet, (reason, None), now).await?;
    }
    findings::clear_in_tx(conn, other, &subject, now).await
}
