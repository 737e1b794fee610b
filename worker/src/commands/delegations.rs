//! `delegations`: takes into the books what the chain did against them.

use anyhow::Context;
use chain::{Block, TxId};
use domain::delegations::{Adoption, adopt};
use kernel::RandomIds;
use settings::Settings;

use super::{print, setup};
use crate::nodes;

/// What to do with delegations.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Take a transaction into the books that was held for dead, or missing in its block when that was read, and that a
    /// solidified block carries; what one that was held for dead delegated is taken back at once
    Adopt {
        /// Its id, 64 hex digits, as the finding names it
        txid: TxId,
        /// Who
        #[arg(long)]
        operator: String,
    },
}

pub(super) async fn run(settings: &Settings, command: Command) -> anyhow::Result<()> {
    let Command::Adopt { txid, operator } = command;
    let block = block_of(settings, txid).await?;
    let pool = setup::pool(settings)?;
    let name = txid.to_string();
    let named = (name.as_str(), &block);
    match adopt(&pool, &RandomIds, named, &operator, setup::now(&pool).await?).await? {
        Adoption::Adopted { .. } => print(&format!("adopted, as of block {}", block.at.number)),
        Adoption::Refused(why) => anyhow::bail!("not adopted: {why}"),
    }
    Ok(())
}

/// The solidified block that carries it, whole.
async fn block_of(settings: &Settings, txid: TxId) -> anyhow::Result<Block> {
    for network in nodes::networks(settings, &setup::clock())?.values() {
        let chain = &network.chain;
        let Some(found) = chain.solid_inclusion(txid).await? else {
            continue;
        };
        let mut blocks = chain.solid_blocks(found.block_number, found.block_number).await?;
        return blocks.pop().context("the nodes do not have its block");
    }
    anyhow::bail!("no solidified block carries it")
}
