//! Keys that bots and shops authenticate with: `sk_<12 visible>_<52 secret>`, shown once, stored as a hash. A key is who calls;
//! its secret may be replaced, and the one before goes on for a while.

use std::net::IpAddr;

use chrono::{DateTime, Duration, Utc};
use db::models::{ApiKey, FormerSecret, NewApiKey};
use db::{Conn, Pool, acquire, run_tx, trail};
use kernel::{AddressRange, ApiKeyId, IdGen};
use serde_json::{Value, json};
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
    "audit:read",
];

const PREFIX_LEN: usize = 15;
/// Ranges that a key may be used from.
const RANGES_MAX: usize = 50;
/// How long the secret before may go on.
const OVERLAP_MAX: Duration = Duration::days(30);

/// A key to make.
#[derive(Debug, Clone, Copy)]
pub struct NewKey<'a> {
    /// Who uses it.
    pub name: &'a str,
    /// What it may do.
    pub scopes: &'a [String],
    /// How often it may ask, per minute.
    pub rate_limit_per_minute: u32,
    /// Until when and from where it works.
    pub terms: &'a KeyTerms,
}

/// Until it is revoked, and from anywhere.
static ANYWHERE: KeyTerms = KeyTerms {
    expires_at: None,
    allowed_from: Vec::new(),
};

impl<'a> NewKey<'a> {
    /// A key that works until it is revoked, and from anywhere.
    #[must_use]
    pub const fn anywhere(name: &'a str, scopes: &'a [String], rate_limit_per_minute: u32) -> Self {
        Self {
            name,
            scopes,
            rate_limit_per_minute,
            terms: &ANYWHERE,
        }
    }
}

/// Until when and from where a key works; by default until it is revoked, and from anywhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyTerms {
    /// `None`: until it is revoked.
    pub expires_at: Option<DateTime<Utc>>,
    /// None: from anywhere.
    pub allowed_from: Vec<AddressRange>,
}

impl KeyTerms {
    fn words(&self) -> Result<Vec<String>, DomainError> {
        if self.allowed_from.len() > RANGES_MAX {
            return Err(DomainError::BadText("a key has 50 ranges of addresses at most"));
        }
        Ok(self.allowed_from.iter().map(ToString::to_string).collect())
    }
}

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
    /// From when on the presented secret does not work any more.
    pub works_until: Option<DateTime<Utc>>,
    /// From where it may be used; none: from anywhere.
    pub allowed_from: Vec<AddressRange>,
}

impl Principal {
    /// Whether the secret still works.
    #[must_use]
    pub fn works_at(&self, now: DateTime<Utc>) -> bool {
        self.works_until.is_none_or(|until| now < until)
    }

    /// Whether the key may be used from there; where a client is unknown, only one that may be used from anywhere.
    #[must_use]
    pub fn may_come_from(&self, client: Option<IpAddr>) -> bool {
        let allowed = |client| self.allowed_from.iter().any(|range| range.contains(client));
        self.allowed_from.is_empty() || client.is_some_and(allowed)
    }

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
    key: &NewKey<'_>,
    random: &[u8; 64],
    now: DateTime<Utc>,
) -> Result<FreshKey, DomainError> {
    let &NewKey { name, scopes, .. } = key;
    if name.is_empty() || name.chars().count() > 100 {
        return Err(DomainError::BadText("name must have 1 to 100 characters"));
    }
    if scopes.is_empty() || scopes.iter().any(|scope| !SCOPES.contains(&scope.as_str())) {
        return Err(DomainError::BadText(
            "unknown scope, or none; see docs/API.md for the list",
        ));
    }
    let (prefix, clear) = fresh(random);
    let new = NewApiKey {
        id: ids.uuid(),
        name,
        prefix: &prefix,
        secret_sha256: &hash(&clear),
        scopes: scopes.to_vec(),
        rate_limit_per_minute: i32::try_from(key.rate_limit_per_minute.clamp(1, 1_000_000)).unwrap_or(1),
        created_at: now,
        expires_at: key.terms.expires_at,
        allowed_from: key.terms.words()?,
    };
    run_tx(pool, "create_api_key", async |conn| {
        let (scopes, terms) = (&new.scopes, shown(new.expires_at, &new.allowed_from));
        trail::changed(|| json!({ "api_key": new.id, "name": name, "scopes": scopes, "after": terms }));
        Ok::<_, DomainError>(new.insert(conn).await?)
    })
    .await?;
    Ok(FreshKey {
        id: ApiKeyId(new.id),
        clear,
    })
}

/// Gives a key a new secret; the one before goes on for `overlap`, those before it end at once.
///
/// # Errors
/// [`DomainError::NotFound`] for an unknown or revoked key, or the overlap is longer than 30 days.
pub async fn rotate(
    pool: &Pool,
    id: ApiKeyId,
    random: &[u8; 64],
    overlap: Duration,
    now: DateTime<Utc>,
) -> Result<FreshKey, DomainError> {
    if overlap < Duration::zero() || overlap > OVERLAP_MAX {
        return Err(DomainError::BadText("the overlap is 30 days at most"));
    }
    let (prefix, clear) = fresh(random);
    run_tx(pool, "rotate_api_key", async |conn| {
        let key = alive_in_tx(conn, id).await?;
        trail::changed(|| json!({ "api_key": id.0, "prefix": prefix, "former_works_until": now + overlap }));
        FormerSecret::remove_of(conn, id.0).await?;
        let former = FormerSecret {
            prefix: key.prefix,
            api_key_id: id.0,
            secret_sha256: key.secret_sha256,
            works_until: now + overlap,
            replaced_at: now,
        };
        former.insert(conn).await?;
        Ok::<_, DomainError>(ApiKey::set_secret(conn, id.0, &prefix, &hash(&clear)).await?)
    })
    .await?;
    Ok(FreshKey { id, clear })
}

