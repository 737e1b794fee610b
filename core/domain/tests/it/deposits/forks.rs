//! What a fork takes back, and what lands again.

use domain::watch::ForkOutcome;

use super::*;

async fn revert(world: &World, number: i64) -> usize {
    match world.revert_to(number).await {
        ForkOutcome::Reverted { deposits, .. } => deposits,
        other => panic!("{other:?}"),
    }
}

/// Another branch on top of the head.
async fn branch(world: &World, transfers: &[Transfer]) -> usize {
    let block = carrying(&world.head().await, 1, transfers);
    match world.apply(&[block]).await.unwrap() {
        Applied::Done { deposits, .. } => deposits,
        Applied::Moved => panic!("moved"),
    }
}

#[tokio::test]
async fn a_fork_takes_a_transfer_back_and_it_lands_again_in_another_block() {
    let world = World::new().await;
    let to = world.annas().await;
    let sent = coin(1, to, 5 * TRX);
    world.receive(std::slice::from_ref(&sent)).await;
    world.mine(&[]).await;
    assert_eq!(revert(&world, 1000).await, 1);
    assert_eq!(world.standing(&sent).await, (TransferState::Reverted, None));
    assert_eq!(branch(&world, &[]).await, 0);
    world.solidify().await;
    assert_eq!(world.credit().await, Credited::default(), "it is in no block");

    let others = [coin(8, address(1), TRX), sent.clone()];
    assert_eq!(branch(&world, &others).await, 1);
    let row = world.row(&sent).await;
    assert_eq!((row.state, row.block_number, row.place), (TransferState::Seen, 1002, 1));
    world.solidify().await;
    assert_eq!(world.credit().await.credited, 1);
    assert_eq!(world.came_in(Asset::Trx).await, i128::from(5 * TRX));
    assert_eq!(world.count("incoming_transfers").await, 1);
    world.assert_sound().await;
}

#[tokio::test]
async fn what_lands_again_may_be_something_else() {
    let world = World::new().await;
    let to = world.annas().await;
    let before = token(1, 0, to, 5 * TRX);
    let after = Transfer {
        from: address(98),
        ..token(1, 0, to, 3 * TRX)
    };
    let gone = token(2, 0, to, TRX);
    world.receive(&[before, gone.clone()]).await;
    assert_eq!(revert(&world, 1000).await, 2);
    assert_eq!(branch(&world, std::slice::from_ref(&after)).await, 1);
    world.solidify().await;
    assert_eq!(world.credit().await.credited, 1);
    let row = world.row(&after).await;
    assert_eq!(
        (row.amount.as_str(), row.from_address),
        ("3000000", address(98).to_string())
    );
    assert_eq!(world.balance(Asset::Usdt).await, 3 * TRX);
    assert_eq!(world.standing(&gone).await.0, TransferState::Reverted);
    world.assert_sound().await;
}

#[tokio::test]
async fn what_is_credited_is_never_taken_back() {
    let world = World::new().await;
    let to = world.annas().await;
    let sent = coin(1, to, 5 * TRX);
    assert_eq!(world.settle(std::slice::from_ref(&sent)).await.credited, 1);
    world.receive(&[coin(2, to, TRX)]).await;
    assert_eq!(revert(&world, 1001).await, 1, "only what is above");
    assert_eq!(world.revert_to(1000).await, ForkOutcome::BelowSolid);
    assert_eq!(world.standing(&sent).await.0, TransferState::Credited);
    // the same transfer again, in another block: it is the same transfer
    assert_eq!(branch(&world, std::slice::from_ref(&sent)).await, 0);
    world.solidify().await;
    assert_eq!(world.credit().await, Credited::default());
    for sql in [
        "UPDATE incoming_transfers SET state = 'reverted' WHERE state = 'credited'",
        "UPDATE incoming_transfers SET credited = 1 WHERE state = 'credited'",
        "UPDATE incoming_transfers SET amount = 1 WHERE state = 'credited'",
        "UPDATE incoming_transfers SET block_number = 7 WHERE state = 'credited'",
        "UPDATE incoming_transfers SET log_index = 7",
        "DELETE FROM incoming_transfers",
    ] {
        assert!(world.db.try_sql(sql).await.is_err(), "{sql}");
    }
    world.assert_sound().await;
}

#[tokio::test]
async fn an_address_given_out_between_two_blocks_is_watched_from_the_next() {
    let world = World::new().await;
    let sent = coin(1, address(50), TRX);
    assert_eq!(world.receive(std::slice::from_ref(&sent)).await, 0);
    world.annas().await;
    assert_eq!(world.receive(&[coin(2, address(50), TRX)]).await, 1);
    assert_eq!(world.count("incoming_transfers").await, 1);
}
