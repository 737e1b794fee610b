//! Private keys in the worker: how they come in, how they lie at rest, how they are opened and for how long.
//!
//! ```text
//!  at rest, one row per wallet (table wallet_keys)                        never in the database
//!  ┌──────────────────────────────────────────────────────────────┐      ┌──────────────────────────┐
//!  │ wrapped_data_key = nonce ‖ AES-256-GCM(data key)  ◀── under ─┼──────┤ master key (number n)    │
//!  │     bound to wallet id, address, n                           │      │ environment, file, or    │
//!  │ ciphertext = nonce ‖ AES-256-GCM(private key)                │      │ PBKDF2 of a passphrase   │
//!  │     under the data key; bound to wallet id, address          │      └──────────────────────────┘
//!  └──────────────────────────────────────────────────────────────┘
//!
//!  in:   sealed import ── import private key ──▶ ImportSecret ── resolve ──▶ PrivateKey ── wrap ──▶ WrappedKey
//!  use:  WrappedKey ── open ──▶ PrivateKey in the KeyCache (bounded in number and in time) ──▶ signature
//!  rotation: only the data key is wrapped anew; the ciphertext of the private key stays as it is
//! ```
//!
//! The account that addresses of customers are derived from lies at rest in the same form (table deposit_account_keys), bound
//! to its fingerprint; a child key is derived when it is to sign.
//!
//! Each wallet has a data key of its own, used once. What is bound as associated data makes a value that was edited,
//! or moved to another wallet's row, fail to open instead of opening as the wrong key; the address is compared once
//! more after opening. The number and the right value of the master key are told at the start by its check value.
//!
//! Only the worker links this crate. Keys that it holds are zeroized when dropped and redacted in `Debug`; nothing
//! secret is in an error. `ring` keeps the AES key schedule of a running operation on the stack and does not clear
//! it: a core dump of a worker is as secret as its keys.

mod account;
mod aead;
mod cache;
mod envelope;
mod error;
mod generate;
#[cfg(test)]
mod golden;
mod import;
mod master;
mod random;

pub use account::WrappedAccount;
pub use cache::KeyCache;
pub use envelope::{KeyOwner, WrappedKey};
pub use error::KeyringError;
pub use generate::{MAX_BATCH, generate_batch};
pub use import::{ImportPrivateKey, generate_import_keypair, open_import, open_webhook_secret, resolve};
pub use master::{Derivation, MIN_ITERATIONS, MasterKey, MasterKeySource, Pbkdf2};
