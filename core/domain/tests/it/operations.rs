//! What operators do: each command changes what fits, once per mark, and leaves a line that nobody can change.

use chrono::Duration;
use db::models::{Action, ActionFilter, FindingFilter, OperatorAction, Severity};
use db::run_tx;
use domain::DomainError;
use domain::findings::{FindingKind, record_in_tx};
use domain::operations::{
    AT_ONCE, Done, FindingPlace, Instruction, Mark, Stuck, StuckFilter, StuckKind, actions_page, count_stuck,
    drop_jobs, findings_page, redrive_jobs, redrive_stuck, resolve_finding, stuck_page,
};
use jobs::JobKind;
use jobs::operate::{JobFilter, Standing};
use kernel::{FindingId, OrderId};
use serde_json::json;
use switchyard_domain as domain;

use crate::harness::landed;
use crate::world::{NETWORK, STAKE, World};

fn by_hand(reason: Option<&str>) -> Instruction {
    Instruction {
        actor: "operator:anna".to_owned(),
        name: "anna".to_owned(),
        reason: reason.map(str::to_owned),
        mark: None,
        dry_run: false,
    }
}

fn marked(world: &World, key: &str, request: u8) -> Instruction {
    Instruction {
        mark: Some(Mark {
            api_key: world.key,
            key: key.to_owned(),
            request_sha256: [request; 32],
        }),
        ..by_hand(Some("why not"))
    }
}

/// `n` dead jobs of the kind, the first the oldest.
async fn dead(world: &World, kind: &str, n: i64) {
    let now = world.now().to_rfc3339();
    world
        .db
        .sql(&format!(
            "INSERT INTO jobs (kind, object_id, queue, runs, state, next_run_at, last_error_code, last_error, dead_at, created_at)
             SELECT '{kind}', 'o' || lpad(n::text, 4, '0'), 'orders', 25, 'dead', '{now}', 'bad', 'in words',
                 '{now}'::timestamptz + n * interval '1 second', '{now}' FROM generate_series(1, {n}) n"
        ))
        .await;
}

fn one(id: &str) -> JobFilter {
    JobFilter {
        object_id: Some(id.to_owned()),
        ..JobFilter::default()
    }
}

