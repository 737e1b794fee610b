//! AccountPermissionUpdateContract between its JSON and its protobuf form.

use serde_json::{Value, json};
use tron::proto::{AccountPermissionUpdateContract, Permission, PermissionKey};

use crate::fields::{Fields, show_address};

/// Reads the contract; what is missing stays missing, for the executor to say so.
pub(super) fn from_json(owner_address: Vec<u8>, f: Fields<'_>) -> Result<AccountPermissionUpdateContract, String> {
    let one = |name: &str| f.object(name).map(permission).transpose();
    let actives = f.objects("actives")?.into_iter().map(permission);
    Ok(AccountPermissionUpdateContract {
        owner_address,
        owner: one("owner")?,
        witness: one("witness")?,
        actives: actives.collect::<Result<_, _>>()?,
    })
}

fn permission(f: Fields<'_>) -> Result<Permission, String> {
    let number = |name: &str| i32::try_from(f.int(name)?).map_err(|_| name.to_owned());
    let kind = match f.text("type") {
        "" => number("type")?,
        "Owner" => 0,
        "Witness" => 1,
        "Active" => 2,
        _ => return Err("type".to_owned()),
    };
    let keys = f.objects("keys")?.into_iter().map(|key| {
        Ok(PermissionKey {
            address: key.address("address")?,
            weight: key.int("weight")?,
        })
    });
    Ok(Permission {
        kind,
        id: number("id")?,
        name: f.text("permission_name").to_owned(),
        threshold: f.int("threshold")?,
        parent_id: number("parent_id")?,
        operations: f.bytes("operations")?,
        keys: keys.collect::<Result<_, String>>()?,
    })
}

/// The contract's fields.
pub(super) fn to_json(c: &AccountPermissionUpdateContract, visible: bool) -> Value {
    let show = |permission: &Permission| shown(permission, visible);
    json!({
        "owner_address": show_address(&c.owner_address, visible),
        "owner": c.owner.as_ref().map(show),
        "witness": c.witness.as_ref().map(show),
        "actives": c.actives.iter().map(show).collect::<Vec<_>>(),
    })
}

fn shown(permission: &Permission, visible: bool) -> Value {
    json!({
        "type": match permission.kind { 0 => "", 1 => "Witness", 2 => "Active", _ => "UNRECOGNIZED" },
        "id": permission.id,
        "permission_name": permission.name,
        "threshold": permission.threshold,
        "parent_id": permission.parent_id,
        "operations": hex::encode(&permission.operations),
        "keys": permission.keys.iter()
            .map(|key| json!({"address": show_address(&key.address, visible), "weight": key.weight}))
            .collect::<Vec<_>>(),
    })
}
