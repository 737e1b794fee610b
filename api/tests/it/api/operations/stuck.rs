//! `/api/operations/stuck`: listed and re-driven.

use serde_json::json;

use crate::support::TestApi;

const REDRIVE: &str = "/api/operations/stuck/redrive";

/// An order past its deadline whose job is dead, and a wallet that nobody takes in.
async fn stuck(api: &TestApi) -> String {
    let id = api.order("o1").await.body["id"].as_str().unwrap().to_owned();
    api.clock.advance_seconds(700);
    let now = kernel::Clock::now(&*api.clock).to_rfc3339();
    api.db
        .sql(&format!(
            "UPDATE jobs SET state = 'dead', dead_at = '{now}', last_error_code = 'panic';
             UPDATE orders SET reason_code = 'no_wallet_fits';
             INSERT INTO supplier_wallets (id, state, created_at, updated_at) VALUES
                ('00000000-0000-7000-8000-0000000000aa', 'importing', '{now}'::timestamptz - interval '6 minutes', '{now}')"
        ))
        .await;
    id
}

#[tokio::test]
async fn stuck_objects_are_listed_in_pages_with_what_to_do() {
    let api = TestApi::new().await;
    stuck(&api).await;
    let first = api.get("/api/operations/stuck?limit=1").await;
    assert_eq!(first.status, 200);
    let cursor = first.body["next_cursor"].as_str().unwrap();
    let second = api.get(&format!("/api/operations/stuck?limit=1&cursor={cursor}")).await;
    assert!(second.body["next_cursor"].is_null());
    insta::assert_json_snapshot!([&first.body["items"][0], &second.body["items"][0]]);
    for (query, rows) in [
        ("kind=order", 1),
        ("kind=network", 0),
        ("state=importing", 1),
        ("network=tron", 1),
        ("object_id=00000000-0000-7000-8000-0000000000aa", 1),
    ] {
        let reply = api.get(&format!("/api/operations/stuck?{query}")).await;
        assert_eq!(reply.body["items"].as_array().unwrap().len(), rows, "{query}");
    }
    for query in ["kind=job", "cursor=1,2", "all=true"] {
        api.get(&format!("/api/operations/stuck?{query}"))
            .await
            .refused(422, "invalid_parameter");
    }
}

#[tokio::test]
async fn one_object_or_all_are_redriven_once_per_mark() {
    let api = TestApi::new().await;
    let id = stuck(&api).await;
    let one = json!({ "object_id": id });
    let first = api.marked(REDRIVE, "m1", &one).await;
    assert_eq!((first.status.as_u16(), first.body["affected"].as_i64()), (200, Some(1)));
    assert_eq!(
        api.text("SELECT state || ' ' || runs FROM jobs WHERE kind = 'orders.delegate'")
            .await,
        "due 0"
    );
    let again = api.marked(REDRIVE, "m1", &one).await;
    assert_eq!(
        (again.header("idempotency-replayed"), &again.body),
        ("true", &first.body)
    );
    let all = api
        .marked(REDRIVE, "m2", &json!({ "all": true, "reason": "after the outage" }))
        .await;
    assert_eq!(all.body["affected"], 1, "the order's job is due already");
    assert_eq!(
        api.count("SELECT count(*) FROM jobs WHERE kind = 'wallets.import' AND state = 'due'")
            .await,
        1
    );
}

#[tokio::test]
async fn what_is_not_said_rightly_is_refused() {
    let api = TestApi::new().await;
    stuck(&api).await;
    api.post(REDRIVE, &json!({ "all": true }))
        .await
        .refused(400, "idempotency_key_required");
    for (n, body) in [
        json!({}),
        json!({ "kind": "order" }),
        json!({ "all": true, "kind": "job" }),
    ]
    .iter()
    .enumerate()
    {
        api.marked(REDRIVE, &format!("m{n}"), body)
            .await
            .refused(422, "invalid_body");
    }
    let long = json!({ "all": true, "reason": "x".repeat(501) });
    api.marked(REDRIVE, "long", &long).await.refused(422, "bad_text");
    assert_eq!(api.count("SELECT count(*) FROM operator_actions").await, 0);
}
