//! What happens to a wallet while orders of it run.

use db::models::{DelegationState, OrderState, WalletState};
use kernel::WalletId;
use tron::PrivateKey;

use crate::harness::{Rig, Supplier, TRX, by_key};

#[tokio::test(flavor = "multi_thread")]
async fn a_wallet_switched_off_ends_what_it_began_and_begins_nothing() {
    let (rig, _worker) = Rig::with_worker().await;
    rig.expect_finding("pool.no_wallet_fits");
    let supplier = rig.supplier(100_000).await;
    let running = rig.order(rig.wish()).await;
    rig.wait_for(running, OrderState::Completed).await;
    let signed = rig.order(rig.wish()).await;
    rig.meanwhile("it is on its way", async || {
        rig.find(signed).await.state == OrderState::Processing
    })
    .await;
    rig.toggle(supplier.id, false).await;
    let waiting = rig.order(rig.wish()).await;
    rig.wait_settled(running).await;
    rig.wait_settled(signed).await;
    assert_eq!(rig.find(waiting).await.state, OrderState::Pending);
    rig.pass(300);
    for order in [running, signed] {
        rig.wait_event(order, "reclaimed").await;
    }
    assert_eq!(rig.find(waiting).await.reason_code.as_deref(), Some("no_wallet_fits"));

    rig.toggle(supplier.id, true).await;
    rig.wait_settled(waiting).await;
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wallet_out_of_bandwidth_takes_its_energy_back_once_it_can_pay() {
    let (rig, _worker) = Rig::with_worker().await;
    for kind in ["delegations.reclaim_fails", "wallets.isolated", "pool.no_wallet_fits"] {
        rig.expect_finding(kind);
    }
    // it has the free bandwidth of two transactions a day, and no coin to burn
    let supplier = rig.poor_supplier().await;
    let order = rig.order(rig.wish()).await;
    rig.wait_settled(order).await;
    rig.pay_outside(&supplier, rig.customer_account()).await;
    let late = rig.order(rig.wish()).await;
    rig.pass(300);
    rig.until("the reclaim is sent", async || {
        rig.detail(order).await.transactions.len() > 1
    })
    .await;
    rig.pass(70);
    rig.until("the reclaim is refused until it cannot land any more", async || {
        rig.open_findings()
            .await
            .iter()
            .any(|line| line.starts_with("delegations.reclaim_fails"))
    })
    .await;
    let delegation = rig.detail(order).await.delegations.remove(0).0;
    assert!(matches!(
        delegation.state,
        DelegationState::Active | DelegationState::Reclaiming
    ));
    assert_eq!(
        rig.find(late).await.state,
        OrderState::Pending,
        "it cannot pay for a new one"
    );

    rig.devnet.faucet(supplier.address, 100 * TRX).unwrap();
    rig.wait_event(order, "reclaimed").await;
    assert!(
        !rig.open_findings()
            .await
            .iter()
            .any(|line| line.starts_with("delegations.reclaim_fails"))
    );
    rig.toggle(supplier.id, true).await;
    rig.wait_settled(late).await;
    rig.judge().await;
}

impl Rig {
    /// A wallet with stake for energy alone.
    async fn poor_supplier(&self) -> Supplier {
        let key = PrivateKey::generate().unwrap();
        self.devnet.faucet(key.address(), 100_000).unwrap();
        self.devnet.stake_energy(key.address(), 50_000 * TRX).unwrap();
        let id: WalletId = self.hand_in(by_key(&key)).await;
        self.until("the wallet is read", async || {
            let wallet = self.wallet(id).await;
            wallet.state == WalletState::Active && wallet.synced_at.is_some()
        })
        .await;
        Supplier {
            id,
            address: key.address(),
            key,
        }
    }
}
