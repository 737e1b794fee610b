//! `/api/operations/stakings`: asked for once, within bounds, tried out, and listed.

use serde_json::{Value, json};

use crate::support::TestApi;

const PATH: &str = "/api/operations/stakings";
const WALLET: &str = "00000000-0000-7000-8000-0000000000b2";

const WALLETS: &str = "
    INSERT INTO supplier_wallets (id, address, state, purpose, balance_sun, staked_energy_sun, delegatable_sun, synced_at,
        created_at, updated_at) VALUES
    ('00000000-0000-7000-8000-0000000000b2', 'TUEZSdKsoDHQMeZwihtdoBiN46zxhGWYdH', 'active', 'supply', 1000000000, 500000000,
        500000000, '2027-01-15T08:00:00Z', '2027-01-15T08:00:00Z', '2027-01-15T08:00:00Z'),
    ('00000000-0000-7000-8000-0000000000b3', NULL, 'importing', 'supply', 0, 0, 0, NULL, '2027-01-15T08:00:00Z',
        '2027-01-15T08:00:00Z'),
    ('00000000-0000-7000-8000-0000000000b4', 'TUJ2YbSDGtCqzRz7quPQidRCMC98jDAPXc', 'active', 'treasury', 1000000000, 0, 0,
        '2027-01-15T08:00:00Z', '2027-01-15T08:00:00Z', '2027-01-15T08:00:00Z')";

fn wish(action: &str, amount: &str) -> Value {
    json!({ "wallet_id": WALLET, "action": action, "resource": "energy", "amount": amount, "reason": "sold out each evening" })
}

fn with(mut wish: Value, field: &str, value: Value) -> Value {
    wish[field] = value;
    wish
}

async fn api() -> TestApi {
    let api = TestApi::new().await;
    api.db.sql(WALLETS).await;
    api
}

#[tokio::test]
async fn a_staking_is_asked_for_once_and_listed() {
    let api = api().await;
    let asked = api.marked(PATH, "s1", &wish("stake", "100")).await;
    assert_eq!(asked.status, 200, "{}", asked.body);
    let staking = &asked.body["staking"];
    assert_eq!(
        (&staking["state"], &staking["amount"], &staking["source"]),
        (&"requested".into(), &"100.000000".into(), &"operator".into())
    );
    assert_eq!(staking["address"], "TUEZSdKsoDHQMeZwihtdoBiN46zxhGWYdH");
    assert_eq!(asked.body["room"]["free"], "980.000000", "twenty stay");
    let again = api.marked(PATH, "s1", &wish("stake", "100")).await;
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(again.body["staking"]["id"], staking["id"]);
    assert_eq!(api.count("SELECT count(*) AS n FROM stakings").await, 1);
    assert_eq!(
        api.count("SELECT count(*) AS n FROM jobs WHERE kind = 'wallets.stake'")
            .await,
        1
    );
    let recorded = api
        .get(&format!(
            "/api/operations/actions?object_id={}",
            staking["id"].as_str().unwrap()
        ))
        .await;
    assert_eq!(recorded.body["items"][0]["action"], "stakings.request");
    api.marked(PATH, "s1", &wish("stake", "101"))
        .await
        .refused(409, "idempotency_key_reused");

    api.marked(PATH, "s2", &wish("unstake", "500")).await;
    for (query, rows) in [
        ("state=requested".to_owned(), 2),
        ("action=unstake".to_owned(), 1),
        (format!("wallet_id={WALLET}"), 2),
        ("state=done".to_owned(), 0),
        ("limit=1".to_owned(), 1),
    ] {
        let listed = api.get(&format!("{PATH}?{query}")).await;
        assert_eq!(listed.body["items"].as_array().unwrap().len(), rows, "{query}");
    }
    for query in ["state=closed", "action=vote", "wallet_id=x", "page=2"] {
        api.get(&format!("{PATH}?{query}"))
            .await
            .refused(422, "invalid_parameter");
    }
    api.clock.advance_seconds(3_601);
    let stuck = api.get("/api/operations/stuck?kind=staking").await;
    assert_eq!(stuck.body["items"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn what_is_tried_out_writes_nothing() {
    let api = api().await;
    let dry = with(wish("stake", "980"), "dry_run", true.into());
    let tried = api.marked(PATH, "d1", &dry).await;
    assert_eq!(tried.status, 200);
    assert!(tried.body["staking"].is_null() && tried.body["action_id"].is_null());
    assert_eq!(tried.body["room"]["wallet_left"], "50000.000000");
    let dry = with(wish("stake", "981"), "dry_run", true.into());
    api.marked(PATH, "d2", &dry).await.refused(409, "stake_refused");
    for table in ["stakings", "operator_actions"] {
        assert_eq!(api.count(&format!("SELECT count(*) AS n FROM {table}")).await, 0);
    }
}

#[tokio::test]
async fn what_cannot_be_is_refused_by_name() {
    let api = api().await;
    for (n, body, status, code) in [
        (1, wish("stake", "0.5"), 409, "stake_refused"),
        (2, wish("stake", "981"), 409, "stake_refused"),
        (3, wish("unstake", "501"), 409, "stake_refused"),
        (4, wish("withdraw", "1"), 422, "invalid_body"),
        (
            5,
            with(wish("stake", "1"), "resource", Value::Null),
            422,
            "invalid_body",
        ),
        (6, with(wish("stake", "1"), "amount", Value::Null), 422, "invalid_body"),
        (
            7,
            with(wish("stake", "1"), "resource", "votes".into()),
            422,
            "invalid_body",
        ),
        (8, with(wish("stake", "1"), "reason", "".into()), 422, "bad_text"),
        (
            9,
            with(
                wish("stake", "1"),
                "wallet_id",
                "00000000-0000-7000-8000-0000000000b9".into(),
            ),
            404,
            "not_found",
        ),
        (
            10,
            with(
                wish("stake", "1"),
                "wallet_id",
                "00000000-0000-7000-8000-0000000000b3".into(),
            ),
            409,
            "wallet_not_active",
        ),
        (
            11,
            with(
                wish("stake", "1"),
                "wallet_id",
                "00000000-0000-7000-8000-0000000000b4".into(),
            ),
            409,
            "stake_refused",
        ),
    ] {
        let reply = api.marked(PATH, &format!("r{n}"), &body).await;
        assert_eq!((reply.status.as_u16(), reply.code()), (status, code), "{body}");
    }
    api.post(PATH, &wish("stake", "1"))
        .await
        .refused(400, "idempotency_key_required");
    assert_eq!(api.count("SELECT count(*) AS n FROM stakings").await, 0);
}
