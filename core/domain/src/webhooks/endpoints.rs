//! Endpoints registered, shown, removed and tried out, and their secrets changed.

use access::PermissionSet;
use chrono::{DateTime, Duration, Utc};
use db::models::{EventType, NewWebhookEndpoint, NewWebhookSecret, WebhookEndpoint, WebhookSecretRow};
use db::{Conn, Pool, acquire, run_tx, trail};
use jobs::{Wake, enqueue_in_tx};
use kernel::{EventId, IdGen, WebhookId};
use serde_json::json;
use uuid::Uuid;
use vault::{ImportPublicKey, SealedImport, seal_webhook_secret};
use webhook::{TargetPolicy, WebhookSecret};

use super::{checked_description, checked_url};
use crate::DomainError;
use crate::events::{NewEvent, check_sight, write_in_tx};
use crate::findings::{self, FindingKind};
use crate::operations::{Mark, deliver};

/// How long the secret before the current one still signs.
pub const SECRET_OVERLAP: Duration = Duration::hours(24);

/// Each event is written once for each endpoint.
const MAX_ENDPOINTS: i64 = 50;
/// Secrets that sign one message, so that headers stay short.
const MAX_SECRETS: i64 = 5;

/// An endpoint to register.
#[derive(Debug, Clone)]
pub struct Register<'a> {
    /// Where messages go.
    pub url: &'a str,
    /// What operators call it.
    pub description: Option<&'a str>,
    /// What it is told; empty for all.
    pub event_types: &'a [EventType],
    /// `api_key:<id>`.
    pub created_by: &'a str,
    /// What he may do.
    pub sees: PermissionSet,
    /// The mark of the request.
    pub mark: &'a Mark,
}

/// A secret that was just made: in clear for the one answer that shows it, and sealed to the workers.
#[derive(Debug)]
pub struct FreshSecret {
    id: Uuid,
    /// To be shown once.
    pub clear: WebhookSecret,
    sealed: SealedImport,
}

impl FreshSecret {
    /// Makes and seals one.
    ///
    /// # Errors
    /// When there is no randomness, or the cipher refuses.
    pub fn generate(ids: &dyn IdGen, workers: &ImportPublicKey) -> Result<Self, DomainError> {
        let broken = |what: &dyn std::error::Error| DomainError::Broken(format!("no webhook secret: {what}"));
        let id = ids.uuid();
        let clear = WebhookSecret::generate().map_err(|error| broken(&error))?;
        let sealed =
            seal_webhook_secret(workers, id.as_bytes(), clear.expose_bytes()).map_err(|error| broken(&error))?;
        Ok(Self { id, clear, sealed })
    }

    fn row(&self, endpoint: Uuid, now: DateTime<Utc>) -> NewWebhookSecret<'_> {
        NewWebhookSecret {
            id: self.id,
            endpoint_id: endpoint,
            sealed: self.sealed.as_bytes(),
            created_at: now,
        }
    }
}

/// An endpoint, and whether the request was carried out before: then the secret of this call was not used.
#[derive(Debug, Clone)]
pub struct Registered {
    /// The endpoint as it is now.
    pub endpoint: WebhookEndpoint,
    /// Whether nothing happened now.
    pub replayed: bool,
}

/// Registers an endpoint, once per mark. It is told of what happens from now on.
///
/// # Errors
/// [`DomainError::WebhookUrl`], [`DomainError::BadText`], [`DomainError::MayNotSee`], [`DomainError::TooMany`], a mark that was used
/// for another request, or a database failure.
pub async fn register(
    pool: &Pool,
    ids: &dyn IdGen,
    policy: TargetPolicy,
    request: &Register<'_>,
    secret: &FreshSecret,
    now: DateTime<Utc>,
) -> Result<Registered, DomainError> {
    check_sight(request.sees, request.event_types)?;
    let url = checked_url(request.url, policy)?;
    let description = checked_description(request.description)?;
    let mut event_types = request.event_types.to_vec();
    event_types.sort_by_key(|event_type| event_type.word());
    event_types.dedup();
    let id = WebhookId::new(ids);
    run_tx(pool, "register_webhook", async |conn| {
        if let Some(earlier) = request.mark.replay_in_tx(conn, "webhook", id.0, now).await? {
            let endpoint = find_in_tx(conn, WebhookId(earlier)).await?;
            return Ok(Registered {
                endpoint,
                replayed: true,
            });
        }
        if WebhookEndpoint::count(conn).await? >= MAX_ENDPOINTS {
            return Err(DomainError::TooMany("there are 50 endpoints already; remove one first"));
        }
        let new = NewWebhookEndpoint {
            id: id.0,
            url: &url,
            description: description.as_deref(),
            event_types: event_types.clone(),
            enabled: true,
            created_by: request.created_by,
            created_at: now,
            updated_at: now,
        };
        trail::changed(|| json!({ "webhook": id.0, "event_types": event_types }));
        let endpoint = new.insert(conn).await?;
        secret.row(id.0, now).insert(conn).await?;
        Ok(Registered {
            endpoint,
            replayed: false,
        })
    })
    .await
}

