//! Which addresses are worth it, each once.

use domain::sweeps::{SweepPolicy, cancel, candidates};
use kernel::Asset;
use switchyard_domain as domain;

use super::TRX;
use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_over_the_threshold_is_planned_once_by_however_many() {
    let world = World::new().await;
    world.account().await;
    world.deposit_at(1, Asset::Trx, 12 * TRX).await;
    world.deposit_at(1, Asset::Trx, 8 * TRX).await;
    world.deposit_at(2, Asset::Trx, 20 * TRX - 1).await;
    world.deposit_at(3, Asset::Usdt, 49 * TRX).await;
    let policy = world.sweep_policy();
    let off = SweepPolicy {
        enabled: false,
        ..policy.clone()
    };
    assert_eq!(world.plan(&off).await, 0);
    let planners = tokio::join!(world.plan(&policy), world.plan(&policy), world.plan(&policy));
    assert_eq!(planners.0 + planners.1 + planners.2, 1);
    let sweep = world.sweep().await;
    assert!(world.has_job("deposits.sweep", sweep).await);
    assert_eq!(
        world.word("SELECT purpose AS word FROM supplier_wallets").await,
        "deposit"
    );
    // the other asset of the same address is another sweep
    world.deposit_at(1, Asset::Usdt, 50 * TRX).await;
    assert_eq!(world.plan(&policy).await, 1);
    assert_eq!(world.count("supplier_wallets").await, 1);
    assert_eq!(world.plan(&policy).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_of_which_something_is_held_or_whose_key_is_not_here_is_left_alone() {
    let world = World::new().await;
    world.deposit_at(1, Asset::Trx, 30 * TRX).await;
    let policy = world.sweep_policy();
    assert_eq!(world.plan(&policy).await, 0);
    assert_eq!(world.findings().await, ["sweeps.key_missing"]);
    world.account().await;
    world.deposit_at(1, Asset::Trx, 1).await;
    let held =
        "UPDATE incoming_transfers SET state = 'held', kind = 'blocked_sender', credited = NULL WHERE amount = 1";
    // no arrow leads there: as if it had been held from the start
    world
        .db
        .sql(&format!(
            "ALTER TABLE incoming_transfers DISABLE TRIGGER incoming_transfers_guard; {held}; \
             ALTER TABLE incoming_transfers ENABLE TRIGGER incoming_transfers_guard"
        ))
        .await;
    assert_eq!(world.plan(&policy).await, 0);
    assert_eq!(world.findings().await, Vec::<String>::new());
    let worth_it = async |kind: &str| {
        let sql = format!("UPDATE incoming_transfers SET kind = '{kind}' WHERE amount = 1");
        world.db.sql(&sql).await;
        candidates(&world.worker, &policy).await.unwrap().len()
    };
    // what anybody can send through a contract stops no collecting
    assert_eq!(
        [worth_it("by_contract").await, worth_it("blocked_sender").await],
        [1, 0]
    );
    world
        .db
        .sql("UPDATE incoming_transfers SET state = 'ignored' WHERE amount = 1")
        .await;
    assert_eq!(world.plan(&policy).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_are_open_than_may_be_and_what_is_not_there_is_not_looked_for_again() {
    let world = World::new().await;
    world.account().await;
    for place in 1..=4 {
        world.deposit_at(place, Asset::Trx, i64::from(place) * 20 * TRX).await;
    }
    let policy = SweepPolicy {
        max_open: 1,
        ..world.sweep_policy()
    };
    assert_eq!(world.plan(&policy).await, 1);
    assert_eq!(world.plan(&policy).await, 0, "one at a time");
    let sweep = world.sweep().await;
    let solid = world.cursor().await.solid_number;
    let cancelled = async |as_of| {
        cancel(&world.worker, sweep, (as_of, 1_000), 0, world.now())
            .await
            .unwrap()
    };
    assert!(!cancelled(solid - 1).await, "the node is behind");
    assert_eq!(world.count("incoming_transfers WHERE swept_by IS NOT NULL").await, 0);
    assert!(cancelled(solid).await);
    let marked = format!("incoming_transfers WHERE swept_by = '{sweep}'");
    assert_eq!(world.count(&marked).await, 1);
    assert_eq!(
        world
            .number("SELECT credited FROM incoming_transfers WHERE swept_by IS NOT NULL")
            .await,
        80 * TRX,
        "the most was first"
    );
    world
        .db
        .sql("INSERT INTO switches VALUES ('sweeps', true, 'x', 'x', now())")
        .await;
    assert_eq!(world.plan(&policy).await, 0, "stopped");
    world.db.sql("UPDATE switches SET enabled = false").await;
    assert_eq!(world.plan(&policy).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_lies_there_is_not_taken_for_collected_when_a_sweep_is_given_up() {
    let world = World::new().await;
    world.account().await;
    for whole in [9, 11, 5] {
        world.deposit_at(1, Asset::Trx, whole * TRX).await;
    }
    let policy = world.sweep_policy();
    assert_eq!(world.plan(&policy).await, 1);
    let (sweep, solid) = (world.sweep().await, world.cursor().await.solid_number);
    let over = cancel(&world.worker, sweep, (solid, 1_000), 16 * TRX, world.now()).await;
    assert!(over.unwrap());
    let lies = "SELECT coalesce(sum(credited), 0) FROM incoming_transfers WHERE swept_by IS NULL";
    assert_eq!(world.number(lies).await, 16 * TRX, "the newest of it");
    assert_eq!(world.plan(&policy).await, 0, "too little");
    // with what comes later it is worth it
    world.deposit_at(1, Asset::Trx, 4 * TRX).await;
    assert_eq!(world.plan(&policy).await, 1);
}
