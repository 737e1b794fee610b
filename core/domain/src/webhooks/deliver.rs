//! The sending of what is due: what is to be sent, what came of it, and when it is tried again.

use std::time::Duration as StdDuration;

use chrono::{DateTime, Duration, Utc};
use db::models::{
    Attempt, AttemptOutcome, DeliveryFilter, DueDelivery, WebhookAttempt, WebhookDelivery, WebhookEndpoint,
    WebhookSecretRow,
};
use db::{Pool, acquire, run_tx};
use jobs::{JobKind, Wake, enqueue_each_in_tx};
use kernel::{EventId, IdGen, WebhookId};
use serde_json::json;
use uuid::Uuid;

use super::find_in_tx;
use crate::DomainError;
use crate::findings::{self, FindingKind};

/// A receiver's wish to be left alone is granted for so long at most.
pub const MAX_RETRY_AFTER: Duration = Duration::hours(1);

/// Pauses before the second send and each further one, in seconds: the specification's own, some three days in all.
const PAUSES_S: [i64; 9] = [
    5,
    5 * 60,
    30 * 60,
    2 * 3_600,
    5 * 3_600,
    10 * 3_600,
    14 * 3_600,
    20 * 3_600,
    24 * 3_600,
];

/// When a message is sent again after `earlier` sends and one more failed, or `None` after the last. Up to a fifth is added
/// to each pause, by chance of the message's id, so that what failed together does not come back together.
#[must_use]
pub fn next_attempt(event: Uuid, earlier: i32, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let pause_s = *PAUSES_S.get(usize::try_from(earlier).ok()?)?;
    let (_, chance) = event.as_u64_pair();
    let chance = chance.rotate_left(earlier.unsigned_abs().wrapping_mul(7)) % 1_000;
    let chance = i64::try_from(chance).unwrap_or_default();
    Some(now + Duration::milliseconds(pause_s * 1_000 + pause_s * chance / 5))
}

/// The body of a message: the same bytes at every send.
///
/// # Errors
/// Never for what PostgreSQL kept.
pub fn body(due: &DueDelivery) -> Result<Vec<u8>, DomainError> {
    let message = json!({ "type": due.event_type, "timestamp": due.happened_at, "data": due.data });
    serde_json::to_vec(&message).map_err(|error| DomainError::Broken(format!("event {}: {error}", due.event_id)))
}

/// What one run has to do.
#[derive(Debug, Clone)]
pub struct ToDeliver {
    /// Where to.
    pub endpoint: WebhookEndpoint,
    /// What to sign with, still sealed.
    pub secrets: Vec<WebhookSecretRow>,
    /// In the order in which it became due.
    pub due: Vec<DueDelivery>,
}

/// What is due for an endpoint, at most `limit`; `None` where the endpoint is gone or disabled.
///
/// # Errors
/// When the database cannot be asked.
pub async fn take_due(
    pool: &Pool,
    id: WebhookId,
    limit: i64,
    now: DateTime<Utc>,
) -> Result<Option<ToDeliver>, DomainError> {
    let mut conn = acquire(pool).await?;
    let Some(endpoint) = WebhookEndpoint::find(&mut conn, id.0)
        .await?
        .filter(|found| found.enabled)
    else {
        return Ok(None);
    };
    let due = WebhookDelivery::due(&mut conn, id.0, now, limit).await?;
    let secrets = if due.is_empty() {
        Vec::new()
    } else {
        WebhookSecretRow::signing(&mut conn, id.0, now).await?
    };
    Ok(Some(ToDeliver { endpoint, secrets, due }))
}

/// What came of one send.
#[derive(Debug, Clone)]
pub struct SendResult {
    /// The HTTP status, if there was an answer.
    pub status: Option<u16>,
    /// The beginning of the answer.
    pub answer: Option<String>,
    /// Why there was none.
    pub error: Option<String>,
    /// How long the receiver asks to be left alone.
    pub retry_after: Option<StdDuration>,
    /// How long the send took.
    pub took: StdDuration,
}

impl SendResult {
    /// Whether the receiver has the message.
    #[must_use]
    pub fn is_delivered(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }

