//! What a key may have users spend in a day.

use axum::http::{Method, StatusCode};
use futures::future::join_all;
use serde_json::{Value, json};
use switchyard_api::Scope;

use crate::support::{RECEIVER, TestApi, order};

impl TestApi {
    /// A key with a limit; the API's own from now on. Answers its path and an operator's token.
    async fn limited(&mut self, daily_limit: &str) -> (String, String) {
        let (id, key) = self.key_with(Scope::ALL, 1_000_000).await;
        let (_, admin) = self.signed_in(&["super_admin"]).await;
        self.key = key;
        let path = format!("/api/keys/{}", id.0);
        self.limit(&admin, &path, daily_limit).await;
        (path, admin)
    }

    async fn limit(&self, admin: &str, path: &str, daily_limit: &str) {
        let body = json!({ "daily_limit": daily_limit });
        let set = self
            .with_token(admin, Method::PUT, &format!("{path}/terms"), &body)
            .await;
        assert_eq!(set.status, StatusCode::OK, "{}", set.body);
    }

    async fn spent(&self, admin: &str, path: &str) -> Value {
        self.with_token(admin, Method::GET, path, &Value::Null).await.body["spent_today"].clone()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_hundred_orders_at_once_so_many_pass_as_the_day_has_room_for() {
    let mut api = TestApi::new().await;
    api.deposit(42, "900").await;
    let (path, admin) = api.limited("32.5").await;
    let marks: Vec<String> = (0..100).map(|n| format!("m{n}")).collect();
    let replies = join_all(marks.iter().map(|mark| api.order(mark))).await;
    let passed: Vec<usize> = (0..100).filter(|n| replies[*n].status == StatusCode::CREATED).collect();
    assert_eq!(passed.len(), 10);
    let refused = replies
        .iter()
        .find(|reply| reply.status != StatusCode::CREATED)
        .unwrap();
    refused.refused(409, "daily_limit");
    assert!(
        replies
            .iter()
            .all(|reply| ["none", "daily_limit"].contains(&reply.code()))
    );
    assert_eq!(api.spent(&admin, &path).await, "32.500000");
    assert_eq!(api.balance(42).await, "967.500000");
    // what was accepted is answered again, and costs nothing more
    let again = api.order(&marks[passed[0]]).await;
    assert_eq!(
        (again.status, again.header("idempotency-replayed")),
        (StatusCode::OK, "true")
    );
    // what is given back is spent all the same
    let id = again.body["id"].as_str().unwrap();
    api.post(&format!("/api/orders/{id}/cancel"), &Value::Null).await;
    api.order("after").await.refused(409, "daily_limit");
    // more room holds at once, and so does the next day
    api.limit(&admin, &path, "36").await;
    assert_eq!(api.order("more").await.status, StatusCode::CREATED);
    let none = api.order("none").await;
    none.refused(409, "daily_limit");
    assert!(
        none.body["detail"].as_str().unwrap().contains("0.250000"),
        "{}",
        none.body
    );
    api.clock.advance_seconds(86_400);
    assert_eq!(api.order("tomorrow").await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn batches_and_payouts_count_and_what_fails_does_not() {
    let mut api = TestApi::new().await;
    let (path, admin) = api.limited("10").await;
    let three = json!({ "mode": "all_or_nothing", "orders": [order(), order(), order(), order()] });
    let refused = api.once("/api/orders/batch", &three).await;
    assert_eq!(refused.status, StatusCode::CONFLICT, "{}", refused.body);
    assert_eq!(api.spent(&admin, &path).await, "0.000000");
    let some = json!({ "mode": "best_effort", "orders": [order(), order(), order(), order()] });
    let done = api.once("/api/orders/batch", &some).await;
    assert_eq!(done.body["placed"], 3, "{}", done.body);
    assert_eq!(done.body["results"][3]["problem"]["code"], "daily_limit");
    assert_eq!(api.spent(&admin, &path).await, "9.750000");
    let payout = json!({ "asset": "TRX", "amount": "1", "to": "TLyqzVGLV1srkB7dToTAEqgDSfPtXRJZYH" });
    api.once("/api/users/42/payouts", &payout)
        .await
        .refused(409, "daily_limit");
    api.limit(&admin, &path, "1000").await;
    let poor = json!({ "user_id": 7, "receiver": RECEIVER, "energy": 65_000, "duration_s": 3600 });
    api.once("/api/orders", &poor).await.refused(409, "insufficient_funds");
    assert_eq!(api.spent(&admin, &path).await, "9.750000", "nothing was spent");
    assert_eq!(
        api.once("/api/users/42/payouts", &payout).await.status,
        StatusCode::CREATED
    );
    assert_eq!(api.spent(&admin, &path).await, "10.750000");
    let zero = json!({ "daily_limit": "0" });
    let zero = api
        .with_token(&admin, Method::PUT, &format!("{path}/terms"), &zero)
        .await;
    zero.refused(422, "bad_text");
}
