//! One account: balance, stake, lent and borrowed stake, usage, permissions.

use chain::TronAddress;

use super::Usage;

/// What stake buys. The number is the protocol's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Resource {
    /// Bandwidth, 0.
    Bandwidth = 0,
    /// Energy, 1.
    Energy = 1,
}

impl Resource {
    /// Both.
    pub(crate) const ALL: [Self; 2] = [Self::Bandwidth, Self::Energy];

    /// The resource of a protocol number; tron power and unknown ones are none of ours.
    pub(crate) const fn from_code(code: i32) -> Option<Self> {
        match code {
            0 => Some(Self::Bandwidth),
            1 => Some(Self::Energy),
            _ => None,
        }
    }

    /// Place in arrays.
    pub(crate) const fn index(self) -> usize {
        self as usize
    }

    /// The protocol's name.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Bandwidth => "BANDWIDTH",
            Self::Energy => "ENERGY",
        }
    }
}

/// Stake that is on its way back to the balance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unfreezing {
    /// What it was staked for.
    pub(crate) resource: Resource,
    /// Sun.
    pub(crate) sun: i64,
    /// From when on it can be withdrawn, milliseconds.
    pub(crate) expire_ms: i64,
}

/// One key of a permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key {
    /// Whose signature counts.
    pub(crate) address: TronAddress,
    /// How much it counts.
    pub(crate) weight: i64,
}

/// Who may sign for an account, and what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Permission {
    /// 0 owner, from 2 on active.
    pub(crate) id: i32,
    /// What its owner calls it.
    pub(crate) name: String,
    /// Weight needed.
    pub(crate) threshold: i64,
    /// Signers.
    pub(crate) keys: Vec<Key>,
    /// Bitmap of allowed contract types; owners have none.
    pub(crate) operations: Option<[u8; 32]>,
}

/// Bitmap that the network gives to the active permission of a new account.
const DEFAULT_OPERATIONS: [u8; 10] = [0x7f, 0xff, 0x1f, 0xc0, 0x03, 0x3e, 0xc3, 0x0f, 0, 0];

impl Permission {
    /// The owner permission of an account that never changed it.
    pub(crate) fn default_owner(address: TronAddress) -> Self {
        Self {
            id: 0,
            name: "owner".to_owned(),
            threshold: 1,
            keys: vec![Key { address, weight: 1 }],
            operations: None,
        }
    }

    /// The active permission of an account that never changed it.
    pub(crate) fn default_active(address: TronAddress) -> Self {
        let mut operations = [0; 32];
        operations[..DEFAULT_OPERATIONS.len()].copy_from_slice(&DEFAULT_OPERATIONS);
        Self {
            id: 2,
            name: "active".to_owned(),
            threshold: 1,
            keys: vec![Key { address, weight: 1 }],
            operations: Some(operations),
        }
    }

    /// Whether the bitmap allows a contract type; an owner may do everything.
    pub(crate) fn allows(&self, contract_type: i32) -> bool {
        let Some(operations) = &self.operations else {
            return true;
        };
        let Ok(bit) = usize::try_from(contract_type) else {
            return false;
        };
        operations.get(bit / 8).is_some_and(|byte| byte & (1 << (bit % 8)) != 0)
    }
}

/// One activated account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Account {
    /// Sun.
    pub(crate) balance: i64,
    /// When it was activated, milliseconds.
    pub(crate) created_ms: i64,
    /// Whether it is a contract.
    pub(crate) is_contract: bool,
    /// Own stake that is not lent, by resource.
    pub(crate) frozen: [i64; 2],
    /// Own stake lent to others.
    pub(crate) lent: [i64; 2],
    /// Others' stake lent to this account.
    pub(crate) borrowed: [i64; 2],
    /// Stake on its way back.
    pub(crate) unfreezing: Vec<Unfreezing>,
    /// Use of staked resources.
    pub(crate) usage: [Usage; 2],
    /// Use of the free bandwidth.
    pub(crate) free_usage: Usage,
    /// Last time it did something, milliseconds.
    pub(crate) latest_operation_ms: i64,
    /// Owner permission, if changed.
    pub(crate) owner_permission: Option<Permission>,
    /// Active permissions, if changed.
    pub(crate) active_permissions: Option<Vec<Permission>>,
}

impl Account {
    /// A new account with `balance` sun.
    pub(crate) fn new(balance: i64, created_ms: i64) -> Self {
        Self {
            balance,
            created_ms,
            is_contract: false,
            frozen: [0; 2],
            lent: [0; 2],
            borrowed: [0; 2],
            unfreezing: Vec::new(),
            usage: [Usage::default(); 2],
            free_usage: Usage::default(),
            latest_operation_ms: 0,
            owner_permission: None,
            active_permissions: None,
        }
    }

    /// Stake that works for this account: its own that is not lent, and what others lent to it.
    pub(crate) fn working_stake(&self, resource: Resource) -> i64 {
        let i = resource.index();
        self.frozen[i].saturating_add(self.borrowed[i])
    }

    /// Own stake, lent or not, in whole TRX: its weight in the market.
    pub(crate) fn weight(&self, resource: Resource) -> i64 {
        let i = resource.index();
        self.frozen[i].saturating_add(self.lent[i]) / 1_000_000
    }

    /// The permission with that id.
    pub(crate) fn permission(&self, address: TronAddress, id: i32) -> Option<Permission> {
        if id == 0 {
            return Some(
                self.owner_permission
                    .clone()
                    .unwrap_or_else(|| Permission::default_owner(address)),
            );
        }
        self.actives(address).into_iter().find(|permission| permission.id == id)
    }

    /// All active permissions.
    pub(crate) fn actives(&self, address: TronAddress) -> Vec<Permission> {
        self.active_permissions
            .clone()
            .unwrap_or_else(|| vec![Permission::default_active(address)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_active_permission_allows_delegation_but_not_permission_changes() {
        let permission = Permission::default_active(TronAddress::from_evm20([1; 20]));
        for allowed in [1, 31, 54, 55, 56, 57, 58, 59] {
            assert!(permission.allows(allowed), "{allowed}");
        }
        for refused in [46, 60, 255, 256, -1] {
            assert!(!permission.allows(refused), "{refused}");
        }
    }
}
