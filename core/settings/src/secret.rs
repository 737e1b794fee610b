//! Values that are never shown: wiped from memory when dropped, masked in Debug and when serialised.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};
use url::Url;
use zeroize::{Zeroize, ZeroizeOnDrop};

const MASK: &str = "***";
/// Query parameters that say nothing secret.
const PLAIN_PARAMETERS: [&str; 5] = [
    "application_name",
    "connect_timeout",
    "options",
    "sslmode",
    "target_session_attrs",
];
/// From this length on, a part of a path is taken for an access token, as some node providers put them there.
const TOKEN_LEN: usize = 20;

/// A key, a passphrase or a token.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Wraps `value`.
    #[must_use]
    pub const fn new(value: String) -> Self {
        Self(value)
    }

    /// The value. Hand it on; never log it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(MASK)
    }
}

/// A URL that may carry a password or a token; what is shown of it has those masked.
#[derive(Clone, Default, PartialEq, Eq, Zeroize, ZeroizeOnDrop, Deserialize)]
#[serde(transparent)]
pub struct SecretUrl(String);

impl SecretUrl {
    /// Wraps `url`, which need not be valid.
    #[must_use]
    pub const fn new(url: String) -> Self {
        Self(url)
    }

    /// The URL with its secrets. Hand it on; never log it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn parse(&self) -> Option<Url> {
        Url::parse(&self.0).ok()
    }
}

impl fmt::Display for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return Ok(());
        }
        match self.parse().and_then(mask) {
            Some(masked) => f.write_str(masked.as_str()),
            None => f.write_str(MASK),
        }
    }
}

impl fmt::Debug for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for SecretUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The URL without its secrets; `None` where they cannot be taken out, so that nothing of it is shown.
fn mask(mut url: Url) -> Option<Url> {
    if url.cannot_be_a_base() {
        return None;
    }
    if !url.username().is_empty() {
        url.set_username(MASK).ok()?;
    }
    if url.password().is_some() {
        url.set_password(Some(MASK)).ok()?;
    }
    let path: Vec<&str> = url
        .path()
        .split('/')
        .map(|part| if part.len() >= TOKEN_LEN { MASK } else { part })
        .collect();
    let path = path.join("/");
    url.set_path(&path);
    if url.query().is_some() {
        let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        let mut query = url.query_pairs_mut();
        query.clear();
        for (name, value) in &pairs {
            query.append_pair(
                name,
                if PLAIN_PARAMETERS.contains(&name.as_str()) {
                    value
                } else {
                    MASK
                },
            );
        }
    }
    url.set_fragment(None);
    Some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_shows_in_no_form() {
        let secret = Secret::new("hunter2".into());
        assert_eq!(format!("{secret:?}"), "***");
        assert_eq!(toml::Value::try_from(&secret).unwrap().as_str(), Some("***"));
        assert_eq!(secret.expose(), "hunter2");
    }

    #[test]
    fn urls_show_their_host_but_no_credentials() {
        for (url, shown) in [
            (
                "postgres://app:hunter2@db:5432/main?sslmode=require",
                "postgres://***:***@db:5432/main?sslmode=require",
            ),
            ("postgres://db/main?password=hunter2", "postgres://db/main?password=***"),
            ("redis://:hunter2@cache:6379/0", "redis://:***@cache:6379/0"),
            (
                "https://node.example/0123456789abcdef0123/jsonrpc",
                "https://node.example/***/jsonrpc",
            ),
            (
                "https://node.example/?key=hunter2#hunter2",
                "https://node.example/?key=***",
            ),
            ("http://127.0.0.1:9090", "http://127.0.0.1:9090/"),
            ("host=db password=hunter2", "***"),
            ("data:hunter2", "***"),
            ("", ""),
        ] {
            let url = SecretUrl::new(url.into());
            assert_eq!(url.to_string(), shown);
            assert_eq!(format!("{url:?}"), shown);
            assert_eq!(toml::Value::try_from(&url).unwrap().as_str(), Some(shown));
        }
    }
}
