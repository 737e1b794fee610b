//! `/api/users/{user_id}/deposits`, `/api/deposits` and what operators decide about transfers.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use switchyard_api::Scope;

use crate::support::TestApi;

const XPUB: &str =
    "xpub6D1AabNHCupeiLM65ZR9UStMhJ1vCpyV4XbZdyhMZBiJXALQtmn9p42VTQckoHVn8WNqS7dqnJokZHAHcHGoaQgmv8D45oNUKx6DZMNZBCd";
const SHARED: &str = "TUJ2YbSDGtCqzRz7quPQidRCMC98jDAPXc";

async fn open_for_deposits() -> TestApi {
    TestApi::with(&[
        ("DEPOSITS__WAYS", "address,amount"),
        ("DEPOSITS__ACCOUNT_XPUB", XPUB),
        ("DEPOSITS__SHARED_ADDRESS", SHARED),
    ])
    .await
}

fn wish(asset: &str, way: &str, amount: Option<&str>) -> Value {
    json!({ "asset": asset, "way": way, "amount": amount })
}

#[tokio::test]
async fn a_user_is_given_one_address_of_the_account() {
    let api = open_for_deposits().await;
    let path = "/api/users/42/deposits";
    let first = api.marked(path, "d1", &wish("TRX", "address", None)).await;
    assert_eq!(first.status, 201, "{}", first.body);
    assert_eq!(first.body["address"], "TUEZSdKsoDHQMeZwihtdoBiN46zxhGWYdH");
    assert_eq!(
        (&first.body["state"], &first.body["amount"]),
        (&json!("open"), &Value::Null)
    );
    let location = first.header("location").to_owned();
    assert_eq!(
        location,
        format!("/api/deposits/{}", first.body["id"].as_str().unwrap())
    );
    let again = api.marked(path, "d1", &wish("TRX", "address", None)).await;
    assert_eq!(
        (again.status.as_u16(), again.header("idempotency-replayed")),
        (200, "true")
    );
    assert_eq!(again.body, first.body);
    api.marked(path, "d1", &wish("USDT", "address", None))
        .await
        .refused(409, "idempotency_key_reused");
    let second = api.marked(path, "d2", &wish("USDT", "address", Some("5"))).await;
    assert_eq!(second.body["address"], first.body["address"]);
    let other = api
        .marked("/api/users/43/deposits", "d3", &wish("TRX", "address", None))
        .await;
    assert_eq!(other.body["address"], "TSeJkUh4Qv67VNFwY8LaAxERygNdy6NQZK");

    let shown = api.get(&location).await;
    assert_eq!(
        (&shown.body["id"], &shown.body["transfers"]),
        (&first.body["id"], &json!([]))
    );
    let page = api.get("/api/users/42/deposits?limit=1").await;
    assert_eq!(page.body["items"][0]["id"], second.body["id"]);
    let cursor = page.body["next_cursor"].as_str().unwrap();
    let page = api
        .get(&format!("/api/users/42/deposits?limit=1&cursor={cursor}"))
        .await;
    assert_eq!(
        (&page.body["items"][0]["id"], &page.body["next_cursor"]),
        (&first.body["id"], &Value::Null)
    );
    assert_eq!(api.get("/api/users/44/deposits").await.body["items"], json!([]));
    api.get("/api/deposits/00000000-0000-7000-8000-000000000001")
        .await
        .refused(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_asked_for_the_amount_of_another() {
    let api = open_for_deposits().await;
    let (wanted, mut amounts) = (wish("USDT", "amount", Some("10")), BTreeSet::new());
    // sixteen at a time
    for round in 0..4 {
        let one = |n: usize| {
            let (api, wanted) = (&api, &wanted);
            async move {
                let path = format!("/api/users/{}/deposits", n + 1);
                api.marked(&path, &format!("d{round}-{n}"), wanted).await
            }
        };
        for reply in futures::future::join_all((0..16).map(one)).await {
            assert_eq!(reply.status, 201, "{}", reply.body);
            assert_eq!(reply.body["address"], SHARED);
            let amount = reply.body["amount"].as_str().unwrap().to_owned();
            assert!(
                amount.as_str() > "10.000000" && amount.as_str() < "10.010000",
                "{amount}"
            );
            assert!(amounts.insert(amount), "twice");
        }
    }
    assert_eq!(api.count("SELECT count(*) FROM deposits").await, 64);
    // all tails but one are taken
    api.db
        .sql(
            "INSERT INTO deposits (id, user_id, api_key_id, network, asset, way, address_id, amount, code, state, \
             expires_at, amount_held_until, created_at, updated_at) \
             SELECT gen_random_uuid(), d.user_id, d.api_key_id, d.network, 'TRX', d.way, d.address_id, 5000000 + n, \
             translate(lpad(n::text, 10, 'Z'), '01', 'AB'), 'open', d.expires_at, d.amount_held_until, now(), now() \
             FROM (SELECT * FROM deposits LIMIT 1) d, generate_series(1, 9999) AS n WHERE n <> 4711",
        )
        .await;
    let last = api
        .marked("/api/users/42/deposits", "last", &wish("TRX", "amount", Some("5")))
        .await;
    assert_eq!(last.body["amount"], "5.004711");
    api.marked("/api/users/42/deposits", "none", &wish("TRX", "amount", Some("5")))
        .await
        .refused(409, "deposit_amounts_taken");
    api.marked("/api/users/42/deposits", "near", &wish("TRX", "amount", Some("5.01")))
        .await
        .refused(201, "none");
}

#[tokio::test]
async fn what_cannot_be_announced_is_refused() {
    let api = open_for_deposits().await;
    let path = "/api/users/42/deposits";
    for (body, code, pointer) in [
        (wish("TRX", "amount", None), "deposit_amount_invalid", "#/amount"),
        (
            wish("TRX", "amount", Some("0.01")),
            "deposit_amount_invalid",
            "#/amount",
        ),
        (wish("TRX", "address", Some("0")), "deposit_amount_invalid", "#/amount"),
        (wish("TRX", "cash", Some("1")), "invalid_body", "#/way"),
        (wish("BTC", "amount", Some("1")), "invalid_body", "#/asset"),
    ] {
        let reply = api.marked(path, "bad", &body).await;
        reply.refused(422, code);
        assert_eq!(reply.field().0, pointer);
    }
    api.marked("/api/users/0/deposits", "bad", &wish("TRX", "address", None))
        .await
        .refused(422, "invalid_parameter");
    let closed = TestApi::new().await;
    let reply = closed.marked(path, "d1", &wish("TRX", "address", None)).await;
    reply.refused(422, "deposit_way_closed");
    api.db.sql("UPDATE users SET blocked_at = now() WHERE id = 42").await;
    api.marked(path, "d1", &wish("TRX", "address", None))
        .await
        .refused(403, "user_blocked");
}

fn buys(asset: &str, way: &str, energy: i64) -> Value {
    let order = json!({ "receiver": "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", "energy": energy, "duration_s": 3600 });
    json!({ "asset": asset, "way": way, "order": order })
}

#[tokio::test]
async fn a_deposit_for_an_order_is_of_its_price() {
    let api = open_for_deposits().await;
    let path = "/api/users/43/deposits";
    let own = api.marked(path, "d1", &buys("TRX", "address", 65_000)).await;
    assert_eq!(own.status, 201, "{}", own.body);
    assert_eq!(own.body["amount"], "3.250000");
    let order = &own.body["order"];
    assert_eq!(order["price"], json!({ "amount": "3.250000", "asset": "TRX" }));
    assert_eq!(
        (&order["state"], &order["order_id"], &order["reason"]),
        (&json!("waiting"), &Value::Null, &Value::Null)
    );
    let shown = api.get(own.header("location")).await;
    assert_eq!(shown.body["order"], *order);
    let again = api.marked(path, "d1", &buys("TRX", "address", 65_000)).await;
    assert_eq!((again.status.as_u16(), &again.body), (200, &own.body));
    let shared = api.marked(path, "d2", &buys("TRX", "amount", 65_000)).await;
    let amount = shared.body["amount"].as_str().unwrap();
    assert!(amount > "3.250000" && amount < "3.260000", "{amount}");
    assert_eq!(api.count("SELECT count(*) FROM orders").await, 0, "nothing is paid");
    assert_eq!(api.count("SELECT count(*) FROM deposit_orders").await, 2);
}

#[tokio::test]
async fn an_order_that_cannot_be_placed_is_not_announced() {
    let api = open_for_deposits().await;
    let path = "/api/users/43/deposits";
    let mut with_amount = buys("TRX", "address", 65_000);
    with_amount["amount"] = json!("3.25");
    for (body, code, pointer) in [
        (buys("USDT", "address", 65_000), "deposit_order_asset", "#/asset"),
        (buys("TRX", "address", 1), "energy_out_of_range", "#/order/energy"),
        (with_amount, "invalid_body", "#/amount"),
    ] {
        let reply = api.marked(path, "bad", &body).await;
        reply.refused(422, code);
        assert_eq!(reply.field().0, pointer);
    }
    let mut nobody = buys("TRX", "address", 65_000);
    nobody["order"]["receiver"] = json!("T1");
    api.marked(path, "bad", &nobody).await.refused(422, "invalid_body");
    let mut lesser = api;
    (_, lesser.key) = lesser.key_with(&[Scope::DepositsWrite], 1_000).await;
    lesser
        .marked(path, "d1", &buys("TRX", "address", 65_000))
        .await
        .refused(403, "insufficient_scope");
    lesser
        .marked(path, "d1", &wish("TRX", "address", None))
        .await
        .refused(201, "none");
    assert_eq!(lesser.count("SELECT count(*) FROM deposit_orders").await, 0);
}

const CURSOR: &str = "
    INSERT INTO chain_cursors (network, head_number, head_block_id, head_time, solid_number, solid_block_id, solid_time,
        tip_number, first_number, total_energy_limit, total_energy_weight, updated_at)
    VALUES ('tron', 20, 'b', now(), 10, 'a', now(), 20, 1, 0, 0, now())";

#[tokio::test]
async fn a_named_transaction_is_looked_for_and_never_believed() {
    let api = open_for_deposits().await;
    let path = "/api/users/42/deposit";
    let txid = "ab".repeat(32);
    let named = json!({ "txid": txid });
    api.marked(path, "t0", &named).await.refused(404, "not_found");
    api.db.sql(CURSOR).await;
    let reply = api.marked(path, "t1", &named).await;
    assert_eq!(
        (reply.status.as_u16(), &reply.body["standing"]),
        (202, &json!("looking"))
    );
    let job = format!("SELECT count(*) FROM jobs WHERE kind = 'deposits.confirm' AND object_id = 'tron:{txid}'");
    assert_eq!(api.count(&job).await, 1);
    assert_eq!(api.balance(42).await, "100.000000");
    for (body, pointer) in [
        (json!({ "txid": "xyz" }), "#/txid"),
        (json!({ "txid": txid, "amount": "5" }), "#/txid"),
        (json!({ "amount": "5" }), "#/reason"),
        (json!({ "reason": "x" }), "#/amount"),
    ] {
        let reply = api.marked(path, "t2", &body).await;
        reply.refused(422, "invalid_body");
        assert_eq!(reply.field().0, pointer);
    }
}

/// A transfer of 5 TRX to the shared address that waits for an operator.
const HELD: &str = "
    INSERT INTO deposit_addresses (id, network, address, kind, created_at)
        VALUES ('00000000-0000-7000-8000-0000000000b1', 'tron', 'TUJ2YbSDGtCqzRz7quPQidRCMC98jDAPXc', 'shared', now());
    INSERT INTO incoming_transfers (id, network, txid, log_index, block_number, block_id, block_time, place, from_address,
        to_address, address_id, amount, state, kind, asset, decided_by, decided_at, created_at, updated_at)
    SELECT ('00000000-0000-7000-8000-0000000000c' || n)::uuid, 'tron', repeat(n::text, 64), -1, 7, 'b7', now(), 0, 'TA',
        'TUJ2YbSDGtCqzRz7quPQidRCMC98jDAPXc', '00000000-0000-7000-8000-0000000000b1', 5000000,
        CASE n WHEN 4 THEN 'ignored' ELSE 'held' END, CASE n WHEN 4 THEN 'wrong_token' ELSE 'unmatched' END,
        CASE n WHEN 4 THEN NULL ELSE 'TRX' END, 'worker', now(), now(), now()
    FROM generate_series(1, 4) AS n";

fn rule(n: u8) -> String {
    format!("/api/operations/deposits/00000000-0000-7000-8000-0000000000c{n}/rule")
}

#[tokio::test]
async fn an_operator_decides_about_what_is_held_once_and_for_a_reason() {
    let api = open_for_deposits().await;
    api.db.sql(HELD).await;
    let held = api.get("/api/operations/deposits?state=held&case=unmatched").await;
    assert_eq!(held.body["items"].as_array().unwrap().len(), 3);
    let credit = json!({ "ruling": "credit", "user_id": 42, "reason": "ticket 88" });
    let first = api.marked(&rule(1), "r1", &credit).await;
    assert_eq!(first.status, 200, "{}", first.body);
    assert_eq!(
        (&first.body["state"], &first.body["credited"]),
        (&json!("credited"), &json!("5.000000"))
    );
    assert_eq!(api.balance(42).await, "105.000000");
    let again = api.marked(&rule(1), "r1", &credit).await;
    assert_eq!(again.header("idempotency-replayed"), "true");
    api.marked(&rule(1), "r2", &credit).await.refused(409, "conflict");
    assert_eq!(api.balance(42).await, "105.000000");

    let nobody = json!({ "ruling": "credit", "reason": "x" });
    api.marked(&rule(2), "r3", &nobody).await.refused(422, "invalid_body");
    api.marked(&rule(4), "r4", &credit).await.refused(409, "conflict");
    let ignore = json!({ "ruling": "ignore", "reason": "spam" });
    assert_eq!(api.marked(&rule(2), "r5", &ignore).await.body["state"], "ignored");
    let refunded = json!({ "ruling": "refunded", "reason": "sent back" });
    assert_eq!(api.marked(&rule(3), "r6", &refunded).await.body["state"], "refunded");
    api.marked(&rule(3), "r7", &ignore).await.refused(409, "conflict");

    let reverse = json!({ "ruling": "reverse", "reason": "it was 43's" });
    assert_eq!(api.marked(&rule(1), "r8", &reverse).await.body["state"], "reversed");
    assert_eq!(api.balance(42).await, "100.000000");
    api.marked(&rule(1), "r9", &credit).await.refused(409, "conflict");
    let actions = "SELECT string_agg(action, ' ' ORDER BY id) FROM operator_actions";
    assert_eq!(
        api.text(actions).await,
        "deposits.credit deposits.ignore deposits.refund deposits.reverse"
    );
    for bad in [
        json!({ "ruling": "ignore", "reason": "" }),
        json!({ "ruling": "ignore", "user_id": 42, "reason": "x" }),
        json!({ "ruling": "credit", "user_id": 0, "reason": "x" }),
        json!({ "ruling": "burn", "reason": "x" }),
    ] {
        let reply = api.marked(&rule(2), "bad", &bad).await;
        assert_eq!(reply.status, 422, "{bad}");
    }
}

#[tokio::test]
async fn much_money_waits_for_another_key() {
    let mut api = TestApi::with(&[("DEPOSITS__APPROVAL_ABOVE_TRX", "4.999999")]).await;
    api.db.sql(HELD).await;
    let credit = json!({ "ruling": "credit", "user_id": 42, "reason": "ticket 88" });
    let first = api.marked(&rule(1), "r1", &credit).await;
    assert_eq!((first.status.as_u16(), &first.body["state"]), (202, &json!("held")));
    let proposal = &first.body["proposal"];
    assert_eq!(
        (&proposal["ruling"], &proposal["user_id"], &proposal["reason"]),
        (&json!("credit"), &json!(42), &json!("ticket 88"))
    );
    let again = api.marked(&rule(1), "r1", &credit).await;
    assert_eq!(
        (again.status.as_u16(), again.header("idempotency-replayed")),
        (202, "true")
    );
    api.marked(&rule(1), "r2", &credit).await.refused(403, "own_proposal");
    let page = api.get("/api/operations/deposits?state=held").await;
    let shown: Vec<&Value> = page.body["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| &item["proposal"])
        .collect();
    assert_eq!(
        shown
            .iter()
            .filter(|proposal| ***proposal == first.body["proposal"])
            .count(),
        1
    );
    assert_eq!(api.balance(42).await, "100.000000");

    (_, api.key) = api.key_with(Scope::ALL, 1_000).await;
    let agreed = api.marked(&rule(1), "r3", &credit).await;
    assert_eq!(
        (agreed.status.as_u16(), &agreed.body["state"]),
        (200, &json!("credited"))
    );
    assert_eq!(agreed.body["proposal"], Value::Null);
    assert_eq!(api.balance(42).await, "105.000000");
}

#[tokio::test]
async fn an_operator_gives_a_transfer_to_the_deposit_that_it_was_meant_for() {
    let api = open_for_deposits().await;
    api.db.sql(HELD).await;
    let deposit = api
        .marked("/api/users/43/deposits", "d1", &wish("TRX", "address", Some("10")))
        .await;
    let attach = json!({ "ruling": "attach", "deposit_id": deposit.body["id"], "reason": "ticket 88" });
    for n in 1..=2 {
        let done = api.marked(&rule(n), &format!("r{n}"), &attach).await;
        assert_eq!(
            (done.status.as_u16(), &done.body["deposit_id"]),
            (200, &deposit.body["id"])
        );
    }
    let shown = api.get(deposit.header("location")).await;
    assert_eq!(
        (&shown.body["state"], &shown.body["received"]),
        (&json!("paid"), &json!("10.000000"))
    );
    assert_eq!(shown.body["transfers"].as_array().unwrap().len(), 2);
    assert_eq!(api.balance(43).await, "10.000000");
    for bad in [
        json!({ "ruling": "attach", "reason": "x" }),
        json!({ "ruling": "attach", "user_id": 42, "reason": "x" }),
        json!({ "ruling": "ignore", "deposit_id": deposit.body["id"], "reason": "x" }),
    ] {
        api.marked(&rule(3), "bad", &bad).await.refused(422, "invalid_body");
    }
}

#[tokio::test]
async fn what_was_credited_and_spent_is_not_taken_back() {
    let api = open_for_deposits().await;
    api.db.sql(HELD).await;
    let credit = json!({ "ruling": "credit", "user_id": 50, "reason": "ticket 88" });
    api.marked(&rule(1), "r1", &credit).await;
    let spent = json!({ "amount": "1", "reason": "spent" });
    api.marked("/api/users/50/deduct", "s1", &spent).await;
    let reverse = json!({ "ruling": "reverse", "reason": "wrong" });
    api.marked(&rule(1), "r2", &reverse)
        .await
        .refused(409, "insufficient_funds");
    assert_eq!(api.balance(50).await, "4.000000");
}
