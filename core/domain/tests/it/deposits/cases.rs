//! Each case from a block to the books.

use domain::operations::Ruling;

use super::*;

#[tokio::test]
async fn a_deposit_is_paid_by_parts() {
    let world = World::new().await;
    let to = world.annas().await;
    let deposit = world.announce(to, Asset::Usdt, Some(10 * TRX)).await;
    let parts = [
        token(1, 0, to, 4 * TRX),
        token(2, 0, to, 6 * TRX),
        token(3, 0, to, 10 * TRX),
    ];
    world.settle(&parts[..1]).await;
    let row = world.deposit(deposit).await;
    assert_eq!(
        (row.state, row.received, row.paid_at),
        (DepositState::Partial, 4 * TRX, None)
    );
    world.settle(&parts[1..2]).await;
    let row = world.deposit(deposit).await;
    assert_eq!((row.state, row.received), (DepositState::Paid, 10 * TRX));
    assert_eq!(row.paid_at, Some(world.head().await.time));
    world.settle(&parts[2..]).await;
    let mut kinds = Vec::new();
    for part in &parts {
        let row = world.row(part).await;
        assert_eq!((row.deposit_id, row.user_id), (Some(deposit), Some(ANNA)));
        kinds.push(row.kind.unwrap());
    }
    use TransferKind::{Duplicate, Exact, Partial};
    assert_eq!(kinds, [Partial, Exact, Duplicate]);
    assert_eq!(world.balance(Asset::Usdt).await, 20 * TRX, "all of it is hers");
    world.assert_sound().await;
}

#[tokio::test]
async fn what_comes_late_is_credited_and_named_so() {
    let world = World::new().await;
    let to = world.annas().await;
    let deposit = world.announce(to, Asset::Trx, Some(10 * TRX)).await;
    let expire = || deposits::expire(&world.worker, &world.ids, NETWORK, 100, world.now());
    let over = world.deposit(deposit).await.expires_at + Duration::seconds(1);
    world.mine_at(over).await;
    assert_eq!(expire().await.unwrap(), 0, "not by a solid block");
    world.drain_jobs().await;
    world.solidify().await;
    assert!(world.has_job("deposits.credit", NETWORK).await, "the time is over");
    assert_eq!([expire().await.unwrap(), expire().await.unwrap()], [1, 0]);
    assert_eq!(world.deposit(deposit).await.state, DepositState::Expired);
    let sent = coin(1, to, 10 * TRX);
    world.settle(std::slice::from_ref(&sent)).await;
    assert_eq!(
        world.standing(&sent).await,
        (TransferState::Credited, Some(TransferKind::Late))
    );
    assert_eq!(world.deposit(deposit).await.state, DepositState::Paid);
    world.assert_sound().await;
}

#[tokio::test]
async fn nothing_ends_before_what_came_in_time_is_decided() {
    let world = World::new().await;
    let to = world.annas().await;
    let deposit = world.announce(to, Asset::Trx, Some(10 * TRX)).await;
    let sent = coin(1, to, 10 * TRX);
    world.receive(std::slice::from_ref(&sent)).await;
    let over = world.deposit(deposit).await.expires_at + Duration::seconds(1);
    world.mine_at(over).await;
    world.solidify().await;
    let expire = || deposits::expire(&world.worker, &world.ids, NETWORK, 100, world.now());
    assert_eq!(expire().await.unwrap(), 0);
    world.credit().await;
    assert_eq!(expire().await.unwrap(), 0);
    assert_eq!(world.standing(&sent).await.1, Some(TransferKind::Exact));
}

#[tokio::test]
async fn on_a_shared_address_the_amount_says_for_whom() {
    let world = World::new().await;
    let to = world.pays_to(51, AddressKind::Shared, None).await;
    let deposit = world.announce(to, Asset::Trx, Some(10 * TRX + 17)).await;
    let before = world.balance(Asset::Trx).await;
    let (exact, other) = (coin(1, to, 10 * TRX + 17), coin(2, to, 10 * TRX));
    let named = Transfer {
        memo: Some(format!("order {}", world.deposit(deposit).await.code)),
        ..coin(3, to, TRX)
    };
    let again = coin(4, to, 10 * TRX + 17);
    let done = world
        .settle(&[exact.clone(), other.clone(), named.clone(), again.clone()])
        .await;
    assert_eq!((done.credited, done.held), (2, 2));
    use TransferKind::{Duplicate, Exact, Unmatched};
    assert_eq!(world.standing(&exact).await, (TransferState::Credited, Some(Exact)));
    assert_eq!(world.standing(&other).await, (TransferState::Held, Some(Unmatched)));
    assert_eq!(world.standing(&named).await, (TransferState::Credited, Some(Duplicate)));
    assert_eq!(world.standing(&again).await, (TransferState::Held, Some(Duplicate)));
    assert_eq!(world.balance(Asset::Trx).await - before, 11 * TRX + 17);
    assert_eq!(world.findings().await, ["deposits.held"; 2]);
}

