//! Keys that bots and shops authenticate with: `sk_<12 visible>_<52 secret>`, shown once, stored as a hash. A key is who calls;
//! its secret may be replaced, and the one before goes on for a while.

use access::{PermissionSet, Scope};
use chrono::{DateTime, Duration, Utc};
use db::models::{ApiKey, FormerSecret, NewApiKey, WebhookEndpoint};
use db::{Conn, Pool, acquire, run_tx, trail};
use kernel::{AddressRange, Amount, ApiKeyId, IdGen};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::DomainError;
use crate::operations::Mark;
use crate::operators::By;

mod holders;
mod present;
mod secret;
mod signing;
mod spending;

use holders::add_holder_in_tx;
pub(crate) use holders::{actor_id, may_be_one_in_tx};
pub use present::authenticate;
use secret::fresh;
pub use secret::{hash, prefix_of};
pub use signing::{drop_signing, set_signing_once};
pub use spending::spent_today;
pub(crate) use spending::{spend_by_key_in_tx, spend_in_tx};

const RESOURCE: &str = "api_key";
/// The most that a key may ask, per minute.
const RATE_MAX: i32 = 1_000_000;
/// Ranges that a key may be used from.
const RANGES_MAX: usize = 50;
/// Why an endpoint is disabled whose key is revoked.
const KEY_REVOKED: &str = "key_revoked";
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
    daily_limit: None,
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
    /// The most TRX that it may have users spend in a UTC day; `None`: no limit.
    pub daily_limit: Option<Amount>,
}

impl KeyTerms {
    fn limit(&self) -> Result<Option<i64>, DomainError> {
        if self.daily_limit == Some(Amount::ZERO) {
            return Err(DomainError::BadText(
                "a daily limit is more than nothing: leave it out, or revoke the key",
            ));
        }
        Ok(self.daily_limit.map(Amount::minor))
    }

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
    let (prefix, clear) = fresh(random);
    let hash = hash(&clear);
    let new = checked(ids, key, (&prefix, &hash), now)?;
    run_tx(pool, "create_api_key", async |conn| insert_in_tx(conn, &new).await).await?;
    Ok(FreshKey {
        id: ApiKeyId(new.id),
        clear,
    })
}

/// The same once for a request of an operator, who has to have all that the key may do. Answers the key's id, and the key in clear if it
/// was made now.
///
/// # Errors
/// As [`create`], or [`DomainError::MoreThanOwn`].
pub async fn create_once(
    pool: &Pool,
    ids: &dyn IdGen,
    (by, mark): (&By, &Mark),
    (key, random): (&NewKey<'_>, &[u8; 64]),
    now: DateTime<Utc>,
) -> Result<(ApiKeyId, Option<String>), DomainError> {
    by.check(PermissionSet::of_scopes(key.scopes))?;
    let (prefix, clear) = fresh(random);
    let hash = hash(&clear);
    let new = checked(ids, key, (&prefix, &hash), now)?;
    let earlier = run_tx(pool, "create_api_key", async |conn| {
        if let Some(earlier) = mark.replay_in_tx(conn, RESOURCE, new.id, now).await? {
            return Ok(Some(earlier));
        }
        insert_in_tx(conn, &new).await?;
        add_holder_in_tx(conn, new.id, by, now).await.map(|()| None)
    })
    .await?;
    Ok(match earlier {
        Some(id) => (ApiKeyId(id), None),
        None => (ApiKeyId(new.id), Some(clear)),
    })
}

fn checked<'a>(
    ids: &dyn IdGen,
    key: &NewKey<'a>,
    (prefix, secret_sha256): (&'a str, &'a [u8]),
    now: DateTime<Utc>,
) -> Result<NewApiKey<'a>, DomainError> {
    let &NewKey { name, scopes, .. } = key;
    if name.is_empty() || name.chars().count() > 100 || name.chars().any(char::is_control) {
        return Err(DomainError::BadText("name must have 1 to 100 printable characters"));
    }
    if scopes.is_empty() || !scopes.iter().all(|scope| is_scope(scope)) {
        return Err(DomainError::BadText(
            "unknown scope, or none; see docs/API.md for the list",
        ));
    }
    let mut scopes = scopes.to_vec();
    scopes.sort_unstable();
    scopes.dedup();
    Ok(NewApiKey {
        id: ids.uuid(),
        name,
        prefix,
        secret_sha256,
        scopes,
        rate_limit_per_minute: rate(key.rate_limit_per_minute)?,
        created_at: now,
        expires_at: key.terms.expires_at,
        allowed_from: key.terms.words()?,
        daily_limit_sun: key.terms.limit()?,
    })
}

