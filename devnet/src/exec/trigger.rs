//! TriggerSmartContract: calls of the contracts that exist here, the TRC20 USDT and the forwarder. Energy and its payment.
//!
//! There is no virtual machine: calls are recognised by selector and cost what they were measured to cost on mainnet.

use chain::TronAddress;
use tron::proto::TriggerSmartContract;

use super::{Bill, Exec, Log, Refusal, invalid};
use crate::forwarder;
use crate::state::{Account, Resource, View};
use crate::usdt::{self, Method};

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// It did what it says.
    Success,
    /// The contract refused.
    Revert,
    /// The budget was too small; all of it is gone.
    OutOfEnergy,
}

impl Ended {
    /// The protocol's name.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Success => "SUCCESS",
            Self::Revert => "REVERT",
            Self::OutOfEnergy => "OUT_OF_ENERGY",
        }
    }

    /// The message of a failed receipt.
    pub(crate) const fn message(self) -> &'static str {
        match self {
            Self::Success => "",
            Self::Revert => "REVERT opcode executed",
            Self::OutOfEnergy => "Not enough energy for 'SSTORE' operation executing",
        }
    }
}

/// The result of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Call {
    /// How it ended.
    pub(crate) ended: Ended,
    /// What it returned.
    pub(crate) output: Vec<u8>,
    /// What it logged.
    pub(crate) logs: Vec<Log>,
    /// Whom it sent TRX on to, and how much.
    pub(crate) sent_on: Option<(TronAddress, i64)>,
    /// The contract called.
    pub(crate) contract: TronAddress,
    /// Energy used.
    pub(crate) energy: i64,
    /// Part of it that is penalty.
    pub(crate) penalty: i64,
}