async fn actions(world: &World) -> Vec<OperatorAction> {
    actions_page(&world.api, ActionFilter::default(), None, 100)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_redrive_takes_what_fits_in_batches_and_writes_down_each() {
    let world = World::new().await;
    dead(&world, "wallets.sync", AT_ONCE + 1).await;
    let redrive = async || {
        redrive_jobs(
            &world.api,
            &world.ids,
            &by_hand(None),
            &JobFilter::default(),
            world.now(),
        )
        .await
        .unwrap()
    };
    let first = redrive().await;
    assert_eq!((first.matched, first.affected), (AT_ONCE + 1, AT_ONCE));
    assert_eq!(world.count("jobs WHERE state = 'dead'").await, 1);
    let second = redrive().await;
    assert_eq!((second.matched, second.affected), (1, 1));
    let none = redrive().await;
    assert_eq!((none.matched, none.affected), (0, 0));
    let actions = actions(&world).await;
    assert_eq!(actions.iter().map(|a| a.affected).collect::<Vec<_>>(), [0, 1, AT_ONCE]);
    assert_eq!(
        actions[1].objects,
        json!([{ "kind": "wallets.sync", "object_id": "o0501", "state": "dead", "runs": 25, "code": "bad",
            "error": "in words", "since": world.now() + Duration::seconds(501) }])
    );
    assert_eq!(
        (
            actions[1].actor.as_str(),
            actions[1].actor_name.as_str(),
            actions[1].action,
            actions[1].at
        ),
        ("operator:anna", "anna", Action::JobsRedrive, world.now())
    );
}

#[tokio::test]
async fn a_marked_command_is_carried_out_once() {
    let world = World::new().await;
    dead(&world, "wallets.sync", 3).await;
    let drop = async |instruction: &Instruction, id: &str| {
        drop_jobs(&world.api, &world.ids, instruction, &one(id), world.now()).await
    };
    let first = drop(&marked(&world, "m1", 1), "o0001").await.unwrap();
    assert_eq!((first.affected, first.replayed), (1, false));
    // even though another job would fit by now
    let again = drop(&marked(&world, "m1", 1), "o0002").await.unwrap();
    assert_eq!(
        again,
        Done {
            replayed: true,
            ..first
        }
    );
    assert_eq!(world.count("jobs").await, 2);
    let reused = drop(&marked(&world, "m1", 2), "o0002").await;
    assert!(matches!(reused, Err(DomainError::IdempotencyMismatch)), "{reused:?}");
    assert_eq!((world.count("jobs").await, actions(&world).await.len()), (2, 1));

    // an order's mark is not a command's
    let request = world.request("mine", 1);
    world.accept(&request).await.unwrap();
    let taken = drop(&marked(&world, "mine", 1), "o0002").await;
    assert!(matches!(taken, Err(DomainError::IdempotencyMismatch)), "{taken:?}");
}

#[tokio::test]
async fn counting_changes_nothing_and_leaves_nothing() {
    let world = World::new().await;
    dead(&world, "wallets.sync", 3).await;
    let dry = Instruction {
        dry_run: true,
        ..marked(&world, "m1", 1)
    };
    let filter = JobFilter::default();
    let counted = redrive_jobs(&world.api, &world.ids, &dry, &filter, world.now())
        .await
        .unwrap();
    assert_eq!((counted.id, counted.matched, counted.affected), (None, 3, 0));
    let counted = drop_jobs(&world.api, &world.ids, &dry, &filter, world.now())
        .await
        .unwrap();
    assert_eq!((counted.id, counted.matched, counted.affected), (None, 3, 0));
    let stuck = redrive_stuck(&world.api, &world.ids, &dry, &StuckFilter::default(), world.now()).await;
    assert_eq!(stuck.unwrap().matched, 0);
    assert_eq!(world.count("jobs WHERE state = 'dead'").await, 3);
    assert_eq!(
        world.count("operator_actions").await + world.count("idempotency_keys").await,
        0
    );
}

#[tokio::test]
async fn what_is_given_up_is_given_up_for_a_reason() {
    let world = World::new().await;
    dead(&world, "wallets.sync", 1).await;
    let long = "x".repeat(501);
    for reason in [None, Some(""), Some("  "), Some("a\u{7}"), Some(long.as_str())] {
        let refused = drop_jobs(&world.api, &world.ids, &by_hand(reason), &one("o0001"), world.now()).await;
        assert!(
            matches!(refused, Err(DomainError::BadReason)),
            "{reason:?}: {refused:?}"
        );
    }
    for standing in [Standing::Due, Standing::Later, Standing::Running] {
        let filter = JobFilter {
            standing: Some(standing),
            ..JobFilter::default()
        };
        let refused = drop_jobs(&world.api, &world.ids, &by_hand(Some("x")), &filter, world.now()).await;
        assert!(
            matches!(refused, Err(DomainError::BadStanding)),
            "{standing}: {refused:?}"
        );
    }
    assert_eq!(world.count("jobs").await, 1);
    // the database holds to it as well
    let row = "INSERT INTO operator_actions (id, at, actor, actor_name, action, filter, reason, matched, affected, objects) \
        VALUES (gen_random_uuid(), now(), 'a', 'a', 'jobs.drop', '{}', NULL, 0, 0, '[]')";
    assert!(world.db.try_sql(row).await.is_err());
}

#[tokio::test]
async fn a_dropped_job_that_an_order_needs_is_made_again() {
    let world = World::new().await;
    let order = world.order(1).await;
    world
        .db
        .sql("UPDATE jobs SET state = 'dead', dead_at = now() WHERE kind = 'orders.delegate'")
        .await;
    let reason = by_hand(Some("by mistake"));
    let done = drop_jobs(
        &world.worker,
        &world.ids,
        &reason,
        &one(&order.to_string()),
        world.now(),
    )
    .await;
    assert_eq!(done.unwrap().affected, 1);
    assert!(!world.has_job("orders.delegate", order).await);
    world.reconcile().await;
    assert!(world.has_job("orders.delegate", order).await);
}

#[tokio::test]
async fn the_record_cannot_be_changed() {
    let world = World::new().await;
    dead(&world, "wallets.sync", 1).await;
    let filter = JobFilter::default();
    redrive_jobs(&world.worker, &world.ids, &by_hand(None), &filter, world.now())
        .await
        .unwrap();
    for sql in [
        "UPDATE operator_actions SET reason = 'x'",
        "DELETE FROM operator_actions",
        "TRUNCATE operator_actions",
    ] {
        let refused = world.db.try_sql(sql).await.unwrap_err().to_string();
        assert!(refused.contains("append-only"), "{sql}: {refused}");
    }
}

fn listed(stuck: &[Stuck]) -> Vec<String> {
    let line = |s: &Stuck| {
        let job = s.job_kind.map_or("-", JobKind::word);
        let state = s.job_state.map_or("none", Standing::word);
        format!("{} {} {job} {state}", s.kind, s.state)
    };
    stuck.iter().map(line).collect()
}

/// Everything that can be stuck, once; answers the order that is pending.
async fn everything_stuck(world: &World) -> OrderId {
    world.wallet(1, STAKE * 10).await;
    let (_, ended) = world.deliver(1).await;
    let (_, included) = world.deliver(2).await;
    world.claim(world.order(3).await).await;
    let pending = world.order(4).await;
    world.drain_jobs().await;
    let ends_at = world.delegation(ended.delegation).await.ends_at.unwrap();
    world.mine_at(ends_at + Duration::minutes(6)).await;
    let until = ends_at + Duration::minutes(20);
    world.clock.advance_seconds((until - world.now()).num_seconds());
    let now = world.now();
    // the transactions of the delivered orders are old, but for one they are final
    world
        .db
        .sql(&format!(
            "UPDATE chain_transactions SET state = 'final' WHERE id = '{}';
             UPDATE supplier_wallets SET isolated_at = '{now}', isolated_reason = 'test';
             INSERT INTO supplier_wallets (id, address, state, rejected_reason, synced_at, created_at, updated_at) VALUES
                (gen_random_uuid(), NULL, 'importing', NULL, NULL, '{long_ago}', '{long_ago}'),
                (gen_random_uuid(), NULL, 'rejected', 'no key', NULL, '{long_ago}', '{now}'),
                (gen_random_uuid(), 'TJRabPrwbZy45sbavfcjinPJC18kjpRTv8', 'active', NULL, '{long_ago}', '{long_ago}', '{now}');
             UPDATE chain_cursors SET halted_at = '{now}', halted_reason = 'test';
             DELETE FROM jobs",
            ended.id,
            now = now.to_rfc3339(),
            long_ago = (now - Duration::minutes(31)).to_rfc3339(),
        ))
        .await;
    assert_eq!(
        world
            .word(&format!(
                "SELECT state AS word FROM chain_transactions WHERE id = '{}'",
                included.id
            ))
            .await,
        "included"
    );
    pending
}

const EVERYTHING: [&str; 11] = [
    "delegation active delegations.reclaim none",
    "delegation active delegations.reclaim none",
    "network halted - none",
    "order pending orders.delegate none",
    "order processing chain.resend_transactions none",
    "transaction included chain.settle_final none",
    "transaction signed chain.resend_transactions none",
    "wallet importing wallets.import none",
    "wallet isolated wallets.sync none",
    "wallet rejected - none",
    "wallet unread wallets.sync none",
];

#[tokio::test]
async fn everything_that_waits_too_long_is_listed_with_its_job() {
    let world = World::new().await;
    world.wallet(1, STAKE * 10).await;
    world.deliver(1).await;
    world.order(2).await;
    let none = stuck_page(&world.api, &StuckFilter::default(), None, 100, world.now())
        .await
        .unwrap();
    assert_eq!(listed(&none), [""; 0], "what goes its way is not stuck");

    let world = World::new().await;
    everything_stuck(&world).await;
    let (mut stuck, mut after) = (Vec::new(), None);
    loop {
        let page = stuck_page(&world.api, &StuckFilter::default(), after.as_ref(), 3, world.now())
            .await
            .unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.place());
        stuck.extend(page);
    }
    assert!(stuck.is_sorted_by_key(|s| s.since));
    let mut lines = listed(&stuck);
    lines.sort();
    assert_eq!(lines, EVERYTHING);
    for s in &stuck {
        let (action, action_zh) = s.action();
        assert!(action.is_ascii() && !action_zh.is_ascii(), "{s:?}");
    }
}

