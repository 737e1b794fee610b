//! Versions of settings: one after the other, by one author each, and followed by whoever looks.

use std::sync::Arc;
use std::time::Duration;

use db::{PoolConfig, build_pool};
use domain::DomainError;
use domain::operations::Mark;
use domain::runtime_settings::{
    Changed, Edit, Follower, Live, LookError, Values, Wish, change, in_force, version, versions,
};
use serde_json::{Value, json};
use switchyard_domain as domain;

use crate::world::World;

fn values(of: Value) -> Values {
    of.as_object().unwrap().clone()
}

/// Numbers up to 100 are good.
fn judge(values: &Values) -> Result<Values, Vec<(String, String)>> {
    let bad = values
        .iter()
        .filter(|(_, value)| value.as_i64().is_none_or(|n| n > 100));
    let bad: Vec<(String, String)> = bad.map(|(name, _)| (name.clone(), "too much".to_owned())).collect();
    if bad.is_empty() { Ok(values.clone()) } else { Err(bad) }
}

fn edit(base: i64) -> Edit<'static> {
    Edit {
        author: "operator:anna",
        author_name: "anna",
        reason: "test",
        base_version: Some(base),
        mark: None,
    }
}

async fn set(world: &World, base: i64, changes: Value) -> Result<Changed, DomainError> {
    let changes = values(changes);
    let wish = (&edit(base), Wish::Change(&changes));
    change(&world.api, &world.ids, &judge, wish, world.now()).await
}

async fn restore(world: &World, base: i64, to: i64) -> Result<Changed, DomainError> {
    let wish = (&edit(base), Wish::Restore(to));
    change(&world.worker, &world.ids, &judge, wish, world.now()).await
}

#[tokio::test]
async fn versions_follow_one_another_and_are_held_against_the_one_before() {
    let world = World::new().await;
    assert_eq!(in_force(&world.api).await.unwrap().version, 0);
    set(&world, 0, json!({ "a": 1, "b": 2 })).await.unwrap();
    set(&world, 1, json!({ "a": null, "b": 3, "c": 4 })).await.unwrap();
    let now = in_force(&world.api).await.unwrap();
    assert_eq!((now.version, now.values), (2, values(json!({ "b": 3, "c": 4 }))));
    let by: Vec<(&str, i64)> = now.by.iter().map(|by| (by.name.as_str(), by.version)).collect();
    assert_eq!(by, [("b", 2), ("c", 2)]);
    let (second, differences) = version(&world.api, 2).await.unwrap();
    assert_eq!((second.author.as_str(), second.restored), ("operator:anna", None));
    let told = json!([
        { "name": "a", "before": 1, "after": null },
        { "name": "b", "before": 2, "after": 3 },
        { "name": "c", "before": null, "after": 4 },
    ]);
    assert_eq!(json!(differences), told);
    let all = versions(&world.api, None, 10).await.unwrap();
    let told: Vec<(i64, usize)> = all.iter().map(|(row, changes)| (row.version, changes.len())).collect();
    assert_eq!(told, [(2, 3), (1, 2)]);
    assert_eq!(versions(&world.api, Some(2), 10).await.unwrap(), all[1..]);
    let missing = version(&world.api, 3).await;
    assert!(matches!(missing, Err(DomainError::NotFound(_))), "{missing:?}");
}

#[tokio::test]
async fn of_two_who_saw_one_version_the_second_changes_nothing() {
    let world = World::new().await;
    set(&world, 0, json!({ "a": 1 })).await.unwrap();
    let late = set(&world, 0, json!({ "a": 2 })).await;
    assert!(matches!(late, Err(DomainError::SettingsMoved(1))), "{late:?}");
    let early = set(&world, 9, json!({ "a": 2 })).await;
    assert!(matches!(early, Err(DomainError::SettingsMoved(1))), "{early:?}");
    let both = futures::future::join_all((0..8).map(|n| set(&world, 1, json!({ "a": 10 + n })))).await;
    assert_eq!(both.iter().filter(|done| done.is_ok()).count(), 1);
    let lost = both
        .iter()
        .filter(|done| matches!(done, Err(DomainError::SettingsMoved(2))));
    assert_eq!(lost.count(), 7, "{both:?}");
    assert_eq!(world.count("setting_versions").await, 2);
}

