//! What may be asked for, and who decides.

use chrono::Duration;
use db::models::PayoutState;
use domain::operations::Decision;
use domain::payouts::{PayoutPolicy, RequestPayout, expire_undecided, list_address, request};
use kernel::{Amount, Asset, PayoutId, UserId};
use switchyard_domain as domain;

use super::{TRX, amount, payee, policy, token};
use crate::world::{ANNA, World, address};

#[tokio::test(flavor = "multi_thread")]
async fn what_may_not_be_paid_is_refused_and_nothing_is_set_aside() {
    let world = World::new().await;
    let treasury = world.treasury(1, 100 * TRX, 0).await;
    let ours: String = world
        .word(&format!(
            "SELECT address AS word FROM supplier_wallets WHERE id = '{treasury}'"
        ))
        .await;
    let wish = |change: &dyn Fn(&mut RequestPayout)| {
        let mut wish = world.wish(20);
        change(&mut wish);
        wish
    };
    let before = world.trx(ANNA).await;
    for (wish, code) in [
        (
            wish(&|w| w.amount = Amount::from_minor(999_999).unwrap()),
            "payout_too_small",
        ),
        (wish(&|w| w.to = ours.parse().unwrap()), "payout_to_ours"),
        (wish(&|w| w.to = token()), "payout_to_ours"),
        (wish(&|w| w.amount = amount(101)), "payout_limit"),
        (wish(&|w| w.asset = Asset::Usdt), "insufficient_funds"),
    ] {
        assert_eq!(world.ask(&wish).await.unwrap_err().code(), code);
    }
    let without = PayoutPolicy { usdt: None, ..policy() };
    let usdt = wish(&|w| w.asset = Asset::Usdt);
    let refused = request(&world.api, &world.ids, &without, &usdt, world.now()).await;
    assert_eq!(refused.unwrap_err().code(), "asset_not_paid");

    let required = PayoutPolicy {
        list_required: true,
        ..policy()
    };
    let refused = request(&world.api, &world.ids, &required, &world.wish(20), world.now()).await;
    assert_eq!(refused.unwrap_err().code(), "payout_address_not_listed");
    list_address(&world.api, UserId(ANNA), address(2), None, world.now())
        .await
        .unwrap();
    assert_eq!(
        world.ask(&world.wish(20)).await.unwrap_err().code(),
        "payout_address_not_listed"
    );
    list_address(&world.api, UserId(ANNA), payee(), None, world.now())
        .await
        .unwrap();
    domain::users::set_blocked(&world.worker, UserId(ANNA), Some("x"), world.now())
        .await
        .unwrap();
    assert_eq!(world.ask(&world.wish(20)).await.unwrap_err().code(), "user_blocked");
    domain::users::set_blocked(&world.worker, UserId(ANNA), None, world.now())
        .await
        .unwrap();
    assert_eq!((world.trx(ANNA).await, world.count("payouts").await), (before, 0));
    world.approved(20).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_are_of_the_last_day_and_hour_and_forget_what_was_given_back() {
    let world = World::new().await;
    let (bert, carl) = (8, 9);
    for user in [bert, carl] {
        world.fund(user, 1_000 * TRX).await;
    }
    let by = |user: i64, trx: i64| RequestPayout {
        user: UserId(user),
        ..world.wish(trx)
    };
    let first = world.ask(&by(bert, 50)).await.unwrap();
    world.ask(&by(bert, 50)).await.unwrap();
    assert_eq!(world.ask(&by(bert, 1)).await.unwrap_err().code(), "payout_limit");
    world.ask(&by(carl, 50)).await.unwrap();
    assert_eq!(
        world.ask(&by(carl, 1)).await.unwrap_err().code(),
        "payout_limit",
        "of all in an hour"
    );
    world
        .decide(PayoutId(first.id), Decision::Reject, "operator:anna")
        .await
        .unwrap();
    world.ask(&by(carl, 50)).await.unwrap();
    world.clock.advance_seconds(2 * 3_600);
    assert_eq!(
        world.ask(&by(carl, 1)).await.unwrap_err().code(),
        "payout_limit",
        "of one in a day"
    );
    world.ask(&by(bert, 50)).await.unwrap();
    world.clock.advance_seconds(23 * 3_600);
    world.ask(&by(carl, 50)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_payout_needs_somebody_else() {
    let world = World::new().await;
    world.treasury(1, 500 * TRX, 0).await;
    let before = world.trx(ANNA).await;
    let large = world.ask(&world.wish(51)).await.unwrap();
    let id = PayoutId(large.id);
    assert_eq!(large.state, PayoutState::Requested);
    assert!(!world.has_job("payouts.send", id).await);
    assert_eq!(world.pay(id).await, Err("nothing to do"));
    let own = world.decide(id, Decision::Approve, &large.requested_by).await;
    assert_eq!(own.unwrap_err().code(), "own_payout");
    let behind = format!(
        "UPDATE payouts SET state = 'approved', approved_at = now(), approved_by = requested_by WHERE id = '{id}'"
    );
    let refused = world.db.try_sql(&behind).await.unwrap_err().to_string();
    assert!(refused.contains("payouts_four_eyes"), "{refused}");
    let nobody = format!("UPDATE payouts SET state = 'approved', approved_at = now() WHERE id = '{id}'");
    let refused = world.db.try_sql(&nobody).await.unwrap_err().to_string();
    assert!(refused.contains("payouts_approved"), "{refused}");

    world.decide(id, Decision::Approve, "operator:anna").await.unwrap();
    assert!(world.has_job("payouts.send", id).await);
    let again = world.decide(id, Decision::Approve, "operator:bert").await;
    assert_eq!(again.unwrap_err().code(), "payout_decided");
    world.decide(id, Decision::Reject, "operator:bert").await.unwrap();
    assert_eq!(world.trx(ANNA).await, before);
    assert_eq!(world.pay(id).await, Err("nothing to do"));
    assert_eq!(world.payout_events(id).await, ["requested", "approved", "rejected"]);
    assert_eq!(world.count("operator_actions WHERE action LIKE 'payouts.%'").await, 2);
    let signed = world.approved(20).await;
    world.pay(signed).await.unwrap();
    let late = world.decide(signed, Decision::Reject, "operator:anna").await;
    assert_eq!(late.unwrap_err().code(), "payout_decided", "it may land");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_knows_the_key_that_asked_does_not_approve() {
    let world = World::new().await;
    world.treasury(1, 500 * TRX, 0).await;
    let large = world.ask(&world.wish(51)).await.unwrap();
    let (anna, ben) = (world.operator("anna").await, world.operator("ben").await);
    let key = large.requested_by.strip_prefix("api_key:").unwrap();
    let known = format!("INSERT INTO api_key_holders VALUES ('{key}', '{}', now())", anna.key);
    world.db.try_sql(&known).await.unwrap();
    let id = PayoutId(large.id);
    let hers = world.decide(id, Decision::Approve, &anna.actor()).await;
    assert_eq!(hers.unwrap_err().code(), "own_payout");
    let others = world.decide(id, Decision::Approve, &ben.actor()).await.unwrap();
    assert_eq!(others.state, PayoutState::Approved);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_decides_about_goes_back_in_time() {
    let world = World::new().await;
    world.treasury(1, 500 * TRX, 0).await;
    let before = world.trx(ANNA).await;
    let old = PayoutId(world.ask(&world.wish(51)).await.unwrap().id);
    let small = world.approved(40).await;
    let expire = async || {
        let before = world.now() - Duration::hours(1);
        expire_undecided(&world.worker, &world.ids, (before, 10), world.now()).await
    };
    world.clock.advance_seconds(3_600);
    assert_eq!(expire().await.unwrap(), 0, "not yet");
    world.clock.advance_seconds(1);
    // two workers at once
    let (one, other) = tokio::join!(expire(), expire());
    assert!(one.unwrap() + other.unwrap() >= 1);
    let ended = world.payout(old).await;
    assert_eq!(
        (ended.state, ended.reason_code.as_deref()),
        (PayoutState::Rejected, Some("approval_expired"))
    );
    assert_eq!(world.payout_events(old).await, ["requested", "rejected"]);
    assert_eq!(world.payout_state(small).await, PayoutState::Approved);
    assert_eq!(world.trx(ANNA).await, before - 40 * TRX, "given back once");
    let late = world.decide(old, Decision::Approve, "operator:anna").await;
    assert_eq!(late.unwrap_err().code(), "payout_decided");
    let young = PayoutId(world.ask(&world.wish(52)).await.unwrap().id);
    assert_eq!(expire().await.unwrap(), 0);
    assert_eq!(world.payout_state(young).await, PayoutState::Requested);
}