#[tokio::test]
async fn what_is_stuck_is_counted_and_lists_are_narrowed() {
    let world = World::new().await;
    everything_stuck(&world).await;
    let mut conn = db::acquire(&world.worker).await.unwrap();
    let counted = count_stuck(&mut conn, world.now()).await.unwrap();
    let counted: Vec<_> = counted.into_iter().map(|(kind, n)| (kind.word(), n)).collect();
    assert_eq!(
        counted,
        [
            ("order", 2),
            ("transaction", 2),
            ("delegation", 2),
            ("payout", 0),
            ("sweep", 0),
            ("rental", 0),
            ("staking", 0),
            ("wallet", 4),
            ("network", 1)
        ]
    );
    for (filter, n) in [
        (
            StuckFilter {
                kind: Some(StuckKind::Wallet),
                ..StuckFilter::default()
            },
            4,
        ),
        (
            StuckFilter {
                state: Some("active".into()),
                ..StuckFilter::default()
            },
            2,
        ),
        (
            StuckFilter {
                network: Some(NETWORK.into()),
                ..StuckFilter::default()
            },
            7,
        ),
        (
            StuckFilter {
                object_id: Some(NETWORK.into()),
                ..StuckFilter::default()
            },
            1,
        ),
    ] {
        let page = stuck_page(&world.api, &filter, None, 100, world.now()).await.unwrap();
        assert_eq!(page.len(), n, "{filter:?}");
    }
}

