//! The one table that says where a kind of job waits, how long a run may take and how often it is tried.

use std::time::Duration;

use chrono::TimeDelta;

use crate::{JobKind, Queue, RunningJob};

/// How a kind of job is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// The queue it waits in.
    pub queue: Queue,
    /// A run that takes longer is abandoned and counted as failed.
    pub timeout: Duration,
    /// After so many failed runs in a row the job is dead and waits for an operator. Runs that failed because somebody else
    /// was away do not bring it there.
    pub max_runs: u32,
    /// The longest pause after the first failure; it doubles with each further one.
    pub backoff_base: Duration,
    /// The longest pause ever.
    pub backoff_max: Duration,
}

/// What a run may overstay its timeout before it counts as lost: the time to write down how it ended.
const GRACE: Duration = Duration::from_secs(5);

impl Policy {
    /// How long a begun run keeps others from beginning; after it, the worker is taken for dead.
    #[must_use]
    pub fn lease(&self) -> TimeDelta {
        TimeDelta::from_std(self.timeout.saturating_add(GRACE)).unwrap_or(TimeDelta::MAX)
    }

    /// How many of `runs` stay counted when the last of them failed because somebody else was away: no more than lead to the
    /// longest pause, and never the last two. So an outage kills no job, not even with a run that never came to its end, and
    /// leaves it runs for failures of its own.
    #[must_use]
    pub fn runs_after_outage(&self, runs: u32) -> u32 {
        let base = self.backoff_base.as_secs().max(1);
        let doublings = self
            .backoff_max
            .as_secs()
            .div_ceil(base)
            .next_power_of_two()
            .trailing_zeros();
        if runs > (doublings + 1).min(self.max_runs.saturating_sub(2)) {
            return runs.saturating_sub(1);
        }
        runs
    }
}

impl JobKind {
    /// The policy of this kind. Timeouts stay below the 120 s after which apalis takes a silent worker for dead.
    #[must_use]
    pub const fn policy(self) -> Policy {
        let (queue, timeout, max_runs, base, max) = match self {
            Self::OrdersDelegate => (Queue::Orders, 20, 25, 1, 30),
            Self::OrdersCancelExpired => (Queue::Orders, 20, 10, 2, 60),
            Self::OrdersKeep => (Queue::Wallets, 20, 50, 5, 300),
            Self::DelegationsReclaim => (Queue::Delegations, 20, 50, 2, 300),
            Self::PayoutsSend => (Queue::Payouts, 20, 25, 2, 60),
            Self::PayoutsExpire => (Queue::Payouts, 20, 10, 5, 120),
            Self::ChainResendTransactions => (Queue::Chain, 20, 20, 1, 30),
            Self::ChainSettleFinal => (Queue::Chain, 20, 20, 1, 60),
            Self::DepositsCredit => (Queue::Deposits, 20, 20, 1, 60),
            Self::DepositsPlaceOrder => (Queue::Deposits, 20, 25, 1, 60),
            Self::DepositsRent => (Queue::Deposits, 20, 25, 1, 60),
            Self::DepositsExchange => (Queue::Deposits, 20, 20, 2, 60),
            Self::RatesRead => (Queue::Deposits, 20, 5, 5, 60),
            Self::DepositsConfirm => (Queue::Deposits, 60, 20, 2, 60),
            Self::DepositsPlanSweeps => (Queue::Deposits, 30, 10, 5, 120),
            // some questions to nodes, one after the other
            Self::DepositsSweep => (Queue::Deposits, 60, 25, 2, 300),
            Self::WalletsSync => (Queue::Wallets, 20, 10, 2, 120),
            Self::WalletsImport => (Queue::Wallets, 20, 10, 2, 60),
            Self::WalletsCheckStock => (Queue::Wallets, 20, 10, 5, 120),
            Self::WalletsStake => (Queue::Wallets, 20, 25, 2, 300),
            Self::WalletsPlanStakes => (Queue::Wallets, 20, 5, 5, 120),
            // more than all its sends may take, see `domain::webhooks`
            Self::NotifyDeliverWebhook => (Queue::Notify, 60, 10, 5, 300),
            Self::OperationsReconcile | Self::OperationsPrune => (Queue::Reports, 100, 5, 10, 300),
            Self::AuditSeal => (Queue::Reports, 60, 10, 5, 60),
        };
        Policy {
            queue,
            timeout: Duration::from_secs(timeout),
            max_runs,
            backoff_base: Duration::from_secs(base),
            backoff_max: Duration::from_secs(max),
        }
    }
}

/// The pause after `runs` failed runs: anything between a quarter of the base and `base × 2^(runs-1)`, never above the
/// maximum. Full jitter, so that jobs which failed together do not come back together; `seed` chooses within the range.
#[must_use]
pub fn backoff(policy: &Policy, runs: u32, seed: u64) -> Duration {
    let factor = 1_u32.checked_shl(runs.saturating_sub(1)).unwrap_or(u32::MAX);
    let ceiling = policy.backoff_base.saturating_mul(factor).min(policy.backoff_max);
    let floor = (policy.backoff_base / 4).min(ceiling);
    let span = u64::try_from((ceiling - floor).as_millis()).unwrap_or(u64::MAX);
    floor + Duration::from_millis(mix(seed) % span.saturating_add(1))
}

