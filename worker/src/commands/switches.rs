//! `maintenance`: stops or allows new orders; `payouts stop` and `payouts go` do so with payouts.

use db::models::Switch;
use db::trail;
use domain::operations::throw_switch;
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
    let actor = format!("operator:{operator}");
    trail::by(&actor, operator);
    let pool = setup::pool(settings)?;
    throw_switch(&pool, name, (enabled, &reason), &actor, setup::now(&pool).await?).await?;
    Ok(())
}
