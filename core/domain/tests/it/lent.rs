//! What the chain may say that a wallet lends, and what becomes of an answer that it may not give.

use db::acquire;
use db::models::DueComparison;
use domain::reconcile::lent::{
    Compared, LentBounds, LentRead, LentSeen, compare, dead_delegates, known_receivers, lent_bounds,
};
use domain::watch::resume;
use kernel::WalletId;
use switchyard_domain as domain;

use crate::harness::{landed, refused};
use crate::world::{NETWORK, STAKE, World, address};

async fn bounds(world: &World, wallet: WalletId, receiver: u8, block: i64) -> (i64, i64) {
    let mut conn = acquire(&world.worker).await.unwrap();
    let receiver = address(receiver).to_string();
    let found = lent_bounds(&mut conn, NETWORK, wallet.0, std::slice::from_ref(&receiver), block)
        .await
        .unwrap();
    let LentBounds { least, most } = found.get(&receiver).copied().unwrap_or_default();
    (least / STAKE, most / STAKE)
}

/// What a node says of some receivers.
fn read(wallet: WalletId, as_of_block: i64, seen: &[(u8, i64)]) -> LentRead {
    LentRead {
        network: NETWORK.to_owned(),
        wallet: wallet.0,
        as_of_block,
        seen: seen
            .iter()
            .map(|(receiver, sun)| LentSeen {
                receiver: address(*receiver).to_string(),
                sun: *sun,
                landed: Vec::new(),
            })
            .collect(),
        after_receiver: None,
    }
}

async fn compared(world: &World, read: &LentRead) -> (usize, usize) {
    let Compared { equal, differ } = compare(&world.worker, &world.ids, read, 3, world.now()).await.unwrap();
    (equal, differ)
}

#[tokio::test]
async fn what_moves_widens_the_bounds_and_what_is_settled_narrows_them() {
    let world = World::new().await;
    let wallet = world.wallet(1, STAKE * 10).await;
    assert_eq!(bounds(&world, wallet, 1, 2_000).await, (0, 0), "nobody");
    let tx = world.claim(world.order(1).await).await;
    assert_eq!(bounds(&world, wallet, 1, 2_000).await, (0, 1), "signed");
    let at = world.mine(&[landed(&tx)]).await.at.number;
    assert_eq!(bounds(&world, wallet, 1, at - 1).await, (0, 1), "made after the read");
    assert_eq!(bounds(&world, wallet, 1, at).await, (1, 1), "made");
    world.revert_to(at - 1).await;
    assert_eq!(bounds(&world, wallet, 1, at).await, (0, 1), "taken back by a fork");
    world.mine(&[landed(&tx)]).await;
    world.solidify().await;
    world.finalise().await;

    // a second one to the same receiver adds to it
    let second = world.claim(world.order(1).await).await;
    assert_eq!(bounds(&world, wallet, 1, at).await, (1, 2));
    let refusal = chain::Refusal::InsufficientStake;
    world.answer(&second, &refused(refusal), true).await;
    assert_eq!(bounds(&world, wallet, 1, at).await, (1, 1), "given up");

    world
        .mine_at(world.delegation(tx.delegation).await.ends_at.unwrap())
        .await;
    let back = world.reclaim(tx.delegation).await.unwrap();
    assert_eq!(bounds(&world, wallet, 1, 9_999).await, (0, 1), "on its way back");
    let undone = world.mine(&[landed(&back)]).await.at.number;
    assert_eq!(
        bounds(&world, wallet, 1, undone - 1).await,
        (0, 1),
        "undone after the read"
    );
    assert_eq!(bounds(&world, wallet, 1, undone).await, (0, 0), "undone");
    assert_eq!(bounds(&world, wallet, 2, undone).await, (0, 0), "somebody else");
}

