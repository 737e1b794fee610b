//! Energy that quotes set aside: nobody else gets it, its order gets it, and it is never held for nothing.

use chrono::Duration;
use db::models::{OrderState, PriceQuote};
use db::run_tx;
use domain::DomainError;
use domain::orders::{AcceptOrder, WantedQuote, cancel_by_user, cancel_past_deadline, fail_in_tx, quote};
use domain::pool::{HoldRules, Sharing, release_unused};
use futures::future::join_all;
use kernel::{OrderId, QuoteId, WalletId};
use switchyard_domain as domain;

use crate::harness::{Many, Tried};
use crate::world::{ENERGY, STAKE, World};

/// What is held for an order of [`STAKE`]: a thousandth more.
const HELD: i64 = STAKE + STAKE / 1_000 + 1;
const LIFE: Duration = Duration::seconds(60);
const RULES: HoldRules = HoldRules {
    sharing: Sharing {
        bandwidth: 300,
        max_parts: 3,
        part_energy_min: ENERGY / 10,
    },
    margin_bps: 0,
    energy_max: ENERGY * 3,
};

/// A world in which the energy of an order takes [`STAKE`], with one wallet.
async fn world(room_sun: i64) -> (World, WalletId) {
    let world = World::new().await;
    world.price_energy().await;
    let wallet = world.wallet(1, room_sun).await;
    (world, wallet)
}

async fn ask(world: &World, hold: Option<HoldRules>) -> Result<PriceQuote, DomainError> {
    let mark = world.fresh_mark();
    let wanted = WantedQuote {
        mark: &mark,
        energy: ENERGY,
        duration_s: 3_600,
        life: LIFE,
        hold,
    };
    let quoted = quote(&world.api, &world.ids, &world.policy, &wanted, world.now()).await;
    quoted.map(|quoted| quoted.quote)
}

async fn hold(world: &World) -> PriceQuote {
    ask(world, Some(RULES)).await.unwrap()
}

async fn order_on(world: &World, quote: &PriceQuote) -> OrderId {
    let request = AcceptOrder {
        quote: Some(QuoteId(quote.id)),
        ..world.request(&quote.id.to_string(), 1)
    };
    OrderId(world.accept(&request).await.unwrap().order.id)
}

async fn holds(world: &World) -> i64 {
    world.count("stock_holds").await
}

async fn release(world: &World) {
    release_unused(&world.worker, 100, world.now()).await.unwrap();
}

#[tokio::test]
async fn what_is_held_is_sold_to_nobody_else_and_delivered_to_its_order() {
    let (world, wallet) = world(HELD + STAKE * 2 - 1).await;
    let quote = hold(&world).await;
    assert_eq!(world.reserved(wallet).await, HELD);
    world.assert_sound().await;
    let (other, late) = (world.order(2).await, world.order(3).await);
    world.claim(other).await;
    assert_eq!(world.try_claim(late, STAKE).await.unwrap(), Tried::NoWallet);
    let order = order_on(&world, &quote).await;
    assert_eq!(world.reserved(wallet).await, HELD + STAKE, "its order keeps it");
    // claimed with others it is left to be claimed alone, and the room that it holds is none for them
    let together = world.claim_together(&[late, order]).await;
    assert!(matches!(together[..], [Many::Alone, Many::Alone]), "{together:?}");
    world.assert_sound().await;
    let tx = world.claim(order).await;
    assert_eq!((tx.wallet, tx.amount_sun), (wallet, STAKE));
    assert_eq!((holds(&world).await, world.reserved(wallet).await), (0, STAKE * 2));
    assert_eq!(world.try_claim(order, STAKE).await.unwrap(), Tried::NotPending);
    world.assert_sound().await;
}

#[tokio::test]
async fn the_order_outlives_the_quote_and_so_does_what_is_held_for_it() {
    let (world, wallet) = world(HELD).await;
    let order = order_on(&world, &hold(&world).await).await;
    world.clock.advance_seconds(300);
    release(&world).await;
    assert_eq!(world.reserved(wallet).await, HELD);
    world.claim(order).await;
    world.assert_sound().await;
}

