//! TransferContract: TRX from one account to another, activating the receiver where needed.

use tron::proto::TransferContract;

use super::{Exec, Refusal, invalid};
use crate::state::Account;

impl Exec<'_> {
    /// Moves the amount; returns the activation fee in sun.
    pub(super) fn transfer(&mut self, contract: &TransferContract) -> Result<i64, Refusal> {
        let owner = Self::address(&contract.owner_address, "Invalid ownerAddress!")?;
        let to = Self::address(&contract.to_address, "Invalid toAddress!")?;
        if owner == to {
            return invalid("Cannot transfer TRX to yourself.");
        }
        let Some(mut from) = self.state.account(&owner).cloned() else {
            return invalid("Validate TransferContract error, no OwnerAccount.");
        };
        let amount = contract.amount;
        if amount <= 0 {
            return invalid("Amount must be greater than 0.");
        }
        let receiver = self.state.account(&to).cloned();
        if receiver.as_ref().is_some_and(|account| account.is_contract) {
            return invalid("Cannot transfer TRX to a smartContract.");
        }
        let fee = if receiver.is_some() {
            0
        } else {
            self.params.new_account_fee
        };
        let Some(total) = amount.checked_add(fee) else {
            return invalid("long overflow");
        };
        if from.balance < total {
            return invalid("Validate TransferContract error, balance is not sufficient.");
        }
        let mut receiver = receiver.unwrap_or_else(|| Account::new(0, self.now_ms));
        let Some(balance) = receiver.balance.checked_add(amount) else {
            return invalid("long overflow");
        };
        from.balance -= total;
        receiver.balance = balance;
        self.burn(fee);
        self.state.put_account(owner, from);
        self.state.put_account(to, receiver);
        Ok(fee)
    }
}
