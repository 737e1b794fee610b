//! PostgreSQL restarted in the middle of everything: callers repeat what got no answer, workers go on by themselves.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures::FutureExt;
use kernel::OrderId;
use serde_json::Value;
use switchyard_worker::queue::Outcome;
use testkit::TestDb;
use tokio::sync::Semaphore;

use crate::harness::{Does, Process, Rig, Wish};
use crate::queue_support::{self, does, shared_redis, until};

/// A server of the test's own.
struct OwnPostgres {
    name: String,
    admin_url: String,
}

impl OwnPostgres {
    fn up(what: &str) -> Self {
        // an instance of this name, left behind by a test that was killed, is swept by the next run of all tests
        let name = format!("test-{}-{what}", std::process::id());
        let known: Value = serde_json::from_str(&services(&["start", "--no-sync", "--name", &name])).unwrap();
        let admin_url = known["database_admin_url"].as_str().unwrap().to_owned();
        Self { name, admin_url }
    }

    /// All connections are cut; for a while nobody answers; then it is back at the same place.
    fn restart(&self) {
        self.stop();
        std::thread::sleep(Duration::from_millis(500));
        self.start();
    }

    fn stop(&self) {
        services(&["stop", "--name", &self.name]);
    }

    fn start(&self) {
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
    let postgres = OwnPostgres::up("mid-run");
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

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_a_job_that_met_a_restart_is_written_down_after_it() {
    let postgres = OwnPostgres::up("ends");
    let rig = queue_support::Rig::over(shared_redis(), TestDb::on(postgres.admin_url.clone()).await);
    let runs = Arc::new(AtomicU32::new(0));
    let go = Arc::new(Semaphore::new(0));
    let handler = {
        let (runs, go) = (runs.clone(), go.clone());
        does(move |_| {
            let (runs, go) = (runs.clone(), go.clone());
            async move {
                runs.fetch_add(1, Ordering::SeqCst);
                go.acquire().await.unwrap().forget();
                Outcome::Done
            }
            .boxed()
        })
    };
    rig.backlog(4).await;
    let (_workers, stop) = rig.start(4, handler);
    until("all have begun", || async { runs.load(Ordering::SeqCst) == 4 }).await;
    tokio::task::block_in_place(|| postgres.stop());
    go.add_permits(4);
    tokio::time::sleep(Duration::from_secs(1)).await;
    tokio::task::block_in_place(|| postgres.start());
    // a run that is not written down would be repeated when its lease is over
    go.add_permits(100);
    let fresh = rig.db.pool(testkit::Role::Worker);
    until("all are written down as done", || async {
        queue_support::count(&fresh, "SELECT count(*) AS n FROM jobs").await == 0
    })
    .await;
    assert_eq!(runs.load(Ordering::SeqCst), 4, "each ran once");
    stop.cancel();
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
