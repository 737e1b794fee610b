//! What moved on a user's accounts.

use axum::body::{Body, to_bytes};
use axum::http::{Method, Request};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::support::{TestApi, order};

async fn statement(api: &TestApi, query: &str) -> (Vec<String>, Option<String>) {
    let reply = api.get(&format!("/api/users/42/statement?{query}")).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let line = |item: &Value| {
        let text = |name: &str| item[name].as_str().unwrap().to_owned();
        format!("{} {} {}", text("reason"), text("amount"), text("asset"))
    };
    let lines = reply.body["items"].as_array().unwrap().iter().map(line).collect();
    (lines, reply.body["next_cursor"].as_str().map(str::to_owned))
}

#[tokio::test]
async fn each_movement_is_a_line_newest_first_and_none_is_lost_between_pages() {
    let api = TestApi::new().await;
    let placed = api.once("/api/orders", &order()).await;
    let id = placed.body["id"].as_str().unwrap();
    let cancelled = api.post(&format!("/api/orders/{id}/cancel"), &json!({})).await;
    assert_eq!(cancelled.status, 200, "{}", cancelled.body);
    let usdt = json!({ "asset": "USDT", "amount": "7", "reason": "goodwill" });
    assert_eq!(api.once("/api/users/42/deposit", &usdt).await.status, 200);
    api.deposit(43, "5").await;
    let all = [
        "operator_adjustment 7.000000 USDT",
        "order_cancel 3.250000 TRX",
        "order_hold -3.250000 TRX",
        "operator_adjustment 100.000000 TRX",
    ];
    assert_eq!(statement(&api, "").await, (all.map(str::to_owned).to_vec(), None));
    assert_eq!(statement(&api, "asset=USDT").await.0, [all[0]]);
    assert_eq!(statement(&api, "asset=TRX").await.0, all[1..]);
    let (mut seen, mut query) = (Vec::new(), "limit=1".to_owned());
    loop {
        let (lines, next) = statement(&api, &query).await;
        seen.extend(lines);
        match next {
            Some(cursor) => query = format!("limit=1&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(seen, all);
    let now = api.now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    assert_eq!(statement(&api, &format!("since={now}")).await.0.len(), 4);
    assert_eq!(statement(&api, &format!("until={now}")).await.0, [""; 0]);
    let items = api.get("/api/users/42/statement").await.body["items"].clone();
    assert_eq!(items[1]["order_id"], id);
    assert_eq!(items[1]["event"], format!("order:{id}:cancel"));
    assert!(items[0]["note"].as_str().unwrap().contains("goodwill"));
    for bad in ["cursor=x", "cursor=-1.x", "cursor=1", "since=yesterday"] {
        let reply = api.get(&format!("/api/users/42/statement?{bad}")).await;
        reply.refused(422, "invalid_parameter");
    }
    assert_eq!(api.get("/api/users/44/statement").await.body["items"], json!([]));
}

#[tokio::test]
async fn a_statement_of_many_pages_is_exported_whole() {
    let api = TestApi::new().await;
    // more than two reads of the export
    api.db
        .sql(
            "INSERT INTO ledger_transfers (event, debit_account, credit_account, asset, amount, reason, actor, note, created_at)
             SELECT 'adjustment:t' || n, debit_account, credit_account, 'TRX', n, 'operator_adjustment', 'operator:test',
                '=' || n || ', \"x\"', now() FROM ledger_transfers, generate_series(1, 1234) AS n WHERE credit_account = 'user:42:TRX'",
        )
        .await;
    let (_, manager) = api.signed_in(&["finance_manager"]).await;
    let request = Request::builder()
        .method(Method::GET)
        .uri("/api/users/42/statement.csv?asset=TRX")
        .header("authorization", format!("Bearer {manager}"));
    let response = api
        .router
        .clone()
        .oneshot(request.body(Body::empty()).unwrap())
        .await
        .unwrap();
    assert_eq!(response.headers()["content-type"], "text/csv; charset=utf-8");
    assert_eq!(
        response.headers()["content-disposition"],
        "attachment; filename=\"statement-42.csv\""
    );
    let text = String::from_utf8(to_bytes(response.into_body(), 1 << 20).await.unwrap().to_vec()).unwrap();
    let lines: Vec<&str> = text.split_terminator("\r\n").collect();
    assert_eq!(lines.len(), 1 + 1235);
    assert_eq!(lines[0], "at,event,reason,asset,amount,order_id,payout_id,actor,note");
    let of = |n: i64| {
        lines
            .iter()
            .filter(|line| line.contains(&format!(",adjustment:t{n},")))
            .count()
    };
    assert!((1..=1234).all(|n| of(n) == 1), "each once");
    assert!(
        lines
            .iter()
            .any(|line| line.ends_with(",0.000007,,,operator:test,\"'=7, \"\"x\"\"\"")),
        "{}",
        lines[1]
    );
    api.get("/api/users/42/statement.csv")
        .await
        .refused(403, "insufficient_scope");
}
