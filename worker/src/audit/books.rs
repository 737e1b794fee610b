//! Reads the books in one snapshot, orders page by page. Writes nothing, and calls nobody.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use db::models::{
    ChainCursor, ChainTransaction, Delegation, Order, OrderExtension, SupplierWallet, TxState, WalletPurpose,
};
use db::{Conn, Pool, run_tx};
use diesel::sql_types::{BigInt, Bool, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use domain::reconcile::{
    differing_reservations, escrow_figures, exchange_differences, ledger_differences, payout_figures, undecided,
};
use ledger::{check_balanced, check_replay, transfers_of_orders};
use uuid::Uuid;

use super::complaint::Complaint;
use super::evidence::{Books, Case, House, Rigour};
use super::payout_books;
use super::rules::{self, Context};
use super::stake_books;
use super::sweep_books;
use crate::error::WorkError;

/// Orders in memory at a time, apart from those that the chain is asked about.
const PAGE: i64 = 500;
/// Wallets in memory at a time.
const WALLETS: i64 = 500;
/// A job that is due for so long is late.
const LATE: TimeDelta = TimeDelta::minutes(5);

/// Which transactions the chain is to be asked about, by their expiry; orders of which none is in it are judged by our
/// books alone. What is not final or dead is always in it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    pub(super) from: Option<DateTime<Utc>>,
    pub(super) until: Option<DateTime<Utc>>,
}

impl Window {
    pub(super) fn has(&self, tx: &ChainTransaction) -> bool {
        let open = !matches!(tx.state, TxState::Final | TxState::Dead);
        let after = self.from.is_none_or(|from| tx.expires_at >= from);
        let before = self.until.is_none_or(|until| tx.expires_at <= until);
        open || (after && before)
    }
}

/// What is read beside the orders.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    pub(super) window: Window,
    /// Whether findings that are closed again count, too.
    pub(super) closed_findings: bool,
}

/// The books, and what is wrong with them by themselves.
pub(super) async fn read(pool: &Pool, rigour: &Rigour, wanted: Wanted) -> Result<(Books, Vec<Complaint>), WorkError> {
    run_tx(pool, "audit", async |conn| {
        // one moment for all statements, and a promise that nothing is written
        diesel::sql_query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            .execute(conn)
            .await?;
        let (networks, silent_s) = networks(conn).await?;
        let (wallets, lenders) = wallets(conn).await?;
        let context = Context {
            rigour,
            networks: &networks,
            wallets: &wallets,
        };
        let (cases, orders, mut complaints) = cases(conn, &context, wanted.window).await?;
        let (payouts, payouts_seen, of_payouts) = payout_books::cases(conn, &context, wanted.window).await?;
        complaints.extend(of_payouts);
        let (sweeps, of_sweeps) = sweep_books::cases(conn, &context, wanted.window).await?;
        complaints.extend(of_sweeps);
        let (stakings, of_stakings) = stake_books::cases(conn, &context, wanted.window).await?;
        complaints.extend(of_stakings);
        let books = Books {
            house: house(conn, rigour, wanted.closed_findings).await?,
            networks,
            silent_s,
            stake: stake(conn).await?,
            wallets,
            lenders,
            cases,
            payouts,
            sweeps,
            stakings,
            orders,
            payouts_seen,
        };
        complaints.extend(rules::of_house(&books, rigour));
        Ok((books, complaints))
    })
    .await
}

#[derive(diesel::QueryableByName)]
struct Silent {
    #[diesel(sql_type = Text)]
    network: String,
    #[diesel(sql_type = BigInt)]
    seconds: i64,
}

async fn networks(conn: &mut Conn) -> Result<(BTreeMap<String, ChainCursor>, BTreeMap<String, i64>), WorkError> {
    let cursors = ChainCursor::list(conn).await?;
    let silent: Vec<Silent> = diesel::sql_query(
        "SELECT network, extract(epoch FROM now() - updated_at)::bigint AS seconds FROM chain_cursors",
    )
    .load(conn)
    .await?;
    let cursors = cursors.into_iter().map(|cursor| (cursor.network.clone(), cursor));
    let silent = silent.into_iter().map(|row| (row.network, row.seconds));
    Ok((cursors.collect(), silent.collect()))
}

/// Those whose key is in, and of these those whose energy is lent.
async fn wallets(conn: &mut Conn) -> Result<(BTreeMap<Uuid, String>, BTreeMap<Uuid, String>), WorkError> {
    let (mut wallets, mut lenders) = (BTreeMap::new(), BTreeMap::new());
    let mut after = None;
    loop {
        let page = SupplierWallet::page_of_all(conn, after, WALLETS).await?;
        let Some(last) = page.last() else {
            return Ok((wallets, lenders));
        };
        after = Some(last.id);
        for wallet in page {
            let Some(address) = wallet.address else { continue };
            if wallet.purpose == WalletPurpose::Supply {
                lenders.insert(wallet.id, address.clone());
            }
            wallets.insert(wallet.id, address);
        }
    }
}

#[derive(diesel::QueryableByName)]
struct Stake {
    #[diesel(sql_type = SqlUuid)]
    wallet: Uuid,
    #[diesel(sql_type = BigInt)]
    sun: i64,
}

