//! What receivers of webhooks are told of money that comes in.

use domain::deposits::classify::LARGEST;
use domain::operations::{Instruction, Mark, Ruling, RulingPolicy, rule_transfer};

use super::*;

impl World {
    /// A field of what was told with events of a type, in order.
    async fn said(&self, event_type: &str, path: &str) -> Vec<String> {
        let sql = format!(
            "SELECT coalesce(data #>> '{{{path}}}', '-') AS word FROM events WHERE event_type = '{event_type}' ORDER BY id"
        );
        self.words(&sql).await
    }
}

#[tokio::test]
async fn a_deposit_is_told_from_its_first_block_to_its_last_credit() {
    let world = World::new().await;
    let to = world.annas().await;
    let deposit = world.announce(to, Asset::Usdt, Some(10 * TRX)).await;
    let all = world.listen(&[]).await;
    world.settle(&[token(1, 0, to, 4 * TRX)]).await;
    assert_eq!(
        world.told(all).await,
        ["deposit.detected", "deposit.credited", "deposit.partial"]
    );
    world.settle(&[token(2, 0, to, 6 * TRX)]).await;
    world.credit().await;
    assert_eq!(
        world.told(all).await[3..],
        ["deposit.detected", "deposit.credited"],
        "each once"
    );
    assert_eq!(world.said("deposit.detected", "transfer,state").await, ["seen"; 2]);
    assert_eq!(
        world.said("deposit.detected", "user_id").await,
        [ANNA.to_string(), ANNA.to_string()]
    );
    assert_eq!(
        world.said("deposit.credited", "transfer,credited").await,
        ["4.000000", "6.000000"]
    );
    assert_eq!(
        world.said("deposit.credited", "deposit,state").await,
        ["partial", "paid"]
    );
    assert_eq!(
        world.said("deposit.credited", "deposit,received").await,
        ["4.000000", "10.000000"]
    );
    assert_eq!(world.said("deposit.partial", "deposit,id").await, [deposit.to_string()]);
    let of_anna = "events WHERE subject_kind = 'deposit' AND user_id = 7 AND data #>> '{transfer,id}' = subject_id";
    assert_eq!(world.count(of_anna).await, 5);
    world.assert_sound().await;
}

#[tokio::test]
async fn what_a_fork_took_back_is_told_and_told_anew_where_it_lands_again() {
    let world = World::new().await;
    let to = world.annas().await;
    let all = world.listen(&[]).await;
    let sent = coin(1, to, 5 * TRX);
    world.receive(std::slice::from_ref(&sent)).await;
    world.revert_to(1000).await;
    let block = carrying(&world.head().await, 1, std::slice::from_ref(&sent));
    world.apply(&[block]).await.unwrap();
    world.solidify().await;
    world.credit().await;
    assert_eq!(
        world.told(all).await,
        [
            "deposit.detected",
            "deposit.reverted",
            "deposit.detected",
            "deposit.credited"
        ]
    );
    assert_eq!(world.said("deposit.reverted", "transfer,state").await, ["reverted"]);
    world.assert_sound().await;
}

#[tokio::test]
async fn the_end_of_a_deposit_and_what_an_operator_rules_are_told() {
    let world = World::new().await;
    let to = world.annas().await;
    let shared = world.pays_to(51, AddressKind::Shared, None).await;
    let deposit = world.announce(to, Asset::Trx, Some(10 * TRX)).await;
    let all = world.listen(&[]).await;
    let stray = coin(1, shared, 3 * TRX);
    world.settle(std::slice::from_ref(&stray)).await;
    assert_eq!(world.said("deposit.held", "transfer,case").await, ["unmatched"]);
    assert_eq!(world.said("deposit.held", "user_id").await, ["-"]);

    world
        .mine_at(world.deposit(deposit).await.expires_at + Duration::seconds(1))
        .await;
    world.solidify().await;
    for _ in 0..2 {
        deposits::expire(&world.worker, &world.ids, NETWORK, 100, world.now())
            .await
            .unwrap();
    }
    assert_eq!(world.said("deposit.expired", "deposit,id").await, [deposit.to_string()]);
    assert_eq!(world.said("deposit.expired", "transfer").await, ["-"]);

    let id = world.row(&stray).await.id;
    let policy = RulingPolicy::new((LARGEST, LARGEST), Duration::hours(24), None);
    for (key, ruling) in [("a", Ruling::Credit(Some(UserId(ANNA)))), ("b", Ruling::Reverse)] {
        let instruction = Instruction {
            actor: "operator:anna".into(),
            name: "anna".into(),
            reason: Some("she called".into()),
            mark: Some(Mark {
                api_key: world.key,
                key: key.into(),
                request_sha256: [1; 32],
            }),
            dry_run: false,
        };
        for _ in 0..2 {
            rule_transfer(
                &world.api,
                &world.ids,
                (&instruction, &policy),
                (id, ruling),
                world.now(),
            )
            .await
            .unwrap();
        }
    }
    assert_eq!(
        world.told(all).await,
        [
            "deposit.detected",
            "deposit.held",
            "deposit.expired",
            "deposit.credited",
            "deposit.reverted"
        ]
    );
    assert_eq!(world.said("deposit.reverted", "transfer,state").await, ["reversed"]);
    world.assert_sound().await;
}

#[tokio::test]
async fn what_wallets_of_ours_send_is_nobodys_deposit_and_nobody_is_told() {
    let world = World::new().await;
    let to = world.annas().await;
    let all = world.listen(&[]).await;
    let before = world.balance(Asset::Trx).await;
    world.wallet(1, 0).await;
    let ours = Transfer {
        from: address(199),
        ..coin(1, to, 5 * TRX)
    };
    let in_tokens = Transfer {
        from: address(199),
        ..token(2, 0, to, 5 * TRX)
    };
    let settled = world.settle(&[ours.clone(), in_tokens.clone()]).await;
    assert_eq!((settled.decided, settled.credited, settled.held), (2, 0, 0));
    for transfer in [&ours, &in_tokens] {
        let internal = (TransferState::Ignored, Some(TransferKind::Internal));
        assert_eq!(world.standing(transfer).await, internal);
    }
    assert_eq!(world.balance(Asset::Trx).await, before);
    assert_eq!(world.told(all).await, Vec::<String>::new());
    // a customer pays to the same address all the same
    world.settle(&[coin(3, to, 5 * TRX)]).await;
    assert_eq!(world.balance(Asset::Trx).await, before + 5 * TRX);
    assert_eq!(world.told(all).await, ["deposit.detected", "deposit.credited"]);
    world.assert_sound().await;
}
