//! Waiting with a bound: every wait ends when its condition holds, a process dies, somebody asks to stop, or the time is
//! up.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::children::Children;
use crate::interrupt::Interrupt;

const STEP: Duration = Duration::from_millis(100);

/// The time of a run.
pub(crate) struct Waiting<'a> {
    interrupt: &'a Interrupt,
    begin: Instant,
    limit: Duration,
}

impl<'a> Waiting<'a> {
    /// Starts the clock.
    pub(crate) fn new(interrupt: &'a Interrupt, limit: Duration) -> Self {
        Self {
            interrupt,
            begin: Instant::now(),
            limit,
        }
    }

    /// Asks until `condition` has an answer. `what` says what is waited for.
    pub(crate) fn until<T>(
        &self,
        children: &Children,
        what: &str,
        condition: impl FnMut() -> Result<Option<T>>,
    ) -> Result<T> {
        self.until_every(STEP, children, what, condition)
    }

    /// [`Self::until`], with a pause of one's own between two looks.
    pub(crate) fn until_every<T>(
        &self,
        step: Duration,
        children: &Children,
        what: &str,
        mut condition: impl FnMut() -> Result<Option<T>>,
    ) -> Result<T> {
        loop {
            self.interrupt.check()?;
            children.check()?;
            if let Some(answer) = condition()? {
                return Ok(answer);
            }
            if self.begin.elapsed() > self.limit {
                bail!("after {} s still waiting: {what}", self.limit.as_secs());
            }
            thread::sleep(step);
        }
    }
}
