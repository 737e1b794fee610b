//! What receivers are told of payouts: the payout as the API shows it, and the transaction that pays it.

use chrono::{DateTime, Utc};
use db::Conn;
use db::models::{EventType, Payout};
use kernel::{Amount, IdGen, UserId};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::DomainError;
use crate::events::{NewEvent, emit_in_tx};

/// Tells of a payout as it is from now on. The transaction is the one on chain that did it, if one did.
pub(crate) async fn tell_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    event_type: EventType,
    (payout, txid): (Uuid, Option<&str>),
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    let payout = Payout::find(conn, payout)
        .await?
        .ok_or(DomainError::NotFound("payout"))?;
    let event = NewEvent {
        event_type,
        subject_kind: "payout",
        subject_id: payout.id.to_string(),
        user: Some(UserId(payout.user_id)),
        data: data(&payout, txid)?,
    };
    emit_in_tx(conn, ids, &event, now).await
}

fn data(payout: &Payout, txid: Option<&str>) -> Result<Value, DomainError> {
    let amount = Amount::from_minor(payout.amount)
        .map_err(|_| DomainError::Broken(format!("{} of payout {} are no amount", payout.amount, payout.id)))?;
    Ok(json!({
        "id": payout.id,
        "user_id": payout.user_id,
        "network": payout.network,
        "amount": { "amount": amount, "asset": payout.asset },
        "to": payout.to_address,
        "state": payout.state,
        "reason": payout.reason_code,
        "txid": txid,
        "created_at": payout.created_at,
        "approved_at": payout.approved_at,
        "ended_at": payout.ended_at,
    }))
}
