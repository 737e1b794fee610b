//! Accepting an order: idempotency, price, payment into escrow and the job, all in one transaction.

use chain::TronAddress;
use chrono::{DateTime, Duration, Utc};
use db::models::{ApiKey, IdempotencyKey, NewIdempotencyKey, NewOrder, Order, OrderState, OrderTerms, User};
use db::{Conn, Pool, run_tx};
use jobs::{JobKind, JobRequest, Wake, enqueue_in_tx};
use kernel::{ApiKeyId, Asset, IdGen, OrderId, QuoteId, UserId};
use ledger::LedgerError;
use ledger::movements::{Hold, hold_in_tx};
use serde_json::json;

use super::quote::{quoted_in_tx, used_in_tx};
use super::{Event, note_in_tx};
use crate::DomainError;
use crate::api_keys::spend_in_tx;
use crate::events::{EventType, OrderNews, tell_of_orders_in_tx};
use crate::pricing::{self, Price};

/// What may be ordered, and how long we try.
#[derive(Debug, Clone)]
pub struct OrderPolicy {
    /// The network that orders are delivered on.
    pub network: String,
    /// Least energy of an order.
    pub energy_min: i64,
    /// Most energy of an order.
    pub energy_max: i64,
    /// Shortest rental, seconds.
    pub duration_min_s: i32,
    /// Longest rental, seconds.
    pub duration_max_s: i32,
    /// What is not delivered this long after acceptance is given back.
    pub deadline: Duration,
}

/// The caller's mark of one request, so that it is carried out once.
#[derive(Debug, Clone)]
pub struct Idempotency {
    /// The Idempotency-Key header.
    pub key: String,
    /// SHA-256 over method, path and body.
    pub request_sha256: [u8; 32],
}

/// An order to accept.
#[derive(Debug, Clone)]
pub struct AcceptOrder {
    /// Who calls.
    pub api_key: ApiKeyId,
    /// How he is named in timelines and in the ledger.
    pub actor: String,
    /// Who pays.
    pub user: UserId,
    /// Who receives the energy.
    pub receiver: TronAddress,
    /// How much.
    pub energy: i64,
    /// For how long, seconds.
    pub duration_s: i32,
    /// At the price that was quoted; `None`: at the current one.
    pub quote: Option<QuoteId>,
    /// The caller's mark.
    pub idempotency: Idempotency,
}

/// The order, new or as it was accepted before.
#[derive(Debug, Clone)]
pub struct Accepted {
    /// The order as it is now.
    pub order: Order,
    /// Whether this request was carried out before.
    pub replayed: bool,
    /// To be pushed after the commit.
    pub wake: Option<Wake>,
}

/// Accepts and charges an order once per idempotency key.
///
/// # Errors
/// The request is invalid, the balance too small, the key used for another request, or new orders are stopped; nothing
/// is written then.
pub async fn accept(
    pool: &Pool,
    ids: &dyn IdGen,
    policy: &OrderPolicy,
    request: &AcceptOrder,
    now: DateTime<Utc>,
) -> Result<Accepted, DomainError> {
    let id = OrderId::new(ids);
    run_tx(pool, "accept_order", async |conn| {
        accept_in_tx(conn, ids, id, policy, request, now).await
    })
    .await
}

/// [`accept`] within the caller's transaction, under an id that was made before it.
pub(super) async fn accept_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    id: OrderId,
    policy: &OrderPolicy,
    request: &AcceptOrder,
    now: DateTime<Utc>,
) -> Result<Accepted, DomainError> {
    if let Some(order) = replay(conn, id, request, now).await? {
        return Ok(Accepted {
            order,
            replayed: true,
            wake: None,
        });
    }
    let (order, wake) = accept_new(conn, ids, id, policy, request, now).await?;
    Ok(Accepted {
        order,
        replayed: false,
        wake,
    })
}

