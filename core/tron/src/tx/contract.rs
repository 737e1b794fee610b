//! The eight things that our transactions do, to and from protobuf.

use chain::TronAddress;
use prost::Message;

use crate::TronError;
use crate::proto::{
    Any, CancelAllUnfreezeV2Contract, Contract, ContractType, DelegateResourceContract, FreezeBalanceV2Contract,
    ResourceCode, TransferContract, TriggerSmartContract, UnDelegateResourceContract, UnfreezeBalanceV2Contract,
    WithdrawExpireUnfreezeContract,
};

/// What stands before the message's name in a type URL.
const TYPE_PREFIX: &str = "type.googleapis.com/protocol.";

/// What a transaction does, its owner included. All amounts are sun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContractBody {
    /// Sends TRX.
    Transfer {
        /// Who pays.
        owner: TronAddress,
        /// Who receives.
        to: TronAddress,
        /// How much.
        amount_sun: i64,
    },
    /// Calls a contract.
    TriggerSmart {
        /// Who calls.
        owner: TronAddress,
        /// What is called.
        contract: TronAddress,
        /// TRX sent along.
        call_value_sun: i64,
        /// Selector and arguments.
        data: Vec<u8>,
    },
    /// Stakes.
    FreezeBalance {
        /// Who stakes.
        owner: TronAddress,
        /// How much.
        amount_sun: i64,
        /// What for.
        resource: ResourceCode,
    },
    /// Begins to unstake.
    UnfreezeBalance {
        /// Who unstakes.
        owner: TronAddress,
        /// How much.
        amount_sun: i64,
        /// What it was for.
        resource: ResourceCode,
    },
    /// Takes back all that was unfrozen long enough ago.
    WithdrawExpireUnfreeze {
        /// Whose.
        owner: TronAddress,
    },
    /// Stakes again all that is being unfrozen.
    CancelAllUnfreeze {
        /// Whose.
        owner: TronAddress,
    },
    /// Lends stake.
    Delegate {
        /// Who lends.
        owner: TronAddress,
        /// Who may use it.
        receiver: TronAddress,
        /// Stake lent: not energy.
        balance_sun: i64,
        /// What for.
        resource: ResourceCode,
        /// Whether it cannot be taken back before the lock is over.
        lock: bool,
        /// Blocks of lock; 0 with `lock` means three days. Without `lock` nodes ignore it, but it is part of the id.
        lock_period_blocks: i64,
    },
    /// Takes lent stake back.
    UnDelegate {
        /// Who lent.
        owner: TronAddress,
        /// Who had the use of it.
        receiver: TronAddress,
        /// Stake taken back.
        balance_sun: i64,
        /// What it was for.
        resource: ResourceCode,
    },
}

impl ContractBody {
    /// Whose transaction it is: whose signature it needs.
    #[must_use]
    pub const fn owner(&self) -> TronAddress {
        match self {
            Self::Transfer { owner, .. }
            | Self::TriggerSmart { owner, .. }
            | Self::FreezeBalance { owner, .. }
            | Self::UnfreezeBalance { owner, .. }
            | Self::WithdrawExpireUnfreeze { owner }
            | Self::CancelAllUnfreeze { owner }
            | Self::Delegate { owner, .. }
            | Self::UnDelegate { owner, .. } => *owner,
        }
    }

    /// Its number in the protocol.
    #[must_use]
    pub const fn contract_type(&self) -> ContractType {
        match self {
            Self::Transfer { .. } => ContractType::Transfer,
            Self::TriggerSmart { .. } => ContractType::TriggerSmart,
            Self::FreezeBalance { .. } => ContractType::FreezeBalanceV2,
            Self::UnfreezeBalance { .. } => ContractType::UnfreezeBalanceV2,
            Self::WithdrawExpireUnfreeze { .. } => ContractType::WithdrawExpireUnfreeze,
            Self::CancelAllUnfreeze { .. } => ContractType::CancelAllUnfreezeV2,
            Self::Delegate { .. } => ContractType::DelegateResource,
            Self::UnDelegate { .. } => ContractType::UnDelegateResource,
        }
    }