#[tokio::test]
async fn what_nobody_ordered_in_time_is_free_again() {
    let (world, wallet) = world(HELD).await;
    hold(&world).await;
    world.clock.advance_seconds(59);
    release(&world).await;
    assert_eq!(world.reserved(wallet).await, HELD);
    world.clock.advance_seconds(1);
    let prune = async || {
        run_tx(&world.worker, "test_prune", async |conn| {
            Ok::<_, DomainError>(PriceQuote::prune(conn, world.now() + LIFE, 10).await?)
        })
        .await
        .unwrap()
    };
    assert_eq!(prune().await, 0, "what it holds is given back first");
    release(&world).await;
    assert_eq!(prune().await, 1);
    assert_eq!((holds(&world).await, world.reserved(wallet).await), (0, 0));
    world.assert_sound().await;
    hold(&world).await;
}

#[tokio::test]
async fn an_order_that_ends_gives_back_what_is_held_for_it() {
    let (world, wallet) = world(HELD).await;
    let (ids, now) = (&world.ids, world.now());
    let cancelled = order_on(&world, &hold(&world).await).await;
    cancel_by_user(&world.api, ids, cancelled, "api_key:bot", now)
        .await
        .unwrap();
    assert_eq!((holds(&world).await, world.reserved(wallet).await), (0, 0));
    let refused = order_on(&world, &hold(&world).await).await;
    run_tx(&world.worker, "test_refuse", async |conn| {
        fail_in_tx(conn, ids, refused, OrderState::Pending, "receiver_not_activated", now).await
    })
    .await
    .unwrap();
    assert_eq!((holds(&world).await, world.reserved(wallet).await), (0, 0));
    let late = order_on(&world, &hold(&world).await).await;
    world.clock.advance_seconds(601);
    assert_eq!(
        cancel_past_deadline(&world.worker, ids, 10, world.now()).await.unwrap(),
        1
    );
    assert_eq!(world.state(late).await, OrderState::Cancelled);
    assert_eq!((holds(&world).await, world.reserved(wallet).await), (0, 0));
    assert_eq!(world.money().await, [0, 0, 0]);
    world.assert_sound().await;
}

#[tokio::test]
async fn it_is_held_of_several_wallets_where_none_can_carry_it_and_delivered_by_these() {
    let (world, first) = world(STAKE / 2).await;
    let second = world.wallet(2, STAKE / 2 + STAKE / 500).await;
    let quote = hold(&world).await;
    assert_eq!(holds(&world).await, 2);
    assert_eq!(world.reserved(first).await + world.reserved(second).await, HELD);
    world.assert_sound().await;
    // a wallet that could carry it alone is not asked
    world.wallet(3, STAKE * 10).await;
    let order = order_on(&world, &quote).await;
    let parts = world.try_claim_in_parts(order, STAKE, 3).await.unwrap().unwrap();
    let mut wallets: Vec<WalletId> = parts.iter().map(|part| part.wallet).collect();
    wallets.sort_unstable_by_key(|wallet| wallet.0);
    let mut held = [first, second];
    held.sort_unstable_by_key(|wallet| wallet.0);
    assert_eq!(wallets, held);
    assert_eq!(parts.iter().map(|part| part.amount_sun).sum::<i64>(), STAKE);
    assert_eq!(holds(&world).await, 0);
    world.assert_sound().await;
}

#[tokio::test]
async fn if_its_wallet_fails_the_order_goes_to_another() {
    let (world, wallet) = world(HELD).await;
    let order = order_on(&world, &hold(&world).await).await;
    world
        .db
        .sql(&format!(
            "UPDATE supplier_wallets SET enabled = false WHERE id = '{wallet}'"
        ))
        .await;
    let other = world.wallet(2, STAKE).await;
    assert_eq!(world.try_claim(order, STAKE).await.unwrap(), Tried::Changed);
    assert_eq!((holds(&world).await, world.reserved(wallet).await), (0, 0));
    assert_eq!(world.claim(order).await.wallet, other);
    world.assert_sound().await;
}

