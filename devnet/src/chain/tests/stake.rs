//! Freezing, unfreezing, withdrawing, cancelling: every text, the delay, the limit.

use tron::proto::{CancelAllUnfreezeV2Contract, UnfreezeBalanceV2Contract, WithdrawExpireUnfreezeContract};

use super::{Net, TRX, addr, bytes, delegate, freeze};
use crate::state::Resource;
use crate::wire::Op;

const DAY_S: i64 = 86_400;

fn unfreeze(owner: u8, unfreeze_balance: i64, resource: i32) -> Op {
    Op::Unfreeze(UnfreezeBalanceV2Contract {
        owner_address: bytes(owner),
        unfreeze_balance,
        resource,
    })
}

fn withdraw(owner: u8) -> Op {
    Op::Withdraw(WithdrawExpireUnfreezeContract {
        owner_address: bytes(owner),
    })
}

fn cancel(owner: u8) -> Op {
    Op::CancelAll(CancelAllUnfreezeV2Contract {
        owner_address: bytes(owner),
    })
}

#[test]
fn freeze_refuses_with_the_nodes_texts() {
    let mut net = Net::funded();
    assert_eq!(net.refusal(2, &freeze(2, 0, 1)), "frozenBalance must be positive");
    assert_eq!(net.refusal(2, &freeze(2, -1, 1)), "frozenBalance must be positive");
    assert_eq!(
        net.refusal(2, &freeze(2, TRX - 1, 1)),
        "frozenBalance must be greater than or equal to 1 TRX"
    );
    assert_eq!(
        net.refusal(2, &freeze(2, 1_000_000 * TRX + 1, 1)),
        "frozenBalance must be less than or equal to accountBalance"
    );
    assert_eq!(
        net.refusal(2, &freeze(2, TRX, 2)),
        "ResourceCode error, valid ResourceCode[BANDWIDTH、ENERGY]"
    );
}

#[test]
fn freezing_moves_balance_to_stake_and_raises_the_networks_weight() {
    let mut net = Net::funded();
    let before = net.chain.state().market().weight;
    net.must(2, &freeze(2, 1_500_000, 1));
    net.must(2, &freeze(2, 1_500_000, 1));
    net.must(2, &freeze(2, 2 * TRX, 0));
    assert_eq!(net.account(2).frozen, [2 * TRX, 3 * TRX]);
    let after = net.chain.state().market().weight;
    assert_eq!(
        [after[0] - before[0], after[1] - before[1]],
        [2, 3],
        "weight is whole TRX of the sum"
    );
    assert!(net.account(2).balance <= 999_995 * TRX);
}

#[test]
fn unfreeze_refuses_with_the_nodes_texts() {
    let mut net = Net::funded();
    assert_eq!(net.refusal(2, &unfreeze(2, TRX, 0)), "no frozenBalance(BANDWIDTH)");
    assert_eq!(net.refusal(2, &unfreeze(2, TRX, 1)), "no frozenBalance(Energy)");
    assert_eq!(
        net.refusal(1, &unfreeze(1, 0, 1)),
        "Invalid unfreeze_balance, [0] is error"
    );
    assert_eq!(
        net.refusal(1, &unfreeze(1, TRX, 2)),
        "ResourceCode error.valid ResourceCode[BANDWIDTH、Energy]"
    );
    net.must(1, &delegate(1, 2, 999_999 * TRX));
    assert_eq!(
        net.refusal(1, &unfreeze(1, TRX + 1, 1)),
        "Invalid unfreeze_balance, [1000001] is error",
        "what is lent cannot be unfrozen"
    );
}

#[test]
fn at_most_32_unfreezings_wait_at_once() {
    let mut net = Net::funded();
    for _ in 0..32 {
        net.must(1, &unfreeze(1, TRX, 1));
    }
    assert_eq!(
        net.refusal(1, &unfreeze(1, TRX, 1)),
        "Invalid unfreeze operation, unfreezing times is over limit"
    );
    net.pass(14 * DAY_S);
    assert_eq!(
        net.must(1, &unfreeze(1, TRX, 1)).withdraw_expire_amount,
        32 * TRX,
        "the due ones are paid on the way"
    );
}

#[test]
fn unfrozen_stake_can_be_withdrawn_after_fourteen_days_and_not_a_second_before() {
    let mut net = Net::funded();
    assert_eq!(net.refusal(1, &withdraw(1)), "no unFreeze balance to withdraw ");
    net.must(1, &unfreeze(1, 5 * TRX, 1));
    assert_eq!(net.account(1).frozen[1], 999_995 * TRX);
    let due = net.account(1).unfreezing[0].expire_ms;
    net.pass((due - net.chain.head_ms()) / 1_000 - 4);
    assert_eq!(net.refusal(1, &withdraw(1)), "no unFreeze balance to withdraw ");
    net.pass(0);
    let before = net.account(1).balance;
    assert_eq!(net.must(1, &withdraw(1)).withdraw_expire_amount, 5 * TRX);
    assert_eq!(net.account(1).balance, before + 5 * TRX);
    assert!(net.account(1).unfreezing.is_empty());
}

#[test]
fn cancelling_stakes_again_what_waits_and_pays_out_what_is_due() {
    let mut net = Net::funded();
    assert_eq!(net.refusal(1, &cancel(1)), "No unfreezeV2 list to cancel");
    net.must(1, &unfreeze(1, 5 * TRX, 1));
    net.pass(14 * DAY_S);
    net.stake(1, Resource::Bandwidth, 10 * TRX);
    net.must(1, &unfreeze(1, 7 * TRX, 1));
    net.must(1, &unfreeze(1, 3 * TRX, 0));
    let outcome = net.must(1, &cancel(1));
    assert_eq!(outcome.cancelled, Some([3 * TRX, 7 * TRX]));
    assert_eq!(
        outcome.withdraw_expire_amount, 0,
        "the first was paid by the second unfreezing"
    );
    assert_eq!(net.account(1).frozen, [10 * TRX, 999_995 * TRX]);
}

#[test]
fn builders_say_not_exists_for_unknown_owners() {
    let mut net = Net::funded();
    let hex = addr(9).to_hex();
    let mut text = |op: &Op| {
        let mut exec = net.chain.exec();
        exec.act(op, 0, &mut crate::exec::Outcome::default())
            .unwrap_err()
            .message()
    };
    assert_eq!(
        text(&freeze(9, TRX, 1)),
        format!("Contract validate error : Account[{hex}] not exists")
    );
    assert_eq!(
        text(&unfreeze(9, TRX, 1)),
        format!("Contract validate error : Account[{hex}] does not exist")
    );
    assert_eq!(
        text(&withdraw(9)),
        format!("Contract validate error : Account[{hex}] not exists")
    );
    assert_eq!(
        text(&cancel(9)),
        format!("Contract validate error : Account[{hex}] not exists")
    );
}
