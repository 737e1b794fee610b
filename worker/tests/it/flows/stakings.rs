//! Coin of supplier wallets is staked, unstaked and taken back: once, within its bounds, by operators and by the policy.

use ::devnet::{Fault, FaultRule, ForkKeep};
use chain::ChainClient;
use db::models::{DeathCause, StakeResource, StakingAction, StakingSource, StakingState, TxState};
use serde_json::{Value, json};

use crate::harness::{Does, Rig, Supplier, TRX, Worker, staked_for, timeline_of};

const SEND: &str = "broadcasthex";
const DAY_S: u32 = 86_400;

impl Rig {
    /// A supplier with this stake for energy and 1,000 TRX of coin beside so much more.
    async fn rich_supplier(&self, stake_trx: i64, coin_trx: i64) -> Supplier {
        let supplier = self.supplier(stake_trx).await;
        self.devnet.faucet(supplier.address, coin_trx * TRX).unwrap();
        self.read_again(&supplier).await;
        supplier
    }

    async fn read_again(&self, supplier: &Supplier) {
        self.ask(jobs::JobKind::WalletsSync, &supplier.id.to_string()).await;
        self.quiesce().await;
    }

    /// Coin, stake for energy and stake for bandwidth of a wallet by the chain, in TRX, rounded down.
    async fn trx_of(&self, supplier: &Supplier) -> (i64, i64, i64) {
        let read = self.node().wallet_snapshot(supplier.address).await.unwrap();
        let parts = [read.balance_sun, read.staked_energy_sun, read.staked_bandwidth_sun].map(|sun| sun / TRX);
        (parts[0], parts[1], parts[2])
    }

    async fn sellable_trx(&self) -> i64 {
        let mut conn = db::acquire(&self.owner).await.unwrap();
        db::models::SupplierWallet::sellable_sun(&mut conn).await.unwrap() / TRX
    }
}

fn all_of(action: &str) -> Value {
    json!({ "action": action })
}

