//! Every text that nodes are known to refuse a contract with.

use chain::Refusal;

use super::super::refusal::meaning;
use super::*;

fn of(text: &str) -> Refusal {
    let contract = unsigned().contract;
    let refusal = meaning(&format!("Contract validate error : {text}"), &contract);
    assert_eq!(meaning(text, &contract), refusal, "with and without the prefix: {text}");
    assert_eq!(meaning(&format!("Contract execute error : {text}"), &contract), refusal);
    refusal
}

#[test]
fn texts_that_we_act_on() {
    for (text, refusal) in [
        (
            "delegateBalance must be less than or equal to available FreezeBandwidthV2 balance",
            Refusal::InsufficientStake,
        ),
        (
            "delegateBalance must be less than or equal to available FreezeEnergyV2 balance",
            Refusal::InsufficientStake,
        ),
        ("no frozenBalance(BANDWIDTH)", Refusal::InsufficientStake),
        ("no frozenBalance(Energy)", Refusal::InsufficientStake),
        (
            "Invalid unfreeze_balance, [5000000] is error",
            Refusal::InsufficientStake,
        ),
        (
            "Do not allow delegate resources to contract addresses",
            Refusal::ReceiverIsContract,
        ),
        ("Cannot transfer TRX to a smartContract.", Refusal::ReceiverIsContract),
        ("delegated Resource does not exist", Refusal::DelegationMissing),
        (
            "insufficient delegatedFrozenBalance(BANDWIDTH), request=5, unlock_balance=4",
            Refusal::DelegationMissing,
        ),
        (
            "insufficient delegateFrozenBalance(Energy), request=5, unlock_balance=4",
            Refusal::DelegationMissing,
        ),
    ] {
        assert_eq!(of(text), refusal, "{text}");
    }
}

#[test]
fn texts_that_are_bugs_or_settings() {
    for text in [
        "No support for resource delegate",
        "Not support Delegate resource transaction, need to be opened by the committee",
        "Invalid address",
        "delegateBalance must be greater than or equal to 1 TRX",
        "ResourceCode error, valid ResourceCode[BANDWIDTH、ENERGY]",
        "Invalid receiverAddress",
        "receiverAddress must not be the same as ownerAddress",
        "The lock period of delegate resource cannot be less than 0 and cannot exceed 864000!",
        "The lock period for ENERGY this time cannot be less than the remaining time[5ms] of the last lock period for ENERGY!",
        "Not support unDelegate resource transaction, need to be opened by the committee",
        "unDelegateBalance must be more than 0 TRX",
        "ResourceCode error.valid ResourceCode[BANDWIDTH、Energy]",
        "Not support FreezeV2 transaction, need to be opened by the committee",
        "frozenBalance must be positive",
        "frozenBalance must be greater than or equal to 1 TRX",
        "frozenBalance must be less than or equal to accountBalance",
        "Not support UnfreezeV2 transaction, need to be opened by the committee",
        "Invalid unfreeze operation, unfreezing times is over limit",
        "no unFreeze balance to withdraw ",
        "Invalid ownerAddress!",
        "Invalid toAddress!",
        "Cannot transfer TRX to yourself.",
        "Validate TransferContract error, no OwnerAccount.",
        "Amount must be greater than 0.",
        "Validate TransferContract error, balance is not sufficient.",
        "feeLimit must be >= 0 and <= 15000000000",
        "a text that nobody has written yet",
        "",
    ] {
        assert_eq!(of(text), Refusal::Other, "{text}");
    }
}

#[test]
fn a_missing_account_is_the_receiver_only_if_its_address_says_so() {
    let (owner, receiver) = (key().address(), address(2));
    for form in [
        receiver.to_hex(),
        receiver.to_hex().to_uppercase(),
        receiver.to_string(),
    ] {
        for text in [
            format!("Account[{form}] not exists"),
            format!("Account[{form}] does not exist"),
        ] {
            assert_eq!(of(&text), Refusal::ReceiverNotActivated, "{text}");
        }
    }
    for text in [
        format!("Account[{}] not exists", owner.to_hex()),
        format!("Account[{}] does not exist", owner.to_hex()),
        format!("account [{owner}] does not exist"),
        "Account[] not exists".to_owned(),
        "Account[".to_owned(),
    ] {
        assert_eq!(of(&text), Refusal::Other, "{text}");
    }
}
