//! Coin is sent for energy: it buys it, or comes back.

use db::models::OrderState;
use kernel::OrderId;

use crate::harness::{Does, Payer, RENTAL_ADDRESS, Rig, Sent, TRX};

fn published() -> ::chain::TronAddress {
    RENTAL_ADDRESS.parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn coin_of_a_packages_price_buys_its_energy() {
    let (rig, _worker) = Rig::with_worker().await;
    rig.supplier(100_000).await;
    rig.sell_by_transfer().await;
    let payer = Payer::new(&rig);
    rig.idle().await;
    payer.pay(&rig, published(), Sent::Trx(4 * TRX)).await;
    rig.wait_rentals(&["delivered"]).await;
    let order = rig.lines("SELECT order_id::text AS line FROM rentals").await;
    let order: OrderId = order[0].parse().unwrap();
    let delivered = rig.find(order).await;
    assert_eq!(delivered.state, OrderState::Completed);
    assert_eq!(delivered.receiver, payer.address().to_string());
    assert_eq!((delivered.energy, delivered.price_sun), (32_000, 4 * TRX));
    assert_eq!(rig.renters_sun().await, 0);
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_filled_comes_back_to_a_customer_and_is_kept_for_a_stranger() {
    let (rig, _worker) = Rig::with_worker().await;
    rig.expect_finding("rentals.held");
    rig.supplier(100_000).await;
    rig.treasury(1_000, 0).await;
    rig.sell_by_transfer().await;
    let (customer, stranger) = (Payer::new(&rig), Payer::new(&rig));
    rig.register_wallet(1, customer.address()).await;
    rig.idle().await;
    let before = rig.sun_of(customer.address()).await;
    customer.pay(&rig, published(), Sent::Trx(5 * TRX)).await;
    // nobody can be lent energy who is not there
    let absent = tron::PrivateKey::generate().unwrap().address().to_string();
    customer.pay_with(&rig, published(), Sent::Trx(4 * TRX), &absent).await;
    stranger.pay(&rig, published(), Sent::Trx(6 * TRX)).await;
    let ends = [
        "held no_package sender_unknown",
        "returned no_package",
        "returned receiver_not_activated",
    ];
    rig.wait_rentals(&ends).await;
    let burned = before - rig.sun_of(customer.address()).await;
    assert_eq!(burned, TRX, "all is back but the fee of the memo");
    assert_eq!(rig.renters_sun().await, 6 * TRX);
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_workers_at_once_buy_once() {
    let (rig, _worker) = Rig::with_worker().await;
    let _other = rig.start(Does::Everything);
    rig.supplier(1_000_000).await;
    rig.sell_by_transfer().await;
    let payer = Payer::new(&rig);
    rig.idle().await;
    for _ in 0..10 {
        payer.pay(&rig, published(), Sent::Trx(4 * TRX)).await;
    }
    rig.wait_rentals(&["delivered"; 10]).await;
    assert_eq!(rig.count("SELECT count(*) AS n FROM orders").await, 10);
    rig.judge().await;
}
