//! What the chain says of a wallet, and what of our promises it cannot have seen yet.

use chain::{EnergyMarket, Resource, Unfreezing, WalletSnapshot};
use db::models::{SupplierWallet, WalletSnapshotRow};
use domain::wallets::{apply_snapshot, find, set_enabled};
use kernel::WalletId;
use switchyard_domain as domain;

use crate::harness::{Tx, landed};
use crate::world::{NETWORK, STAKE, World};

/// Read with the head at this block, while this much was delegated out.
fn snapshot(as_of_block: i64, delegated_energy_sun: i64) -> WalletSnapshot {
    WalletSnapshot {
        as_of_block,
        balance_sun: 5,
        staked_energy_sun: STAKE * 10 - delegated_energy_sun,
        staked_bandwidth_sun: 3,
        delegated_energy_sun,
        delegated_bandwidth_sun: 0,
        delegatable_sun: STAKE * 10 - delegated_energy_sun,
        bandwidth_limit: 0,
        bandwidth_used: 0,
        free_bandwidth_limit: 777,
        free_bandwidth_used: 0,
        energy_limit: 0,
        energy_used: 0,
        unfreezing: Vec::new(),
        permissions: chain::AccountPermissions::default(),
        bandwidth_market: EnergyMarket {
            total_limit: 0,
            total_weight: 0,
        },
        market: EnergyMarket {
            total_limit: 180_000_000_000,
            total_weight: 19_000_000_000,
        },
    }
}

/// Applied with a margin of two blocks; answers the wallet as it is then.
async fn sync(world: &World, wallet: WalletId, snapshot: &WalletSnapshot) -> SupplierWallet {
    let about = (wallet, NETWORK);
    let left = apply_snapshot(&world.worker, &world.ids, about, (snapshot, None), 2, world.now())
        .await
        .unwrap();
    let found = find(&world.worker, wallet).await.unwrap();
    assert_eq!(left.unseen_sun, found.reserved_sun);
    let short = world.count("wallet_baselines WHERE short_since IS NOT NULL").await;
    assert_eq!(left.to_confirm, short > 0);
    found
}

/// A wallet with one delegation in block 1001 and empty blocks after it, up to 1005.
async fn delivered() -> (World, WalletId, Tx) {
    let world = World::new().await;
    let wallet = world.wallet(1, STAKE * 10).await;
    let (_, tx) = world.deliver(1).await;
    for _ in 0..4 {
        world.mine(&[]).await;
    }
    (world, wallet, tx)
}

#[tokio::test]
async fn what_quotes_hold_stays_promised_whatever_is_read_and_waits_for_no_other_read() {
    let (world, wallet, _) = delivered().await;
    world
        .db
        .sql(&format!(
            "INSERT INTO price_quotes SELECT gen_random_uuid(), id, 65000, 3600, 1, (SELECT id FROM price_versions), now(), \
                 now() + interval '1 minute' FROM api_keys; \
             INSERT INTO stock_holds SELECT id, '{wallet}', 77 FROM price_quotes"
        ))
        .await;
    let left = |block, delegated| {
        let read = snapshot(block, delegated);
        let world = &world;
        async move {
            let read = (&read, None);
            let left = apply_snapshot(&world.worker, &world.ids, (wallet, NETWORK), read, 2, world.now());
            (left.await.unwrap().unseen_sun, world.reserved(wallet).await)
        }
    };
    assert_eq!(left(1002, STAKE).await, (STAKE, STAKE + 77));
    assert_eq!(left(1003, STAKE).await, (0, 77));
}

#[tokio::test]
async fn a_snapshot_replaces_every_figure_and_the_market() {
    let world = World::new().await;
    let wallet = world.wallet(1, STAKE).await;
    world.clock.advance_seconds(9);
    let found = sync(&world, wallet, &snapshot(1002, 0)).await;
    assert_eq!(
        (found.balance_sun, found.staked_energy_sun, found.staked_bandwidth_sun),
        (5, STAKE * 10, 3)
    );
    assert_eq!((found.delegatable_sun, found.bandwidth_available), (STAKE * 10, 777));
    assert_eq!((found.synced_block, found.synced_at), (1000, Some(world.now())));
    let cursor = world.cursor().await;
    assert_eq!(
        (cursor.total_energy_limit, cursor.total_energy_weight),
        (180_000_000_000, 19_000_000_000)
    );
    let mut unknown = snapshot(1003, 0);
    unknown.market.total_weight = 0;
    sync(&world, wallet, &unknown).await;
    assert_eq!(world.cursor().await.total_energy_weight, 19_000_000_000);
}

