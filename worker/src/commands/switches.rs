//! `maintenance`: stops or allows new orders; `payouts stop` and `payouts go` do so with payouts.

use db::models::Switch;
use db::{run_tx, trail};
use domain::DomainError;
use serde_json::json;
use settings::Settings;

use super::{print, setup};

/// What to do with the maintenance switch.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Accept no new orders; running ones finish
    On {
        /// Why
        #[arg(long)]
        reason: String,
        /// Who
        #[arg(long)]
        operator: String,
    },
    /// Accept orders again
    Off {
        /// Who
        #[arg(long)]
        operator: String,
    },
}

pub(super) async fn run(settings: &Settings, command: Command) -> anyhow::Result<()> {
    let (enabled, reason, operator) = match command {
        Command::On { reason, operator } => (true, reason, operator),
        Command::Off { operator } => (false, "ended".to_owned(), operator),
    };
    throw(settings, Switch::MAINTENANCE, (enabled, reason), &operator).await?;
    print(if enabled {
        "new orders are stopped"
    } else {
        "orders are accepted"
    });
    Ok(())
}

/// Throws a switch.
pub(super) async fn throw(
    settings: &Settings,
    name: &str,
    (enabled, reason): (bool, String),
    operator: &str,
) -> anyhow::Result<()> {
    let switch = Switch {
        name: name.to_owned(),
        enabled,
        reason,
        actor: format!("operator:{operator}"),
        updated_at: setup::clock().now(),
    };
    trail::by(&switch.actor, operator);
    let pool = setup::pool(settings)?;
    let thrown = run_tx(&pool, "throw_switch", async |conn| {
        let was = Switch::is_on(conn, &switch.name).await?;
        trail::changed(
            || json!({ "switch": switch.name, "before": was, "after": switch.enabled, "reason": switch.reason }),
        );
        Ok::<_, DomainError>(switch.throw(conn).await?)
    });
    Ok(thrown.await?)
}
