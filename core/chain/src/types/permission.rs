//! Who may sign for an account, and what: as a node says it.

use std::fmt;

use crate::TronAddress;

/// Which kinds of contracts a permission allows: a bit for each, the lowest bit of the first byte for number 0.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Operations(pub [u8; 32]);

impl Operations {
    /// What an account's owner may do.
    pub const EVERYTHING: Self = Self([0xff; 32]);

    /// Whether contracts of this number are allowed.
    #[must_use]
    pub fn allow(&self, contract_type: u8) -> bool {
        let byte = self.0.get(usize::from(contract_type / 8));
        byte.is_some_and(|byte| byte & (1 << (contract_type % 8)) != 0)
    }
}

impl fmt::Display for Operations {
    /// 64 hex digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Operations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A key of a permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PermissionKey {
    /// Whose signature counts.
    pub address: TronAddress,
    /// How much.
    pub weight: i64,
}

/// Who may sign what for an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permission {
    /// 0 the owner's, 2 and up active ones.
    pub id: i32,
    /// What the account's owner calls it.
    pub name: String,
    /// Weight that signatures have to reach.
    pub threshold: i64,
    /// Who signs.
    pub keys: Vec<PermissionKey>,
    /// What may be signed.
    pub operations: Operations,
}

impl Permission {
    /// How much the signature of this key counts; 0 where it is not named.
    #[must_use]
    pub fn weight_of(&self, key: TronAddress) -> i64 {
        let named = self.keys.iter().find(|named| named.address == key);
        named.map_or(0, |named| named.weight)
    }
}

/// The permissions of an account. One that never changed its owner's may say nothing of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountPermissions {
    /// The owner's, if the node named it.
    pub owner: Option<Permission>,
    /// The active ones.
    pub actives: Vec<Permission>,
}

impl AccountPermissions {
    /// All of them; the owner's of an account that never changed it is that of its own key.
    #[must_use]
    pub fn all(&self, account: TronAddress) -> Vec<Permission> {
        let owner = self.owner.clone().unwrap_or_else(|| Permission {
            id: 0,
            name: "owner".to_owned(),
            threshold: 1,
            keys: vec![PermissionKey {
                address: account,
                weight: 1,
            }],
            operations: Operations::EVERYTHING,
        });
        [owner].into_iter().chain(self.actives.iter().cloned()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bits_are_those_of_the_protocol() {
        // {57, 58}: delegating and undelegating
        let mut map = [0; 32];
        map[7] = 0x06;
        let lending = Operations(map);
        assert_eq!(lending.to_string(), format!("0000000000000006{}", "0".repeat(48)));
        let allowed: Vec<u8> = (0..=255).filter(|number| lending.allow(*number)).collect();
        assert_eq!(allowed, [57, 58]);
        assert!((0..=255).all(|number| Operations::EVERYTHING.allow(number)));
    }

    #[test]
    fn an_account_that_never_said_who_owns_it_is_owned_by_its_key() {
        let [account, other] = [1, 2].map(|n| TronAddress::from_evm20([n; 20]));
        let owner = &AccountPermissions::default().all(account)[0];
        assert_eq!((owner.id, owner.threshold), (0, 1));
        assert_eq!([account, other].map(|key| owner.weight_of(key)), [1, 0]);
    }
}
