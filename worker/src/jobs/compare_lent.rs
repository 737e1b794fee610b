//! The part of `operations.reconcile` that asks the chain: what each wallet lends to each receiver, against our books.
//!
//! A run compares a bounded number of receivers, slice by slice, and notes after each slice where it stopped. Every
//! wallet's turn comes within an hour.

use std::collections::BTreeSet;

use chain::{ChainClient, TronAddress};
use chrono::Duration;
use db::acquire;
use db::models::DueComparison;
use domain::reconcile::lent::{
    Compared, LentRead, LentSeen, compare, dead_delegates, differing, known_receivers, surely_held,
};
use metrics::counter;

use crate::environment::Environment;
use crate::error::WorkError;
use crate::queue::Outcome;
use crate::signer::address;

/// Receivers of one slice: one read, one commit.
const SLICE: usize = 25;
/// Receivers of one run; those that are left wait a little, so that the nodes have time for orders.
const BUDGET: usize = 200;
/// Wallets looked at in one run.
const WALLETS: i64 = 100;
/// The pause before a run that goes on.
const PAUSE: Duration = Duration::seconds(10);
/// A wallet's next round begins so long after the last one ended: it ends well within an hour of it.
const ROUND: Duration = Duration::minutes(45);

/// Compares what is due, on every network.
pub(super) async fn run(env: &Environment) -> Result<Outcome, WorkError> {
    let mut budget = BUDGET;
    let mut failed = None;
    let now = env.clock.now();
    for (name, network) in &env.networks {
        let due = {
            let mut conn = acquire(&env.pool).await?;
            if surely_held(&mut conn, name, 0, 0).await?.is_none() {
                continue; // unread or halted: its books say nothing sure
            }
            DueComparison::list(&mut conn, name, now - ROUND, WALLETS).await?
        };
        for wallet in due {
            // one wallet whose answers are no use must not keep the others waiting
            if let Err(error) = round(env, (name, &*network.chain), wallet, &mut budget).await {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "a wallet could not be compared"
                );
                failed = Some(error);
            }
            if budget == 0 {
                return Ok(Outcome::Again {
                    at: env.clock.now() + PAUSE,
                    code: "more",
                });
            }
        }
    }
    failed.map_or(Ok(Outcome::Done), Err)
}

/// Goes on with a wallet's round until it is over or the budget is used up.
async fn round(
    env: &Environment,
    (name, chain): (&str, &dyn ChainClient),
    wallet: DueComparison,
    budget: &mut usize,
) -> Result<(), WorkError> {
    let from = address(&wallet.address)?;
    let known = {
        let mut conn = acquire(&env.pool).await?;
        known_receivers(&mut conn, name, wallet.wallet_id).await?
    };
    // those that the chain names and we do not know are what this is about
    let borrowers = chain
        .borrowers(from)
        .await?
        .into_iter()
        .map(|borrower| borrower.to_string());
    let receivers: BTreeSet<String> = borrowers.chain(known).collect();
    let after = wallet.after_receiver.unwrap_or_default();
    let left: Vec<String> = receivers.into_iter().filter(|receiver| *receiver > after).collect();
    let mut slices = left.chunks(SLICE).peekable();
    loop {
        let slice = slices.next().unwrap_or_default();
        let read = LentRead {
            network: name.to_owned(),
            wallet: wallet.wallet_id,
            as_of_block: 0,
            seen: Vec::new(),
            after_receiver: slices.peek().and_then(|_| slice.last().cloned()),
        };
        let compared = one_slice(env, chain, from, slice, read).await?;
        *budget = budget.saturating_sub(slice.len().max(1));
        let count = |outcome, n: usize| {
            counter!("switchyard_lent_compared_total", "network" => name.to_owned(), "outcome" => outcome)
                .increment(u64::try_from(n).unwrap_or(u64::MAX));
        };
        count("equal", compared.equal);
        count("differ", compared.differ);
        if slices.peek().is_none() || *budget == 0 {
            return Ok(());
        }
    }
}

/// Reads one slice and compares it. What differs is read once more, in case a node was further behind than the margin.
async fn one_slice(
    env: &Environment,
    chain: &dyn ChainClient,
    from: TronAddress,
    receivers: &[String],
    mut read: LentRead,
) -> Result<Compared, WorkError> {
    let margin = env.policy.sync_margin_blocks;
    ask(chain, from, receivers, &mut read).await?;
    let suspects = {
        let mut conn = acquire(&env.pool).await?;
        differing(&mut conn, &read, margin).await?
    };
    if !suspects.is_empty() {
        ask(chain, from, receivers, &mut read).await?;
        for seen in &mut read.seen {
            if suspects.iter().any(|suspect| suspect.receiver == seen.receiver) {
                seen.landed = landed(env, chain, &read.network, read.wallet, &seen.receiver).await?;
            }
        }
    }
    Ok(compare(&env.pool, env.ids.as_ref(), &read, margin, env.clock.now()).await?)
}

async fn ask(
    chain: &dyn ChainClient,
    from: TronAddress,
    receivers: &[String],
    read: &mut LentRead,
) -> Result<(), WorkError> {
    let to: Vec<TronAddress> = receivers.iter().map(|text| address(text)).collect::<Result<_, _>>()?;
    let lent = chain.lent(from, &to).await?;
    let seen = receivers.iter().zip(lent.energy_sun).map(|(receiver, sun)| LentSeen {
        receiver: receiver.clone(),
        sun,
        landed: Vec::new(),
    });
    read.as_of_block = lent.as_of_block;
    read.seen = seen.collect();
    Ok(())
}

/// Which transactions of a pair that we hold for dead are in blocks all the same.
async fn landed(
    env: &Environment,
    chain: &dyn ChainClient,
    network: &str,
    wallet: uuid::Uuid,
    receiver: &str,
) -> Result<Vec<String>, WorkError> {
    let dead = {
        let mut conn = acquire(&env.pool).await?;
        dead_delegates(&mut conn, network, wallet, receiver).await?
    };
    let mut landed = Vec::new();
    for txid in dead {
        let id = txid
            .parse()
            .map_err(|_| WorkError::Broken(format!("{txid:?} is no txid")))?;
        if chain.solid_inclusion(id).await?.is_some() {
            landed.push(txid);
        }
    }
    Ok(landed)
}
