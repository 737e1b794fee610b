//! `webhooks`: endpoints that are told of events, and messages sent again.

use chrono::{DateTime, Utc};
use db::Pool;
use db::models::{DeliveryFilter, DeliveryState, EndpointChange, EventType, Span, WebhookEndpoint};
use domain::operations::{change_webhook, resend_messages};
use domain::webhooks::page;
use kernel::{EventId, RandomIds, WebhookId};
use serde_json::{Value, json};
use settings::Settings;

use super::by_hand::ByHand;
use super::{print, report, setup};

/// What to do with endpoints.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// List endpoints, oldest first
    List {
        /// Answer in JSON
        #[arg(long)]
        json: bool,
    },
    /// Send messages again that were given up, or delivered; they keep their ids
    Resend {
        /// The endpoint
        id: WebhookId,
        /// Only messages in this state: `failed` (where not given) or `delivered`
        #[arg(long)]
        state: Option<DeliveryState>,
        /// Only events of this type, e.g. `order.completed`
        #[arg(long = "type")]
        event_type: Option<EventType>,
        /// Only this event
        #[arg(long)]
        event: Option<EventId>,
        /// Only what happened at or after this time, e.g. `2027-01-15T08:00:00Z`
        #[arg(long)]
        since: Option<DateTime<Utc>>,
        #[command(flatten)]
        by: ByHand,
    },
    /// Send messages to an endpoint again; what waited for it comes first
    Enable {
        /// The endpoint
        id: WebhookId,
        #[command(flatten)]
        by: ByHand,
    },
    /// Send nothing to an endpoint; what happens from now on it is never told
    Disable {
        /// The endpoint
        id: WebhookId,
        #[command(flatten)]
        by: ByHand,
    },
}

pub(super) async fn run(settings: &Settings, command: Command) -> anyhow::Result<()> {
    let pool = setup::pool(settings)?;
    print(&answer(&pool, command, setup::now(&pool).await?).await?);
    Ok(())
}

async fn answer(pool: &Pool, command: Command, now: DateTime<Utc>) -> anyhow::Result<String> {
    match command {
        Command::List { json } => {
            let endpoints = page(pool, None, 1_000).await?;
            if json {
                return Ok(report::json(&endpoints.iter().map(in_json).collect()));
            }
            Ok(endpoints.iter().map(in_words).collect::<Vec<_>>().join("\n"))
        }
        Command::Resend {
            id,
            state,
            event_type,
            event,
            since,
            by,
        } => {
            let filter = DeliveryFilter {
                states: state.into_iter().collect(),
                event_types: event_type.into_iter().collect(),
                event: event.map(|id| id.0),
                created: Span { from: since, to: None },
                ..DeliveryFilter::default()
            };
            let instruction = by.instruction()?;
            by.carry_out("are sent again", async || {
                resend_messages(pool, &RandomIds, &instruction, (id, &filter), now).await
            })
            .await
        }
        Command::Enable { id, by } => switch(pool, id, true, &by, now).await,
        Command::Disable { id, by } => switch(pool, id, false, &by, now).await,
    }
}

async fn switch(pool: &Pool, id: WebhookId, enabled: bool, by: &ByHand, now: DateTime<Utc>) -> anyhow::Result<String> {
    let change = EndpointChange {
        enabled: Some(enabled),
        disabled_reason: Some((!enabled).then(|| "by_hand".to_owned())),
        ..EndpointChange::default()
    };
    let instruction = by.instruction()?;
    by.carry_out(if enabled { "enabled" } else { "disabled" }, async || {
        let changed = change_webhook(pool, &RandomIds, &instruction, (id, &change), now).await;
        changed.map(|(_, done)| done)
    })
    .await
}

fn in_json(endpoint: &WebhookEndpoint) -> Value {
    json!({
        "id": endpoint.id, "url": endpoint.url, "description": endpoint.description,
        "event_types": endpoint.event_types, "enabled": endpoint.enabled,
        "disabled_reason": endpoint.disabled_reason, "failing_since": endpoint.failing_since,
        "created_by": endpoint.created_by, "created_at": endpoint.created_at,
    })
}

fn in_words(endpoint: &WebhookEndpoint) -> String {
    let state = match (&endpoint.disabled_reason, endpoint.failing_since) {
        (Some(reason), _) => format!("disabled ({reason})"),
        (None, Some(since)) => format!("failing since {}", report::time(since)),
        (None, None) => "enabled".to_owned(),
    };
    let types: Vec<&str> = endpoint.event_types.iter().map(|one| one.word()).collect();
    let types = if types.is_empty() {
        "all".to_owned()
    } else {
        types.join(", ")
    };
    format!("{}  {state}  {}\n         {types}", endpoint.id, endpoint.url)
}
