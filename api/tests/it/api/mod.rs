//! What is under `/api`.

mod deposits;
mod exchanges;
mod narrowed;
mod operations;
mod orders;
mod payouts;
mod pool;
mod prices;
mod quotes;
mod rentals;
mod supplier_wallets;
mod unchanged;
mod users;
mod wallets;
mod webhooks;
