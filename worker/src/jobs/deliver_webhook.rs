//! `notify.deliver_webhook`: sends what is due to one endpoint. An endpoint has one job, so a dead one holds up no other.
//!
//! Messages about one object are sent one after the other, in the order in which they became due; those about different
//! objects together, up to a bound. A crash between a send and its record sends the message again, under the same id.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use ::jobs::RunningJob;
use async_trait::async_trait;
use chrono::TimeDelta;
use db::failpoint;
use db::models::{AttemptOutcome, DueDelivery};
use domain::webhooks::{Run, SendResult, ToDeliver, body, finish_run, record, take_due};
use futures::StreamExt;
use kernel::WebhookId;
use metrics::{counter, histogram};
use webhook::{Answer, Headers, SendError, WebhookSecret, sign};

use super::object;
use crate::environment::Environment;
use crate::error::{WorkError, outcome};
use crate::queue::{Handler, Outcome};

/// No send begins after this; with the longest timeout of one it stays below the job's.
const BUDGET: Duration = Duration::from_secs(25);

/// An endpoint that let us wait for nothing is left alone for so long, so that it holds no place that others need.
const SILENT_REST: TimeDelta = TimeDelta::seconds(60);

/// The handler.
pub(crate) struct DeliverWebhook(pub(crate) Arc<Environment>);

#[async_trait]
impl Handler for DeliverWebhook {
    async fn run(&self, job: &RunningJob) -> Outcome {
        outcome(self.deliver(job).await)
    }
}

/// How the run stands, seen by all who send in it.
struct Progress {
    until: Instant,
    /// Nobody begins another send.
    stop: AtomicBool,
    sum: Mutex<Sum>,
}

#[derive(Default)]
struct Sum {
    run: Run,
    /// How long the endpoint is left alone.
    rest: Option<TimeDelta>,
    /// Why a send could not be written down.
    broken: Option<WorkError>,
}

impl DeliverWebhook {
    async fn deliver(&self, job: &RunningJob) -> Result<Outcome, WorkError> {
        let env = &self.0;
        let id = WebhookId(object(job)?);
        let limit = env.policy.messages_per_run;
        let Some(work) = take_due(&env.pool, id, i64::from(limit), env.clock.now()).await? else {
            return Ok(Outcome::Done);
        };
        if work.due.is_empty() {
            return Ok(Outcome::Done);
        }
        let secrets = self.open(&work)?;
        let progress = Progress {
            until: Instant::now() + BUDGET,
            stop: AtomicBool::new(false),
            sum: Mutex::default(),
        };
        let (lanes, count) = (lanes(&work.due), work.due.len());
        futures::stream::iter(lanes)
            .for_each_concurrent(env.policy.webhooks_in_flight, |lane| {
                self.send_in_turn(&work, &secrets, lane, &progress)
            })
            .await;
        let sum = progress
            .sum
            .into_inner()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        finish_run(&env.pool, &work.endpoint, sum.run, env.clock.now()).await?;
        if let Some(error) = sum.broken {
            return Err(error);
        }
        let sent = sum.run.delivered + sum.run.failed;
        let full = count >= usize::try_from(limit).unwrap_or(usize::MAX);
        let again = |at, code| Ok(Outcome::Again { at, code });
        match sum.rest {
            _ if sum.run.gone => Ok(Outcome::Done),
            Some(rest) => again(env.clock.now() + rest, "endpoint_rests"),
            None if full || sent < count => again(env.clock.now(), "more_is_due"),
            None => Ok(Outcome::Done),
        }
    }

    /// What messages are signed with, the current secret first. One that does not open is passed over while another
    /// does, so that a rotation mends an endpoint at once.
    fn open(&self, work: &ToDeliver) -> Result<Vec<WebhookSecret>, WorkError> {
        let mut opened = Vec::with_capacity(work.secrets.len());
        let mut failed = None;
        for row in &work.secrets {
            match self.0.keys.webhook_secret(row) {
                Ok(secret) => opened.push(secret),
                Err(error) => failed = Some(error),
            }
        }
        if !opened.is_empty() {
            return Ok(opened);
        }
        Err(failed.unwrap_or_else(|| WorkError::Broken(format!("webhook {} has no secret", work.endpoint.id))))
    }

    async fn send_in_turn(
        &self,
        work: &ToDeliver,
        secrets: &[WebhookSecret],
        lane: Vec<&DueDelivery>,
        progress: &Progress,
    ) {
        for due in lane {
            if progress.stop.load(Ordering::Relaxed) || Instant::now() >= progress.until {
                return;
            }
            if let Err(error) = self.send(work, secrets, due, progress).await {
                progress.stop.store(true, Ordering::Relaxed);
                progress.with(|sum| sum.broken = Some(error));
                return;
            }
        }
    }