#[tokio::test]
async fn a_delegation_stays_reserved_until_a_snapshot_surely_shows_it() {
    let (world, wallet, _) = delivered().await;
    // block 1001 may not be in a read at 1002, by the margin
    assert_eq!(sync(&world, wallet, &snapshot(1002, STAKE)).await.reserved_sun, STAKE);
    world.assert_sound().await;
    let found = sync(&world, wallet, &snapshot(1003, STAKE)).await;
    assert_eq!((found.reserved_sun, found.delegatable_sun), (0, STAKE * 9));
    world.assert_sound().await;
    // one that is signed and not seen stays reserved whatever the read
    world.claim(world.order(2).await).await;
    assert_eq!(sync(&world, wallet, &snapshot(1005, STAKE)).await.reserved_sun, STAKE);
    world.assert_sound().await;
}

#[tokio::test]
async fn blocks_that_we_have_not_applied_are_not_held_for_seen() {
    let world = World::new().await;
    let wallet = world.wallet(1, STAKE * 10).await;
    let tx = world.claim(world.order(1).await).await;
    // we are behind: the node has the delegation in its block 1001 and stands at 1050
    let found = sync(&world, wallet, &snapshot(1050, STAKE)).await;
    assert_eq!((found.reserved_sun, found.synced_block), (STAKE, 1000));
    world.mine(&[landed(&tx)]).await;
    assert_eq!(world.reserved(wallet).await, STAKE);
    world.assert_sound().await;
    assert_eq!(sync(&world, wallet, &snapshot(1050, STAKE)).await.reserved_sun, 0);
    world.assert_sound().await;
}

#[tokio::test]
async fn a_read_from_a_lagging_endpoint_is_ignored() {
    let (world, wallet, _) = delivered().await;
    let newer = sync(&world, wallet, &snapshot(1005, STAKE)).await;
    world.clock.advance_seconds(9);
    assert_eq!(sync(&world, wallet, &snapshot(1004, 0)).await, newer);
    assert_eq!(world.findings().await, [""; 0]);
}

#[tokio::test]
async fn a_difference_is_what_exceeds_all_that_moves() {
    let (world, wallet, tx) = delivered().await;
    // the read may be older than the delegation: no difference can be told
    sync(&world, wallet, &snapshot(1002, 0)).await;
    assert_eq!(world.findings().await, [""; 0]);
    sync(&world, wallet, &snapshot(1005, 0)).await;
    assert_eq!(world.findings().await, ["wallets.delegated_differs"]);
    assert_eq!(world.word("SELECT severity AS word FROM findings").await, "critical");
    // with another one on its way there may be one or two of them, and nothing else
    let moving = world.claim(world.order(2).await).await;
    for (sun, findings) in [(STAKE, 0), (STAKE * 2 + 1, 1), (STAKE * 2, 0), (STAKE - 1, 1)] {
        sync(&world, wallet, &snapshot(1006, sun)).await;
        assert_eq!(world.findings().await.len(), findings, "{sun}");
    }
    world.mine(&[landed(&moving)]).await;
    for _ in 0..2 {
        world.mine(&[]).await;
    }
    sync(&world, wallet, &snapshot(1008, STAKE * 2)).await;
    assert_eq!(world.findings().await, [""; 0]);
    assert_eq!(tx.wallet, wallet);
}

#[tokio::test]
async fn a_fresh_reclaim_is_motion_too() {
    let world = World::new().await;
    let wallet = world.wallet(1, STAKE * 10).await;
    let (_, tx) = world.ended(1).await;
    let back = world.reclaim(tx.delegation).await.unwrap();
    let at = world.mine(&[landed(&back)]).await.at.number;
    for _ in 0..3 {
        world.mine(&[]).await;
    }
    sync(&world, wallet, &snapshot(at + 1, STAKE)).await;
    assert_eq!(world.findings().await, [""; 0]);
    sync(&world, wallet, &snapshot(at + 2, STAKE)).await;
    assert_eq!(world.findings().await, ["wallets.delegated_differs"]);
    sync(&world, wallet, &snapshot(at + 3, 0)).await;
    assert_eq!(world.findings().await, [""; 0]);
}

/// What is kept of a wallet's reads: blocks, the oldest first.
async fn kept(world: &World) -> Vec<String> {
    world
        .words("SELECT block::text AS word FROM wallet_snapshots ORDER BY read_at")
        .await
}

