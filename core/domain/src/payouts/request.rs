//! Taking a request for a payout: idempotency, what may be paid and to whom, the limits, the money set aside and the job,
//! all in one transaction.

use chain::TronAddress;
use chrono::{DateTime, Duration, Utc};
use db::models::{
    DepositAddress, EventType, NewPayout, Payout, PayoutAddress, PayoutState, SupplierWallet, Switch, User,
};
use db::{Conn, Pool, run_tx};
use jobs::{JobKind, JobRequest, Wake, enqueue_in_tx};
use kernel::{Amount, ApiKeyId, Asset, IdGen, PayoutId, UserId};
use ledger::movements::{PayoutHold, payout_hold_in_tx};
use serde_json::json;

use super::{note_in_tx, tell_in_tx};
use crate::DomainError;
use crate::api_keys::spend_by_key_in_tx;
use crate::orders::{Idempotency, earlier_in_tx};

/// What an idempotency row of a payout points to.
const RESOURCE: &str = "payout";

/// What may be paid, and how much of it.
#[derive(Debug, Clone)]
pub struct PayoutPolicy {
    /// The network that payouts leave on.
    pub network: String,
    /// The USDT contract there; without one, USDT is not paid.
    pub usdt: Option<TronAddress>,
    /// Whether a user without listed addresses cannot be paid.
    pub list_required: bool,
    /// The limits of TRX.
    pub trx_limits: AssetLimits,
    /// The limits of USDT.
    pub usdt_limits: AssetLimits,
}

/// How much of one asset may be asked for.
#[derive(Debug, Clone, Copy)]
pub struct AssetLimits {
    /// The smallest payout.
    pub minimum: Amount,
    /// What one user may ask for in 24 hours.
    pub user_day: Amount,
    /// What all users together may ask for in an hour.
    pub system_hour: Amount,
    /// A payout above this waits for an operator.
    pub approval_above: Amount,
}

impl PayoutPolicy {
    const fn limits(&self, asset: Asset) -> &AssetLimits {
        match asset {
            Asset::Trx => &self.trx_limits,
            Asset::Usdt => &self.usdt_limits,
        }
    }
}

/// A payout to make.
#[derive(Debug, Clone)]
pub struct RequestPayout {
    /// Who calls.
    pub api_key: ApiKeyId,
    /// How he is named in timelines and in the ledger.
    pub actor: String,
    /// Whose money.
    pub user: UserId,
    /// Of what.
    pub asset: Asset,
    /// How much.
    pub amount: Amount,
    /// Where to.
    pub to: TronAddress,
    /// The caller's mark.
    pub idempotency: Idempotency,
}

/// The payout, new or as it was asked for before.
#[derive(Debug, Clone)]
pub struct Requested {
    /// The payout as it is now.
    pub payout: Payout,
    /// Whether this request was carried out before.
    pub replayed: bool,
    /// To be pushed after the commit.
    pub wake: Option<Wake>,
}

/// Takes a request and sets its money aside, once per idempotency key.
///
/// # Errors
/// The request is invalid, beyond a limit or the balance, the key used for another request, or payouts are stopped;
/// nothing is written then.
pub async fn request(
    pool: &Pool,
    ids: &dyn IdGen,
    policy: &PayoutPolicy,
    request: &RequestPayout,
    now: DateTime<Utc>,
) -> Result<Requested, DomainError> {
    let id = PayoutId::new(ids);
    run_tx(pool, "request_payout", async |conn| {
        let mark = (request.api_key, &request.idempotency);
        if let Some(earlier) = earlier_in_tx(conn, mark, (RESOURCE, id.to_string()), now).await? {
            let broken = || DomainError::Broken(format!("payout {earlier} of an idempotency key is missing"));
            let earlier: PayoutId = earlier.parse().map_err(|_| broken())?;
            let payout = Payout::find(conn, earlier.0).await?.ok_or_else(broken)?;
            return Ok(Requested {
                payout,
                replayed: true,
                wake: None,
            });
        }
        let (payout, wake) = request_new(conn, ids, id, policy, request, now).await?;
        Ok(Requested {
            payout,
            replayed: false,
            wake,
        })
    })
    .await
}

async fn request_new(
    conn: &mut Conn,
    ids: &dyn IdGen,
    id: PayoutId,
    policy: &PayoutPolicy,
    request: &RequestPayout,
    now: DateTime<Utc>,
) -> Result<(Payout, Option<Wake>), DomainError> {
    let limits = policy.limits(request.asset);
    let to = request.to.to_string();
    if Switch::is_on(conn, Switch::PAYOUTS).await? {
        return Err(DomainError::PayoutsStopped);
    }
    if User::ensure(conn, request.user.0, now).await?.blocked_at.is_some() {
        return Err(DomainError::UserBlocked);
    }
    check(conn, policy, request, &to).await?;
    check_limits(conn, limits, request, now).await?;
    if request.asset == Asset::Trx {
        spend_by_key_in_tx(conn, request.api_key, request.amount, now).await?;
    }
    let new = NewRequest {
        id,
        user: request.user,
        network: &policy.network,
        asset: request.asset,
        amount: request.amount,
        to: &to,
        actor: &request.actor,
    };
    create_in_tx(conn, ids, &new, limits, now).await
}

/// A payout that was found to be within the limits.
struct NewRequest<'a> {
    id: PayoutId,
    user: UserId,
    network: &'a str,
    asset: Asset,
    amount: Amount,
    to: &'a str,
    actor: &'a str,
}

