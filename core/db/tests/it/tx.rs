//! `run_tx` commits, rolls back, and runs a deadlocked transaction again.

use std::sync::atomic::{AtomicU32, Ordering};

use diesel::sql_types::{BigInt, Text};
use diesel::{QueryableByName, sql_query};
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};
use switchyard_db::{DbError, run_tx};
use testkit::{Role, TestDb};

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

#[derive(QueryableByName)]
struct Word {
    #[diesel(sql_type = Text)]
    word: String,
}

async fn users(pool: &switchyard_db::Pool) -> i64 {
    let mut conn = switchyard_db::acquire(pool).await.unwrap();
    sql_query("SELECT count(*) AS n FROM users")
        .get_result::<Count>(&mut conn)
        .await
        .unwrap()
        .n
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_rolls_everything_back() {
    let db = TestDb::new().await;
    let pool = db.pool(Role::Api);
    let id = String::from("7");
    let insert = "INSERT INTO users (id, created_at) VALUES ($1::bigint, now())";
    let failed = run_tx(&pool, "test", async |conn| {
        sql_query(insert).bind::<Text, _>(&id).execute(conn).await?;
        Err::<(), DbError>(DbError::Pool("on purpose".into()))
    })
    .await;
    assert!(failed.is_err());
    assert_eq!(users(&pool).await, 0);
    run_tx(&pool, "test", async |conn| {
        sql_query(insert).bind::<Text, _>(&id).execute(conn).await?;
        Ok::<_, DbError>(())
    })
    .await
    .unwrap();
    assert_eq!(users(&pool).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deadlock_is_run_again() {
    let db = TestDb::new().await;
    db.sql("INSERT INTO users (id, created_at) VALUES (1, now()), (2, now())")
        .await;
    let pool = db.pool(Role::Worker);
    let runs = std::sync::Arc::new(AtomicU32::new(0));
    let meet = std::sync::Arc::new(tokio::sync::Barrier::new(2));
    let tasks = [(1, 2), (2, 1)].map(|(first, second)| {
        let (pool, runs, meet) = (pool.clone(), runs.clone(), meet.clone());
        tokio::spawn(async move {
            let mine = AtomicU32::new(0);
            run_tx(&pool, "test", async |conn| {
                runs.fetch_add(1, Ordering::SeqCst);
                let lock = |id: i32| format!("UPDATE users SET blocked_reason = 'x' WHERE id = {id}");
                conn.batch_execute(&lock(first)).await.map_err(DbError::from)?;
                // both hold their first row before either wants its second; only in the first run
                if mine.fetch_add(1, Ordering::SeqCst) == 0 {
                    meet.wait().await;
                }
                conn.batch_execute(&lock(second)).await.map_err(DbError::from)
            })
            .await
        })
    });
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    // the victim ran again; it may have met the other once more before that one ended
    assert!(AtomicU32::load(&runs, Ordering::SeqCst) >= 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_is_asked_for_its_own_words_by_those_who_may() {
    let db = TestDb::new().await;
    // as good as 'C', and another word for it
    db.sql("DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET lc_messages = ''POSIX''', current_database()); END $$")
        .await;
    for (role, words) in [(Role::Owner, "C"), (Role::Api, "POSIX"), (Role::Worker, "POSIX")] {
        let mut conn = switchyard_db::acquire(&db.pool(role)).await.unwrap();
        let shown = sql_query("SELECT current_setting('lc_messages') AS word");
        assert_eq!(shown.get_result::<Word>(&mut conn).await.unwrap().word, words);
    }
}
