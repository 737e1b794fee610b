//! One look at the database for all readers of a process: it tells each how far it can read now.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::http::header::RETRY_AFTER;
use domain::events::newest;
use tokio::sync::watch;
use uuid::Uuid;

use crate::App;
use crate::problem::{Code, Problem, chain};

/// What readers of this process share.
#[derive(Debug)]
pub(crate) struct Feed {
    /// Up to where there is something to read.
    horizon: watch::Sender<i64>,
    readers: Mutex<Readers>,
    max_readers: usize,
    max_of_key: usize,
}

#[derive(Debug, Default)]
struct Readers {
    /// How many each key has.
    of_keys: HashMap<Uuid, usize>,
    /// Whether somebody looks for them.
    looked_for: bool,
}

impl Feed {
    pub(crate) fn new(max_readers: usize, max_of_key: usize) -> Self {
        Self {
            horizon: watch::Sender::new(0),
            readers: Mutex::default(),
            max_readers,
            max_of_key,
        }
    }

    fn readers(&self) -> MutexGuard<'_, Readers> {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A reader; he counts until he is dropped.
pub(super) struct Reader {
    app: Arc<App>,
    key: Uuid,
    pub(super) horizon: watch::Receiver<i64>,
}

impl Reader {
    /// # Errors
    /// Too many read at this process, or too many with this key.
    pub(super) fn new(app: &Arc<App>, key: Uuid) -> Result<Self, Problem> {
        let feed = &app.feed;
        let mut readers = feed.readers();
        let of_key = readers.of_keys.get(&key).copied().unwrap_or(0);
        if of_key >= feed.max_of_key {
            let detail = format!("this caller reads {of_key} streams of events already");
            return Err(Problem::new(Code::RateLimited)
                .with_detail(detail)
                .with_header(RETRY_AFTER, "30"));
        }
        if readers.of_keys.values().sum::<usize>() >= feed.max_readers {
            return Err(Problem::new(Code::Overloaded));
        }
        readers.of_keys.insert(key, of_key + 1);
        metrics::gauge!("switchyard_event_streams").increment(1.0);
        let horizon = feed.horizon.subscribe();
        if !std::mem::replace(&mut readers.looked_for, true) {
            tokio::spawn(look(app.clone()));
        }
        Ok(Self {
            app: app.clone(),
            key,
            horizon,
        })
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let mut readers = self.app.feed.readers();
        if let Some(left) = readers.of_keys.get_mut(&self.key) {
            *left -= 1;
            if *left == 0 {
                readers.of_keys.remove(&self.key);
            }
        }
        metrics::gauge!("switchyard_event_streams").decrement(1.0);
    }
}

/// Looks for what is new until nobody reads any more. What is missed while the database is away is seen by the next look.
async fn look(app: Arc<App>) {
    let pause = Duration::from_millis(app.settings.events.look_interval_ms);
    let (mut last, mut well) = (None, true);
    loop {
        match newest(&app.pool).await {
            Ok((horizon, newest)) => {
                if last.replace(newest) != Some(newest) {
                    app.feed.horizon.send_replace(horizon);
                }
                well = true;
            }
            Err(error) => {
                if std::mem::replace(&mut well, false) {
                    tracing::warn!(cause = chain(&error), "events could not be looked for");
                }
            }
        }
        tokio::time::sleep(pause).await;
        let mut readers = app.feed.readers();
        if readers.of_keys.is_empty() || app.stopping.is_cancelled() {
            readers.looked_for = false;
            return;
        }
    }
}
