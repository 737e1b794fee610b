//! `payouts`: what is asked for, who agrees, and a switch that stops them all.

use chrono::{DateTime, Utc};
use db::Pool;
use db::models::{Payout, PayoutFilter, PayoutState, Switch};
use domain::operations::{Decision, decide_payout};
use domain::payouts::{PayoutWithTransaction, page, with_transactions};
use kernel::{Amount, PayoutId, RandomIds};
use serde_json::{Value, json};
use settings::Settings;

use super::by_hand::ByHand;
use super::{print, report, setup, switches};

/// What to do with payouts.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// List payouts, newest first
    List {
        /// Only in this state, e.g. `requested`: these wait for approval
        #[arg(long)]
        state: Option<PayoutState>,
        /// Only of this user
        #[arg(long)]
        user: Option<i64>,
        /// At most so many
        #[arg(long, default_value_t = 100)]
        limit: i64,
        /// Answer in JSON
        #[arg(long)]
        json: bool,
    },
    /// Agree to a payout that waits, for a reason
    Approve {
        /// Its id, as listed
        id: PayoutId,
        #[command(flatten)]
        by: ByHand,
    },
    /// Refuse a payout of which nothing is signed, for a reason; its money goes back
    Reject {
        /// Its id, as listed
        id: PayoutId,
        #[command(flatten)]
        by: ByHand,
    },
    /// Accept and sign no payouts; what is signed goes on
    Stop {
        /// Why
        #[arg(long)]
        reason: String,
        /// Who
        #[arg(long)]
        operator: String,
    },
    /// Accept and sign payouts again
    Go {
        /// Who
        #[arg(long)]
        operator: String,
    },
}

pub(super) async fn run(settings: &Settings, command: Command) -> anyhow::Result<()> {
    match command {
        Command::Stop { reason, operator } => {
            switches::throw(settings, Switch::PAYOUTS, (true, reason), &operator).await?;
            print("payouts are stopped");
        }
        Command::Go { operator } => {
            switches::throw(settings, Switch::PAYOUTS, (false, "ended".to_owned()), &operator).await?;
            print("payouts go on");
        }
        command => {
            let pool = setup::pool(settings)?;
            print(&answer(&pool, command, setup::now(&pool).await?).await?);
        }
    }
    Ok(())
}

async fn answer(pool: &Pool, command: Command, now: DateTime<Utc>) -> anyhow::Result<String> {
    match command {
        Command::List {
            state,
            user,
            limit,
            json,
        } => {
            let filter = PayoutFilter {
                user_id: user,
                states: state.into_iter().collect(),
                ..PayoutFilter::default()
            };
            let payouts = page(pool, &filter, None, limit.clamp(1, 10_000)).await?;
            let payouts = with_transactions(pool, payouts).await?;
            if json {
                return Ok(report::json(&payouts.iter().map(in_json).collect()));
            }
            Ok(payouts.iter().map(in_words).collect::<Vec<_>>().join("\n"))
        }
        Command::Approve { id, by } => decide(pool, (id, Decision::Approve), &by, now).await,
        Command::Reject { id, by } => decide(pool, (id, Decision::Reject), &by, now).await,
        Command::Stop { .. } | Command::Go { .. } => Ok(String::new()),
    }
}

async fn decide(pool: &Pool, what: (PayoutId, Decision), by: &ByHand, now: DateTime<Utc>) -> anyhow::Result<String> {
    let instruction = by.instruction()?;
    let done = match what.1 {
        Decision::Approve => "approved",
        Decision::Reject => "rejected",
    };
    by.carry_out(done, async || {
        Ok(decide_payout(pool, &RandomIds, &instruction, what, now).await?.1)
    })
    .await
}

fn amount(payout: &Payout) -> String {
    Amount::from_minor(payout.amount).map_or_else(|_| payout.amount.to_string(), |amount| amount.to_string())
}

fn in_json(found: &PayoutWithTransaction) -> Value {
    let payout = &found.payout;
    json!({
        "id": payout.id, "user_id": payout.user_id, "network": payout.network, "asset": payout.asset,
        "amount": amount(payout), "to": payout.to_address, "state": payout.state, "reason": payout.reason_code,
        "attempts": payout.attempts, "requested_by": payout.requested_by, "approved_by": payout.approved_by,
        "txid": found.transaction.as_ref().map(|tx| &tx.txid), "created_at": payout.created_at,
        "ended_at": payout.ended_at,
    })
}

fn in_words(found: &PayoutWithTransaction) -> String {
    let payout = &found.payout;
    format!(
        "{}  {:<10} {:>20} {:<4}  user {}  to {}  {}  {}",
        payout.id,
        payout.state.word(),
        amount(payout),
        payout.asset,
        payout.user_id,
        payout.to_address,
        report::time(payout.created_at),
        report::or_dash(payout.reason_code.as_deref()),
    )
}
