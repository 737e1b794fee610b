//! What customers paid in is collected to the treasury: once, for nothing, and nobody is credited for it.

use ::devnet::{Fault, FaultRule, ForkKeep};
use chain::ChainClient;
use db::models::{DeathCause, IntentKind, SweepState, TxState};
use jobs::JobKind;
use kernel::{Asset, UserId};
use tron::{BlockReference, ContractBody, UnsignedTx, sign_transaction};

use crate::harness::{
    Does, HOUSE, Payer, Rig, Sent, TRX, key_of_address, random_hex, timeline, trx, usdt_paid as usdt,
};

const SEND: &str = "broadcasthex";
const USER: UserId = UserId(1);

#[tokio::test(flavor = "multi_thread")]
async fn trx_is_collected_once_and_its_user_keeps_his_money() {
    let (rig, _worker) = Rig::with_worker().await;
    let treasury = rig.treasury(1_000, 0).await;
    rig.keep_account().await;
    let payer = Payer::new(&rig);
    let before = rig.balance(USER).await;
    let address = rig.paid_in(&payer, 1, trx(20)).await;
    assert_eq!(rig.plan_sweeps().await, 1);
    rig.wait_sweeps(SweepState::Completed).await;
    let sweep = rig.sweeps().await.remove(0);
    assert_eq!(timeline(&sweep), ["planned", "signed", "sent", "completed"]);
    assert_eq!((sweep.sweep.attempts, sweep.transactions.len()), (1, 1));
    assert_eq!(sweep.sweep.amount, Some(20 * TRX));
    assert_eq!(rig.sun_of(address).await, 0);
    assert_eq!(rig.sun_of(treasury.address).await, 1_020 * TRX);
    rig.quiesce().await;
    assert_eq!(
        rig.wallet(treasury.id).await.balance_sun,
        1_020 * TRX,
        "it is read again"
    );
    assert_eq!(rig.balance(USER).await, before + 20 * TRX);
    assert_eq!(rig.spent().await, 0);
    // collected is collected, and little is left alone
    assert_eq!(rig.plan_sweeps().await, 1);
    rig.paid_in(&payer, 1, trx(4)).await;
    assert_eq!(rig.plan_sweeps().await, 1);
    // what comes later is worth it together
    rig.paid_in(&payer, 1, trx(3)).await;
    assert_eq!(rig.plan_sweeps().await, 2);
    rig.wait_sweeps(SweepState::Completed).await;
    assert_eq!(rig.sun_of(treasury.address).await, 1_027 * TRX);
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn usdt_at_an_address_that_never_got_coin_is_collected_and_no_energy_burned() {
    let (rig, _worker) = Rig::with_worker().await;
    rig.supplier(50_000).await;
    let treasury = rig.treasury(100, 500).await;
    rig.keep_account().await;
    let payer = Payer::new(&rig);
    let before = rig.balance(USER).await;
    let address = rig.paid_in(&payer, 1, usdt(30)).await;
    assert_eq!(rig.sun_of(address).await, 0);
    assert_eq!(rig.plan_sweeps().await, 1);
    rig.wait_sweeps(SweepState::Completed).await;
    let sweep = rig.sweeps().await.remove(0);
    assert_eq!(
        timeline(&sweep),
        [
            "planned",
            "activation_signed",
            "activated",
            "energy_ordered",
            "signed",
            "sent",
            "completed"
        ]
    );
    let collecting = sweep
        .transactions
        .iter()
        .find(|tx| tx.intent_kind == IntentKind::Sweep)
        .unwrap();
    assert_eq!(collecting.fee_sun, Some(0), "nothing is burned");
    assert_eq!(rig.usdt_of(address).await, 0);
    assert_eq!(rig.usdt_of(treasury.address).await, 530_000_000);
    assert_eq!(rig.sun_of(address).await, 1, "what made it exist");
    // nobody is credited for that, and it is seen
    let mut transfers = rig.transfers().await;
    transfers.sort_unstable();
    assert_eq!(transfers, ["credited exact", "ignored internal"]);
    assert_eq!(rig.balance(USER).await, before);
    assert_eq!(rig.balance_of(USER, Asset::Usdt).await, 30 * TRX);
    // the house paid for its energy, to itself, and for the account, to the chain
    let order = rig.find(kernel::OrderId(sweep.sweep.order_id.unwrap())).await;
    assert_eq!((order.user_id, &order.receiver), (HOUSE.0, &address.to_string()));
    assert_eq!(rig.spent().await, order.price_sun + 1_100_000);
    assert_eq!(rig.house_balance().await, 0);
    rig.quiesce().await;
    assert_eq!(rig.sun_of(treasury.address).await, 100 * TRX - 1_100_000 - 1);
    // the next one needs no account any more, but the bandwidth of another day
    rig.paid_in(&payer, 1, usdt(7)).await;
    assert_eq!(rig.plan_sweeps().await, 2);
    rig.idle().await;
    let waiting = rig.sweeps().await.remove(1).sweep;
    assert_eq!(
        (waiting.state, waiting.reason_code.as_deref()),
        (SweepState::Planned, Some("bandwidth_short"))
    );
    rig.pass(86_400);
    rig.wait_sweeps(SweepState::Completed).await;
    let again = rig.sweeps().await.remove(1);
    assert_eq!(
        timeline(&again),
        ["planned", "energy_ordered", "signed", "sent", "completed"]
    );
    assert_eq!(rig.usdt_of(treasury.address).await, 537_000_000);
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_energy_a_sweep_waits_tells_of_it_and_goes_on_when_there_is_some() {
    let (rig, _worker) = Rig::with_worker().await;
    rig.expect_finding("pool.no_wallet_fits");
    rig.expect_finding("sweeps.no_energy");
    let treasury = rig.treasury(100, 500).await;
    // the market is known by a wallet that has no room
    rig.supplier(10).await;
    rig.keep_account().await;
    let payer = Payer::new(&rig);
    let address = rig.paid_in(&payer, 1, usdt(30)).await;
    rig.devnet.faucet(address, TRX).unwrap();
    assert_eq!(rig.plan_sweeps().await, 1);
    rig.until("an operator is told", async || {
        let open = rig.open_findings().await;
        open.iter().any(|finding| finding.starts_with("sweeps.no_energy"))
    })
    .await;
    let sweep = rig.sweeps().await.remove(0);
    assert!(sweep.sweep.energy_failures >= 2);
    assert!(sweep.transactions.is_empty(), "nothing is burned in its place");
    let price = rig.spent().await;
    assert_eq!(
        rig.house_balance().await + rig.house_held().await,
        price,
        "paid once, and it came back"
    );
    rig.supplier(50_000).await;
    rig.wait_sweeps(SweepState::Completed).await;
    assert_eq!(rig.usdt_of(treasury.address).await, 530_000_000);
    assert_eq!(rig.spent().await, price, "what came back paid for the next order");
    assert_eq!(rig.sun_of(address).await, TRX);
    let open = rig.open_findings().await;
    assert!(!open.iter().any(|finding| finding.starts_with("sweeps.")), "{open:?}");
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_chain_has_not_is_not_looked_for_again() {
    let (rig, _worker) = Rig::with_worker().await;
    rig.treasury(1_000, 0).await;
    rig.keep_account().await;
    let payer = Payer::new(&rig);
    let address = rig.paid_in(&payer, 1, trx(20)).await;
    // somebody with the words moves it by hand
    let key = key_of_address(0);
    assert_eq!(key.address(), address);
    let node = rig.node();
    let unsigned = UnsignedTx {
        contract: ContractBody::Transfer {
            owner: address,
            to: rig.customer_account(),
            amount_sun: 18 * TRX,
        },
        reference: BlockReference::of(&node.solid_head().await.unwrap()).unwrap(),
        timestamp_ms: rig.devnet.head_ms(),
        expiration_ms: rig.devnet.head_ms() + 60_000,
        fee_limit_sun: 0,
        memo: Vec::new(),
        permission_id: 0,
    };
    let signed = sign_transaction(unsigned.encode(), &key);
    rig.note_foreign(signed.txid.to_string());
    node.broadcast(&signed.bytes).await;
    rig.mine(8);
    rig.idle().await;
    assert_eq!(rig.plan_sweeps().await, 1);
    rig.wait_sweeps(SweepState::Cancelled).await;
    let sweep = rig.sweeps().await.remove(0);
    assert_eq!(sweep.sweep.reason_code.as_deref(), Some("below_threshold"));
    assert!(sweep.transactions.is_empty());
    assert_eq!(rig.plan_sweeps().await, 1);
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_that_a_fork_takes_back_lands_again_and_is_collected_once() {
    let (rig, _worker) = Rig::with_worker().await;
    let treasury = rig.treasury(1_000, 0).await;
    rig.keep_account().await;
    let payer = Payer::new(&rig);
    for (user, keep) in [(1, ForkKeep::DropAll), (2, ForkKeep::Keep)] {
        rig.paid_in(&payer, user, trx(20)).await;
        rig.plan_sweeps().await;
        rig.until("in a block", async || {
            let all = rig.sweeps().await;
            all.last().is_some_and(|one| one.sweep.state == SweepState::Sent)
        })
        .await;
        rig.fork(1, &keep);
        rig.wait_sweeps(SweepState::Completed).await;
        let sweep = rig.sweeps().await.pop().unwrap();
        assert_eq!(
            timeline(&sweep),
            ["planned", "signed", "sent", "reverted", "sent", "completed"]
        );
        assert_eq!(sweep.transactions.len(), 1, "the same bytes");
    }
    assert_eq!(rig.sun_of(treasury.address).await, 1_040 * TRX);
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_nodes_lost_die_before_another_is_signed() {
    let (rig, _worker) = Rig::with_worker().await;
    rig.expect_finding("chain.nothing_lands");
    let treasury = rig.treasury(1_000, 0).await;
    rig.keep_account().await;
    let payer = Payer::new(&rig);
    rig.paid_in(&payer, 1, trx(20)).await;
    rig.devnet
        .add_fault(FaultRule::always(SEND, Fault::AcceptAndDrop))
        .unwrap();
    rig.plan_sweeps().await;
    rig.until("the first is dead", async || {
        let sweep = rig.sweeps().await.remove(0);
        let transactions = sweep.transactions;
        assert!(transactions.len() <= 1 || transactions[0].state == TxState::Dead);
        transactions.first().is_some_and(|tx| tx.state == TxState::Dead)
    })
    .await;
    rig.devnet.clear_faults();
    rig.wait_sweeps(SweepState::Completed).await;
    let sweep = rig.sweeps().await.remove(0);
    assert_eq!(sweep.transactions[0].death_cause, Some(DeathCause::Expired));
    assert_eq!((sweep.sweep.attempts, sweep.transactions.len()), (2, 2));
    assert_eq!(rig.sun_of(treasury.address).await, 1_020 * TRX);
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_workers_collect_each_address_once() {
    let (rig, _worker) = Rig::with_worker().await;
    rig.supplier(200_000).await;
    let treasury = rig.treasury(1_000, 500).await;
    rig.keep_account().await;
    let _second = rig.start(Does::Everything);
    let payer = Payer::new(&rig);
    for user in 1..=3 {
        rig.paid_in(&payer, user, trx(10)).await;
        rig.paid_in(&payer, 10 + user, usdt(20)).await;
    }
    rig.plan_sweeps().await;
    assert_eq!(rig.plan_sweeps().await, 6);
    rig.wait_sweeps(SweepState::Completed).await;
    for sweep in rig.sweeps().await {
        let collecting = sweep
            .transactions
            .iter()
            .filter(|tx| tx.intent_kind == IntentKind::Sweep);
        assert_eq!(collecting.count(), 1);
    }
    assert_eq!(rig.usdt_of(treasury.address).await, 560_000_000);
    let burned = rig.burned().await;
    assert_eq!(burned, 3 * 1_100_000, "three accounts");
    assert_eq!(rig.sun_of(treasury.address).await, 1_030 * TRX - burned - 3);
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_keeps_an_account_and_its_key_is_rotated_with_the_others() {
    let (mut rig, worker) = Rig::with_worker().await;
    let generated = rig.command(&["deposit-key", "generate"]).await;
    let told = String::from_utf8(generated.stdout).unwrap();
    assert!(
        generated.status.success(),
        "{}",
        String::from_utf8_lossy(&generated.stderr)
    );
    let words = told.lines().find(|line| line.split(' ').count() == 24).unwrap();
    let account = tron::AccountPrivateKey::from_mnemonic(&tron::Mnemonic::parse(words).unwrap(), "").unwrap();
    assert!(told.contains(&format!("deposits.account_xpub = \"{}\"", account.xpub())));
    let kept = rig.lines("SELECT fingerprint AS line FROM deposit_account_keys").await;
    assert_eq!(kept, [account.fingerprint()]);
    let listed = rig.command(&["deposit-key", "list"]).await;
    assert!(
        String::from_utf8(listed.stdout)
            .unwrap()
            .contains(&account.fingerprint())
    );
    rig.idle().await;
    worker.stop().await;
    rig.world.masters.insert(0, (2, random_hex()));
    let rotated = rig.command(&["rotate-master-key"]).await;
    assert!(rotated.status.success(), "{}", String::from_utf8_lossy(&rotated.stderr));
    let under = rig
        .count("SELECT master_key_id::bigint AS n FROM deposit_account_keys")
        .await;
    assert_eq!(under, 2);
    rig.world.masters.truncate(1);
    let _worker = rig.start(Does::Everything);
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn coin_that_a_contract_sent_is_held_where_a_node_tells_of_it_and_missed_by_nobody_where_none_does() {
    let (rig, _worker) = Rig::with_worker().await;
    rig.expect_finding("deposits.held");
    rig.expect_finding("sweeps.unrecorded");
    let treasury = rig.treasury(1_000, 0).await;
    rig.keep_account().await;
    let payer = Payer::new(&rig);
    let before = rig.balance(USER).await;
    let address = rig.paid_in(&payer, 1, trx(20)).await;
    let receipts = "gettransactioninfobyblocknum";
    rig.devnet
        .add_fault(FaultRule::always(receipts, Fault::MissingInternal))
        .unwrap();
    payer.pay(&rig, address, Sent::TrxByContract(3 * TRX)).await;
    rig.mine(1);
    rig.quiesce().await;
    assert_eq!(rig.transfers().await, ["credited exact"]);
    // nobody knows of it, and it is collected with the rest
    assert_eq!(rig.plan_sweeps().await, 1);
    rig.wait_sweeps(SweepState::Completed).await;
    assert_eq!(rig.sun_of(treasury.address).await, 1_023 * TRX);
    let findings = async || {
        rig.ask(JobKind::OperationsReconcile, "books").await;
        rig.quiesce().await;
        rig.open_findings().await
    };
    assert_eq!(findings().await, [format!("sweeps.unrecorded address:tron:{address}")]);
    // another node keeps internal transactions
    rig.devnet.clear_faults();
    let solid = rig.devnet.solid().to_string();
    let output = rig
        .command(&["deposits", "backfill", "--from", "1", "--to", &solid])
        .await;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    rig.until("it is held", async || {
        rig.transfers().await == ["credited exact", "held by_contract"]
    })
    .await;
    let open = findings().await;
    assert!(open.len() == 1 && open[0].starts_with("deposits.held"), "{open:?}");
    let held = rig
        .lines("SELECT id::text AS line FROM incoming_transfers WHERE state = 'held'")
        .await;
    let words = [
        "deposits",
        "credit",
        &held[0],
        "--reason",
        "he paid through a contract",
        "--operator",
        "ops",
    ];
    let output = rig.command(&words).await;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(rig.balance(USER).await - before, 23 * TRX);
    assert_eq!(findings().await, [""; 0]);
    rig.judge().await;
}
