//! What the admin does to accounts. Each is part of a block, and is done again when a fork replaces that block.

use chain::TronAddress;

use crate::error::DevnetError;
use crate::exec::Exec;
use crate::state::{Account, Key, Permission, Resource};

/// One act of the admin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum AdminOp {
    /// Sun out of nothing.
    Credit { address: TronAddress, sun: i64 },
    /// Micro-USDT out of nothing.
    Mint { address: TronAddress, micro: u128 },
    /// Stake out of nothing.
    Stake {
        address: TronAddress,
        resource: Resource,
        sun: i64,
    },
    /// Other active permissions.
    Actives {
        address: TronAddress,
        actives: Vec<Permission>,
    },
}

/// An active permission as the admin gives it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActivePermission {
    /// From 2 on.
    pub id: i32,
    /// Bitmap of allowed contract types, 64 hex digits.
    pub operations: String,
    /// Who may sign, one weight each.
    pub keys: Vec<TronAddress>,
    /// Signatures needed.
    pub threshold: i64,
}

impl ActivePermission {
    /// Checks bounds and decodes the bitmap.
    pub(crate) fn check(&self) -> Result<Permission, DevnetError> {
        let mut operations = [0; 32];
        hex::decode_to_slice(&self.operations, &mut operations)
            .map_err(|_| DevnetError::Invalid("operations: expected 64 hex digits".to_owned()))?;
        let keys: Vec<Key> = self
            .keys
            .iter()
            .map(|address| Key {
                address: *address,
                weight: 1,
            })
            .collect();
        let reachable = self.threshold >= 1 && self.threshold <= crate::wire::to_i64(keys.len());
        if self.id < 2 || keys.len() > 5 || !reachable {
            return Err(DevnetError::Invalid(
                "a permission has an id from 2 on, and 1 to 5 keys that reach its threshold".to_owned(),
            ));
        }
        Ok(Permission {
            id: self.id,
            name: "active".to_owned(),
            threshold: self.threshold,
            keys,
            operations: Some(operations),
        })
    }
}

impl Exec<'_> {
    /// Does what the admin asked. Amounts were checked; sums saturate.
    pub(super) fn apply(&mut self, op: &AdminOp) {
        match op {
            AdminOp::Credit { address, sun } => {
                let mut account = self.account_or_new(*address);
                account.balance = account.balance.saturating_add(*sun);
                self.state.put_account(*address, account);
            }
            AdminOp::Mint { address, micro } => {
                let held = self.state.usdt(crate::state::View::Head, address);
                self.state.put_usdt(*address, held.saturating_add(*micro));
                let mut market = self.state.market();
                market.usdt_supply = market.usdt_supply.saturating_add(*micro);
                self.state.put_market(market);
            }
            AdminOp::Stake { address, resource, sun } => {
                let mut account = self.account_or_new(*address);
                self.restake(&mut account, *resource, *sun);
                self.state.put_account(*address, account);
            }
            AdminOp::Actives { address, actives } => {
                let mut account = self.account_or_new(*address);
                account.active_permissions = Some(actives.clone());
                self.state.put_account(*address, account);
            }
        }
    }

    fn account_or_new(&self, address: TronAddress) -> Account {
        self.state
            .account(&address)
            .cloned()
            .unwrap_or_else(|| Account::new(0, self.now_ms))
    }
}
