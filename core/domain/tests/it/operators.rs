//! What operators do to their own accounts.

use std::sync::Arc;
use std::time::Duration;

use db::acquire;
use diesel_async::SimpleAsyncConnection;
use domain::operators::{By, NewOperator, change_password, create};
use switchyard_domain as domain;
use uuid::Uuid;

use crate::world::World;

/// What somebody is told who changes a password, and cannot.
async fn told(world: &World, id: Uuid, current: &str, new: &str) -> &'static str {
    let changed = change_password(&world.api, (id, Uuid::nil()), (current, new), world.now()).await;
    changed.unwrap_err().code()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_right_password_is_told_from_no_wrong_one_once_he_has_to_wait() {
    let world = Arc::new(World::new().await);
    let new = NewOperator {
        email: "anna@example.org",
        name: "anna",
        roles: &[],
    };
    let by = By::command("test");
    let made = create(&world.api, &world.ids, &by, (new, None), world.now())
        .await
        .unwrap();
    let (id, right) = (made.operator.id, made.password.unwrap().to_string());
    for (new, code) in [("short", "weak_password"), (right.as_str(), "bad_text")] {
        assert_eq!(told(&world, id, &right, new).await, code);
        // wrong tries are being counted while the right one is compared
        let mut counting = acquire(&world.worker).await.unwrap();
        let until = (world.now() + chrono::Duration::hours(1)).to_rfc3339();
        let count = format!("BEGIN; UPDATE operators SET failures = 9, locked_until = '{until}' WHERE id = '{id}'");
        counting.batch_execute(&count).await.unwrap();
        let (other, current, next) = (Arc::clone(&world), right.clone(), new.to_owned());
        let guess = tokio::spawn(async move { told(&other, id, &current, &next).await });
        let waiting = "pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
        while world.count(waiting).await == 0 {
            assert!(!guess.is_finished(), "it did not wait for what is being counted");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        counting.batch_execute("COMMIT").await.unwrap();
        assert_eq!(guess.await.unwrap(), "not_proven");
        world
            .db
            .sql("UPDATE operators SET failures = 0, locked_until = NULL")
            .await;
    }
}
