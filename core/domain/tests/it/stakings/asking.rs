//! Asking: what our figures and the limits of a day allow, one at a time, and what is only tried out.

use std::sync::Arc;

use db::models::{StakeResource, StakingState};
use domain::DomainError;
use domain::operations::{Mark, request_staking, revoke_staking};
use domain::stakings::StakeWish;
use kernel::StakingId;
use switchyard_domain as domain;

use super::{COIN, TRX, instruction, rules, stake, unstake};
use crate::world::{STAKE, World};

#[tokio::test]
async fn a_wish_becomes_a_row_with_its_job_and_its_record() {
    let world = World::new().await;
    let wallet = world.rich_wallet(1).await;
    let asked = world.ask_stake(wallet, stake(100)).await.unwrap();
    let room = asked.room.unwrap();
    assert_eq!(room.free_sun, COIN - 20 * TRX, "what stays is left out");
    assert_eq!((room.wallet_left_sun, room.all_left_sun), (600 * TRX, 900 * TRX));
    let id = StakingId(asked.staking.unwrap().id);
    assert!(world.has_job("wallets.stake", id).await);
    assert_eq!(world.staking_events(id).await, ["requested"]);
    let recorded = "operator_actions WHERE action = 'stakings.request' AND reason = 'more energy'";
    assert_eq!(world.count(recorded).await, 1);
    let refused = world.stake_refused(wallet, stake(100)).await;
    assert!(refused.contains("open staking of this kind"), "{refused}");
    // another action of the wallet, and another wallet, may go on beside it
    world.stake_asked(wallet, StakeWish::Withdraw).await;
    let other = world.rich_wallet(2).await;
    world.stake_asked(other, stake(100)).await;
    world.assert_sound().await;
}

#[tokio::test]
async fn what_is_tried_out_says_what_there_is_room_for_and_writes_nothing() {
    let world = World::new().await;
    let wallet = world.rich_wallet(1).await;
    let rules = rules();
    let dry = instruction(true);
    let try_out =
        async |wish| request_staking(&world.api, &world.ids, (&dry, &rules), (wallet, wish), world.now()).await;
    let asked = try_out(stake(600)).await.unwrap();
    assert!(asked.staking.is_none() && asked.done.id.is_none());
    assert_eq!(asked.room.unwrap().most_sun(), 600 * TRX);
    assert!(matches!(try_out(stake(601)).await, Err(DomainError::StakeRefused(_))));
    assert!(try_out(StakeWish::Cancel).await.unwrap().room.is_none());
    for table in [
        "stakings",
        "staking_events",
        "operator_actions",
        "jobs WHERE kind = 'wallets.stake'",
    ] {
        assert_eq!(world.count(table).await, 0, "{table}");
    }
}

#[tokio::test]
async fn one_mark_is_one_staking() {
    let world = World::new().await;
    let wallet = world.rich_wallet(1).await;
    let mut marked = instruction(false);
    let mark = |request: u8| Mark {
        api_key: world.key,
        key: "shift-7".into(),
        request_sha256: [request; 32],
    };
    marked.mark = Some(mark(1));
    let rules = rules();
    let ask = async |by: &domain::operations::Instruction| {
        request_staking(&world.api, &world.ids, (by, &rules), (wallet, stake(10)), world.now()).await
    };
    let first = ask(&marked).await.unwrap();
    let second = ask(&marked).await.unwrap();
    assert!(!first.done.replayed && second.done.replayed);
    assert_eq!(first.staking.unwrap().id, second.staking.unwrap().id);
    assert_eq!(world.count("stakings").await, 1);
    marked.mark = Some(mark(2));
    assert!(matches!(ask(&marked).await, Err(DomainError::IdempotencyMismatch)));
}

