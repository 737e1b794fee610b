//! Payouts, from the request to the money at its address, and what goes wrong on the way.

use ::devnet::{Fault, FaultRule, ForkKeep};
use db::models::{DeathCause, PayoutState, TxState};
use futures::future::join_all;
use kernel::{Asset, UserId};
use serde_json::json;

use crate::harness::{Does, Rig, TRX, Withdrawal};

const SEND: &str = "broadcasthex";

#[tokio::test(flavor = "multi_thread")]
async fn trx_and_usdt_are_paid_and_chain_and_books_agree() {
    let (rig, _worker) = Rig::with_worker().await;
    let treasury = rig.treasury(1_000, 500).await;
    rig.credit_usdt(UserId(1), 80).await;
    let before = rig.balance(UserId(1)).await;
    let coin = rig.withdrawal(50);
    let token = Withdrawal {
        asset: Asset::Usdt,
        minor: 30 * TRX,
        ..rig.withdrawal(1)
    };
    let payouts = [rig.payout(coin).await, rig.payout(token).await];
    assert_eq!(rig.balance(UserId(1)).await, before - 50 * TRX, "set aside at once");
    assert_eq!(rig.balance_of(UserId(1), Asset::Usdt).await, 50 * TRX);
    for payout in payouts {
        rig.wait_payout(payout, PayoutState::Completed).await;
        assert_eq!(
            rig.payout_timeline(payout).await,
            ["requested", "signed", "sent", "completed"]
        );
        let detail = rig.payout_detail(payout).await;
        assert_eq!((detail.payout.attempts, detail.transactions.len()), (1, 1));
        assert_eq!(detail.transactions[0].sends, 1);
    }
    assert_eq!(rig.sun_of(coin.to).await, 51 * TRX);
    assert_eq!(rig.usdt_of(token.to).await, 30_000_000);
    assert_eq!(rig.usdt_of(treasury.address).await, 470_000_000);
    rig.quiesce().await;
    let burned = rig.burned().await;
    assert!(burned > 0, "the token's call burned coin");
    assert_eq!(rig.sun_of(treasury.address).await, 950 * TRX - burned);
    let wallet = rig.wallet(treasury.id).await;
    assert_eq!((wallet.balance_sun, wallet.usdt_micro), (950 * TRX - burned, 470 * TRX));
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_treasury_wallet_lends_no_energy() {
    let (rig, _worker) = Rig::with_worker().await;
    rig.expect_finding("pool.no_wallet_fits");
    let treasury = rig.treasury(1_000, 0).await;
    rig.devnet.stake_energy(treasury.address, 50_000 * TRX).unwrap();
    rig.ask(jobs::JobKind::WalletsSync, &treasury.id.to_string()).await;
    rig.until("its stake is read", async || {
        rig.wallet(treasury.id).await.delegatable_sun > 0
    })
    .await;
    let order = rig.order(rig.wish()).await;
    rig.until("nothing fits", async || {
        rig.find(order).await.reason_code.as_deref() == Some("no_wallet_fits")
    })
    .await;
    rig.cancel(order).await.unwrap();
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_send_whose_answer_was_lost_and_that_landed_pays_once() {
    let (rig, _worker) = Rig::with_worker().await;
    rig.treasury(1_000, 0).await;
    let lost = Fault::DropConnection { processed: true };
    rig.devnet.add_fault(FaultRule::times(SEND, 1, lost)).unwrap();
    let wish = rig.withdrawal(20);
    let payout = rig.payout(wish).await;
    rig.wait_payout(payout, PayoutState::Completed).await;
    let detail = rig.payout_detail(payout).await;
    assert_eq!((detail.payout.attempts, detail.transactions.len()), (1, 1));
    assert_eq!(rig.sun_of(wish.to).await, 21 * TRX);
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_nodes_lost_die_before_another_is_signed() {
    let (rig, _worker) = Rig::with_worker().await;
    rig.expect_finding("chain.nothing_lands");
    rig.treasury(1_000, 0).await;
    rig.devnet
        .add_fault(FaultRule::always(SEND, Fault::AcceptAndDrop))
        .unwrap();
    let wish = rig.withdrawal(20);
    let payout = rig.payout(wish).await;
    rig.until("the first is dead", async || {
        let transactions = rig.payout_detail(payout).await.transactions;
        assert!(transactions.len() <= 1 || transactions[0].state == TxState::Dead);
        transactions[0].state == TxState::Dead
    })
    .await;
    rig.devnet.clear_faults();
    rig.wait_payout(payout, PayoutState::Completed).await;
    let detail = rig.payout_detail(payout).await;
    assert_eq!(detail.transactions[0].death_cause, Some(DeathCause::Expired));
    assert_eq!(rig.sun_of(wish.to).await, 21 * TRX);
    rig.judge().await;
}

/// A node that looks at the bytes and does not take them.
fn refusal() -> Fault {
    let message = "Contract validate error : Validate TransferContract error, balance is not sufficient.";
    let body = json!({ "result": false, "code": "CONTRACT_VALIDATE_ERROR", "message": message }).to_string();
    Fault::HttpStatus { status: 200, body }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_of_the_first_send_proves_nothing_of_a_payment() {
    let (rig, _worker) = Rig::with_worker().await;
    rig.treasury(1_000, 0).await;
    rig.devnet.add_fault(FaultRule::times(SEND, 1, refusal())).unwrap();
    let wish = rig.withdrawal(20);
    let payout = rig.payout(wish).await;
    rig.wait_payout(payout, PayoutState::Completed).await;
    let detail = rig.payout_detail(payout).await;
    assert_eq!(
        detail.transactions.len(),
        1,
        "the same bytes were sent again, and taken"
    );
    assert_eq!(detail.transactions[0].sends, 2);
    assert_eq!(rig.sun_of(wish.to).await, 21 * TRX);

    // one that refuses in so many words and lets it land pays once, too
    let code = "CONTRACT_VALIDATE_ERROR".to_owned();
    let lie = Fault::RefuseButInclude {
        code,
        message: "Contract validate error : Validate TransferContract error, balance is not sufficient.".to_owned(),
    };
    rig.devnet.clear_faults();
    rig.devnet.add_fault(FaultRule::times(SEND, 1, lie)).unwrap();
    let wish = rig.withdrawal(20);
    let payout = rig.payout(wish).await;
    rig.wait_payout(payout, PayoutState::Completed).await;
    assert_eq!(rig.payout_detail(payout).await.transactions.len(), 1);
    assert_eq!(rig.sun_of(wish.to).await, 21 * TRX);
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_always_refused_is_given_up_and_the_money_is_back() {
    let (rig, _worker) = Rig::with_worker().await;
    rig.treasury(1_000, 0).await;
    rig.devnet.add_fault(FaultRule::always(SEND, refusal())).unwrap();
    let before = rig.balance(UserId(1)).await;
    let payout = rig.payout(rig.withdrawal(20)).await;
    rig.wait_payout(payout, PayoutState::Failed).await;
    let detail = rig.payout_detail(payout).await;
    assert_eq!(detail.payout.reason_code.as_deref(), Some("attempts_exhausted"));
    assert!(
        detail
            .transactions
            .iter()
            .all(|tx| tx.death_cause == Some(DeathCause::Expired))
    );
    assert_eq!((rig.balance(UserId(1)).await, detail.transactions.len()), (before, 3));
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contract_gets_no_coin_and_its_user_the_money_back() {
    let (rig, _worker) = Rig::with_worker().await;
    rig.treasury(1_000, 0).await;
    rig.quiesce().await;
    let wish = rig.withdrawal(20);
    let body = json!({ "address": wish.to.to_hex(), "type": "Contract" }).to_string();
    let contract = Fault::HttpStatus { status: 200, body };
    rig.devnet
        .add_fault(FaultRule::times("getaccount", 1, contract))
        .unwrap();
    let before = rig.balance(UserId(1)).await;
    let payout = rig.payout(wish).await;
    rig.wait_payout(payout, PayoutState::Failed).await;
    let detail = rig.payout_detail(payout).await;
    assert_eq!(detail.payout.reason_code.as_deref(), Some("to_is_contract"));
    assert_eq!((rig.balance(UserId(1)).await, detail.transactions.len()), (before, 0));
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_fail_in_their_blocks_are_given_up_and_their_fees_booked() {
    let mut rig = Rig::new().await;
    // a tenth of what the call needs
    rig.world.token_fee_limit_sun = TRX;
    let _worker = rig.start(Does::Everything);
    let treasury = rig.treasury(1_000, 500).await;
    rig.credit_usdt(UserId(1), 80).await;
    let wish = Withdrawal {
        asset: Asset::Usdt,
        minor: 30 * TRX,
        ..rig.withdrawal(1)
    };
    let payout = rig.payout(wish).await;
    rig.until("in a block", async || {
        let transactions = rig.payout_detail(payout).await.transactions;
        transactions.iter().any(|tx| tx.state == TxState::Included)
    })
    .await;
    assert_eq!(
        rig.payout_state(payout).await,
        PayoutState::Processing,
        "it is not known to have failed before the block is final"
    );
    rig.wait_payout(payout, PayoutState::Failed).await;
    let detail = rig.payout_detail(payout).await;
    assert_eq!(detail.payout.reason_code.as_deref(), Some("attempts_exhausted"));
    assert_eq!(detail.transactions.len(), 3, "as many as are borne");
    assert!(detail.transactions.iter().all(|tx| tx.state == TxState::Final));
    assert_eq!(rig.balance_of(UserId(1), Asset::Usdt).await, 80 * TRX, "back, once");
    assert_eq!(rig.usdt_of(wish.to).await, 0);
    rig.quiesce().await;
    let burned = rig.burned().await;
    assert!(burned >= 3 * TRX, "each burned its limit");
    assert_eq!(rig.sun_of(treasury.address).await, 1_000 * TRX - burned);
    assert_eq!(rig.wallet(treasury.id).await.isolated_at, None);
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payout_that_a_fork_takes_back_lands_again_and_is_paid_once() {
    let (rig, _worker) = Rig::with_worker().await;
    rig.treasury(1_000, 0).await;
    for (keep, depth) in [(ForkKeep::DropAll, 1), (ForkKeep::Keep, 2)] {
        let wish = rig.withdrawal(20);
        let payout = rig.payout(wish).await;
        rig.wait_payout(payout, PayoutState::Sent).await;
        if depth == 2 {
            rig.mine(1);
            rig.idle().await;
        }
        rig.fork(depth, &keep);
        rig.wait_payout(payout, PayoutState::Completed).await;
        assert_eq!(
            rig.payout_timeline(payout).await,
            ["requested", "signed", "sent", "reverted", "sent", "completed"]
        );
        assert_eq!(rig.payout_detail(payout).await.transactions.len(), 1, "the same bytes");
        assert_eq!(rig.sun_of(wish.to).await, 21 * TRX);
    }
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_money_in_the_treasury_payouts_wait_and_go_on_once_it_is_there() {
    let (rig, _worker) = Rig::with_worker().await;
    rig.expect_finding("payouts.treasury_short");
    let treasury = rig.treasury(100, 0).await;
    // the first fits; what it leaves is not enough for the second, whatever the last read says
    let wishes = [rig.withdrawal(80), rig.withdrawal(80)];
    let first = rig.payout(wishes[0]).await;
    rig.wait_payout(first, PayoutState::Processing).await;
    let second = rig.payout(wishes[1]).await;
    rig.until("the second waits", async || {
        let waiting = rig.payout_detail(second).await.payout;
        waiting.state == PayoutState::Approved && waiting.reason_code.as_deref() == Some("no_treasury_fits")
    })
    .await;
    let short = "payouts.treasury_short treasury:tron:TRX".to_owned();
    assert_eq!(rig.open_findings().await, [short]);
    rig.wait_payout(first, PayoutState::Completed).await;
    rig.mine(10);
    rig.idle().await;
    assert_eq!(rig.payout_state(second).await, PayoutState::Approved);
    rig.devnet.faucet(treasury.address, 100 * TRX).unwrap();
    rig.wait_payout(second, PayoutState::Completed).await;
    for wish in wishes {
        assert_eq!(rig.sun_of(wish.to).await, 81 * TRX);
    }
    assert_eq!(rig.open_findings().await, Vec::<String>::new());
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_come_at_once_exceed_neither_balance_nor_limit() {
    let (rig, _worker) = Rig::with_worker().await;
    rig.treasury(5_000, 0).await;
    for (user, trx, each, fit, code) in [
        (UserId(2), 100, 30, 3, "insufficient_funds"),
        (UserId(3), 5_000, 150, 6, "payout_limit"),
    ] {
        rig.credit(user, trx).await;
        let wish = Withdrawal {
            user,
            ..rig.withdrawal(each)
        };
        let answers = join_all((0..10).map(|_| rig.try_payout(wish))).await;
        let (taken, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
        assert_eq!(taken.len(), fit);
        assert!(refused.iter().all(|answer| *answer == Err(code.into())), "{refused:?}");
        for payout in taken {
            rig.wait_payout(payout.unwrap(), PayoutState::Completed).await;
        }
        let paid = i64::try_from(fit).unwrap() * each;
        assert_eq!(rig.balance(user).await, (trx - paid) * TRX);
        assert_eq!(rig.sun_of(wish.to).await, (paid + 1) * TRX);
    }
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_request_sent_twenty_times_is_one_payout() {
    let (rig, _worker) = Rig::with_worker().await;
    rig.treasury(1_000, 0).await;
    let wish = rig.withdrawal(20);
    let answers = join_all((0..20).map(|_| rig.payout_once(wish, "the-same"))).await;
    let first = answers[0].clone().unwrap();
    assert!(answers.iter().all(|answer| *answer == Ok(first)));
    let other = Withdrawal { minor: 1, ..wish };
    assert_eq!(
        rig.payout_once(other, "the-same").await,
        Err("idempotency_key_reused".into())
    );
    rig.wait_payout(first, PayoutState::Completed).await;
    assert_eq!(rig.sun_of(wish.to).await, 21 * TRX);
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_payout_waits_for_somebody_else_and_of_many_decisions_one_counts() {
    let (rig, _worker) = Rig::with_worker().await;
    rig.treasury(2_000, 0).await;
    let before = rig.balance(UserId(1)).await;
    let wish = rig.withdrawal(250);
    let payout = rig.payout(wish).await;
    rig.mine(3);
    rig.idle().await;
    assert_eq!(rig.payout_state(payout).await, PayoutState::Requested);
    assert_eq!(rig.decide(payout, "approve", false).await, Err("own_payout".into()));
    let twice = join_all((0..6).map(|_| rig.decide(payout, "approve", true))).await;
    let (agreed, late): (Vec<_>, Vec<_>) = twice.into_iter().partition(Result::is_ok);
    assert_eq!((agreed.len(), late.len()), (1, 5));
    assert!(late.iter().all(|answer| *answer == Err("payout_decided".into())));
    rig.wait_payout(payout, PayoutState::Completed).await;
    assert_eq!(
        rig.payout_timeline(payout).await,
        ["requested", "approved", "signed", "sent", "completed"]
    );

    let raced = rig.payout(rig.withdrawal(250)).await;
    let decisions = ["approve", "reject", "approve", "reject"];
    join_all(decisions.map(|word| rig.decide(raced, word, true))).await;
    rig.until("it is decided", async || rig.payout_state(raced).await.is_end())
        .await;
    let paid = 250 + 250 * i64::from(rig.payout_state(raced).await == PayoutState::Completed);
    assert_eq!(rig.balance(UserId(1)).await, before - paid * TRX);
    rig.judge().await;
}
