//! `delegations`: takes into the books what the chain did against them.

use anyhow::{Context, ensure};
use chain::{BlockRef, TxId, TxOutcome};
use domain::delegations::{Adoption, adopt};
use kernel::RandomIds;
use settings::Settings;

use super::{print, setup};
use crate::nodes;

/// What to do with delegations.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Take a transaction into the books that was held for dead and is in a solidified block; what it delegated is taken
    /// back at once
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
    let at = block_of(settings, txid).await?;
    let pool = setup::pool(settings)?;
    match adopt(
        &pool,
        &RandomIds,
        &txid.to_string(),
        &at,
        &operator,
        setup::clock().now(),
    )
    .await?
    {
        Adoption::Adopted { .. } => print(&format!("adopted, as of block {}", at.number)),
        Adoption::Refused(why) => anyhow::bail!("not adopted: {why}"),
    }
    Ok(())
}

/// The solidified block in which it took effect.
async fn block_of(settings: &Settings, txid: TxId) -> anyhow::Result<BlockRef> {
    for network in nodes::networks(settings, &setup::clock())?.values() {
        let Some(found) = network.chain.solid_inclusion(txid).await? else {
            continue;
        };
        ensure!(found.outcome == TxOutcome::Ok, "it is in a block and did nothing");
        let block = network.chain.block_ref(found.block_number).await?;
        return block.context("the nodes do not have its block");
    }
    anyhow::bail!("no solidified block carries it")
}
