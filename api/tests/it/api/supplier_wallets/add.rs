//! `POST /api/supplier-wallets/add`: taken in, and the key shows nowhere.

use serde_json::{Value, json};

use crate::support::{Log, TestApi};

const PATH: &str = "/api/supplier-wallets/add";
const PRIVATE_KEY: &str = "b5a4cea271ff424d7c31dc12a3e43e401df7a40d7412a15750f3f0b6b5449a28";
const WORDS: &str = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about";
const PASSPHRASE: &str = "Zk3u9vQxTREZOR";

/// Fails if any row of any table holds the text, in letters or as bytes.
fn search(text: &str) -> String {
    let bytes: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
    format!(
        "DO $$ DECLARE t text; n bigint; BEGIN \
           FOR t IN SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public' LOOP \
             EXECUTE format('SELECT count(*) FROM %s x WHERE x::text ILIKE %L OR x::text ILIKE %L', t, '%{text}%', '%{bytes}%') INTO n; \
             IF n > 0 THEN RAISE EXCEPTION 'found in %', t; END IF; \
           END LOOP; END $$"
    )
}

#[tokio::test]
async fn a_key_shows_in_no_log_no_row_and_no_answer() {
    let api = TestApi::new().await;
    let bodies = [
        json!({ "private_key": PRIVATE_KEY, "label": "hot" }),
        json!({ "mnemonic": WORDS, "passphrase": PASSPHRASE, "index": 3, "count": 2, "permission_id": 2 }),
        // wrong ones are as secret
        json!({ "private_key": format!("{PRIVATE_KEY}00") }),
        json!({ "private_key": [PRIVATE_KEY] }),
        json!({ "private_key": PRIVATE_KEY, "passphrase": PASSPHRASE }),
        json!({ "mnemonic": format!("{WORDS} {PASSPHRASE}") }),
        json!({ "private_key": PRIVATE_KEY, "label": "x".repeat(101) }),
        json!({ "private_key": PRIVATE_KEY, "permission_id": PASSPHRASE }),
        json!(PRIVATE_KEY),
        json!([PRIVATE_KEY]),
    ];
    let mut answers = String::new();
    for body in &bodies {
        let reply = api.once(PATH, body).await;
        answers.push_str(&format!("{} {} {:?}\n", reply.status, reply.body, reply.headers));
    }
    let logged = Log::text();
    assert!(logged.contains(PATH), "the requests are logged");
    for secret in [PRIVATE_KEY, WORDS, "abandon", PASSPHRASE, &api.key] {
        assert!(!logged.contains(secret), "a secret is in the log");
        assert!(!answers.contains(secret), "a secret is in an answer: {answers}");
        api.db.sql(&search(secret)).await;
    }
    assert!(
        api.db.try_sql(&search("hot")).await.is_err(),
        "the search finds what is there"
    );
}

#[tokio::test]
async fn wallets_are_taken_in_sealed() {
    let api = TestApi::new().await;
    let one = api
        .once(
            PATH,
            &json!({ "private_key": format!("0x{PRIVATE_KEY}"), "label": "hot" }),
        )
        .await;
    assert_eq!(one.status, 202);
    insta::assert_json_snapshot!(one.body);
    let many = api.once(PATH, &json!({ "mnemonic": WORDS, "count": 100 })).await;
    assert_eq!(many.body["items"].as_array().unwrap().len(), 100);
    let rows = "SELECT count(*) FROM supplier_wallets w JOIN wallet_imports i ON i.wallet_id = w.id \
                JOIN jobs j ON j.kind = 'wallets.import' AND j.object_id = w.id::text WHERE w.state = 'importing'";
    assert_eq!(api.count(rows).await, 101);
    assert_eq!(
        api.count("SELECT count(DISTINCT sealed) FROM wallet_imports").await,
        101
    );
}

#[tokio::test]
async fn what_is_no_key_is_refused() {
    let api = TestApi::new().await;
    let cases: Vec<(Value, &str, &str)> = vec![
        (json!({}), "invalid_body", "#"),
        (
            json!({ "private_key": PRIVATE_KEY, "mnemonic": WORDS }),
            "invalid_body",
            "#",
        ),
        (json!({ "private_key": PRIVATE_KEY, "count": 1 }), "invalid_body", "#"),
        (json!({ "private_key": "xyz" }), "invalid_body", "#/private_key"),
        (json!({ "mnemonic": "abandon about" }), "invalid_body", "#/mnemonic"),
        (json!({ "mnemonic": WORDS, "count": 0 }), "invalid_body", "#/count"),
        (json!({ "mnemonic": WORDS, "count": 101 }), "invalid_body", "#/count"),
        (
            json!({ "mnemonic": WORDS, "index": 2_147_483_647, "count": 2 }),
            "invalid_body",
            "#/index",
        ),
        (
            json!({ "mnemonic": WORDS, "passphrase": "x".repeat(257) }),
            "invalid_body",
            "#/passphrase",
        ),
        (json!({ "privatekey": PRIVATE_KEY }), "invalid_body", "#/privatekey"),
    ];
    for (body, code, pointer) in cases {
        let reply = api.once(PATH, &body).await;
        reply.refused(422, code);
        assert_eq!(reply.field().0, pointer, "{body}");
    }
    api.once(PATH, &json!({ "private_key": PRIVATE_KEY, "permission_id": 1 }))
        .await
        .refused(422, "bad_text");
    assert_eq!(api.count("SELECT count(*) FROM supplier_wallets").await, 0);
}

#[tokio::test]
async fn the_same_request_again_takes_nothing_in() {
    let api = TestApi::new().await;
    let body = json!({ "mnemonic": WORDS, "count": 3 });
    let first = api.marked(PATH, "w1", &body).await;
    let again = api.marked(PATH, "w1", &body).await;
    assert_eq!((first.status.as_u16(), again.status.as_u16()), (202, 202));
    assert_eq!(
        (again.header("idempotency-replayed"), &again.body),
        ("true", &first.body)
    );
    assert_eq!(first.header("idempotency-replayed"), "");
    let other = json!({ "mnemonic": WORDS, "count": 4 });
    api.marked(PATH, "w1", &other)
        .await
        .refused(409, "idempotency_key_reused");
    api.post(PATH, &body).await.refused(400, "idempotency_key_required");
    assert_eq!(api.count("SELECT count(*) FROM wallet_imports").await, 3);
}
