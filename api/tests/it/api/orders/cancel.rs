//! `POST /api/orders/{id}/cancel`.

use axum::body::Body;
use axum::http::Method;

use crate::support::{Reply, TestApi};

async fn cancel(api: &TestApi, id: &str) -> Reply {
    let request = api.request(Method::POST, &format!("/api/orders/{id}/cancel"));
    api.send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn a_pending_order_is_cancelled_once_and_its_money_is_back() {
    let api = TestApi::new().await;
    let id = api.order("o1").await.body["id"].as_str().unwrap().to_owned();
    for _ in 0..2 {
        let reply = cancel(&api, &id).await;
        assert_eq!(reply.status, 200);
        assert_eq!(reply.body["state"], "cancelled");
        assert_eq!(reply.body["reason"], "cancelled_by_user");
        assert_eq!(api.balance(42).await, "100.000000");
    }
    assert_eq!(
        api.count("SELECT count(*) FROM ledger_transfers WHERE reason = 'order_cancel'")
            .await,
        1
    );
}

#[tokio::test]
async fn an_order_that_is_worked_on_is_not_cancelled() {
    let api = TestApi::new().await;
    let id = api.order("o1").await.body["id"].as_str().unwrap().to_owned();
    api.db.sql("UPDATE orders SET state = 'processing'").await;
    cancel(&api, &id).await.refused(409, "order_not_cancellable");
    assert_eq!(api.balance(42).await, "96.750000");
}

#[tokio::test]
async fn an_unknown_order_is_not_found() {
    let api = TestApi::new().await;
    cancel(&api, "00000000-0000-7000-8000-00000000ffff")
        .await
        .refused(404, "not_found");
    cancel(&api, "x").await.refused(422, "invalid_parameter");
}
