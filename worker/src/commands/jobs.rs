//! `jobs`: what waits, runs and stopped; trying it again, and giving it up.

use anyhow::ensure;
use chrono::{DateTime, Utc};
use db::{Pool, trail};
use domain::operations::{drop_jobs, jobs_page, pause_queue, queues, redrive_jobs};
use jobs::Queue;
use jobs::operate::{JobFilter, JobRow, Standing};
use kernel::RandomIds;
use serde_json::{Value, json};
use settings::Settings;

use super::by_hand::ByHand;
use super::{print, report, setup};

/// What to do with jobs.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// How many jobs wait, run and are dead, per kind
    Status {
        /// Answer in JSON
        #[arg(long)]
        json: bool,
    },
    /// List jobs, those first that have stood longest
    List {
        #[command(flatten)]
        which: Which,
        /// Only those that wait, or run, longer than they should
        #[arg(long)]
        overdue: bool,
        /// At most so many
        #[arg(long, default_value_t = 100)]
        limit: usize,
        /// Answer in JSON
        #[arg(long)]
        json: bool,
    },
    /// Let dead jobs run again, or jobs that are for later run now
    Redrive {
        #[command(flatten)]
        which: Which,
        /// Everything that fits, not just one job
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        by: ByHand,
    },
    /// Begin no more jobs of a queue, on all workers; those that run go on
    Pause {
        /// E.g. `payouts`
        queue: Queue,
        /// Why
        #[arg(long)]
        reason: String,
        /// Who
        #[arg(long, env = "SWITCHYARD_OPERATOR")]
        operator: String,
    },
    /// Let a queue go on
    Resume {
        /// E.g. `payouts`
        queue: Queue,
        /// Who
        #[arg(long, env = "SWITCHYARD_OPERATOR")]
        operator: String,
    },
    /// Give dead jobs up, for a reason
    Drop {
        #[command(flatten)]
        which: Which,
        /// Everything that fits, not just one job
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        by: ByHand,
    },
}

/// Which jobs; those that fit everything that is given.
#[derive(Debug, clap::Args)]
pub struct Which {
    /// `dead`, `due`, `later` or `running`
    #[arg(long)]
    state: Option<Standing>,
    /// The kind, e.g. `orders.delegate`
    #[arg(long)]
    kind: Option<String>,
    /// The queue, e.g. `orders`
    #[arg(long)]
    queue: Option<String>,
    /// The id of the object that the job is about
    #[arg(long)]
    object: Option<String>,
    /// The code that it failed with last
    #[arg(long)]
    code: Option<String>,
}

impl Which {
    fn filter(self, overdue: bool) -> JobFilter {
        JobFilter {
            standing: self.state,
            overdue,
            kind: self.kind,
            queue: self.queue,
            object_id: self.object,
            code: self.code,
            ..JobFilter::default()
        }
    }

    /// For commands that change something: one job by its name, or all that fit if that is said.
    fn chosen(self, all: bool) -> anyhow::Result<JobFilter> {
        let one = self.kind.is_some() && self.object.is_some();
        ensure!(
            one || all,
            "name one job with --kind and --object, or say --all for everything that fits"
        );
        Ok(self.filter(false))
    }
}

pub(super) async fn run(settings: &Settings, command: Command) -> anyhow::Result<()> {
    let pool = setup::pool(settings)?;
    let now = setup::now(&pool).await?;
    print(&answer(&pool, command, now).await?);
    Ok(())
}

