//! A key that is presented: whose it is.

use access::PermissionSet;
use chrono::{DateTime, Utc};
use db::models::{ApiKey, FormerSecret};
use db::{Conn, Pool, acquire};
use kernel::{AddressRange, ApiKeyId};

use super::{hash, prefix_of};
use crate::DomainError;
use crate::principals::{Principal, Signing};

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
        permissions: PermissionSet::of_scopes(&key.scopes),
        rate_limit_per_minute: u32::try_from(key.rate_limit_per_minute).unwrap_or(1),
        works_until,
        session: None,
        signing: signing(key.signing_sealed, key.signing_former.zip(key.signing_former_until)),
    };
    if !principal.works_at(now) {
        return Ok(None);
    }
    ApiKey::touch(&mut conn, key.id, now).await?;
    Ok(Some(principal))
}

/// What its requests are signed with, sealed, the newest first.
fn signing(sealed: Option<Vec<u8>>, former: Option<(Vec<u8>, DateTime<Utc>)>) -> Vec<Signing> {
    let newest = sealed.map(|sealed| Signing { sealed, until: None });
    let former = former.map(|(sealed, until)| Signing {
        sealed,
        until: Some(until),
    });
    newest.into_iter().chain(former).collect()
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
