//! How long it can be read what happened, and by how many at a time.
#![expect(missing_docs, reason = "config/default.toml documents the keys, once")]

use serde::{Deserialize, Serialize};

/// `[events]`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Events {
    pub keep_days: u32,
    pub look_interval_ms: u64,
    pub max_streams: usize,
    pub max_streams_per_key: usize,
    pub stream_s: u64,
}
