//! What is under `/api`.

mod orders;
mod prices;
mod supplier_wallets;
mod users;
mod wallets;
