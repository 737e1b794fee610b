//! Seals a wallet's secret on its way in, and the secrets that webhooks are signed with, so that only a worker can read
//! them.
//!
//! ```text
//!   operator ──HTTPS──▶ API                                  database                worker
//!   hex key or words    ImportSecret ──seal(public key)──▶   wallet_imports.sealed ──▶ keyring::open_import(private key)
//!                            │
//!                            └─ zeroized as soon as the request is answered
//!
//!   sealed = version (1 byte) ‖ encapsulated key (32) ‖ AES-256-GCM ciphertext and tag
//!            HPKE base mode, info "switchyard/wallet-import/v1", associated data = the wallet's id
//! ```
//!
//! A webhook secret is sealed in the same form with info "switchyard/webhook-secret/v1", bound to the id of its row.
//!
//! The API and the worker both link this crate. It holds a public key only and calls no opening function: whoever
//! takes over the API process, or reads the database, gets no key that was imported before. The opening half is in
//! `keyring`, which the API must not link.

mod public_key;
mod seal;
mod secret;
pub mod suite;

pub use public_key::ImportPublicKey;
pub use seal::{MAX_SEALED_LEN, SealError, SealedImport, seal, seal_webhook_secret};
pub use secret::{ImportSecret, MnemonicSecret, SecretError};
