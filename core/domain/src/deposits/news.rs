//! What receivers are told of deposits: the transfer on chain and the deposit it is for, as they are from now on.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use db::Conn;
use db::models::{Deposit, DepositAddress, DepositOrder, EventType, IncomingTransfer, TransferState};
use kernel::{Amount, IdGen, UserId};
use serde_json::{Value, json};
use uuid::Uuid;

use super::credit::senders_of_ours;
use crate::DomainError;
use crate::events::{NewEvent, write_in_tx};

/// Tells the same of these transfers.
pub(crate) async fn tell_of_transfers_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    event_type: EventType,
    transfers: &[Uuid],
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    if transfers.is_empty() {
        return Ok(());
    }
    let mut transfers = IncomingTransfer::by_ids(conn, transfers).await?;
    // what wallets of ours send is nobody's deposit; that a person gave it to a user all the same is told
    let own = senders_of_ours(conn, &transfers).await?;
    transfers.retain(|transfer| {
        let undecided = matches!(transfer.state, TransferState::Seen | TransferState::Reverted);
        !undecided || !own.contains(&transfer.from_address)
    });
    let deposits: BTreeSet<Uuid> = transfers.iter().filter_map(|transfer| transfer.deposit_id).collect();
    let deposits: Vec<Uuid> = deposits.into_iter().collect();
    let deposits: HashMap<Uuid, Deposit> = Deposit::by_ids(conn, &deposits)
        .await?
        .into_iter()
        .map(|deposit| (deposit.id, deposit))
        .collect();
    let addresses: BTreeSet<Uuid> = transfers.iter().filter_map(|transfer| transfer.address_id).collect();
    let addresses: Vec<Uuid> = addresses.into_iter().collect();
    let owners: HashMap<Uuid, Option<i64>> = DepositAddress::by_ids(conn, &addresses)
        .await?
        .into_iter()
        .map(|address| (address.id, address.user_id))
        .collect();
    let mut events = Vec::with_capacity(transfers.len());
    for transfer in &transfers {
        let deposit = transfer.deposit_id.and_then(|id| deposits.get(&id));
        let owner = transfer.address_id.and_then(|id| owners.get(&id).copied().flatten());
        let user = transfer.user_id.or(owner);
        events.push((
            ids.uuid(),
            event(event_type, transfer.id, user, (Some(transfer), deposit))?,
        ));
    }
    write(conn, &events, now).await
}

/// Tells of deposits that no transfer brought to where they are.
pub(crate) async fn tell_of_deposits_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    event_type: EventType,
    deposits: &[Uuid],
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    if deposits.is_empty() {
        return Ok(());
    }
    let mut events = Vec::with_capacity(deposits.len());
    for deposit in &Deposit::by_ids(conn, deposits).await? {
        let user = Some(deposit.user_id);
        events.push((ids.uuid(), event(event_type, deposit.id, user, (None, Some(deposit)))?));
    }
    write(conn, &events, now).await
}

/// Tells what came of the order that a deposit was to buy.
pub(super) async fn tell_of_order_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    event_type: EventType,
    (deposit, order): (&Deposit, &DepositOrder),
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    let mut event = event(event_type, deposit.id, Some(deposit.user_id), (None, Some(deposit)))?;
    event.data["order"] = json!({
        "receiver": order.receiver,
        "energy": order.energy,
        "duration_s": order.duration_s,
        "price": stored(order.price_sun, deposit.id)?,
        "state": order.state,
        "order_id": order.order_id,
        "reason": order.reason_code,
    });
    write(conn, &[(ids.uuid(), event)], now).await
}

async fn write(conn: &mut Conn, events: &[(Uuid, NewEvent)], now: DateTime<Utc>) -> Result<(), DomainError> {
    let events: Vec<(Uuid, &NewEvent)> = events.iter().map(|(id, event)| (*id, event)).collect();
    write_in_tx(conn, &events, None, now).await
}

fn event(
    event_type: EventType,
    subject: Uuid,
    user: Option<i64>,
    (transfer, deposit): (Option<&IncomingTransfer>, Option<&Deposit>),
) -> Result<NewEvent, DomainError> {
    Ok(NewEvent {
        event_type,
        subject_kind: "deposit",
        subject_id: subject.to_string(),
        user: user.map(UserId),
        data: json!({
            "user_id": user,
            "transfer": transfer.map(of_transfer).transpose()?,
            "deposit": deposit.map(of_deposit).transpose()?,
        }),
    })
}

/// The fields of the API's own view, but for who decided and why.
fn of_transfer(transfer: &IncomingTransfer) -> Result<Value, DomainError> {
    Ok(json!({
        "id": transfer.id,
        "network": transfer.network,
        "txid": transfer.txid,
        "log_index": transfer.log_index,
        "block_number": transfer.block_number,
        "block_time": transfer.block_time,
        "from": transfer.from_address,
        "to": transfer.to_address,
        "token": transfer.token,
        "amount_minor": transfer.amount,
        "memo": transfer.memo,
        "state": transfer.state,
        "case": transfer.kind,
        "asset": transfer.asset,
        "credited": transfer.credited.map(|minor| stored(minor, transfer.id)).transpose()?,
    }))
}

/// The fields of the API's own view, but for the address, which is the transfer's `to`.
fn of_deposit(deposit: &Deposit) -> Result<Value, DomainError> {
    Ok(json!({
        "id": deposit.id,
        "network": deposit.network,
        "asset": deposit.asset,
        "way": deposit.way,
        "amount": deposit.amount.map(|minor| stored(minor, deposit.id)).transpose()?,
        "memo": deposit.code,
        "state": deposit.state,
        "received": stored(deposit.received, deposit.id)?,
        "expires_at": deposit.expires_at,
        "paid_at": deposit.paid_at,
        "created_at": deposit.created_at,
    }))
}

fn stored(minor: i64, of: Uuid) -> Result<Amount, DomainError> {
    Amount::from_minor(minor).map_err(|_| DomainError::Broken(format!("{minor} of {of} are no amount")))
}
