//! What nodes say when a contract does not fit the state of the chain, and what it means for us. The only place for these texts.

use chain::Refusal;

use crate::ContractBody;

/// What nodes put before the text.
const PREFIXES: [&str; 2] = ["Contract validate error : ", "Contract execute error : "];

/// How the text of an account that is not there begins and ends; between stands the address, in hex or base58.
const ACCOUNT_BEGINS: [&str; 2] = ["Account[", "account ["];
const ACCOUNT_ENDS: [&str; 2] = ["] not exists", "] does not exist"];

/// Whole texts, without figures.
const TEXTS: [(&str, Refusal); 36] = [
    // DelegateResource
    ("No support for resource delegate", Refusal::Other),
    (
        "Not support Delegate resource transaction, need to be opened by the committee",
        Refusal::Other,
    ),
    ("Invalid address", Refusal::Other),
    ("delegateBalance must be greater than or equal to 1 TRX", Refusal::Other),
    (
        "delegateBalance must be less than or equal to available FreezeBandwidthV2 balance",
        Refusal::InsufficientStake,
    ),
    (
        "delegateBalance must be less than or equal to available FreezeEnergyV2 balance",
        Refusal::InsufficientStake,
    ),
    (
        "ResourceCode error, valid ResourceCode[BANDWIDTH、ENERGY]",
        Refusal::Other,
    ),
    ("Invalid receiverAddress", Refusal::Other),
    ("receiverAddress must not be the same as ownerAddress", Refusal::Other),
    (
        "Do not allow delegate resources to contract addresses",
        Refusal::ReceiverIsContract,
    ),
    // UnDelegateResource
    (
        "Not support unDelegate resource transaction, need to be opened by the committee",
        Refusal::Other,
    ),
    ("delegated Resource does not exist", Refusal::DelegationMissing),
    ("unDelegateBalance must be more than 0 TRX", Refusal::Other),
    (
        "ResourceCode error.valid ResourceCode[BANDWIDTH、Energy]",
        Refusal::Other,
    ),
    // FreezeBalanceV2
    (
        "Not support FreezeV2 transaction, need to be opened by the committee",
        Refusal::Other,
    ),
    ("frozenBalance must be positive", Refusal::Other),
    ("frozenBalance must be greater than or equal to 1 TRX", Refusal::Other),
    (
        "frozenBalance must be less than or equal to accountBalance",
        Refusal::Other,
    ),
    // UnfreezeBalanceV2
    (
        "Not support UnfreezeV2 transaction, need to be opened by the committee",
        Refusal::Other,
    ),
    ("no frozenBalance(BANDWIDTH)", Refusal::InsufficientStake),
    ("no frozenBalance(Energy)", Refusal::InsufficientStake),
    (
        "Invalid unfreeze operation, unfreezing times is over limit",
        Refusal::Other,
    ),
    // WithdrawExpireUnfreeze
    ("no unFreeze balance to withdraw ", Refusal::Other),
    // CancelAllUnfreezeV2
    ("No unfreezeV2 list to cancel", Refusal::Other),
    // Transfer
    ("Invalid ownerAddress!", Refusal::Other),
    ("Invalid toAddress!", Refusal::Other),
    ("Cannot transfer TRX to yourself.", Refusal::Other),
    ("Validate TransferContract error, no OwnerAccount.", Refusal::Other),
    ("Amount must be greater than 0.", Refusal::Other),
    ("Cannot transfer TRX to a smartContract.", Refusal::ReceiverIsContract),
    (
        "Validate TransferContract error, balance is not sufficient.",
        Refusal::Other,
    ),
    // The beginnings of texts with figures in them
    (
        "The lock period of delegate resource cannot be less than 0 and cannot exceed ",
        Refusal::Other,
    ),
    ("The lock period for ", Refusal::Other),
    (
        "insufficient delegatedFrozenBalance(BANDWIDTH), request=",
        Refusal::DelegationMissing,
    ),
    (
        "insufficient delegateFrozenBalance(Energy), request=",
        Refusal::DelegationMissing,
    ),
    ("Invalid unfreeze_balance, [", Refusal::InsufficientStake),
];

/// What the message of a refused `contract` means. A text that is not known means [`Refusal::Other`], and is logged, since it
/// may mean that nodes changed theirs.
pub(super) fn meaning(message: &str, contract: &ContractBody) -> Refusal {
    let text = PREFIXES
        .iter()
        .find_map(|prefix| message.strip_prefix(prefix))
        .unwrap_or(message);
    known(text, contract).unwrap_or_else(|| {
        tracing::warn!(message, kind = ?contract.contract_type(), "unknown refusal");
        Refusal::Other
    })
}

fn known(text: &str, contract: &ContractBody) -> Option<Refusal> {
    if let Some(address) = missing_account(text) {
        return Some(if is_receiver(address, contract) {
            Refusal::ReceiverNotActivated
        } else {
            Refusal::Other
        });
    }
    if text.starts_with("feeLimit must be >= 0 and <= ") {
        return Some(Refusal::Other);
    }
    TEXTS
        .iter()
        .find(|(known, _)| text.starts_with(known))
        .map(|(_, refusal)| *refusal)
}

/// The address in a text that says that an account is not there.
fn missing_account(text: &str) -> Option<&str> {
    let rest = ACCOUNT_BEGINS.iter().find_map(|begin| text.strip_prefix(begin))?;
    ACCOUNT_ENDS
        .iter()
        .find_map(|end| rest.split_once(end))
        .map(|(address, _)| address)
}

/// The text for a missing owner is the same as for a missing receiver: only the address tells.
fn is_receiver(address: &str, contract: &ContractBody) -> bool {
    match contract {
        ContractBody::Delegate { owner, receiver, .. } | ContractBody::UnDelegate { owner, receiver, .. } => {
            owner != receiver && (address.eq_ignore_ascii_case(&receiver.to_hex()) || address == receiver.to_string())
        }
        _ => false,
    }
}
