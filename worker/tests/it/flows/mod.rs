//! Whole flows, from the order to the money, and what goes wrong on the way.

mod broadcast;
mod chain;
mod delivery;
mod faults;
mod judged;
mod refusals;
mod wallets;
