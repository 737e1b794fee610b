//! Whole flows, from the order to the money, and what goes wrong on the way.

mod audit_trail;
mod broadcast;
mod chain;
mod clocks;
mod completeness;
mod delivery;
mod deposits;
mod faults;
mod judged;
mod keys;
mod lent;
mod midway;
mod outages;
mod parts;
mod payouts;
mod pool;
mod races;
mod rates;
mod refusals;
mod rentals;
mod sends;
mod stakings;
mod standing;
mod sweeps;
mod wallets;
mod webhooks;
