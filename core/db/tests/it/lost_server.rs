//! A PostgreSQL that is gone and closed no connection: whoever needs it finds out, and goes on once there is one again.

use std::time::Duration;

use diesel::sql_query;
use diesel_async::RunQueryDsl;
use futures::future::join_all;
use switchyard_db::{Pool, PoolConfig, acquire, build_pool};
use testkit::{Proxy, Role, TestDb};

const CONNECTIONS: usize = 4;

/// A database's URL in parts: the way to the server (host and port), and what stands before and behind it.
fn parts(url: &str) -> (&str, &str, &str) {
    let (user, rest) = url.split_once('@').unwrap();
    let (server, database) = rest.split_once('/').unwrap();
    (server, user, database)
}

async fn works(pool: &Pool) -> bool {
    let Ok(mut conn) = acquire(pool).await else {
        return false;
    };
    sql_query("SELECT 1").execute(&mut conn).await.is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_connections_that_lead_nowhere_are_given_up() {
    let db = TestDb::new().await;
    let url = db.url(Role::Api);
    let (server, user, database) = parts(&url);
    let proxy = Proxy::to(server).await;
    let pool = build_pool(&PoolConfig {
        url: format!("{user}@127.0.0.1:{}/{database}", proxy.port()),
        max_connections: CONNECTIONS,
        connect_timeout: Duration::from_secs(20),
        acquire_timeout: Duration::from_secs(20),
        statement_timeout: Duration::from_secs(20),
    })
    .unwrap();
    let all = join_all((0..CONNECTIONS).map(|_| acquire(&pool))).await;
    assert!(all.iter().all(Result::is_ok));
    drop(all);
    // until they are idle for so long that they are asked before they are used
    tokio::time::sleep(Duration::from_secs(11)).await;
    assert!(works(&pool).await, "who answers is kept");
    proxy.silence();
    // three are idle for long, and the one that has just been used is doubted as soon as another is silent
    let asked = tokio::time::timeout(Duration::from_secs(60), works(&pool));
    assert!(asked.await.expect("it ends"), "a new connection takes their place");
    assert_eq!(pool.status().size, 1, "all that led nowhere are given up");
}
