//! Signed at most once at a time, whatever nodes say and forks do.

use chain::{Refusal, TransactionSeen};
use db::models::{OrderState, SweepState, TxState};
use db::{acquire, run_tx};
use domain::delegations::Adoption;
use domain::operations::{Instruction, SweepRuling, rule_sweep};
use domain::reconcile::holdings::{Holdings, books, shortages};
use domain::sweeps::{EnergyStanding, House, rent, unrent};
use domain::{DomainError, orders};
use kernel::{Amount, Asset, OrderId, UserId};
use ledger::movements::{DepositCredit, OnChain, credit_and_exchange_in_tx};
use switchyard_domain as domain;

use super::{HOUSE, TRX};
use crate::harness::{failed, landed, refused};
use crate::world::World;

fn with_fee(seen: TransactionSeen, fee_sun: i64) -> TransactionSeen {
    TransactionSeen { fee_sun, ..seen }
}

impl World {
    async fn fees(&self) -> i64 {
        self.number("SELECT coalesce(sum(amount), 0) FROM ledger_transfers WHERE debit_account = 'house:fees:nile:TRX'")
            .await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_is_over_once_its_block_is_solidified_and_marks_what_it_took() {
    let world = World::new().await;
    world.account().await;
    let treasury = world.sweep_treasury(1, 100 * TRX).await;
    world.deposit_at(1, Asset::Trx, 30 * TRX).await;
    world.plan(&world.sweep_policy()).await;
    let sweep = world.sweep().await;
    let tx = world.collect(sweep, treasury, 30 * TRX).await.unwrap();
    assert_eq!(world.collect(sweep, treasury, 30 * TRX).await, Err("nothing to do"));
    // a refusal proves nothing of a payment
    assert!(!world.answer(&tx, &refused(Refusal::Other), true).await.died);
    world.mine(&[with_fee(landed(&tx), 268_000)]).await;
    assert_eq!(world.sweep_state(sweep).await, SweepState::Sent);
    let unswept = "incoming_transfers WHERE swept_by IS NULL";
    assert_eq!((world.count(unswept).await, world.fees().await), (1, 0));
    world.drain_jobs().await;
    world.solidify().await;
    assert_eq!(world.finalise().await, 1);
    assert_eq!(world.sweep_state(sweep).await, SweepState::Completed);
    assert_eq!((world.count(unswept).await, world.fees().await), (0, 268_000));
    assert!(world.has_job("wallets.sync", treasury).await, "the treasury is read");
    assert_eq!(
        world.sweep_events(sweep).await,
        ["planned", "signed", "sent", "completed"]
    );
    assert_eq!(world.plan(&world.sweep_policy()).await, 0);
    assert_eq!(world.finalise().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_is_signed_only_after_a_proven_death_and_no_wallet_is_blamed() {
    let world = World::new().await;
    world.account().await;
    let treasury = world.sweep_treasury(1, 100 * TRX).await;
    world.deposit_at(1, Asset::Trx, 30 * TRX).await;
    world.plan(&world.sweep_policy()).await;
    let sweep = world.sweep().await;
    for attempt in 1..=4 {
        let tx = world.collect(sweep, treasury, 30 * TRX).await.unwrap();
        assert!(!world.bury(&tx).await);
        assert_eq!(world.sweep_state(sweep).await, SweepState::Processing);
        if attempt < 3 {
            world.mine(&[with_fee(failed(&tx), 1)]).await;
            world.solidify().await;
            assert_eq!(world.finalise().await, 1);
        } else {
            world.mine_at(tx.expires_at + chrono::Duration::seconds(3)).await;
            world.solidify().await;
            assert!(world.bury(&tx).await);
        }
        assert_eq!(world.sweep_state(sweep).await, SweepState::Planned);
        assert!(world.has_job("deposits.sweep", sweep).await);
    }
    assert_eq!(world.number("SELECT max(failures) FROM supplier_wallets").await, 0);
    assert_eq!(world.count("supplier_wallets WHERE isolated_at IS NOT NULL").await, 0);
    assert_eq!(world.fees().await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_dead_transaction_landed_nothing_is_signed_until_it_is_adopted() {
    let world = World::new().await;
    world.account().await;
    let treasury = world.sweep_treasury(1, 100 * TRX).await;
    world.deposit_at(1, Asset::Trx, 30 * TRX).await;
    world.plan(&world.sweep_policy()).await;
    let sweep = world.sweep().await;
    let tx = world.collect(sweep, treasury, 30 * TRX).await.unwrap();
    world.mine_at(tx.expires_at + chrono::Duration::seconds(3)).await;
    world.solidify().await;
    assert!(world.bury(&tx).await);
    let block = world.mine(&[landed(&tx)]).await;
    assert_eq!(
        world.collect(sweep, treasury, 30 * TRX).await,
        Err("dead_transaction_landed")
    );
    world.solidify().await;
    assert_eq!(world.adopt(&tx, &block).await, Adoption::Adopted { wakes: Vec::new() });
    assert_eq!(world.sweep_state(sweep).await, SweepState::Completed);
    assert_eq!(world.tx_state(&tx).await, TxState::Final);
    assert_eq!(world.count("incoming_transfers WHERE swept_by IS NULL").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn coin_for_new_accounts_counts_against_the_treasury_until_it_is_read() {
    let world = World::new().await;
    world.account().await;
    // enough for one: what it sends, what the chain takes, what stays
    world.sweep_treasury(1, 5 * TRX + 1_100_001 + 1_100_000).await;
    for place in [1, 2] {
        world.deposit_at(place, Asset::Usdt, 60 * TRX).await;
    }
    world.plan(&world.sweep_policy()).await;
    let ids = world.words("SELECT id::text AS word FROM sweeps ORDER BY id").await;
    let [first, second] = [&ids[0], &ids[1]].map(|id| id.parse().unwrap());
    let tx = world.activate(first).await.unwrap();
    assert_eq!(world.activate(first).await, Err("nothing to do"));
    assert_eq!(world.activate(second).await, Err("no_treasury_fits"));
    assert_eq!(world.sweep_state(first).await, SweepState::Activating);
    world.mine(&[with_fee(landed(&tx), 1_100_000)]).await;
    assert_eq!(
        world.sweep_state(first).await,
        SweepState::Activating,
        "it may be taken back"
    );
    assert_eq!(world.activate(second).await, Err("no_treasury_fits"));
    world.drain_jobs().await;
    world.solidify().await;
    assert_eq!(world.finalise().await, 1);
    assert_eq!(world.sweep_state(first).await, SweepState::Planned);
    assert!(world.has_job("deposits.sweep", first).await);
    assert_eq!(world.fees().await, 1_100_000);
    assert_eq!(
        world.sweep_events(first).await,
        ["planned", "activation_signed", "activated"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn energy_is_paid_by_the_house_once_and_what_comes_back_is_used_first() {
    let world = World::new().await;
    world.account().await;
    world.deposit_at(1, Asset::Usdt, 60 * TRX).await;
    let policy = world.sweep_policy();
    world.plan(&policy).await;
    let sweep = world.sweep().await;
    let house = House {
        user: UserId(HOUSE),
        api_key: world.key,
    };
    let order = async || {
        rent(
            &world.worker,
            &world.ids,
            (&policy, house),
            (sweep, 66_214),
            world.now(),
        )
        .await
        .unwrap();
        let order = world.swept(sweep).await.order_id.unwrap();
        world.find(OrderId(order)).await
    };
    let first = order().await;
    assert_eq!(world.sweep_state(sweep).await, SweepState::Renting);
    assert_eq!(
        (first.user_id, first.state, first.duration_s),
        (HOUSE, OrderState::Pending, 300)
    );
    assert_eq!(world.fees().await, first.price_sun);
    assert_eq!(world.trx(HOUSE).await, 0);
    assert_eq!(EnergyStanding::of(&first, world.now()), EnergyStanding::Ordered);
    assert!(
        rent(
            &world.worker,
            &world.ids,
            (&policy, house),
            (sweep, 66_214),
            world.now()
        )
        .await
        .unwrap()
        .is_empty()
    );
    orders::cancel_by_user(&world.api, &world.ids, OrderId(first.id), "api_key:x", world.now())
        .await
        .unwrap();
    let gone = EnergyStanding::of(&world.find(OrderId(first.id)).await, world.now());
    assert_eq!(gone, EnergyStanding::Failed);
    for failures in [1, 2] {
        let counted = unrent(&world.worker, &world.ids, &policy, (sweep, gone), world.now()).await;
        assert_eq!(counted.unwrap(), failures);
        let alarmed = world.findings().await == ["sweeps.no_energy"];
        assert_eq!(alarmed, failures == 2);
        let next = order().await;
        assert_ne!(next.id, first.id);
        assert_eq!(
            (world.fees().await, world.trx(HOUSE).await),
            (first.price_sun, 0),
            "paid once"
        );
        orders::cancel_by_user(&world.api, &world.ids, OrderId(next.id), "api_key:x", world.now())
            .await
            .unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_may_not_order_energy_for_an_address_that_is_collected() {
    let world = World::new().await;
    world.account().await;
    world.deposit_at(1, Asset::Usdt, 60 * TRX).await;
    world.plan(&world.sweep_policy()).await;
    let receiver = world.word("SELECT address AS word FROM supplier_wallets").await;
    let mut request = world.request("customer", 1);
    request.receiver = receiver.parse().unwrap();
    assert!(matches!(
        world.accept(&request).await,
        Err(DomainError::ReceiverIsSupplier)
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_gives_up_only_what_is_surely_not_on_its_way() {
    let world = World::new().await;
    world.account().await;
    let treasury = world.sweep_treasury(1, 100 * TRX).await;
    world.deposit_at(1, Asset::Trx, 30 * TRX).await;
    world.plan(&world.sweep_policy()).await;
    let sweep = world.sweep().await;
    let rule = async |ruling, reason: Option<&str>| {
        let instruction = Instruction {
            actor: "operator:anna".into(),
            name: "anna".into(),
            reason: reason.map(ToOwned::to_owned),
            mark: None,
            dry_run: false,
        };
        rule_sweep(&world.worker, &world.ids, &instruction, (sweep, ruling), world.now())
            .await
            .map(|(sweep, _)| sweep.state)
    };
    assert!(matches!(
        rule(SweepRuling::Cancel, None).await,
        Err(DomainError::BadReason)
    ));
    assert_eq!(rule(SweepRuling::Retry, None).await.unwrap(), SweepState::Planned);
    let tx = world.collect(sweep, treasury, 30 * TRX).await.unwrap();
    assert!(matches!(
        rule(SweepRuling::Cancel, Some("x")).await,
        Err(DomainError::SweepStanding(SweepState::Processing))
    ));
    world.mine_at(tx.expires_at + chrono::Duration::seconds(3)).await;
    world.solidify().await;
    assert!(world.bury(&tx).await);
    assert_eq!(
        rule(SweepRuling::Cancel, Some("x")).await.unwrap(),
        SweepState::Cancelled
    );
    assert_eq!(
        world.plan(&world.sweep_policy()).await,
        1,
        "what lies there is planned anew"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn more_collected_than_came_is_told_until_it_is_recorded_or_an_operator_knows() {
    let world = World::new().await;
    world.account().await;
    let treasury = world.sweep_treasury(1, 100 * TRX).await;
    let collect = async |sun: i64| {
        world.deposit_at(1, Asset::Trx, 30 * TRX).await;
        assert_eq!(world.plan(&world.sweep_policy()).await, 1);
        let id = "SELECT id::text AS word FROM sweeps ORDER BY id";
        let sweep = world.word(id).await.parse().unwrap();
        let tx = world.collect(sweep, treasury, sun).await.unwrap();
        world.mine(&[landed(&tx)]).await;
        world.solidify().await;
        assert_eq!(world.finalise().await, 1);
    };
    let found = async || {
        world.reconcile().await;
        let sql = "SELECT subject || ' ' || (detail ->> 'unrecorded_minor') AS word FROM findings \
                   WHERE kind = 'sweeps.unrecorded' AND resolved_at IS NULL";
        world.words(sql).await
    };
    collect(30 * TRX).await;
    assert_eq!(found().await, [""; 0], "all of it was recorded");
    collect(37 * TRX).await;
    let address = crate::world::address(61);
    let said = |sun: i64| [format!("address:nile:{address} {sun}")];
    assert_eq!(found().await, said(7 * TRX));
    // it stays however long nobody looks
    world.clock.advance_seconds(5 * 86_400);
    assert_eq!(found().await, said(7 * TRX));
    // a part turns up, whoever is credited with it
    let recorded = "INSERT INTO incoming_transfers (id, network, txid, log_index, block_number, block_id, block_time, place, \
        from_address, to_address, address_id, amount, state, kind, decided_by, decided_at, created_at, updated_at) \
        SELECT gen_random_uuid(), network, txid, -2, block_number, block_id, block_time, 1, from_address, to_address, \
            address_id, 5000000, 'held', 'by_contract', 'worker', decided_at, created_at, updated_at \
        FROM incoming_transfers ORDER BY id LIMIT 1";
    world.db.sql(recorded).await;
    assert_eq!(found().await, said(2 * TRX));
    let resolved = "UPDATE findings SET resolved_at = now(), resolved_by = 'operator:ops', resolved_reason = 'given by hand' \
                    WHERE kind = 'sweeps.unrecorded'";
    world.db.sql(resolved).await;
    assert_eq!(found().await, [""; 0]);
    world
        .db
        .sql("UPDATE incoming_transfers SET state = 'refunded', reason = 'paid back' WHERE state = 'held'")
        .await;
    collect(31 * TRX).await;
    assert_eq!(found().await, said(3 * TRX), "more than he knew of");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_credited_after_it_was_collected_is_not_looked_for() {
    let world = World::new().await;
    world.account().await;
    let treasury = world.sweep_treasury(1, 100 * TRX).await;
    world.deposit_at(1, Asset::Trx, 30 * TRX).await;
    world.plan(&world.sweep_policy()).await;
    let sweep = world.sweep().await;
    let held = |state: &str, block: i64, n: i64| {
        format!(
            "INSERT INTO incoming_transfers (id, network, txid, log_index, block_number, block_id, block_time, place, \
                from_address, to_address, address_id, amount, state, kind, decided_by, decided_at, created_at, updated_at) \
             SELECT gen_random_uuid(), network, txid, -{n}, {block}, block_id, block_time, {n}, from_address, to_address, \
                address_id, 40000000, '{state}', 'by_contract', 'worker', decided_at, created_at, updated_at \
             FROM incoming_transfers WHERE log_index = -1"
        )
    };
    world.db.sql(&held("held", 1_000, 2)).await;
    let tx = world.collect(sweep, treasury, 70 * TRX).await.unwrap();
    world.mine(&[landed(&tx)]).await;
    world.solidify().await;
    assert_eq!(world.finalise().await, 1);
    // beyond what was read for it
    world.db.sql(&held("held", 1_998, 3)).await;
    let credit = "UPDATE incoming_transfers SET state = 'credited', credited = amount, asset = 'TRX', user_id = 7, \
                  decided_by = 'operator:ops', reason = 'his' WHERE state = 'held'";
    world.db.sql(credit).await;
    let swept = "SELECT (swept_by IS NOT NULL)::text AS word FROM incoming_transfers ORDER BY log_index DESC";
    assert_eq!(world.words(swept).await, ["true", "true", "false"]);
    assert_eq!(world.plan(&world.sweep_policy()).await, 1, "what came later lies there");
    let by_worker = "UPDATE incoming_transfers SET decided_by = 'worker' WHERE log_index = -2";
    assert!(
        world.db.try_sql(by_worker).await.is_err(),
        "no worker credits what a contract sent"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_sweep_left_is_counted_where_it_lies_whatever_the_settings_say_today() {
    let world = World::new().await;
    world.account().await;
    let treasury = world.sweep_treasury(1, 0).await;
    world.deposit_at(1, Asset::Trx, 30 * TRX).await;
    world.plan(&world.sweep_policy()).await;
    let tx = world.collect(world.sweep().await, treasury, 25 * TRX).await.unwrap();
    world.mine(&[landed(&tx)]).await;
    world.solidify().await;
    assert_eq!(world.finalise().await, 1);
    let came_in = DepositCredit {
        on_chain: OnChain {
            network: "nile".parse().unwrap(),
            txid: "a deposit".into(),
            log_index: -1,
        },
        user: UserId(7),
        asset: Asset::Trx,
        amount: Amount::from_minor(30 * TRX).unwrap(),
        actor: None,
        at: world.now(),
    };
    run_tx(&world.worker, "test_came_in", async |conn| {
        credit_and_exchange_in_tx(conn, std::slice::from_ref(&came_in), &[]).await?;
        Ok::<_, DomainError>(())
    })
    .await
    .unwrap();
    let missing = async |left: i64| {
        let sql = format!("SET session_replication_role = replica; UPDATE sweeps SET left_minor = {left}");
        world.db.sql(&sql).await;
        let mut conn = acquire(&world.worker).await.unwrap();
        let before = books(&mut conn, ("nile", Asset::Trx), 0).await.unwrap();
        // the treasury alone is read, and has what was collected
        let read = [Holdings {
            asset: Asset::Trx,
            before,
            places: &[],
            minor: i128::from(25 * TRX),
        }];
        let short = shortages(&world.worker, ("nile", 0), &read).await.unwrap();
        let of = |(_, detail): &(String, serde_json::Value)| detail["missing_minor"].as_str().unwrap().to_owned();
        short.iter().map(of).collect::<Vec<_>>()
    };
    assert_eq!(missing(5 * TRX).await, [""; 0]);
    assert_eq!(missing(3 * TRX).await, [(2 * TRX).to_string()]);
    assert_eq!(missing(0).await, [(5 * TRX).to_string()]);
}
