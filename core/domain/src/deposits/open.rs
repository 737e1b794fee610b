//! Announcing a deposit: the address to pay to, and the exact amount where the amount says for whom it is.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, Utc};
use db::models::{AddressKind, ChainCursor, Deposit, DepositAddress, DepositOrder, DepositState, DepositWay, User};
use db::{Conn, Pool, run_tx};
use hd::AccountKey;
use kernel::{Amount, ApiKeyId, Asset, IdGen, UserId};
use uuid::Uuid;

use super::WantedOrder;
use super::classify::{CODE_LENGTH, LARGEST};
use crate::DomainError;
use crate::orders::{Idempotency, OrderPolicy, earlier_in_tx, quote_in_tx};
use crate::pricing::Price;

/// The last digits of an amount that tell one deposit from another on a shared address: 1 to this, in minor units. At
/// most a hundredth of a coin is paid on top.
pub const TAILS: i64 = 9_999;
/// How often a free tail is looked for: another request may take it between the look and the insert.
const TRIES: usize = 16;
/// What idempotency rows of deposits point to.
const RESOURCE: &str = "deposit";
/// Letters and digits that are not taken for one another.
const ALPHABET: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";

/// How customers may pay.
#[derive(Debug, Clone)]
pub struct DepositPolicy {
    /// The network that they pay on.
    pub network: String,
    /// Ways that are open.
    pub ways: Vec<DepositWay>,
    /// Gives every customer an address.
    pub account: Option<AccountKey>,
    /// Where everybody pays who pays by amount.
    pub shared_address: Option<String>,
    /// How long a deposit is awaited.
    pub expiry: Duration,
    /// How long after that its amount is nobody else's.
    pub quarantine: Duration,
    /// The least that is credited.
    pub dust: BTreeMap<Asset, Amount>,
    /// What may be ordered, by deposit as otherwise.
    pub orders: OrderPolicy,
}

/// A deposit to announce.
#[derive(Debug, Clone)]
pub struct OpenDeposit {
    /// Who calls.
    pub api_key: ApiKeyId,
    /// Who pays.
    pub user: UserId,
    /// In what.
    pub asset: Asset,
    /// How much; any where not given. An order says how much itself.
    pub amount: Option<Amount>,
    /// What it is to buy.
    pub order: Option<WantedOrder>,
    /// How the payer is told from others.
    pub way: DepositWay,
    /// The caller's mark.
    pub idempotency: Idempotency,
}

/// A deposit with the address that it is paid to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announced {
    /// The deposit.
    pub deposit: Deposit,
    /// Where to pay.
    pub address: String,
    /// What it is to buy, if it is to buy something.
    pub order: Option<DepositOrder>,
}

/// Announces a deposit, once per idempotency key; answers it as it is now, and whether it was announced before.
///
/// # Errors
/// The way is closed, the amount cannot be asked for, the order cannot be placed as things are, the user is blocked, the key
/// was used for another request, or all amounts are taken; nothing is written then.
pub async fn open(
    pool: &Pool,
    ids: &dyn IdGen,
    policy: &DepositPolicy,
    request: &OpenDeposit,
    now: DateTime<Utc>,
) -> Result<(Announced, bool), DomainError> {
    let (id, address_id) = (ids.uuid(), ids.uuid());
    run_tx(pool, "open_deposit", async |conn| {
        if let Some(earlier) = replay(conn, id, request, now).await? {
            return Ok((super::find_in(conn, earlier).await?, true));
        }
        let price = quote(conn, policy, request).await?;
        let amount = price.map_or(request.amount, |price| Some(price.amount));
        check(policy, request, amount)?;
        if User::ensure(conn, request.user.0, now).await?.blocked_at.is_some() {
            return Err(DomainError::UserBlocked);
        }
        let address = match request.way {
            DepositWay::Address => own_address(conn, policy, request.user, address_id, now).await?,
            DepositWay::Amount => shared_address(conn, policy, address_id, now).await?,
        };
        let deposit = insert(conn, policy, (request, amount), (id, address.id), now).await?;
        let order = match request.order.zip(price) {
            Some((wanted, price)) => Some(wanted.keep_in_tx(conn, id, price, now).await?),
            None => None,
        };
        let address = address.address;
        Ok((
            Announced {
                deposit,
                address,
                order,
            },
            false,
        ))
    })
    .await
}

/// Claims the key for `id`; answers the earlier deposit if there is one.
async fn replay(
    conn: &mut Conn,
    id: Uuid,
    request: &OpenDeposit,
    now: DateTime<Utc>,
) -> Result<Option<Uuid>, DomainError> {
    let mark = (request.api_key, &request.idempotency);
    let earlier = earlier_in_tx(conn, mark, (RESOURCE, id.to_string()), now).await?;
    let broken = |_| DomainError::Broken("the idempotency row of a deposit".into());
    earlier.map(|earlier| earlier.parse().map_err(broken)).transpose()
}

/// The price of the order that a deposit is to buy.
async fn quote(conn: &mut Conn, policy: &DepositPolicy, request: &OpenDeposit) -> Result<Option<Price>, DomainError> {
    let Some(wanted) = request.order else {
        return Ok(None);
    };
    if request.asset != Asset::Trx || policy.network != policy.orders.network {
        return Err(DomainError::DepositOrderAsset);
    }
    let receiver = wanted.receiver.to_string();
    let parties = (request.user, receiver.as_str());
    let (price, _) = quote_in_tx(
        conn,
        (&policy.orders, None),
        parties,
        (wanted.energy, wanted.duration_s),
    )
    .await?;
    Ok(Some(price))
}

