//! How the API speaks TLS itself. The files are read, and read again, by who serves; here are only their names.
#![expect(missing_docs, reason = "config/default.toml documents the keys, once")]

use serde::{Deserialize, Serialize};

/// `[api.tls]`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    pub certificate: String,
    pub key: String,
    pub reload_interval_s: u64,
    pub handshake_timeout_ms: u64,
}

impl Tls {
    /// Whether the API speaks TLS itself.
    #[must_use]
    pub const fn is_on(&self) -> bool {
        !self.certificate.is_empty()
    }
}
