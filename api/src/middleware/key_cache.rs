//! Keys that were right a moment ago, so that not every request asks the database. Revoking takes effect within
//! [`TTL_S`] seconds. Clear keys are not kept: an entry is found by the SHA-256 of what was presented.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Duration, Utc};
use domain::DomainError;
use domain::api_keys::{self, Principal};

use crate::App;

/// How long a right key is believed.
const TTL_S: i64 = 5;
/// Far more than there are keys.
const CAPACITY: usize = 10_000;

/// By the hash of a key: whose it is, and until when that is believed.
type Entries = HashMap<[u8; 32], (Principal, DateTime<Utc>)>;

/// Who presented what.
#[derive(Debug, Default)]
pub(crate) struct KeyCache(Mutex<Entries>);

impl KeyCache {
    fn get(&self, hash: &[u8; 32], now: DateTime<Utc>) -> Option<Principal> {
        let entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (principal, until) = entries.get(hash)?;
        (now < *until).then(|| principal.clone())
    }

    fn put(&self, hash: [u8; 32], principal: Principal, now: DateTime<Utc>) {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= CAPACITY {
            entries.retain(|_, (_, until)| now < *until);
        }
        if entries.len() < CAPACITY {
            entries.insert(hash, (principal, now + Duration::seconds(TTL_S)));
        }
    }
}

/// Who presents `clear`, from memory or from the database.
pub(super) async fn authenticate(app: &App, clear: &str) -> Result<Option<Principal>, DomainError> {
    if api_keys::prefix_of(clear).is_none() {
        return Ok(None);
    }
    let (hash, now) = (api_keys::hash(clear), app.clock.now());
    if let Some(principal) = app.keys.get(&hash, now) {
        return Ok(principal.works_at(now).then_some(principal));
    }
    let principal = api_keys::authenticate(&app.pool, clear, now).await?;
    if let Some(principal) = &principal {
        app.keys.put(hash, principal.clone(), now);
    }
    Ok(principal)
}
