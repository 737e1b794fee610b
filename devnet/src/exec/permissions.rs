//! AccountPermissionUpdateContract: who may sign for an account, and what. Texts and order as in the node's actuator.

use chain::TronAddress;
use tron::proto::{AccountPermissionUpdateContract, Permission as Given};

use super::{Exec, Refusal, invalid};
use crate::state::{Key, Permission};

/// Keys of one permission.
const MAX_KEYS: usize = 5;
/// Active permissions of one account.
const MAX_ACTIVES: usize = 8;
const MAX_NAME: usize = 32;
const OWNER: i32 = 0;
const ACTIVE: i32 = 2;

/// Contract types that a permission may allow: those that the network knows, as `getAvailableContractType` says.
const AVAILABLE: [u8; 10] = [0x7f, 0xff, 0x1f, 0xc0, 0x03, 0x7e, 0xfb, 0x0f, 0, 0];

impl Exec<'_> {
    /// Replaces all permissions; returns the fee in sun.
    pub(super) fn update_permissions(&mut self, contract: &AccountPermissionUpdateContract) -> Result<i64, Refusal> {
        let address = Self::address(&contract.owner_address, "invalidate ownerAddress")?;
        let Some(mut account) = self.state.account(&address).cloned() else {
            return invalid("ownerAddress account does not exist");
        };
        let Some(owner) = &contract.owner else {
            return invalid("owner permission is missed");
        };
        if contract.witness.is_some() {
            return invalid("account isn't witness can't set witness permission");
        }
        if contract.actives.is_empty() {
            return invalid("active permission is missed");
        }
        if contract.actives.len() > MAX_ACTIVES {
            return invalid("active permission is too many");
        }
        if owner.kind != OWNER {
            return invalid("owner permission type is error");
        }
        let owner = checked(owner, 0)?;
        let mut actives = Vec::with_capacity(contract.actives.len());
        for (id, active) in (2..).zip(&contract.actives) {
            if active.kind != ACTIVE {
                return invalid("active permission type is error");
            }
            actives.push(checked(active, id)?);
        }
        let fee = self.params.update_permission_fee;
        if account.balance < fee {
            return Err(Refusal::Other(format!("{} insufficient balance", address.to_hex())));
        }
        account.balance -= fee;
        account.owner_permission = Some(owner);
        account.active_permissions = Some(actives);
        self.burn(fee);
        self.state.put_account(address, account);
        Ok(fee)
    }
}

fn checked(given: &Given, id: i32) -> Result<Permission, Refusal> {
    let name = match given.kind {
        OWNER => "Owner",
        _ => "Active",
    };
    if given.keys.len() > MAX_KEYS {
        return invalid(format!(
            "number of keys in permission should not be greater than {MAX_KEYS}"
        ));
    }
    if given.keys.is_empty() {
        return invalid("key's count should be greater than 0");
    }
    if given.threshold <= 0 {
        return invalid("permission's threshold should be greater than 0");
    }
    if given.name.len() > MAX_NAME {
        return invalid("permission's name is too long");
    }
    if given.parent_id != 0 {
        return invalid("permission's parent should be owner");
    }
    let mut keys: Vec<Key> = Vec::with_capacity(given.keys.len());
    let mut sum = 0_i64;
    for key in &given.keys {
        let Ok(address) = TronAddress::from_bytes(&key.address) else {
            return invalid("key is not a validate address");
        };
        if keys.iter().any(|known| known.address == address) {
            return invalid(format!("address should be distinct in permission {name}"));
        }
        if key.weight <= 0 {
            return invalid("key's weight should be greater than 0");
        }
        let Some(with) = sum.checked_add(key.weight) else {
            return invalid("long overflow");
        };
        sum = with;
        keys.push(Key {
            address,
            weight: key.weight,
        });
    }
    if sum < given.threshold {
        return invalid(format!(
            "sum of all key's weight should not be less than threshold in permission {name}"
        ));
    }
    Ok(Permission {
        id,
        name: given.name.clone(),
        threshold: given.threshold,
        keys,
        operations: operations(given, name)?,
    })
}

fn operations(given: &Given, name: &str) -> Result<Option<[u8; 32]>, Refusal> {
    if given.kind != ACTIVE {
        if !given.operations.is_empty() {
            return invalid(format!("{name} permission needn't operations"));
        }
        return Ok(None);
    }
    let Ok(operations) = <[u8; 32]>::try_from(given.operations.as_slice()) else {
        return invalid("operations size must 32");
    };
    for bit in 0..256_usize {
        let on = |map: &[u8]| map.get(bit / 8).is_some_and(|byte| byte & (1 << (bit % 8)) != 0);
        if on(&operations) && !on(&AVAILABLE) {
            return invalid(format!("{bit} isn't a validate ContractType"));
        }
    }
    Ok(Some(operations))
}
