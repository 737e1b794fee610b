//! What receivers are told of supplier wallets: where they stand, and nothing of their keys.

use chrono::{DateTime, Utc};
use db::Conn;
use db::models::SupplierWallet;
use kernel::IdGen;
use serde_json::json;
use uuid::Uuid;

use super::{EventType, NewEvent, emit_in_tx};
use crate::DomainError;

/// Tells of a wallet as it is from now on.
pub(crate) async fn tell_of_wallet_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    event_type: EventType,
    (wallet, reason): (Uuid, Option<&str>),
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    let wallet = SupplierWallet::find(conn, wallet)
        .await?
        .ok_or(DomainError::NotFound("wallet"))?;
    let event = NewEvent {
        event_type,
        subject_kind: "wallet",
        subject_id: wallet.id.to_string(),
        user: None,
        data: json!({
            "id": wallet.id,
            "address": wallet.address,
            "state": wallet.state,
            "enabled": wallet.enabled,
            "reason": reason,
        }),
    };
    emit_in_tx(conn, ids, &event, now).await
}
