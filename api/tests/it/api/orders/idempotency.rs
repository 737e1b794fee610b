//! `POST /api/orders` again, beside itself, and with a used key.

use axum::body::Body;
use axum::http::Method;
use futures::future::join_all;
use switchyard_api::Scope;

use crate::support::{TestApi, order};

#[tokio::test]
async fn a_replay_answers_the_same_order() {
    let api = TestApi::new().await;
    let first = api.order("o1").await;
    let again = api.order("o1").await;
    assert_eq!((first.status.as_u16(), again.status.as_u16()), (201, 200));
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(again.header("location"), first.header("location"));
    assert_eq!(first.body, again.body);
    assert_eq!(api.balance(42).await, "96.750000");
}

#[tokio::test]
async fn a_key_is_for_one_request() {
    let api = TestApi::new().await;
    api.order("o1").await;
    let mut other = order();
    other["energy"] = 65_001.into();
    api.marked("/api/orders", "o1", &other)
        .await
        .refused(409, "idempotency_key_reused");
    assert_eq!(api.count("SELECT count(*) FROM orders").await, 1);
    assert_eq!(api.balance(42).await, "96.750000");
}

#[tokio::test]
async fn another_api_key_has_its_own_marks() {
    let mut api = TestApi::new().await;
    let first = api.order("o1").await;
    (_, api.key) = api.key_with(&[Scope::OrdersWrite, Scope::UsersRead], 100).await;
    let second = api.order("o1").await;
    assert_eq!(second.status, 201);
    assert_ne!(first.body["id"], second.body["id"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_at_once_are_one_order_and_one_hold() {
    let api = TestApi::new().await;
    let replies = join_all((0..100).map(|_| api.order("same"))).await;
    let created = replies.iter().filter(|reply| reply.status == 201).count();
    assert_eq!(created, 1);
    assert!(replies.iter().all(|reply| reply.body == replies[0].body));
    assert_eq!(api.count("SELECT count(*) FROM orders").await, 1);
    assert_eq!(
        api.count("SELECT count(*) FROM ledger_transfers WHERE reason = 'order_hold'")
            .await,
        1
    );
    assert_eq!(api.balance(42).await, "96.750000");
}

#[tokio::test]
async fn a_key_must_be_given_once_and_be_plain() {
    let api = TestApi::new().await;
    api.post("/api/orders", &order())
        .await
        .refused(400, "idempotency_key_required");
    let long = "x".repeat(256);
    for bad in ["", "two words", "schlüssel", &long] {
        api.order(bad).await.refused(400, "idempotency_key_invalid");
    }
    let twice = api
        .request(Method::POST, "/api/orders")
        .header("content-type", "application/json")
        .header("idempotency-key", "a")
        .header("idempotency-key", "b");
    let twice = twice.body(Body::from(order().to_string())).unwrap();
    api.send(twice).await.refused(400, "idempotency_key_invalid");
    assert_eq!(api.order(&"x".repeat(255)).await.status, 201);
}
