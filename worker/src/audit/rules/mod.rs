//! The rules: evidence in, complaints out. Pure, so that each can be shown to complain.

mod house;
mod landed;
mod lent;
mod orders;
mod payouts;
mod stakings;
mod sweeps;
#[cfg(test)]
mod tests;
mod transactions;

use std::collections::BTreeMap;

use db::models::ChainCursor;
use uuid::Uuid;

use super::complaint::Complaint;
use super::evidence::{Books, Case, OnChain, PayoutCase, Rigour, StakeCase, SweepCase};

/// What a rule about one order has to know beside it.
pub(super) struct Context<'a> {
    pub(super) rigour: &'a Rigour,
    pub(super) networks: &'a BTreeMap<String, ChainCursor>,
    pub(super) wallets: &'a BTreeMap<Uuid, String>,
}

/// What our books alone say of one order.
pub(super) fn of_case(case: &Case, context: &Context<'_>) -> Vec<Complaint> {
    let mut complaints = orders::of_case(case, context);
    complaints.extend(transactions::of_case(case, context));
    complaints
}

/// What our books alone say of one payout.
pub(super) fn of_payout(case: &PayoutCase, context: &Context<'_>) -> Vec<Complaint> {
    payouts::of_case(case, context)
}

/// What our books alone say of one sweep.
pub(super) fn of_sweep(case: &SweepCase, context: &Context<'_>) -> Vec<Complaint> {
    sweeps::of_case(case, context)
}

/// What our books alone say of one staking.
pub(super) fn of_staking(case: &StakeCase, context: &Context<'_>) -> Vec<Complaint> {
    stakings::of_case(case, context)
}

/// What our books alone say of the house.
pub(super) fn of_house(books: &Books, rigour: &Rigour) -> Vec<Complaint> {
    house::of_books(books, rigour)
}

/// Our books against the chain.
pub(super) fn of_chain(books: &Books, chain: &OnChain, rigour: &Rigour) -> Vec<Complaint> {
    let mut complaints = landed::of_chain(chain, rigour);
    for case in &books.cases {
        complaints.extend(landed::of_case(case, books, chain, rigour));
    }
    for case in &books.payouts {
        complaints.extend(payouts::of_chain(case, books, chain, rigour));
    }
    for case in &books.sweeps {
        complaints.extend(sweeps::of_chain(case, books, chain, rigour));
    }
    for case in &books.stakings {
        complaints.extend(stakings::of_chain(case, books, chain, rigour));
    }
    complaints.extend(lent::of_wallets(books, chain));
    complaints
}