/// What each wallet lends.
async fn stake(conn: &mut Conn) -> Result<BTreeMap<Uuid, i64>, WorkError> {
    let rows: Vec<Stake> = diesel::sql_query(
        "SELECT wallet_id AS wallet, sum(amount_sun)::bigint AS sun FROM delegations \
         WHERE state IN ('active', 'reclaiming') GROUP BY wallet_id",
    )
    .load(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.wallet, row.sun)).collect())
}

/// Judges every order, and keeps those that the chain is to be asked about.
async fn cases(
    conn: &mut Conn,
    context: &Context<'_>,
    window: Window,
) -> Result<(Vec<Case>, usize, Vec<Complaint>), WorkError> {
    let (mut kept, mut seen, mut complaints) = (Vec::new(), 0, Vec::new());
    let mut after = None;
    loop {
        let orders = Order::after(conn, after, PAGE).await?;
        let Some(last) = orders.last() else {
            return Ok((kept, seen, complaints));
        };
        after = Some(last.id);
        seen += orders.len();
        for case in of_orders(conn, orders).await? {
            complaints.extend(rules::of_case(&case, context));
            if case.transactions.iter().any(|tx| window.has(tx)) {
                kept.push(case);
            }
        }
    }
}

async fn of_orders(conn: &mut Conn, orders: Vec<Order>) -> Result<Vec<Case>, WorkError> {
    let ids: Vec<Uuid> = orders.iter().map(|order| order.id).collect();
    let delegations = Delegation::of_orders(conn, &ids).await?;
    let intents: Vec<Uuid> = delegations.iter().map(|delegation| delegation.id).collect();
    let order_of: BTreeMap<Uuid, Uuid> = delegations.iter().map(|d| (d.id, d.order_id)).collect();
    let transactions = ChainTransaction::of_intents(conn, &intents).await?;
    let transfers = transfers_of_orders(conn, &ids)
        .await
        .map_err(domain::DomainError::from)?;
    let mut cases: BTreeMap<Uuid, Case> = orders.into_iter().map(|order| (order.id, bare(order))).collect();
    for delegation in delegations {
        if let Some(case) = cases.get_mut(&delegation.order_id) {
            case.delegations.push(delegation);
        }
    }
    for tx in transactions {
        let order = order_of.get(&tx.intent_id);
        if let Some(case) = order.and_then(|order| cases.get_mut(order)) {
            case.transactions.push(tx);
        }
    }
    for extension in OrderExtension::of_orders(conn, &ids).await? {
        if let Some(case) = cases.get_mut(&extension.order_id) {
            case.extensions.push(extension);
        }
    }
    for transfer in transfers {
        if let Some(case) = transfer.order.and_then(|order| cases.get_mut(&order)) {
            case.transfers.push(transfer);
        }
    }
    Ok(cases.into_values().collect())
}

const fn bare(order: Order) -> Case {
    Case {
        order,
        delegations: Vec::new(),
        transactions: Vec::new(),
        transfers: Vec::new(),
        extensions: Vec::new(),
    }
}

#[derive(diesel::QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

/// At rest no job may be left. Live, none may be dead or late.
const JOBS: &str = "SELECT concat_ws(' ', state, kind, object_id, last_error_code, last_error) AS line FROM jobs \
    WHERE $1 OR state = 'dead' OR GREATEST(next_run_at, started_at) < $2 ORDER BY kind, object_id LIMIT 1000";

/// At rest every finding counts. Live, a warning such as a low stock is no broken rule.
const FINDINGS: &str = "SELECT concat_ws(' ', kind, subject, detail) AS line FROM findings \
    WHERE (resolved_at IS NULL OR $1) AND ($2 OR severity = 'critical') ORDER BY kind, subject LIMIT 1000";

async fn house(conn: &mut Conn, rigour: &Rigour, closed_findings: bool) -> Result<House, WorkError> {
    let jobs: Vec<Line> = diesel::sql_query(JOBS)
        .bind::<Bool, _>(rigour.at_rest)
        .bind::<Timestamptz, _>(rigour.now - LATE)
        .load(conn)
        .await?;
    let findings: Vec<Line> = diesel::sql_query(FINDINGS)
        .bind::<Bool, _>(closed_findings)
        .bind::<Bool, _>(rigour.at_rest)
        .load(conn)
        .await?;
    let lines = |rows: Vec<Line>| rows.into_iter().map(|row| row.line).collect();
    Ok(House {
        imbalances: check_balanced(conn).await.map_err(domain::DomainError::from)?,
        differences: check_replay(conn).await.map_err(domain::DomainError::from)?,
        escrow: escrow_figures(conn).await?,
        payouts: payout_figures(conn).await?,
        reservations: differing_reservations(conn).await?,
        deposits: ledger_differences(conn).await?,
        exchanges: exchange_differences(conn).await?,
        undecided: undecided(
            conn,
            if rigour.at_rest {
                DateTime::<Utc>::MAX_UTC
            } else {
                rigour.now - LATE
            },
        )
        .await?,
        jobs: lines(jobs),
        findings: lines(findings),
    })
}
