//! Orders of the house's own, for addresses that are collected. They go the way of every order.

use chain::TronAddress;
use chrono::{DateTime, Utc};
use db::Conn;
use db::models::{Order, OrderTerms, User};
use jobs::Wake;
use kernel::{IdGen, OrderId, SweepId};
use ledger::movements::{SweepEnergy, sweep_energy_in_tx};

use super::{OrderPolicy, Purchase, check_orderable, check_ranges, place_in_tx};
use crate::DomainError;
use crate::pricing;
use crate::sweeps::House;

/// An order of the house's own, for an address that is collected.
pub(crate) struct HouseOrder {
    /// The order's future id.
    pub(crate) id: OrderId,
    /// What it is for.
    pub(crate) sweep: SweepId,
    /// Who orders in the house's name.
    pub(crate) house: House,
    /// The address that is collected.
    pub(crate) receiver: TronAddress,
    /// How much energy.
    pub(crate) energy: i64,
    /// For how long, seconds.
    pub(crate) duration_s: i32,
}

/// Places an order of the house's own, which gives its customer what he lacks of the price. Only that its receiver is a
/// wallet of ours is no obstacle.
///
/// # Errors
/// As for every order; nothing may be written then.
pub(crate) async fn accept_of_house_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    policy: &OrderPolicy,
    order: &HouseOrder,
    now: DateTime<Utc>,
) -> Result<(Order, Option<Wake>), DomainError> {
    let (user, receiver) = (order.house.user, order.receiver.to_string());
    check_ranges(policy, order.energy, order.duration_s)?;
    let wanted = (order.energy, order.duration_s);
    let mut terms = OrderTerms::read(conn, (user.0, receiver.as_str()), wanted).await?;
    terms.receiver_is_ours = false;
    check_orderable(&terms)?;
    let price = pricing::price_of(&terms, order.energy)?;
    User::ensure(conn, user.0, now).await?;
    let network = policy.network.parse();
    let energy = SweepEnergy {
        sweep: order.sweep,
        order: order.id,
        house: user,
        network: network.map_err(|_| DomainError::Broken(format!("{:?} is no network", policy.network)))?,
        price: price.amount,
        at: now,
    };
    sweep_energy_in_tx(conn, &energy).await?;
    let purchase = Purchase {
        id: order.id,
        user,
        api_key: order.house.api_key,
        network: &policy.network,
        receiver: &receiver,
        energy: order.energy,
        duration_s: order.duration_s,
        price,
        deadline: policy.deadline,
        actor: &format!("api_key:{}", order.house.api_key),
    };
    place_in_tx(conn, ids, &purchase, now).await
}
