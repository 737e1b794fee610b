//! One chain network and the nodes that are asked about it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Secret, SecretUrl};

/// A network, by its name in `[networks.<name>]`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Network {
    /// Which client speaks to it.
    pub kind: NetworkKind,
    /// Pause between two looks for a new block.
    pub poll_interval_ms: u64,
    /// Blocks asked for in one call while catching up.
    pub max_blocks_per_fetch: u32,
    /// How long one worker keeps others from fetching the same blocks.
    pub lease_ms: u64,
    /// Life of a transaction that we sign, from the head block's time.
    pub transaction_expiry_s: u64,
    /// First pause before an unseen transaction is sent again.
    pub resend_after_ms: u64,
    /// A fork deeper than this stops the scan.
    pub max_fork_depth: u32,
    /// Where an empty database begins to scan.
    pub start: Start,
    /// Applied blocks that are kept.
    pub keep_blocks: u32,
    /// Contracts of the tokens that are money here, by asset in lower case.
    #[serde(default)]
    pub tokens: BTreeMap<String, String>,
    /// A longer answer of a node is refused.
    pub max_response_bytes: usize,
    /// The nodes, the preferred one first.
    pub endpoints: Vec<Endpoint>,
    /// `name=key,name2=key2`: the API keys of the endpoints that need one.
    pub endpoint_api_keys: Option<Secret>,
}

impl Network {
    /// The API key of the endpoint `name`, if it has one.
    #[must_use]
    pub fn api_key(&self, name: &str) -> Option<Secret> {
        let found = self.api_keys().find(|(endpoint, _)| *endpoint == name);
        found.map(|(_, key)| Secret::new(key.to_owned()))
    }

    /// The contract of a token by its asset's code.
    #[must_use]
    pub fn token(&self, asset: &str) -> Option<&str> {
        self.tokens.get(&asset.to_lowercase()).map(String::as_str)
    }

    /// Name and key of each entry; an entry without `=` has an empty key, which `validate` refuses.
    pub(crate) fn api_keys(&self) -> impl Iterator<Item = (&str, &str)> {
        let entries = self.endpoint_api_keys.as_ref().map_or("", Secret::expose).split(',');
        let entries = entries.map(str::trim).filter(|entry| !entry.is_empty());
        entries.map(|entry| {
            entry
                .split_once('=')
                .map_or((entry, ""), |(name, key)| (name.trim(), key.trim()))
        })
    }
}

/// The families of chains that a client exists for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NetworkKind {
    /// TRON and its test networks.
    Tron,
}

/// One node.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    /// Its name in logs and metrics.
    pub name: String,
    /// Base URL of the full node.
    pub url: SecretUrl,
    /// Base URL of the solidity node, where it is another one.
    pub solidity_url: Option<SecretUrl>,
    /// We never ask it more often than this.
    pub requests_per_second: u32,
    /// Bound of one call.
    pub timeout_ms: u64,
}

/// Where an empty database begins to scan: `"solid"` or a block number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "StartValue", into = "StartValue")]
pub enum Start {
    /// At the newest block that can no longer be reverted.
    Solid,
    /// At this block.
    Block(u64),
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum StartValue {
    Number(u64),
    Text(String),
}

impl TryFrom<StartValue> for Start {
    type Error = &'static str;

    fn try_from(value: StartValue) -> Result<Self, &'static str> {
        match value {
            StartValue::Number(number) => Ok(Self::Block(number)),
            StartValue::Text(text) if text == "solid" => Ok(Self::Solid),
            StartValue::Text(text) => text
                .parse()
                .map(Self::Block)
                .map_err(|_| "neither `solid` nor a block number"),
        }
    }
}

impl From<Start> for StartValue {
    fn from(start: Start) -> Self {
        match start {
            Start::Solid => Self::Text("solid".to_owned()),
            Start::Block(number) => Self::Number(number),
        }
    }
}
