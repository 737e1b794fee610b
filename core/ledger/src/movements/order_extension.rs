//! A user buys more time for a rental that runs. Its energy is there for good, so the price is earned at once.
//!
//! | debit | credit | amount | event |
//! |---|---|---|---|
//! | `user:{id}:{asset}` | `house:revenue:{asset}` | the price | `order:{order}:extension:{extension}` |

use chrono::{DateTime, Utc};
use db::Conn;
use kernel::{Amount, Asset, ExtensionId, OrderId, UserId};

use crate::{Account, LedgerError, Posted, Reason, Transfer, post_in_tx};

/// What is paid for more time.
#[derive(Debug, Clone, Copy)]
pub struct OrderExtension<'a> {
    /// The extension.
    pub extension: ExtensionId,
    /// The order whose time it is.
    pub order: OrderId,
    /// Who pays.
    pub user: UserId,
    /// In what.
    pub asset: Asset,
    /// The price.
    pub amount: Amount,
    /// Who asked for it: `api_key:<id>`.
    pub actor: &'a str,
    /// When.
    pub at: DateTime<Utc>,
}

/// Moves the price from the user to revenue.
///
/// # Errors
/// [`LedgerError::InsufficientFunds`] when the user has less (the transaction is aborted then); else as
/// [`post_in_tx`].
pub async fn order_extension_in_tx(conn: &mut Conn, bought: &OrderExtension<'_>) -> Result<Posted, LedgerError> {
    let transfer = Transfer {
        event: format!("order:{}:extension:{}", bought.order, bought.extension),
        debit: Account::User {
            user: bought.user,
            asset: bought.asset,
        },
        credit: Account::Revenue(bought.asset),
        amount: bought.amount,
        reason: Reason::OrderExtension,
        order: Some(bought.order),
        payout: None,
        actor: Some(bought.actor.to_owned()),
        note: None,
        at: bought.at,
    };
    post_in_tx(conn, &transfer).await
}