    /// Whether the receiver wants no messages any more.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.status == Some(410)
    }

    /// How long the receiver asks to be left alone, within our bounds; only where it says that it is too busy.
    #[must_use]
    pub fn rest(&self) -> Option<Duration> {
        let busy = matches!(self.status, Some(429 | 503));
        let asked = self.retry_after.filter(|_| busy)?;
        let asked = Duration::from_std(asked).unwrap_or(MAX_RETRY_AFTER);
        Some(asked.min(MAX_RETRY_AFTER))
    }

    fn outcome(&self, due: &DueDelivery, now: DateTime<Utc>) -> AttemptOutcome {
        if self.is_delivered() {
            return AttemptOutcome::Delivered;
        }
        if self.is_gone() {
            return AttemptOutcome::Failed;
        }
        match next_attempt(due.event_id, due.attempts, now) {
            Some(at) => AttemptOutcome::RetryAt(self.rest().map_or(at, |rest| at.max(now + rest))),
            None => AttemptOutcome::Failed,
        }
    }
}

/// Writes down what came of a send, and opens a finding where the message is given up.
///
/// # Errors
/// When the database fails. The message is then sent again, under the same id.
pub async fn record(
    pool: &Pool,
    ids: &dyn IdGen,
    (id, due): (WebhookId, &DueDelivery),
    result: &SendResult,
    now: DateTime<Utc>,
) -> Result<AttemptOutcome, DomainError> {
    let outcome = result.outcome(due, now);
    let attempt = Attempt {
        endpoint_id: id.0,
        event_id: due.event_id,
        earlier: due.attempts,
        at: now,
        status: result.status.map(i32::from),
        answer: result.answer.clone(),
        error: result.error.clone(),
        duration_ms: i32::try_from(result.took.as_millis()).unwrap_or(i32::MAX),
        outcome,
    };
    let moved = attempt.record(&mut *acquire(pool).await?).await?;
    if !(moved && outcome == AttemptOutcome::Failed) {
        return Ok(outcome);
    }
    metrics::counter!("switchyard_webhook_given_up_total").increment(1);
    if !result.is_gone() {
        let subject = format!("webhook:{id}");
        let detail = json!({ "event": due.event_id, "status": result.status, "error": result.error });
        run_tx(pool, "webhook_given_up", async |conn| {
            findings::record_in_tx(conn, ids, FindingKind::EndpointFailing, &subject, detail.clone(), now).await
        })
        .await?;
    }
    Ok(outcome)
}

/// How the sends of one run went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Run {
    /// Messages that arrived.
    pub delivered: usize,
    /// Sends that failed.
    pub failed: usize,
    /// The receiver wants no messages any more.
    pub gone: bool,
}

/// Notes at the end of a run whether the endpoint is well. One that answered 410 is disabled.
///
/// # Errors
/// When the database fails.
pub async fn finish_run(
    pool: &Pool,
    endpoint: &WebhookEndpoint,
    run: Run,
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    let recovers = run.delivered > 0 && endpoint.failing_since.is_some();
    let falls_ill = run.delivered == 0 && run.failed > 0 && endpoint.failing_since.is_none();
    if !(run.gone || recovers || falls_ill) {
        return Ok(());
    }
    let id = endpoint.id;
    run_tx(pool, "webhook_run_ended", async |conn| {
        if run.gone && WebhookEndpoint::disable(conn, id, "gone", now).await? {
            tracing::warn!(webhook = %id, "a webhook endpoint answered 410 and is disabled");
        }
        if recovers && WebhookEndpoint::set_well(conn, id).await? {
            findings::clear_in_tx(conn, FindingKind::EndpointFailing, &format!("webhook:{id}"), now).await?;
        }
        if falls_ill && WebhookEndpoint::set_failing(conn, id, now).await? {
            tracing::warn!(webhook = %id, "a webhook endpoint takes no messages");
        }
        Ok(())
    })
    .await
}

