//! Asks the chain about what our books say. Holds no transaction.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use chain::{ChainClient, ChainError, TronAddress};
use chrono::TimeDelta;
use db::models::{ChainTransaction, TxState};
use db::{Pool, acquire};
use domain::reconcile::lent::{known_receivers, lent_bounds, surely_held};
use futures::{StreamExt, TryStreamExt};
use uuid::Uuid;

use super::books::Window;
use super::evidence::{Books, LentOnChain, OnChain, Rigour, Seen};
use super::{AuditScope, Look};
use crate::error::WorkError;
use crate::signer::address;

/// Blocks of one call.
const BLOCKS: i64 = 100;
/// Receivers of one call.
const RECEIVERS: usize = 50;
/// Questions on their way at a time, so that the workers' own are not held up.
const IN_FLIGHT: usize = 8;
/// Transactions asked about one by one at most.
const LOOKUPS: usize = 20_000;
/// No transaction lives longer than this, on any network.
const LONGEST_LIFE: TimeDelta = TimeDelta::hours(24);

/// Which transactions the scope is about.
pub(super) async fn window(
    chains: &[&dyn ChainClient],
    scope: &AuditScope,
    rigour: &Rigour,
) -> Result<Window, WorkError> {
    let range = match &scope.look {
        Look::Everything => {
            return Ok(Window {
                from: None,
                until: None,
            });
        }
        Look::Lately(age) => {
            return Ok(Window {
                from: Some(rigour.now - *age),
                until: None,
            });
        }
        Look::Blocks(range) => range,
    };
    let (mut from, mut until) = (None, None);
    for chain in chains {
        let (Some(first), Some(last)) = (
            chain.block_ref(*range.start()).await?,
            chain.block_ref(*range.end()).await?,
        ) else {
            let text = format!("{} has no blocks {} to {}", chain.network(), range.start(), range.end());
            return Err(WorkError::Broken(text));
        };
        // in a block is only what had not expired before it, and was not signed after it
        from = from.map_or(Some(first.time), |from| Some(first.time.min(from)));
        let latest = last.time + LONGEST_LIFE;
        until = until.map_or(Some(latest), |until| Some(latest.max(until)));
    }
    Ok(Window { from, until })
}

/// What the chain says.
pub(super) async fn ask(
    pool: &Pool,
    chains: &[&dyn ChainClient],
    books: &Books,
    scope: &AuditScope,
    rigour: &Rigour,
) -> Result<OnChain, WorkError> {
    let mut found = OnChain::default();
    for chain in chains {
        let of_orders = books.cases.iter().flat_map(|case| &case.transactions);
        let transactions = of_orders
            .chain(books.payouts.iter().flat_map(|case| &case.transactions))
            .chain(books.sweeps.iter().flat_map(|case| &case.transactions))
            .chain(books.stakings.iter().flat_map(|case| &case.transactions));
        let ours: Vec<&ChainTransaction> = transactions.filter(|tx| tx.network == chain.network()).collect();
        match &scope.look {
            Look::Everything => everything(*chain, &ours, &mut found).await?,
            Look::Lately(_) => one_by_one(*chain, ours, &mut found).await?,
            Look::Blocks(range) => blocks(*chain, &ours, range, &mut found).await?,
        }
        lent(pool, *chain, books, rigour.margin_blocks, &mut found).await?;
        if rigour.at_rest {
            for (id, wallet) in &books.lenders {
                let snapshot = chain.wallet_snapshot(address(wallet)?).await?;
                *found.stake.entry(*id).or_default() += snapshot.delegated_energy_sun;
            }
        }
    }
    Ok(found)
}

/// Every transaction of the blocks `range` that there are.
async fn carried(
    chain: &dyn ChainClient,
    range: RangeInclusive<i64>,
    mut each: impl FnMut(String, Seen),
) -> Result<i64, ChainError> {
    let (mut from, last) = (*range.start(), *range.end());
    while from <= last {
        let blocks = chain.blocks(from, last.min(from + BLOCKS - 1)).await?;
        let Some(block) = blocks.last() else { break };
        from = block.at.number + 1;
        for block in &blocks {
            for seen in &block.transactions {
                let landed = Seen::Landed {
                    block: block.at.number,
                    outcome: seen.outcome,
                };
                each(seen.txid.to_string(), landed);
            }
        }
    }
    Ok(from - 1)
}

/// All blocks from the first one on: nothing is missed, and nothing is forgotten. For small chains.
async fn everything(chain: &dyn ChainClient, ours: &[&ChainTransaction], found: &mut OnChain) -> Result<(), WorkError> {
    let head = chain.head().await?.number;
    let mut landed: BTreeMap<String, Seen> = BTreeMap::new();
    carried(chain, 1..=head, |txid, seen| {
        if landed.insert(txid.clone(), seen).is_some() {
            found.twice.push(txid);
        }
    })
    .await?;
    for tx in ours {
        let seen = landed.remove(&tx.txid).unwrap_or(Seen::Absent);
        found.seen.insert(tx.txid.clone(), seen);
    }
    found.strangers.extend(landed.into_keys());
    Ok(())
}