/// Sets its money aside, and has it paid at once or, above the limit, looked at by somebody.
async fn create_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    request: &NewRequest<'_>,
    limits: &AssetLimits,
    now: DateTime<Utc>,
) -> Result<(Payout, Option<Wake>), DomainError> {
    let &NewRequest { id, to, actor, .. } = request;
    let needs_approval = request.amount > limits.approval_above;
    let state = if needs_approval {
        PayoutState::Requested
    } else {
        PayoutState::Approved
    };
    let new = NewPayout {
        id: id.0,
        user_id: request.user.0,
        network: request.network,
        asset: request.asset.code(),
        amount: request.amount.minor(),
        to_address: to,
        state,
        needs_approval,
        requested_by: actor,
        approved_at: (!needs_approval).then_some(now),
        created_at: now,
        updated_at: now,
    };
    let payout = new.insert(conn).await?;
    let hold = PayoutHold {
        payout: id,
        user: request.user,
        asset: request.asset,
        amount: request.amount,
        actor,
        at: now,
    };
    payout_hold_in_tx(conn, &hold).await?;
    let detail = json!({ "amount": request.amount, "asset": request.asset, "to": to });
    note_in_tx(conn, (id.0, state), "requested", actor, detail, now).await?;
    tell_in_tx(conn, ids, EventType::PayoutRequested, (id.0, None), now).await?;
    if needs_approval {
        return Ok((payout, None));
    }
    let job = JobRequest {
        kind: JobKind::PayoutsSend,
        object_id: &id.to_string(),
        run_at: now,
        now,
    };
    Ok((payout, enqueue_in_tx(conn, job).await?))
}

/// TRX that came to be taken for something, and goes back to where it came from.
pub(crate) struct PayBack<'a> {
    /// Who holds it.
    pub(crate) user: UserId,
    /// How much.
    pub(crate) amount: Amount,
    /// Where it came from.
    pub(crate) to: TronAddress,
    /// In whose name.
    pub(crate) actor: &'a str,
}

/// Has money go back, within the limit of all payouts in an hour, and looked at by somebody above the limit for that.
///
/// # Errors
/// [`DomainError::PayoutsStopped`], [`DomainError::PayoutToOurs`] and [`DomainError::PayoutLimit`], before anything is
/// written; the ledger's and the database's refusals, which end the transaction.
pub(crate) async fn pay_back_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    (network, limits): (&str, &AssetLimits),
    back: &PayBack<'_>,
    now: DateTime<Utc>,
) -> Result<(Payout, Option<Wake>), DomainError> {
    if Switch::is_on(conn, Switch::PAYOUTS).await? {
        return Err(DomainError::PayoutsStopped);
    }
    let to = back.to.to_string();
    if is_ours(conn, network, &to).await? {
        return Err(DomainError::PayoutToOurs);
    }
    check_hour(conn, limits, (Asset::Trx, back.amount), now).await?;
    let new = NewRequest {
        id: PayoutId::new(ids),
        user: back.user,
        network,
        asset: Asset::Trx,
        amount: back.amount,
        to: &to,
        actor: back.actor,
    };
    create_in_tx(conn, ids, &new, limits, now).await
}

/// What is asked for, and where it is to go.
async fn check(conn: &mut Conn, policy: &PayoutPolicy, request: &RequestPayout, to: &str) -> Result<(), DomainError> {
    if request.asset == Asset::Usdt && policy.usdt.is_none() {
        return Err(DomainError::AssetNotPaid);
    }
    let minimum = policy.limits(request.asset).minimum;
    if request.amount < minimum || request.amount.is_zero() {
        return Err(DomainError::PayoutTooSmall { minimum });
    }
    if policy.usdt == Some(request.to) || is_ours(conn, &policy.network, to).await? {
        return Err(DomainError::PayoutToOurs);
    }
    let listed = PayoutAddress::of_user(conn, request.user.0).await?;
    let unlisted = !listed.iter().any(|one| one.address == to);
    if unlisted && (policy.list_required || !listed.is_empty()) {
        return Err(DomainError::PayoutAddressNotListed);
    }
    Ok(())
}

/// Whether an address is one of ours: what is paid to it would come back as a deposit, or never.
async fn is_ours(conn: &mut Conn, network: &str, address: &str) -> Result<bool, DomainError> {
    let takes_deposits = DepositAddress::find(conn, network, address).await?.is_some();
    Ok(takes_deposits || SupplierWallet::is_ours(conn, address).await?)
}

async fn check_limits(
    conn: &mut Conn,
    limits: &AssetLimits,
    request: &RequestPayout,
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    check_hour(conn, limits, (request.asset, request.amount), now).await?;
    let since = now - Duration::hours(24);
    let by_user = Payout::asked_since(conn, request.asset.code(), Some(request.user.0), since).await?;
    if !within(by_user, request.amount, limits.user_day) {
        return Err(DomainError::PayoutLimit("this user's limit of 24 hours"));
    }
    Ok(())
}

/// Under a lock, so that requests which come at once are counted one after the other.
async fn check_hour(
    conn: &mut Conn,
    limits: &AssetLimits,
    (asset, amount): (Asset, Amount),
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    Payout::lock_limits(conn).await?;
    let by_all = Payout::asked_since(conn, asset.code(), None, now - Duration::hours(1)).await?;
    if !within(by_all, amount, limits.system_hour) {
        return Err(DomainError::PayoutLimit("the limit of all payouts in an hour"));
    }
    Ok(())
}

fn within(asked: i64, amount: Amount, limit: Amount) -> bool {
    let sum = asked.checked_add(amount.minor());
    sum.is_some_and(|sum| sum <= limit.minor())
}
