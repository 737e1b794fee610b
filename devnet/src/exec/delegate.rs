//! DelegateResource: lends stake. Texts and order as in the node's actuator.

use chain::TronAddress;
use tron::proto::DelegateResourceContract;

use super::{Exec, Refusal, invalid};
use crate::state::{Account, Market, Resource};

const TRX: i64 = 1_000_000;
const SLOT_MS: i64 = 3_000;
const DEFAULT_LOCK_BLOCKS: i64 = 86_400;
/// Bandwidth of a delegation that a node sets aside when it says how much bandwidth stake can be lent.
const DELEGATE_COST: i64 = 275;

/// Stake that can be lent now: own stake less what own usage (or inherited usage) keeps busy.
pub(crate) fn delegatable_sun(account: &Account, market: Market, resource: Resource, slot: i64, planning: bool) -> i64 {
    let i = resource.index();
    let reserve = if planning && resource == Resource::Bandwidth {
        DELEGATE_COST
    } else {
        0
    };
    let busy = market.busy_sun(resource, account.usage[i].at(slot) + reserve);
    account.frozen[i] - (busy - account.borrowed[i]).max(0)
}

impl Exec<'_> {
    /// Lends.
    pub(super) fn delegate(&mut self, contract: &DelegateResourceContract) -> Result<(), Refusal> {
        let (owner, receiver, resource) = self.delegation_is_valid(contract)?;
        let i = resource.index();
        let sun = contract.balance;
        self.unlock_expired(owner, receiver);
        let key = (owner, receiver, contract.lock);
        let mut record = self.state.delegation(&key).unwrap_or_default();
        record.sun[i] += sun;
        if contract.lock {
            record.expire_ms[i] = self.now_ms + lock_blocks(contract) * SLOT_MS;
        }
        self.state.put_delegation(key, record);
        let mut lender = self.existing(owner)?;
        lender.frozen[i] -= sun;
        lender.lent[i] += sun;
        self.state.put_account(owner, lender);
        let mut borrower = self.existing(receiver)?;
        borrower.borrowed[i] += sun;
        self.state.put_account(receiver, borrower);
        Ok(())
    }

    fn delegation_is_valid(
        &self,
        contract: &DelegateResourceContract,
    ) -> Result<(TronAddress, TronAddress, Resource), Refusal> {
        let owner = Self::address(&contract.owner_address, "Invalid address")?;
        let lender = self.existing(owner)?;
        if contract.balance < TRX {
            return invalid("delegateBalance must be greater than or equal to 1 TRX");
        }
        let Some(resource) = Resource::from_code(contract.resource) else {
            return invalid("ResourceCode error, valid ResourceCode[BANDWIDTH、ENERGY]");
        };
        if delegatable_sun(&lender, self.state.market(), resource, self.slot, false) < contract.balance {
            return invalid(match resource {
                Resource::Bandwidth => {
                    "delegateBalance must be less than or equal to available FreezeBandwidthV2 balance"
                }
                Resource::Energy => "delegateBalance must be less than or equal to available FreezeEnergyV2 balance",
            });
        }
        let receiver = Self::address(&contract.receiver_address, "Invalid receiverAddress")?;
        if receiver == owner {
            return invalid("receiverAddress must not be the same as ownerAddress");
        }
        let borrower = self.existing(receiver)?;
        if contract.lock {
            self.lock_is_valid(contract, owner, receiver, resource)?;
        }
        if borrower.is_contract {
            return invalid("Do not allow delegate resources to contract addresses");
        }
        Ok((owner, receiver, resource))
    }

    fn lock_is_valid(
        &self,
        contract: &DelegateResourceContract,
        owner: TronAddress,
        receiver: TronAddress,
        resource: Resource,
    ) -> Result<(), Refusal> {
        let blocks = lock_blocks(contract);
        let max = self.params.max_lock_period;
        if blocks < 0 || blocks > max {
            return invalid(format!(
                "The lock period of delegate resource cannot be less than 0 and cannot exceed {max}!"
            ));
        }
        let Some(locked) = self.state.delegation(&(owner, receiver, true)) else {
            return Ok(());
        };
        let remaining = locked.expire_ms[resource.index()] - self.now_ms;
        if blocks * SLOT_MS < remaining {
            let name = resource.name();
            return invalid(format!(
                "The lock period for {name} this time cannot be less than the remaining time[{remaining}ms] of the \
                 last lock period for {name}!"
            ));
        }
        Ok(())
    }

    /// Moves what is no longer locked to the unlocked record.
    pub(super) fn unlock_expired(&mut self, owner: TronAddress, receiver: TronAddress) {
        let Some(mut locked) = self.state.delegation(&(owner, receiver, true)) else {
            return;
        };
        if locked.expire_ms.iter().all(|expire| *expire >= self.now_ms) {
            return;
        }
        let mut open = self.state.delegation(&(owner, receiver, false)).unwrap_or_default();
        for i in Resource::ALL.map(Resource::index) {
            if locked.expire_ms[i] < self.now_ms {
                open.sun[i] += locked.sun[i];
                locked.sun[i] = 0;
                locked.expire_ms[i] = 0;
            }
        }
        self.state.put_delegation((owner, receiver, false), open);
        self.state.put_delegation((owner, receiver, true), locked);
    }
}

fn lock_blocks(contract: &DelegateResourceContract) -> i64 {
    if contract.lock_period == 0 {
        DEFAULT_LOCK_BLOCKS
    } else {
        contract.lock_period
    }
}
