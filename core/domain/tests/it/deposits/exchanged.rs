//! USDT that comes in is exchanged with its credit where there is a rate, and later where there is none; the credit stands in
//! any case.

use db::models::{ExchangeFilter, ExchangeState};
use domain::deposits::classify::LARGEST;
use domain::exchanges::{Settled, page};
use domain::operations::{Ruling, RulingPolicy};
use ledger::movements::Direction;

use super::*;
use crate::rates::RATE;

const USDT: i64 = 1_000_000;

impl World {
    async fn credit_and_exchange(&self) -> Credited {
        let policy = CreditPolicy {
            exchange: Some(crate::rates::policy()),
            ..policy()
        };
        let done = deposits::credit(&self.worker, &self.ids, NETWORK, &policy, 100, self.now());
        done.await.unwrap()
    }

    /// A block with these transfers, solid at once, decided.
    async fn settle_and_exchange(&self, transfers: &[Transfer]) -> Credited {
        self.receive(transfers).await;
        self.solidify().await;
        self.credit_and_exchange().await
    }

    /// Anna's exchanges, oldest first: their states and what was got.
    async fn exchanges(&self) -> Vec<(ExchangeState, Option<i64>)> {
        let filter = ExchangeFilter {
            user_id: Some(ANNA),
            oldest_first: true,
            ..ExchangeFilter::default()
        };
        let all = page(&self.api, &filter, None, 100).await.unwrap();
        all.into_iter().map(|exchange| (exchange.state, exchange.sun)).collect()
    }

    async fn reasons(&self) -> Vec<String> {
        self.words("SELECT coalesce(reason_code, '-') AS word FROM exchanges ORDER BY id")
            .await
    }

    async fn rule_and_exchange(&self, transfer: &Transfer, ruling: Ruling) {
        let policy = RulingPolicy::new((LARGEST, LARGEST), Duration::hours(24), Some(crate::rates::policy()));
        self.rule_with("anna", &policy, (transfer, ruling)).await.unwrap();
    }
}

#[tokio::test]
async fn what_comes_in_is_credited_and_exchanged_once() {
    let world = World::new().await;
    let to = world.annas().await;
    world.says(RATE).await;
    let all = world.listen(&[]).await;
    let before = world.purse().await;
    let sent = [token(1, 0, to, 7 * USDT), coin(2, to, TRX), token(3, 0, to, 3 * USDT)];
    assert_eq!(world.settle_and_exchange(&sent).await.credited, 3);
    assert_eq!(world.credit_and_exchange().await, Credited::default());
    let after = world.purse().await;
    assert_eq!([after[0] - before[0], after[1]], [10 * RATE + TRX, 0]);
    assert_eq!(
        world.exchanges().await,
        [
            (ExchangeState::Done, Some(7 * RATE)),
            (ExchangeState::Done, Some(3 * RATE))
        ]
    );
    assert_eq!(world.came_in(Asset::Usdt).await, i128::from(10 * USDT));
    let told = world.told(all).await;
    let of = |name: &str| told.iter().filter(|told| *told == name).count();
    assert_eq!((of("deposit.credited"), of("exchange.completed")), (3, 2));
    assert!(world.settle_exchanges().await.is_empty());
    world.assert_sound().await;
}

#[tokio::test]
async fn two_jobs_at_once_credit_and_exchange_once() {
    let world = World::new().await;
    let to = world.annas().await;
    world.says(RATE).await;
    let before = world.purse().await;
    let sent: Vec<Transfer> = (0..20).map(|n| token(n, 0, to, USDT)).collect();
    world.receive(&sent).await;
    world.solidify().await;
    let [one, other, third] = [(); 3].map(|()| world.credit_and_exchange());
    let (one, other, third) = tokio::join!(one, other, third);
    assert_eq!(one.credited + other.credited + third.credited, 20);
    let after = world.purse().await;
    assert_eq!([after[0] - before[0], after[1]], [20 * RATE, 0]);
    assert_eq!(world.count("exchanges WHERE state = 'done'").await, 20);
    world.assert_sound().await;
}

#[tokio::test]
async fn without_a_rate_it_is_credited_and_exchanged_when_there_is_one() {
    let world = World::new().await;
    let to = world.annas().await;
    let before = world.purse().await;
    let sent = [token(1, 0, to, 7 * USDT), token(2, 0, to, 3 * USDT)];
    assert_eq!(world.settle_and_exchange(&sent).await.credited, 2);
    assert_eq!(world.purse().await, [before[0], 10 * USDT]);
    assert_eq!(world.exchanges().await, [(ExchangeState::Pending, None); 2]);
    assert_eq!(world.settle_exchanges().await, [Settled::NoRate]);
    assert!(!world.has_job("deposits.exchange", "all").await);
    world.assert_sound().await;

    world.clock.advance_seconds(960);
    world.reconcile().await;
    assert_eq!(world.findings().await, ["exchanges.waiting"; 2]);

    // a refused round is none
    world.round(&[Some(RATE), Some(1)]).await;
    assert!(!world.has_job("deposits.exchange", "all").await);
    world.clock.advance_seconds(10);
    let round = world.says(RATE).await;
    assert_eq!(round.wakes.len(), 1);
    assert!(world.has_job("deposits.exchange", "all").await);
    // a job that was lost is found
    world.drain_jobs().await;
    assert_eq!(world.reconcile().await.requeued, 1);
    assert!(world.has_job("deposits.exchange", "all").await);

    let (one, other) = tokio::join!(world.settle_exchanges(), world.settle_exchanges());
    assert_eq!(one.len() + other.len(), 2);
    let after = world.purse().await;
    assert_eq!([after[0] - before[0], after[1]], [10 * RATE, 0]);
    assert_eq!(world.count("exchanges WHERE state = 'done'").await, 2);
    world.assert_sound().await;
    assert!(world.findings().await.is_empty());
}

