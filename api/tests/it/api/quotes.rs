//! `POST /api/quotes`, and orders that name a quote.

use serde_json::{Value, json};

use switchyard_api::Scope;

use super::pool::with_stock;
use crate::support::{TestApi, order};

/// Has the price of the usual order held.
async fn quoted(api: &TestApi) -> Value {
    let reply = api
        .once("/api/quotes", &json!({ "energy": 65_000, "duration_s": 3_600 }))
        .await;
    assert_eq!(reply.status, 201, "{}", reply.body);
    reply.body
}

fn order_on(quote: &Value) -> Value {
    let mut body = order();
    body["quote_id"] = quote["id"].clone();
    body
}

/// Stake for two such orders beside the rental that is out.
const PLENTY: &str = "UPDATE supplier_wallets SET delegatable_sun = 13000000000, staked_energy_sun = 13000000000, \
    reserved_sun = 240000000";

/// Everything costs a thousandth of a sun more.
const DEARER: &str = "INSERT INTO price_versions VALUES ('00000000-0000-7000-8000-0000000000f1', 'dearer', 'test', \
        (SELECT max(published_at) + interval '1 second' FROM price_versions)); \
    INSERT INTO price_bands SELECT '00000000-0000-7000-8000-0000000000f1', energy_min, energy_max, duration_min_s, \
        duration_max_s, price_millisun_per_energy * 2 \
    FROM price_bands WHERE version_id <> '00000000-0000-7000-8000-0000000000f1'";

#[tokio::test]
async fn a_quoted_price_holds_whatever_is_published_meanwhile() {
    let api = TestApi::new().await;
    let quote = quoted(&api).await;
    insta::assert_json_snapshot!(quote);
    api.db.sql(DEARER).await;
    let placed = api.marked("/api/orders", "o1", &order_on(&quote)).await;
    assert_eq!(placed.status, 201, "{}", placed.body);
    assert_eq!(placed.body["price"], quote["price"]);
    let now = api.marked("/api/orders", "o2", &order()).await;
    assert_eq!(now.body["price"]["amount"], "6.500000");
    assert_eq!(api.balance(42).await, "90.250000");
    // sent again, it is the same order; for another one the quote is used up
    let again = api.marked("/api/orders", "o1", &order_on(&quote)).await;
    assert_eq!((again.status.as_u16(), &again.body["id"]), (200, &placed.body["id"]));
    api.marked("/api/orders", "o3", &order_on(&quote))
        .await
        .refused(409, "quote_used");
}

#[tokio::test]
async fn a_quote_is_for_what_was_asked_for_a_while_and_for_its_own_key() {
    let api = TestApi::new().await;
    let quote = quoted(&api).await;
    let mut other = order_on(&quote);
    other["energy"] = json!(66_000);
    api.marked("/api/orders", "o1", &other)
        .await
        .refused(422, "quote_differs");
    let mut unknown = order();
    unknown["quote_id"] = json!("00000000-0000-7000-8000-00000000ffff");
    api.marked("/api/orders", "o1", &unknown)
        .await
        .refused(404, "not_found");
    api.db
        .sql("INSERT INTO api_keys (id, name, prefix, secret_sha256, scopes, rate_limit_per_minute, created_at) \
              SELECT '00000000-0000-7000-8000-0000000000f2', 'other', 'sk_otherother12', decode(repeat('ab', 32), 'hex'), scopes, 600, now() \
              FROM api_keys LIMIT 1; \
              INSERT INTO price_quotes SELECT '00000000-0000-7000-8000-0000000000f3', '00000000-0000-7000-8000-0000000000f2', \
                  energy, duration_s, price_sun, price_version_id, created_at, expires_at FROM price_quotes LIMIT 1")
        .await;
    let mut foreign = order();
    foreign["quote_id"] = json!("00000000-0000-7000-8000-0000000000f3");
    api.marked("/api/orders", "o1", &foreign)
        .await
        .refused(404, "not_found");
    api.clock.advance_seconds(60);
    api.marked("/api/orders", "o1", &order_on(&quote))
        .await
        .refused(409, "quote_expired");
    assert_eq!(api.balance(42).await, "100.000000");
}

#[tokio::test]
async fn a_quote_whose_order_is_refused_can_be_used_still() {
    let api = TestApi::new().await;
    let quote = quoted(&api).await;
    let mut poor = order_on(&quote);
    poor["user_id"] = json!(43);
    api.marked("/api/orders", "o1", &poor)
        .await
        .refused(409, "insufficient_funds");
    let placed = api.marked("/api/orders", "o2", &order_on(&quote)).await;
    assert_eq!(placed.status, 201);
}

