//! What a transaction pays before it does anything: bandwidth, several signatures, a memo. The node's
//! `BandwidthProcessor`: staked bandwidth, else free bandwidth, else burned TRX, never a mix.

use chain::TronAddress;

use super::{Exec, Refusal};
use crate::state::{Account, Resource};
use crate::wire::{Op, Signed};

/// What one transaction cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Bill {
    /// Everything burned, sun.
    pub(crate) fee: i64,
    /// Bandwidth used.
    pub(crate) net_usage: i64,
    /// Sun burned for bandwidth.
    pub(crate) net_fee: i64,
    /// Energy from stake.
    pub(crate) energy_usage: i64,
    /// Sun burned for energy.
    pub(crate) energy_fee: i64,
    /// All energy.
    pub(crate) energy_total: i64,
    /// Part of it that is the contract's penalty.
    pub(crate) energy_penalty: i64,
}

impl Exec<'_> {
    /// Charges everything that is due before execution.
    pub(super) fn charge(&mut self, tx: &Signed) -> Result<Bill, Refusal> {
        let owner = Self::address(tx.owner(), "Invalid address")?;
        let mut account = self
            .state
            .account(&owner)
            .cloned()
            .ok_or_else(|| Refusal::Validate(format!("account [{owner}] does not exist")))?;
        let mut bill = self.bandwidth(tx, &mut account)?;
        if tx.signatures.len() > 1 {
            pay(&mut account, self.params.multi_sign_fee)?;
            bill.fee += self.params.multi_sign_fee;
        }
        if !tx.memo.is_empty() {
            pay(&mut account, self.params.memo_fee)?;
            bill.fee += self.params.memo_fee;
        }
        account.latest_operation_ms = self.now_ms;
        self.burn(bill.fee);
        self.state.put_account(owner, account);
        Ok(bill)
    }

    fn bandwidth(&self, tx: &Signed, account: &mut Account) -> Result<Bill, Refusal> {
        let bytes = tx.bandwidth();
        let net = &mut account.usage[Resource::Bandwidth.index()];
        let limit = self.state.market().units(
            Resource::Bandwidth,
            account.frozen[0].saturating_add(account.borrowed[0]),
        );
        if bytes <= limit - net.at(self.slot) {
            net.add(bytes, self.slot);
            return Ok(Bill {
                net_usage: bytes,
                ..Bill::default()
            });
        }
        let activates = matches!(&tx.op, Op::Transfer(c) if self.is_new(&c.to_address));
        if activates {
            pay(account, self.params.create_account_fee)?;
            return Ok(Bill {
                fee: self.params.create_account_fee,
                net_fee: self.params.create_account_fee,
                ..Bill::default()
            });
        }
        if bytes <= self.params.free_net_limit - account.free_usage.at(self.slot) {
            account.free_usage.add_free(bytes, self.slot);
            return Ok(Bill {
                net_usage: bytes,
                ..Bill::default()
            });
        }
        let fee = bytes * self.params.transaction_fee;
        pay(account, fee)?;
        Ok(Bill {
            fee,
            net_fee: fee,
            ..Bill::default()
        })
    }

    fn is_new(&self, address: &[u8]) -> bool {
        TronAddress::from_bytes(address).is_ok_and(|address| self.state.account(&address).is_none())
    }

    /// Adds to what was burned.
    pub(super) fn burn(&mut self, sun: i64) {
        if sun > 0 {
            let mut market = self.state.market();
            market.burned_sun = market.burned_sun.saturating_add(sun);
            self.state.put_market(market);
        }
    }
}

fn pay(account: &mut Account, sun: i64) -> Result<(), Refusal> {
    if account.balance < sun {
        return Err(Refusal::Resources);
    }
    account.balance -= sun;
    Ok(())
}
