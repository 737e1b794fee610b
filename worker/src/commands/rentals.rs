//! `rentals`: coin that was sent for energy, and what an operator does about what bought none.

use chrono::{DateTime, Utc};
use db::models::{Rental, RentalFilter, RentalState};
use domain::operations::{RentalRuling, rule_rental};
use domain::rentals::{find, page};
use kernel::{Amount, RandomIds};
use serde_json::{Value, json};
use settings::Settings;
use uuid::Uuid;

use super::by_hand::ByHand;
use super::{print, report, setup};
use crate::rentals::policy;

/// What to do with rentals.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// List rentals, newest first
    List {
        /// Only in this state, e.g. `held`
        #[arg(long)]
        state: Option<RentalState>,
        /// At most so many
        #[arg(long, default_value_t = 100)]
        limit: i64,
        /// Answer in JSON
        #[arg(long)]
        json: bool,
    },
    /// Show a rental
    Show {
        /// Its id, as listed
        id: Uuid,
    },
    /// Send the coin of a held rental back to its sender, for a reason; above the limit another has to approve the payout
    Return {
        /// Its id, as listed
        id: Uuid,
        #[command(flatten)]
        by: ByHand,
    },
    /// Let a held rental be, for a reason: the money stays with the house
    Close {
        /// Its id, as listed
        id: Uuid,
        #[command(flatten)]
        by: ByHand,
    },
}

pub(super) async fn run(settings: &Settings, command: Command) -> anyhow::Result<()> {
    let now = setup::now(&setup::pool(settings)?).await?;
    match command {
        Command::List { state, limit, json } => {
            let filter = RentalFilter {
                states: state.into_iter().collect(),
                ..RentalFilter::default()
            };
            let rows = page(&setup::pool(settings)?, &filter, None, limit.clamp(1, 10_000)).await?;
            if json {
                print(&report::json(
                    &rows.iter().map(|(row, txid)| in_json(row, Some(txid))).collect(),
                ));
                return Ok(());
            }
            let head = ["ID", "STATE", "TRX", "FROM", "TXID", "SINCE", "WHY", "HELD"];
            print(&report::table(head, &rows.iter().map(in_row).collect::<Vec<_>>()));
        }
        Command::Show { id } => print(&report::json(&in_json(&find(&setup::pool(settings)?, id).await?, None))),
        Command::Return { id, by } => {
            let policy = policy(settings)?.ok_or_else(|| anyhow::anyhow!("deposits.rental.address is empty"))?;
            rule(settings, (id, RentalRuling::Return(&policy)), ("sent back", &by), now).await?;
        }
        Command::Close { id, by } => rule(settings, (id, RentalRuling::Close), ("let be", &by), now).await?,
    }
    Ok(())
}

async fn rule(
    settings: &Settings,
    what: (Uuid, RentalRuling<'_>),
    (done, by): (&'static str, &ByHand),
    now: DateTime<Utc>,
) -> anyhow::Result<()> {
    let pool = setup::pool(settings)?;
    let instruction = by.instruction()?;
    let answer = by
        .carry_out(done, async || {
            Ok(rule_rental(&pool, &RandomIds, &instruction, what, now).await?.1)
        })
        .await?;
    print(&answer);
    Ok(())
}

fn amount(sun: i64) -> String {
    Amount::from_minor(sun).map_or_else(|_| sun.to_string(), |amount| amount.to_string())
}

fn in_json(rental: &Rental, txid: Option<&String>) -> Value {
    json!({
        "id": rental.transfer_id, "txid": txid, "state": rental.state, "sender": rental.sender,
        "amount": amount(rental.amount_sun), "receiver": rental.receiver, "energy": rental.energy,
        "duration_s": rental.duration_s, "order_id": rental.order_id, "payout_id": rental.payout_id,
        "reason": rental.reason_code, "held_because": rental.held_code, "created_at": rental.created_at,
        "updated_at": rental.updated_at,
    })
}

fn in_row((rental, txid): &(Rental, String)) -> [String; 8] {
    [
        rental.transfer_id.to_string(),
        rental.state.to_string(),
        amount(rental.amount_sun),
        rental.sender.clone(),
        txid.clone(),
        report::time(rental.created_at),
        report::or_dash(rental.reason_code.as_deref()),
        report::or_dash(rental.held_code.as_deref()),
    ]
}