#[tokio::test]
async fn two_orders_at_once_get_one_quote() {
    let api = TestApi::new().await;
    let body = order_on(&quoted(&api).await);
    let (one, two) = tokio::join!(
        api.marked("/api/orders", "o1", &body),
        api.marked("/api/orders", "o2", &body)
    );
    let mut statuses = [one.status.as_u16(), two.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409]);
    assert_eq!(api.balance(42).await, "96.750000");
}

#[tokio::test]
async fn what_is_not_sold_is_not_quoted() {
    let api = TestApi::new().await;
    for (body, status, code) in [
        (json!({ "energy": 1, "duration_s": 3_600 }), 422, "energy_out_of_range"),
        (
            json!({ "energy": 65_000, "duration_s": 1 }),
            422,
            "duration_out_of_range",
        ),
        (json!({ "energy": 2_000_000, "duration_s": 3_600 }), 422, "no_price"),
        (json!({ "energy": "65000", "duration_s": 3_600 }), 422, "invalid_body"),
    ] {
        api.once("/api/quotes", &body).await.refused(status, code);
    }
    let on = "INSERT INTO switches VALUES ('maintenance', true, 'test', 'operator:test', now())";
    api.db.sql(on).await;
    let body = json!({ "energy": 65_000, "duration_s": 3_600 });
    api.once("/api/quotes", &body).await.refused(503, "maintenance");
    assert_eq!(api.count("SELECT count(*) FROM price_quotes").await, 0);
}

#[tokio::test]
async fn a_quote_holds_energy_if_it_is_asked_to_and_may() {
    let mut api = with_stock().await;
    api.db.sql(PLENTY).await;
    let available = async |api: &TestApi| {
        let pool = api.get("/api/pool").await;
        pool.body["available_energy"].as_i64().unwrap()
    };
    let before = available(&api).await;
    let held = json!({ "energy": 65_000, "duration_s": 3_600, "hold_stock": true });
    let plain = quoted(&api).await;
    assert_eq!(plain["stock_held"], false);
    assert_eq!(available(&api).await, before);
    let reply = api.once("/api/quotes", &held).await;
    assert_eq!((reply.status.as_u16(), &reply.body["stock_held"]), (201, &json!(true)));
    // with 1 % that is delegated on top, and a tenth of one for the drift
    assert_eq!(before - available(&api).await, 65_716);
    api.once("/api/quotes", &held).await.refused(409, "no_stock");
    let placed = api.marked("/api/orders", "o2", &order_on(&reply.body)).await;
    assert_eq!(placed.status, 201, "{}", placed.body);
    let cancel = format!("/api/orders/{}/cancel", placed.body["id"].as_str().unwrap());
    assert_eq!(api.post(&cancel, &json!({})).await.status, 200);
    assert_eq!(available(&api).await, before);
    let most = json!({ "energy": 1_000_000, "duration_s": 3_600, "hold_stock": true });
    api.once("/api/quotes", &held).await;
    api.once("/api/quotes", &most).await.refused(409, "held_too_much");
    (_, api.key) = api.key_with(&[Scope::OrdersRead], 1000).await;
    api.once("/api/quotes", &held).await.refused(403, "insufficient_scope");
    assert_eq!(quoted(&api).await["stock_held"], false);
}

#[tokio::test]
async fn the_same_request_again_gets_the_same_quote() {
    let api = with_stock().await;
    api.db.sql(PLENTY).await;
    let held = json!({ "energy": 65_000, "duration_s": 3_600, "hold_stock": true });
    let first = api.marked("/api/quotes", "q1", &held).await;
    let again = api.marked("/api/quotes", "q1", &held).await;
    assert_eq!((first.status.as_u16(), again.status.as_u16()), (201, 200));
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(first.body, again.body);
    assert_eq!(api.count("SELECT count(*) FROM stock_holds").await, 1);
    let other = json!({ "energy": 65_001, "duration_s": 3_600 });
    api.marked("/api/quotes", "q1", &other)
        .await
        .refused(409, "idempotency_key_reused");
    // what nobody used is forgotten some day, and its mark later
    api.db.sql("DELETE FROM stock_holds; DELETE FROM price_quotes").await;
    api.marked("/api/quotes", "q1", &held)
        .await
        .refused(409, "quote_expired");
}
