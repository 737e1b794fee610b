//! UnDelegateResource: takes stake back, and with it the receiver's use of it. As in the node's actuator.

use chain::TronAddress;
use tron::proto::UnDelegateResourceContract;

use super::{Exec, Refusal, invalid};
use crate::state::{Resource, Usage, hand_back};

impl Exec<'_> {
    /// Takes back.
    pub(super) fn undelegate(&mut self, contract: &UnDelegateResourceContract) -> Result<(), Refusal> {
        let (owner, receiver, resource) = self.undelegation_is_valid(contract)?;
        let i = resource.index();
        let sun = contract.balance;
        let mut lender = self.existing_for_undo(owner)?;
        self.take_usage_back(receiver, resource, sun, &mut lender.usage[i]);
        self.unlock_expired(owner, receiver);
        let key = (owner, receiver, false);
        let mut record = self.state.delegation(&key).unwrap_or_default();
        record.sun[i] -= sun;
        self.state.put_delegation(key, record);
        lender.lent[i] -= sun;
        lender.frozen[i] += sun;
        self.state.put_account(owner, lender);
        Ok(())
    }

    /// The receiver's share of usage goes back with the stake; the receiver need not exist.
    fn take_usage_back(&mut self, receiver: TronAddress, resource: Resource, sun: i64, lender: &mut Usage) {
        let Some(mut borrower) = self.state.account(&receiver).cloned() else {
            return;
        };
        let i = resource.index();
        let working = borrower.working_stake(resource);
        let usage = &mut borrower.usage[i];
        usage.settle(self.slot);
        let mut moved = 0;
        if borrower.borrowed[i] < sun {
            borrower.borrowed[i] = 0;
        } else {
            moved = self.state.market().returned_units(resource, sun, usage.used, working);
            borrower.borrowed[i] -= sun;
        }
        hand_back(lender, usage, moved, self.slot);
        self.state.put_account(receiver, borrower);
    }

    fn undelegation_is_valid(
        &self,
        contract: &UnDelegateResourceContract,
    ) -> Result<(TronAddress, TronAddress, Resource), Refusal> {
        let owner = Self::address(&contract.owner_address, "Invalid address")?;
        self.existing_for_undo(owner)?;
        let receiver = Self::address(&contract.receiver_address, "Invalid receiverAddress")?;
        if receiver == owner {
            return invalid("receiverAddress must not be the same as ownerAddress");
        }
        let open = self.state.delegation(&(owner, receiver, false));
        let locked = self.state.delegation(&(owner, receiver, true));
        if open.is_none() && locked.is_none() {
            return invalid("delegated Resource does not exist");
        }
        let sun = contract.balance;
        if sun <= 0 {
            return invalid("unDelegateBalance must be more than 0 TRX");
        }
        let Some(resource) = Resource::from_code(contract.resource) else {
            return invalid("ResourceCode error.valid ResourceCode[BANDWIDTH、Energy]");
        };
        let i = resource.index();
        let unlocked = locked
            .filter(|record| record.expire_ms[i] < self.now_ms)
            .map_or(0, |record| record.sun[i]);
        let available = open.map_or(0, |record| record.sun[i]) + unlocked;
        if available < sun {
            return invalid(match resource {
                Resource::Bandwidth => {
                    format!("insufficient delegatedFrozenBalance(BANDWIDTH), request={sun}, unlock_balance={available}")
                }
                Resource::Energy => {
                    format!("insufficient delegateFrozenBalance(Energy), request={sun}, unlock_balance={available}")
                }
            });
        }
        Ok((owner, receiver, resource))
    }
}