async fn insert_in_tx(conn: &mut Conn, new: &NewApiKey<'_>) -> Result<(), DomainError> {
    trail::changed(|| {
        let limits = (new.rate_limit_per_minute, new.daily_limit_sun);
        let terms = shown(new.expires_at, &new.allowed_from, limits);
        json!({ "api_key": new.id, "name": new.name, "scopes": new.scopes, "after": terms })
    });
    Ok(new.insert(conn).await?)
}

fn rate(per_minute: u32) -> Result<i32, DomainError> {
    let kept = i32::try_from(per_minute).ok();
    kept.filter(|rate| (1..=RATE_MAX).contains(rate))
        .ok_or(DomainError::BadText("a key may ask 1 to 1000000 times a minute"))
}

fn is_scope(word: &str) -> bool {
    Scope::ALL.iter().any(|scope| scope.word() == word)
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
    let (prefix, clear) = fresh(random);
    let hash = hash(&clear);
    let times = (overlap_checked(overlap)?, now);
    run_tx(pool, "rotate_api_key", async |conn| {
        let key = alive_in_tx(conn, id).await?;
        rotate_in_tx(conn, key, (&prefix, &hash), times).await
    })
    .await?;
    Ok(FreshKey { id, clear })
}

/// The same once for a request of an operator, who has to have all that the key may do; answers the key in clear if that was now.
///
/// # Errors
/// As [`rotate`], or [`DomainError::MoreThanOwn`].
pub async fn rotate_once(
    pool: &Pool,
    ids: &dyn IdGen,
    (by, mark): (&By, &Mark),
    (id, random, overlap): (ApiKeyId, &[u8; 64], Duration),
    now: DateTime<Utc>,
) -> Result<Option<String>, DomainError> {
    let (prefix, clear) = fresh(random);
    let (hash, done) = (hash(&clear), ids.uuid());
    let times = (overlap_checked(overlap)?, now);
    let rotated = run_tx(pool, "rotate_api_key", async |conn| {
        let key = alive_in_tx(conn, id).await?;
        by.check(PermissionSet::of_scopes(&key.scopes))?;
        if mark.replay_in_tx(conn, RESOURCE, done, now).await?.is_some() {
            return Ok(false);
        }
        rotate_in_tx(conn, key, (&prefix, &hash), times).await?;
        add_holder_in_tx(conn, id.0, by, now).await.map(|()| true)
    })
    .await?;
    Ok(rotated.then_some(clear))
}

fn overlap_checked(overlap: Duration) -> Result<Duration, DomainError> {
    if overlap < Duration::zero() || overlap > OVERLAP_MAX {
        return Err(DomainError::BadText("the overlap is 30 days at most"));
    }
    Ok(overlap)
}

async fn rotate_in_tx(
    conn: &mut Conn,
    key: ApiKey,
    (prefix, secret_sha256): (&str, &[u8]),
    (overlap, now): (Duration, DateTime<Utc>),
) -> Result<(), DomainError> {
    trail::changed(|| json!({ "api_key": key.id, "prefix": prefix, "former_works_until": now + overlap }));
    FormerSecret::remove_of(conn, key.id).await?;
    let former = FormerSecret {
        prefix: key.prefix,
        api_key_id: key.id,
        secret_sha256: key.secret_sha256,
        works_until: now + overlap,
        replaced_at: now,
    };
    former.insert(conn).await?;
    Ok(ApiKey::set_secret(conn, key.id, prefix, secret_sha256).await?)
}

