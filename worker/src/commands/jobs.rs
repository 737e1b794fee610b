//! `jobs`: what waits, and what stopped.

use anyhow::Context;
use db::acquire;
use jobs::{DeadFilter, DropRequest, JobKind, drop_with_reason, list_dead, queue_figures, redrive, redrive_all};
use settings::Settings;

use super::{print, setup};

/// What to do with jobs.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// How many jobs wait, run and are dead, per kind
    Status,
    /// Dead jobs, newest first
    Dead {
        /// Only this kind, e.g. `orders.delegate`
        #[arg(long)]
        kind: Option<String>,
    },
    /// Let a dead job run again; without an object, all of the kind
    Redrive {
        /// The kind
        kind: String,
        /// The object's id
        object: Option<String>,
    },
    /// Give a dead job up
    Drop {
        /// The kind
        kind: String,
        /// The object's id
        object: String,
        /// Who
        #[arg(long)]
        operator: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
}

pub(super) async fn run(settings: &Settings, command: Command) -> anyhow::Result<()> {
    let pool = setup::pool(settings)?;
    let now = setup::clock().now();
    let mut conn = acquire(&pool).await?;
    match command {
        Command::Status => {
            for row in queue_figures(&mut conn, now).await? {
                print(&format!(
                    "{:<12} {:<28} due {:>6} (oldest {:.1} s)  running {:>4}  later {:>6}  dead {:>4}",
                    row.queue, row.kind, row.due, row.oldest_due_seconds, row.running, row.later, row.dead
                ));
            }
        }
        Command::Dead { kind } => {
            let kind = kind.as_deref().map(parse).transpose()?;
            for job in list_dead(
                &mut conn,
                &DeadFilter {
                    kind,
                    after: None,
                    limit: 100,
                },
            )
            .await?
            {
                let why = job.last_error.as_deref().unwrap_or_default();
                let code = job.last_error_code.as_deref().unwrap_or("-");
                print(&format!(
                    "{}  {}  {}  runs {}  {code}: {why}",
                    job.dead_at, job.kind, job.object_id, job.runs
                ));
            }
        }
        Command::Redrive {
            kind,
            object: Some(object),
        } => {
            let found = redrive(&mut conn, parse(&kind)?, &object, now).await?;
            print(if found { "re-driven" } else { "no such dead job" });
        }
        Command::Redrive { kind, object: None } => {
            print(&format!(
                "{} re-driven",
                redrive_all(&mut conn, parse(&kind)?, now).await?
            ));
        }
        Command::Drop {
            kind,
            object,
            operator,
            reason,
        } => {
            let request = DropRequest {
                kind: parse(&kind)?,
                object_id: &object,
                by: &operator,
                reason: &reason,
            };
            let found = drop_with_reason(&mut conn, request).await?;
            print(if found { "dropped" } else { "no such dead job" });
        }
    }
    Ok(())
}

fn parse(kind: &str) -> anyhow::Result<JobKind> {
    kind.parse()
        .map_err(|_| anyhow::anyhow!("unknown kind"))
        .with_context(|| {
            let known: Vec<&str> = JobKind::ALL.iter().map(|kind| kind.word()).collect();
            format!("{kind:?} is none of {}", known.join(", "))
        })
}
