//! Keys and tokens that were right a moment ago, so that not every request asks the database. Revoking, signing out and changing
//! roles take effect within [`TTL_S`] seconds. For longer it is remembered that a key was right, which tells it from a guess and
//! lets nobody in. Nothing clear is kept: an entry is found by the SHA-256 of what was presented.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Duration, Utc};
use domain::DomainError;
use domain::principals::Principal;
use domain::{api_keys, operators};

use crate::App;

/// How long a right key is believed.
const TTL_S: i64 = 5;
/// How long after that it is no guess.
const KNOWN_S: i64 = 600;
/// Far more than there are keys.
const CAPACITY: usize = 10_000;

/// By the hash of a key: whose it is, and until when that is believed.
type Entries = HashMap<[u8; 32], (Principal, DateTime<Utc>)>;

/// Who presented what.
#[derive(Debug, Default)]
pub(crate) struct KeyCache(Mutex<Entries>);

impl KeyCache {
    fn get(&self, hash: &[u8; 32], now: DateTime<Utc>) -> Option<Principal> {
        let entries = self.lock();
        let (principal, until) = entries.get(hash)?;
        (now < *until).then(|| principal.clone())
    }

    fn put(&self, hash: [u8; 32], principal: Principal, now: DateTime<Utc>) {
        let mut entries = self.lock();
        if entries.len() >= CAPACITY {
            entries.retain(|_, (_, until)| now < known_until(*until));
        }
        if entries.len() < CAPACITY {
            entries.insert(hash, (principal, now + Duration::seconds(TTL_S)));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn known_until(believed_until: DateTime<Utc>) -> DateTime<Utc> {
    believed_until + Duration::seconds(KNOWN_S)
}

/// Whether `clear` was a right key not long ago, which may be used from there.
pub(super) fn is_known(app: &App, clear: &str, client: Option<IpAddr>) -> bool {
    if !is_shaped(clear) {
        return false;
    }
    let (hash, now) = (api_keys::hash(clear), app.clock.now());
    let entries = app.keys.lock();
    let known = entries.get(&hash);
    known.is_some_and(|(principal, until)| now < known_until(*until) && principal.may_come_from(client))
}

/// Whether it can be a key or a token.
fn is_shaped(clear: &str) -> bool {
    is_token(clear) || api_keys::prefix_of(clear).is_some()
}

/// An access token has three parts; a key has no dot.
fn is_token(clear: &str) -> bool {
    clear.bytes().filter(|byte| *byte == b'.').count() == 2
}

/// Who presents `clear`, from memory or from the database.
pub(crate) async fn authenticate(app: &App, clear: &str) -> Result<Option<Principal>, DomainError> {
    if !is_shaped(clear) {
        return Ok(None);
    }
    let (hash, now) = (api_keys::hash(clear), app.clock.now());
    if let Some(principal) = app.keys.get(&hash, now).filter(|principal| principal.works_at(now)) {
        return Ok(Some(principal));
    }
    let principal = match &app.door {
        Some(door) if is_token(clear) => operators::authenticate(&app.pool, door, clear, now).await?,
        _ => api_keys::authenticate(&app.pool, clear, now).await?,
    };
    match &principal {
        Some(principal) => app.keys.put(hash, principal.clone(), now),
        None => {
            app.keys.lock().remove(&hash);
        }
    }
    Ok(principal)
}
