//! What is under `/api`.

mod operations;
mod orders;
mod prices;
mod supplier_wallets;
mod users;
mod wallets;
mod webhooks;
