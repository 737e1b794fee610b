//! `stake`: coin of supplier wallets is staked, unstaked, taken back after its waiting time, or staked again instead.

use anyhow::Context;
use chrono::{DateTime, Utc};
use db::models::{StakeResource, Staking, StakingAction, StakingFilter, StakingState, SupplierWallet};
use db::{Pool, acquire};
use domain::operations::{AskedToStake, Instruction, request_staking, revoke_staking};
use domain::stakings::{StakeWish, detail, page};
use kernel::{Amount, RandomIds, StakingId, WalletId};
use serde_json::{Value, json};
use settings::Settings;

use super::by_hand::ByHand;
use super::{print, report, setup};
use crate::stakes;

/// What to do with the coin of supplier wallets.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Stake TRX of a wallet for energy, which is then lent to customers
    Energy {
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        by: ByHand,
    },
    /// Stake TRX of a wallet for bandwidth, which pays for the bytes of its transactions
    Bandwidth {
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        by: ByHand,
    },
    /// Unstake: after 14 days it can be withdrawn. Stake that is lent or promised stays
    Undo {
        /// What the stake is for: `energy` or `bandwidth`
        resource: StakeResource,
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        by: ByHand,
    },
    /// Take back all that was unstaked and has waited long enough
    Withdraw {
        /// The wallet's id, or its address
        wallet: String,
        #[command(flatten)]
        by: ByHand,
    },
    /// Stake again all that was unstaked and still waits
    Cancel {
        /// The wallet's id, or its address
        wallet: String,
        #[command(flatten)]
        by: ByHand,
    },
    /// List stakings, newest first
    List {
        /// Only in this state, e.g. `failed`
        #[arg(long)]
        state: Option<StakingState>,
        /// Only of this action: `stake`, `unstake`, `withdraw` or `cancel`
        #[arg(long)]
        action: Option<StakingAction>,
        /// Only of this wallet, by its id or its address
        #[arg(long)]
        wallet: Option<String>,
        /// At most so many
        #[arg(long, default_value_t = 100)]
        limit: i64,
        /// Answer in JSON
        #[arg(long)]
        json: bool,
    },
    /// Show a staking with its timeline and its transactions
    Show {
        /// Its id, as listed
        id: StakingId,
    },
    /// Give up a staking of which nothing is on its way, for a reason
    Revoke {
        /// Its id, as listed
        id: StakingId,
        #[command(flatten)]
        by: ByHand,
    },
}

/// Which wallet, and how much.
#[derive(Debug, clap::Args)]
pub struct Of {
    /// The wallet's id, or its address
    wallet: String,
    /// TRX, e.g. `1000` or `12.5`; at least 1
    amount: Amount,
}

pub(super) async fn run(settings: &Settings, command: Command) -> anyhow::Result<()> {
    let pool = setup::pool(settings)?;
    let now = setup::now(&pool).await?;
    match command {
        Command::Energy { of, by } => {
            let wish = StakeWish::Stake(StakeResource::Energy, of.amount);
            request(settings, &pool, (&of.wallet, wish), &by, now).await?;
        }
        Command::Bandwidth { of, by } => {
            let wish = StakeWish::Stake(StakeResource::Bandwidth, of.amount);
            request(settings, &pool, (&of.wallet, wish), &by, now).await?;
        }
        Command::Undo { resource, of, by } => {
            let wish = StakeWish::Unstake(resource, of.amount);
            request(settings, &pool, (&of.wallet, wish), &by, now).await?;
        }
        Command::Withdraw { wallet, by } => {
            request(settings, &pool, (&wallet, StakeWish::Withdraw), &by, now).await?;
        }
        Command::Cancel { wallet, by } => request(settings, &pool, (&wallet, StakeWish::Cancel), &by, now).await?,
        Command::List {
            state,
            action,
            wallet,
            limit,
            json,
        } => {
            let wallet = match wallet {
                Some(wallet) => Some(find(&pool, &wallet).await?.0),
                None => None,
            };
            let states = state.into_iter().collect();
            let filter = StakingFilter { states, action, wallet };
            list(&pool, filter, limit, json).await?;
        }
        Command::Show { id } => show(&pool, id).await?,
        Command::Revoke { id, by } => revoke(&pool, id, &by, now).await?,
    }
    Ok(())
}

/// The wallet that an id or an address names.
pub(super) async fn find(pool: &Pool, wallet: &str) -> anyhow::Result<WalletId> {
    if let Ok(id) = wallet.parse() {
        return Ok(id);
    }
    let mut conn = acquire(pool).await?;
    let found = SupplierWallet::at(&mut conn, wallet).await?;
    let found = found.with_context(|| format!("{wallet} is neither the id nor the address of a wallet of ours"))?;
    Ok(WalletId(found.id))
}

