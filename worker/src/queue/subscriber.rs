//! Listens for announced pushes and wakes the workers of this process.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::{FutureExt, StreamExt};
use jobs::{Queue, WakeConfig, WakeError};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::poll::WakeSignal;

/// The signal of each queue.
pub(super) type Signals = BTreeMap<&'static str, Arc<WakeSignal>>;

/// How long to wait before listening again.
const PAUSE: Duration = Duration::from_millis(500);
/// After so long without a word the way is opened anew, at once and without a word: a machine that is gone closes nothing, and a
/// primary that was put back keeps its listeners. Mostly there was nothing to say.
const SILENCE: Duration = Duration::from_secs(30);
/// A fetch that was on its way when the push came may have looked too early, so the worker is woken once more.
const ECHO: Duration = Duration::from_millis(3);

/// Listens until told to stop; while Redis is away the workers poll at their short interval.
pub(super) async fn listen(config: WakeConfig, queues: Vec<Queue>, signals: Arc<Signals>, stop: CancellationToken) {
    let mut was_up = true;
    while !stop.is_cancelled() {
        let ended = tokio::select! {
            () = stop.cancelled() => return,
            ended = listen_once(&config, &queues, &signals, &mut was_up) => ended,
        };
        signals.values().for_each(|signal| signal.set_announced(false));
        if matches!(ended, Ok(Ended::Silent)) {
            continue;
        }
        if was_up {
            let error = ended.err().map(|error| error.to_string());
            tracing::warn!(error, "pushes are not announced; polling until they are");
        }
        was_up = false;
        tokio::select! {
            () = stop.cancelled() => return,
            () = sleep(PAUSE) => {}
        }
    }
}

/// Why listening ended without an error.
enum Ended {
    /// The way was closed.
    Closed,
    /// Nothing came for [`SILENCE`].
    Silent,
}

async fn listen_once(
    config: &WakeConfig,
    queues: &[Queue],
    signals: &Signals,
    was_up: &mut bool,
) -> Result<Ended, WakeError> {
    let client = config.client()?;
    let mut pubsub = timeout(config.connect_timeout, client.get_async_pubsub())
        .await
        .map_err(|_| WakeError::Timeout)??;
    let channels: BTreeMap<String, &Arc<WakeSignal>> = queues
        .iter()
        .filter_map(|queue| Some((config.wake_channel(*queue), signals.get(queue.word())?)))
        .collect();
    for channel in channels.keys() {
        timeout(config.response_timeout, pubsub.subscribe(channel))
            .await
            .map_err(|_| WakeError::Timeout)??;
    }
    *was_up = true;
    // what was pushed before we listened is fetched now
    signals.values().for_each(|signal| signal.set_announced(true));
    let mut messages = pubsub.on_message();
    loop {
        let first = match timeout(SILENCE, messages.next()).await {
            Ok(Some(first)) => first,
            Ok(None) => return Ok(Ended::Closed),
            Err(_) => return Ok(Ended::Silent),
        };
        let mut named = vec![first];
        while let Some(Some(next)) = messages.next().now_or_never() {
            named.push(next);
        }
        named.sort_by(|a, b| a.get_channel_name().cmp(b.get_channel_name()));
        named.dedup_by(|a, b| a.get_channel_name() == b.get_channel_name());
        let woken = |message: &redis::Msg| channels.get(message.get_channel_name()).copied();
        named.iter().filter_map(woken).for_each(|signal| signal.wake());
        sleep(ECHO).await;
        named.iter().filter_map(woken).for_each(|signal| signal.wake());
    }
}
