//! What is asked for, as it is kept until somebody decides.

use chrono::{DateTime, Utc};
use db::Conn;
use db::models::ApprovalKind;
use kernel::{Amount, Asset, UserId, WalletId};
use ledger::movements::{Adjustment, Direction};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::DomainError;
use crate::pricing::{self, Band};
use crate::runtime_settings::{self, Judge, Values, Wish};
use crate::users;
use crate::wallets::checked_wallet_in_tx;

/// What is asked for, whole: nothing but this is carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Wanted {
    /// A correction of a balance.
    Adjust(WantedAdjustment),
    /// Another key for a wallet, which comes sealed beside this.
    ReplaceKey {
        /// The wallet.
        wallet: Uuid,
        /// What the new key signs by; `None`: what the old one does.
        permission_id: Option<i32>,
    },
    /// Another price table.
    Publish {
        /// Its lines.
        bands: Vec<Band>,
    },
    /// Other settings.
    ChangeSettings {
        /// The version that was seen: on another one it is not carried out.
        base_version: i64,
        /// Values by the settings' names; null takes one back to what the configuration says.
        changes: Values,
    },
    /// The settings of an earlier version.
    RestoreSettings {
        /// The version that was seen.
        base_version: i64,
        /// The version to go back to.
        restore: i64,
    },
}

/// A correction that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WantedAdjustment {
    /// The ledger's name for it: it is booked once, whatever else is asked under this name.
    pub reference: String,
    /// Whose balance.
    pub user: i64,
    /// Of what.
    pub asset: Asset,
    /// How much.
    pub amount: Amount,
    /// Whether the user gets it; else it is taken from him.
    pub credit: bool,
    /// Why, as the ledger keeps it.
    pub note: String,
}

impl WantedAdjustment {
    pub(super) fn adjustment<'a>(&'a self, actor: &'a str, at: DateTime<Utc>) -> Adjustment<'a> {
        Adjustment {
            reference: &self.reference,
            user: UserId(self.user),
            asset: self.asset,
            amount: self.amount,
            direction: if self.credit {
                Direction::Credit
            } else {
                Direction::Debit
            },
            note: &self.note,
            actor,
            at,
        }
    }
}

impl Wanted {
    pub(super) const fn kind(&self) -> ApprovalKind {
        match self {
            Self::Adjust(_) => ApprovalKind::BalancesAdjust,
            Self::ReplaceKey { .. } => ApprovalKind::WalletsReplaceKey,
            Self::Publish { .. } => ApprovalKind::PricesPublish,
            Self::ChangeSettings { .. } | Self::RestoreSettings { .. } => ApprovalKind::SettingsChange,
        }
    }

    pub(super) fn subject(&self) -> String {
        match self {
            Self::Adjust(adjust) => format!("user:{}", adjust.user),
            Self::ReplaceKey { wallet, .. } => format!("wallet:{wallet}"),
            Self::Publish { .. } => "prices".to_owned(),
            Self::ChangeSettings { .. } | Self::RestoreSettings { .. } => "settings".to_owned(),
        }
    }

    /// What can be said against it before anybody else looks at it.
    pub(super) async fn check_in_tx(&self, conn: &mut Conn, judge: &Judge<'_>) -> Result<(), DomainError> {
        match self {
            Self::Adjust(adjust) if adjust.amount == Amount::ZERO => {
                Err(DomainError::Ledger(ledger::LedgerError::ZeroAmount))
            }
            Self::Adjust(adjust) => users::check_raise(adjust.credit, adjust.amount),
            Self::ReplaceKey { wallet, permission_id } => {
                checked_wallet_in_tx(conn, WalletId(*wallet), *permission_id).await?;
                Ok(())
            }
            Self::Publish { bands } => pricing::check(bands),
            Self::ChangeSettings { base_version, changes } => {
                runtime_settings::check_in_tx(conn, judge, (*base_version, Wish::Change(changes))).await
            }
            Self::RestoreSettings { base_version, restore } => {
                runtime_settings::check_in_tx(conn, judge, (*base_version, Wish::Restore(*restore))).await
            }
        }
    }
}