#[tokio::test]
async fn what_is_missing_is_believed_when_a_later_read_says_so_too() {
    let world = World::new().await;
    let wallet = world.wallet(1, STAKE).await;
    let rich = |block| WalletSnapshot {
        balance_sun: 50_000_000,
        ..snapshot(block, 0)
    };
    let robbed = |block| WalletSnapshot {
        balance_sun: 20_000_000,
        ..snapshot(block, 0)
    };
    for block in 1001..1010 {
        world.mine(&[]).await;
        assert_eq!(world.cursor().await.head_number, block);
    }
    sync(&world, wallet, &rich(1003)).await;
    world.clock.advance_seconds(1);
    // a node that was behind
    sync(&world, wallet, &robbed(1004)).await;
    world.clock.advance_seconds(20);
    sync(&world, wallet, &rich(1005)).await;
    world.clock.advance_seconds(20);
    assert_eq!(world.findings().await, [""; 0]);
    // asked again too soon
    sync(&world, wallet, &robbed(1006)).await;
    world.clock.advance_seconds(9);
    let found = sync(&world, wallet, &robbed(1007)).await;
    assert_eq!((found.balance_sun, found.isolated_at), (20_000_000, None));
    world.clock.advance_seconds(1);
    let found = sync(&world, wallet, &robbed(1008)).await;
    assert_eq!(found.isolated_at, Some(world.now()));
    assert_eq!(world.findings().await, ["wallets.coin_missing", "wallets.isolated"]);
    let missing = "SELECT detail ->> 'coin_sun' AS word FROM findings WHERE kind = 'wallets.coin_missing'";
    assert_eq!(world.word(missing).await, "30000000");
    // what is left is what counts from now on
    set_enabled(&world.api, &world.ids, wallet, true, world.now())
        .await
        .unwrap();
    world.clock.advance_seconds(60);
    assert_eq!(sync(&world, wallet, &robbed(1009)).await.isolated_at, None);
    assert_eq!(kept(&world).await.len(), 7, "each read is kept");
}

#[tokio::test]
async fn fees_of_our_own_transactions_are_not_missing() {
    let (world, wallet, tx) = delivered().await;
    let with = |block, balance_sun| WalletSnapshot {
        balance_sun,
        ..snapshot(block, STAKE)
    };
    sync(&world, wallet, &with(1003, 50_000_000)).await;
    world
        .db
        .sql(&format!(
            "UPDATE chain_transactions SET fee_sun = 3000000, block_number = 1004 WHERE txid = '{}'",
            tx.txid
        ))
        .await;
    sync(&world, wallet, &with(1004, 47_000_000)).await;
    assert_eq!(world.count("wallet_baselines WHERE short_since IS NOT NULL").await, 0);
    // that fee may not have been in the last read, so it is allowed for once more; what is above it is not
    sync(&world, wallet, &with(1005, 42_000_000)).await;
    assert_eq!(world.count("wallet_baselines WHERE short_since IS NOT NULL").await, 1);
}

#[tokio::test]
async fn stake_that_is_given_up_behind_our_back_isolates_the_wallet() {
    let world = World::new().await;
    let wallet = world.wallet(1, STAKE).await;
    sync(&world, wallet, &snapshot(1002, 0)).await;
    let unstaked = WalletSnapshot {
        staked_energy_sun: STAKE * 4,
        unfreezing: vec![Unfreezing {
            resource: Resource::Energy,
            amount_sun: STAKE * 6,
            ready_at: world.now() + chrono::TimeDelta::days(14),
        }],
        ..snapshot(1002, 0)
    };
    sync(&world, wallet, &unstaked).await;
    world.clock.advance_seconds(10);
    let found = sync(&world, wallet, &unstaked).await;
    assert_eq!(world.findings().await, ["wallets.isolated", "wallets.stake_fell"]);
    assert_eq!(found.unfreezing().len(), 1);
    assert_eq!(found.unfreezing()[0].amount_sun, STAKE * 6);
}

#[tokio::test]
async fn snapshots_are_kept_in_months_of_their_own_and_dropped_with_them() {
    let world = World::new().await;
    let wallet = world.wallet(1, STAKE).await;
    let parts = async || {
        let parts = "SELECT inhrelid::regclass::text AS word FROM pg_inherits \
            WHERE inhparent = 'wallet_snapshots'::regclass";
        world.words(parts).await.len()
    };
    for _ in 0..3 {
        sync(&world, wallet, &snapshot(1002, 0)).await;
        world.clock.advance_seconds(31 * 86_400);
    }
    assert_eq!((kept(&world).await.len(), parts().await), (3, 3));
    let mut conn = db::acquire(&world.worker).await.unwrap();
    let before = world.now() - chrono::TimeDelta::days(62);
    let dropped = WalletSnapshotRow::drop_before(&mut conn, before).await.unwrap();
    assert_eq!(dropped, 1);
    assert_eq!((kept(&world).await.len(), parts().await), (2, 2));
}

#[tokio::test]
async fn an_operator_releases_a_wallet_through_the_api() {
    let world = World::new().await;
    let wallet = world.wallet(1, STAKE).await;
    world
        .db
        .sql("UPDATE supplier_wallets SET isolated_at = now(), isolated_reason = 'x', failures = 3, enabled = false")
        .await;
    let on = set_enabled(&world.api, &world.ids, wallet, true, world.now())
        .await
        .unwrap();
    assert_eq!((on.enabled, on.isolated_at, on.failures), (true, None, 0));
    let off = set_enabled(&world.api, &world.ids, wallet, false, world.now())
        .await
        .unwrap();
    assert!(!off.enabled);
    world.db.sql("UPDATE supplier_wallets SET state = 'importing'").await;
    let early = set_enabled(&world.api, &world.ids, wallet, true, world.now()).await;
    assert!(matches!(early, Err(domain::DomainError::WalletNotActive)), "{early:?}");
}