fn check(policy: &DepositPolicy, request: &OpenDeposit, amount: Option<Amount>) -> Result<(), DomainError> {
    if !policy.ways.contains(&request.way) {
        return Err(DomainError::DepositWayClosed);
    }
    let least = policy.dust.get(&request.asset).copied().unwrap_or_default();
    let fits = |amount: Amount| amount >= least && !amount.is_zero() && amount < LARGEST;
    let needed = request.way == DepositWay::Amount;
    if amount.map_or(needed, |amount| !fits(amount)) {
        return Err(DomainError::DepositAmount { least });
    }
    Ok(())
}

/// The address of a customer, given to him on first sight.
async fn own_address(
    conn: &mut Conn,
    policy: &DepositPolicy,
    user: UserId,
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<DepositAddress, DomainError> {
    if let Some(address) = DepositAddress::of_user(conn, &policy.network, user.0).await? {
        return Ok(address);
    }
    let account = policy.account.as_ref().ok_or(DomainError::DepositWayClosed)?;
    let index = DepositAddress::next_index(conn).await?;
    let broken = || DomainError::Broken(format!("no address at place {index}"));
    let place = u32::try_from(index).map_err(|_| broken())?;
    let address = DepositAddress {
        id,
        network: policy.network.clone(),
        address: account.tron_address(place).map_err(|_| broken())?,
        kind: AddressKind::User,
        user_id: Some(user.0),
        key_fingerprint: Some(account.fingerprint()),
        derivation_index: Some(index),
        retired_at: None,
        created_at: now,
    };
    if address.insert_if_missing(conn).await? {
        return Ok(address);
    }
    // another request gave him one at this moment; the insert waited for its commit
    let address = DepositAddress::of_user(conn, &policy.network, user.0).await?;
    address.ok_or_else(|| DomainError::Broken(format!("the address at place {index} belongs to another")))
}

async fn shared_address(
    conn: &mut Conn,
    policy: &DepositPolicy,
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<DepositAddress, DomainError> {
    let text = policy.shared_address.as_ref().ok_or(DomainError::DepositWayClosed)?;
    let found = DepositAddress::find(conn, &policy.network, text).await?;
    let address = match found {
        Some(address) => address,
        None => {
            let address = DepositAddress {
                id,
                network: policy.network.clone(),
                address: text.clone(),
                kind: AddressKind::Shared,
                user_id: None,
                key_fingerprint: None,
                derivation_index: None,
                retired_at: None,
                created_at: now,
            };
            address.insert_if_missing(conn).await?;
            let kept = DepositAddress::find(conn, &policy.network, text).await?;
            kept.ok_or_else(|| DomainError::Broken("the shared address is gone".into()))?
        }
    };
    // a retired one, or one that is a customer's own
    let usable = address.kind == AddressKind::Shared && address.retired_at.is_none();
    usable.then_some(address).ok_or(DomainError::DepositWayClosed)
}

async fn insert(
    conn: &mut Conn,
    policy: &DepositPolicy,
    (request, amount): (&OpenDeposit, Option<Amount>),
    (id, address_id): (Uuid, Uuid),
    now: DateTime<Utc>,
) -> Result<Deposit, DomainError> {
    // by the chain's clock, where that is ahead
    let cursor = ChainCursor::find(conn, &policy.network).await?;
    let expires_at = cursor.map_or(now, |cursor| cursor.head_time.max(now)) + policy.expiry;
    let mut deposit = Deposit {
        id,
        user_id: request.user.0,
        api_key_id: request.api_key.0,
        network: policy.network.clone(),
        asset: request.asset.code().to_owned(),
        way: request.way,
        address_id,
        amount: amount.map(Amount::minor),
        code: code(id),
        state: DepositState::Open,
        received: 0,
        expires_at,
        amount_held_until: expires_at + policy.quarantine,
        amount_released_at: None,
        paid_at: None,
        created_at: now,
        updated_at: now,
    };
    let base = match (request.way, amount) {
        (DepositWay::Amount, Some(amount)) => amount.minor(),
        _ if deposit.insert_if_free(conn).await? => return Ok(deposit),
        _ => return Err(DomainError::Broken(format!("the code of deposit {id} is taken"))),
    };
    for _ in 0..TRIES {
        let Some(tail) = Deposit::free_tail(conn, address_id, &deposit.asset, (base, TAILS)).await? else {
            break;
        };
        deposit.amount = Some(base.saturating_add(tail));
        if deposit.insert_if_free(conn).await? {
            return Ok(deposit);
        }
    }
    Err(DomainError::DepositAmountsTaken)
}

/// Ten characters out of the random half of an id.
fn code(id: Uuid) -> String {
    let mut bits = id.as_u128();
    let mut code = String::with_capacity(CODE_LENGTH);
    for _ in 0..CODE_LENGTH {
        let place = usize::try_from(bits & 31).unwrap_or_default();
        code.push(char::from(ALPHABET[place]));
        bits >>= 5;
    }
    code
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_ten_plain_characters() {
        let one = code(Uuid::from_u128(0x0193_1d3c_7d5e_7c8a_9b52_5f1a_2c3d_4e5f));
        let other = code(Uuid::from_u128(0x0193_1d3c_7d5e_7c8a_9b52_5f1a_2c3d_4e60));
        assert_ne!(one, other);
        for code in [one, other] {
            assert_eq!(super::super::classify::codes(Some(&code.to_lowercase())), [code]);
        }
    }
}
