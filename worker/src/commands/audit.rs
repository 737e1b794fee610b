//! `audit`: the judge over the books and the chain; `audit verify`: the proof of the audit trail. Both only read. Exit code 0:
//! nothing is wrong; 1: something is; 2: it could not look.

use std::ops::RangeInclusive;
use std::process::ExitCode;

use anyhow::Context;
use chain::ChainClient;
use chrono::TimeDelta;
use settings::Settings;

use super::{print, setup, trail};
use crate::audit::{self, AuditReport, AuditScope, Look};
use crate::nodes;

/// What to judge.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Args {
    #[command(subcommand)]
    trail: Option<trail::Command>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Compare with these blocks, read whole, e.g. `70000000..70000500`
    #[arg(long, value_parser = parse_blocks, conflicts_with = "hours")]
    blocks: Option<RangeInclusive<i64>>,
    /// Ask the nodes for every transaction of the last hours
    #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u16).range(1..=8_760))]
    hours: u16,
    /// Nothing may be open any more: all orders ended, all workers idle
    #[arg(long)]
    at_rest: bool,
}

/// The exit code of a command that found something wrong.
const COMPLAINTS: u8 = 1;
/// The exit code of an audit that could not look.
pub(super) const COULD_NOT_LOOK: u8 = 2;

pub(super) async fn run(settings: &Settings, args: Args) -> anyhow::Result<ExitCode> {
    let clean = match args.trail {
        Some(command) => trail::run(settings, command).await?,
        None => judge(settings, args).await?,
    };
    Ok(if clean {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(COMPLAINTS)
    })
}

async fn judge(settings: &Settings, args: Args) -> anyhow::Result<bool> {
    let clock = setup::clock();
    let pool = setup::pool(settings)?;
    let networks = nodes::networks(settings, &clock)?;
    let chains: Vec<&dyn ChainClient> = networks.values().map(|network| &*network.chain).collect();
    let scope = AuditScope {
        look: args
            .blocks
            .map_or(Look::Lately(TimeDelta::hours(args.hours.into())), Look::Blocks),
        at_rest: args.at_rest,
        ..AuditScope::live(i64::from(settings.pool.sync_margin_blocks))
    };
    let report = audit::run(&pool, &chains, &scope, clock.now()).await?;
    if args.json {
        print(&serde_json::to_string_pretty(&report)?);
    } else {
        show(&report);
    }
    Ok(report.is_clean())
}

fn show(report: &AuditReport) {
    for complaint in &report.complaints {
        print(&format!("{complaint}\n         → {}", complaint.action));
    }
    if report.left_out > 0 {
        print(&format!(
            "{} transactions were not looked up: ask for fewer hours, or for blocks",
            report.left_out
        ));
    }
    print(&format!(
        "{} complaints; {} orders, {} payouts, {} transactions ({} on chain), {} wallets, {} receivers",
        report.complaints.len(),
        report.orders,
        report.payouts,
        report.transactions,
        report.landed,
        report.wallets,
        report.pairs
    ));
}

fn parse_blocks(text: &str) -> anyhow::Result<RangeInclusive<i64>> {
    let (from, to) = text.split_once("..").context("two block numbers with `..` between")?;
    let (from, to): (i64, i64) = (from.parse()?, to.parse()?);
    anyhow::ensure!(1 <= from && from <= to, "the first block comes first");
    Ok(from..=to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_two_numbers_in_order() {
        assert_eq!(parse_blocks("7..9").unwrap(), 7..=9);
        for wrong in ["", "7", "9..7", "0..3", "a..b", "1..", "7...9"] {
            assert!(parse_blocks(wrong).is_err(), "{wrong}");
        }
    }
}