#[tokio::test]
async fn what_is_lent_promised_or_has_to_stay_cannot_be_asked_for() {
    let world = World::new().await;
    let wallet = world.rich_wallet(1).await;
    let order = world.order(1).await;
    world.claim(order).await;
    assert_eq!(world.reserved(wallet).await, STAKE);
    let free = (COIN - STAKE) / TRX;
    let refused = world
        .stake_refused(wallet, unstake(StakeResource::Energy, free + 1))
        .await;
    assert!(refused.contains("neither lent nor promised"), "{refused}");
    let refused = world
        .stake_refused(wallet, unstake(StakeResource::Bandwidth, 501))
        .await;
    assert!(refused.contains("500.000000"), "{refused}");
    let refused = world.stake_refused(wallet, stake(0)).await;
    assert!(refused.contains("at least 1 TRX"), "{refused}");
    world
        .db
        .sql("UPDATE supplier_wallets SET balance_sun = 100000000")
        .await;
    let refused = world.stake_refused(wallet, stake(81)).await;
    assert!(refused.contains("80.000000"), "{refused}");
    world.db.sql("UPDATE supplier_wallets SET synced_at = NULL").await;
    let refused = world.stake_refused(wallet, stake(1)).await;
    assert!(refused.contains("not read"), "{refused}");
    world
        .db
        .sql("UPDATE supplier_wallets SET purpose = 'treasury', reserved_sun = 0")
        .await;
    let refused = world.stake_refused(wallet, StakeWish::Withdraw).await;
    assert!(refused.contains("wallet that lends"), "{refused}");
    assert_eq!(world.count("stakings").await, 0);
}

#[tokio::test]
async fn a_day_has_its_limits_for_one_wallet_and_for_all() {
    let world = World::new().await;
    let (first, second) = (world.rich_wallet(1).await, world.rich_wallet(2).await);
    let id = world.stake_asked(first, stake(500)).await;
    give_up(&world, id).await;
    // what came to nothing does not count
    let id = world.stake_asked(first, stake(500)).await;
    world
        .db
        .sql(&format!(
            "UPDATE stakings SET state = 'processing', attempts = 1 WHERE id = '{id}'; \
             UPDATE stakings SET state = 'sent', block_number = 1000 WHERE id = '{id}'; \
             UPDATE stakings SET state = 'done', ended_at = now() WHERE id = '{id}'"
        ))
        .await;
    let refused = world.stake_refused(first, stake(101)).await;
    assert!(
        refused.contains("100.000000") && refused.contains("one wallet"),
        "{refused}"
    );
    let refused = world.stake_refused(second, stake(401)).await;
    assert!(
        refused.contains("400.000000") && refused.contains("all wallets"),
        "{refused}"
    );
    // unstaking has limits of its own
    world.stake_asked(first, unstake(StakeResource::Energy, 600)).await;
    world.clock.advance_seconds(86_401);
    world.stake_asked(second, stake(600)).await;
}

async fn give_up(world: &World, id: StakingId) {
    let given_up = revoke_staking(&world.worker, &world.ids, &instruction(false), id, world.now()).await;
    assert_eq!(given_up.unwrap().0.state, StakingState::Cancelled);
    let again = revoke_staking(&world.worker, &world.ids, &instruction(false), id, world.now()).await;
    assert!(matches!(
        again,
        Err(DomainError::StakingStanding(StakingState::Cancelled))
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_at_once_are_counted_one_after_the_other() {
    let world = Arc::new(World::new().await);
    let mut wallets = Vec::new();
    for n in 1..=8 {
        wallets.push(world.rich_wallet(n).await);
    }
    let mut asking = Vec::new();
    for wallet in wallets {
        let world = Arc::clone(&world);
        asking.push(tokio::spawn(async move {
            world.ask_stake(wallet, stake(200)).await.is_ok()
        }));
    }
    let mut taken = 0;
    for one in asking {
        taken += i64::from(one.await.unwrap());
    }
    assert_eq!(taken, 4, "900 of all wallets in a day");
    assert_eq!(world.number("SELECT sum(amount_sun) FROM stakings").await, 800 * TRX);

    // and of one wallet only one gets it
    let world = Arc::new(World::new().await);
    let wallet = world.rich_wallet(1).await;
    let mut asking = Vec::new();
    for _ in 0..8 {
        let world = Arc::clone(&world);
        asking.push(tokio::spawn(
            async move { world.ask_stake(wallet, stake(10)).await.is_ok() },
        ));
    }
    let mut taken = 0;
    for one in asking {
        taken += i64::from(one.await.unwrap());
    }
    assert_eq!((taken, world.count("stakings").await), (1, 1));
}
