//! What is said while somebody acts is in the line of the transaction that commits, and nothing is kept while nobody acts.

use std::sync::atomic::{AtomicBool, Ordering};

use chrono::DateTime;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::{Value, json};
use switchyard_db::schema::audit_inbox as i;
use switchyard_db::trail::{Act, Actor, acting, asked, by, changed};
use switchyard_db::{DbError, Pool, acquire, run_tx};
use testkit::{Role, TestDb};

fn act() -> Act {
    Act::new(Actor {
        principal: "operator:env".to_owned(),
        name: "env".to_owned(),
        address: None,
        request_id: None,
        action: "cli.prices".to_owned(),
        target: Some("x".repeat(700)),
        at: DateTime::UNIX_EPOCH,
    })
}

/// Step, result and changes of every line, the first first.
async fn lines(db: &TestDb) -> Vec<(Option<String>, String, Value)> {
    let mut conn = acquire(&db.pool(Role::Owner)).await.unwrap();
    let columns = (i::step, i::result, i::changes);
    i::table.select(columns).order(i::id).load(&mut conn).await.unwrap()
}

async fn commit(pool: &Pool, step: &'static str) {
    run_tx(pool, step, async |_| Ok::<_, DbError>(())).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_while_somebody_acts_is_in_the_line() {
    let db = TestDb::new().await;
    let pool = db.pool(Role::Api);
    let act = act();
    acting(&act, async {
        asked(|| json!({"a": 1}));
        let rolled_back = run_tx(&pool, "accept_order", async |_| {
            changed(|| json!({"rolled": "back"}));
            Err::<(), DbError>(DbError::Pool("on purpose".into()))
        });
        assert!(rolled_back.await.is_err());
        act.tell(&pool, "insufficient_funds").await.unwrap();
        let accept = run_tx(&pool, "accept_order", async |_| {
            changed(|| json!({"order": 7}));
            by("operator:lin", "lin");
            Ok::<_, DbError>(())
        });
        accept.await.unwrap();
    })
    .await;
    assert_eq!(act.lines(), 1, "one transaction committed");
    let refused = (None, "insufficient_funds".to_owned(), json!([]));
    let accepted = (
        Some("accept_order".to_owned()),
        "committed".to_owned(),
        json!([{"order": 7}]),
    );
    assert_eq!(lines(&db).await, [refused, accepted]);
    let mut conn = acquire(&db.pool(Role::Owner)).await.unwrap();
    let who: (String, String, Option<Value>, Option<String>) = i::table
        .select((i::principal, i::principal_name, i::asked, i::target))
        .filter(i::step.is_not_null())
        .first(&mut conn)
        .await
        .unwrap();
    assert_eq!((who.0.as_str(), who.1.as_str()), ("operator:lin", "lin"));
    assert_eq!(who.2, Some(json!({"a": 1})));
    assert_eq!(who.3.unwrap().chars().count(), 501, "cut, and so marked");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_acts_leaves_nothing() {
    let db = TestDb::new().await;
    let pool = db.pool(Role::Api);
    let called = AtomicBool::new(false);
    let value = || {
        called.store(true, Ordering::SeqCst);
        json!(1)
    };
    asked(value);
    changed(value);
    commit(&pool, "nobody").await;
    assert!(!called.into_inner(), "not asked for");
    assert_eq!(lines(&db).await, []);

    let act = act();
    let somebody = run_tx(&pool, "somebody", async |_| {
        tokio::spawn(async { changed(|| json!(1)) }).await.unwrap();
        Ok::<_, DbError>(())
    });
    acting(&act, somebody).await.unwrap();
    let line = (Some("somebody".to_owned()), "committed".to_owned(), json!([]));
    assert_eq!(lines(&db).await, [line], "a task of its own acts for nobody");
}
