//! When a worker asks Redis for more: at once when a push is announced, else at an interval that cannot stall.
//!
//! The interval of apalis loses its timer when Redis answers within the same poll, and the worker then sleeps until its
//! next heartbeat. This one polls its timer each time.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use apalis::prelude::{PollSnapshot, PollStrategy};
use futures::task::AtomicWaker;
use tokio::time::{Instant, Sleep, sleep};

/// While pushes are announced, the interval is only a floor: it catches an announcement that was lost.
const ANNOUNCED: Duration = Duration::from_secs(1);
/// While they are not, the interval is all there is.
const BLIND: Duration = Duration::from_millis(50);

/// Between the subscriber and the worker of one queue.
#[derive(Debug, Default)]
pub(super) struct WakeSignal {
    worker: AtomicWaker,
    announced: AtomicBool,
}

impl WakeSignal {
    /// Something was pushed.
    pub(super) fn wake(&self) {
        self.worker.wake();
    }

    /// Whether pushes are announced from now on.
    pub(super) fn set_announced(&self, announced: bool) {
        self.announced.store(announced, Ordering::Release);
        self.worker.wake();
    }

    fn period(&self) -> Duration {
        if self.announced.load(Ordering::Acquire) {
            ANNOUNCED
        } else {
            BLIND
        }
    }
}

/// The strategy of one worker.
#[derive(Debug)]
pub(super) struct WakeOrInterval {
    signal: Arc<WakeSignal>,
    period: Duration,
    timer: Option<Pin<Box<Sleep>>>,
}

impl WakeOrInterval {
    pub(super) const fn new(signal: Arc<WakeSignal>) -> Self {
        Self {
            signal,
            period: BLIND,
            timer: None,
        }
    }
}

impl PollStrategy for WakeOrInterval {
    fn poll_drive(&mut self, cx: &mut Context<'_>, _: &PollSnapshot) -> Poll<Option<()>> {
        self.signal.worker.register(cx.waker());
        let period = self.signal.period();
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(period)));
        if period != self.period {
            self.period = period;
            timer.as_mut().reset(Instant::now() + period);
        }
        let mut fired = false;
        while timer.as_mut().poll(cx).is_ready() {
            fired = true;
            timer.as_mut().reset(Instant::now() + period);
        }
        if fired { Poll::Ready(Some(())) } else { Poll::Pending }
    }
}
