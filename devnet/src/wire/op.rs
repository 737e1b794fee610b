//! The contracts that transactions carry, between bytes, JSON and what the executors take.

mod permissions;

use prost::Message;
use serde_json::{Value, json};
use tron::proto::{
    AccountPermissionUpdateContract, CancelAllUnfreezeV2Contract, DelegateResourceContract, FreezeBalanceV2Contract,
    TransferContract, TriggerSmartContract, UnDelegateResourceContract, UnfreezeBalanceV2Contract,
    WithdrawExpireUnfreezeContract,
};

use crate::exec::Refusal;
use crate::fields::Fields;

/// What a transaction does.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Op {
    /// Sends TRX.
    Transfer(TransferContract),
    /// Calls a contract.
    Trigger(TriggerSmartContract),
    /// Stakes.
    Freeze(FreezeBalanceV2Contract),
    /// Starts to unstake.
    Unfreeze(UnfreezeBalanceV2Contract),
    /// Withdraws what is unstaked.
    Withdraw(WithdrawExpireUnfreezeContract),
    /// Stakes again what is being unstaked.
    CancelAll(CancelAllUnfreezeV2Contract),
    /// Lends stake.
    Delegate(DelegateResourceContract),
    /// Takes stake back.
    Undelegate(UnDelegateResourceContract),
    /// Changes who may sign, and what.
    Permissions(AccountPermissionUpdateContract),
}

impl Op {
    pub(super) fn decode(kind: i32, value: &[u8]) -> Result<Self, Refusal> {
        let decoded = match kind {
            1 => TransferContract::decode(value).map(Self::Transfer),
            31 => TriggerSmartContract::decode(value).map(Self::Trigger),
            54 => FreezeBalanceV2Contract::decode(value).map(Self::Freeze),
            55 => UnfreezeBalanceV2Contract::decode(value).map(Self::Unfreeze),
            56 => WithdrawExpireUnfreezeContract::decode(value).map(Self::Withdraw),
            57 => DelegateResourceContract::decode(value).map(Self::Delegate),
            58 => UnDelegateResourceContract::decode(value).map(Self::Undelegate),
            59 => CancelAllUnfreezeV2Contract::decode(value).map(Self::CancelAll),
            46 => AccountPermissionUpdateContract::decode(value).map(Self::Permissions),
            other => {
                return Err(Refusal::Validate(format!(
                    "contract type {other} is not executed by this devnet"
                )));
            }
        };
        decoded.map_err(|error| Refusal::Validate(error.to_string()))
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        match self {
            Self::Transfer(c) => c.encode_to_vec(),
            Self::Trigger(c) => c.encode_to_vec(),
            Self::Freeze(c) => c.encode_to_vec(),
            Self::Unfreeze(c) => c.encode_to_vec(),
            Self::Withdraw(c) => c.encode_to_vec(),
            Self::CancelAll(c) => c.encode_to_vec(),
            Self::Delegate(c) => c.encode_to_vec(),
            Self::Undelegate(c) => c.encode_to_vec(),
            Self::Permissions(c) => c.encode_to_vec(),
        }
    }

    /// The contract type's number.
    pub(crate) const fn kind(&self) -> i32 {
        match self {
            Self::Transfer(_) => 1,
            Self::Trigger(_) => 31,
            Self::Freeze(_) => 54,
            Self::Unfreeze(_) => 55,
            Self::Withdraw(_) => 56,
            Self::Delegate(_) => 57,
            Self::Undelegate(_) => 58,
            Self::CancelAll(_) => 59,
            Self::Permissions(_) => 46,
        }
    }

