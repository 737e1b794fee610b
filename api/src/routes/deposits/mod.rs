//! Deposits: announced, listed, shown with what came for them.

pub(crate) mod export;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod open;

use chrono::{DateTime, Utc};
use db::models::{
    DepositOrder, DepositOrderState, DepositState, DepositWay, IncomingTransfer, TransferKind, TransferState,
};
use domain::deposits::Announced;
use kernel::{Amount, Asset};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::Money;
use crate::problem::Problem;

/// A deposit that was announced.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DepositView {
    /// Its id.
    pub(crate) id: Uuid,
    user_id: i64,
    #[schema(example = "tron")]
    network: String,
    #[schema(value_type = String, example = "USDT")]
    asset: Asset,
    /// `address`: the user's own address says who pays. `amount`: the exact amount does.
    #[schema(value_type = String, example = "amount")]
    way: DepositWay,
    /// Where to pay.
    #[schema(example = "TUEZSdKsoDHQMeZwihtdoBiN46zxhGWYdH")]
    address: String,
    /// Exactly what to pay, to the last digit; null: any amount.
    #[schema(value_type = Option<String>, example = "10.004711")]
    amount: Option<Amount>,
    /// A memo that names this deposit, where the sender can write one. Not needed.
    #[schema(example = "K7QXM2ABCD")]
    memo: String,
    /// What a QR code is to hold: the address, which every wallet reads.
    qr: String,
    /// `open`, `partial`, `paid` or `expired`.
    #[schema(value_type = String, example = "open")]
    state: DepositState,
    /// What was credited because of it.
    #[schema(value_type = String, example = "0.000000")]
    received: Amount,
    /// What comes later is credited all the same, and named late.
    expires_at: DateTime<Utc>,
    /// When the last of it came: the block's time.
    paid_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    /// What it is to buy; null: nothing, it only fills the balance.
    order: Option<DepositOrderView>,
}

/// The order that a deposit is to buy.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DepositOrderView {
    #[schema(example = "TLyqzVGLV1srkB7dToTAEqgDSfPtXRJZYH")]
    receiver: String,
    #[schema(example = 65000)]
    energy: i64,
    #[schema(example = 3600)]
    duration_s: i32,
    /// What it costs if the deposit is paid in time.
    price: Money,
    /// `waiting`, `placed` or `failed`.
    #[schema(value_type = String, example = "waiting")]
    state: DepositOrderState,
    /// The order, once it is placed.
    order_id: Option<Uuid>,
    /// Why it will not be placed: `late`, `insufficient_funds`, `user_blocked` or `receiver_is_supplier`. The money is on the
    /// user's balance.
    reason: Option<String>,
}

impl TryFrom<DepositOrder> for DepositOrderView {
    type Error = Problem;

    fn try_from(order: DepositOrder) -> Result<Self, Problem> {
        Ok(Self {
            price: Money {
                amount: stored(order.price_sun)?,
                asset: Asset::Trx,
            },
            receiver: order.receiver,
            energy: order.energy,
            duration_s: order.duration_s,
            state: order.state,
            order_id: order.order_id,
            reason: order.reason_code,
        })
    }
}

/// A transfer on the chain.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TransferView {
    id: Uuid,
    network: String,
    txid: String,
    /// The log's place in its transaction; -1 for the coin, and below for coin that a contract sent on.
    log_index: i32,
    block_number: i64,
    block_time: DateTime<Utc>,
    from: String,
    to: String,
    /// The token's contract; null for the coin.
    token: Option<String>,
    /// In the smallest unit of the coin or token, all digits.
    #[schema(example = "10004711")]
    amount_minor: String,
    memo: Option<String>,
    /// `seen`, `reverted`, `credited`, `held`, `ignored`, `refunded` or `reversed`.
    #[schema(value_type = String, example = "credited")]
    state: TransferState,
    /// What it turned out to be once it was final, such as `exact`, `partial`, `late`, `wrong_token`.
    #[schema(value_type = Option<String>, example = "exact")]
    case: Option<TransferKind>,
    deposit_id: Option<Uuid>,
    user_id: Option<i64>,
    #[schema(value_type = Option<String>, example = "USDT")]
    asset: Option<String>,
    /// What the user was credited.
    #[schema(value_type = Option<String>, example = "10.004711")]
    credited: Option<Amount>,
    decided_by: Option<String>,
    decided_at: Option<DateTime<Utc>>,
    reason: Option<String>,
}

fn stored(minor: i64) -> Result<Amount, Problem> {
    Amount::from_minor(minor).map_err(|_| Problem::internal(format!("{minor} is no amount")))
}

impl TryFrom<Announced> for DepositView {
    type Error = Problem;

    fn try_from(
        Announced {
            deposit,
            address,
            order,
        }: Announced,
    ) -> Result<Self, Problem> {
        let unknown = || Problem::internal(format!("deposit {} is of no asset of ours", deposit.id));
        Ok(Self {
            asset: deposit.asset.parse().map_err(|_| unknown())?,
            id: deposit.id,
            user_id: deposit.user_id,
            network: deposit.network,
            way: deposit.way,
            qr: address.clone(),
            address,
            amount: deposit.amount.map(stored).transpose()?,
            memo: deposit.code,
            state: deposit.state,
            received: stored(deposit.received)?,
            expires_at: deposit.expires_at,
            paid_at: deposit.paid_at,
            created_at: deposit.created_at,
            order: order.map(DepositOrderView::try_from).transpose()?,
        })
    }
}

impl TryFrom<IncomingTransfer> for TransferView {
    type Error = Problem;

    fn try_from(row: IncomingTransfer) -> Result<Self, Problem> {
        Ok(Self {
            id: row.id,
            network: row.network,
            txid: row.txid,
            log_index: row.log_index,
            block_number: row.block_number,
            block_time: row.block_time,
            from: row.from_address,
            to: row.to_address,
            token: row.token,
            amount_minor: row.amount,
            memo: row.memo,
            state: row.state,
            case: row.kind,
            deposit_id: row.deposit_id,
            user_id: row.user_id,
            asset: row.asset,
            credited: row.credited.map(stored).transpose()?,
            decided_by: row.decided_by,
            decided_at: row.decided_at,
            reason: row.reason,
        })
    }
}
