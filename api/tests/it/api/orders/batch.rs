//! `POST /api/orders/batch`: all or none, or each that can be had, and nothing twice.

use serde_json::{Value, json};

use crate::support::{TestApi, order};

fn batch(mode: &str, orders: &[Value]) -> Value {
    json!({ "mode": mode, "orders": orders })
}

/// An order by a user who has nothing.
fn poor() -> Value {
    let mut body = order();
    body["user_id"] = json!(43);
    body
}

async fn orders(api: &TestApi) -> i64 {
    api.count("SELECT count(*) FROM orders").await
}

#[tokio::test]
async fn all_are_placed_and_the_same_request_places_nothing_twice() {
    let api = TestApi::new().await;
    let body = batch("all_or_nothing", &[order(), order(), order()]);
    let first = api.marked("/api/orders/batch", "b1", &body).await;
    assert_eq!((first.status.as_u16(), &first.body["placed"]), (200, &json!(3)));
    assert_eq!(api.balance(42).await, "90.250000");
    let again = api.marked("/api/orders/batch", "b1", &body).await;
    assert_eq!(again.body, first.body);
    assert_eq!((orders(&api).await, api.balance(42).await), (3, "90.250000".to_owned()));
    let other = batch("all_or_nothing", &[order()]);
    api.marked("/api/orders/batch", "b1", &other)
        .await
        .refused(409, "idempotency_key_reused");
    api.marked("/api/orders", "b1", &order())
        .await
        .refused(409, "idempotency_key_reused");
    let jobs = "SELECT count(*) FROM jobs WHERE kind = 'orders.delegate'";
    assert_eq!(api.count(jobs).await, 3);
}

#[tokio::test]
async fn one_that_is_refused_refuses_all_and_is_named() {
    let api = TestApi::new().await;
    let mut small = order();
    small["energy"] = json!(1);
    for (bad, status, code, pointer) in [
        (poor(), 409, "insufficient_funds", "#/orders/1"),
        (small, 422, "energy_out_of_range", "#/orders/1/energy"),
    ] {
        let body = batch("all_or_nothing", &[order(), bad, order()]);
        let reply = api.marked("/api/orders/batch", "b1", &body).await;
        reply.refused(status, code);
        assert_eq!(reply.field().0, pointer);
        assert_eq!(
            (orders(&api).await, api.balance(42).await),
            (0, "100.000000".to_owned())
        );
    }
    // nothing was used up
    let body = batch("all_or_nothing", &[order()]);
    assert_eq!(api.marked("/api/orders/batch", "b1", &body).await.body["placed"], 1);
}

#[tokio::test]
async fn with_best_effort_each_has_its_own_result() {
    let api = TestApi::new().await;
    let body = batch("best_effort", &[order(), poor(), order()]);
    let first = api.marked("/api/orders/batch", "b1", &body).await;
    assert_eq!((first.status.as_u16(), &first.body["placed"]), (200, &json!(2)));
    insta::assert_json_snapshot!(first.body["results"][1]);
    assert_eq!(orders(&api).await, 2);
    // what was refused is tried again, what was placed is not
    api.deposit(43, "5").await;
    let again = api.marked("/api/orders/batch", "b1", &body).await;
    assert_eq!(again.body["placed"], 3);
    assert_eq!(again.body["results"][0], first.body["results"][0]);
    assert_eq!((orders(&api).await, api.balance(43).await), (3, "1.750000".to_owned()));
}

#[tokio::test]
async fn the_same_batch_many_times_at_once_is_placed_once() {
    let api = TestApi::new().await;
    for mode in ["all_or_nothing", "best_effort"] {
        let body = batch(mode, &[order(), order()]);
        let all = futures::future::join_all((0..20).map(|_| api.marked("/api/orders/batch", mode, &body))).await;
        for reply in &all {
            assert_eq!(reply.status, 200, "{}", reply.body);
            assert_eq!(reply.body["placed"], 2);
        }
    }
    assert_eq!((orders(&api).await, api.balance(42).await), (4, "87.000000".to_owned()));
}

#[tokio::test]
async fn a_batch_that_is_none_is_refused() {
    let api = TestApi::new().await;
    let mut nobody = order();
    nobody["user_id"] = json!(0);
    let too_many = vec![order(); 101];
    for (body, pointer) in [
        (batch("best_effort", &[]), "#/orders"),
        (batch("best_effort", &too_many), "#/orders"),
        (batch("best_effort", &[order(), nobody]), "#/orders/1/user_id"),
        (json!({ "orders": [order()] }), "#/mode"),
        (json!({ "mode": "some", "orders": [order()] }), "#/mode"),
    ] {
        let reply = api.marked("/api/orders/batch", "b1", &body).await;
        reply.refused(422, "invalid_body");
        assert_eq!(reply.field().0, pointer);
    }
    let long = "k".repeat(251);
    api.marked("/api/orders/batch", &long, &batch("best_effort", &[order()]))
        .await
        .refused(400, "idempotency_key_invalid");
    assert_eq!(orders(&api).await, 0);
}