async fn answer(pool: &Pool, command: Command, now: DateTime<Utc>) -> anyhow::Result<String> {
    match command {
        Command::Pause {
            queue,
            reason,
            operator,
        } => {
            turn(pool, queue, (true, &reason), &operator, now).await?;
            Ok(format!("{queue} is paused on all workers; what runs goes on"))
        }
        Command::Resume { queue, operator } => {
            turn(pool, queue, (false, "ended"), &operator, now).await?;
            Ok(format!("{queue} goes on within seconds"))
        }
        Command::Status { json } => status(pool, json, now).await,
        Command::List {
            which,
            overdue,
            limit,
            json,
        } => list(pool, &which.filter(overdue), (limit, json), now).await,
        Command::Redrive { which, all, by } => {
            let (filter, instruction) = (which.chosen(all)?, by.instruction()?);
            by.carry_out("re-driven", async || {
                redrive_jobs(pool, &RandomIds, &instruction, &filter, now).await
            })
            .await
        }
        Command::Drop { which, all, by } => {
            let (filter, instruction) = (which.chosen(all)?, by.instruction()?);
            by.carry_out("dropped", async || {
                drop_jobs(pool, &RandomIds, &instruction, &filter, now).await
            })
            .await
        }
    }
}

async fn turn(pool: &Pool, queue: Queue, how: (bool, &str), operator: &str, now: DateTime<Utc>) -> anyhow::Result<()> {
    let actor = format!("operator:{operator}");
    trail::by(&actor, operator);
    pause_queue(pool, queue, how, &actor, now).await?;
    Ok(())
}

async fn status(pool: &Pool, as_json: bool, now: DateTime<Utc>) -> anyhow::Result<String> {
    let figures = queues(pool, now).await?;
    if as_json {
        let rows = figures.iter().map(|row| {
            json!({ "queue": row.queue, "kind": row.kind, "due": row.due, "oldest_due_seconds": row.oldest_due_seconds,
                "running": row.running, "later": row.later, "dead": row.dead })
        });
        return Ok(report::json(&Value::Array(rows.collect())));
    }
    let rows: Vec<_> = figures
        .into_iter()
        .map(|row| {
            let oldest = format!("{:.1}", row.oldest_due_seconds);
            let [due, running, later, dead] = [row.due, row.running, row.later, row.dead].map(|n| n.to_string());
            [row.queue, row.kind, due, oldest, running, later, dead]
        })
        .collect();
    let head = ["QUEUE", "KIND", "DUE", "OLDEST S", "RUNNING", "LATER", "DEAD"];
    Ok(report::table(head, &rows))
}

async fn list(
    pool: &Pool,
    filter: &JobFilter,
    (limit, as_json): (usize, bool),
    now: DateTime<Utc>,
) -> anyhow::Result<String> {
    const PAGE: usize = 500;
    let mut jobs: Vec<JobRow> = Vec::new();
    while jobs.len() < limit {
        let wanted = (limit - jobs.len()).min(PAGE);
        let after = jobs.last().map(JobRow::place);
        let page = jobs_page(pool, filter, after.as_ref(), i64::try_from(wanted)?, now).await?;
        let last = page.len() < wanted;
        jobs.extend(page);
        if last {
            break;
        }
    }
    if as_json {
        return Ok(report::json(&jobs.iter().map(in_json).collect()));
    }
    let head = ["STATE", "SINCE", "KIND", "OBJECT", "RUNS", "CODE", "ERROR"];
    Ok(report::table(head, &jobs.iter().map(in_row).collect::<Vec<_>>()))
}

fn in_json(job: &JobRow) -> Value {
    json!({
        "kind": job.kind, "object_id": job.object_id, "queue": job.queue, "state": job.standing, "overdue": job.overdue,
        "since": job.since, "runs": job.runs, "next_run_at": job.next_run_at, "created_at": job.created_at,
        "code": job.last_error_code, "error": job.last_error,
    })
}

fn in_row(job: &JobRow) -> [String; 7] {
    let overdue = if job.overdue { " overdue" } else { "" };
    [
        format!("{}{overdue}", job.standing),
        report::time(job.since),
        job.kind.clone(),
        job.object_id.clone(),
        job.runs.to_string(),
        report::or_dash(job.last_error_code.as_deref()),
        report::or_dash(job.last_error.as_deref()),
    ]
}

#[cfg(test)]
mod tests;