/// The pause for one job: the seed is made of its name and its number of runs.
#[must_use]
pub fn backoff_for(kind: JobKind, object_id: &str, runs: u32) -> Duration {
    backoff(&kind.policy(), runs, seed(kind, object_id, runs))
}

/// The pause after a run that found somebody else away. The number of runs stays the same through an outage, so the seed
/// takes in when the run began: the pause of one job must not be the shortest one each time.
#[must_use]
pub fn backoff_while_away(job: &RunningJob) -> Duration {
    let began = job.started_at.timestamp_micros().unsigned_abs();
    let seed = seed(job.kind, &job.object_id, job.runs) ^ mix(began);
    backoff(&job.kind.policy(), job.runs, seed)
}

fn seed(kind: JobKind, object_id: &str, runs: u32) -> u64 {
    let name = kind.word().bytes().chain(object_id.bytes());
    name.fold(u64::from(runs), |seed, byte| mix(seed ^ u64::from(byte)))
}

/// One step of SplitMix64: spreads a small change of the input over all bits.
const fn mix(seed: u64) -> u64 {
    let z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_doubles_at_most_and_stays_within_its_bounds() {
        for kind in JobKind::ALL {
            let policy = kind.policy();
            for runs in [0, 1, 2, 3, 8, 31, 32, 33, u32::MAX] {
                for seed in 0..200 {
                    let pause = backoff(&policy, runs, seed);
                    assert!(pause <= policy.backoff_max, "{kind} {runs}");
                    assert!(pause >= policy.backoff_base / 4, "{kind} {runs}");
                    if runs <= 1 {
                        assert!(pause <= policy.backoff_base, "{kind} {runs}");
                    }
                }
            }
        }
    }

    #[test]
    fn jobs_that_failed_together_come_back_apart() {
        let pauses: std::collections::BTreeSet<_> = (0..100)
            .map(|n| backoff_for(JobKind::OrdersDelegate, &n.to_string(), 5))
            .collect();
        assert!(pauses.len() > 90, "only {} different pauses", pauses.len());
        let longest = pauses.last().copied().unwrap_or_default();
        let shortest = pauses.first().copied().unwrap_or_default();
        assert!(
            longest - shortest > Duration::from_secs(8),
            "{shortest:?} to {longest:?}"
        );
    }

    #[test]
    fn an_outage_uses_up_no_job_and_its_pauses_grow_to_the_longest() {
        for kind in JobKind::ALL {
            let policy = kind.policy();
            let mut runs = 0;
            for _ in 0..1000 {
                runs = policy.runs_after_outage(runs + 1);
                assert!(runs + 1 < policy.max_runs, "{kind}: the next run is its last");
            }
            let pause = backoff(&policy, runs + 1, u64::MAX);
            assert!(pause <= policy.backoff_max, "{kind}");
            let kept = policy.runs_after_outage(policy.max_runs);
            assert_eq!(kept, policy.max_runs - 1, "{kind}: its own failures stay counted");
            assert_eq!(policy.runs_after_outage(1), 1, "{kind}");
        }
        let policy = JobKind::OrdersDelegate.policy();
        assert_eq!(
            policy.runs_after_outage(7),
            6,
            "19 runs are left for failures of its own"
        );
        assert!(
            policy.backoff_max <= Duration::from_secs(60),
            "nodes that come back late in an order's time are asked in time"
        );
    }

    #[test]
    fn the_pauses_of_one_job_differ_through_an_outage() {
        let job = |second: i64| RunningJob {
            kind: JobKind::OrdersDelegate,
            object_id: "o".into(),
            request: 0,
            runs: 7,
            due_at: chrono::DateTime::UNIX_EPOCH,
            started_at: chrono::DateTime::UNIX_EPOCH + TimeDelta::seconds(second),
        };
        let pauses: std::collections::BTreeSet<_> = (0..100).map(|second| backoff_while_away(&job(second))).collect();
        assert!(pauses.len() > 90, "only {} different pauses", pauses.len());
    }

    #[test]
    fn a_lease_outlasts_its_run_and_apalis_waits_longer() {
        for kind in JobKind::ALL {
            let policy = kind.policy();
            assert!(policy.lease() > TimeDelta::from_std(policy.timeout).unwrap());
            assert!(policy.lease() < TimeDelta::seconds(120), "{kind}");
            let of_an_order = matches!(
                policy.queue,
                Queue::Orders | Queue::Delegations | Queue::Payouts | Queue::Chain
            );
            assert!(
                policy.lease() < TimeDelta::seconds(if of_an_order { 30 } else { 120 }),
                "{kind} is taken over too late"
            );
            assert!(policy.max_runs >= 2 && policy.backoff_base <= policy.backoff_max);
        }
    }
}