#[tokio::test]
async fn a_rate_by_hand_does_what_waits() {
    let world = World::new().await;
    let to = world.annas().await;
    world.settle_and_exchange(&[token(1, 0, to, 7 * USDT)]).await;
    let done = world.set_by_hand(RATE, Duration::hours(1)).await.unwrap();
    assert_eq!(done.wakes.len(), 1);
    assert_eq!(world.settle_exchanges().await, [Settled::Done]);
    let used = world
        .word("SELECT r.kind AS word FROM exchanges x JOIN rates r ON r.id = x.rate_id")
        .await;
    assert_eq!(used, "manual");
}

#[tokio::test]
async fn what_was_spent_meanwhile_is_not_exchanged_and_nothing_is_lost() {
    let world = World::new().await;
    let to = world.annas().await;
    let all = world.listen(&[]).await;
    let before = world.purse().await;
    world.settle_and_exchange(&[token(1, 0, to, 7 * USDT)]).await;
    world.clock.advance_seconds(1);
    world.settle_and_exchange(&[token(2, 0, to, 3 * USDT)]).await;
    world.usdt(Direction::Debit, 4 * USDT).await;
    world.says(RATE).await;
    assert_eq!(world.settle_exchanges().await, [Settled::Failed, Settled::Done]);
    assert_eq!(
        world.exchanges().await,
        [(ExchangeState::Failed, None), (ExchangeState::Done, Some(3 * RATE))]
    );
    assert_eq!(world.reasons().await, ["funds_spent", "-"]);
    let after = world.purse().await;
    assert_eq!([after[0] - before[0], after[1]], [3 * RATE, 3 * USDT]);
    let told = world.told(all).await;
    assert!(told.contains(&"exchange.failed".to_owned()), "{told:?}");
    world.assert_sound().await;
}

#[tokio::test]
async fn an_operators_credit_is_exchanged_and_a_reversal_ends_what_waits() {
    let world = World::new().await;
    world.says(RATE).await;
    let shared = world.pays_to(60, AddressKind::Shared, None).await;
    let before = world.purse().await;
    let sent = token(1, 0, shared, 7 * USDT);
    assert_eq!(world.settle_and_exchange(std::slice::from_ref(&sent)).await.held, 1);
    world.rule_and_exchange(&sent, Ruling::Credit(Some(UserId(ANNA)))).await;
    let after = world.purse().await;
    assert_eq!([after[0] - before[0], after[1]], [7 * RATE, 0]);
    let by = world.word("SELECT requested_by AS word FROM exchanges").await;
    assert_eq!(by, "operator:anna");

    // one that waits: its user's other USDT is not exchanged in its place
    world.clock.advance_seconds(301);
    let to = world.annas().await;
    let wrong = token(2, 0, to, 5 * USDT);
    world.settle_and_exchange(std::slice::from_ref(&wrong)).await;
    world.usdt(Direction::Credit, 5 * USDT).await;
    world.rule_and_exchange(&wrong, Ruling::Reverse).await;
    world.says(RATE).await;
    assert!(world.settle_exchanges().await.is_empty());
    assert_eq!(world.reasons().await, ["-", "deposit_reversed"]);
    assert_eq!(world.purse().await, [after[0], 5 * USDT]);
    world.assert_sound().await;
}

#[tokio::test]
async fn so_much_that_a_balance_could_overflow_is_credited_all_the_same() {
    let world = World::new().await;
    let to = world.annas().await;
    world.says(RATE).await;
    let most = i64::MAX / 1_000;
    let before = world.purse().await;
    assert_eq!(world.settle_and_exchange(&[token(1, 0, to, most)]).await.credited, 1);
    assert_eq!(world.purse().await, [before[0], most]);
    assert!(world.has_job("deposits.exchange", "all").await);
    assert_eq!(
        world.settle_exchanges().await,
        [Settled::Done],
        "the balance has room for it"
    );
    let after = world.purse().await;
    assert_eq!(after[1], 0);
    assert_eq!(world.settle_and_exchange(&[token(2, 0, to, most)]).await.credited, 1);
    world.fund_beyond_bounds(ANNA, i64::MAX - after[0]).await;
    assert_eq!(world.settle_exchanges().await, [Settled::Failed]);
    assert_eq!(world.reasons().await, ["-", "too_large"]);
    assert_eq!(world.purse().await, [i64::MAX, most]);
    world.assert_sound().await;
}