impl Exec<'_> {
    /// Calls, and pays for the energy.
    pub(super) fn trigger(
        &mut self,
        contract: &TriggerSmartContract,
        fee_limit: i64,
        bill: &mut Bill,
    ) -> Result<Call, Refusal> {
        let owner = Self::address(&contract.owner_address, "Invalid address")?;
        let address = Self::address(&contract.contract_address, "No contract or not a smart contract")?;
        if ![self.params.usdt, forwarder::address()].contains(&address) {
            return invalid("No contract or not a smart contract");
        }
        let max = self.params.max_fee_limit;
        if fee_limit < 0 || fee_limit > max {
            return invalid(format!("feeLimit must be >= 0 and <= {max}"));
        }
        if contract.call_value < 0 {
            return invalid("callValue must be >= 0");
        }
        let mut caller = self.existing(owner)?;
        if caller.balance < contract.call_value {
            return invalid("Validate InternalTransfer error, balance is not sufficient.");
        }
        let price = self.params.energy_fee;
        let stake = caller.working_stake(Resource::Energy);
        let usage = &mut caller.usage[Resource::Energy.index()];
        let left = (self.state.market().units(Resource::Energy, stake) - usage.at(self.slot)).max(0);
        let budget = (left + (caller.balance - contract.call_value) / price).min(fee_limit / price);

        self.state.open();
        let mut call = if address == self.params.usdt {
            self.call_usdt(View::Head, owner, contract)
        } else {
            self.call_forwarder(contract)
        };
        if call.energy > budget {
            call = Call {
                ended: Ended::OutOfEnergy,
                output: Vec::new(),
                logs: Vec::new(),
                sent_on: None,
                energy: budget,
                ..call
            };
            call.penalty = call.penalty.min(budget);
        }
        if call.ended == Ended::Success {
            self.state.merge();
        } else {
            self.state.undo();
        }
        let from_stake = call.energy.min(left);
        usage.add(from_stake, self.slot);
        let burned = (call.energy - from_stake) * price;
        caller.balance -= burned + call.sent_on.map_or(0, |(_, sun)| sun);
        self.burn(burned);
        self.state.put_account(owner, caller);
        bill.fee += burned;
        bill.energy_usage = from_stake;
        bill.energy_fee = burned;
        bill.energy_total = call.energy;
        bill.energy_penalty = call.penalty;
        Ok(call)
    }

    /// The token's code.
    fn call_usdt(&mut self, view: View, caller: TronAddress, contract: &TriggerSmartContract) -> Call {
        let token = self.params.usdt;
        let method = if contract.call_value == 0 {
            Method::decode(&contract.data)
        } else {
            None
        };
        let cost = usdt::cost(method.as_ref(), |address| self.state.usdt(View::Head, &address) > 0);
        let call = |ended, output, logs| Call {
            ended,
            output,
            logs,
            sent_on: None,
            contract: token,
            energy: cost.energy,
            penalty: cost.penalty,
        };
        let revert = || call(Ended::Revert, Vec::new(), Vec::new());
        match method {
            None => revert(),
            Some(Method::Transfer { to, amount }) => match self.move_usdt(caller, to, amount) {
                // The real contract's outer function lacks a return: success answers zero.
                Some(log) => call(Ended::Success, vec![0; 32], vec![log]),
                None => revert(),
            },
            Some(Method::TransferFrom { from, to, amount }) => {
                let allowed = self.state.allowance(from, caller);
                let Some(log) = (allowed >= amount).then(|| self.move_usdt(from, to, amount)).flatten() else {
                    return revert();
                };
                if allowed != u128::MAX {
                    self.state.put_allowance(from, caller, allowed - amount);
                }
                call(Ended::Success, usdt::word(1).to_vec(), vec![log])
            }
            Some(Method::Approve { spender, amount }) => {
                if amount != 0 && self.state.allowance(caller, spender) != 0 {
                    return revert();
                }
                self.state.put_allowance(caller, spender, amount);
                let log = usdt::approval(token, caller, spender, amount);
                call(Ended::Success, Vec::new(), vec![log])
            }
            Some(question) => call(Ended::Success, self.answer(view, &question), Vec::new()),
        }
    }

    /// The forwarder's code. The caller's own money is not his any more when it gets here, so it cannot be sent back to him.
    fn call_forwarder(&mut self, contract: &TriggerSmartContract) -> Call {
        let call = |ended, sent_on, energy| Call {
            ended,
            output: Vec::new(),
            logs: Vec::new(),
            sent_on,
            contract: forwarder::address(),
            energy,
            penalty: 0,
        };
        let revert = call(Ended::Revert, None, forwarder::ENERGY);
        let sun = contract.call_value;
        let to = forwarder::decode(&contract.data).filter(|to| to.as_bytes() != contract.owner_address.as_slice());
        let Some(to) = to.filter(|_| sun > 0) else {
            return revert;
        };
        let known = self.state.account(&to).cloned();
        let energy = forwarder::ENERGY
            + if known.is_some() {
                0
            } else {
                forwarder::NEW_ACCOUNT_ENERGY
            };
        let mut receiver = known.unwrap_or_else(|| Account::new(0, self.now_ms));
        let Some(balance) = receiver.balance.checked_add(sun) else {
            return revert;
        };
        receiver.balance = balance;
        self.state.put_account(to, receiver);
        call(Ended::Success, Some((to, sun)), energy)
    }

    fn answer(&self, view: View, method: &Method) -> Vec<u8> {
        match method {
            Method::BalanceOf(address) => usdt::word(self.state.usdt(view, address)).to_vec(),
            Method::Allowance(owner, spender) => usdt::word(self.state.allowance(*owner, *spender)).to_vec(),
            Method::Decimals => usdt::word(6).to_vec(),
            Method::TotalSupply => usdt::word(self.state.usdt_supply()).to_vec(),
            Method::Name => usdt::text("Tether USD"),
            Method::Symbol => usdt::text("USDT"),
            Method::Transfer { .. } | Method::TransferFrom { .. } | Method::Approve { .. } => Vec::new(),
        }
    }

    fn move_usdt(&mut self, from: TronAddress, to: TronAddress, amount: u128) -> Option<Log> {
        let left = self.state.usdt(View::Head, &from).checked_sub(amount)?;
        self.state.put_usdt(from, left);
        let held = self.state.usdt(View::Head, &to).checked_add(amount)?;
        self.state.put_usdt(to, held);
        Some(usdt::transfer(self.params.usdt, from, to, amount))
    }
}

/// What a call would do now, without doing it or paying for it. Balances are read in `view`; whether a transfer would
/// succeed is judged on the newest state in both.
pub(crate) fn simulate(exec: &mut Exec<'_>, view: View, contract: &TriggerSmartContract) -> Result<Call, String> {
    let address = TronAddress::from_bytes(&contract.contract_address).map_err(|_| "Smart contract is not exist.")?;
    if address != exec.params.usdt {
        return Err("Smart contract is not exist.".to_owned());
    }
    let caller = TronAddress::from_bytes(&contract.owner_address).map_err(|_| "Invalid address")?;
    exec.state.open();
    let call = exec.call_usdt(view, caller, contract);
    exec.state.undo();
    Ok(call)
}
