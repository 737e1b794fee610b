//! `stuck`: objects that wait longer than they should, and having their jobs run now.

use anyhow::ensure;
use chrono::{DateTime, Utc};
use db::Pool;
use domain::operations::{Stuck, StuckFilter, StuckKind, redrive_stuck, stuck_page};
use kernel::RandomIds;
use serde_json::{Value, json};
use settings::Settings;

use super::by_hand::ByHand;
use super::words::words;
use super::{print, report, setup};

/// What to do with stuck objects.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// List them, those first that have waited longest
    List {
        #[command(flatten)]
        which: Which,
        /// At most so many
        #[arg(long, default_value_t = 100)]
        limit: i64,
        /// Answer in JSON
        #[arg(long)]
        json: bool,
    },
    /// Have the jobs run now that move them
    Redrive {
        #[command(flatten)]
        which: Which,
        /// Everything that fits, not just one object
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        by: ByHand,
    },
}

/// Which objects; those that fit everything that is given.
#[derive(Debug, clap::Args)]
pub struct Which {
    /// What they are
    #[arg(long, value_parser = words(StuckKind::ALL, StuckKind::word))]
    kind: Option<StuckKind>,
    /// Its id; of a transaction, its txid
    #[arg(long)]
    object: Option<String>,
    /// Its state, as listed
    #[arg(long)]
    state: Option<String>,
    /// Its network
    #[arg(long)]
    network: Option<String>,
}

impl Which {
    fn filter(self) -> StuckFilter {
        StuckFilter {
            kind: self.kind,
            object_id: self.object,
            state: self.state,
            network: self.network,
        }
    }
}

pub(super) async fn run(settings: &Settings, command: Command) -> anyhow::Result<()> {
    let pool = setup::pool(settings)?;
    let now = setup::now(&pool).await?;
    print(&answer(&pool, command, now).await?);
    Ok(())
}

pub(super) async fn answer(pool: &Pool, command: Command, now: DateTime<Utc>) -> anyhow::Result<String> {
    match command {
        Command::List { which, limit, json } => {
            let stuck = stuck_page(pool, &which.filter(), None, limit.clamp(1, 10_000), now).await?;
            if json {
                return Ok(report::json(&stuck.iter().map(in_json).collect()));
            }
            let head = ["KIND", "OBJECT", "STATE", "SINCE", "REASON", "JOB", "DO"];
            Ok(report::table(head, &stuck.iter().map(in_row).collect::<Vec<_>>()))
        }
        Command::Redrive { which, all, by } => {
            ensure!(
                all || which.object.is_some(),
                "name one object with --object, or say --all for everything that fits"
            );
            let (filter, instruction) = (which.filter(), by.instruction()?);
            by.carry_out("re-driven", async || {
                redrive_stuck(pool, &RandomIds, &instruction, &filter, now).await
            })
            .await
        }
    }
}

fn in_json(stuck: &Stuck) -> Value {
    let (action, action_zh) = stuck.action();
    json!({
        "kind": stuck.kind, "object_id": stuck.object_id, "state": stuck.state, "since": stuck.since,
        "reason": stuck.reason, "network": stuck.network, "job": stuck.job_kind, "job_state": stuck.job_state,
        "job_code": stuck.job_code, "action": action, "action_zh": action_zh,
    })
}

fn in_row(stuck: &Stuck) -> [String; 7] {
    let (action, action_zh) = stuck.action();
    let job = stuck.job_kind.map(|kind| {
        let state = stuck.job_state.map_or("none", |state| state.word());
        format!("{kind} {state}")
    });
    [
        stuck.kind.to_string(),
        stuck.object_id.clone(),
        stuck.state.clone(),
        report::time(stuck.since),
        report::or_dash(stuck.reason.as_deref()),
        report::or_dash(job.as_deref()),
        format!("{action} {action_zh}"),
    ]
}
