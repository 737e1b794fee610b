//! The jobs: what is still to be done, how often and how fast it is tried, and the wake-ups that Redis carries for it.
//!
//! The table `jobs` is the truth; a wake-up that is lost costs seconds. Handlers are not here, and nothing here decides
//! about money. The only other thing that Redis carries is here too: how often callers of the API have asked.

mod enqueue;
mod feed;
mod figures;
mod kind;
pub mod operate;
mod policy;
mod rate_limit;
mod run;
mod wake;
mod wake_queue;

pub use enqueue::{JobRequest, enqueue_each_in_tx, enqueue_in_tx, enqueue_many_in_tx};
pub use feed::{Feed, bury_never_finished, take_due};
pub use figures::{QueueFigures, queue_figures};
pub use kind::{JobKind, Queue};
pub use policy::{Policy, backoff, backoff_for, backoff_while_away};
pub use rate_limit::{RateLimit, RateLimiter, Verdict};
pub use run::{
    Completed, RunningJob, again, begin, bury, complete, complete_in_tx, complete_many_in_tx, retry, wait_for,
};
pub use wake::Wake;
pub use wake_queue::{PushReport, WakeConfig, WakeError, WakeQueue};
