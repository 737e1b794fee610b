//! Where a wallet stands, in one word, and what goes with it where wallets are shown.

use std::collections::HashMap;
use std::fmt;

use chrono::{DateTime, Utc};
use db::models::{KeyReplacement, Lending, SupplierWallet, WalletState};
use db::{Pool, acquire};
use uuid::Uuid;

use crate::DomainError;

/// Where a wallet stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Standing {
    /// Its key waits for a worker.
    Importing,
    /// Its key could not be used.
    Rejected,
    /// Switched off, and it still lends.
    Draining,
    /// Switched off, and it lends nothing.
    Disabled,
    /// It gets no new orders until it is tried again or released.
    Isolated,
    /// It was isolated and is tried again: one failure isolates it anew.
    OnProbation,
    /// It takes new orders.
    InService,
}

impl Standing {
    /// Of a wallet that lends as much as this.
    #[must_use]
    pub const fn of(wallet: &SupplierWallet, rentals: i64) -> Self {
        match wallet.state {
            WalletState::Importing => Self::Importing,
            WalletState::Rejected => Self::Rejected,
            WalletState::Active if !wallet.enabled && rentals > 0 => Self::Draining,
            WalletState::Active if !wallet.enabled => Self::Disabled,
            WalletState::Active if wallet.isolated_at.is_some() => Self::Isolated,
            WalletState::Active if wallet.probations > 0 => Self::OnProbation,
            WalletState::Active => Self::InService,
        }
    }

    /// The word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Importing => "importing",
            Self::Rejected => "rejected",
            Self::Draining => "draining",
            Self::Disabled => "disabled",
            Self::Isolated => "isolated",
            Self::OnProbation => "on_probation",
            Self::InService => "in_service",
        }
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A wallet with what is shown of it beside its row.
#[derive(Debug, Clone)]
pub struct Shown {
    /// The row.
    pub wallet: SupplierWallet,
    /// Where it stands.
    pub standing: Standing,
    /// Rentals that are promised, lent, or being taken back.
    pub rentals: i64,
    /// When the last of those that began ends.
    pub rentals_until: Option<DateTime<Utc>>,
    /// The last key that was to take another's place.
    pub replacement: Option<KeyReplacement>,
}

/// What is shown of these wallets, in their order.
///
/// # Errors
/// When the database cannot be asked.
pub async fn shown(pool: &Pool, wallets: Vec<SupplierWallet>) -> Result<Vec<Shown>, DomainError> {
    let mut conn = acquire(pool).await?;
    let ids: Vec<Uuid> = wallets.iter().map(|wallet| wallet.id).collect();
    let lending = SupplierWallet::lending(&mut conn, &ids).await?;
    let lending: HashMap<Uuid, Lending> = lending.into_iter().map(|of| (of.wallet_id, of)).collect();
    let replacements = KeyReplacement::last_of(&mut conn, &ids).await?;
    let mut replacements: HashMap<Uuid, KeyReplacement> =
        replacements.into_iter().map(|of| (of.wallet_id, of)).collect();
    let shown = wallets.into_iter().map(|wallet| {
        let lends = lending.get(&wallet.id);
        let rentals = lends.map_or(0, |lends| lends.rentals);
        Shown {
            standing: Standing::of(&wallet, rentals),
            rentals,
            rentals_until: lends.and_then(|lends| lends.until),
            replacement: replacements.remove(&wallet.id),
            wallet,
        }
    });
    Ok(shown.collect())
}