#[tokio::test]
async fn an_amount_is_nobody_elses_until_it_is_released() {
    let world = World::new().await;
    let to = world.pays_to(51, AddressKind::Shared, None).await;
    let deposit = world.announce(to, Asset::Trx, Some(10 * TRX + 17)).await;
    let again = || async {
        let mut conn = acquire(&world.api).await.unwrap();
        let row = Deposit {
            id: world.ids.uuid(),
            code: "ABCDEFGH22".into(),
            state: DepositState::Open,
            amount_released_at: None,
            ..world.deposit(deposit).await
        };
        row.insert_if_free(&mut conn).await.unwrap()
    };
    let expire = || deposits::expire(&world.worker, &world.ids, NETWORK, 100, world.now());
    let row = world.deposit(deposit).await;
    assert!(!again().await);
    world.mine_at(row.expires_at + Duration::seconds(1)).await;
    world.solidify().await;
    assert_eq!(expire().await.unwrap(), 1);
    assert!(!again().await, "somebody may still pay it");
    world.mine_at(row.amount_held_until + Duration::seconds(1)).await;
    world.solidify().await;
    assert_eq!(expire().await.unwrap(), 1);
    assert!(again().await);
}

#[tokio::test]
async fn what_is_no_money_is_shown_and_never_credited() {
    let world = World::new().await;
    let to = world.annas().await;
    let old = world.pays_to(52, AddressKind::Shared, None).await;
    world
        .db
        .sql(&format!(
            "UPDATE deposit_addresses SET retired_at = now() WHERE address = '{old}'"
        ))
        .await;
    let before = world.balance(Asset::Trx).await;
    let fake = Transfer {
        asset: TransferAsset::Token(address(91)),
        ..token(1, 0, to, 5 * TRX)
    };
    let whole_world = Transfer {
        amount: ChainAmount::from_be_bytes([0xff; 32]),
        ..token(2, 0, to, 1)
    };
    let from_blocked = Transfer {
        from: address(66),
        ..coin(3, to, 5 * TRX)
    };
    let beyond = Transfer {
        amount: ChainAmount::from(1_u128 << 64),
        ..token(6, 0, to, 1)
    };
    let (little, retired) = (coin(4, to, 999), coin(5, old, 5 * TRX));
    let all = [fake, whole_world, from_blocked, little, retired, beyond];
    assert_eq!(world.receive(&all).await, 6);
    world.solidify().await;
    let done = world.credit().await;
    assert_eq!((done.decided, done.credited, done.held), (6, 0, 4));
    use TransferKind::{BlockedSender, Dust, RetiredAddress, TooLarge, WrongToken};
    let expected = [
        (TransferState::Ignored, WrongToken),
        (TransferState::Held, TooLarge),
        (TransferState::Held, BlockedSender),
        (TransferState::Ignored, Dust),
        (TransferState::Held, RetiredAddress),
        (TransferState::Held, TooLarge),
    ];
    for (transfer, (state, kind)) in all.iter().zip(expected) {
        assert_eq!(world.standing(transfer).await, (state, Some(kind)));
    }
    let most = "115792089237316195423570985008687907853269984665640564039457584007913129639935";
    assert_eq!(world.row(&all[1]).await.amount, most);
    assert_eq!(world.balance(Asset::Trx).await, before);
    assert_eq!(world.count("ledger_transfers WHERE reason = 'deposit_credit'").await, 0);
    assert_eq!(world.findings().await, ["deposits.held"; 4]);
}

