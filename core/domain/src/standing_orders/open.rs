//! The beginning of a standing order, and its end by wish.

use chain::TronAddress;
use chrono::{DateTime, Duration, Utc};
use db::models::{OrderTerms, StandingOrder, StandingState, User};
use db::{Conn, Pool, run_tx};
use jobs::{JobKind, JobRequest, Wake, enqueue_in_tx};
use kernel::{Amount, ApiKeyId, IdGen, StandingOrderId, UserId};

use super::{NOT_FOUND, tell_in_tx};
use crate::DomainError;
use crate::events::EventType;
use crate::orders::{Idempotency, OrderPolicy, check_orderable, check_ranges, earlier_in_tx, guarded};
use crate::pricing::price_of;

/// Active ones of one user, at most.
const PER_USER: i64 = 100;
/// The farthest end, from now.
const LONGEST: Duration = Duration::days(366);

/// A standing order to begin.
#[derive(Debug, Clone)]
pub struct OpenStanding {
    /// Who calls.
    pub api_key: ApiKeyId,
    /// Who pays.
    pub user: UserId,
    /// The address.
    pub receiver: TronAddress,
    /// What it is to have at any time.
    pub keep_energy: i64,
    /// For how long each order is, seconds.
    pub duration_s: i32,
    /// What its orders may cost together.
    pub budget: Amount,
    /// When it ends.
    pub until: DateTime<Utc>,
    /// The caller's mark.
    pub idempotency: Idempotency,
}

/// A standing order, new or as it was begun before.
#[derive(Debug, Clone)]
pub struct Opened {
    /// It, as it is now.
    pub standing: StandingOrder,
    /// Whether this request was carried out before.
    pub replayed: bool,
    /// To be pushed after the commit.
    pub wake: Option<Wake>,
}

/// Begins a standing order once per idempotency key. Nothing is charged: each order is, when it is placed.
///
/// # Errors
/// Energy, time, end or budget are out of range or have no price; the user is blocked, or has one for the address or too
/// many; the key was used for another request. Nothing is written then.
pub async fn open(
    pool: &Pool,
    ids: &dyn IdGen,
    policy: &OrderPolicy,
    wish: &OpenStanding,
    now: DateTime<Utc>,
) -> Result<Opened, DomainError> {
    let id = StandingOrderId::new(ids);
    run_tx(pool, "open_standing_order", async |conn| {
        let mark = (wish.api_key, &wish.idempotency);
        let claim = ("standing_order", id.to_string());
        if let Some(earlier) = earlier_in_tx(conn, mark, claim, now).await? {
            let broken = || DomainError::Broken(format!("standing order {earlier} of an idempotency key is missing"));
            let id: StandingOrderId = earlier.parse().map_err(|_| broken())?;
            return Ok(Opened {
                standing: StandingOrder::find(conn, id.0).await?.ok_or_else(broken)?,
                replayed: true,
                wake: None,
            });
        }
        check(conn, policy, wish, now).await?;
        let standing = StandingOrder {
            id: id.0,
            user_id: wish.user.0,
            api_key_id: wish.api_key.0,
            network: policy.network.clone(),
            receiver: wish.receiver.to_string(),
            keep_energy: wish.keep_energy,
            duration_s: wish.duration_s,
            budget_sun: wish.budget.minor(),
            until: wish.until,
            state: StandingState::Active,
            end_code: None,
            held_code: None,
            seen_energy: None,
            seen_at: None,
            created_at: now,
            updated_at: now,
        };
        if !standing.insert(conn).await? {
            return Err(DomainError::TooMany(
                "this user has a standing order for this address already; stop it first",
            ));
        }
        let job = JobRequest {
            kind: JobKind::OrdersKeep,
            object_id: &id.to_string(),
            run_at: now,
            now,
        };
        Ok(Opened {
            standing,
            replayed: false,
            wake: enqueue_in_tx(conn, job).await?,
        })
    })
    .await
}

async fn check(
    conn: &mut Conn,
    policy: &OrderPolicy,
    wish: &OpenStanding,
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    check_ranges(policy, wish.keep_energy, wish.duration_s)?;
    if wish.until <= now || wish.until > now + LONGEST {
        return Err(DomainError::BadText("until must be in the future, by 366 days at most"));
    }
    let wanted = (wish.keep_energy, wish.duration_s);
    let terms = OrderTerms::read(conn, (wish.user.0, &wish.receiver.to_string()), wanted).await?;
    check_orderable(&terms)?;
    if price_of(&terms, wish.keep_energy)?.amount > wish.budget {
        return Err(DomainError::BadText("budget must cover one order of keep_energy"));
    }
    if !terms.user_known {
        User::ensure(conn, wish.user.0, now).await?;
    }
    if StandingOrder::count_active(conn, wish.user.0).await? >= PER_USER {
        return Err(DomainError::TooMany(
            "this user has 100 standing orders; stop one first",
        ));
    }
    Ok(())
}

/// Stops a standing order; orders that were placed go on. Stopping one that has ended is a no-op.
///
/// # Errors
/// [`DomainError::NotFound`].
pub async fn stop(
    pool: &Pool,
    ids: &dyn IdGen,
    id: StandingOrderId,
    now: DateTime<Utc>,
) -> Result<StandingOrder, DomainError> {
    run_tx(pool, "stop_standing_order", async |conn| {
        let standing = StandingOrder::lock(conn, id.0).await?.ok_or(NOT_FOUND)?;
        if standing.state == StandingState::Active {
            guarded(
                StandingOrder::set_ended(conn, id.0, "stopped", now).await?,
                "standing order",
                id,
            )?;
            let news = (&standing, "stopped");
            tell_in_tx(conn, ids, EventType::StandingOrderEnded, news, now).await?;
        }
        StandingOrder::find(conn, id.0).await?.ok_or(NOT_FOUND)
    })
    .await
}
