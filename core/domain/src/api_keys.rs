//! Keys that bots and shops authenticate with: `sk_<12 visible>_<52 secret>`, shown once, stored as a hash.

use chrono::{DateTime, Utc};
use db::models::{ApiKey, NewApiKey};
use db::{Pool, acquire};
use kernel::{ApiKeyId, IdGen};
use sha2::{Digest, Sha256};

use crate::DomainError;

/// What a key may do.
pub const SCOPES: &[&str] = &[
    "orders:read",
    "orders:write",
    "users:read",
    "users:write",
    "balances:write",
    "payouts:read",
    "payouts:write",
    "deposits:read",
    "deposits:write",
    "exchanges:read",
    "exchanges:write",
    "supplier_wallets:read",
    "supplier_wallets:write",
    "operations:read",
    "operations:write",
    "webhooks:read",
    "webhooks:write",
];

const PREFIX_LEN: usize = 15;

/// A fresh key, in clear: show it once.
pub struct FreshKey {
    /// Its id.
    pub id: ApiKeyId,
    /// `sk_…_…`
    pub clear: String,
}

/// A key's owner and rights, once its secret was right.
#[derive(Debug, Clone)]
pub struct Principal {
    /// The key's id.
    pub key: ApiKeyId,
    /// The key's name.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<String>,
    /// How often it may ask, per minute.
    pub rate_limit_per_minute: u32,
}

impl Principal {
    /// Whether the key has this scope.
    #[must_use]
    pub fn may(&self, scope: &str) -> bool {
        self.scopes.iter().any(|s| s == scope)
    }

    /// How the key is named in timelines and in the ledger.
    #[must_use]
    pub fn actor(&self) -> String {
        format!("api_key:{}", self.key)
    }
}

/// Makes a key from 12 visible characters and 52 secret ones, all alphanumeric, from the caller's randomness.
///
/// # Errors
/// An unknown scope, or a database failure.
pub async fn create(
    pool: &Pool,
    ids: &dyn IdGen,
    (name, scopes, rate_limit_per_minute): (&str, &[String], u32),
    random: &[u8; 64],
    now: DateTime<Utc>,
) -> Result<FreshKey, DomainError> {
    if name.is_empty() || name.chars().count() > 100 {
        return Err(DomainError::BadText("name must have 1 to 100 characters"));
    }
    if scopes.is_empty() || scopes.iter().any(|scope| !SCOPES.contains(&scope.as_str())) {
        return Err(DomainError::BadText(
            "unknown scope, or none; see docs/API.md for the list",
        ));
    }
    let text = alphanumeric(random);
    let (visible, secret) = text.split_at(12);
    let prefix = format!("sk_{visible}");
    let clear = format!("{prefix}_{secret}");
    let new = NewApiKey {
        id: ids.uuid(),
        name,
        prefix: &prefix,
        secret_sha256: &hash(&clear),
        scopes: scopes.to_vec(),
        rate_limit_per_minute: i32::try_from(rate_limit_per_minute.clamp(1, 1_000_000)).unwrap_or(1),
        created_at: now,
    };
    let mut conn = acquire(pool).await?;
    new.insert(&mut conn).await?;
    Ok(FreshKey {
        id: ApiKeyId(new.id),
        clear,
    })
}

/// The visible part by which a presented key is looked up, or `None` where the text is no key.
#[must_use]
pub fn prefix_of(clear: &str) -> Option<&str> {
    let shaped =
        clear.len() == 68 && clear.is_ascii() && clear.starts_with("sk_") && clear.as_bytes()[PREFIX_LEN] == b'_';
    shaped.then(|| &clear[..PREFIX_LEN])
}

/// The hash that is stored and compared.
#[must_use]
pub fn hash(clear: &str) -> [u8; 32] {
    Sha256::digest(clear.as_bytes()).into()
}

/// Who presents this key, if it is right and not revoked. The comparison takes the same time for every wrong secret.
///
/// # Errors
/// When the database cannot be asked.
pub async fn authenticate(pool: &Pool, clear: &str, now: DateTime<Utc>) -> Result<Option<Principal>, DomainError> {
    let Some(prefix) = prefix_of(clear) else {
        return Ok(None);
    };
    let mut conn = acquire(pool).await?;
    let Some(key) = ApiKey::find_by_prefix(&mut conn, prefix).await? else {
        return Ok(None);
    };
    let differing = key
        .secret_sha256
        .iter()
        .zip(hash(clear))
        .fold(0_u8, |acc, (a, b)| acc | (a ^ b));
    if differing != 0 || key.revoked_at.is_some() {
        return Ok(None);
    }
    ApiKey::touch(&mut conn, key.id, now).await?;
    Ok(Some(Principal {
        key: ApiKeyId(key.id),
        name: key.name,
        scopes: key.scopes,
        rate_limit_per_minute: u32::try_from(key.rate_limit_per_minute).unwrap_or(1),
    }))
}

/// Ends a key at once.
///
/// # Errors
/// [`DomainError::NotFound`] for an unknown or revoked key.
pub async fn revoke(pool: &Pool, id: ApiKeyId, now: DateTime<Utc>) -> Result<(), DomainError> {
    let mut conn = acquire(pool).await?;
    if ApiKey::revoke(&mut conn, id.0, now).await? {
        Ok(())
    } else {
        Err(DomainError::NotFound("api key"))
    }
}

/// 64 characters of 62, without bias: bytes beyond the last whole multiple of 62 are folded by a second byte.
fn alphanumeric(random: &[u8; 64]) -> String {
    const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let digest = |n: u8| Sha256::new().chain_update(random).chain_update([n]).finalize();
    let bytes = (0..=u8::MAX)
        .flat_map(|n| digest(n).to_vec())
        .filter(|byte| *byte < 248);
    bytes
        .take(64)
        .map(|byte| char::from(ALPHABET[usize::from(byte % 62)]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_one_shape() {
        let text = alphanumeric(&[7; 64]);
        assert_eq!(text.len(), 64);
        assert_ne!(text, alphanumeric(&[8; 64]));
        let clear = format!("sk_{}_{}", &text[..12], &text[12..64]);
        assert_eq!(clear.len(), 68);
        assert_eq!(prefix_of(&clear), Some(&clear[..15]));
        for bad in [
            "",
            "sk_",
            "Bearer x",
            &clear[1..],
            &format!("{clear}x"),
            &clear.replace("_", "-"),
        ] {
            assert_eq!(prefix_of(bad), None, "{bad}");
        }
    }
}