#[tokio::test]
async fn what_was_paid_before_its_address_was_ours_waits_for_an_operator() {
    let world = World::new().await;
    let shared = world.pays_to(51, AddressKind::Shared, None).await;
    let long_ago = world.now();
    world.clock.advance_seconds(3_000);
    // an address that had another use before, and a deposit of the very amount, announced afterwards
    let to = world.annas().await;
    let deposit = world.announce(shared, Asset::Trx, Some(10 * TRX + 17)).await;
    let before = world.balance(Asset::Trx).await;
    let early = [coin(1, to, 5 * TRX), coin(2, shared, 10 * TRX + 17)];
    let done = world.settle(&early).await;
    assert_eq!((done.credited, done.held), (0, 2));
    for transfer in &early {
        let held = (TransferState::Held, Some(TransferKind::Unmatched));
        assert_eq!(world.standing(transfer).await, held);
    }
    assert_eq!(world.findings().await, ["deposits.held"; 2]);
    let told = "SELECT detail ->> 'early' AS word FROM findings ORDER BY (detail ->> 'amount_minor')::bigint";
    assert_eq!(world.words(told).await, ["true", "false"]);
    // about the time of their making, by a clock that is a little ahead, they bring what is sent
    world.mine_at(long_ago + Duration::seconds(3_000 - 59)).await;
    let (own, exact) = (coin(4, to, 5 * TRX), coin(5, shared, 10 * TRX + 17));
    let done = world.settle(&[own, exact.clone()]).await;
    assert_eq!((done.credited, done.held), (2, 0));
    assert_eq!(world.row(&exact).await.deposit_id, Some(deposit));
    assert_eq!(world.balance(Asset::Trx).await, before + 15 * TRX + 17);
}

#[tokio::test]
async fn what_is_older_than_all_that_was_read_waits_for_an_operator() {
    let world = World::new().await;
    let to = world.annas().await;
    let genesis = world.head().await;
    // the address is of an account that another database gave it out from before
    let parent = chain::BlockRef {
        number: genesis.number - 2,
        id: "0c".repeat(32),
        parent_id: "0d".repeat(32),
        time: genesis.time - Duration::seconds(6),
    };
    let sent = coin(1, to, 5 * TRX);
    let blocks = [carrying(&parent, 0, std::slice::from_ref(&sent))];
    let read = deposits::read_again(&world.worker, &world.ids, NETWORK, (&blocks, None), world.now());
    assert_eq!(read.await.unwrap().recorded, 1);
    let done = world.credit().await;
    assert_eq!((done.credited, done.held), (0, 1));
    assert_eq!(
        world.standing(&sent).await,
        (TransferState::Held, Some(TransferKind::Unmatched))
    );
    // and what is read again of its own time is credited
    let parent = world.head().await;
    let later = coin(2, to, 5 * TRX);
    world.mine(&[]).await;
    world.solidify().await;
    let mut block = carrying(&parent, 0, std::slice::from_ref(&later));
    block.at = world.head().await;
    let blocks = [block];
    let read = deposits::read_again(&world.worker, &world.ids, NETWORK, (&blocks, None), world.now());
    assert_eq!(read.await.unwrap().recorded, 1);
    assert_eq!(world.credit().await.credited, 1);
}

#[tokio::test]
async fn what_a_contract_sent_on_is_an_operators_to_give() {
    let world = World::new().await;
    let to = world.annas().await;
    let before = world.balance(Asset::Trx).await;
    let straight = coin(1, to, 2 * TRX);
    let [first, second] = [0, 3].map(|place| Transfer {
        by: MovedBy::Call(place),
        ..coin(1, to, 5 * TRX)
    });
    assert_eq!(
        world.receive(&[straight.clone(), first.clone(), second.clone()]).await,
        3
    );
    world.solidify().await;
    let done = world.credit().await;
    assert_eq!((done.credited, done.held), (1, 2));
    assert_eq!(
        [world.row(&first).await.log_index, world.row(&second).await.log_index],
        [-2, -5]
    );
    let held = (TransferState::Held, Some(TransferKind::ByContract));
    assert_eq!(world.standing(&first).await, held);
    assert_eq!(world.balance(Asset::Trx).await - before, 2 * TRX);
    assert_eq!(world.findings().await, ["deposits.held", "deposits.held"]);
    world.rule("ops", &first, Ruling::Credit(None)).await.unwrap();
    assert_eq!(world.balance(Asset::Trx).await - before, 7 * TRX);
    assert_eq!(world.standing(&second).await, held);
    assert!(world.rule("ops", &first, Ruling::Credit(None)).await.is_err(), "once");
}
