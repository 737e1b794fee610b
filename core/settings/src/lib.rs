//! What a process is told from outside: its configuration, and with it log, metrics and shutdown set-up.
//!
//! Layers, later ones win: `config/default.toml` (every key), `config/<environment>.toml`, environment variables
//! `SWITCHYARD__SECTION__KEY`. The environment's name comes from `SWITCHYARD_ENV` (default `dev`), the folder from
//! `SWITCHYARD_CONFIG_DIR` (default `config`). A key that no struct knows is an error. Secrets come from environment
//! variables, or from files that a key `<name>_file` points to, never from TOML.
//!
//! This crate opens no connection and knows nothing of what the values are used for.

mod approvals;
mod error;
mod events;
mod layers;
pub mod metrics;
mod model;
mod network;
mod rates;
mod runtime;
mod secret;
pub mod shutdown;
mod source;
pub mod telemetry;
mod tls;
mod validate;

pub use approvals::Approvals;
pub use error::{Problem, Problems, SettingsError};
pub use events::Events;
pub use model::{
    Api, Database, Deposits, Jobs, Limits, LogFormat, Missed, Operators, Orders, PayoutLimits, Payouts, Pool, Redis,
    Schedule, Settings, Telemetry, Vault, Worker,
};
pub use network::{Endpoint, Network, NetworkKind, Start};
pub use rates::{RateQuote, RateSource, Rates, UsdtDeposits};
pub use runtime::{RuntimeKind, RuntimeSetting, RuntimeSettings, RuntimeUnit, RuntimeValues};
pub use secret::{Secret, SecretUrl};
pub use source::Source;
pub use tls::Tls;
pub use validate::Role;
