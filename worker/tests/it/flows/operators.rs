//! People who sign in, as the machine's own commands make and help them.

use crate::harness::Rig;

#[tokio::test(flavor = "multi_thread")]
async fn the_first_operator_is_made_by_command_and_helped_by_command() {
    let rig = Rig::new().await;
    let said = async |words: &[&str]| {
        let output = rig.command(&[&["operators"], words].concat()).await;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        (output.status.success(), text + &String::from_utf8_lossy(&output.stderr))
    };
    let create = [
        "create",
        "--email",
        "Anna@example.org",
        "--name",
        "Anna",
        "--roles",
        "super_admin",
    ];
    let (good, text) = said(&create).await;
    assert!(good && text.contains("operator anna@example.org"), "{text}");
    let password = |text: &str| {
        text.split("password ")
            .nth(1)
            .unwrap()
            .lines()
            .next()
            .unwrap()
            .to_owned()
    };
    let first = password(&text);
    assert_eq!(first.len(), 24);
    let (good, text) = said(&create).await;
    assert!(!good && text.contains("already"), "{text}");
    let (good, text) = said(&["create", "--email", "b@example.org", "--name", "B", "--roles", "pilot"]).await;
    assert!(!good && text.contains("no such role"), "{text}");

    let (good, text) = said(&["list"]).await;
    assert!(
        good && text.contains("anna@example.org  Anna  [super_admin]  not set up yet  never"),
        "{text}"
    );
    let (good, text) = said(&["roles"]).await;
    assert!(
        good && text.contains("finance_manager") && text.contains("payouts:approve"),
        "{text}"
    );
    let (good, text) = said(&["disable", "anna@example.org"]).await;
    assert!(!good && text.contains("nobody would be left"), "{text}");
    let (good, text) = said(&[
        "create",
        "--email",
        "b@example.org",
        "--name",
        "B",
        "--roles",
        "super_admin",
    ])
    .await;
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
    let told = rig
        .count("SELECT count(*) AS n FROM audit_inbox WHERE action = 'cli.operators'")
        .await;
    assert_eq!(told, 8, "each command that did something left its line");
    let shown = format!("SELECT count(*) AS n FROM audit_inbox WHERE changes::text LIKE '%{first}%'");
    assert_eq!(rig.count(&shown).await, 0);
}