#[tokio::test]
async fn a_difference_is_one_finding_with_its_kind_until_it_is_none() {
    let world = World::new().await;
    let wallet = world.wallet(1, STAKE * 10).await;
    world.deliver(1).await;
    world.deliver(2).await;
    for _ in 0..5 {
        world.mine(&[]).await;
    }
    world.solidify().await;
    let solid = world.cursor().await.solid_number;
    let right = read(wallet, solid, &[(1, STAKE), (2, STAKE)]);
    assert_eq!(compared(&world, &right).await, (2, 0));
    assert_eq!(world.findings().await, [""; 0]);

    let lends = async || {
        let kinds =
            "SELECT kind AS word FROM findings WHERE kind LIKE 'wallets.lends%' AND resolved_at IS NULL ORDER BY kind";
        world.words(kinds).await
    };
    let wrong = read(wallet, solid, &[(1, STAKE + 1), (2, STAKE - 1), (3, 1)]);
    for seen in 1..=2 {
        assert_eq!(compared(&world, &wrong).await, (0, 3));
        assert_eq!(
            lends().await,
            [
                "wallets.lends_missing",
                "wallets.lends_unknown",
                "wallets.lends_unknown"
            ]
        );
        let seen_least = "SELECT min(times_seen) FROM findings WHERE kind LIKE 'wallets.lends%'";
        assert_eq!(world.number(seen_least).await, seen);
    }
    // a customer has less than he was sold: the wallet sells nothing more
    assert_eq!(
        world
            .count("supplier_wallets WHERE isolated_at IS NOT NULL AND probation_at IS NULL")
            .await,
        1
    );
    // less becomes more: the one finding gives way to the other
    let other = read(wallet, solid, &[(2, STAKE + 1)]);
    compared(&world, &other).await;
    assert_eq!(lends().await, ["wallets.lends_unknown"; 3]);
    // a receiver of a finding stays known, whatever the books and the chain say
    let mut conn = acquire(&world.worker).await.unwrap();
    let known = known_receivers(&mut conn, NETWORK, wallet.0).await.unwrap();
    assert!(known.contains(&address(3).to_string()), "{known:?}");
    let mended = read(wallet, solid, &[(1, STAKE), (2, STAKE), (3, 0)]);
    assert_eq!(compared(&world, &mended).await, (3, 0));
    assert_eq!(lends().await, [""; 0]);
}

#[tokio::test]
async fn a_read_that_is_not_surely_newer_than_what_happened_says_nothing() {
    let world = World::new().await;
    let wallet = world.wallet(1, STAKE * 10).await;
    let tx = world.claim(world.order(1).await).await;
    let at = world.mine(&[landed(&tx)]).await.at.number;
    for _ in 0..6 {
        world.mine(&[]).await;
    }
    // not solid by our own reading, whatever the node says; then within the margin; then beyond it
    assert_eq!(compared(&world, &read(wallet, at + 3, &[(1, 0)])).await, (1, 0));
    world.solidify().await;
    assert_eq!(compared(&world, &read(wallet, at + 2, &[(1, 0)])).await, (1, 0));
    assert_eq!(compared(&world, &read(wallet, at + 3, &[(1, 0)])).await, (0, 1));
}

#[tokio::test]
async fn rounds_go_on_where_they_stopped_and_begin_anew_when_they_are_old() {
    let world = World::new().await;
    let (one, two) = (world.wallet(1, STAKE).await, world.wallet(2, STAKE).await);
    let due = async || {
        let mut conn = acquire(&world.worker).await.unwrap();
        let before = world.now() - chrono::Duration::minutes(45);
        let due = DueComparison::list(&mut conn, NETWORK, before, 10).await.unwrap();
        let due = due.into_iter().map(|due| (WalletId(due.wallet_id), due.after_receiver));
        due.collect::<Vec<_>>()
    };
    assert_eq!(due().await, [(one, None), (two, None)]);
    let mut first = read(one, 1000, &[(1, 0)]);
    first.after_receiver = Some("T1".into());
    compared(&world, &first).await;
    assert_eq!(due().await, [(one, Some("T1".into())), (two, None)], "in the middle");
    first.after_receiver = None;
    compared(&world, &first).await;
    assert_eq!(due().await, [(two, None)], "over");
    world.clock.advance_seconds(60);
    // while nothing is read nothing is compared, and nothing is noted
    world.halt("a test").await;
    assert_eq!(compared(&world, &read(two, 1000, &[(1, 7)])).await, (0, 0));
    resume(&world.worker, NETWORK, world.now()).await.unwrap();
    assert_eq!(due().await, [(two, None)]);
    compared(&world, &read(two, 1000, &[])).await;
    assert_eq!(due().await, [] as [(WalletId, Option<String>); 0]);
    world.clock.advance_seconds(45 * 60 - 59);
    assert_eq!(due().await, [(one, None)]);
    world.clock.advance_seconds(60);
    assert_eq!(due().await, [(one, None), (two, None)], "the longest ago first");
}

#[tokio::test]
async fn transactions_held_for_dead_are_named_by_their_pair() {
    let world = World::new().await;
    let wallet = world.wallet(1, STAKE * 10).await;
    let dead = world.claim(world.order(1).await).await;
    world
        .answer(&dead, &refused(chain::Refusal::InsufficientStake), true)
        .await;
    world.claim(world.order(1).await).await;
    let mut conn = acquire(&world.worker).await.unwrap();
    for (receiver, expected) in [(1, vec![dead.txid.to_string()]), (2, vec![])] {
        let receiver = address(receiver).to_string();
        let found = dead_delegates(&mut conn, NETWORK, wallet.0, &receiver).await.unwrap();
        assert_eq!(found, expected);
    }
}
