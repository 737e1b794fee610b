//! What wallets lend by the chain is what they lend by our books: as a whole, and receiver by receiver. What the chain
//! lends and our books do not know is a difference like any other.

use std::collections::BTreeMap;

use db::models::ChainCursor;
use domain::reconcile::LentByBooks;
use uuid::Uuid;

use crate::audit::complaint::{Complaint, Rule};
use crate::audit::evidence::{Books, OnChain, Rigour};

pub(super) fn of_wallets(books: &Books, chain: &OnChain, rigour: &Rigour) -> Vec<Complaint> {
    let mut complaints = stake(books, chain);
    complaints.extend(receivers(books, chain, rigour));
    complaints
}

/// Blocks that a read may be behind ours: less than an hour.
const HORIZON: i64 = 1_000;

/// What was undone up to this block need not be known any more.
pub(in crate::audit) fn horizon(cursor: &ChainCursor) -> i64 {
    (cursor.solid_number - HORIZON).max(0)
}

fn address(books: &Books, wallet: Uuid) -> String {
    books
        .wallets
        .get(&wallet)
        .cloned()
        .unwrap_or_else(|| wallet.to_string())
}

fn stake(books: &Books, chain: &OnChain) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for (wallet, lent) in &chain.stake {
        let of_wallet = books.lent.values().flatten().filter(|row| row.wallet == *wallet);
        let booked: i64 = of_wallet.map(|row| row.lent_sun).sum();
        if booked != *lent {
            let address = address(books, *wallet);
            let text = format!("wallet {address} has {lent} sun delegated on chain, {booked} in our books");
            complaints.push(Complaint::new(Rule::WalletStake, format!("wallet:{wallet}"), text));
        }
    }
    complaints
}

/// Only pairs in which nothing moved around the read are compared: see `domain::reconcile::lent` for why that suffices.
/// A read below the horizon of what was read of the books says nothing at all.
fn receivers(books: &Books, chain: &OnChain, rigour: &Rigour) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for (network, rows) in &books.lent {
        let horizon = books.networks.get(network).map_or(0, horizon);
        let booked: BTreeMap<(Uuid, &str), &LentByBooks> = rows
            .iter()
            .map(|row| ((row.wallet, row.receiver.as_str()), row))
            .collect();
        for lent in chain.lent.iter().filter(|lent| lent.network == *network) {
            let row = booked.get(&(lent.wallet, lent.receiver.as_str()));
            let surely_seen = lent.as_of_block - rigour.margin_blocks;
            let settled = surely_seen >= horizon && row.is_none_or(|row| row.is_settled_at(surely_seen));
            let booked = row.map_or(0, |row| row.lent_sun);
            if !settled || booked == lent.sun {
                continue;
            }
            let subject = format!("wallet:{}", lent.wallet);
            let text = format!(
                "{} lends {} sun to {}, {booked} in our books",
                address(books, lent.wallet),
                lent.sun,
                lent.receiver
            );
            complaints.push(Complaint::new(Rule::WalletLent, subject, text));
        }
    }
    complaints
}
