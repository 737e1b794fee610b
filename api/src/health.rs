//! Alive and ready. Ready means: PostgreSQL answers with the schema that this program knows. Redis may be away, since
//! the workers find every order in PostgreSQL. Anybody may ask, so to ask often costs no more than to ask once a second.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, TimeDelta, Utc};
use db::pending_migrations;
use jobs::Queue;
use kernel::{Clock, ErrorClass};
use serde::Serialize;
use tokio::sync::Mutex;

use crate::App;
use crate::problem::chain;

/// How long a dependency may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// For how long what was found is told again.
const BELIEVED: TimeDelta = TimeDelta::seconds(1);

/// The process runs.
#[derive(Debug, Serialize)]
pub(crate) struct Live {
    status: &'static str,
}

/// Whether the process can serve, by dependency.
#[derive(Debug, Serialize)]
pub(crate) struct Ready {
    /// `ok`, `degraded` (still ready), `unready` or `stopping`.
    status: &'static str,
    dependencies: Dependencies,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
struct Dependencies {
    postgres: &'static str,
    migrations: &'static str,
    redis: &'static str,
}

pub(crate) async fn live() -> Json<Live> {
    Json(Live { status: "ok" })
}

/// What was found last, and when.
#[derive(Debug, Default)]
pub(crate) struct LastLook(Mutex<Option<(DateTime<Utc>, Dependencies)>>);

impl LastLook {
    /// What was found a moment ago, else what is found now. One looks at a time, and whoever comes meanwhile is told what he found.
    async fn or(&self, clock: &dyn Clock, look: impl Future<Output = Dependencies>) -> Dependencies {
        let mut last = self.0.lock().await;
        if let Some((at, found)) = *last
            && (clock.now() - at).abs() < BELIEVED
        {
            return found;
        }
        let found = look.await;
        *last = Some((clock.now(), found));
        found
    }
}

pub(crate) async fn ready(State(app): State<Arc<App>>) -> (StatusCode, Json<Ready>) {
    let dependencies = app.last_look.or(&*app.clock, look(&app)).await;
    let status = match (dependencies.migrations, dependencies.redis) {
        // not as it was a moment ago: who balances load has to know at once
        _ if app.stopping.is_cancelled() => "stopping",
        ("ok", "ok") => "ok",
        ("ok", _) => "degraded",
        _ => "unready",
    };
    let code = match status {
        "ok" | "degraded" => StatusCode::OK,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    };
    (code, Json(Ready { status, dependencies }))
}

async fn look(app: &App) -> Dependencies {
    let (database, redis) = tokio::join!(
        tokio::time::timeout(PATIENCE, pending_migrations(&app.pool)),
        app.wakes.depth(Queue::Orders)
    );
    let (postgres, migrations) = match database {
        Ok(Ok(0)) => ("ok", "ok"),
        Ok(Ok(_)) => ("ok", "pending"),
        Ok(Err(error)) => {
            tracing::warn!(cause = chain(&error), "the database is not ready");
            // it answers, but not what it should: never migrated, or without the rights of this role
            let answers = error.class() == ErrorClass::Bug;
            (if answers { "ok" } else { "unavailable" }, "unknown")
        }
        Err(_) => ("unavailable", "unknown"),
    };
    let redis = if redis.is_ok() { "ok" } else { "unavailable" };
    Dependencies {
        postgres,
        migrations,
        redis,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use futures::future::join_all;
    use kernel::ManualClock;

    use super::*;

    #[tokio::test]
    async fn of_many_who_ask_at_once_one_looks() {
        let (clock, last, looks) = (
            ManualClock::at(DateTime::from_timestamp(1_800_000_000, 0).unwrap()),
            LastLook::default(),
            AtomicU32::new(0),
        );
        let look = |postgres: &'static str| {
            let looks = &looks;
            async move {
                looks.fetch_add(1, Ordering::Relaxed);
                tokio::task::yield_now().await;
                Dependencies {
                    postgres,
                    migrations: "ok",
                    redis: "ok",
                }
            }
        };
        let ask = |postgres: &'static str| {
            let told = last.or(&clock, look(postgres));
            async move { told.await.postgres }
        };
        let told = join_all((0..50).map(|_| ask("ok"))).await;
        assert!(told.iter().all(|told| *told == "ok"));
        assert_eq!(looks.load(Ordering::Relaxed), 1);
        assert_eq!(ask("unavailable").await, "ok", "a moment later");
        clock.advance_seconds(1);
        assert_eq!(ask("unavailable").await, "unavailable");
        // a clock that is set back has nothing believed for long
        clock.advance_seconds(-60);
        assert_eq!(ask("ok").await, "ok");
        assert_eq!(looks.load(Ordering::Relaxed), 3);
        // who gives up while he looks leaves it to the next one
        clock.advance_seconds(1);
        let never = last.or(&clock, std::future::pending());
        assert!(tokio::time::timeout(Duration::ZERO, never).await.is_err());
        assert_eq!(ask("unavailable").await, "unavailable");
    }
}
