//! What the reconcilers find, and what watching costs.

use db::models::TransferState::Credited as IsCredited;

use super::*;

#[tokio::test]
async fn a_credit_without_a_transfer_and_a_transfer_without_a_credit_are_found() {
    let world = World::new().await;
    let to = world.annas().await;
    let sent = coin(1, to, 5 * TRX);
    world.settle(std::slice::from_ref(&sent)).await;
    world.assert_sound().await;
    // behind the triggers' back
    let behind = |sql: &str| format!("SET session_replication_role = replica; {sql}; RESET session_replication_role");
    world
        .db
        .sql(&behind("UPDATE incoming_transfers SET credited = 4, amount = 4"))
        .await;
    assert_eq!(world.reconcile().await.findings, 1);
    assert_eq!(world.findings().await, ["deposits.ledger_differs"]);
    let subject = format!("event:deposit:nile:{}:-1:credit", sent.txid);
    let found = world
        .word("SELECT subject || ' ' || (detail ->> 'recorded') AS word FROM findings")
        .await;
    assert_eq!(found, format!("{subject} house:deposits:nile:TRX > user:7:TRX 4"));
    world
        .db
        .sql(&behind(
            "UPDATE incoming_transfers SET credited = 5000000, amount = 5000000",
        ))
        .await;
    world.assert_sound().await;
    assert!(world.findings().await.is_empty());
    assert_eq!(world.standing(&sent).await.0, IsCredited);

    world.drain_jobs().await;
    world
        .db
        .sql(&behind(
            "UPDATE incoming_transfers SET state = 'seen', kind = NULL, decided_by = NULL, decided_at = NULL, credited = NULL",
        ))
        .await;
    let report = world.reconcile().await;
    assert!(report.findings > 0);
    assert_eq!(report.requeued, 1, "what is final and undecided gets its job back");
    // crediting it again moves nothing: the event is there
    world.credit().await;
    assert_eq!(world.came_in(Asset::Trx).await, i128::from(5 * TRX));
}

#[tokio::test]
async fn what_nobody_decides_about_is_found() {
    let world = World::new().await;
    let to = world.annas().await;
    world.receive(&[coin(1, to, TRX)]).await;
    world.solidify().await;
    world.drain_jobs().await;
    world
        .db
        .sql(
            "SET session_replication_role = replica; \
        UPDATE incoming_transfers SET updated_at = 'epoch'; RESET session_replication_role",
        )
        .await;
    let report = world.reconcile().await;
    assert_eq!(report.wakes.len(), 1);
    assert!(world.has_job("deposits.credit", NETWORK).await);
    assert_eq!(world.findings().await, ["deposits.not_credited"]);
    world.credit().await;
    assert_eq!(world.reconcile().await.findings, 0);
    assert!(world.findings().await.is_empty());
}

#[tokio::test]
async fn a_hundred_thousand_addresses_cost_one_indexed_question() {
    let world = World::new().await;
    world
        .db
        .sql(
            "INSERT INTO users (id, created_at) SELECT n, now() FROM generate_series(1000, 100999) AS n; \
             INSERT INTO deposit_addresses (id, network, address, kind, user_id, created_at) \
             SELECT gen_random_uuid(), 'nile', 'T' || lpad(n::text, 33, 'a'), 'user', n, now() \
             FROM generate_series(1000, 100999) AS n; ANALYZE deposit_addresses",
        )
        .await;
    let to = world.annas().await;
    // as many receivers as a full block of the main network has
    let mut block: Vec<Transfer> = (0..300_u32)
        .map(|n| {
            let mut receiver = [0; 20];
            receiver[..4].copy_from_slice(&n.to_be_bytes());
            coin(n, TronAddress::from_evm20(receiver), TRX)
        })
        .collect();
    block.push(coin(1_000, to, TRX));
    let receivers: Vec<String> = block.iter().map(|transfer| format!("'{}'", transfer.to)).collect();
    world
        .db
        .sql(
            "CREATE FUNCTION plan_of(query text) RETURNS SETOF text LANGUAGE plpgsql AS $f$ BEGIN \
             RETURN QUERY EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) ' || query; END $f$",
        )
        .await;
    let plan = world
        .words(&format!(
            "SELECT plan_of($q$SELECT * FROM deposit_addresses WHERE network = 'nile' AND address = ANY(ARRAY[{}])$q$) AS word",
            receivers.join(",")
        ))
        .await
        .join("\n");
    assert!(plan.contains("deposit_addresses_network_address_key"), "{plan}");
    assert!(!plan.contains("Seq Scan"), "{plan}");
    let started = std::time::Instant::now();
    assert_eq!(world.receive(&block).await, 1);
    eprintln!(
        "a block of 301 receivers, 100,001 addresses: applied in {:?}",
        started.elapsed()
    );
}

#[tokio::test]
async fn a_block_that_is_read_again_and_says_something_else_is_found_and_changes_nothing() {
    let world = World::new().await;
    let to = world.annas().await;
    let sent = coin(1, to, 5 * TRX);
    let parent = world.head().await;
    world.settle(std::slice::from_ref(&sent)).await;
    let read = async |told: &Transfer| {
        let block = carrying(&parent, 0, std::slice::from_ref(told));
        let blocks = [block];
        let read = deposits::read_again(&world.worker, &world.ids, NETWORK, (&blocks, None), world.now());
        read.await.unwrap()
    };
    let same = read(&sent).await;
    assert_eq!((same.known, same.recorded, same.differing), (1, 0, vec![]));
    let before = world.row(&sent).await;
    let other = read(&coin(1, to, 6 * TRX)).await;
    assert_eq!(other.differing, [format!("{}:-1", sent.txid)]);
    assert_eq!(world.row(&sent).await, before);
    assert_eq!(world.findings().await, ["deposits.differs"]);
}

#[tokio::test]
async fn a_node_that_tells_of_no_calls_contradicts_nobody_and_one_that_does_brings_them() {
    let world = World::new().await;
    let to = world.annas().await;
    let straight = coin(1, to, 5 * TRX);
    let passed_on = |place| Transfer {
        by: MovedBy::Call(place),
        ..coin(1, to, 3 * TRX)
    };
    let parent = world.head().await;
    world.settle(&[straight.clone(), passed_on(0)]).await;
    let read = async |told: &[Transfer]| {
        let blocks = [carrying(&parent, 0, told)];
        let read = deposits::read_again(&world.worker, &world.ids, NETWORK, (&blocks, None), world.now());
        let read = read.await.unwrap();
        (read.known, read.recorded, read.differing)
    };
    assert_eq!(read(std::slice::from_ref(&straight)).await, (1, 0, vec![]));
    let all = [straight.clone(), passed_on(0), passed_on(1)];
    assert_eq!(read(&all).await, (2, 1, vec![]));
    assert_eq!(read(&all).await, (3, 0, vec![]));
    world.credit().await;
    assert_eq!(world.standing(&passed_on(1)).await.0, TransferState::Held);
    let more = Transfer {
        amount: ChainAmount::from(4),
        ..passed_on(1)
    };
    assert_eq!(read(&[straight, more]).await.2, [format!("{}:-3", all[0].txid)]);
}
