//! Addresses that a user rents energy for again and again.

pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod list;

use chrono::{DateTime, Utc};
use db::models::UserWallet;
use serde::Serialize;
use utoipa::ToSchema;

/// An address that a user keeps.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UserWalletView {
    #[schema(example = "TLyqzVGLV1srkB7dToTAEqgDSfPtXRJZYH")]
    address: String,
    label: Option<String>,
    created_at: DateTime<Utc>,
}

impl From<UserWallet> for UserWalletView {
    fn from(wallet: UserWallet) -> Self {
        Self {
            address: wallet.address,
            label: wallet.label,
            created_at: wallet.created_at,
        }
    }
}
