//! What every request passes: what browsers are told outermost, then observation, then bounds, then (per route) the guard.

mod audit;
mod bounds;
mod browsers;
mod client;
mod guard;
mod key_cache;
mod no_query;
mod observe;
mod rate_limit;
mod signature;
pub(crate) mod unchanged;

pub(crate) use bounds::bounds;
pub(crate) use browsers::browsers;
pub(crate) use guard::{Caller, Client, Guarded, Needs, guard, need, presented};
pub(crate) use key_cache::{KeyCache, authenticate as still};
pub(crate) use no_query::no_query;
pub(crate) use observe::{Plain, observe};
pub(crate) use rate_limit::RateLimits;

#[cfg(test)]
mod tests;
