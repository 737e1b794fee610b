//! How often somebody may ask, as arithmetic: no I/O, and no clock.
//!
//! A bucket that leaks (GCRA). Each request costs its share of a minute, what is owed is worked off by waiting, and who would
//! owe more than a minute is put off. All of it is one number for each caller: until when it owes, in microseconds.
//! `rate_limit/gcra.lua` is the same in Redis; a test holds the two to each other.

mod local;
mod shared;

pub use shared::RateLimiter;

const MINUTE_MICROS: i64 = 60_000_000;

/// So many requests in a minute, which may also come all at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit(u32);

impl RateLimit {
    /// At most `requests` a minute; none at all counts as one.
    #[must_use]
    pub const fn per_minute(requests: u32) -> Self {
        Self(if requests == 0 { 1 } else { requests })
    }

    /// How many requests that is.
    #[must_use]
    pub const fn requests(self) -> u32 {
        self.0
    }

    /// What one request costs, in microseconds. Rounded up, so that it is never more than the limit.
    fn cost(self) -> i64 {
        let requests = i64::from(self.0);
        (MINUTE_MICROS + requests - 1) / requests
    }

    /// How much may be owed: a whole minute, by the rounding a little more.
    fn most(self) -> i64 {
        self.cost() * i64::from(self.0)
    }

    /// Judges a request of who owes until `until`. It owes until `now` and the verdict's debt from then on.
    fn judge(self, until: Option<i64>, now: i64) -> Verdict {
        // more than may be owed was written before the clock was set back: then it counts from here
        let debt = until.map_or(0, |until| until.saturating_sub(now).clamp(0, self.most()));
        let after = debt + self.cost();
        let allowed = after <= self.most();
        Verdict {
            limit: self,
            allowed,
            debt: if allowed { after } else { debt },
        }
    }
}

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    limit: RateLimit,
    allowed: bool,
    /// In microseconds, with this request if it was allowed.
    debt: i64,
}

impl Verdict {
    /// Whether it may pass.
    #[must_use]
    pub const fn allowed(&self) -> bool {
        self.allowed
    }

    /// The limit that it was held to.
    #[must_use]
    pub const fn limit(&self) -> RateLimit {
        self.limit
    }

    /// How many more could come at this moment.
    #[must_use]
    pub fn remaining(&self) -> u32 {
        let left = self.limit.most().saturating_sub(self.debt).max(0);
        u32::try_from(left / self.limit.cost()).unwrap_or(u32::MAX)
    }

    /// Until the whole limit is there again, in seconds, rounded up.
    #[must_use]
    pub fn reset_s(&self) -> u64 {
        seconds(self.debt)
    }

    /// Until another request is allowed, in seconds, rounded up.
    #[must_use]
    pub fn retry_after_s(&self) -> u64 {
        seconds(self.debt + self.limit.cost() - self.limit.most())
    }
}

fn seconds(micros: i64) -> u64 {
    u64::try_from(micros).unwrap_or(0).div_ceil(1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_at_once_and_then_one_after_the_other() {
        let limit = RateLimit::per_minute(3);
        let (mut until, now) = (None, 1_800_000_000_000_000);
        for (remaining, reset_s) in [(2, 20), (1, 40), (0, 60)] {
            let verdict = limit.judge(until, now);
            assert_eq!((verdict.allowed(), verdict.remaining()), (true, remaining));
            assert_eq!(verdict.reset_s(), reset_s);
            until = Some(now + verdict.debt);
        }
        let refused = limit.judge(until, now);
        assert_eq!(
            (refused.allowed(), refused.remaining(), refused.retry_after_s()),
            (false, 0, 20)
        );
        let soon = limit.judge(until, now + 19_000_001);
        assert_eq!((soon.allowed(), soon.retry_after_s()), (false, 1));
        assert!(limit.judge(until, now + 20_000_000).allowed());
    }

    #[test]
    fn it_is_never_more_than_the_limit() {
        for requests in [0, 1, 7, 600, 3_001, 999_999, 1_000_000, u32::MAX] {
            let limit = RateLimit::per_minute(requests);
            let requests = i64::from(requests.max(1));
            assert!(limit.cost() * requests >= MINUTE_MICROS, "{requests}");
            assert_eq!(limit.most() / limit.cost(), requests);
        }
    }

    #[test]
    fn a_clock_that_was_set_back_costs_one_request() {
        let limit = RateLimit::per_minute(60);
        let year = 31_536_000_000_000;
        let verdict = limit.judge(Some(year), 0);
        assert_eq!((verdict.allowed(), verdict.retry_after_s()), (false, 1));
    }
}
