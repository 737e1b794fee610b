//! `sweeps`: what is collected from deposit addresses, what would be, and a switch that stops it.

use chrono::{DateTime, Utc};
use db::Pool;
use db::models::{Sweep, SweepFilter, SweepState, Switch};
use domain::operations::{SweepRuling, rule_sweep};
use domain::sweeps::{candidates, detail, page, plan};
use kernel::{Amount, RandomIds, SweepId};
use serde_json::{Value, json};
use settings::Settings;

use super::by_hand::ByHand;
use super::{print, report, setup, switches};

/// What to do with sweeps.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// List sweeps, newest first
    List {
        /// Only in this state, e.g. `planned`
        #[arg(long)]
        state: Option<SweepState>,
        /// Only of this asset: `TRX` or `USDT`
        #[arg(long)]
        asset: Option<String>,
        /// At most so many
        #[arg(long, default_value_t = 100)]
        limit: i64,
        /// Answer in JSON
        #[arg(long)]
        json: bool,
    },
    /// Show a sweep with its timeline and its transactions
    Show {
        /// Its id, as listed
        id: SweepId,
    },
    /// Plan sweeps of the addresses that are worth it, now
    Plan {
        /// Only show them
        #[arg(long)]
        dry_run: bool,
    },
    /// Look at a sweep now
    Retry {
        /// Its id, as listed
        id: SweepId,
        #[command(flatten)]
        by: ByHand,
    },
    /// Give up a sweep of which nothing is on its way, for a reason; the next look may plan another
    Cancel {
        /// Its id, as listed
        id: SweepId,
        #[command(flatten)]
        by: ByHand,
    },
    /// Plan and sign no sweeps; what is signed goes on
    Stop {
        /// Why
        #[arg(long)]
        reason: String,
        /// Who
        #[arg(long)]
        operator: String,
    },
    /// Plan and sign sweeps again
    Go {
        /// Who
        #[arg(long)]
        operator: String,
    },
}

pub(super) async fn run(settings: &Settings, command: Command) -> anyhow::Result<()> {
    let now = setup::now(&setup::pool(settings)?).await?;
    match command {
        Command::Stop { reason, operator } => {
            switches::throw(settings, Switch::SWEEPS, (true, reason), &operator).await?;
            print("sweeps are stopped");
        }
        Command::Go { operator } => {
            switches::throw(settings, Switch::SWEEPS, (false, "ended".to_owned()), &operator).await?;
            print("sweeps go on");
        }
        Command::List {
            state,
            asset,
            limit,
            json,
        } => {
            let filter = SweepFilter {
                states: state.into_iter().collect(),
                asset: asset.as_deref(),
            };
            list(&setup::pool(settings)?, filter, limit, json).await?;
        }
        Command::Show { id } => show(&setup::pool(settings)?, id).await?,
        Command::Plan { dry_run } => plan_now(settings, dry_run, now).await?,
        Command::Retry { id, by } => rule(settings, (id, SweepRuling::Retry), &by, now).await?,
        Command::Cancel { id, by } => rule(settings, (id, SweepRuling::Cancel), &by, now).await?,
    }
    Ok(())
}

async fn list(pool: &Pool, filter: SweepFilter<'_>, limit: i64, json: bool) -> anyhow::Result<()> {
    let rows = page(pool, filter, None, limit.clamp(1, 10_000)).await?;
    if json {
        print(&report::json(&rows.iter().map(in_json).collect()));
        return Ok(());
    }
    let head = ["ID", "STATE", "OF", "AMOUNT", "FROM", "SINCE", "WAITS FOR"];
    print(&report::table(head, &rows.iter().map(in_row).collect::<Vec<_>>()));
    Ok(())
}

async fn show(pool: &Pool, id: SweepId) -> anyhow::Result<()> {
    let found = detail(pool, id).await?;
    let events = found.events.iter().map(|event| {
        json!({ "at": event.at, "event": event.event, "state": event.state, "actor": event.actor, "detail": event.detail })
    });
    let transactions = found.transactions.iter().map(|tx| {
        json!({
            "txid": tx.txid, "intent": tx.intent_kind, "state": tx.state, "outcome": tx.outcome,
            "block": tx.block_number, "fee_sun": tx.fee_sun, "last_code": tx.last_code,
        })
    });
    let mut shown = in_json(&(found.sweep.clone(), None));
    shown["events"] = events.collect();
    shown["transactions"] = transactions.collect();
    print(&report::json(&shown));
    Ok(())
}

async fn plan_now(settings: &Settings, dry_run: bool, now: DateTime<Utc>) -> anyhow::Result<()> {
    let pool = setup::pool(settings)?;
    let policy = crate::rules::sweep_policy(settings)?;
    if dry_run {
        let found = candidates(&pool, &policy).await?;
        let rows = found.iter().map(|(asset, row)| {
            let key = if row.has_key { "key is here" } else { "key is missing" };
            [
                row.address.clone(),
                asset.to_string(),
                amount(row.minor),
                row.fingerprint.clone(),
                key.to_owned(),
            ]
        });
        let head = ["ADDRESS", "OF", "CREDITED", "ACCOUNT", ""];
        print(&report::table(head, &rows.collect::<Vec<_>>()));
        return Ok(());
    }
    anyhow::ensure!(policy.enabled, "deposits.sweep.enabled is false");
    let planned = plan(&pool, &RandomIds, &policy, now).await?;
    setup::push(settings, &planned.wakes).await?;
    print(&format!("{} sweeps planned", planned.sweeps));
    Ok(())
}

async fn rule(
    settings: &Settings,
    what: (SweepId, SweepRuling),
    by: &ByHand,
    now: DateTime<Utc>,
) -> anyhow::Result<()> {
    let pool = setup::pool(settings)?;
    let instruction = by.instruction()?;
    let done = match what.1 {
        SweepRuling::Retry => "looked at",
        SweepRuling::Cancel => "given up",
    };
    let answer = by
        .carry_out(done, async || {
            Ok(rule_sweep(&pool, &RandomIds, &instruction, what, now).await?.1)
        })
        .await?;
    print(&answer);
    Ok(())
}

fn amount(minor: i64) -> String {
    Amount::from_minor(minor).map_or_else(|_| minor.to_string(), |amount| amount.to_string())
}

fn in_json((sweep, address): &(Sweep, Option<String>)) -> Value {
    json!({
        "id": sweep.id, "network": sweep.network, "asset": sweep.asset, "state": sweep.state, "from": address,
        "to": sweep.to_address, "amount": sweep.amount.map(amount), "attempts": sweep.attempts,
        "order_id": sweep.order_id, "reason": sweep.reason_code, "created_at": sweep.created_at,
        "ended_at": sweep.ended_at,
    })
}

fn in_row((sweep, address): &(Sweep, Option<String>)) -> [String; 7] {
    [
        sweep.id.to_string(),
        sweep.state.to_string(),
        sweep.asset.clone(),
        report::or_dash(sweep.amount.map(amount).as_deref()),
        report::or_dash(address.as_deref()),
        report::time(sweep.created_at),
        report::or_dash(sweep.reason_code.as_deref()),
    ]
}