/// Sets until when and from where a key works, and how often it may ask where that is given; it holds within seconds.
///
/// # Errors
/// [`DomainError::NotFound`] for an unknown or revoked key, or there are too many ranges; [`DomainError::MoreThanOwn`].
pub async fn set_terms(
    pool: &Pool,
    by: &By,
    id: ApiKeyId,
    (terms, rate_limit): (&KeyTerms, Option<u32>),
) -> Result<ApiKey, DomainError> {
    let (allowed_from, rate_limit) = (terms.words()?, rate_limit.map(rate).transpose()?);
    let daily_limit_sun = terms.limit()?;
    run_tx(pool, "set_api_key_terms", async |conn| {
        let mut key = alive_in_tx(conn, id).await?;
        by.check(PermissionSet::of_scopes(&key.scopes))?;
        let limits = (key.rate_limit_per_minute, key.daily_limit_sun);
        let before = shown(key.expires_at, &key.allowed_from, limits);
        key.rate_limit_per_minute = rate_limit.unwrap_or(key.rate_limit_per_minute);
        (key.expires_at, key.allowed_from) = (terms.expires_at, allowed_from.clone());
        key.daily_limit_sun = daily_limit_sun;
        let limits = (key.rate_limit_per_minute, daily_limit_sun);
        let after = shown(key.expires_at, &key.allowed_from, limits);
        trail::changed(|| json!({ "api_key": id.0, "before": before, "after": after }));
        let set = (key.expires_at, key.allowed_from.as_slice());
        ApiKey::set_terms(conn, id.0, set, limits).await?;
        Ok(key)
    })
    .await
}

/// Keys, newest first, before the key `before`.
///
/// # Errors
/// When the database cannot be asked.
pub async fn page(pool: &Pool, before: Option<Uuid>, limit: i64) -> Result<Vec<ApiKey>, DomainError> {
    let mut conn = acquire(pool).await?;
    Ok(ApiKey::page(&mut conn, before, limit).await?)
}

/// A key, revoked or not.
///
/// # Errors
/// [`DomainError::NotFound`].
pub async fn find(pool: &Pool, id: ApiKeyId) -> Result<ApiKey, DomainError> {
    let mut conn = acquire(pool).await?;
    let key = ApiKey::find(&mut conn, id.0).await?;
    key.filter(is_key).ok_or(DomainError::NotFound("api key"))
}

/// A key's terms, for the audit trail.
fn shown(
    expires_at: Option<DateTime<Utc>>,
    allowed_from: &[String],
    (rate_limit_per_minute, daily_limit_sun): (i32, Option<i64>),
) -> Value {
    json!({
        "expires_at": expires_at, "allowed_from": allowed_from, "rate_limit_per_minute": rate_limit_per_minute,
        "daily_limit_sun": daily_limit_sun,
    })
}

/// Rows that operators write under are no keys.
fn is_key(row: &ApiKey) -> bool {
    row.prefix.starts_with("sk_")
}

async fn alive_in_tx(conn: &mut Conn, id: ApiKeyId) -> Result<ApiKey, DomainError> {
    let key = ApiKey::lock_alive(conn, id.0).await?;
    key.filter(is_key).ok_or(DomainError::NotFound("api key"))
}

/// Ends a key at once, and with it the endpoints that it registered: they would be told on of what it saw.
///
/// # Errors
/// [`DomainError::NotFound`] for an unknown or revoked key.
pub async fn revoke(pool: &Pool, id: ApiKeyId, now: DateTime<Utc>) -> Result<(), DomainError> {
    run_tx(pool, "revoke_api_key", async |conn| {
        alive_in_tx(conn, id).await?;
        trail::changed(|| json!({ "api_key": id.0, "revoked": true }));
        ApiKey::revoke(conn, id.0, now).await?;
        for webhook in WebhookEndpoint::disable_of(conn, &format!("api_key:{id}"), KEY_REVOKED, now).await? {
            trail::changed(|| json!({ "webhook": webhook, "enabled": false, "disabled_reason": KEY_REVOKED }));
        }
        Ok(())
    })
    .await
}