    /// One send and its record.
    async fn send(
        &self,
        work: &ToDeliver,
        secrets: &[WebhookSecret],
        due: &DueDelivery,
        progress: &Progress,
    ) -> Result<(), WorkError> {
        let env = &self.0;
        let (endpoint, message) = (&work.endpoint, body(due)?);
        let (id, timestamp) = (due.event_id.to_string(), env.clock.now().timestamp());
        let signature = sign(secrets, &id, timestamp, &message);
        let headers = Headers {
            id: &id,
            timestamp,
            signature: &signature,
        };
        failpoint::reach("send_webhook", "begin");
        let started = Instant::now();
        let answer = env.webhooks.send(&endpoint.url, headers, message).await;
        failpoint::reach("send_webhook", "answered");
        let silent = answer.as_ref().is_err_and(SendError::is_timeout);
        let result = result_of(answer, started.elapsed());
        let now = env.clock.now();
        let (pool, ids) = (&env.pool, env.ids.as_ref());
        let became = record(pool, ids, (WebhookId(endpoint.id), due), &result, now).await?;
        count(&result, became, due, now);
        let rest = result.rest().or_else(|| silent.then_some(SILENT_REST));
        if rest.is_some() || result.is_gone() {
            progress.stop.store(true, Ordering::Relaxed);
        }
        progress.with(|sum| {
            match became {
                AttemptOutcome::Delivered => sum.run.delivered += 1,
                AttemptOutcome::RetryAt(_) | AttemptOutcome::Failed => sum.run.failed += 1,
            }
            sum.run.gone |= result.is_gone();
            sum.rest = sum.rest.max(rest);
        });
        Ok(())
    }
}

impl Progress {
    fn with(&self, change: impl FnOnce(&mut Sum)) {
        change(&mut self.sum.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
    }
}

/// One lane per object, in the order of its first message.
fn lanes(due: &[DueDelivery]) -> Vec<Vec<&DueDelivery>> {
    let mut lanes: Vec<Vec<&DueDelivery>> = Vec::new();
    let mut places: HashMap<(&str, &str), usize> = HashMap::new();
    for one in due {
        let object = (one.subject_kind.as_str(), one.subject_id.as_str());
        let place = *places.entry(object).or_insert(lanes.len());
        match lanes.get_mut(place) {
            Some(lane) => lane.push(one),
            None => lanes.push(vec![one]),
        }
    }
    lanes
}

fn result_of(answer: Result<Answer, SendError>, took: Duration) -> SendResult {
    match answer {
        Ok(answer) => SendResult {
            status: Some(answer.status),
            answer: Some(answer.body),
            error: None,
            retry_after: answer.retry_after,
            took: answer.took,
        },
        Err(error) => SendResult {
            status: None,
            answer: None,
            error: Some(error.to_string()),
            retry_after: None,
            took,
        },
    }
}

fn count(result: &SendResult, became: AttemptOutcome, due: &DueDelivery, now: chrono::DateTime<chrono::Utc>) {
    let outcome = match (became, result.status) {
        (AttemptOutcome::Delivered, _) => "delivered",
        (_, Some(_)) => "refused",
        (_, None) => "unanswered",
    };
    counter!("switchyard_webhook_sends_total", "outcome" => outcome).increment(1);
    histogram!("switchyard_webhook_send_seconds").record(result.took.as_secs_f64());
    if became == AttemptOutcome::Delivered && due.attempts == 0 {
        let delay = (now - due.happened_at).as_seconds_f64().max(0.0);
        histogram!("switchyard_webhook_delay_seconds").record(delay);
    }
}

#[cfg(test)]
mod tests {
    use db::models::EventType;
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn each_object_has_a_lane_and_keeps_its_order() {
        let due = |n: u128, subject_id: &str| DueDelivery {
            event_id: Uuid::from_u128(n),
            event_type: EventType::OrderCreated,
            attempts: 0,
            subject_kind: "order".into(),
            subject_id: subject_id.into(),
            data: json!({}),
            happened_at: chrono::DateTime::UNIX_EPOCH,
        };
        let all = [
            due(1, "a"),
            due(2, "b"),
            due(3, "a"),
            due(4, "c"),
            due(5, "b"),
            due(6, "a"),
        ];
        let found: Vec<Vec<u128>> = lanes(&all)
            .into_iter()
            .map(|lane| lane.into_iter().map(|one| one.event_id.as_u128()).collect())
            .collect();
        assert_eq!(found, [vec![1, 3, 6], vec![2, 5], vec![4]]);
    }
}
