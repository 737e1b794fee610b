//! `deposits`: what came in, what waits for a person, and blocks read again.

use std::cell::Cell;

use anyhow::{Context, ensure};
use db::models::{DepositAddress, IncomingTransfer, TransferFilter, TransferKind, TransferState};
use db::run_tx;
use domain::DomainError;
use domain::deposits::{read_again, solid_number};
use domain::operations::{Ruling, RulingPolicy, rule_transfer, transfer, transfers_page};
use kernel::{RandomIds, UserId};
use serde_json::{Value, json};
use settings::Settings;
use uuid::Uuid;

use super::by_hand::ByHand;
use super::{print, report, setup};
use crate::nodes;

/// Blocks of one fetch.
const CHUNK: i64 = 20;

/// What to do with deposits.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// List transfers on chain that concern us, newest first
    List {
        /// `seen`, `reverted`, `credited`, `held`, `ignored`, `refunded` or `reversed`
        #[arg(long)]
        state: Option<TransferState>,
        /// Such as `unmatched`, `dust`, `wrong_token`
        #[arg(long)]
        case: Option<TransferKind>,
        /// Of this user
        #[arg(long)]
        user: Option<i64>,
        /// Of this transaction
        #[arg(long)]
        txid: Option<String>,
        /// At most so many
        #[arg(long, default_value_t = 100)]
        limit: i64,
        /// Answer in JSON
        #[arg(long)]
        json: bool,
    },
    /// Show one transfer
    Show {
        /// Its id
        id: Uuid,
    },
    /// Give a held or ignored transfer to a user
    Credit {
        /// Its id
        id: Uuid,
        /// Whose it is; default: the user whose address it went to
        #[arg(long)]
        user: Option<i64>,
        #[command(flatten)]
        by_hand: ByHand,
    },
    /// Give a held or ignored transfer to the deposit that it was meant for, which may buy an order with it
    Attach {
        /// Its id
        id: Uuid,
        /// The deposit
        #[arg(long)]
        deposit: Uuid,
        #[command(flatten)]
        by_hand: ByHand,
    },
    /// Let a held transfer be
    Ignore {
        /// Its id
        id: Uuid,
        #[command(flatten)]
        by_hand: ByHand,
    },
    /// Note that a held transfer was paid back by hand
    Refunded {
        /// Its id
        id: Uuid,
        #[command(flatten)]
        by_hand: ByHand,
    },
    /// Take the credit of a transfer back from its user
    Reverse {
        /// Its id
        id: Uuid,
        #[command(flatten)]
        by_hand: ByHand,
    },
    /// Take an address out of use: what comes to it from now on is held
    Retire {
        /// The address
        address: String,
        /// Where it is
        #[arg(long, default_value = "tron")]
        network: String,
    },
    /// Read solidified blocks again, whole: records what is missing, changes nothing that was right
    Backfill {
        /// Where
        #[arg(long, default_value = "tron")]
        network: String,
        /// The first block
        #[arg(long)]
        from: i64,
        /// The last block
        #[arg(long)]
        to: i64,
    },
}

pub(super) async fn run(settings: &Settings, command: Command) -> anyhow::Result<()> {
    match command {
        Command::List {
            state,
            case,
            user,
            txid,
            limit,
            json,
        } => {
            let filter = TransferFilter {
                states: state.into_iter().collect(),
                kind: case,
                user,
                txid,
                ..TransferFilter::default()
            };
            list(settings, &filter, limit, json).await
        }
        Command::Show { id } => {
            let found = transfer(&setup::pool(settings)?, id).await?;
            print(&report::json(&in_json(&found)));
            Ok(())
        }
        Command::Credit { id, user, by_hand } => rule(settings, id, Ruling::Credit(user.map(UserId)), &by_hand).await,
        Command::Attach { id, deposit, by_hand } => rule(settings, id, Ruling::Attach(deposit), &by_hand).await,
        Command::Ignore { id, by_hand } => rule(settings, id, Ruling::Ignore, &by_hand).await,
        Command::Refunded { id, by_hand } => rule(settings, id, Ruling::Refunded, &by_hand).await,
        Command::Reverse { id, by_hand } => rule(settings, id, Ruling::Reverse, &by_hand).await,
        Command::Retire { address, network } => retire(settings, &network, &address).await,
        Command::Backfill { network, from, to } => backfill(settings, &network, from, to).await,
    }
}

