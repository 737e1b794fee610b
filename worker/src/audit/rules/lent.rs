//! What wallets lend by the chain is what they lend by our books: as a whole, and receiver by receiver. What the chain
//! lends and our books do not know is a difference like any other.

use uuid::Uuid;

use crate::audit::complaint::{Complaint, Rule};
use crate::audit::evidence::{Books, LentOnChain, OnChain};

pub(super) fn of_wallets(books: &Books, chain: &OnChain) -> Vec<Complaint> {
    let mut complaints = stake(books, chain);
    complaints.extend(receivers(books, chain));
    complaints
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
        let booked = books.stake.get(wallet).copied().unwrap_or_default();
        if booked != *lent {
            let address = address(books, *wallet);
            let text = format!("wallet {address} has {lent} sun delegated on chain, {booked} in our books");
            complaints.push(Complaint::new(Rule::WalletStake, format!("wallet:{wallet}"), text));
        }
    }
    complaints
}

fn receivers(books: &Books, chain: &OnChain) -> Vec<Complaint> {
    let differing = chain.lent.iter().filter(|lent| !lent.booked.allow(lent.sun));
    let complaint = |lent: &LentOnChain| {
        let LentOnChain {
            wallet,
            receiver,
            sun,
            booked,
        } = lent;
        let booked = if booked.least == booked.most {
            booked.least.to_string()
        } else {
            format!("{} to {}", booked.least, booked.most)
        };
        let text = format!(
            "{} lends {sun} sun to {receiver}, {booked} in our books",
            address(books, *wallet)
        );
        Complaint::new(Rule::WalletLent, format!("wallet:{wallet}"), text)
    };
    differing.map(complaint).collect()
}
