//! Endpoints switched and changed by hand, and messages sent again.

use access::PermissionSet;
use chrono::{DateTime, Utc};
use db::models::{Action, DeliveryFilter, DeliveryState, EndpointChange, EventType, WebhookDelivery, WebhookEndpoint};
use db::{Pool, run_tx};
use jobs::{JobKind, JobRequest, enqueue_in_tx};
use kernel::{EventId, IdGen, WebhookId};
use serde_json::json;
use uuid::Uuid;

use super::{AT_ONCE, Command, Done, Instruction};
use crate::DomainError;
use crate::events::{check_sight, events_told};
use crate::webhooks::find_in_tx;

/// Changes an endpoint by a command on the machine, where everything can be seen. Switched on, what waits for it is sent again.
///
/// # Errors
/// [`DomainError::NotFound`], a reason that cannot be kept, or a database failure. Check what is in `change` before.
pub async fn change_webhook(
    pool: &Pool,
    ids: &dyn IdGen,
    instruction: &Instruction,
    what: (WebhookId, &EndpointChange),
    now: DateTime<Utc>,
) -> Result<(WebhookEndpoint, Done), DomainError> {
    change_webhook_as(pool, ids, (instruction, PermissionSet::all()), what, now).await
}

/// The same for somebody who may do this alone: he has to see all that the endpoint is told before and afterwards, since what waits
/// for it follows it to another address.
///
/// # Errors
/// As [`change_webhook`], and [`DomainError::MayNotSee`].
pub async fn change_webhook_as(
    pool: &Pool,
    ids: &dyn IdGen,
    (instruction, sees): (&Instruction, PermissionSet),
    (id, change): (WebhookId, &EndpointChange),
    now: DateTime<Utc>,
) -> Result<(WebhookEndpoint, Done), DomainError> {
    let filter = json!({ "object_id": id, "enabled": change.enabled, "event_types": change.event_types });
    let command = Command::new(ids, Action::WebhooksChange, instruction, filter, now)?;
    run_tx(pool, "change_webhook", async |conn| {
        // before the endpoint: who revokes a key takes them in this order
        let replayed = if instruction.dry_run {
            None
        } else {
            command.replay_in_tx(conn).await?
        };
        let found = WebhookEndpoint::lock(conn, id.0)
            .await?
            .ok_or(DomainError::NotFound("webhook"))?;
        check_sight(sees, &found.event_types)?;
        if let Some(types) = &change.event_types {
            check_sight(sees, types)?;
        }
        if instruction.dry_run {
            return Ok((found, Done::counted(1)));
        }
        if let Some(done) = replayed {
            return Ok((found, done));
        }
        let changed = WebhookEndpoint::change(conn, id.0, change, now).await?;
        if instruction.mark.is_some() {
            WebhookEndpoint::set_keeper(conn, id.0, &instruction.actor).await?;
        }
        if let Some(types) = &change.event_types {
            WebhookDelivery::give_up_others(conn, id.0, &told_of(types), now).await?;
        }
        let mut wakes = Vec::new();
        if changed.enabled && !found.enabled {
            let object_id = &id.to_string();
            wakes.extend(enqueue_in_tx(conn, deliver(object_id, now)).await?);
        }
        let object = json!({
            "kind": "webhook",
            "object_id": id,
            "enabled": found.enabled,
            "disabled_reason": found.disabled_reason,
            "event_types": found.event_types,
            "url": webhook::origin(&found.url),
        });
        let done = command.done_in_tx(conn, 1, vec![object], wakes).await?;
        Ok((changed, done))
    })
    .await
}

/// Has messages sent again that were delivered or given up: those that fit, the oldest first, at most [`AT_ONCE`]. They keep
/// their ids. Given-up ones are meant where the filter does not say; pending ones are on their way anyway.
///
/// # Errors
/// [`DomainError::NotFound`], [`DomainError::WebhookDisabled`], a reason that cannot be kept, a filter for pending
/// ones, or a database failure.
pub async fn resend_messages(
    pool: &Pool,
    ids: &dyn IdGen,
    instruction: &Instruction,
    (id, filter): (WebhookId, &DeliveryFilter),
    now: DateTime<Utc>,
) -> Result<Done, DomainError> {
    if filter.states.contains(&DeliveryState::Pending) {
        return Err(DomainError::BadText(
            "only failed or delivered messages are sent again; pending ones are on their way",
        ));
    }
    let states = match filter.states.as_slice() {
        [] => vec![DeliveryState::Failed],
        given => given.to_vec(),
    };
    let filter = DeliveryFilter {
        states,
        ..filter.clone()
    };
    resend(pool, ids, instruction, (id, &filter), now).await
}

