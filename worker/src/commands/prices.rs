//! `prices`: publishes a table and shows the current one.

use std::path::PathBuf;

use anyhow::Context;
use db::acquire;
use db::models::{PriceBand, PriceVersion};
use domain::pricing::{self, Band};
use kernel::RandomIds;
use settings::Settings;

use super::{print, setup};

/// What to do with prices.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Publish a table from a JSON file: a list of bands, see docs/OPERATIONS.md
    Publish {
        /// The file
        file: PathBuf,
        /// Why
        #[arg(long)]
        note: String,
        /// Who
        #[arg(long)]
        operator: String,
    },
    /// Show the current table
    Show,
}

pub(super) async fn run(settings: &Settings, command: Command) -> anyhow::Result<()> {
    let pool = setup::pool(settings)?;
    match command {
        Command::Publish { file, note, operator } => {
            let text = std::fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
            let bands: Vec<Band> =
                serde_json::from_str(&text).with_context(|| format!("{} is no price table", file.display()))?;
            let actor = format!("operator:{operator}");
            db::trail::by(&actor, &operator);
            let now = setup::now(&pool).await?;
            let version = pricing::publish(&pool, &RandomIds, &bands, (&note, &actor), now).await?;
            print(&format!("published version {version}"));
        }
        Command::Show => {
            let mut conn = acquire(&pool).await?;
            let version = PriceVersion::current(&mut conn)
                .await?
                .context("no price table is published")?;
            print(&format!(
                "version {} of {} by {}: {}",
                version.id, version.published_at, version.actor, version.note
            ));
            for band in PriceBand::of_version(&mut conn, version.id).await? {
                print(&format!(
                    "{:>12}..{:<12} energy  {:>9}..{:<9} s  {} millisun per energy",
                    band.energy_min,
                    band.energy_max,
                    band.duration_min_s,
                    band.duration_max_s,
                    band.price_millisun_per_energy
                ));
            }
        }
    }
    Ok(())
}
