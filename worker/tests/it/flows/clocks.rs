//! Workers on machines whose clocks are ten minutes off.

use db::models::OrderState;
use jobs::JobKind;

use crate::harness::{Does, Rig, Wish};

#[tokio::test(flavor = "multi_thread")]
async fn clocks_ten_minutes_off_end_nothing_early_and_do_nothing_twice() {
    let mut rig = Rig::new().await;
    rig.expect_finding("pool.no_wallet_fits");
    rig.world.ahead_s = 600;
    let _ahead = rig.start(Does::Everything);
    rig.world.ahead_s = -600;
    let _behind = rig.start(Does::Everything);
    rig.supplier(100_000).await;

    let mut orders = Vec::new();
    for _ in 0..8 {
        orders.push(rig.order(rig.wish()).await);
    }
    for order in &orders {
        rig.wait_settled(*order).await;
        let detail = rig.detail(*order).await;
        assert_eq!((detail.order.attempts, detail.transactions.len()), (1, 1));
    }
    assert_eq!(rig.devnet.calls("/wallet/broadcasthex"), 8, "each was sent once");

    // more than there is: it waits for its deadline, ten minutes by everybody's clock
    let vain = Wish {
        energy: 5_000_000,
        ..rig.wish()
    };
    let vain = rig.order(vain).await;
    let deadline_at = rig.find(vain).await.deadline_at;
    for _ in 0..5 {
        rig.pass(100);
        rig.ask(JobKind::OrdersCancelExpired, "all").await;
        rig.idle().await;
        assert_eq!(rig.find(vain).await.state, OrderState::Pending, "it is not over yet");
    }
    rig.wait_for(vain, OrderState::Cancelled).await;
    assert!(rig.find(vain).await.updated_at >= deadline_at);
    for order in orders {
        rig.wait_event(order, "reclaimed").await;
    }
    // on a busy machine one may be sent again, which is the same transaction
    let signed = rig.count("SELECT count(*) AS n FROM chain_transactions").await;
    assert_eq!(signed, 16, "and taken back once");
    rig.judge().await;
}
