//! Stake 2.0: freeze, unfreeze, withdraw, cancel. Texts and order as in the node's actuators.

use tron::proto::{
    CancelAllUnfreezeV2Contract, FreezeBalanceV2Contract, UnfreezeBalanceV2Contract, WithdrawExpireUnfreezeContract,
};

use super::{Exec, Refusal, invalid};
use crate::state::{Account, Resource, Unfreezing};

/// Unfreezings that may be pending at once.
pub(crate) const UNFREEZE_MAX: usize = 32;
const TRX: i64 = 1_000_000;
const DAY_MS: i64 = 86_400_000;

impl Exec<'_> {
    /// Stakes.
    pub(super) fn freeze(&mut self, contract: &FreezeBalanceV2Contract) -> Result<(), Refusal> {
        let owner = Self::address(&contract.owner_address, "Invalid address")?;
        let mut account = self.existing(owner)?;
        let sun = contract.frozen_balance;
        if sun <= 0 {
            return invalid("frozenBalance must be positive");
        }
        if sun < TRX {
            return invalid("frozenBalance must be greater than or equal to 1 TRX");
        }
        if sun > account.balance {
            return invalid("frozenBalance must be less than or equal to accountBalance");
        }
        let Some(resource) = Resource::from_code(contract.resource) else {
            return invalid("ResourceCode error, valid ResourceCode[BANDWIDTH、ENERGY]");
        };
        account.balance -= sun;
        self.restake(&mut account, resource, sun);
        self.state.put_account(owner, account);
        Ok(())
    }

    /// Starts the way back; returns what an earlier one paid out meanwhile, in sun.
    pub(super) fn unfreeze(&mut self, contract: &UnfreezeBalanceV2Contract) -> Result<i64, Refusal> {
        let owner = Self::address(&contract.owner_address, "Invalid address")?;
        let mut account = self.existing_for_undo(owner)?;
        let Some(resource) = Resource::from_code(contract.resource) else {
            return invalid("ResourceCode error.valid ResourceCode[BANDWIDTH、Energy]");
        };
        let frozen = account.frozen[resource.index()];
        if frozen <= 0 {
            return invalid(match resource {
                Resource::Bandwidth => "no frozenBalance(BANDWIDTH)",
                Resource::Energy => "no frozenBalance(Energy)",
            });
        }
        let sun = contract.unfreeze_balance;
        if sun <= 0 || sun > frozen {
            return invalid(format!("Invalid unfreeze_balance, [{sun}] is error"));
        }
        let pending = account
            .unfreezing
            .iter()
            .filter(|entry| entry.expire_ms > self.now_ms)
            .count();
        if pending >= UNFREEZE_MAX {
            return invalid("Invalid unfreeze operation, unfreezing times is over limit");
        }
        let paid = pay_out(&mut account, self.now_ms);
        let expire_ms = self.now_ms + self.params.unfreeze_delay_days * DAY_MS;
        account.unfreezing.push(Unfreezing {
            resource,
            sun,
            expire_ms,
        });
        self.restake(&mut account, resource, -sun);
        self.state.put_account(owner, account);
        Ok(paid)
    }

    /// Pays out what has waited long enough; returns it in sun.
    pub(super) fn withdraw(&mut self, contract: &WithdrawExpireUnfreezeContract) -> Result<i64, Refusal> {
        let owner = Self::address(&contract.owner_address, "Invalid address")?;
        let mut account = self.existing(owner)?;
        let paid = pay_out(&mut account, self.now_ms);
        if paid <= 0 {
            return invalid("no unFreeze balance to withdraw ");
        }
        self.state.put_account(owner, account);
        Ok(paid)
    }

    /// Stakes again what was on its way back; returns what was paid out instead, and what was staked again.
    pub(super) fn cancel_all(&mut self, contract: &CancelAllUnfreezeV2Contract) -> Result<(i64, [i64; 2]), Refusal> {
        let owner = Self::address(&contract.owner_address, "Invalid address")?;
        let mut account = self.existing(owner)?;
        if account.unfreezing.is_empty() {
            return invalid("No unfreezeV2 list to cancel");
        }
        let paid = pay_out(&mut account, self.now_ms);
        let mut restaked = [0_i64; 2];
        for entry in std::mem::take(&mut account.unfreezing) {
            restaked[entry.resource.index()] += entry.sun;
            self.restake(&mut account, entry.resource, entry.sun);
        }
        self.state.put_account(owner, account);
        Ok((paid, restaked))
    }

    /// Changes own stake and with it the network's weight.
    pub(crate) fn restake(&mut self, account: &mut Account, resource: Resource, by: i64) {
        let before = account.weight(resource);
        account.frozen[resource.index()] += by;
        let mut market = self.state.market();
        market.weight[resource.index()] += account.weight(resource) - before;
        self.state.put_market(market);
    }
}

fn pay_out(account: &mut Account, now_ms: i64) -> i64 {
    let due = account
        .unfreezing
        .iter()
        .filter(|entry| entry.expire_ms <= now_ms)
        .map(|entry| entry.sun)
        .sum();
    account.unfreezing.retain(|entry| entry.expire_ms > now_ms);
    account.balance = account.balance.saturating_add(due);
    due
}
