//! People who sign in, as the machine's own commands make and help them.

use crate::harness::Rig;

const ANNA: [&str; 7] = [
    "create",
    "--email",
    "Anna@example.org",
    "--name",
    "Anna",
    "--roles",
    "super_admin",
];

/// Gives a command; answers whether it was carried out, and what it said.
async fn operators(rig: &Rig, words: &[&str]) -> (bool, String) {
    let output = rig.command(&[&["operators"], words].concat()).await;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.success(), text + &String::from_utf8_lossy(&output.stderr))
}

fn password(text: &str) -> String {
    let line = text.split("password ").nth(1).unwrap().lines().next();
    line.unwrap().to_owned()
}

/// How many lines of the audit trail there are, sealed or not yet.
async fn lines(rig: &Rig, what: &str) -> i64 {
    let of = |table: &str| format!("(SELECT count(*) FROM {table} WHERE {what})");
    let sql = format!("SELECT {} + {} AS n", of("audit_inbox"), of("audit_trail"));
    rig.count(&sql).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_operator_is_made_by_command() {
    let (rig, _worker) = Rig::with_worker().await;
    let said = async |words: &[&str]| operators(&rig, words).await;
    let (good, text) = said(&ANNA).await;
    assert!(good && text.contains("operator anna@example.org"), "{text}");
    let first = password(&text);
    assert_eq!(first.len(), 24);
    let (good, text) = said(&ANNA).await;
    assert!(!good && text.contains("already"), "{text}");
    let (good, text) = said(&["create", "--email", "b@example.org", "--name", "B", "--roles", "pilot"]).await;
    assert!(!good && text.contains("no such role"), "{text}");
    let (good, text) = said(&["list"]).await;
    let listed = "anna@example.org  Anna  [super_admin]  not set up yet  never";
    assert!(good && text.contains(listed), "{text}");
    let (good, text) = said(&["roles"]).await;
    assert!(
        good && text.contains("finance_manager") && text.contains("payouts:approve"),
        "{text}"
    );
    let told = lines(&rig, "action = 'cli.operators' AND step IS NOT NULL").await;
    assert_eq!(told, 1, "the command that did something left its line");
    assert_eq!(lines(&rig, &format!("changes::text LIKE '%{first}%'")).await, 0);
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn operators_are_helped_by_command() {
    let (rig, _worker) = Rig::with_worker().await;
    let said = async |words: &[&str]| operators(&rig, words).await;
    let (_, text) = said(&ANNA).await;
    let first = password(&text);
    let (good, text) = said(&["disable", "anna@example.org"]).await;
    assert!(!good && text.contains("nobody would be left"), "{text}");
    let boris = [
        "create",
        "--email",
        "b@example.org",
        "--name",
        "B",
        "--roles",
        "super_admin",
    ];
    let (good, text) = said(&boris).await;
    assert!(good, "{text}");
    let (good, text) = said(&["disable", "anna@example.org"]).await;
    assert!(good && text.contains("disabled"), "{text}");
    let (good, text) = said(&["enable", "anna@example.org"]).await;
    assert!(good && !text.contains("disabled"), "{text}");
    let (good, text) = said(&["set-roles", "anna@example.org", "--roles", "observer,finance_manager"]).await;
    assert!(good && text.contains("[finance_manager,observer]"), "{text}");
    let (good, text) = said(&["reset-password", " ANNA@example.org"]).await;
    assert!(good && password(&text) != first, "{text}");
    for words in [["reset-totp", "anna@example.org"], ["unlock", "anna@example.org"]] {
        let (good, text) = said(&words).await;
        assert!(good, "{text}");
    }
    let (good, text) = said(&["unlock", "nobody@example.org"]).await;
    assert!(!good && text.contains("operators list"), "{text}");
    assert_eq!(lines(&rig, "action = 'cli.operators' AND step IS NOT NULL").await, 8);
    rig.judge().await;
}
