//! Builds and signs what goes on chain: our own protobuf on the watcher's reference block, never a node's bytes.

use chain::TronAddress;
use chrono::{DateTime, Duration, Utc};
use db::models::{ChainCursor, SupplierWallet};
use domain::transactions::Signed;
use tron::proto::ResourceCode;
use tron::{BlockReference, ContractBody, PrivateKey, UnsignedTx, sign_transaction};

use crate::error::WorkError;

/// Bandwidth points of one delegation, its signature included, with room for longer numbers.
pub(crate) const DELEGATION_BANDWIDTH: i64 = 300;

/// One delegation to make or undo.
pub(crate) struct ToSign<'a> {
    pub(crate) wallet: &'a SupplierWallet,
    pub(crate) receiver: &'a str,
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
    sign(work, body, key)
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
    sign(work, body, key)
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

fn sign(work: &ToSign<'_>, body: ContractBody, key: &PrivateKey) -> Result<Signed, WorkError> {
    let expiration_ms = (work.cursor.head_time + work.expiry).timestamp_millis();
    let unsigned = UnsignedTx {
        contract: body,
        reference: BlockReference::from_block_id(&work.cursor.solid_block_id)?,
        timestamp_ms: work.timestamp_ms,
        expiration_ms,
        fee_limit_sun: 0,
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
