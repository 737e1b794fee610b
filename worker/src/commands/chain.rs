//! `chain`: how far networks are read, and reading on after a halt.

use db::acquire;
use db::models::ChainCursor;
use settings::Settings;

use super::{print, setup};

/// What to do with networks.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// How far each network is read
    Status,
    /// Read on after a halt, once its cause is understood
    Resume {
        /// The network's name
        network: String,
    },
}

pub(super) async fn run(settings: &Settings, command: Command) -> anyhow::Result<()> {
    let pool = setup::pool(settings)?;
    match command {
        Command::Status => {
            let mut conn = acquire(&pool).await?;
            for cursor in ChainCursor::list(&mut conn).await? {
                let state = cursor
                    .halted_reason
                    .map_or("reading".to_owned(), |reason| format!("HALTED: {reason}"));
                print(&format!(
                    "{}  head {} ({})  solid {}  tip {}  {state}",
                    cursor.network, cursor.head_number, cursor.head_time, cursor.solid_number, cursor.tip_number
                ));
            }
        }
        Command::Resume { network } => {
            domain::watch::resume(&pool, &network, setup::now(&pool).await?).await?;
            print("resumed");
        }
    }
    Ok(())
}
