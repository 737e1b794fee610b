//! PostgreSQL restarted in the middle of everything: callers repeat what got no answer, workers go on by themselves.

use std::process::Command;
use std::time::Duration;

use kernel::OrderId;
use serde_json::Value;
use testkit::TestDb;

use crate::harness::{Does, Process, Rig, Wish};
use crate::queue_support::shared_redis;

/// A server of the test's own.
struct OwnPostgres {
    name: String,
    admin_url: String,
}

impl OwnPostgres {
    fn up() -> Self {
        // an instance of this name, left behind by a test that was killed, is swept by the next run of all tests
        let name = format!("test-{}", std::process::id());
        let known: Value = serde_json::from_str(&services(&["start", "--no-sync", "--name", &name])).unwrap();
        let admin_url = known["database_admin_url"].as_str().unwrap().to_owned();
        Self { name, admin_url }
    }

    /// All connections are cut; for a while nobody answers; then it is back at the same place.
    fn restart(&self) {
        services(&["stop", "--name", &self.name]);
        std::thread::sleep(Duration::from_millis(500));
        let known: Value = serde_json::from_str(&services(&["start", "--no-sync", "--name", &self.name])).unwrap();
        assert_eq!(
            known["database_admin_url"], self.admin_url,
            "it is back under another address"
        );
    }
}

impl Drop for OwnPostgres {
    fn drop(&mut self) {
        services(&["remove", "--name", &self.name]);
    }
}

fn services(args: &[&str]) -> String {
    let xtask = std::env::var("SWITCHYARD_XTASK").expect("SWITCHYARD_XTASK: run the tests with `cargo xtask test`");
    let done = Command::new(xtask).arg("services").args(args).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_restarted_mid_run_costs_no_order_and_doubles_none() {
    let postgres = OwnPostgres::up();
    let rig = Rig::over(shared_redis(), TestDb::on(postgres.admin_url.clone()).await).await;
    let worker = rig.start(Does::Everything);
    rig.supplier(1_000_000).await;
    worker.stop().await;
    let processes = [Process::start(&rig.world), Process::start(&rig.world)];
    rig.meanwhile("the workers are up", async || {
        processes.iter().all(|process| !process.trace().is_empty())
    })
    .await;

    let mut orders = Vec::new();
    for round in 0..3 {
        for _ in 0..5 {
            orders.push(rig.insist(rig.wish()).await);
        }
        tokio::task::block_in_place(|| postgres.restart());
        if round == 1 {
            rig.mine(1);
        }
        for _ in 0..5 {
            orders.push(rig.insist(rig.wish()).await);
        }
    }
    for order in &orders {
        rig.wait_settled(*order).await;
        assert_eq!(rig.find(*order).await.attempts, 1);
    }
    rig.pass(300);
    tokio::task::block_in_place(|| postgres.restart());
    rig.until("all is taken back", async || {
        rig.count("SELECT count(*) AS n FROM delegations WHERE state <> 'reclaimed'")
            .await
            == 0
    })
    .await;
    let placed = rig.count("SELECT count(*) AS n FROM orders").await;
    assert_eq!(
        usize::try_from(placed).unwrap(),
        orders.len(),
        "a repeated request made an order of its own"
    );
    for process in processes {
        assert!(!process.end().await, "nobody kills it");
    }
    let _finisher = rig.start(Does::Everything);
    rig.judge().await;
    drop(postgres);
}

impl Rig {
    /// What a shop does: it repeats the request under the same key until it has an answer.
    async fn insist(&self, wish: Wish) -> OrderId {
        let key = format!("insist-{}", wish.receiver);
        for _ in 0..600 {
            match self.order_once(wish, &key).await {
                Ok(order) => return order,
                Err(code) => assert!(code.contains("unavailable"), "{code}"),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("no answer for half a minute");
    }
}