    /// Its protobuf form.
    pub(super) fn to_proto(&self, permission_id: i32) -> Contract {
        let kind = self.contract_type();
        let parameter = Any {
            type_url: format!("{TYPE_PREFIX}{}", message_name(kind)),
            value: self.encode_value(),
        };
        Contract {
            kind: kind.into(),
            parameter: Some(parameter),
            provider: Vec::new(),
            contract_name: Vec::new(),
            permission_id,
        }
    }

    fn encode_value(&self) -> Vec<u8> {
        let bytes = |address: &TronAddress| address.as_bytes().to_vec();
        let owner_address = bytes(&self.owner());
        match self {
            Self::Transfer { to, amount_sun, .. } => TransferContract {
                owner_address,
                to_address: bytes(to),
                amount: *amount_sun,
            }
            .encode_to_vec(),
            Self::TriggerSmart {
                contract,
                call_value_sun,
                data,
                ..
            } => TriggerSmartContract {
                owner_address,
                contract_address: bytes(contract),
                call_value: *call_value_sun,
                data: data.clone(),
                call_token_value: 0,
                token_id: 0,
            }
            .encode_to_vec(),
            Self::FreezeBalance {
                amount_sun, resource, ..
            } => FreezeBalanceV2Contract {
                owner_address,
                frozen_balance: *amount_sun,
                resource: (*resource).into(),
            }
            .encode_to_vec(),
            Self::UnfreezeBalance {
                amount_sun, resource, ..
            } => UnfreezeBalanceV2Contract {
                owner_address,
                unfreeze_balance: *amount_sun,
                resource: (*resource).into(),
            }
            .encode_to_vec(),
            Self::WithdrawExpireUnfreeze { .. } => WithdrawExpireUnfreezeContract { owner_address }.encode_to_vec(),
            Self::CancelAllUnfreeze { .. } => CancelAllUnfreezeV2Contract { owner_address }.encode_to_vec(),
            Self::Delegate {
                receiver,
                balance_sun,
                resource,
                lock,
                lock_period_blocks,
                ..
            } => DelegateResourceContract {
                owner_address,
                resource: (*resource).into(),
                balance: *balance_sun,
                receiver_address: bytes(receiver),
                lock: *lock,
                lock_period: *lock_period_blocks,
            }
            .encode_to_vec(),
            Self::UnDelegate {
                receiver,
                balance_sun,
                resource,
                ..
            } => UnDelegateResourceContract {
                owner_address,
                resource: (*resource).into(),
                balance: *balance_sun,
                receiver_address: bytes(receiver),
            }
            .encode_to_vec(),
        }
    }

    /// Reads the protobuf form.
    pub(super) fn from_proto(contract: &Contract) -> Result<Self, TronError> {
        let kind = ContractType::try_from(contract.kind)
            .map_err(|_| TronError::Unsupported(format!("contract type {}", contract.kind)))?;
        let any = contract
            .parameter
            .as_ref()
            .ok_or_else(|| super::unsupported("no parameter"))?;
        if any.type_url.strip_prefix(TYPE_PREFIX) != Some(message_name(kind)) {
            return Err(super::unsupported("the type URL is not of the contract type"));
        }
        Self::decode_value(kind, &any.value)
    }