#[tokio::test]
async fn to_go_back_is_a_version_too() {
    let world = World::new().await;
    set(&world, 0, json!({ "a": 1, "b": 2 })).await.unwrap();
    set(&world, 1, json!({ "a": 5 })).await.unwrap();
    let back = restore(&world, 2, 1).await.unwrap();
    assert_eq!((back.version.version, back.version.restored), (3, Some(1)));
    let now = in_force(&world.api).await.unwrap();
    assert_eq!(now.values, values(json!({ "a": 1, "b": 2 })));
    let since: Vec<i64> = now.by.iter().map(|by| by.version).collect();
    assert_eq!(since, [3, 1], "b was never another");
    let same = restore(&world, 3, 1).await;
    assert!(matches!(same, Err(DomainError::BadText(_))), "{same:?}");
    for never in [4, -1, i64::MAX] {
        let missing = restore(&world, 3, never).await;
        assert!(matches!(missing, Err(DomainError::NotFound(_))), "{missing:?}");
    }
    restore(&world, 3, 0).await.unwrap();
    assert_eq!(in_force(&world.api).await.unwrap().values, Values::new());
}

#[tokio::test]
async fn what_does_not_hold_is_told_and_nothing_is_kept() {
    let world = World::new().await;
    set(&world, 0, json!({ "a": 1 })).await.unwrap();
    let Err(DomainError::SettingsRefused(told)) = set(&world, 1, json!({ "a": 101, "b": "x" })).await else {
        panic!("it is refused");
    };
    let told: Vec<(&str, bool)> = told
        .iter()
        .map(|refusal| (refusal.name.as_str(), refusal.asked))
        .collect();
    assert_eq!(told, [("a", true), ("b", true)]);
    let same = set(&world, 1, json!({ "a": 1 })).await;
    assert!(matches!(same, Err(DomainError::BadText(_))), "{same:?}");
    let silent = Edit { reason: " ", ..edit(1) };
    let wanted = values(json!({ "a": 2 }));
    let silent = change(
        &world.api,
        &world.ids,
        &judge,
        (&silent, Wish::Change(&wanted)),
        world.now(),
    )
    .await;
    assert!(matches!(silent, Err(DomainError::BadReason)), "{silent:?}");
    assert_eq!(world.count("setting_versions").await, 1);
}

#[tokio::test]
async fn a_request_that_is_sent_again_makes_no_version() {
    let world = World::new().await;
    let mark: Mark = world.fresh_mark();
    let wanted = values(json!({ "a": 1 }));
    let marked = Edit {
        mark: Some(&mark),
        ..edit(0)
    };
    let ask = async || {
        let wish = (&marked, Wish::Change(&wanted));
        change(&world.api, &world.ids, &judge, wish, world.now()).await.unwrap()
    };
    let first = ask().await;
    set(&world, 1, json!({ "a": 2 })).await.unwrap();
    let again = ask().await;
    assert_eq!((first.replayed, again.replayed), (false, true));
    assert_eq!((first.version, first.differences), (again.version, again.differences));
    assert_eq!(in_force(&world.api).await.unwrap().values, values(json!({ "a": 2 })));
}

#[tokio::test]
async fn versions_are_never_edited() {
    let world = World::new().await;
    set(&world, 0, json!({ "a": 1 })).await.unwrap();
    for sql in [
        "UPDATE setting_versions SET reason = 'x'",
        "DELETE FROM setting_versions",
        "TRUNCATE setting_versions",
    ] {
        assert!(world.db.try_sql(sql).await.is_err(), "{sql}");
    }
}

#[tokio::test]
async fn who_follows_goes_by_the_newest_that_holds_and_keeps_it_while_the_database_is_away() {
    let world = World::new().await;
    let live = Arc::new(Live::new(0));
    let follower = Follower::new(Arc::clone(&live), |values: &Values| {
        let n = values.get("a").and_then(Value::as_i64).unwrap_or(0);
        if n == 13 { Err("thirteen".to_owned()) } else { Ok(n) }
    });
    let look = async || follower.look(&world.worker, world.now()).await;
    assert_eq!((look().await.unwrap(), *live.get()), (0, 0));
    set(&world, 0, json!({ "a": 5 })).await.unwrap();
    assert_eq!((look().await.unwrap(), *live.get()), (1, 5));
    set(&world, 1, json!({ "a": 13 })).await.unwrap();
    for _ in 0..2 {
        let refused = look().await;
        assert!(
            matches!(refused, Err(LookError::Refused { version: 2, .. })),
            "{refused:?}"
        );
        assert_eq!(*live.get(), 5);
    }
    let away = build_pool(&PoolConfig {
        url: "postgres://nobody@127.0.0.1:1/none".to_owned(),
        max_connections: 1,
        connect_timeout: Duration::from_millis(200),
        acquire_timeout: Duration::from_millis(200),
        statement_timeout: Duration::from_secs(1),
    })
    .unwrap();
    let unseen = follower.look(&away, world.now()).await;
    assert!(matches!(unseen, Err(LookError::Db(_))), "{unseen:?}");
    assert_eq!(*live.get(), 5);
    set(&world, 2, json!({ "a": 6 })).await.unwrap();
    assert_eq!((look().await.unwrap(), *live.get()), (3, 6));
}