#[tokio::test(flavor = "multi_thread")]
async fn stake_for_energy_raises_what_can_be_sold() {
    let (rig, _worker) = Rig::with_worker().await;
    let supplier = rig.rich_supplier(10, 20_000).await;
    assert_eq!(rig.sellable_trx().await, 10);
    let id = rig
        .stake(supplier.id, staked_for("stake", "energy", 15_000))
        .await
        .unwrap();
    rig.wait_staking(id, StakingState::Done).await;
    rig.quiesce().await;
    let done = rig.staking(id).await;
    assert_eq!(timeline_of(&done), ["requested", "signed", "sent", "done"]);
    assert_eq!((done.staking.attempts, done.transactions.len()), (1, 1));
    assert_eq!(done.staking.source, StakingSource::Operator);
    assert_eq!(done.transactions[0].fee_sun, Some(0), "bandwidth is staked for it");
    assert_eq!(rig.trx_of(&supplier).await, (6_000, 15_010, 200_000));
    assert_eq!(rig.sellable_trx().await, 15_010, "it is read again");
    // what is new is lent
    let order = rig.order(rig.wish()).await;
    rig.wait_settled(order).await;
    assert!(rig.detail(order).await.delegations[0].0.amount_sun > 1_000 * TRX);
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unstaked_coin_is_back_after_fourteen_days_and_what_is_lent_stays() {
    let (rig, _worker) = Rig::with_worker().await;
    rig.expect_finding("stakings.failed");
    let supplier = rig.supplier(20_000).await;
    let order = rig.order(rig.wish()).await;
    rig.wait_settled(order).await;
    let lent = rig.detail(order).await.delegations[0].0.amount_sun;
    rig.quiesce().await;
    let too_much = staked_for("unstake", "energy", 20_001 - lent / TRX);
    assert_eq!(rig.stake(supplier.id, too_much).await, Err("stake_refused".into()));

    let id = rig
        .stake(supplier.id, staked_for("unstake", "energy", 5_000))
        .await
        .unwrap();
    rig.meanwhile("it is on its way", async || {
        rig.staking(id).await.staking.state == StakingState::Processing
    })
    .await;
    assert_eq!(
        rig.wallet(supplier.id).await.reserved_sun,
        5_000 * TRX,
        "nobody lends it"
    );
    rig.wait_staking(id, StakingState::Done).await;
    rig.quiesce().await;
    let wallet = rig.wallet(supplier.id).await;
    assert_eq!(
        (wallet.reserved_sun, wallet.staked_energy_sun),
        (0, 15_000 * TRX - lent)
    );
    let (coin, ..) = rig.trx_of(&supplier).await;

    // not before its time
    let early = rig.stake(supplier.id, all_of("withdraw")).await.unwrap();
    rig.wait_staking(early, StakingState::Failed).await;
    let early = rig.staking(early).await;
    assert_eq!(early.staking.reason_code.as_deref(), Some("nothing_ready"));
    assert!(early.transactions.is_empty(), "nothing was signed");

    rig.pass(14 * DAY_S);
    rig.idle().await;
    let id = rig.stake(supplier.id, all_of("withdraw")).await.unwrap();
    rig.wait_staking(id, StakingState::Done).await;
    let done = rig.staking(id).await;
    assert_eq!(done.staking.moved_sun, Some(5_000 * TRX));
    assert_eq!(timeline_of(&done), ["requested", "signed", "sent", "done"]);
    assert_eq!(rig.trx_of(&supplier).await.0, coin + 5_000);
    rig.quiesce().await;
    assert_eq!(rig.wallet(supplier.id).await.balance_sun / TRX, coin + 5_000);
    assert!(rig.open_findings().await.is_empty(), "it was mended");
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_still_waits_is_staked_again_when_it_is_cancelled() {
    let (rig, _worker) = Rig::with_worker().await;
    let supplier = rig.supplier(20_000).await;
    for resource in ["energy", "bandwidth"] {
        let id = rig
            .stake(supplier.id, staked_for("unstake", resource, 3_000))
            .await
            .unwrap();
        rig.wait_staking(id, StakingState::Done).await;
        rig.quiesce().await;
    }
    assert_eq!(rig.trx_of(&supplier).await, (1_000, 17_000, 197_000));
    let id = rig.stake(supplier.id, all_of("cancel")).await.unwrap();
    rig.wait_staking(id, StakingState::Done).await;
    assert_eq!(rig.staking(id).await.staking.moved_sun, Some(6_000 * TRX));
    assert_eq!(rig.trx_of(&supplier).await, (1_000, 20_000, 200_000));
    rig.quiesce().await;
    assert_eq!(rig.sellable_trx().await, 20_000);
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_send_whose_answer_is_lost_stakes_once() {
    let (rig, _worker) = Rig::with_worker().await;
    let supplier = rig.rich_supplier(10, 20_000).await;
    let faults = [
        Fault::DropConnection { processed: true },
        Fault::DropConnection { processed: false },
        Fault::RefuseButInclude {
            code: "CONTRACT_VALIDATE_ERROR".into(),
            message: "Contract validate error : frozenBalance must be less than or equal to accountBalance".into(),
        },
    ];
    for (n, fault) in (1..).zip(faults) {
        rig.devnet.add_fault(FaultRule::times(SEND, 1, fault.clone())).unwrap();
        let key = format!("stake-{n}");
        let wish = || staked_for("stake", "energy", 1_000);
        let id = rig.stake_once(supplier.id, wish(), &key).await.unwrap();
        assert_eq!(
            rig.stake_once(supplier.id, wish(), &key).await,
            Ok(id),
            "asked for once"
        );
        rig.wait_staking(id, StakingState::Done).await;
        rig.devnet.clear_faults();
        let done = rig.staking(id).await;
        assert_eq!((done.staking.attempts, done.transactions.len()), (1, 1), "{fault:?}");
        assert_eq!(rig.trx_of(&supplier).await.1, 10 + n * 1_000, "{fault:?}");
        rig.quiesce().await;
    }
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_nodes_lost_die_before_another_is_signed() {
    let (rig, _worker) = Rig::with_worker().await;
    rig.expect_finding("chain.nothing_lands");
    let supplier = rig.rich_supplier(10, 20_000).await;
    rig.devnet
        .add_fault(FaultRule::always(SEND, Fault::AcceptAndDrop))
        .unwrap();
    let id = rig
        .stake(supplier.id, staked_for("stake", "bandwidth", 2_000))
        .await
        .unwrap();
    rig.until("the first is dead", async || {
        let transactions = rig.staking(id).await.transactions;
        assert!(transactions.len() <= 1 || transactions[0].state == TxState::Dead);
        transactions.first().is_some_and(|tx| tx.state == TxState::Dead)
    })
    .await;
    rig.devnet.clear_faults();
    rig.wait_staking(id, StakingState::Done).await;
    let done = rig.staking(id).await;
    assert_eq!(done.transactions[0].death_cause, Some(DeathCause::Expired));
    assert_eq!((done.staking.attempts, done.transactions.len()), (2, 2));
    assert_eq!(rig.trx_of(&supplier).await, (19_000, 10, 202_000));
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_staking_that_a_fork_takes_back_lands_again_and_once() {
    let (rig, _worker) = Rig::with_worker().await;
    let supplier = rig.supplier(20_000).await;
    for keep in [ForkKeep::DropAll, ForkKeep::Keep] {
        let id = rig
            .stake(supplier.id, staked_for("unstake", "energy", 1_000))
            .await
            .unwrap();
        rig.wait_staking(id, StakingState::Sent).await;
        rig.fork(1, &keep);
        rig.wait_staking(id, StakingState::Done).await;
        let done = rig.staking(id).await;
        assert_eq!(
            timeline_of(&done),
            ["requested", "signed", "sent", "reverted", "sent", "done"]
        );
        assert_eq!(done.transactions.len(), 1, "the same bytes");
        rig.quiesce().await;
    }
    assert_eq!(rig.trx_of(&supplier).await.1, 18_000);
    rig.judge().await;
}

impl Rig {
    /// A service whose policy stakes, and one worker.
    async fn staking_by_policy(wallet_day_trx: i64, all_day_trx: i64) -> (Self, Worker) {
        let mut rig = Self::new().await;
        rig.world.stake.enabled = true;
        rig.world.stake.rules.wallet_day_sun = wallet_day_trx * TRX;
        rig.world.stake.rules.all_day_sun = all_day_trx * TRX;
        rig.world.low_stock_energy = 1_000_000_000;
        let worker = rig.start(Does::Everything);
        (rig, worker)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_policy_stakes_for_energy_while_stock_is_low_within_the_day_and_the_liquid_share() {
    let (rig, _worker) = Rig::staking_by_policy(50_000, 60_000).await;
    // each has 300,000 TRX in all: 30,000 stay liquid
    let mut suppliers = Vec::new();
    for _ in 0..2 {
        suppliers.push(rig.rich_supplier(10_000, 89_000).await);
    }
    assert_eq!(rig.plan_stakes().await, 2);
    let mut staked = Vec::new();
    for one in rig.stakings().await {
        assert_eq!(one.staking.state, StakingState::Done);
        assert_eq!(one.staking.source, StakingSource::Policy);
        assert_eq!(one.staking.resource, Some(StakeResource::Energy));
        staked.push(one.staking.amount_sun.unwrap() / TRX);
    }
    staked.sort_unstable();
    assert_eq!(staked, [10_000, 50_000], "a wallet's limit, and that of all");
    assert_eq!(rig.plan_stakes().await, 2, "no more in this day");
    rig.pass(DAY_S);
    assert_eq!(rig.plan_stakes().await, 4);
    rig.pass(DAY_S);
    rig.plan_stakes().await;
    for supplier in &suppliers {
        assert_eq!(rig.trx_of(supplier).await, (30_000, 70_000, 200_000));
    }
    rig.pass(DAY_S);
    let all = rig.stakings().await.len();
    assert_eq!(rig.plan_stakes().await, all, "the rest stays liquid");
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_policy_stakes_for_bandwidth_first_and_warns_where_there_is_no_coin() {
    let (rig, _worker) = Rig::staking_by_policy(50_000, 60_000).await;
    rig.expect_finding("wallets.burns_soon");
    let rich = rig.bare_supplier(10_000, 10_000).await;
    let poor = rig.bare_supplier(25, 10_000).await;
    rig.quiesce().await;
    let warned = [format!("wallets.burns_soon wallet:{}", poor.id)];
    assert_eq!(rig.open_findings().await, warned);
    rig.plan_stakes().await;
    let first = rig.stakings().await;
    let of_rich = first.iter().find(|one| one.staking.wallet_id == rich.id.0).unwrap();
    assert_eq!(of_rich.staking.resource, Some(StakeResource::Bandwidth));
    let read = rig.node().wallet_snapshot(rich.address).await.unwrap();
    assert!(read.bandwidth_limit >= 3_000, "ten transactions of 300 points");
    // what the wallet lends is paid by it
    let before = rig.trx_of(&rich).await.0;
    rig.toggle(poor.id, false).await;
    let order = rig.order(rig.wish()).await;
    rig.wait_settled(order).await;
    assert_eq!(rig.trx_of(&rich).await.0, before, "nothing is burned");
    // and only then it is staked for energy
    rig.plan_stakes().await;
    let last = rig.stakings().await.pop().unwrap();
    assert_eq!(last.staking.resource, Some(StakeResource::Energy));
    assert_eq!(last.staking.wallet_id, rich.id.0);
    rig.read_again(&poor).await;
    assert!(rig.open_findings().await.is_empty(), "it is not in use any more");
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_policy_takes_back_what_has_waited() {
    let (mut rig, worker) = Rig::staking_by_policy(50_000, 60_000).await;
    worker.stop().await;
    rig.world.low_stock_energy = 0;
    let _worker = rig.start(Does::Everything);
    let supplier = rig.supplier(20_000).await;
    let id = rig
        .stake(supplier.id, staked_for("unstake", "energy", 4_000))
        .await
        .unwrap();
    rig.wait_staking(id, StakingState::Done).await;
    assert_eq!(rig.plan_stakes().await, 1, "it still waits, and there is energy enough");
    rig.pass(14 * DAY_S);
    rig.idle().await;
    assert_eq!(rig.plan_stakes().await, 2);
    let taken = rig.stakings().await.pop().unwrap();
    assert_eq!(
        (taken.staking.action, taken.staking.state, taken.staking.source),
        (StakingAction::Withdraw, StakingState::Done, StakingSource::Policy)
    );
    assert_eq!(rig.trx_of(&supplier).await, (5_000, 16_000, 200_000));
    assert_eq!(rig.plan_stakes().await, 2);
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_stakes_by_command_and_may_try_it_first() {
    let (rig, worker) = Rig::with_worker().await;
    let supplier = rig.rich_supplier(10, 2_000).await;
    let address = supplier.address.to_string();
    let run = async |words: &[&str]| {
        let by = ["--operator", "anna", "--reason", "energy is sold out"];
        let ran = rig.command(&[words, &by].concat()).await;
        let told = String::from_utf8_lossy(&ran.stdout).into_owned() + &String::from_utf8_lossy(&ran.stderr);
        (ran.status.success(), told)
    };
    let (well, told) = run(&["stake", "energy", &address, "1000", "--dry-run"]).await;
    assert!(well && told.contains("there is room for 2980.000000 TRX"), "{told}");
    let (well, told) = run(&["stake", "energy", &address, "2981", "--dry-run"]).await;
    assert!(!well && told.contains("only 2980.000000 TRX"), "{told}");
    assert!(rig.stakings().await.is_empty(), "nothing is written");
    assert_eq!(rig.count("SELECT count(*) AS n FROM operator_actions").await, 0);
    let (well, told) = run(&["stake", "energy", &address, "1000"]).await;
    assert!(well && told.contains("asked for as"), "{told}");
    rig.until("it is done", async || {
        rig.stakings().await[0].staking.state == StakingState::Done
    })
    .await;
    let listed = rig.command(&["stake", "list", "--wallet", &address]).await;
    let listed = String::from_utf8(listed.stdout).unwrap();
    assert!(
        listed.contains("operator:anna") && listed.contains("1000.000000"),
        "{listed}"
    );
    rig.quiesce().await;
    worker.stop().await;
    // asked for while no worker runs, it can be given up
    let (well, told) = run(&["stake", "undo", "energy", &address, "500"]).await;
    assert!(well, "{told}");
    let id = rig.stakings().await[1].staking.id.to_string();
    let (well, told) = run(&["stake", "revoke", &id]).await;
    assert!(well && told.contains("1 of 1 given up"), "{told}");
    assert_eq!(rig.stakings().await[1].staking.state, StakingState::Cancelled);
    let shown = rig.command(&["stake", "show", &id]).await;
    assert!(String::from_utf8(shown.stdout).unwrap().contains("by_operator"));
    let _worker = rig.start(Does::Everything);
    rig.judge().await;
}
