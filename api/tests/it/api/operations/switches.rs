//! `/api/operations/switches`.

use axum::http::Method;
use serde_json::{Value, json};

use crate::support::{TestApi, order};

#[tokio::test]
async fn maintenance_stops_new_orders_until_it_ends() {
    let api = TestApi::new().await;
    let (boss, admin) = api.signed_in(&["super_admin"]).await;
    let put = async |name: &str, enabled: bool, reason: &str| {
        let body = json!({ "enabled": enabled, "reason": reason });
        api.with_token(&admin, Method::PUT, &format!("/api/operations/switches/{name}"), &body)
            .await
    };
    put("maintenance", true, "").await.refused(422, "bad_text");
    put("everything", true, "test").await.refused(404, "not_found");
    assert_eq!(put("maintenance", true, "moving").await.body["enabled"], true);
    api.once("/api/orders", &order()).await.refused(503, "maintenance");
    let listed = api.get("/api/operations/switches").await;
    let maintenance = &listed.body["items"][0];
    assert_eq!(
        (&maintenance["name"], &maintenance["reason"], &maintenance["actor"]),
        (
            &json!("maintenance"),
            &json!("moving"),
            &json!(format!("operator:{}", boss.id))
        )
    );
    assert_eq!(listed.body["items"][1]["updated_at"], Value::Null);
    assert_eq!(put("maintenance", false, "moved").await.status, 200);
    assert_eq!(api.once("/api/orders", &order()).await.status, 201);
}
