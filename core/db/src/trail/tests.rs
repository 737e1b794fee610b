//! What is said while somebody acts, and that nothing is kept while nobody does.

use serde_json::json;

use super::*;

fn actor() -> Actor {
    Actor {
        principal: "operator:env".to_owned(),
        name: "env".to_owned(),
        address: None,
        request_id: None,
        action: "cli.prices".to_owned(),
        target: Some("x".repeat(700)),
        at: DateTime::UNIX_EPOCH,
    }
}

#[tokio::test]
async fn what_is_said_while_somebody_acts_is_in_the_line() {
    let act = Act::new(actor());
    acting(&act, async {
        asked(|| json!({"a": 1}));
        changed(|| json!({"rolled": "back"}));
        begin();
        changed(|| json!({"order": 7}));
        by("operator:lin", "lin");
        committed();
    })
    .await;
    let line = act.line(Some("accept_order"), COMMITTED);
    assert_eq!(
        line.changes,
        json!([{"order": 7}]),
        "a transaction that is run again begins anew"
    );
    assert_eq!(line.asked, Some(json!({"a": 1})));
    assert_eq!(
        (line.principal.as_str(), line.principal_name.as_str()),
        ("operator:lin", "lin")
    );
    assert_eq!(line.target.unwrap().chars().count(), MAX_TARGET + 1);
    assert_eq!(act.lines(), 1);
    let refused = act.line(None, "insufficient_funds");
    assert_eq!(refused.changes, json!([]), "what was rolled back did not happen");
}

#[tokio::test]
async fn nobody_acts_leaves_nothing() {
    asked(|| unreachable!("not asked for"));
    changed(|| unreachable!("not asked for"));
    begin();
    committed();
    let act = Act::new(actor());
    let elsewhere = acting(&act, async { tokio::spawn(async { changed(|| json!(1)) }).await }).await;
    elsewhere.unwrap();
    assert_eq!(
        act.line(None, "ok").changes,
        json!([]),
        "a task of its own acts for nobody"
    );
}
