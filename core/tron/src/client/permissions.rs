//! Who may sign for an account, out of its JSON. What a key can do is decided by this, so nothing that cannot be is believed.

use chain::endpoints::Unusable;
use chain::{AccountPermissions, Operations, Permission, PermissionKey, TronAddress};
use serde::Deserialize;

use super::json::{Account, wrong};

/// Active permissions of an account, and keys of one: the network allows 8 and 5.
const MAX_ROWS: usize = 32;
/// The network allows 32 bytes.
const MAX_NAME: usize = 64;

/// A permission. The owner's has no operations, since it allows everything.
#[derive(Deserialize)]
pub(super) struct PermissionRow {
    #[serde(default)]
    id: i32,
    #[serde(default)]
    permission_name: String,
    #[serde(default)]
    threshold: i64,
    operations: Option<String>,
    #[serde(default)]
    keys: Vec<KeyRow>,
}

#[derive(Deserialize)]
struct KeyRow {
    address: String,
    #[serde(default)]
    weight: i64,
}

/// Every permission of the account.
pub(super) fn of(account: &Account) -> Result<AccountPermissions, Unusable> {
    let rows = &account.active_permission;
    if rows.len() > MAX_ROWS {
        return Err(wrong(format!("{} active permissions", rows.len())));
    }
    let mut actives: Vec<Permission> = Vec::with_capacity(rows.len());
    for row in rows {
        let Some(operations) = &row.operations else {
            return Err(wrong("an active permission without operations"));
        };
        let mut bits = [0; 32];
        hex::decode_to_slice(operations, &mut bits).map_err(|_| wrong("operations that are not 64 hex digits"))?;
        if row.id < 2 || actives.iter().any(|known| known.id == row.id) {
            return Err(wrong(format!("an active permission with the id {}", row.id)));
        }
        actives.push(permission(row, Operations(bits))?);
    }
    let owner = account.owner_permission.as_ref();
    if owner.is_some_and(|row| row.id != 0) {
        return Err(wrong("an owner's permission with an id"));
    }
    Ok(AccountPermissions {
        owner: owner.map(|row| permission(row, Operations::EVERYTHING)).transpose()?,
        actives,
    })
}

fn permission(row: &PermissionRow, operations: Operations) -> Result<Permission, Unusable> {
    if row.threshold <= 0 || !(1..=MAX_ROWS).contains(&row.keys.len()) {
        return Err(wrong("a permission without threshold or keys"));
    }
    let mut keys: Vec<PermissionKey> = Vec::with_capacity(row.keys.len());
    for key in &row.keys {
        let address = TronAddress::from_hex(&key.address).map_err(|_| wrong("a key that is no address"))?;
        if key.weight <= 0 || keys.iter().any(|known| known.address == address) {
            return Err(wrong("a key without weight, or twice"));
        }
        keys.push(PermissionKey {
            address,
            weight: key.weight,
        });
    }
    let name = row.permission_name.chars().filter(|letter| !letter.is_control());
    Ok(Permission {
        id: row.id,
        name: name.take(MAX_NAME).collect(),
        threshold: row.threshold,
        keys,
        operations,
    })
}