/// What of ours is in these blocks. What is not in them, and not booked there, may be elsewhere.
async fn blocks(
    chain: &dyn ChainClient,
    ours: &[&ChainTransaction],
    range: &RangeInclusive<i64>,
    found: &mut OnChain,
) -> Result<(), WorkError> {
    let known: BTreeSet<&str> = ours.iter().map(|tx| tx.txid.as_str()).collect();
    let read_to = carried(chain, range.clone(), |txid, seen| {
        if known.contains(txid.as_str()) && found.seen.insert(txid.clone(), seen).is_some() {
            found.twice.push(txid);
        }
    })
    .await?;
    for tx in ours {
        let booked_here = tx
            .block_number
            .is_some_and(|number| *range.start() <= number && number <= read_to);
        if booked_here && !found.seen.contains_key(&tx.txid) {
            found.seen.insert(tx.txid.clone(), Seen::Absent);
        }
    }
    Ok(())
}

/// Each transaction by its id, in solidified blocks. What is newer than those is not asked about.
async fn one_by_one(
    chain: &dyn ChainClient,
    mut ours: Vec<&ChainTransaction>,
    found: &mut OnChain,
) -> Result<(), WorkError> {
    ours.retain(|tx| tx.state != TxState::Included);
    ours.sort_by_key(|tx| std::cmp::Reverse(tx.expires_at));
    found.left_out += ours.len().saturating_sub(LOOKUPS);
    ours.truncate(LOOKUPS);
    let questions = ours.into_iter().map(|tx| async {
        let txid = tx.txid.parse();
        let txid = txid.map_err(|_| WorkError::Broken(format!("{:?} is no txid", tx.txid)))?;
        let inclusion = chain.solid_inclusion(txid).await?;
        let seen = inclusion.map_or(Seen::Absent, |inclusion| Seen::Landed {
            block: inclusion.block_number,
            outcome: inclusion.outcome,
        });
        Ok::<_, WorkError>((tx.txid.clone(), seen))
    });
    let answers: Vec<(String, Seen)> = futures::stream::iter(questions)
        .buffer_unordered(IN_FLIGHT)
        .try_collect()
        .await?;
    found.seen.extend(answers);
    Ok(())
}

/// What every wallet lends: to whom our books say, and to whom the chain says. The books are asked after the chain, by
/// statements of their own: see `domain::reconcile::lent`.
async fn lent(
    pool: &Pool,
    chain: &dyn ChainClient,
    books: &Books,
    margin_blocks: i64,
    found: &mut OnChain,
) -> Result<(), WorkError> {
    let wallets = books.lenders.iter();
    let wallets = wallets.map(|(id, text)| async { lent_by(pool, chain, (*id, text.as_str()), margin_blocks).await });
    let answers: Vec<Vec<LentOnChain>> = futures::stream::iter(wallets)
        .buffer_unordered(IN_FLIGHT)
        .try_collect()
        .await?;
    found.lent.extend(answers.into_iter().flatten());
    Ok(())
}

async fn lent_by(
    pool: &Pool,
    chain: &dyn ChainClient,
    (wallet, text): (Uuid, &str),
    margin_blocks: i64,
) -> Result<Vec<LentOnChain>, WorkError> {
    let (name, from) = (chain.network(), address(text)?);
    let known = {
        let mut conn = acquire(pool).await?;
        known_receivers(&mut conn, name, wallet).await?
    };
    let mut receivers: BTreeSet<TronAddress> = chain.borrowers(from).await?.into_iter().collect();
    for receiver in known {
        receivers.insert(address(&receiver)?);
    }
    let receivers: Vec<TronAddress> = receivers.into_iter().collect();
    let mut rows = Vec::with_capacity(receivers.len());
    for some in receivers.chunks(RECEIVERS) {
        let answer = chain.lent(from, some).await?;
        let texts: Vec<String> = some.iter().map(ToString::to_string).collect();
        let mut conn = acquire(pool).await?;
        let Some(block) = surely_held(&mut conn, name, answer.as_of_block, margin_blocks).await? else {
            return Ok(Vec::new());
        };
        let bounds = lent_bounds(&mut conn, name, wallet, &texts, block).await?;
        let booked = |receiver: &str| bounds.get(receiver).copied().unwrap_or_default();
        rows.extend(
            texts
                .into_iter()
                .zip(answer.energy_sun)
                .map(|(receiver, sun)| LentOnChain {
                    wallet,
                    booked: booked(&receiver),
                    receiver,
                    sun,
                }),
        );
    }
    Ok(rows)
}

/// How many of the transactions asked about the chain carries.
pub(super) fn landed_count(chain: &OnChain) -> usize {
    let landed = chain.seen.values().filter(|seen| **seen != Seen::Absent);
    landed.count()
}
