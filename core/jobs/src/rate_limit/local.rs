//! What one process knows of who owes: a memory of bounded size.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{RateLimit, Verdict};

/// With the usual limits a caller owes for milliseconds: so many at a time are a flood, and take a few megabytes.
const CAPACITY: usize = 16_384;

/// Until when callers owe.
#[derive(Debug, Default)]
pub(super) struct LocalLimits(Mutex<HashMap<String, i64>>);

impl LocalLimits {
    /// Counts a request here alone.
    pub(super) fn judge(&self, caller: &str, limit: RateLimit, now: i64) -> Verdict {
        let mut callers = self.lock();
        let verdict = limit.judge(callers.get(caller).copied(), now);
        keep(&mut callers, caller, now, now + verdict.debt);
        verdict
    }

    /// The refusal, if it is certain without asking: others can only have made the debt larger. What was written before the
    /// clock was set back is not certain.
    pub(super) fn refusal(&self, caller: &str, limit: RateLimit, now: i64) -> Option<Verdict> {
        let until = *self.lock().get(caller)?;
        let verdict = limit.judge(Some(until), now);
        (!verdict.allowed && until.saturating_sub(now) <= limit.most()).then_some(verdict)
    }

    /// Keeps what Redis said.
    pub(super) fn learn(&self, caller: &str, verdict: &Verdict, now: i64) {
        keep(&mut self.lock(), caller, now, now + verdict.debt);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, i64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn keep(callers: &mut HashMap<String, i64>, caller: &str, now: i64, until: i64) {
    if let Some(known) = callers.get_mut(caller) {
        *known = until;
        return;
    }
    if callers.len() >= CAPACITY {
        callers.retain(|_, until| *until > now);
        // so many that owe at once are a flood from everywhere; to forget them all now and then is better than to look
        // through them at each request, or to refuse those who are not remembered
        if callers.len() > CAPACITY / 2 {
            callers.clear();
        }
    }
    callers.insert(caller.to_owned(), until);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_from_everywhere_is_not_remembered_without_bound() {
        let (limits, limit) = (LocalLimits::default(), RateLimit::per_minute(1));
        for n in 0..100_000 {
            assert!(limits.judge(&n.to_string(), limit, 0).allowed());
            assert!(limits.lock().len() <= CAPACITY);
        }
        assert!(!limits.judge("99999", limit, 0).allowed());
    }

    #[test]
    fn who_owes_nothing_is_forgotten_first() {
        let (limits, limit) = (LocalLimits::default(), RateLimit::per_minute(1));
        for n in 0..CAPACITY - 1 {
            limits.judge(&n.to_string(), limit, 0);
        }
        limits.judge("late", limit, 59_000_000);
        limits.judge("more", limit, 60_000_000);
        assert_eq!(limits.lock().len(), 2);
        assert!(limits.refusal("late", limit, 60_000_000).is_some());
    }

    #[test]
    fn only_what_is_certain_is_refused_without_asking() {
        let (limits, limit) = (LocalLimits::default(), RateLimit::per_minute(2));
        let refused = |now| limits.refusal("a", limit, now).is_some();
        assert!(!refused(0), "nothing is known");
        limits.judge("a", limit, 0);
        assert!(!refused(0));
        limits.judge("a", limit, 0);
        assert!(refused(0) && refused(29_999_999));
        assert!(!refused(30_000_000));
        assert!(!refused(-1), "the clock was set back");
    }
}
