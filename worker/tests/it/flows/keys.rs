//! Keys of wallets: another account's, limited to lending, judged by the chain, and replaced while orders run.

use std::time::Duration;

use db::acquire;
use db::models::{WalletKey, WalletState};
use diesel::sql_types::{Binary, Text};
use diesel_async::RunQueryDsl;
use kernel::{Clock, OrderId, WalletId};
use serde_json::{Value, json};
use tron::{PrivateKey, decode_transaction, recover_address};

use crate::harness::{Does, Hot, LENDS, Rig, SHARED_ADDRESS, by_key, open_findings};

#[derive(diesel::QueryableByName)]
struct Sent {
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Binary)]
    raw: Vec<u8>,
}

impl Rig {
    /// Of each transaction, oldest first, what it is, who signed it, for whom, and by which permission.
    async fn signatures(&self) -> Vec<(String, String, String, i32)> {
        let mut conn = acquire(&self.owner).await.unwrap();
        let sent: Vec<Sent> =
            diesel::sql_query("SELECT intent_kind AS kind, raw FROM chain_transactions ORDER BY created_at, id")
                .load(&mut conn)
                .await
                .unwrap();
        sent.into_iter()
            .map(|sent| {
                let decoded = decode_transaction(&sent.raw).unwrap();
                let signer = recover_address(&decoded.txid.0, &decoded.signatures[0]).unwrap();
                let unsigned = decoded.unsigned;
                (
                    sent.kind,
                    signer.to_string(),
                    unsigned.contract.owner().to_string(),
                    unsigned.permission_id,
                )
            })
            .collect()
    }

    async fn sold(&self) -> OrderId {
        let order = self.order(self.wish()).await;
        self.wait_settled(order).await;
        order
    }

