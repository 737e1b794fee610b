//! The audit trail as operators use it: a worker seals what requests and commands wrote, keeps the chain's end in a file, and the
//! command proves it all.

use std::path::Path;

use jobs::JobKind;
use serde_json::{Value, json};

use crate::harness::Rig;

impl Rig {
    async fn seal_audit(&self) {
        self.ask(JobKind::AuditSeal, "all").await;
        self.until("the audit trail is sealed", async || {
            self.count("SELECT count(*) AS n FROM audit_inbox").await == 0
                && self
                    .count("SELECT count(*) AS n FROM jobs WHERE kind = 'audit.seal'")
                    .await
                    == 0
        })
        .await;
    }

    /// What `audit verify` says, which ends with this code.
    async fn verify(&self, code: i32, heads: &Path) -> Value {
        let words = ["audit", "verify", "--json", "--heads", heads.to_str().unwrap()];
        let output = self.command(&words).await;
        let said = String::from_utf8_lossy(&output.stdout);
        let complained = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{said}\n{complained}");
        serde_json::from_str(&said).unwrap_or(Value::Null)
    }

    /// Actions with their principals, the oldest first.
    async fn acts(&self) -> Vec<String> {
        self.lines("SELECT action || ' ' || step || ' ' || principal_name AS line FROM audit_trail ORDER BY seq")
            .await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_written_is_sealed_kept_and_proved() {
    let (rig, _worker) = Rig::with_worker().await;
    rig.credit(kernel::UserId(1), 5).await;
    let on = ["maintenance", "on", "--reason", "a test", "--operator", "lin"];
    assert!(rig.command(&on).await.status.success());
    assert!(
        rig.command(&["maintenance", "off", "--operator", "lin"])
            .await
            .status
            .success()
    );
    rig.seal_audit().await;
    let acts = rig.acts().await;
    assert!(
        acts.contains(&"deposit_user_balance adjust_balance bot".to_owned()),
        "{acts:?}"
    );
    let thrown = acts.iter().filter(|act| *act == "cli.maintenance throw_switch lin");
    assert_eq!(thrown.count(), 2, "{acts:?}");

    // the worker kept the end of the chain, the command prints it
    let heads = rig.world.heads_file();
    let kept = std::fs::read_to_string(&heads).unwrap();
    assert_eq!(kept.lines().count(), 1, "{kept}");
    let told = rig.command(&["audit", "head"]).await;
    let head: Value = serde_json::from_slice(&told.stdout).unwrap();
    assert_eq!(head["seq"], acts.len());
    let proof = rig.verify(0, &heads).await;
    assert_eq!((&proof["lines"], &proof["heads"]), (&json!(acts.len()), &json!(1)));

    // the next one is kept after some minutes, if there is another
    rig.seal_audit().await;
    rig.pass(301);
    rig.seal_audit().await;
    assert_eq!(std::fs::read_to_string(&heads).unwrap().lines().count(), 1);
    rig.credit(kernel::UserId(1), 5).await;
    rig.seal_audit().await;
    assert_eq!(std::fs::read_to_string(&heads).unwrap().lines().count(), 2);
    rig.verify(0, &heads).await;

    // the owner of the database cuts off what was kept
    let last = acts.len() + 1;
    let cut = format!("DELETE FROM audit_trail WHERE seq = {last}");
    let unhindered = format!("BEGIN; SET LOCAL session_replication_role = replica; {cut}; COMMIT");
    rig.db.sql(&unhindered).await;
    let proof = rig.verify(1, &heads).await;
    assert_eq!(
        proof["complaints"],
        json!([{ "kind": "shortened", "seq": last - 1, "was": last }])
    );
    rig.verify(2, Path::new("/nowhere/heads")).await;
    std::fs::write(&heads, "{}").unwrap();
    rig.verify(2, &heads).await;
    rig.judge().await;
}