#[tokio::test]
async fn a_redrive_asks_for_each_job_once_and_not_for_one_that_is_on_its_way() {
    let world = World::new().await;
    let pending = everything_stuck(&world).await;
    let redrive = async |filter: &StuckFilter| {
        redrive_stuck(&world.api, &world.ids, &by_hand(None), filter, world.now())
            .await
            .unwrap()
    };
    let one = StuckFilter {
        object_id: Some(pending.to_string()),
        ..StuckFilter::default()
    };
    let done = redrive(&one).await;
    assert_eq!((done.matched, done.affected, done.wakes.len()), (1, 1, 1));
    assert!(world.has_job("orders.delegate", pending).await);
    assert_eq!(redrive(&one).await.matched, 0, "it is due already");

    let all = redrive(&StuckFilter::default()).await;
    assert_eq!(
        (all.matched, all.affected),
        (8, 8),
        "all but the pending order, the rejected wallet and the network"
    );
    let jobs = "SELECT kind || ' ' || count(*) AS word FROM jobs WHERE state = 'due' GROUP BY kind ORDER BY kind";
    assert_eq!(
        world.words(jobs).await,
        [
            "chain.resend_transactions 1",
            "chain.settle_final 1",
            "delegations.reclaim 2",
            "orders.delegate 1",
            "wallets.import 1",
            "wallets.sync 2"
        ]
    );
    assert_eq!(redrive(&StuckFilter::default()).await.matched, 0);
    let filter = ActionFilter {
        object_id: Some(&pending.to_string()),
        ..ActionFilter::default()
    };
    let about = actions_page(&world.api, filter, None, 10).await.unwrap();
    assert_eq!(about.len(), 1, "only the command that changed it");
    assert_eq!(about[0].objects[0]["job"], "orders.delegate");
}

#[tokio::test]
async fn a_redriven_reclaim_takes_the_energy_back() {
    let world = World::new().await;
    world.wallet(1, STAKE * 10).await;
    let (_, tx) = world.ended(1).await;
    world
        .db
        .sql("UPDATE jobs SET state = 'dead', dead_at = now() WHERE kind = 'delegations.reclaim'")
        .await;
    let ends_at = world.delegation(tx.delegation).await.ends_at.unwrap();
    world.mine_at(ends_at + Duration::minutes(6)).await;
    let filter = StuckFilter {
        kind: Some(StuckKind::Delegation),
        ..StuckFilter::default()
    };
    let stuck = stuck_page(&world.api, &filter, None, 10, world.now()).await.unwrap();
    assert_eq!(listed(&stuck), ["delegation active delegations.reclaim dead"]);
    let done = redrive_stuck(&world.api, &world.ids, &by_hand(None), &filter, world.now())
        .await
        .unwrap();
    assert_eq!(done.affected, 1);
    assert_eq!(
        world
            .count("jobs WHERE kind = 'delegations.reclaim' AND state = 'due'")
            .await,
        1
    );
    let back = world.reclaim(tx.delegation).await.unwrap();
    world.mine(&[landed(&back)]).await;
    let none = stuck_page(&world.api, &filter, None, 10, world.now()).await.unwrap();
    assert_eq!(listed(&none), [""; 0]);
}