    /// Until the last replacement of the wallet's key has ended; how.
    async fn replaced(&self, wallet: WalletId) -> Value {
        self.until("the replacement ends", async || {
            self.shown_wallet(wallet).await["key_replacement"]["state"] != "requested"
        })
        .await;
        self.shown_wallet(wallet).await["key_replacement"].clone()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_can_only_lend_sells_an_order_and_takes_it_back() {
    let (rig, _worker) = Rig::with_worker().await;
    let Hot { id, account, key } = rig.hot_supplier(LENDS).await;
    let wallet = rig.wallet(id).await;
    let [account, key] = [account.address().to_string(), key.address().to_string()];
    assert_eq!(
        (wallet.address.as_ref(), wallet.key_address.as_ref()),
        (Some(&account), Some(&key))
    );

    let order = rig.sold().await;
    rig.pass(300);
    rig.wait_event(order, "reclaimed").await;
    rig.quiesce().await;
    let by = |kind: &str| (kind.to_owned(), key.clone(), account.clone(), 2);
    assert_eq!(rig.signatures().await, [by("delegate"), by("reclaim")]);

    let shown = rig.shown_permissions(id).await;
    assert_eq!(
        (&shown["address"], &shown["key_address"]),
        (&json!(account), &json!(key))
    );
    let read = &shown["reads"][0];
    assert_eq!(read["can"], json!(["delegate", "undelegate"]), "{shown}");
    assert_eq!((&read["moves_money"], &read["problem"]), (&json!([]), &Value::Null));
    assert_eq!(
        (&read["weight"], &read["threshold"], &read["signs_alone"]),
        (&json!(1), &json!(1), &json!(true))
    );
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_taken_in_once_and_with_a_permission_alone() {
    let (rig, _worker) = Rig::with_worker().await;
    let hot = rig.hot_supplier(LENDS).await;
    let with = |address: String, permission_id: i32| {
        let mut body = by_key(&PrivateKey::generate().unwrap());
        body["address"] = json!(address);
        body["permission_id"] = json!(permission_id);
        body
    };
    let account = hot.account.address().to_string();
    let other = PrivateKey::generate().unwrap().address().to_string();
    let cases = [
        (with(other.clone(), 0), "address_needs_permission"),
        (with(account, 2), "wallet_exists"),
        (with(SHARED_ADDRESS.to_owned(), 2), "wallet_exists"),
        (with("T".to_owned(), 2), "invalid_body"),
    ];
    rig.deposits_at(SHARED_ADDRESS).await;
    for (body, code) in cases {
        assert_eq!(rig.try_hand_in(body).await.unwrap_err(), code);
    }
    // a key that cannot be used frees the address again
    let mut unusable = with(other.clone(), 2);
    unusable["private_key"] = json!("f".repeat(64));
    let rejected = rig.hand_in(unusable).await;
    rig.until("it is rejected", async || {
        rig.wallet(rejected).await.state == WalletState::Rejected
    })
    .await;
    assert_eq!(rig.shown_wallet(rejected).await["standing"], "rejected");
    let key = PrivateKey::generate().unwrap();
    rig.permit(other.parse().unwrap(), LENDS, &[key.address()]);
    let mut usable = by_key(&key);
    usable["address"] = json!(other);
    usable["permission_id"] = json!(2);
    let id = rig.hand_in(usable).await;
    rig.until("it is active", async || {
        rig.wallet(id).await.state == WalletState::Active
    })
    .await;
    rig.judge().await;
}

impl Rig {
    /// The address takes deposits.
    async fn deposits_at(&self, address: &str) {
        let sql = format!(
            "INSERT INTO deposit_addresses (id, network, address, kind, created_at) \
             VALUES ('00000000-0000-7000-8000-00000000de01', 'tron', '{address}', 'shared', now()) ON CONFLICT DO NOTHING"
        );
        let mut conn = acquire(&self.owner).await.unwrap();
        diesel::sql_query(sql).execute(&mut conn).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_cannot_sign_isolates_its_wallet_until_it_can() {
    let (rig, _worker) = Rig::with_worker().await;
    for kind in ["wallets.key_cannot_sign", "wallets.isolated", "pool.no_wallet_fits"] {
        rig.expect_finding(kind);
    }
    let Hot { id, account, key } = rig.hot_supplier(LENDS).await;
    let (account, key) = (account.address(), key.address());
    let stranger = PrivateKey::generate().unwrap().address();
    let first = rig.sold().await;

    // somebody changes it while it is in use, and nobody reads the wallet: the next order is refused, and that is looked into
    rig.permit(account, LENDS, &[stranger]);
    let waiting = rig.order(rig.wish()).await;
    rig.until("it is isolated", async || rig.wallet(id).await.isolated_at.is_some())
        .await;
    let told = rig.shown_permissions(id).await["reads"][0].clone();
    assert_eq!(
        (&told["problem"], &told["weight"]),
        (&json!("key_not_named"), &json!(0)),
        "{told}"
    );
    assert_eq!(rig.shown_wallet(id).await["standing"], "isolated");
    assert_eq!(rig.count(&open_findings("wallets.key_cannot_sign")).await, 1);

    // neither half of what it has to do, nor half of a signature, nor a permission of another number
    rig.permit(account, &[58], &[key]);
    let problem = async || rig.shown_permissions(id).await["reads"][0]["problem"].clone();
    let reads = async |wanted: &str| {
        rig.read_all_wallets().await;
        rig.until(wanted, async || problem().await == wanted).await;
    };
    reads("operations_missing").await;
    rig.permit_jointly(account, LENDS, (&[key, stranger], 2));
    reads("weight_below_threshold").await;
    assert!(rig.wallet(id).await.isolated_at.is_some());

    rig.permit(account, LENDS, &[key]);
    rig.read_all_wallets().await;
    rig.until("it is released", async || rig.wallet(id).await.isolated_at.is_none())
        .await;
    for kind in ["wallets.key_cannot_sign", "wallets.isolated"] {
        assert_eq!(rig.count(&open_findings(kind)).await, 0, "{kind}");
    }
    rig.wait_settled(waiting).await;
    rig.pass(300);
    rig.wait_event(first, "reclaimed").await;
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hot_key_that_can_move_money_is_warned_of() {
    let (rig, _worker) = Rig::with_worker().await;
    rig.expect_finding("wallets.hot_key_moves_money");
    let Hot { id, account, key } = rig.hot_supplier(&[1, 57, 58]).await;
    let owners = rig.supplier(50_000).await;
    let warned = open_findings("wallets.hot_key_moves_money");
    assert_eq!(rig.count(&warned).await, 1);
    assert_eq!(rig.wallet(id).await.isolated_at, None, "it sells all the same");
    let shown = rig.shown_permissions(owners.id).await["reads"][0].clone();
    assert!(
        shown["moves_money"]
            .as_array()
            .unwrap()
            .contains(&json!("transfer_trx")),
        "{shown}"
    );

    let said = rig.said(&["wallets", "check-permissions"]).await;
    for line in [
        "can 可执行: delegate 代理资源, undelegate 收回代理, transfer_trx 转账 TRX",
        "WARNING the key can move TRX or tokens 警告：该密钥可转出 TRX 或代币: transfer_trx 转账 TRX",
        "owner's key: can move everything 所有者密钥：可转出全部资产",
    ] {
        assert!(said.contains(line), "{said}");
    }

    rig.permit(account.address(), LENDS, &[key.address()]);
    let said = rig
        .said(&["wallets", "check-permissions", "--wallet", &id.to_string()])
        .await;
    assert!(said.contains("cannot move TRX or tokens 不能转出 TRX 或代币"), "{said}");
    assert_eq!(rig.count(&warned).await, 0, "what the command read counts");
    rig.judge().await;
}

impl Rig {
    /// What a command that succeeds says.
    async fn said(&self, words: &[&str]) -> String {
        let output = self.command(words).await;
        let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        said
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_replaced_while_orders_run() {
    let mut rig = Rig::new().await;
    // both workers keep keys opened for longer than the test takes
    rig.world.key_life = Duration::from_secs(86_400);
    let _workers = [rig.start(Does::Everything), rig.start(Does::Everything)];
    let Hot { id, account, key } = rig.hot_supplier(LENDS).await;
    let (account, new) = (account.address(), PrivateKey::generate().unwrap());
    let old = key.address();
    let mut before = Vec::new();
    for _ in 0..4 {
        before.push(rig.order(rig.wish()).await);
    }
    for order in &before {
        rig.wait_settled(*order).await;
    }

    // the account names both for a while
    rig.permit(account, LENDS, &[old, new.address()]);
    let during = rig.order(rig.wish()).await;
    let asked = rig.replace_key(id, by_key(&new)).await.unwrap();
    assert_eq!(asked["replacement"]["permission_id"], 2, "{asked}");
    let ended = rig.replaced(id).await;
    assert_eq!(
        (&ended["state"], &ended["new_key_address"]),
        (&json!("done"), &json!(new.address().to_string()))
    );
    assert_eq!(ended["old_key_address"], old.to_string());
    let wallet = rig.wallet(id).await;
    assert_eq!((wallet.address, wallet.key_generation), (Some(account.to_string()), 2));
    rig.wait_settled(during).await;
    let by_old = rig
        .signatures()
        .await
        .iter()
        .filter(|(_, by, ..)| *by == old.to_string())
        .count();

    // and then the new one alone
    rig.permit(account, LENDS, &[new.address()]);
    let mut after = Vec::new();
    for _ in 0..4 {
        after.push(rig.order(rig.wish()).await);
    }
    for order in &after {
        rig.wait_settled(*order).await;
    }
    rig.pass(300);
    for order in before.iter().chain([&during]).chain(&after) {
        rig.wait_event(*order, "reclaimed").await;
    }
    rig.quiesce().await;
    let signed = rig.signatures().await;
    assert_eq!(signed.len(), 18, "each intent once: {signed:?}");
    let (first, rest) = signed.split_at(by_old);
    assert!(first.iter().all(|(_, by, ..)| *by == old.to_string()), "{signed:?}");
    assert!(
        rest.iter().all(|(_, by, ..)| *by == new.address().to_string()),
        "{signed:?}"
    );
    let recorded =
        "SELECT count(*) AS n FROM operator_actions WHERE action = 'wallets.replace_key' AND reason = 'rotated'";
    assert_eq!(rig.count(recorded).await, 1);
    let shown = rig.shown_permissions(id).await;
    assert_eq!(shown["key_address"], new.address().to_string());
    assert_eq!(shown["reads"][0]["problem"], Value::Null, "{shown}");
    assert_eq!(shown["reads"][0]["weight"], 1, "{shown}");
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replacement_that_cannot_be_used_changes_nothing_and_says_why() {
    let rig = Rig::new().await;
    let early = rig.hand_in(by_key(&PrivateKey::generate().unwrap())).await;
    let another = by_key(&PrivateKey::generate().unwrap());
    assert_eq!(
        rig.replace_key(early, another.clone()).await.unwrap_err(),
        "wallet_not_active"
    );
    let worker = rig.start(Does::Everything);
    let supplier = rig.supplier(50_000).await;
    let unusable = json!({ "private_key": "f".repeat(64) });
    for (body, reason) in [
        (another.clone(), "the key is not that of the wallet's address"),
        (unusable, "no usable private key"),
    ] {
        rig.replace_key(supplier.id, body).await.unwrap();
        let ended = rig.replaced(supplier.id).await;
        let told = ended["rejected_reason"].as_str().unwrap();
        assert!(
            ended["state"] == "rejected" && told.contains(reason) && !told.contains("ffff"),
            "{ended}"
        );
    }
    assert_eq!(rig.wallet(supplier.id).await.key_generation, 1);
    rig.sold().await;

    // one at a time, and nothing sealed is kept
    worker.stop().await;
    let mut conn = acquire(&rig.owner).await.unwrap();
    let old = WalletKey::find(&mut conn, supplier.id.0).await.unwrap().unwrap();
    let own = by_key(&supplier.key);
    rig.replace_key(supplier.id, own.clone()).await.unwrap();
    assert_eq!(rig.replace_key(supplier.id, own).await.unwrap_err(), "conflict");
    let mut none = by_key(&PrivateKey::generate().unwrap());
    none["permission_id"] = json!(1);
    assert_eq!(rig.replace_key(early, none).await.unwrap_err(), "bad_text");
    let _worker = rig.start(Does::Everything);
    assert_eq!(rig.replaced(supplier.id).await["state"], "done");
    // a rotation of the master key that read the old key lets the new one be
    let rewrapped = old.rewrap(&mut conn, 1, &[0; 60], rig.clock.now()).await.unwrap();
    assert!(!rewrapped, "the new key would be lost");
    let sealed = "SELECT count(*) AS n FROM wallet_key_replacements WHERE sealed IS NOT NULL";
    assert_eq!(rig.count(sealed).await, 0);
    rig.sold().await;
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fresh_key_never_leaves_the_workers() {
    let (rig, _worker) = Rig::with_worker().await;
    for kind in ["wallets.key_cannot_sign", "wallets.isolated"] {
        rig.expect_finding(kind);
    }
    let supplier = rig.supplier(100_000).await;
    let (address, id) = (supplier.address.to_string(), supplier.id.to_string());
    let by = [
        "--generate",
        "--operator",
        "ann",
        "--reason",
        "no owner's key in the house",
    ];
    let words = ["wallets", "replace-key", &address, "--permission-id", "2"];
    let said = rig.said(&[&words[..], &by[..]].concat()).await;
    let key_address = rig.wallet(supplier.id).await.key_address.unwrap();
    assert!(said.contains(&key_address), "{said}");
    // nothing is sold until the owner has named it
    rig.until("it is read", async || {
        rig.wallet(supplier.id).await.isolated_at.is_some()
    })
    .await;
    rig.permit(supplier.address, LENDS, &[key_address.parse().unwrap()]);
    rig.read_all_wallets().await;
    rig.until("it is released", async || {
        rig.wallet(supplier.id).await.isolated_at.is_none()
    })
    .await;
    rig.sold().await;
    assert_eq!(rig.signatures().await[0].1, key_address);
    let words = ["wallets", "replace-key", &id, "--permission-id", "0"];
    let refused = rig.command(&[&words[..], &by[..]].concat()).await;
    assert!(!refused.status.success(), "an owner's key cannot be made");
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wallet_that_is_switched_off_drains() {
    let (rig, _worker) = Rig::with_worker().await;
    let supplier = rig.supplier(100_000).await;
    assert_eq!(rig.shown_wallet(supplier.id).await["standing"], "in_service");
    let order = rig.sold().await;
    rig.toggle(supplier.id, false).await;
    let shown = rig.shown_wallet(supplier.id).await;
    assert_eq!(
        (&shown["standing"], &shown["rentals"]),
        (&json!("draining"), &json!(1)),
        "{shown}"
    );
    assert!(shown["rentals_until"].is_string(), "{shown}");
    let listed = rig.said(&["wallets", "list"]).await;
    assert!(listed.contains("draining: 1 rentals, until 20"), "{listed}");
    rig.pass(300);
    rig.wait_event(order, "reclaimed").await;
    let shown = rig.shown_wallet(supplier.id).await;
    assert_eq!(
        (&shown["standing"], &shown["rentals_until"]),
        (&json!("disabled"), &Value::Null)
    );
    rig.toggle(supplier.id, true).await;
    assert_eq!(rig.shown_wallet(supplier.id).await["standing"], "in_service");
    rig.judge().await;
}
