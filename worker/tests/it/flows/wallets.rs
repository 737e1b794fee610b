//! Supplier wallets: handed in, emptied behind our back, and kept under another master key.

use db::models::{OrderState, WalletState};
use kernel::WalletId;
use serde_json::{Value, json};
use tron::{Mnemonic, WordCount};

use crate::harness::{Does, Rig, TRX, Worker, by_key, random_hex};

impl Rig {
    async fn handed_in(&self, secret: Value) -> WalletId {
        let id = self.hand_in(secret).await;
        self.until("it is opened", async || {
            self.wallet(id).await.state != WalletState::Importing
        })
        .await;
        assert_eq!(
            self.count(&format!(
                "SELECT count(*) AS n FROM wallet_imports WHERE wallet_id = '{id}'"
            ))
            .await,
            0,
            "what was handed in is gone"
        );
        id
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wallets_are_taken_in_or_rejected_with_the_reason() {
    let (rig, _worker) = Rig::with_worker().await;
    let words = Mnemonic::generate(WordCount::Twelve).unwrap();
    let key = words.private_key("", 3).unwrap();
    rig.devnet.faucet(key.address(), 100 * TRX).unwrap();
    rig.devnet.stake_energy(key.address(), 50_000 * TRX).unwrap();
    let id = rig
        .handed_in(json!({ "mnemonic": words.expose_phrase(), "index": 3 }))
        .await;
    let wallet = rig.wallet(id).await;
    assert_eq!(
        wallet.address,
        Some(key.address().to_string()),
        "the account of that index"
    );

    // the same account again, by its key
    let again = by_key(&key);
    // words whose checksum is wrong, and a number that is no key
    let bad_words = json!({ "mnemonic": (["abandon"; 12].join(" ")) });
    let bad_key = json!({ "private_key": "f".repeat(64) });
    let cases = [
        (again, "this address is a supplier wallet already"),
        (bad_words, "not an English BIP39 phrase"),
        (bad_key, "not a private key"),
    ];
    for (secret, reason) in cases {
        let rejected = rig.handed_in(secret).await;
        let rejected = rig.wallet(rejected).await;
        assert_eq!((rejected.state, rejected.address), (WalletState::Rejected, None));
        let told = rejected.rejected_reason.unwrap();
        assert!(told.contains(reason), "{told}");
        assert!(
            !told.contains("ffff") && !told.contains("abandon"),
            "nothing of the key: {told}"
        );
    }
    assert_eq!(rig.count("SELECT count(*) AS n FROM wallet_keys").await, 1);

    let order = rig.order(rig.wish()).await;
    rig.wait_settled(order).await;
    assert_eq!(rig.detail(order).await.delegations[0].1, wallet.address);
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wallet_is_read_again_once_the_chain_is() {
    let rig = Rig::new().await;
    let _jobs = rig.start(Does::OnlyJobs);
    let key = rig.staked_key(50_000);
    let id = rig.hand_in(by_key(&key)).await;
    let sync = format!("SELECT count(*) AS n FROM jobs WHERE kind = 'wallets.sync' AND object_id = '{id}'");
    rig.meanwhile("it is read before any block is, or waits for the first", async || {
        let looked = rig.count(&format!("{sync} AND last_error_code IS NOT NULL")).await == 1;
        looked || (rig.wallet(id).await.synced_at.is_some() && rig.count(&sync).await == 0)
    })
    .await;

    let _watching = rig.start(Does::OnlyWatching);
    let order = rig.order(rig.wish()).await;
    rig.wait_settled(order).await;
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_with_the_wrong_import_key_throws_nothing_away() {
    let mut rig = Rig::new().await;
    let right = std::mem::replace(&mut rig.world.import, random_hex());
    let wrong = rig.start(Does::Everything);
    let key = rig.staked_key(50_000);
    let id = rig.hand_in(by_key(&key)).await;
    rig.meanwhile("it failed and is tried again", async || {
        rig.count("SELECT count(*) AS n FROM jobs WHERE kind = 'wallets.import' AND last_error_code = 'key_unusable'")
            .await
            == 1
            || rig.wallet(id).await.state != WalletState::Importing
    })
    .await;
    assert_eq!(rig.wallet(id).await.state, WalletState::Importing);
    wrong.stop().await;

    rig.world.import = right;
    let _worker = rig.start(Does::Everything);
    rig.until("it is taken in", async || {
        rig.wallet(id).await.state == WalletState::Active
    })
    .await;
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wallet_emptied_behind_our_back_hands_the_order_to_another() {
    let (rig, _worker) = Rig::with_worker().await;
    for kind in ["wallets.stake_fell", "wallets.isolated"] {
        rig.expect_finding(kind);
    }
    // the smaller one fits best and is tried first
    let small = rig.supplier(10_000).await;
    let large = rig.supplier(50_000).await;
    rig.quiesce().await;
    rig.unstake_outside(&small, 9_999 * TRX).await;
    assert!(
        rig.wallet(small.id).await.delegatable_sun > 9_000 * TRX,
        "we do not know yet"
    );

    let order = rig.order(rig.wish()).await;
    rig.wait_settled(order).await;
    let detail = rig.detail(order).await;
    let wallets: Vec<_> = detail.delegations.iter().map(|(_, address)| address.clone()).collect();
    assert_eq!(
        wallets,
        [Some(small.address.to_string()), Some(large.address.to_string())],
        "the emptied one is not tried again"
    );
    assert_eq!(
        detail.transactions[0].death_cause,
        Some(db::models::DeathCause::RefusedOnFirstSend)
    );
    assert!(rig.wallet(small.id).await.delegatable_sun < 100 * TRX, "now we know");
    rig.until("its loss is confirmed", async || {
        rig.wallet(small.id).await.isolated_at.is_some()
    })
    .await;
    assert_eq!(rig.wallet(large.id).await.isolated_at, None);
    rig.judge().await;
}

impl Rig {
    async fn rotate_master_key(&self) {
        let command = self.command(&["rotate-master-key"]).await;
        let said = String::from_utf8_lossy(&command.stdout).into_owned() + &String::from_utf8_lossy(&command.stderr);
        assert!(command.status.success(), "{said}");
        assert!(said.contains("3 keys wrapped anew under master key 2"), "{said}");
        for (_, key) in &self.world.masters {
            assert!(!said.contains(key.as_str()), "no key is shown");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_master_key_is_rotated_while_orders_run() {
    let (mut rig, first) = Rig::with_worker().await;
    for _ in 0..3 {
        rig.supplier(50_000).await;
    }
    let before = rig.order(rig.wish()).await;
    rig.wait_for(before, OrderState::Processing).await;

    // workers that know both keys take over, one by one
    let old = rig.world.masters[0].clone();
    rig.world.masters = vec![(2, random_hex()), old];
    let both: Worker = rig.start(Does::Everything);
    first.stop().await;
    let during = rig.order(rig.wish()).await;
    rig.rotate_master_key().await;
    rig.wait_settled(before).await;
    rig.wait_settled(during).await;
    assert_eq!(
        rig.count("SELECT count(*) AS n FROM wallet_keys WHERE master_key_id <> 2")
            .await,
        0
    );
    assert_eq!(
        rig.count("SELECT count(*) AS n FROM master_keys WHERE retired_at IS NOT NULL")
            .await,
        1
    );

    // and workers that know only the new one, after them
    rig.world.masters.truncate(1);
    let _new = rig.start(Does::Everything);
    both.stop().await;
    let after = rig.order(rig.wish()).await;
    rig.wait_settled(after).await;
    rig.pass(300);
    rig.wait_event(before, "reclaimed").await;
    rig.wait_event(after, "reclaimed").await;
    rig.judge().await;
}
