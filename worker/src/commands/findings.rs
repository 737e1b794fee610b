//! `findings`: what waits for an operator.

use db::acquire;
use db::models::{Finding, Severity};
use settings::Settings;

use super::{print, setup};

/// What to do with findings.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Open findings, the worst first
    List,
    /// Close one by hand
    Resolve {
        /// Its kind
        kind: String,
        /// Its subject
        subject: String,
        /// Who
        #[arg(long)]
        operator: String,
    },
}

pub(super) async fn run(settings: &Settings, command: Command) -> anyhow::Result<()> {
    let pool = setup::pool(settings)?;
    let mut conn = acquire(&pool).await?;
    match command {
        Command::List => {
            let mut open = Finding::open(&mut conn, 500).await?;
            open.sort_by_key(|finding| match finding.severity {
                Severity::Critical => 0,
                Severity::Warning => 1,
                Severity::Info => 2,
            });
            for finding in open {
                print(&format!(
                    "{:<8} {}  {}  seen {}×, last {}\n         {}\n         → {}",
                    finding.severity.word(),
                    finding.kind,
                    finding.subject,
                    finding.times_seen,
                    finding.last_seen_at,
                    finding.detail,
                    finding.action
                ));
            }
        }
        Command::Resolve {
            kind,
            subject,
            operator,
        } => {
            let by = format!("operator:{operator}");
            let found = Finding::resolve(&mut conn, &kind, &subject, &by, setup::clock().now()).await?;
            print(if found { "resolved" } else { "no such open finding" });
        }
    }
    Ok(())
}
