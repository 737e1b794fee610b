//! Keys that were opened lately, so that a signature does not cost two decryptions and a row. Bounded in number and in
//! time: what is not in the cache cannot be read out of the process.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kernel::{Clock, WalletId};
use tron::PrivateKey;

/// Opened keys by wallet, each with its generation: one that was replaced is never given out, and leaves as soon as its
/// successor is asked for. A key is zeroized when it has left the cache and its last user has let go of it.
pub struct KeyCache {
    capacity: usize,
    life_us: i64,
    clock: Arc<dyn Clock>,
    entries: Mutex<HashMap<WalletId, Entry>>,
}

struct Entry {
    key: Arc<PrivateKey>,
    generation: i32,
    opened_us: i64,
    used_us: i64,
}

impl KeyCache {
    /// A cache of at most `capacity` keys, each kept for at most `life` after it was opened, used or not. With a
    /// capacity of zero nothing is kept.
    #[must_use]
    pub fn new(capacity: usize, life: Duration, clock: Arc<dyn Clock>) -> Self {
        let life_us = i64::try_from(life.as_micros()).unwrap_or(i64::MAX);
        Self {
            capacity,
            life_us,
            clock,
            entries: Mutex::new(HashMap::new()),
        }
    }

    /// The wallet's key of this generation, if it is here and its time is not over.
    #[must_use]
    pub fn get(&self, wallet_id: WalletId, generation: i32) -> Option<Arc<PrivateKey>> {
        let now_us = self.now_us();
        let mut entries = self.lock();
        let entry = entries.get_mut(&wallet_id)?;
        if entry.generation != generation || !self.lives(entry, now_us) {
            entries.remove(&wallet_id);
            return None;
        }
        entry.used_us = now_us;
        Some(Arc::clone(&entry.key))
    }

    /// The wallet's key of this generation from here, or from `open`, whose result is kept. The cache is not locked while `open` runs: two
    /// callers at once may both open the key, which costs time and nothing else. An error is passed on and not kept.
    ///
    /// # Errors
    /// Those of `open`.
    pub fn get_or_open<E>(
        &self,
        (wallet_id, generation): (WalletId, i32),
        open: impl FnOnce() -> Result<PrivateKey, E>,
    ) -> Result<Arc<PrivateKey>, E> {
        if let Some(key) = self.get(wallet_id, generation) {
            return Ok(key);
        }
        let key = Arc::new(open()?);
        self.insert(wallet_id, generation, Arc::clone(&key));
        Ok(key)
    }

    /// Forgets the wallet's key: it was taken out of use.
    pub fn remove(&self, wallet_id: WalletId) {
        self.lock().remove(&wallet_id);
    }

    /// Forgets every key whose time is over. Called now and then, it bounds the life of keys that nobody asks for.
    pub fn remove_expired(&self) {
        let now_us = self.now_us();
        self.lock().retain(|_, entry| self.lives(entry, now_us));
    }

    /// How many keys are held, expired ones included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().len()
    }

    /// Whether no key is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn insert(&self, wallet_id: WalletId, generation: i32, key: Arc<PrivateKey>) {
        if self.capacity == 0 {
            return;
        }
        let now_us = self.now_us();
        let mut entries = self.lock();
        if entries.len() >= self.capacity && !entries.contains_key(&wallet_id) {
            entries.retain(|_, entry| self.lives(entry, now_us));
            if entries.len() >= self.capacity {
                remove_longest_unused(&mut entries);
            }
        }
        entries.insert(
            wallet_id,
            Entry {
                key,
                generation,
                opened_us: now_us,
                used_us: now_us,
            },
        );
    }

    /// A clock that was set back ends a key's life too: its age is no longer known.
    fn lives(&self, entry: &Entry, now_us: i64) -> bool {
        (0..self.life_us).contains(&now_us.saturating_sub(entry.opened_us))
    }

    fn now_us(&self) -> i64 {
        self.clock.now().timestamp_micros()
    }

    /// Each change of the map is whole by itself, so that a holder that panicked left nothing half done.
    fn lock(&self) -> MutexGuard<'_, HashMap<WalletId, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn remove_longest_unused(entries: &mut HashMap<WalletId, Entry>) {
    let longest = entries
        .iter()
        .min_by_key(|(_, entry)| entry.used_us)
        .map(|(wallet_id, _)| *wallet_id);
    if let Some(wallet_id) = longest {
        entries.remove(&wallet_id);
    }
}

impl fmt::Debug for KeyCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyCache({} of {} keys, redacted)", self.len(), self.capacity)
    }
}

#[cfg(test)]
mod tests;
