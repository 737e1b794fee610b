//! What a transaction does to the state, by the node's rules. Owns rules; must not know of HTTP, pools or blocks.

mod delegate;
mod fees;
mod permissions;
mod signature;
mod stake;
mod transfer;
mod trigger;
mod undelegate;

use chain::TronAddress;

pub(crate) use delegate::delegatable_sun;
pub(crate) use fees::Bill;
pub(crate) use signature::{check_signatures, sign_weight};
pub(crate) use stake::UNFREEZE_MAX;
pub(crate) use trigger::{Call, Ended, simulate};

use crate::params::Params;
use crate::state::{Account, State};
use crate::wire::{Op, Signed};

/// Why the network refuses a transaction, with the node's own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// SIGERROR.
    Signature(String),
    /// CONTRACT_VALIDATE_ERROR.
    Validate(String),
    /// BANDWITH_ERROR.
    Resources,
    /// DUP_TRANSACTION_ERROR.
    Duplicate,
    /// TAPOS_ERROR.
    Tapos,
    /// TOO_BIG_TRANSACTION_ERROR.
    TooBig(String),
    /// TRANSACTION_EXPIRATION_ERROR.
    Expired,
    /// SERVER_BUSY.
    Busy,
    /// BLOCK_UNSOLIDIFIED.
    Unsolidified,
    /// OTHER_ERROR.
    Other(String),
}

impl Refusal {
    /// The response code's name.
    pub(crate) const fn code(&self) -> &'static str {
        match self {
            Self::Signature(_) => "SIGERROR",
            Self::Validate(_) => "CONTRACT_VALIDATE_ERROR",
            Self::Resources => "BANDWITH_ERROR",
            Self::Duplicate => "DUP_TRANSACTION_ERROR",
            Self::Tapos => "TAPOS_ERROR",
            Self::TooBig(_) => "TOO_BIG_TRANSACTION_ERROR",
            Self::Expired => "TRANSACTION_EXPIRATION_ERROR",
            Self::Busy => "SERVER_BUSY",
            Self::Unsolidified => "BLOCK_UNSOLIDIFIED",
            Self::Other(_) => "OTHER_ERROR",
        }
    }

    /// The message a node sends with it.
    pub(crate) fn message(&self) -> String {
        match self {
            Self::Signature(text) => format!("Validate signature error: {text}"),
            Self::Validate(text) => format!("Contract validate error : {text}"),
            Self::Resources => "Account resource insufficient error.".to_owned(),
            Self::Duplicate => "Dup transaction.".to_owned(),
            Self::Tapos => "Tapos check error.".to_owned(),
            Self::TooBig(text) => text.clone(),
            Self::Expired => "Transaction expired".to_owned(),
            Self::Busy => "Server busy.".to_owned(),
            Self::Unsolidified => "Block unsolidified.".to_owned(),
            Self::Other(text) => format!("Error: {text}"),
        }
    }
}

/// A validation error with the actuator's text.
pub(crate) fn invalid<T>(text: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal::Validate(text.into()))
}

/// An event of a contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Log {
    /// The contract.
    pub(crate) address: TronAddress,
    /// Signature and indexed arguments.
    pub(crate) topics: Vec<[u8; 32]>,
    /// The other arguments.
    pub(crate) data: Vec<u8>,
}

/// What an included transaction did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// What it cost.
    pub(crate) bill: Bill,
    /// How the contract call ended; `None` for anything that is not a call.
    pub(crate) call: Option<Call>,
    /// Stake paid out on the way.
    pub(crate) withdraw_expire_amount: i64,
    /// Stake put back by a cancellation, by resource.
    pub(crate) cancelled: Option<[i64; 2]>,
}

/// The state with what time it is and what things cost.
pub(crate) struct Exec<'a> {
    /// The tables.
    pub(crate) state: &'a mut State,
    /// Prices and limits.
    pub(crate) params: &'a Params,
    /// Timestamp of the newest block, milliseconds.
    pub(crate) now_ms: i64,
    /// Its slot.
    pub(crate) slot: i64,
}

impl Exec<'_> {
    /// Charges and executes. On `Err` the caller must take the layer back.
    pub(crate) fn run(&mut self, tx: &Signed) -> Result<Outcome, Refusal> {
        let mut outcome = Outcome {
            bill: self.charge(tx)?,
            ..Outcome::default()
        };
        self.act(&tx.op, tx.fee_limit, &mut outcome)?;
        Ok(outcome)
    }

    /// Executes one operation without charging bandwidth for it. On `Err` the caller must take the layer back.
    pub(crate) fn act(&mut self, op: &Op, fee_limit: i64, outcome: &mut Outcome) -> Result<(), Refusal> {
        match op {
            Op::Transfer(contract) => outcome.bill.fee += self.transfer(contract)?,
            Op::Freeze(contract) => self.freeze(contract)?,
            Op::Unfreeze(contract) => outcome.withdraw_expire_amount = self.unfreeze(contract)?,
            Op::Withdraw(contract) => outcome.withdraw_expire_amount = self.withdraw(contract)?,
            Op::CancelAll(contract) => {
                let (withdrawn, cancelled) = self.cancel_all(contract)?;
                outcome.withdraw_expire_amount = withdrawn;
                outcome.cancelled = Some(cancelled);
            }
            Op::Delegate(contract) => self.delegate(contract)?,
            Op::Undelegate(contract) => self.undelegate(contract)?,
            Op::Permissions(contract) => outcome.bill.fee += self.update_permissions(contract)?,
            Op::Trigger(contract) => {
                outcome.call = Some(self.trigger(contract, fee_limit, &mut outcome.bill)?);
            }
        }
        Ok(())
    }

    /// The address, if its bytes are one.
    fn address(bytes: &[u8], otherwise: &str) -> Result<TronAddress, Refusal> {
        TronAddress::from_bytes(bytes).or_else(|_| invalid(otherwise))
    }

    /// The account, or the actuators' usual text that ends in ` not exists`.
    fn existing(&self, address: TronAddress) -> Result<Account, Refusal> {
        let missing = || Refusal::Validate(format!("Account[{}] not exists", address.to_hex()));
        self.state.account(&address).cloned().ok_or_else(missing)
    }

    /// The account, or the text of the actuators that undo.
    fn existing_for_undo(&self, address: TronAddress) -> Result<Account, Refusal> {
        let missing = || Refusal::Validate(format!("Account[{}] does not exist", address.to_hex()));
        self.state.account(&address).cloned().ok_or_else(missing)
    }
}