async fn request(
    settings: &Settings,
    pool: &Pool,
    (wallet, wish): (&str, StakeWish),
    by: &ByHand,
    now: DateTime<Utc>,
) -> anyhow::Result<()> {
    let instruction = by.instruction()?;
    let what = (find(pool, wallet).await?, wish);
    let rules = stakes::rules(settings);
    let asked = request_staking(pool, &RandomIds, (&instruction, &rules), what, now).await?;
    print(&told(wish, &asked, &instruction));
    setup::push(settings, &asked.done.wakes).await
}

fn told(wish: StakeWish, asked: &AskedToStake, instruction: &Instruction) -> String {
    let address = report::or_dash(asked.address.as_deref());
    let of = wish.amount().map_or_else(String::new, |(resource, amount)| {
        format!(" {amount} TRX for {resource}")
    });
    let room = asked.room.map_or_else(String::new, |room| {
        format!(
            "; there is room for {} TRX (the wallet has {}, in 24 hours {} more may be moved of it, {} of all wallets)",
            trx(room.most_sun()),
            trx(room.free_sun),
            trx(room.wallet_left_sun),
            trx(room.all_left_sun)
        )
    });
    match &asked.staking {
        Some(staking) => format!("{} {address}{of}: asked for as {}", staking.action, staking.id),
        None if instruction.dry_run => format!("{} {address}{of}: would be asked for{room}", wish.action()),
        None => format!("{} {address}{of}", wish.action()),
    }
}

async fn revoke(pool: &Pool, id: StakingId, by: &ByHand, now: DateTime<Utc>) -> anyhow::Result<()> {
    let instruction = by.instruction()?;
    let answer = by
        .carry_out("given up", async || {
            Ok(revoke_staking(pool, &RandomIds, &instruction, id, now).await?.1)
        })
        .await?;
    print(&answer);
    Ok(())
}

async fn list(pool: &Pool, filter: StakingFilter, limit: i64, json: bool) -> anyhow::Result<()> {
    let rows = page(pool, filter, None, limit.clamp(1, 10_000)).await?;
    if json {
        print(&report::json(&rows.iter().map(in_json).collect()));
        return Ok(());
    }
    let head = [
        "ID", "STATE", "ACTION", "FOR", "TRX", "WALLET", "BY", "SINCE", "WHY NOT",
    ];
    print(&report::table(head, &rows.iter().map(in_row).collect::<Vec<_>>()));
    Ok(())
}

async fn show(pool: &Pool, id: StakingId) -> anyhow::Result<()> {
    let found = detail(pool, id).await?;
    let events = found.events.iter().map(|event| {
        json!({ "at": event.at, "event": event.event, "state": event.state, "actor": event.actor, "detail": event.detail })
    });
    let transactions = found.transactions.iter().map(|tx| {
        json!({
            "txid": tx.txid, "state": tx.state, "outcome": tx.outcome, "block": tx.block_number, "fee_sun": tx.fee_sun,
            "last_code": tx.last_code, "last_message": tx.last_message,
        })
    });
    let mut shown = in_json(&(found.staking.clone(), found.address.clone()));
    shown["events"] = events.collect();
    shown["transactions"] = transactions.collect();
    print(&report::json(&shown));
    Ok(())
}

fn trx(sun: i64) -> String {
    Amount::from_minor(sun).map_or_else(|_| sun.to_string(), |amount| amount.to_string())
}

fn in_json((staking, address): &(Staking, Option<String>)) -> Value {
    json!({
        "id": staking.id, "network": staking.network, "wallet_id": staking.wallet_id, "address": address,
        "action": staking.action, "resource": staking.resource, "amount": staking.amount_sun.map(trx),
        "moved": staking.moved_sun.map(trx), "state": staking.state, "source": staking.source,
        "requested_by": staking.requested_by, "why": staking.reason, "attempts": staking.attempts,
        "block": staking.block_number, "reason": staking.reason_code, "created_at": staking.created_at,
        "ended_at": staking.ended_at,
    })
}

fn in_row((staking, address): &(Staking, Option<String>)) -> [String; 9] {
    [
        staking.id.to_string(),
        staking.state.to_string(),
        staking.action.to_string(),
        report::or_dash(staking.resource.map(StakeResource::word)),
        report::or_dash(staking.amount_sun.or(staking.moved_sun).map(trx).as_deref()),
        report::or_dash(address.as_deref()),
        staking.requested_by.clone(),
        report::time(staking.created_at),
        report::or_dash(staking.reason_code.as_deref()),
    ]
}