    /// The contract type's name.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Transfer(_) => "TransferContract",
            Self::Trigger(_) => "TriggerSmartContract",
            Self::Freeze(_) => "FreezeBalanceV2Contract",
            Self::Unfreeze(_) => "UnfreezeBalanceV2Contract",
            Self::Withdraw(_) => "WithdrawExpireUnfreezeContract",
            Self::Delegate(_) => "DelegateResourceContract",
            Self::Undelegate(_) => "UnDelegateResourceContract",
            Self::CancelAll(_) => "CancelAllUnfreezeV2Contract",
            Self::Permissions(_) => "AccountPermissionUpdateContract",
        }
    }

    /// Reads the contract `name` from its JSON fields.
    pub(crate) fn from_json(name: &str, f: Fields<'_>) -> Result<Self, String> {
        let owner_address = f.address("owner_address")?;
        Ok(match name {
            "TransferContract" => {
                let (to_address, amount) = (f.address("to_address")?, f.int("amount")?);
                Self::Transfer(TransferContract {
                    owner_address,
                    to_address,
                    amount,
                })
            }
            "TriggerSmartContract" => Self::Trigger(TriggerSmartContract {
                owner_address,
                contract_address: f.address("contract_address")?,
                call_value: f.int("call_value")?,
                data: f.bytes("data")?,
                call_token_value: f.int("call_token_value")?,
                token_id: f.int("token_id")?,
            }),
            "FreezeBalanceV2Contract" => {
                let (frozen_balance, resource) = (f.int("frozen_balance")?, f.resource("resource")?);
                Self::Freeze(FreezeBalanceV2Contract {
                    owner_address,
                    frozen_balance,
                    resource,
                })
            }
            "UnfreezeBalanceV2Contract" => {
                let (unfreeze_balance, resource) = (f.int("unfreeze_balance")?, f.resource("resource")?);
                Self::Unfreeze(UnfreezeBalanceV2Contract {
                    owner_address,
                    unfreeze_balance,
                    resource,
                })
            }
            "WithdrawExpireUnfreezeContract" => Self::Withdraw(WithdrawExpireUnfreezeContract { owner_address }),
            "CancelAllUnfreezeV2Contract" => Self::CancelAll(CancelAllUnfreezeV2Contract { owner_address }),
            "DelegateResourceContract" => Self::Delegate(DelegateResourceContract {
                owner_address,
                resource: f.resource("resource")?,
                balance: f.int("balance")?,
                receiver_address: f.address("receiver_address")?,
                lock: f.flag("lock"),
                lock_period: f.int("lock_period")?,
            }),
            "UnDelegateResourceContract" => Self::Undelegate(UnDelegateResourceContract {
                owner_address,
                resource: f.resource("resource")?,
                balance: f.int("balance")?,
                receiver_address: f.address("receiver_address")?,
            }),
            "AccountPermissionUpdateContract" => Self::Permissions(permissions::from_json(owner_address, f)?),
            other => return Err(format!("contract {other} is not executed by this devnet")),
        })
    }

    /// The contract's JSON fields, defaults omitted.
    pub(crate) fn to_json(&self, visible: bool) -> Value {
        let a = |bytes: &[u8]| crate::fields::show_address(bytes, visible);
        let resource = |code: i32| match code {
            0 => "",
            1 => "ENERGY",
            2 => "TRON_POWER",
            _ => "UNRECOGNIZED",
        };
        crate::fields::sparse(match self {
            Self::Transfer(c) => {
                json!({"owner_address": a(&c.owner_address), "to_address": a(&c.to_address), "amount": c.amount})
            }
            Self::Trigger(c) => json!({
                "owner_address": a(&c.owner_address), "contract_address": a(&c.contract_address),
                "call_value": c.call_value, "data": hex::encode(&c.data),
                "call_token_value": c.call_token_value, "token_id": c.token_id,
            }),
            Self::Freeze(c) => json!({
                "owner_address": a(&c.owner_address), "frozen_balance": c.frozen_balance,
                "resource": resource(c.resource),
            }),
            Self::Unfreeze(c) => json!({
                "owner_address": a(&c.owner_address), "unfreeze_balance": c.unfreeze_balance,
                "resource": resource(c.resource),
            }),
            Self::Withdraw(c) => json!({"owner_address": a(&c.owner_address)}),
            Self::CancelAll(c) => json!({"owner_address": a(&c.owner_address)}),
            Self::Delegate(c) => json!({
                "owner_address": a(&c.owner_address), "resource": resource(c.resource), "balance": c.balance,
                "receiver_address": a(&c.receiver_address), "lock": c.lock, "lock_period": c.lock_period,
            }),
            Self::Undelegate(c) => json!({
                "owner_address": a(&c.owner_address), "resource": resource(c.resource), "balance": c.balance,
                "receiver_address": a(&c.receiver_address),
            }),
            Self::Permissions(c) => permissions::to_json(c, visible),
        })
    }

    /// The account that acts.
    pub(super) fn owner(&self) -> &[u8] {
        match self {
            Self::Transfer(c) => &c.owner_address,
            Self::Trigger(c) => &c.owner_address,
            Self::Freeze(c) => &c.owner_address,
            Self::Unfreeze(c) => &c.owner_address,
            Self::Withdraw(c) => &c.owner_address,
            Self::CancelAll(c) => &c.owner_address,
            Self::Delegate(c) => &c.owner_address,
            Self::Undelegate(c) => &c.owner_address,
            Self::Permissions(c) => &c.owner_address,
        }
    }
}