/// Makes the job of every endpoint that has something due and no job. This is both the trigger and its repair: the
/// transaction that writes an event touches no job, since all orders would wait for that one row.
///
/// # Errors
/// When the database fails.
pub async fn wake_due(pool: &Pool, now: DateTime<Utc>) -> Result<Vec<Wake>, DomainError> {
    let due = {
        let mut conn = acquire(pool).await?;
        WebhookEndpoint::due(&mut conn, JobKind::NotifyDeliverWebhook.word(), now, 1_000).await?
    };
    if due.is_empty() {
        return Ok(Vec::new());
    }
    let due: Vec<String> = due.iter().map(Uuid::to_string).collect();
    run_tx(pool, "wake_webhooks", async |conn| {
        Ok(enqueue_each_in_tx(conn, JobKind::NotifyDeliverWebhook, &due, now).await?)
    })
    .await
}

/// A page of messages to an endpoint, behind the event `place` in the filter's direction, each with its sends.
///
/// # Errors
/// [`DomainError::NotFound`], or a database failure.
pub async fn deliveries_page(
    pool: &Pool,
    id: WebhookId,
    filter: &DeliveryFilter,
    place: Option<EventId>,
    limit: i64,
) -> Result<Vec<(WebhookDelivery, Vec<WebhookAttempt>)>, DomainError> {
    let mut conn = acquire(pool).await?;
    find_in_tx(&mut conn, id).await?;
    let messages = WebhookDelivery::page(&mut conn, id.0, filter, place.map(|id| id.0), limit).await?;
    let events: Vec<Uuid> = messages.iter().map(|message| message.event_id).collect();
    let attempts = WebhookAttempt::of(&mut conn, id.0, &events).await?;
    let with_attempts = messages.into_iter().map(|message| {
        let own = attempts.iter().filter(|attempt| attempt.event_id == message.event_id);
        let own = own.cloned().collect();
        (message, own)
    });
    Ok(with_attempts.collect())
}

/// Forgets messages that ended before `before` and secrets that sign no longer; answers how many messages, at most `limit`.
///
/// # Errors
/// When the database fails.
pub async fn prune(pool: &Pool, before: DateTime<Utc>, limit: i64, now: DateTime<Utc>) -> Result<usize, DomainError> {
    let mut conn = acquire(pool).await?;
    WebhookSecretRow::prune(&mut conn, now).await?;
    Ok(WebhookDelivery::prune(&mut conn, before, limit).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(s: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + s, 0).unwrap()
    }

    #[test]
    fn ten_sends_over_three_days_and_never_two_messages_in_step() {
        let mixed = |n: u128| {
            let spread = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            (spread ^ (spread >> 31)).wrapping_mul(0xbf58_476d_1ce4_e5b9)
        };
        let ids: Vec<Uuid> = (1..=100).map(|n| Uuid::from_u128(mixed(n))).collect();
        for (earlier, pause) in (0..).zip(PAUSES_S) {
            let whens: std::collections::BTreeSet<_> = ids
                .iter()
                .map(|id| next_attempt(*id, earlier, at(0)).unwrap())
                .collect();
            assert!(whens.len() > 50, "{earlier}: {}", whens.len());
            for when in whens {
                assert!(
                    when >= at(pause) && when <= at(pause + pause / 5 + 1),
                    "{earlier}: {when}"
                );
            }
        }
        assert_eq!(next_attempt(ids[0], 9, at(0)), None);
        assert_eq!(next_attempt(ids[0], -1, at(0)), None);
    }

    fn answered(status: u16, retry_after_s: u64) -> SendResult {
        SendResult {
            status: Some(status),
            answer: None,
            error: None,
            retry_after: Some(StdDuration::from_secs(retry_after_s)),
            took: StdDuration::ZERO,
        }
    }

    #[test]
    fn only_the_busy_are_left_alone_and_not_for_ever() {
        assert_eq!(answered(503, 120).rest(), Some(Duration::seconds(120)));
        assert_eq!(answered(429, u64::MAX).rest(), Some(MAX_RETRY_AFTER));
        assert_eq!(answered(500, 120).rest(), None);
        assert_eq!(answered(200, 120).rest(), None);
    }
}