/// Sets until when and from where a key works; it holds within seconds.
///
/// # Errors
/// [`DomainError::NotFound`] for an unknown or revoked key, or there are too many ranges.
pub async fn set_terms(pool: &Pool, id: ApiKeyId, terms: &KeyTerms) -> Result<(), DomainError> {
    let allowed_from = terms.words()?;
    run_tx(pool, "set_api_key_terms", async |conn| {
        let key = alive_in_tx(conn, id).await?;
        let before = shown(key.expires_at, &key.allowed_from);
        let after = shown(terms.expires_at, &allowed_from);
        trail::changed(|| json!({ "api_key": id.0, "before": before, "after": after }));
        Ok(ApiKey::set_terms(conn, id.0, terms.expires_at, &allowed_from).await?)
    })
    .await
}

/// A key's terms, for the audit trail.
fn shown(expires_at: Option<DateTime<Utc>>, allowed_from: &[String]) -> Value {
    json!({ "expires_at": expires_at, "allowed_from": allowed_from })
}

async fn alive_in_tx(conn: &mut Conn, id: ApiKeyId) -> Result<ApiKey, DomainError> {
    ApiKey::lock_alive(conn, id.0)
        .await?
        .ok_or(DomainError::NotFound("api key"))
}

/// The visible part and the whole of a new secret.
fn fresh(random: &[u8; 64]) -> (String, String) {
    let text = alphanumeric(random);
    let (visible, secret) = text.split_at(12);
    let prefix = format!("sk_{visible}");
    let clear = format!("{prefix}_{secret}");
    (prefix, clear)
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

/// Who presents this key, if it is right, not revoked and works still. The comparison takes the same time for every wrong
/// secret. From where it comes is for the caller to compare.
///
/// # Errors
/// When the database cannot be asked.
pub async fn authenticate(pool: &Pool, clear: &str, now: DateTime<Utc>) -> Result<Option<Principal>, DomainError> {
    let Some(prefix) = prefix_of(clear) else {
        return Ok(None);
    };
    let mut conn = acquire(pool).await?;
    let Some((key, secret_sha256, works_until)) = presented(&mut conn, prefix).await? else {
        return Ok(None);
    };
    let differing = secret_sha256
        .iter()
        .zip(hash(clear))
        .fold(0_u8, |acc, (a, b)| acc | (a ^ b));
    if differing != 0 || key.revoked_at.is_some() {
        return Ok(None);
    }
    let broken = || DomainError::Broken(format!("a range of api key {}", key.id));
    let ranges = key.allowed_from.iter().map(|range| range.parse::<AddressRange>());
    let principal = Principal {
        key: ApiKeyId(key.id),
        allowed_from: ranges.collect::<Result<_, _>>().map_err(|_| broken())?,
        name: key.name,
        scopes: key.scopes,
        rate_limit_per_minute: u32::try_from(key.rate_limit_per_minute).unwrap_or(1),
        works_until,
    };
    if !principal.works_at(now) {
        return Ok(None);
    }
    ApiKey::touch(&mut conn, key.id, now).await?;
    Ok(Some(principal))
}

/// The key that has this visible part or had it before, with the hash of that secret and until when it works.
async fn presented(
    conn: &mut Conn,
    prefix: &str,
) -> Result<Option<(ApiKey, Vec<u8>, Option<DateTime<Utc>>)>, DomainError> {
    if let Some(key) = ApiKey::find_by_prefix(conn, prefix).await? {
        let (secret_sha256, until) = (key.secret_sha256.clone(), key.expires_at);
        return Ok(Some((key, secret_sha256, until)));
    }
    let Some(former) = FormerSecret::find_by_prefix(conn, prefix).await? else {
        return Ok(None);
    };
    let key = ApiKey::find(conn, former.api_key_id)
        .await?
        .ok_or_else(|| DomainError::Broken(format!("a former secret of no key {}", former.api_key_id)))?;
    let until = key
        .expires_at
        .map_or(former.works_until, |at| at.min(former.works_until));
    Ok(Some((key, former.secret_sha256, Some(until))))
}

/// Ends a key at once.
///
/// # Errors
/// [`DomainError::NotFound`] for an unknown or revoked key.
pub async fn revoke(pool: &Pool, id: ApiKeyId, now: DateTime<Utc>) -> Result<(), DomainError> {
    run_tx(pool, "revoke_api_key", async |conn| {
        trail::changed(|| json!({ "api_key": id.0, "revoked": true }));
        if ApiKey::revoke(conn, id.0, now).await? {
            Ok(())
        } else {
            Err(DomainError::NotFound("api key"))
        }
    })
    .await
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