#[tokio::test]
async fn a_chain_that_is_behind_leaves_it_held() {
    let (world, wallet) = world(HELD).await;
    let order = order_on(&world, &hold(&world).await).await;
    world.halt("a fork too deep").await;
    assert_eq!(world.try_claim(order, STAKE).await.unwrap(), Tried::NotCurrent);
    assert_eq!((holds(&world).await, world.reserved(wallet).await), (1, HELD));
}

#[tokio::test]
async fn what_is_not_free_is_not_held_and_nothing_is_written() {
    let (world, wallet) = world(HELD - 1).await;
    assert!(matches!(ask(&world, Some(RULES)).await, Err(DomainError::NoStock)));
    assert!(ask(&world, None).await.is_ok(), "its price is");
    assert_eq!((holds(&world).await, world.count("price_quotes").await), (0, 1));
    world
        .db
        .sql("UPDATE chain_cursors SET total_energy_weight = 0; UPDATE supplier_wallets SET delegatable_sun = 1000000000000")
        .await;
    assert!(matches!(ask(&world, Some(RULES)).await, Err(DomainError::NoStock)));
    assert_eq!(world.reserved(wallet).await, 0);
}

#[tokio::test]
async fn one_key_holds_so_much_at_a_time_and_many_at_once_hold_no_more() {
    let (world, wallet) = world(HELD * 20).await;
    let none = HoldRules { energy_max: 0, ..RULES };
    assert!(matches!(
        ask(&world, Some(none)).await,
        Err(DomainError::HeldTooMuch { max: 0 })
    ));
    let asked = join_all((0..8).map(|_| ask(&world, Some(RULES)))).await;
    let held: Vec<&PriceQuote> = asked.iter().filter_map(|asked| asked.as_ref().ok()).collect();
    let refused = asked
        .iter()
        .filter(|asked| matches!(asked, Err(DomainError::HeldTooMuch { max }) if *max == ENERGY * 3));
    assert_eq!((held.len(), refused.count()), (3, 5));
    assert_eq!(world.reserved(wallet).await, HELD * 3);
    // what is ordered is the order's
    order_on(&world, held[0]).await;
    hold(&world).await;
    assert_eq!(world.reserved(wallet).await, HELD * 4);
    world.assert_sound().await;
}

#[tokio::test]
async fn the_last_energy_is_held_once() {
    let (world, wallet) = world(HELD).await;
    let asked = join_all((0..4).map(|_| ask(&world, Some(RULES)))).await;
    assert_eq!(asked.iter().filter(|asked| asked.is_ok()).count(), 1);
    let short = asked.iter().filter(|asked| matches!(asked, Err(DomainError::NoStock)));
    assert_eq!(short.count(), 3);
    assert_eq!(world.reserved(wallet).await, HELD);
    world.assert_sound().await;
}

#[tokio::test]
async fn a_claim_a_cancel_and_the_end_of_a_quote_at_once_free_it_once() {
    for _ in 0..5 {
        let (world, wallet) = world(HELD).await;
        let quote = hold(&world).await;
        let order = order_on(&world, &quote).await;
        let (ids, now) = (&world.ids, world.now());
        world.clock.advance_seconds(61);
        let (claimed, cancelled, ()) = tokio::join!(
            world.try_claim(order, STAKE),
            cancel_by_user(&world.api, ids, order, "api_key:bot", now),
            release(&world)
        );
        let signed = matches!(claimed.unwrap(), Tried::Signed(_));
        assert_ne!(signed, cancelled.is_ok());
        let reserved = if signed { STAKE } else { 0 };
        assert_eq!((holds(&world).await, world.reserved(wallet).await), (0, reserved));
        world.assert_sound().await;
    }
}

#[tokio::test]
async fn an_order_without_a_quote_holds_nothing() {
    let (world, _) = world(HELD).await;
    world.order(1).await;
    let priced = ask(&world, None).await.unwrap();
    order_on(&world, &priced).await;
    assert_eq!(holds(&world).await, 0);
}
