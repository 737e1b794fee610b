//! More time for a rental that runs: bought at the current price, at once and for all parts of the order.

use chrono::{DateTime, Duration, Utc};
use db::models::{
    ChainCursor, Delegation, DelegationState, Order, OrderExtension as ExtensionRow, OrderState, OrderTerms,
};
use db::{Conn, Pool, run_tx};
use kernel::{ApiKeyId, Asset, ExtensionId, IdGen, OrderId, UserId};
use ledger::LedgerError;
use ledger::movements::{OrderExtension, order_extension_in_tx};
use serde_json::json;

use super::accept::{Idempotency, OrderPolicy, check_orderable, earlier_in_tx};
use super::{Event, guarded, note_in_tx};
use crate::DomainError;
use crate::api_keys::spend_by_key_in_tx;
use crate::events::{EventType, OrderNews, tell_of_orders_in_tx};
use crate::pricing::price_of;

/// More time to buy.
#[derive(Debug, Clone)]
pub struct ExtendOrder {
    /// Who calls.
    pub api_key: ApiKeyId,
    /// How he is named in timelines and in the ledger.
    pub actor: String,
    /// Whose time.
    pub order: OrderId,
    /// How much more, seconds.
    pub duration_s: i32,
    /// The caller's mark.
    pub idempotency: Idempotency,
}

/// Time that was bought, now or before.
#[derive(Debug, Clone)]
pub struct Extended {
    /// What was bought.
    pub extension: ExtensionRow,
    /// The order as it is now.
    pub order: Order,
    /// Whether this request was carried out before.
    pub replayed: bool,
}

/// Extends a rental once per idempotency key. The locks of its delegations decide the race with the reclaim: whoever comes
/// second sees what the other did.
///
/// # Errors
/// The rental does not run, or would run too long; the balance is too small; or as for a new order. Nothing is written then.
pub async fn extend(
    pool: &Pool,
    ids: &dyn IdGen,
    policy: &OrderPolicy,
    request: &ExtendOrder,
    now: DateTime<Utc>,
) -> Result<Extended, DomainError> {
    let id = ExtensionId::new(ids);
    run_tx(pool, "extend_order", async |conn| {
        let mark = (request.api_key, &request.idempotency);
        if let Some(earlier) = earlier_in_tx(conn, mark, ("extension", id.to_string()), now).await? {
            return replay(conn, &earlier).await;
        }
        let parts = Delegation::lock_kept(conn, request.order.0).await?;
        let order = Order::lock(conn, request.order.0).await?;
        let order = order
            .filter(|order| order.user_id > 0) // the house's own are nobody's to extend
            .ok_or(DomainError::NotFound("order"))?;
        let until = running_until(conn, &order, &parts, now).await?;
        let extension = offer(conn, policy, (id, request), (&order, until), now).await?;
        extension.insert(conn).await?;
        let moved = Delegation::set_end_of_order(conn, order.id, extension.ends_at, now).await?;
        guarded(moved == parts.len(), "one of the delegations of order", order.id)?;
        let moved = Order::set_end(conn, order.id, (until, extension.ends_at), now).await?;
        guarded(moved, "order", order.id)?;
        // the key's day before the user's account, as where an order is placed: else the two could wait for each other
        let spent = price_of_extension(&extension)?;
        spend_by_key_in_tx(conn, request.api_key, spent, now).await?;
        pay(conn, &order, (&extension, request.actor.as_str()), now).await?;
        let order = Order {
            ends_at: Some(extension.ends_at),
            ..order
        };
        tell_of_orders_in_tx(conn, ids, EventType::OrderExtended, &[OrderNews::of(&order)], now).await?;
        Ok(Extended {
            extension,
            order,
            replayed: false,
        })
    })
    .await
}

async fn replay(conn: &mut Conn, earlier: &str) -> Result<Extended, DomainError> {
    let broken = || DomainError::Broken(format!("extension {earlier} of an idempotency key is missing"));
    let id: ExtensionId = earlier.parse().map_err(|_| broken())?;
    let extension = ExtensionRow::find(conn, id.0).await?.ok_or_else(broken)?;
    let order = Order::find(conn, extension.order_id).await?.ok_or_else(broken)?;
    Ok(Extended {
        extension,
        order,
        replayed: true,
    })
}

/// When the rental ends, if it can still be put off: the energy is there for good, and by nobody's clock it is over.
async fn running_until(
    conn: &mut Conn,
    order: &Order,
    parts: &[Delegation],
    now: DateTime<Utc>,
) -> Result<DateTime<Utc>, DomainError> {
    let refused = || DomainError::NotExtendable(order.state);
    let settled = order.state == OrderState::Completed && order.settled_at.is_some();
    let until = order.ends_at.filter(|_| settled).ok_or_else(refused)?;
    let cursor = ChainCursor::find(conn, &order.network).await?;
    let chain_time = cursor.map_or(now, |cursor| cursor.head_time);
    let there = !parts.is_empty() && parts.iter().all(|part| part.state == DelegationState::Active);
    if there && until > now.max(chain_time) {
        Ok(until)
    } else {
        Err(refused())
    }
}

/// What the time costs, if it may be bought.
async fn offer(
    conn: &mut Conn,
    policy: &OrderPolicy,
    (id, request): (ExtensionId, &ExtendOrder),
    (order, until): (&Order, DateTime<Utc>),
    now: DateTime<Utc>,
) -> Result<ExtensionRow, DomainError> {
    let ends_at = until + Duration::seconds(i64::from(request.duration_s));
    let runs_too_long = ends_at - now > Duration::seconds(i64::from(policy.duration_max_s));
    if !(policy.duration_min_s..=policy.duration_max_s).contains(&request.duration_s) || runs_too_long {
        return Err(DomainError::DurationOutOfRange {
            min: policy.duration_min_s,
            max: policy.duration_max_s,
        });
    }
    let wanted = (order.energy, request.duration_s);
    let terms = OrderTerms::read(conn, (order.user_id, &order.receiver), wanted).await?;
    check_orderable(&terms)?;
    let price = price_of(&terms, order.energy)?;
    Ok(ExtensionRow {
        id: id.0,
        order_id: order.id,
        api_key_id: request.api_key.0,
        duration_s: request.duration_s,
        price_sun: price.amount.minor(),
        price_version_id: price.version.0,
        ends_at_before: until,
        ends_at,
        created_at: now,
    })
}

fn price_of_extension(extension: &ExtensionRow) -> Result<kernel::Amount, DomainError> {
    kernel::Amount::from_minor(extension.price_sun)
        .map_err(|_| DomainError::Broken(format!("the price of extension {}", extension.id)))
}

async fn pay(
    conn: &mut Conn,
    order: &Order,
    (extension, actor): (&ExtensionRow, &str),
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    let amount = price_of_extension(extension)?;
    let bought = OrderExtension {
        extension: ExtensionId(extension.id),
        order: OrderId(order.id),
        user: UserId(order.user_id),
        asset: Asset::Trx,
        amount,
        actor,
        at: now,
    };
    order_extension_in_tx(conn, &bought)
        .await
        .map_err(|error| match error {
            LedgerError::InsufficientFunds { needed, .. } => DomainError::InsufficientFunds { needed },
            other => other.into(),
        })?;
    let event = Event {
        order: OrderId(order.id),
        event: "extended",
        state: order.state,
        actor,
        detail: json!({ "price": amount, "duration_s": extension.duration_s, "ends_at": extension.ends_at }),
    };
    note_in_tx(conn, event, now).await
}
