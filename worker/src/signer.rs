//! Builds and signs what goes on chain: our own protobuf on the watcher's reference block, never a node's bytes.

use chain::TronAddress;
use chrono::{DateTime, Duration, Utc};
use db::models::{ChainCursor, StakeResource, Staking, StakingAction, SupplierWallet};
use domain::transactions::Signed;
use tron::proto::ResourceCode;
use tron::trc20::{Call, amount256};
use tron::{BlockReference, ContractBody, PrivateKey, UnsignedTx, sign_transaction};

use crate::error::WorkError;

/// Bandwidth points of one delegation, its signature included, with room for longer numbers.
pub(crate) const DELEGATION_BANDWIDTH: i64 = 300;

/// What is to be signed: a delegation to make or undo, a payment, or a staking, which is its own receiver.
pub(crate) struct ToSign<'a> {
    pub(crate) wallet: &'a SupplierWallet,
    pub(crate) receiver: &'a str,
    /// Sun, or the minor units of a token.
    pub(crate) amount_sun: i64,
    pub(crate) timestamp_ms: i64,
    pub(crate) cursor: &'a ChainCursor,
    pub(crate) expiry: Duration,
}

/// Signs a delegation without lock: nobody but us can undo it anyway, and a lock would outlast short rentals.
pub(crate) fn sign_delegate(work: &ToSign<'_>, key: &PrivateKey) -> Result<Signed, WorkError> {
    let (owner, receiver) = parties(work)?;
    let body = ContractBody::Delegate {
        owner,
        receiver,
        balance_sun: work.amount_sun,
        resource: ResourceCode::Energy,
        lock: false,
        lock_period_blocks: 0,
    };
    sign(work, body, 0, key)
}

/// Signs the undoing of a delegation: exactly the sun that it delegated.
pub(crate) fn sign_undelegate(work: &ToSign<'_>, key: &PrivateKey) -> Result<Signed, WorkError> {
    let (owner, receiver) = parties(work)?;
    let body = ContractBody::UnDelegate {
        owner,
        receiver,
        balance_sun: work.amount_sun,
        resource: ResourceCode::Energy,
    };
    sign(work, body, 0, key)
}

/// A token's contract, and what a call of it may burn.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TokenCall {
    pub(crate) contract: TronAddress,
    pub(crate) fee_limit_sun: i64,
}

/// Signs a payment of coin, or of a token.
pub(crate) fn sign_transfer(
    work: &ToSign<'_>,
    token: Option<TokenCall>,
    key: &PrivateKey,
) -> Result<Signed, WorkError> {
    let (owner, to) = parties(work)?;
    let amount = work.amount_sun;
    let Some(TokenCall {
        contract,
        fee_limit_sun,
    }) = token
    else {
        let body = ContractBody::Transfer {
            owner,
            to,
            amount_sun: amount,
        };
        return sign(work, body, 0, key);
    };
    let minor = u128::try_from(amount).map_err(|_| WorkError::Broken(format!("an amount of {amount}")))?;
    let call = Call::Transfer {
        to,
        amount: amount256(minor),
    };
    let body = ContractBody::TriggerSmart {
        owner,
        contract,
        call_value_sun: 0,
        data: call.encode(),
    };
    sign(work, body, fee_limit_sun, key)
}

/// Signs a staking: coin of the wallet becomes stake, or the other way round.
pub(crate) fn sign_stake(work: &ToSign<'_>, staking: &Staking, key: &PrivateKey) -> Result<Signed, WorkError> {
    let (owner, amount_sun) = (wallet_address(work.wallet)?, work.amount_sun);
    let resource = match staking.resource {
        Some(StakeResource::Energy) => ResourceCode::Energy,
        Some(StakeResource::Bandwidth) | None => ResourceCode::Bandwidth,
    };
    let body = match staking.action {
        StakingAction::Stake => ContractBody::FreezeBalance {
            owner,
            amount_sun,
            resource,
        },
        StakingAction::Unstake => ContractBody::UnfreezeBalance {
            owner,
            amount_sun,
            resource,
        },
        StakingAction::Withdraw => ContractBody::WithdrawExpireUnfreeze { owner },
        StakingAction::Cancel => ContractBody::CancelAllUnfreeze { owner },
    };
    sign(work, body, 0, key)
}

fn parties(work: &ToSign<'_>) -> Result<(TronAddress, TronAddress), WorkError> {
    Ok((wallet_address(work.wallet)?, address(work.receiver)?))
}

/// A wallet's address.
pub(crate) fn wallet_address(wallet: &SupplierWallet) -> Result<TronAddress, WorkError> {
    let text = wallet.address.as_deref();
    address(text.ok_or_else(|| WorkError::Broken(format!("wallet {} has no address", wallet.id)))?)
}

/// An address out of a row.
pub(crate) fn address(text: &str) -> Result<TronAddress, WorkError> {
    text.parse()
        .map_err(|_| WorkError::Broken(format!("{text:?} is no address")))
}

fn sign(work: &ToSign<'_>, body: ContractBody, fee_limit_sun: i64, key: &PrivateKey) -> Result<Signed, WorkError> {
    let expiration_ms = (work.cursor.head_time + work.expiry).timestamp_millis();
    let unsigned = UnsignedTx {
        contract: body,
        reference: BlockReference::from_block_id(&work.cursor.solid_block_id)?,
        timestamp_ms: work.timestamp_ms,
        expiration_ms,
        fee_limit_sun,
        memo: Vec::new(),
        permission_id: work.wallet.permission_id,
    };
    let signed = sign_transaction(unsigned.encode(), key);
    let expires_at: Option<DateTime<Utc>> = DateTime::from_timestamp_millis(expiration_ms);
    Ok(Signed {
        txid: signed.txid.to_string(),
        raw: signed.bytes,
        timestamp_ms: work.timestamp_ms,
        expires_at: expires_at.ok_or_else(|| WorkError::Broken("the head block's time".into()))?,
    })
}