/// Has one message sent again at once, whatever became of it. It keeps its id.
///
/// # Errors
/// [`DomainError::NotFound`], [`DomainError::WebhookDisabled`], or a database failure.
pub async fn resend_message(
    pool: &Pool,
    ids: &dyn IdGen,
    instruction: &Instruction,
    (id, message): (WebhookId, EventId),
    now: DateTime<Utc>,
) -> Result<Done, DomainError> {
    let filter = DeliveryFilter {
        event: Some(message.0),
        ..DeliveryFilter::default()
    };
    resend(pool, ids, instruction, (id, &filter), now).await
}

async fn resend(
    pool: &Pool,
    ids: &dyn IdGen,
    instruction: &Instruction,
    (id, filter): (WebhookId, &DeliveryFilter),
    now: DateTime<Utc>,
) -> Result<Done, DomainError> {
    let asked = json!({
        "object_id": id, "state": named(&filter.states, DeliveryState::word),
        "type": named(&filter.event_types, EventType::word), "event": filter.event, "since": filter.created.from,
    });
    let command = Command::new(ids, Action::WebhooksResend, instruction, asked, now)?;
    run_tx(pool, "resend_webhook_messages", async |conn| {
        let endpoint = find_in_tx(conn, id).await?;
        if instruction.dry_run {
            let fitting = still_told(&endpoint, filter);
            return Ok(Done::counted(WebhookDelivery::count(conn, id.0, &fitting).await?));
        }
        if let Some(done) = command.replay_in_tx(conn).await? {
            return Ok(done);
        }
        if !endpoint.enabled {
            return Err(DomainError::WebhookDisabled);
        }
        let fitting = still_told(&endpoint, filter);
        let matched = WebhookDelivery::count(conn, id.0, &fitting).await?;
        if matched == 0 && filter.event.is_some() {
            return Err(DomainError::NotFound("message"));
        }
        let taken = WebhookDelivery::oldest(conn, id.0, &fitting, AT_ONCE).await?;
        let events: Vec<_> = taken.iter().map(|message| message.event_id).collect();
        WebhookDelivery::set_due(conn, id.0, &events, now).await?;
        let objects = taken.iter().map(|message| {
            json!({
                "kind": "webhook_delivery", "object_id": message.event_id, "webhook": id,
                "type": message.event_type, "state": message.state, "attempts": message.attempts,
            })
        });
        let object_id = &id.to_string();
        let wakes = enqueue_in_tx(conn, deliver(object_id, now))
            .await?
            .into_iter()
            .collect();
        command.done_in_tx(conn, matched, objects.collect(), wakes).await
    })
    .await
}

/// What an endpoint with these types may be sent: that, and tests.
fn told_of(types: &[EventType]) -> Vec<EventType> {
    let told = events_told(types).filter(|event| *event != EventType::WebhookTest);
    told.chain([EventType::WebhookTest]).collect()
}

/// The filter, for what the endpoint is told of today: whoever keeps it now need not see what it was told of before.
fn still_told(endpoint: &WebhookEndpoint, filter: &DeliveryFilter) -> DeliveryFilter {
    let mut told = told_of(&endpoint.event_types);
    if !filter.event_types.is_empty() {
        told.retain(|event| filter.event_types.contains(event));
    }
    DeliveryFilter {
        // no message at all, and not any
        event: told.is_empty().then(Uuid::nil).or(filter.event),
        event_types: told,
        ..filter.clone()
    }
}

/// Words as the record keeps them: null where none is given.
fn named<T: Copy>(all: &[T], word: fn(T) -> &'static str) -> Option<String> {
    let words: Vec<&str> = all.iter().map(|one| word(*one)).collect();
    (!words.is_empty()).then(|| words.join(","))
}

/// The job that sends to an endpoint.
pub(crate) const fn deliver(object_id: &str, now: DateTime<Utc>) -> JobRequest<'_> {
    JobRequest {
        kind: JobKind::NotifyDeliverWebhook,
        object_id,
        run_at: now,
        now,
    }
}
