//! `/api/supplier-wallets/{id}/permissions` and `/key`, and a wallet's standing.

use serde_json::{Value, json};

use super::{ACTIVE, IMPORTING, with_wallets};
use crate::support::{Log, TestApi};

const PRIVATE_KEY: &str = "0c28fca386c7a227600b2fe50b7cae11ec86d3bf1fbe471be89827e19d72aa1d";
const UNKNOWN: &str = "00000000-0000-7000-8000-00000000ffff";
const ADDRESS: &str = "TUEZSdKsoDHQMeZwihtdoBiN46zxhGWYdH";

fn key(wallet: &str) -> String {
    format!("/api/supplier-wallets/{wallet}/key")
}

fn wish() -> Value {
    json!({ "private_key": PRIVATE_KEY, "reason": "rotated" })
}

#[tokio::test]
async fn what_a_key_can_do_is_shown_once_it_was_read() {
    let api = with_wallets().await;
    let path = format!("/api/supplier-wallets/{ACTIVE}/permissions");
    let unread = api.get(&path).await;
    assert_eq!(unread.body["reads"], json!([]));
    let operations = format!("{}{}", "0000000000000006", "0".repeat(48));
    let read = format!(
        "INSERT INTO wallet_permissions VALUES ('{ACTIVE}', 'tron', '2027-01-15T07:30:00Z', 70, '{ADDRESS}', 2, 'lending', 2, \
             1, '{operations}', '[\"delegate\",\"undelegate\"]', '[]', '[]', false, 'weight_below_threshold');
         UPDATE supplier_wallets SET permission_id = 2, key_address = '{ADDRESS}' WHERE id = '{ACTIVE}'"
    );
    api.db.sql(&read).await;
    insta::assert_json_snapshot!(api.get(&path).await.body);
    api.get(&format!("/api/supplier-wallets/{UNKNOWN}/permissions"))
        .await
        .refused(404, "not_found");
    api.get("/api/supplier-wallets/x/permissions")
        .await
        .refused(422, "invalid_parameter");
}

#[tokio::test]
async fn a_replacement_is_asked_for_once_and_recorded() {
    let api = with_wallets().await;
    let mut tried = wish();
    tried["dry_run"] = json!(true);
    let dry = api.marked(&key(ACTIVE), "k0", &tried).await;
    assert_eq!(
        (dry.status.as_u16(), &dry.body["replacement"]),
        (200, &Value::Null),
        "{}",
        dry.body
    );
    let asked = api.marked(&key(ACTIVE), "k1", &wish()).await;
    assert_eq!(asked.status, 200, "{}", asked.body);
    let replacement = &asked.body["replacement"];
    assert_eq!(
        (
            &replacement["state"],
            &replacement["permission_id"],
            &replacement["new_key_address"]
        ),
        (&json!("requested"), &json!(0), &Value::Null)
    );
    let again = api.marked(&key(ACTIVE), "k1", &wish()).await;
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(again.body["replacement"]["id"], replacement["id"]);
    let shown = api.get(&format!("/api/supplier-wallets/{ACTIVE}")).await;
    assert_eq!(shown.body["key_replacement"], *replacement);
    let jobs = format!("SELECT count(*) FROM jobs WHERE kind = 'wallets.import' AND object_id = '{ACTIVE}'");
    assert_eq!(api.count(&jobs).await, 1);
    let recorded = api.get(&format!("/api/operations/actions?object_id={ACTIVE}")).await;
    assert_eq!(
        recorded.body["items"][0]["action"], "wallets.replace_key",
        "{}",
        recorded.body
    );
    api.marked(&key(ACTIVE), "k2", &wish()).await.refused(409, "conflict");
    assert_eq!(api.count("SELECT count(*) FROM wallet_key_replacements").await, 1);
}

