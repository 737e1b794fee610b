//! The published address, and the row of what came to it.

use chrono::{DateTime, Utc};
use db::models::{AddressKind, ApiKey, DepositAddress, IncomingTransfer, Rental, RentalState, User};
use db::{Conn, Pool, run_tx};
use jobs::{JobKind, Wake, enqueue_each_in_tx};
use kernel::{Amount, IdGen};

use super::{RentalPolicy, wish};
use crate::DomainError;

/// Has the watcher look at the published address. It stays ours when another is published: who knows the old one still buys.
///
/// # Errors
/// [`DomainError::Broken`] when the address is one that customers pay to otherwise; [`DomainError::NotFound`] when there is no
/// such API key; a database failure.
pub async fn publish(
    pool: &Pool,
    ids: &dyn IdGen,
    policy: &RentalPolicy,
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    let row = DepositAddress {
        id: ids.uuid(),
        network: policy.network.clone(),
        address: policy.address.clone(),
        kind: AddressKind::Rental,
        user_id: None,
        key_fingerprint: None,
        derivation_index: None,
        retired_at: None,
        created_at: now,
    };
    run_tx(pool, "publish_rental_address", async |conn| {
        // without these two rows nothing that came to the address could be written down, and crediting would stand still
        User::ensure(conn, policy.house.user.0, now).await?;
        let known = ApiKey::list(conn).await?;
        if !known.iter().any(|key| key.id == policy.house.api_key.0) {
            return Err(DomainError::NotFound("API key that rentals are booked under"));
        }
        row.insert_if_missing(conn).await?;
        let found = DepositAddress::find(conn, &policy.network, &policy.address).await?;
        match found {
            Some(found) if found.kind == AddressKind::Rental => Ok(()),
            _ => Err(DomainError::Broken(format!(
                "{} is to be published for rentals, and customers are told to pay to it otherwise",
                policy.address
            ))),
        }
    })
    .await
}

/// Coin that came to the published address.
pub(crate) struct RentalTransfer<'t> {
    pub(crate) transfer: &'t IncomingTransfer,
    pub(crate) amount: Amount,
}

/// Keeps what these transfers buy, in the transaction that credits them, and asks for the job that sees to each.
pub(crate) async fn record_in_tx(
    conn: &mut Conn,
    policy: &RentalPolicy,
    transfers: &[RentalTransfer<'_>],
    now: DateTime<Utc>,
) -> Result<Vec<Wake>, DomainError> {
    let mut ids = Vec::with_capacity(transfers.len());
    for &RentalTransfer { transfer, amount } in transfers {
        let wanted = wish(
            &policy.packages,
            amount,
            transfer.memo.as_deref(),
            &transfer.from_address,
        );
        let (wanted, reason) = match wanted {
            Ok(wanted) => (Some(wanted), None),
            Err(reason) => (None, Some(reason)),
        };
        let rental = Rental {
            transfer_id: transfer.id,
            user_id: policy.house.user.0,
            api_key_id: policy.house.api_key.0,
            sender: transfer.from_address.clone(),
            amount_sun: amount.minor(),
            receiver: wanted.map(|wanted| wanted.receiver.to_string()),
            energy: wanted.map(|wanted| wanted.energy),
            duration_s: wanted.map(|wanted| wanted.duration_s),
            state: RentalState::Waiting,
            order_id: None,
            payout_id: None,
            reason_code: reason.map(str::to_owned),
            held_code: None,
            created_at: now,
            updated_at: now,
        };
        rental.insert(conn).await?;
        ids.push(transfer.id.to_string());
    }
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    Ok(enqueue_each_in_tx(conn, JobKind::DepositsRent, &ids, now).await?)
}
