//! A wallet that an operator released is no longer a finding.

use chrono::{DateTime, Utc};
use db::Conn;
use db::models::SupplierWallet;

use crate::DomainError;
use crate::findings::{self, FindingKind};

pub(super) async fn clear_released_in_tx(conn: &mut Conn, now: DateTime<Utc>) -> Result<(), DomainError> {
    let isolated: Vec<String> = SupplierWallet::isolated_ids(conn)
        .await?
        .iter()
        .map(|id| format!("wallet:{id}"))
        .collect();
    findings::clear_others_in_tx(conn, FindingKind::WalletIsolated, &isolated, now).await
}