async fn list(settings: &Settings, filter: &TransferFilter, limit: i64, json: bool) -> anyhow::Result<()> {
    let pool = setup::pool(settings)?;
    let rows = transfers_page(&pool, filter, None, limit.clamp(1, 10_000)).await?;
    if json {
        print(&report::json(&rows.iter().map(in_json).collect()));
    } else {
        let head = ["ID", "BLOCK", "STATE", "CASE", "USER", "AMOUNT", "OF", "TXID"];
        print(&report::table(head, &rows.iter().map(in_row).collect::<Vec<_>>()));
    }
    Ok(())
}

fn in_json(row: &IncomingTransfer) -> Value {
    json!({
        "id": row.id, "network": row.network, "txid": row.txid, "log_index": row.log_index,
        "block_number": row.block_number, "block_time": row.block_time, "token": row.token, "from": row.from_address,
        "to": row.to_address, "amount_minor": row.amount, "memo": row.memo, "state": row.state, "case": row.kind,
        "deposit_id": row.deposit_id, "user_id": row.user_id, "asset": row.asset, "credited_minor": row.credited,
        "decided_by": row.decided_by, "decided_at": row.decided_at, "reason": row.reason,
    })
}

fn in_row(row: &IncomingTransfer) -> [String; 8] {
    [
        row.id.to_string(),
        row.block_number.to_string(),
        row.state.to_string(),
        report::or_dash(row.kind.map(TransferKind::word)),
        report::or_dash(row.user_id.map(|user| user.to_string()).as_deref()),
        row.amount.clone(),
        report::or_dash(row.asset.as_deref().or(row.token.as_deref())),
        row.txid.clone(),
    ]
}

async fn rule(settings: &Settings, id: Uuid, ruling: Ruling, by_hand: &ByHand) -> anyhow::Result<()> {
    let pool = setup::pool(settings)?;
    let instruction = by_hand.instruction()?;
    let exchange = nodes::exchange(settings)?;
    let now = setup::now(&pool).await?;
    let limits = (
        settings.deposits.approval_above_trx,
        settings.deposits.approval_above_usdt,
    );
    let lives = chrono::Duration::seconds(settings.approvals.expire_s);
    let policy = RulingPolicy::new(limits, lives, exchange);
    let waits = Cell::new(false);
    let step = async || {
        let ruled = rule_transfer(&pool, &RandomIds, (&instruction, &policy), (id, ruling), now).await?;
        waits.set(ruled.proposal.is_some());
        Ok::<_, DomainError>(ruled.done)
    };
    let answer = by_hand.carry_out("decided", step).await?;
    print(&if waits.get() {
        "proposed: it is carried out once another operator gives the same ruling".to_owned()
    } else {
        answer
    });
    Ok(())
}

async fn retire(settings: &Settings, network: &str, address: &str) -> anyhow::Result<()> {
    let pool = setup::pool(settings)?;
    let now = setup::now(&pool).await?;
    let retired = run_tx(&pool, "retire_address", async |conn| {
        let found = DepositAddress::find(conn, network, address).await?;
        let found = found.ok_or(DomainError::NotFound("address"))?;
        Ok::<_, DomainError>(DepositAddress::retire(conn, found.id, now).await?)
    })
    .await?;
    print(if retired { "retired" } else { "it is retired already" });
    Ok(())
}

async fn backfill(settings: &Settings, network: &str, from: i64, to: i64) -> anyhow::Result<()> {
    ensure!(0 <= from && from <= to, "--from must not be above --to");
    let pool = setup::pool(settings)?;
    let clock = setup::shared_clock(&pool).await?;
    let solid = solid_number(&pool, network).await?;
    ensure!(
        to <= solid,
        "only solidified blocks are read again: --to must be at most {solid}"
    );
    let networks = nodes::networks(settings, &clock)?;
    let chain = &networks.get(network).context("this network is not configured")?.chain;
    let wakes = setup::wakes(settings)?;
    let (mut blocks, mut recorded, mut known, mut differing) = (0, 0, 0, Vec::new());
    let mut start = from;
    while start <= to {
        let end = to.min(start + CHUNK - 1);
        let read = chain.solid_blocks(start, end).await?;
        ensure!(
            i64::try_from(read.len())? == end - start + 1,
            "the nodes do not have blocks {start} to {end}"
        );
        let again = read_again(&pool, &RandomIds, network, (&read, None), clock.now()).await?;
        wakes.push_now(&again.wakes).await;
        blocks += again.blocks;
        recorded += again.recorded;
        known += again.known;
        differing.extend(again.differing);
        start = end + 1;
    }
    print(&report::json(&json!({
        "blocks": blocks, "recorded": recorded, "known": known, "differing": differing,
    })));
    ensure!(
        differing.is_empty(),
        "the chain says something else of what is recorded"
    );
    Ok(())
}
