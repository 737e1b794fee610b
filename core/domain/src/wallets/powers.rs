//! What a wallet's key can do by its account's permissions, and whether that is enough and not too much for what the wallet is
//! for. Pure: the numbers are those of the protocol's `ContractType`.

use chain::{AccountPermissions, Permission, TronAddress};
use db::models::WalletPurpose;

/// The kinds of contracts that are named, with their numbers, and whether they move coin or tokens away, spend them, or let
/// somebody do so. What is not named here can neither be needed nor do harm of this kind.
const POWERS: [(&str, &[u8], bool); 17] = [
    ("delegate", &[57], false),
    ("undelegate", &[58], false),
    ("freeze", &[54], false),
    ("unfreeze", &[55], false),
    ("withdraw_unfrozen", &[56], false),
    ("cancel_unfreezing", &[59], false),
    ("vote", &[4], false),
    ("withdraw_rewards", &[13], false),
    ("transfer_trx", &[1], true),
    ("transfer_trc10", &[2], true),
    ("call_contracts", &[31], true),
    ("create_contracts", &[30], true),
    ("change_permissions", &[46], true),
    ("trade_tokens", &[9, 41, 42, 43, 44, 52], true),
    ("issue_tokens", &[6], true),
    ("become_witness", &[5], true),
    ("shielded_transfer", &[51], true),
];

/// What a wallet signs for its purpose.
const fn needed(purpose: WalletPurpose) -> &'static [&'static str] {
    match purpose {
        WalletPurpose::Supply => &["delegate", "undelegate"],
        WalletPurpose::Treasury => &["transfer_trx", "call_contracts"],
        WalletPurpose::Deposit => &[],
    }
}

/// Why a key cannot sign for what its wallet is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Problem {
    /// The account has no permission of this id.
    NoSuchPermission,
    /// The permission does not name the key.
    KeyNotNamed,
    /// The key's weight does not reach the threshold.
    TooLight,
    /// The permission does not allow what the wallet is for.
    NotAllowed,
}

impl Problem {
    /// The stored word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::NoSuchPermission => "no_such_permission",
            Self::KeyNotNamed => "key_not_named",
            Self::TooLight => "weight_below_threshold",
            Self::NotAllowed => "operations_missing",
        }
    }
}

/// What a key can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPowers {
    /// The permission that it signs by, as the chain says it; `None`: there is none.
    pub permission: Option<Permission>,
    /// The key's weight in it; 0 where it is not named.
    pub weight: i64,
    /// Whether its signature is enough.
    pub signs_alone: bool,
    /// What that permission allows.
    pub can: Vec<&'static str>,
    /// What the wallet's purpose needs and it does not allow.
    pub lacks: Vec<&'static str>,
    /// What the key alone may do with coin and tokens, by whichever permission of the account.
    pub moves_money: Vec<&'static str>,
    /// Of that, what the wallet's purpose does not need.
    pub beyond: Vec<&'static str>,
}

impl KeyPowers {
    /// Why it cannot sign for what the wallet is for, if so.
    #[must_use]
    pub const fn problem(&self) -> Option<Problem> {
        if self.permission.is_none() {
            Some(Problem::NoSuchPermission)
        } else if self.weight == 0 {
            Some(Problem::KeyNotNamed)
        } else if !self.signs_alone {
            Some(Problem::TooLight)
        } else if !self.lacks.is_empty() {
            Some(Problem::NotAllowed)
        } else {
            None
        }
    }
}

/// What `key` can do for `account` by the permission that it signs by, held against the wallet's purpose.
#[must_use]
pub fn judge(
    permissions: &AccountPermissions,
    (account, key): (TronAddress, TronAddress),
    permission_id: i32,
    purpose: WalletPurpose,
) -> KeyPowers {
    let all = permissions.all(account);
    let mut moves_money: Vec<&'static str> = Vec::new();
    for permission in all.iter().filter(|permission| signs_alone(permission, key)) {
        for (word, _, _) in allowed(permission).filter(|(_, _, moves)| *moves) {
            if !moves_money.contains(&word) {
                moves_money.push(word);
            }
        }
    }
    let own = all.into_iter().find(|permission| permission.id == permission_id);
    let can: Vec<&'static str> = own
        .iter()
        .flat_map(|own| allowed(own).map(|(word, _, _)| word))
        .collect();
    let without = |words: &[&'static str], of: &[&'static str]| -> Vec<&'static str> {
        of.iter().copied().filter(|word| !words.contains(word)).collect()
    };
    let needed = needed(purpose);
    KeyPowers {
        weight: own.as_ref().map_or(0, |own| own.weight_of(key)),
        signs_alone: own.as_ref().is_some_and(|own| signs_alone(own, key)),
        lacks: without(&can, needed),
        beyond: without(needed, &moves_money),
        can,
        moves_money,
        permission: own,
    }
}

fn signs_alone(permission: &Permission, key: TronAddress) -> bool {
    let weight = permission.weight_of(key);
    weight > 0 && weight >= permission.threshold
}

/// The powers of which a permission allows at least one kind of contract.
fn allowed(permission: &Permission) -> impl Iterator<Item = (&'static str, &'static [u8], bool)> {
    let operations = permission.operations;
    let is_allowed =
        move |(_, numbers, _): &(&str, &[u8], bool)| numbers.iter().any(|number| operations.allow(*number));
    POWERS.into_iter().filter(is_allowed)
}

#[cfg(test)]
mod tests;