    fn decode_value(kind: ContractType, value: &[u8]) -> Result<Self, TronError> {
        Ok(match kind {
            ContractType::AccountCreate => return Err(super::unsupported("contract type 0")),
            ContractType::AccountPermissionUpdate => return Err(super::unsupported("contract type 46")),
            ContractType::Transfer => {
                let TransferContract {
                    owner_address,
                    to_address,
                    amount,
                } = Message::decode(value)?;
                Self::Transfer {
                    owner: address(&owner_address)?,
                    to: address(&to_address)?,
                    amount_sun: amount,
                }
            }
            ContractType::TriggerSmart => trigger(value)?,
            ContractType::FreezeBalanceV2 => {
                let FreezeBalanceV2Contract {
                    owner_address,
                    frozen_balance: amount_sun,
                    resource,
                } = Message::decode(value)?;
                Self::FreezeBalance {
                    owner: address(&owner_address)?,
                    amount_sun,
                    resource: code(resource)?,
                }
            }
            ContractType::UnfreezeBalanceV2 => {
                let UnfreezeBalanceV2Contract {
                    owner_address,
                    unfreeze_balance: amount_sun,
                    resource,
                } = Message::decode(value)?;
                Self::UnfreezeBalance {
                    owner: address(&owner_address)?,
                    amount_sun,
                    resource: code(resource)?,
                }
            }
            ContractType::WithdrawExpireUnfreeze => {
                let WithdrawExpireUnfreezeContract { owner_address } = Message::decode(value)?;
                Self::WithdrawExpireUnfreeze {
                    owner: address(&owner_address)?,
                }
            }
            ContractType::CancelAllUnfreezeV2 => {
                let CancelAllUnfreezeV2Contract { owner_address } = Message::decode(value)?;
                Self::CancelAllUnfreeze {
                    owner: address(&owner_address)?,
                }
            }
            ContractType::DelegateResource => delegate(value)?,
            ContractType::UnDelegateResource => undelegate(value)?,
        })
    }
}

fn trigger(value: &[u8]) -> Result<ContractBody, TronError> {
    let call = TriggerSmartContract::decode(value)?;
    Ok(ContractBody::TriggerSmart {
        owner: address(&call.owner_address)?,
        contract: address(&call.contract_address)?,
        call_value_sun: call.call_value,
        data: call.data,
    })
}

fn delegate(value: &[u8]) -> Result<ContractBody, TronError> {
    let delegation = DelegateResourceContract::decode(value)?;
    Ok(ContractBody::Delegate {
        owner: address(&delegation.owner_address)?,
        receiver: address(&delegation.receiver_address)?,
        balance_sun: delegation.balance,
        resource: code(delegation.resource)?,
        lock: delegation.lock,
        lock_period_blocks: delegation.lock_period,
    })
}

fn undelegate(value: &[u8]) -> Result<ContractBody, TronError> {
    let delegation = UnDelegateResourceContract::decode(value)?;
    Ok(ContractBody::UnDelegate {
        owner: address(&delegation.owner_address)?,
        receiver: address(&delegation.receiver_address)?,
        balance_sun: delegation.balance,
        resource: code(delegation.resource)?,
    })
}

/// The protocol's name of a contract's message.
const fn message_name(kind: ContractType) -> &'static str {
    match kind {
        ContractType::AccountCreate => "AccountCreateContract",
        ContractType::Transfer => "TransferContract",
        ContractType::TriggerSmart => "TriggerSmartContract",
        ContractType::AccountPermissionUpdate => "AccountPermissionUpdateContract",
        ContractType::FreezeBalanceV2 => "FreezeBalanceV2Contract",
        ContractType::UnfreezeBalanceV2 => "UnfreezeBalanceV2Contract",
        ContractType::WithdrawExpireUnfreeze => "WithdrawExpireUnfreezeContract",
        ContractType::DelegateResource => "DelegateResourceContract",
        ContractType::UnDelegateResource => "UnDelegateResourceContract",
        ContractType::CancelAllUnfreezeV2 => "CancelAllUnfreezeV2Contract",
    }
}

fn address(bytes: &[u8]) -> Result<TronAddress, TronError> {
    TronAddress::from_bytes(bytes).map_err(|_| super::unsupported("an address that is not 21 bytes"))
}

fn code(number: i32) -> Result<ResourceCode, TronError> {
    ResourceCode::try_from(number).map_err(|_| TronError::Unsupported(format!("resource {number}")))
}
