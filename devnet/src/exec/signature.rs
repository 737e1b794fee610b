//! Who signed, and whether that is enough. The node's `TransactionCapsule.checkWeight` and its words.

use chain::TronAddress;
use tron::recover_address;

use super::Refusal;
use crate::state::{Account, Permission, State};
use crate::wire::Signed;

const MAX_SIGNATURES: usize = 5;

/// Checks the signatures of a transaction against the permission it names.
pub(crate) fn check_signatures(state: &State, tx: &Signed) -> Result<(), Refusal> {
    let refuse = |text: String| Err(Refusal::Signature(text));
    if tx.signatures.is_empty() {
        return refuse("miss sig or contract".to_owned());
    }
    if tx.signatures.len() > MAX_SIGNATURES {
        return refuse("too many signatures".to_owned());
    }
    let Ok(owner) = TronAddress::from_bytes(tx.owner()) else {
        return refuse("sig error".to_owned());
    };
    let Some(permission) = permission_of(state, owner, tx.permission_id) else {
        return refuse("permission isn't exit".to_owned());
    };
    if tx.permission_id != 0 && !permission.allows(tx.kind) {
        return refuse("Permission denied".to_owned());
    }
    let (weight, _) = weigh(&permission, tx).map_err(Refusal::Signature)?;
    if weight < permission.threshold {
        return refuse("sig error".to_owned());
    }
    Ok(())
}

/// The permission, the weight of the signatures and their signers, for `getsignweight`.
pub(crate) fn sign_weight(account: &Account, owner: TronAddress, tx: &Signed) -> Result<SignWeight, String> {
    let permission = account
        .permission(owner, tx.permission_id)
        .ok_or("Permission for this, does not exist!")?;
    if tx.permission_id != 0 && !permission.allows(tx.kind) {
        return Err("Permission denied!".to_owned());
    }
    let (weight, signers) = if tx.signatures.is_empty() {
        (0, Vec::new())
    } else {
        weigh(&permission, tx)?
    };
    Ok(SignWeight {
        permission,
        weight,
        signers,
    })
}

/// An answer of [`sign_weight`].
#[derive(Debug)]
pub(crate) struct SignWeight {
    /// The permission that the transaction names.
    pub(crate) permission: Permission,
    /// Weight reached.
    pub(crate) weight: i64,
    /// Who signed.
    pub(crate) signers: Vec<TronAddress>,
}

fn permission_of(state: &State, owner: TronAddress, id: i32) -> Option<Permission> {
    match state.account(&owner) {
        Some(account) => account.permission(owner, id),
        None if id == 0 => Some(Permission::default_owner(owner)),
        None if id == 2 => Some(Permission::default_active(owner)),
        None => None,
    }
}

fn weigh(permission: &Permission, tx: &Signed) -> Result<(i64, Vec<TronAddress>), String> {
    if tx.signatures.len() > permission.keys.len() {
        return Err(format!(
            "Signature count is {} more than key counts of permission : {}",
            tx.signatures.len(),
            permission.keys.len()
        ));
    }
    let mut weight = 0_i64;
    let mut signers = Vec::new();
    for signature in &tx.signatures {
        if !(65..=68).contains(&signature.len()) {
            return Err(format!("Signature size is {}", signature.len()));
        }
        let signer = recover_address(&tx.txid, &signature[..65]).map_err(|error| error.to_string())?;
        let Some(key) = permission.keys.iter().find(|key| key.address == signer) else {
            return Err(format!(
                "{} is signed by {signer} but it is not contained of permission.",
                hex::encode(signature)
            ));
        };
        if signers.contains(&signer) {
            return Err(format!("{signer} has signed twice!"));
        }
        weight = weight.saturating_add(key.weight);
        signers.push(signer);
    }
    Ok((weight, signers))
}