/// Claims the key for `id`; answers the earlier order if there is one. A request with the same key that runs at this
/// moment is waited for by the claim itself, since its row is not committed yet.
async fn replay(
    conn: &mut Conn,
    id: OrderId,
    request: &AcceptOrder,
    now: DateTime<Utc>,
) -> Result<Option<Order>, DomainError> {
    let mark = (request.api_key, &request.idempotency);
    let Some(earlier) = claim_in_tx(conn, mark, ("order", id.to_string()), now).await? else {
        return Ok(None);
    };
    let earlier: OrderId = earlier
        .parse()
        .map_err(|_| DomainError::Broken("an idempotency row".into()))?;
    let order = Order::find(conn, earlier.0).await?;
    Ok(Some(order.ok_or_else(|| {
        DomainError::Broken(format!("order {earlier} of an idempotency key is missing"))
    })?))
}

/// Claims a caller's mark for a new object of a kind; answers the id of the earlier object if there is one. Refuses who may not
/// ask any more, which a process may not know for seconds: who revokes a key waits for this claim, or it for him.
pub(crate) async fn earlier_in_tx(
    conn: &mut Conn,
    (api_key, mark): (ApiKeyId, &Idempotency),
    object: (&'static str, String),
    now: DateTime<Utc>,
) -> Result<Option<String>, DomainError> {
    let earlier = claim_in_tx(conn, (api_key, mark), object, now).await?;
    if ApiKey::is_gone(conn, api_key.0).await? {
        return Err(DomainError::CallerGone);
    }
    Ok(earlier)
}

async fn claim_in_tx(
    conn: &mut Conn,
    (api_key, mark): (ApiKeyId, &Idempotency),
    (kind, id): (&'static str, String),
    now: DateTime<Utc>,
) -> Result<Option<String>, DomainError> {
    let claim = NewIdempotencyKey {
        api_key_id: api_key.0,
        key: &mark.key,
        request_sha256: &mark.request_sha256,
        resource_kind: kind,
        resource_id: id,
        created_at: now,
    };
    if claim.claim(conn).await? {
        return Ok(None);
    }
    let earlier = IdempotencyKey::find(conn, api_key.0, &mark.key)
        .await?
        .ok_or(DomainError::IdempotencyMismatch)?;
    if earlier.resource_kind != kind || earlier.request_sha256 != mark.request_sha256 {
        return Err(DomainError::IdempotencyMismatch);
    }
    Ok(Some(earlier.resource_id))
}

/// Checked for new orders only: one that was accepted under other ranges is still answered to its key.
pub(crate) fn check_ranges(policy: &OrderPolicy, energy: i64, duration_s: i32) -> Result<(), DomainError> {
    if !(policy.energy_min..=policy.energy_max).contains(&energy) {
        return Err(DomainError::EnergyOutOfRange {
            min: policy.energy_min,
            max: policy.energy_max,
        });
    }
    if !(policy.duration_min_s..=policy.duration_max_s).contains(&duration_s) {
        return Err(DomainError::DurationOutOfRange {
            min: policy.duration_min_s,
            max: policy.duration_max_s,
        });
    }
    Ok(())
}

/// Whether this user may order for this receiver at all, now.
pub(crate) fn check_orderable(terms: &OrderTerms) -> Result<(), DomainError> {
    if terms.maintenance {
        return Err(DomainError::Maintenance);
    }
    if terms.user_blocked {
        return Err(DomainError::UserBlocked);
    }
    if terms.receiver_is_ours {
        return Err(DomainError::ReceiverIsSupplier);
    }
    Ok(())
}

/// What this much energy costs, if it may be ordered at all.
///
/// # Errors
/// Why it may not.
pub(crate) async fn quote_in_tx(
    conn: &mut Conn,
    (policy, key): (&OrderPolicy, Option<ApiKeyId>),
    (user, receiver): (UserId, &str),
    (energy, duration_s): (i64, i32),
) -> Result<(Price, OrderTerms), DomainError> {
    check_ranges(policy, energy, duration_s)?;
    let key = key.map(|key| key.0);
    let terms = OrderTerms::read_for(conn, key, (user.0, receiver), (energy, duration_s)).await?;
    check_orderable(&terms)?;
    Ok((pricing::price_of(&terms, energy)?, terms))
}

async fn accept_new(
    conn: &mut Conn,
    ids: &dyn IdGen,
    id: OrderId,
    policy: &OrderPolicy,
    request: &AcceptOrder,
    now: DateTime<Utc>,
) -> Result<(Order, Option<Wake>), DomainError> {
    let receiver = request.receiver.to_string();
    let (parties, wanted) = ((request.user, receiver.as_str()), (request.energy, request.duration_s));
    let (price, terms) = match request.quote {
        None => quote_in_tx(conn, (policy, Some(request.api_key)), parties, wanted).await?,
        Some(quote) => {
            let price = quoted_in_tx(conn, (quote, request.api_key), wanted, now).await?;
            let key = Some(request.api_key.0);
            let terms = OrderTerms::read_for(conn, key, (request.user.0, &receiver), wanted).await?;
            check_orderable(&terms)?;
            (price, terms)
        }
    };
    spend_in_tx(conn, (request.api_key, terms.daily_limit_sun), price.amount, now).await?;
    if !terms.user_known {
        User::ensure(conn, request.user.0, now).await?;
    }
    let purchase = Purchase {
        id,
        user: request.user,
        api_key: request.api_key,
        network: &policy.network,
        receiver: &receiver,
        energy: request.energy,
        duration_s: request.duration_s,
        price,
        deadline: policy.deadline,
        actor: &request.actor,
    };
    let placed = place_in_tx(conn, ids, &purchase, now).await?;
    if let Some(quote) = request.quote {
        used_in_tx(conn, quote, id).await?;
    }
    Ok(placed)
}

/// An order whose terms are settled.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Purchase<'a> {
    pub(crate) id: OrderId,
    pub(crate) user: UserId,
    pub(crate) api_key: ApiKeyId,
    pub(crate) network: &'a str,
    pub(crate) receiver: &'a str,
    pub(crate) energy: i64,
    pub(crate) duration_s: i32,
    pub(crate) price: Price,
    pub(crate) deadline: Duration,
    /// Who places it.
    pub(crate) actor: &'a str,
}

/// Places an order and pays for it: its row, the hold, the first line of its timeline, its news and its job.
///
/// # Errors
/// [`DomainError::InsufficientFunds`]; the transaction is aborted then.
pub(crate) async fn place_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    purchase: &Purchase<'_>,
    now: DateTime<Utc>,
) -> Result<(Order, Option<Wake>), DomainError> {
    let &Purchase { id, price, actor, .. } = purchase;
    let new = NewOrder {
        id: id.0,
        user_id: purchase.user.0,
        api_key_id: purchase.api_key.0,
        network: purchase.network,
        receiver: purchase.receiver,
        energy: purchase.energy,
        duration_s: purchase.duration_s,
        price_sun: price.amount.minor(),
        price_version_id: price.version.0,
        state: OrderState::Pending,
        deadline_at: now + purchase.deadline,
        created_at: now,
        updated_at: now,
    };
    let order = new.insert(conn).await?;
    let hold = Hold {
        order: id,
        user: purchase.user,
        asset: Asset::Trx,
        amount: price.amount,
        actor,
        at: now,
    };
    hold_in_tx(conn, &hold).await.map_err(|error| match error {
        LedgerError::InsufficientFunds { needed, .. } => DomainError::InsufficientFunds { needed },
        other => other.into(),
    })?;
    let event = Event {
        order: id,
        event: "accepted",
        state: OrderState::Pending,
        actor,
        detail: json!({ "price": price.amount }),
    };
    note_in_tx(conn, event, now).await?;
    tell_of_orders_in_tx(conn, ids, EventType::OrderCreated, &[OrderNews::of(&order)], now).await?;
    let job = JobRequest {
        kind: JobKind::OrdersDelegate,
        object_id: &id.to_string(),
        run_at: now,
        now,
    };
    Ok((order, enqueue_in_tx(conn, job).await?))
}
