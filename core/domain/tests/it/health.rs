//! Wallets that fail: isolated, tried again by themselves, released.

use chain::Refusal;
use domain::wallets::{begin_probations, find, isolate_in_tx, set_enabled};
use kernel::WalletId;
use switchyard_domain as domain;

use crate::harness::{landed, refused};
use crate::world::{STAKE, World};

/// One wallet, which an order finds.
async fn with_wallet() -> (World, WalletId) {
    let world = World::new().await;
    let wallet = world.wallet(1, STAKE * 20).await;
    (world, wallet)
}

impl World {
    /// Orders of these receivers, each of whose transactions is refused.
    async fn fail(&self, receivers: impl IntoIterator<Item = u8>) {
        for n in receivers {
            let tx = self.claim(self.order(n).await).await;
            self.answer(&tx, &refused(Refusal::BadSignature), true).await;
        }
    }

    /// Whether it is isolated, and in how many minutes it is tried again.
    async fn isolation(&self, wallet: WalletId) -> Option<Option<i64>> {
        let wallet = find(&self.worker, wallet).await.unwrap();
        wallet.isolated_at?;
        Some(wallet.probation_at.map(|at| (at - self.now()).num_minutes()))
    }

    async fn try_again(&self) -> usize {
        begin_probations(&self.worker, 3, self.now()).await.unwrap()
    }
}

#[tokio::test]
async fn failures_count_within_a_window() {
    let (world, wallet) = with_wallet().await;
    for round in 0..3 {
        world.fail([round * 2 + 1, round * 2 + 2]).await;
        assert_eq!(find(&world.worker, wallet).await.unwrap().failures, 2);
        world.clock.advance_seconds(3_601);
    }
    assert_eq!(world.isolation(wallet).await, None);
    world.fail([7, 8, 9]).await;
    assert_eq!(world.isolation(wallet).await, Some(Some(30)));
}

#[tokio::test]
async fn an_isolated_wallet_is_tried_again_and_twice_as_late_each_time() {
    let (world, wallet) = with_wallet().await;
    world.fail([1, 2, 3]).await;
    let mut minutes = 30;
    for n in 4..12 {
        assert_eq!(world.isolation(wallet).await, Some(Some(minutes)));
        assert_eq!(world.findings().await, ["wallets.isolated"]);
        world.clock.advance_seconds(minutes * 60 - 1);
        assert_eq!(world.try_again().await, 0, "not yet");
        world.clock.advance_seconds(1);
        assert_eq!(world.try_again().await, 1);
        assert_eq!(world.isolation(wallet).await, None);
        assert_eq!(world.findings().await, [""; 0]);
        // one failure is enough now
        world.fail([n]).await;
        minutes = (minutes * 2).min(24 * 60);
    }
    assert_eq!(minutes, 24 * 60);
}

#[tokio::test]
async fn a_success_ends_the_probation() {
    let (world, wallet) = with_wallet().await;
    world.fail([1, 2, 3]).await;
    world.clock.advance_seconds(1_800);
    assert_eq!(world.try_again().await, 1);
    let tx = world.claim(world.order(4).await).await;
    world.mine(&[landed(&tx)]).await;
    let found = find(&world.worker, wallet).await.unwrap();
    assert_eq!((found.failures, found.probations, found.first_failed_at), (0, 0, None));
    world.fail([5, 6]).await;
    assert_eq!(world.isolation(wallet).await, None);
}

#[tokio::test]
async fn what_is_wrong_with_a_wallet_itself_waits_for_an_operator() {
    let (world, wallet) = with_wallet().await;
    world.fail([1, 2, 3]).await;
    let isolate = async || {
        let now = world.now();
        db::run_tx(&world.worker, "test", async |conn| {
            isolate_in_tx(conn, &world.ids, wallet.0, ("coin is missing", None), now).await
        })
        .await
        .unwrap();
    };
    // isolated already, and now for something that does not pass
    isolate().await;
    assert_eq!(world.isolation(wallet).await, Some(None));
    world.clock.advance_seconds(1_000_000);
    assert_eq!(world.try_again().await, 0);
    let on = set_enabled(&world.api, &world.ids, wallet, true, world.now())
        .await
        .unwrap();
    assert_eq!((on.isolated_at, on.failures, on.probations), (None, 0, 0));
}
