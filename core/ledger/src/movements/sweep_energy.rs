//! The house pays for energy that a sweep needs: to its own customer, who orders and pays it as every customer does. What an
//! order gives back stays with him and is used first.
//!
//! | debit | credit | amount | event |
//! |---|---|---|---|
//! | `house:fees:{network}:TRX` | `user:{house}:TRX` | what the house's customer lacks of the price | `sweep:{sweep}:energy:{order}` |

use chrono::{DateTime, Utc};
use db::Conn;
use kernel::{Amount, Asset, OrderId, SweepId, UserId};

use crate::{Account, LedgerError, NetworkName, Posted, Reason, Transfer, lock_user_balance_in_tx, post_in_tx};

/// An order of energy for a sweep.
#[derive(Debug, Clone)]
pub struct SweepEnergy {
    /// The sweep.
    pub sweep: SweepId,
    /// The order that is to be paid.
    pub order: OrderId,
    /// The house's own customer, who orders.
    pub house: UserId,
    /// Where the sweep is.
    pub network: NetworkName,
    /// What the order costs.
    pub price: Amount,
    /// When.
    pub at: DateTime<Utc>,
}

/// Gives the house's customer what he lacks of the price, whose account is locked from here on, and answers whether that was
/// anything.
///
/// # Errors
/// As [`post_in_tx`].
pub async fn sweep_energy_in_tx(conn: &mut Conn, energy: &SweepEnergy) -> Result<bool, LedgerError> {
    let SweepEnergy {
        sweep, order, house, ..
    } = *energy;
    let has = lock_user_balance_in_tx(conn, house, Asset::Trx).await?;
    let lacks = energy.price.minor().saturating_sub(has.minor());
    if lacks <= 0 {
        return Ok(false);
    }
    let transfer = Transfer {
        event: format!("sweep:{sweep}:energy:{order}"),
        debit: Account::Fees {
            network: energy.network.clone(),
        },
        credit: Account::User {
            user: house,
            asset: Asset::Trx,
        },
        amount: Amount::from_minor(lacks).map_err(|_| LedgerError::Malformed("an amount below zero"))?,
        reason: Reason::SweepEnergy,
        order: None,
        payout: None,
        actor: None,
        note: None,
        at: energy.at,
    };
    Ok(post_in_tx(conn, &transfer).await? == Posted::New)
}
