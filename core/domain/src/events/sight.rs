//! Who may see which events: whoever may see what they are about. It holds for who reads them himself and for who has an endpoint told.

use access::{Permission, PermissionSet};
use db::models::EventType;

use crate::DomainError;

/// What it takes to see an event; `None`: it is told to nobody but the one endpoint that it is meant for.
#[must_use]
pub const fn permission_of(event: EventType) -> Option<Permission> {
    use EventType as E;
    Some(match event {
        E::OrderCreated
        | E::OrderCompleted
        | E::OrderSettled
        | E::OrderRefunded
        | E::OrderCancelled
        | E::OrderExtended
        | E::OrderReclaimed
        | E::StandingOrderEnded
        | E::StandingOrderHeld => Permission::OrdersRead,
        E::DepositDetected
        | E::DepositCredited
        | E::DepositPartial
        | E::DepositHeld
        | E::DepositReverted
        | E::DepositExpired
        | E::DepositOrderFailed => Permission::DepositsRead,
        E::ExchangeCompleted | E::ExchangeFailed => Permission::ExchangesRead,
        E::PayoutRequested
        | E::PayoutApproved
        | E::PayoutRejected
        | E::PayoutSent
        | E::PayoutCompleted
        | E::PayoutFailed => Permission::PayoutsRead,
        E::WalletEnabled | E::WalletDisabled | E::WalletIsolated => Permission::WalletsRead,
        E::WebhookTest => return None,
    })
}

/// What an endpoint with these types is told; with none: all that has not to be named.
pub(crate) fn events_told(types: &[EventType]) -> impl Iterator<Item = EventType> {
    let told = |event: EventType| {
        if types.is_empty() {
            !event.has_to_be_named()
        } else {
            types.contains(&event)
        }
    };
    EventType::ALL.iter().copied().filter(move |event| told(*event))
}

/// Whether who may do this sees all that an endpoint with these types is told; with none: all that has not to be named.
///
/// # Errors
/// [`DomainError::MayNotSee`].
pub(crate) fn check_sight(sees: PermissionSet, types: &[EventType]) -> Result<(), DomainError> {
    let mut needed = events_told(types).filter_map(permission_of);
    match needed.find(|point| !sees.has(*point)) {
        Some(point) => Err(DomainError::MayNotSee(point)),
        None => Ok(()),
    }
}