/// Gives an endpoint another secret. The one before signs beside it for [`SECRET_OVERLAP`].
///
/// # Errors
/// [`DomainError::NotFound`], [`DomainError::TooMany`], a mark that was used for another request, or a database failure.
pub async fn rotate_secret(
    pool: &Pool,
    id: WebhookId,
    mark: &Mark,
    secret: &FreshSecret,
    now: DateTime<Utc>,
) -> Result<Registered, DomainError> {
    run_tx(pool, "rotate_webhook_secret", async |conn| {
        // before the endpoint: who revokes a key takes them in this order
        let replayed = mark
            .replay_in_tx(conn, "webhook_secret", secret.id, now)
            .await?
            .is_some();
        let endpoint = WebhookEndpoint::lock(conn, id.0)
            .await?
            .ok_or(DomainError::NotFound("webhook"))?;
        if !replayed {
            if WebhookSecretRow::count_signing(conn, id.0, now).await? >= MAX_SECRETS {
                return Err(DomainError::TooMany(
                    "5 secrets sign already; wait until the oldest has ended",
                ));
            }
            trail::changed(|| json!({ "webhook": id.0, "secret": secret.id, "former_until": now + SECRET_OVERLAP }));
            WebhookSecretRow::expire_current(conn, id.0, now + SECRET_OVERLAP).await?;
            secret.row(id.0, now).insert(conn).await?;
        }
        Ok(Registered { endpoint, replayed })
    })
    .await
}

/// A test on its way.
#[derive(Debug, Clone)]
pub struct TestSent {
    /// Its id.
    pub event: EventId,
    /// Whether the request was carried out before.
    pub replayed: bool,
    /// To be pushed after the commit.
    pub wake: Option<Wake>,
}

/// Sends a `webhook.test` to one endpoint, whatever it asked for; answers the event's id.
///
/// # Errors
/// [`DomainError::NotFound`], [`DomainError::WebhookDisabled`], a mark that was used for another request, or a database
/// failure.
pub async fn send_test(
    pool: &Pool,
    ids: &dyn IdGen,
    id: WebhookId,
    mark: &Mark,
    now: DateTime<Utc>,
) -> Result<TestSent, DomainError> {
    let event = NewEvent {
        event_type: EventType::WebhookTest,
        subject_kind: "webhook",
        subject_id: id.to_string(),
        user: None,
        data: json!({ "webhook_id": id }),
    };
    let event_id = EventId::new(ids);
    run_tx(pool, "test_webhook", async |conn| {
        let endpoint = find_in_tx(conn, id).await?;
        if let Some(earlier) = mark.replay_in_tx(conn, "event", event_id.0, now).await? {
            return Ok(TestSent {
                event: EventId(earlier),
                replayed: true,
                wake: None,
            });
        }
        if !endpoint.enabled {
            return Err(DomainError::WebhookDisabled);
        }
        write_in_tx(conn, &[(event_id.0, &event)], Some(id.0), now).await?;
        let object_id = &id.to_string();
        Ok(TestSent {
            event: event_id,
            replayed: false,
            wake: enqueue_in_tx(conn, deliver(object_id, now)).await?,
        })
    })
    .await
}

/// Removes an endpoint with its secrets. What it was told stays on record until it is pruned. Removing one that is gone is
/// [`DomainError::NotFound`].
///
/// # Errors
/// [`DomainError::NotFound`], or a database failure.
pub async fn remove(pool: &Pool, id: WebhookId, actor: &str, now: DateTime<Utc>) -> Result<(), DomainError> {
    run_tx(pool, "remove_webhook", async |conn| {
        if !WebhookEndpoint::delete(conn, id.0, now).await? {
            return Err(DomainError::NotFound("webhook"));
        }
        trail::changed(|| json!({ "webhook": id.0, "removed": true }));
        WebhookSecretRow::delete_of(conn, id.0).await?;
        findings::clear_in_tx(conn, FindingKind::EndpointFailing, &format!("webhook:{id}"), now).await?;
        tracing::warn!(webhook = %id, actor, "a webhook endpoint was removed");
        Ok(())
    })
    .await
}

/// An endpoint.
///
/// # Errors
/// [`DomainError::NotFound`].
pub async fn find(pool: &Pool, id: WebhookId) -> Result<WebhookEndpoint, DomainError> {
    let mut conn = acquire(pool).await?;
    find_in_tx(&mut conn, id).await
}

/// Endpoints, oldest first, after the endpoint `after`.
///
/// # Errors
/// When the database cannot be asked.
pub async fn page(pool: &Pool, after: Option<WebhookId>, limit: i64) -> Result<Vec<WebhookEndpoint>, DomainError> {
    let mut conn = acquire(pool).await?;
    Ok(WebhookEndpoint::page(&mut conn, after.map(|id| id.0), limit).await?)
}

pub(crate) async fn find_in_tx(conn: &mut Conn, id: WebhookId) -> Result<WebhookEndpoint, DomainError> {
    WebhookEndpoint::find(conn, id.0)
        .await?
        .ok_or(DomainError::NotFound("webhook"))
}