#[tokio::test]
async fn a_replacement_that_cannot_be_is_refused_and_no_key_shows() {
    let api = with_wallets().await;
    let with = |field: &str, value: Value| {
        let mut wish = wish();
        wish[field] = value;
        wish
    };
    let cases = [
        (key(UNKNOWN), wish(), 404, "not_found"),
        (key("x"), wish(), 422, "invalid_parameter"),
        (key(IMPORTING), wish(), 409, "wallet_not_active"),
        (key(ACTIVE), with("permission_id", json!(1)), 422, "bad_text"),
        (key(ACTIVE), with("reason", json!(" ")), 422, "bad_text"),
        (key(ACTIVE), json!({ "private_key": PRIVATE_KEY }), 422, "invalid_body"),
        (key(ACTIVE), json!({ "reason": "rotated" }), 422, "invalid_body"),
        (key(ACTIVE), with("mnemonic", json!("abandon")), 422, "invalid_body"),
        (key(ACTIVE), with("index", json!(1)), 422, "invalid_body"),
        (key(ACTIVE), with("count", json!(1)), 422, "invalid_body"),
        (
            key(ACTIVE),
            with("private_key", json!(format!("{PRIVATE_KEY}0"))),
            422,
            "invalid_body",
        ),
    ];
    for (place, (path, body, status, code)) in cases.into_iter().enumerate() {
        let reply = api.marked(&path, &format!("c{place}"), &body).await;
        reply.refused(status, code);
        assert!(!reply.body.to_string().contains(PRIVATE_KEY));
    }
    api.post(&key(ACTIVE), &wish())
        .await
        .refused(400, "idempotency_key_required");
    assert!(!Log::text().contains(PRIVATE_KEY));
    assert_eq!(api.count("SELECT count(*) FROM wallet_key_replacements").await, 0);
}

#[tokio::test]
async fn an_address_is_given_for_one_key_of_a_permission() {
    let api = with_wallets().await;
    let path = "/api/supplier-wallets/add";
    let with = |permission_id: i32, address: &str| json!({ "private_key": PRIVATE_KEY, "permission_id": permission_id, "address": address });
    let taken = api.once(path, &with(2, ADDRESS)).await;
    assert_eq!(taken.status, 202, "{}", taken.body);
    let id = taken.body["items"][0]["id"].as_str().unwrap();
    let shown = api.get(&format!("/api/supplier-wallets/{id}")).await;
    assert_eq!(
        (&shown.body["address"], &shown.body["standing"]),
        (&json!(ADDRESS), &json!("importing"))
    );
    let refused = api.once(path, &with(0, "TUJ2YbSDGtCqzRz7quPQidRCMC98jDAPXc")).await;
    refused.refused(422, "address_needs_permission");
    assert_eq!(refused.field().0, "#/address");
    api.once(path, &with(2, ADDRESS)).await.refused(409, "wallet_exists");
    api.once(path, &with(2, "TJRabPrwbZy45sbavfcjinPJC18kjpRTv8"))
        .await
        .refused(409, "wallet_exists");
    let words = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about";
    let many =
        json!({ "mnemonic": words, "count": 2, "permission_id": 2, "address": "TUJ2YbSDGtCqzRz7quPQidRCMC98jDAPXc" });
    let refused = api.once(path, &many).await;
    refused.refused(422, "invalid_body");
    assert_eq!(refused.field().0, "#/address");
}

async fn standing(api: &TestApi, change: &str) -> Value {
    api.db
        .sql(&format!("UPDATE supplier_wallets SET {change} WHERE id = '{ACTIVE}'"))
        .await;
    api.get(&format!("/api/supplier-wallets/{ACTIVE}")).await.body["standing"].clone()
}

#[tokio::test]
async fn a_wallets_standing_is_one_word() {
    let api = with_wallets().await;
    let importing = api.get(&format!("/api/supplier-wallets/{IMPORTING}")).await;
    assert_eq!(importing.body["standing"], "importing");
    assert_eq!(standing(&api, "label = 'x'").await, "isolated");
    let released = "isolated_at = NULL, isolated_reason = NULL, probations = 1";
    assert_eq!(standing(&api, released).await, "on_probation");
    assert_eq!(standing(&api, "probations = 0").await, "in_service");
    assert_eq!(standing(&api, "enabled = false").await, "disabled");
}
