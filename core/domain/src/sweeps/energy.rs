//! Energy for a sweep of a token: ordered from our own pool by the house's own customer, and what becomes of that order.
//!
//! The order is one like every other: it is paid, delivered, settled and taken back, or refunded. What it costs leaves
//! `house:fees` for the house's customer; what comes back stays with him for the next order.

use chain::TronAddress;
use chrono::{DateTime, Utc};
use db::models::{Order, OrderState, SupplierWallet, Sweep, SweepState, WalletPurpose};
use db::{Pool, run_tx};
use jobs::Wake;
use kernel::{ApiKeyId, IdGen, OrderId, SweepId, UserId};
use serde_json::json;

use super::{SweepPolicy, lock, note_in_tx};
use crate::findings::{self, FindingKind};
use crate::orders::{HouseOrder, accept_of_house_in_tx, guarded};
use crate::{DomainError, WORKER};

/// The house's own customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct House {
    /// Who pays.
    pub user: UserId,
    /// The key that orders are booked under.
    pub api_key: ApiKeyId,
}

/// How long energy is ordered for, in seconds: its block has to become solid, and after that the transfer has to land or to
/// expire.
const RENTAL_S: i32 = 300;

/// What became of the energy that was ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EnergyStanding {
    /// It is not there for certain.
    Ordered,
    /// It is there by a final block, for long enough.
    Ready {
        /// When it is taken back, by the chain's clock.
        ends_at: DateTime<Utc>,
    },
    /// It was there, and is not for long enough any more.
    Over,
    /// It will not come; the order's money is back.
    Failed,
}

impl EnergyStanding {
    /// What an order has brought, to be used until `until`.
    #[must_use]
    pub fn of(order: &Order, until: DateTime<Utc>) -> Self {
        match (order.state, order.settled_at, order.ends_at) {
            (OrderState::Pending | OrderState::Processing, ..) | (OrderState::Completed, None, _) => Self::Ordered,
            (OrderState::Completed, Some(_), Some(ends_at)) if ends_at > until => Self::Ready { ends_at },
            (OrderState::Completed, Some(_), _) => Self::Over,
            (OrderState::Cancelled | OrderState::Failed | OrderState::Refunded, ..) => Self::Failed,
        }
    }
}

/// Orders so much energy for a planned sweep; answers the wakes to push. A sweep that is not planned any more is left alone.
///
/// # Errors
/// What stands against the order, such as no price or maintenance; nothing is written then.
pub async fn rent(
    pool: &Pool,
    ids: &dyn IdGen,
    (policy, house): (&SweepPolicy, House),
    (id, energy): (SweepId, i64),
    now: DateTime<Utc>,
) -> Result<Vec<Wake>, DomainError> {
    let order = OrderId::new(ids);
    run_tx(pool, "rent_for_sweep", async |conn| {
        let sweep = lock(conn, id.0).await?;
        if sweep.state != SweepState::Planned {
            return Ok(Vec::new());
        }
        let wallet = SupplierWallet::find(conn, sweep.wallet_id).await?;
        let receiver = wallet.filter(|wallet| wallet.purpose == WalletPurpose::Deposit);
        let receiver: Option<TronAddress> = receiver.and_then(|wallet| wallet.address?.parse().ok());
        let wanted = HouseOrder {
            id: order,
            sweep: id,
            house,
            receiver: receiver.ok_or_else(|| DomainError::Broken(format!("the wallet of sweep {id}")))?,
            energy,
            duration_s: RENTAL_S.clamp(policy.order.duration_min_s, policy.order.duration_max_s),
        };
        let (placed, wake) = accept_of_house_in_tx(conn, ids, &policy.order, &wanted, now).await?;
        let moved = Sweep::set_renting(conn, id.0, order.0, now).await?;
        guarded(moved, "sweep", id)?;
        let detail = json!({ "order": order, "energy": energy, "price_sun": placed.price_sun });
        note_in_tx(conn, (id.0, SweepState::Renting), "energy_ordered", WORKER, detail, now).await?;
        Ok(wake.into_iter().collect())
    })
    .await
}

/// Sends a sweep whose energy did not come, or is over, back to be looked at anew; answers how many orders in a row have
/// brought none. After several an operator is told.
///
/// # Errors
/// When the database fails.
pub async fn unrent(
    pool: &Pool,
    ids: &dyn IdGen,
    policy: &SweepPolicy,
    (id, standing): (SweepId, EnergyStanding),
    now: DateTime<Utc>,
) -> Result<i32, DomainError> {
    run_tx(pool, "unrent_for_sweep", async |conn| {
        let sweep = lock(conn, id.0).await?;
        if sweep.state != SweepState::Renting {
            return Ok(0);
        }
        let (failures, reason) = match standing {
            EnergyStanding::Failed => (sweep.energy_failures.saturating_add(1), "energy_not_delivered"),
            _ => (sweep.energy_failures, "energy_over"),
        };
        let moved = Sweep::set_unrented(conn, id.0, (failures, reason), now).await?;
        guarded(moved, "sweep", id)?;
        let detail = json!({ "order": sweep.order_id, "failures": failures });
        note_in_tx(conn, (id.0, SweepState::Planned), reason, WORKER, detail.clone(), now).await?;
        if failures >= policy.energy_failures_alarm {
            let subject = format!("sweep:{id}");
            findings::record_in_tx(conn, ids, FindingKind::SweepEnergy, &subject, detail, now).await?;
        }
        Ok(failures)
    })
    .await
}