/// Open findings of each severity, the critical one neither first nor last.
async fn found(world: &World) {
    for (kind, subject) in [
        (FindingKind::LowStock, "a"),
        (FindingKind::BalanceDiffers, "b"),
        (FindingKind::OrderStuck, "c"),
        (FindingKind::EscrowDiffers, "d"),
    ] {
        let now = world.now();
        run_tx(&world.worker, "find", async |conn| {
            record_in_tx(conn, &world.ids, kind, subject, json!({}), now).await
        })
        .await
        .unwrap();
    }
    world
        .db
        .sql("UPDATE findings SET severity = 'info' WHERE subject = 'c'")
        .await;
}

#[tokio::test]
async fn findings_are_listed_the_worst_first() {
    let world = World::new().await;
    found(&world).await;
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = findings_page(&world.api, FindingFilter::default(), after, 1)
            .await
            .unwrap();
        let Some(last) = page.last() else { break };
        let place = FindingPlace {
            severity: last.severity,
            id: FindingId(last.id),
        };
        after = Some(place.to_string().parse().unwrap());
        seen.extend(
            page.into_iter()
                .map(|finding| format!("{} {}", finding.severity, finding.subject)),
        );
    }
    assert_eq!(seen, ["critical d", "critical b", "warning a", "info c"]);
    let stored = world
        .words("SELECT metric AS word FROM findings ORDER BY subject")
        .await;
    assert_eq!(
        stored,
        [
            "switchyard_pool_sellable_energy",
            "switchyard_findings_open{kind=\"ledger.balance_differs\"}",
            "switchyard_findings_open{kind=\"orders.stuck\"}",
            "switchyard_findings_open{kind=\"ledger.escrow_differs\"}"
        ]
    );
    for bad in [
        "",
        "critical",
        "worst,00000000-0000-7000-8000-000000000001",
        "critical,x",
    ] {
        assert!(bad.parse::<FindingPlace>().is_err(), "{bad}");
    }
}

#[tokio::test]
async fn a_finding_is_resolved_once_for_a_reason() {
    let world = World::new().await;
    found(&world).await;
    let open = FindingFilter {
        open: Some(true),
        severity: Some(Severity::Warning),
        ..FindingFilter::default()
    };
    let id = FindingId(findings_page(&world.api, open, None, 10).await.unwrap()[0].id);
    let resolve =
        async |instruction: &Instruction| resolve_finding(&world.api, &world.ids, instruction, id, world.now()).await;
    assert!(matches!(resolve(&by_hand(None)).await, Err(DomainError::BadReason)));
    let first = marked(&world, "m1", 1);
    let (finding, done) = resolve(&first).await.unwrap();
    assert_eq!(
        (
            finding.resolved_by.as_deref(),
            finding.resolved_reason.as_deref(),
            finding.resolved_at
        ),
        (Some("operator:anna"), Some("why not"), Some(world.now()))
    );
    assert_eq!((done.affected, done.replayed), (1, false));
    let (same, again) = resolve(&first).await.unwrap();
    assert!(again.replayed && same.resolved_at.is_some());
    let other = resolve(&marked(&world, "m2", 1)).await;
    assert!(matches!(other, Err(DomainError::AlreadyResolved)), "{other:?}");
    let missing = resolve_finding(&world.api, &world.ids, &first, FindingId(world.key.0), world.now()).await;
    assert!(matches!(missing, Err(DomainError::NotFound(_))), "{missing:?}");
    let actions = actions(&world).await;
    assert_eq!(actions.len(), 1);
    assert_eq!(actions[0].objects[0]["subject"], "a");
    assert!(findings_page(&world.api, open, None, 10).await.unwrap().is_empty());
}
