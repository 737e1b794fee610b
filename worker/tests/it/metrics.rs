//! The metrics that docs/OPERATIONS.md lists are those that exist, with their types and labels; alerts ask for no others.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use db::models::OrderState;
use db::{SharedClock, acquire, run_tx};
use domain::findings::{self, FindingKind};
use domain::runtime_settings::{Follower, Live, Values};
use jobs::JobKind;
use kernel::{Clock, RandomIds, SteadyClock};
use serde_json::json;
use switchyard_worker::counters;
use switchyard_worker::cron::{Cron, Missed, Schedule};
use switchyard_worker::gauges::Gauges;

use crate::harness::{NETWORK, Receiver, Rig, environment};

const MANUAL: &str = include_str!("../../../docs/OPERATIONS.md");
const ALERTS: &str = include_str!("../../../config/alerts.yml");

/// A line of the manual's table.
struct Documented {
    kind: String,
    labels: BTreeSet<String>,
    alerts: BTreeSet<String>,
}

/// What stands between backticks.
fn quoted(cell: &str) -> BTreeSet<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn documented() -> BTreeMap<String, Documented> {
    let mut found = BTreeMap::new();
    for line in MANUAL.lines().filter(|line| line.starts_with("| `switchyard_")) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [name, kind, labels, of, meaning, alerts] = cells[..] else {
            panic!("{line} has not six cells");
        };
        assert!(
            ["api", "worker", "worker ¹", "both"].contains(&of) && !meaning.is_empty(),
            "{line}"
        );
        let row = Documented {
            kind: kind.to_owned(),
            labels: quoted(labels),
            alerts: quoted(alerts),
        };
        let twice = found.insert(name.trim_matches('`').to_owned(), row);
        assert!(twice.is_none(), "{name} is listed twice");
    }
    assert!(found.len() > 40);
    found
}

/// Every name that a macro in our sources counts, with what it is.
fn in_sources() -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut found = BTreeMap::new();
    let mut folders = vec![root.join("api/src"), root.join("worker/src"), root.join("core")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                for kind in ["counter", "gauge", "histogram"] {
                    for rest in text.split(&format!("{kind}!(")).skip(1) {
                        let name = rest
                            .trim_start()
                            .strip_prefix('"')
                            .and_then(|rest| rest.split('"').next());
                        if let Some(name) = name.filter(|name| name.starts_with("switchyard_")) {
                            found.insert(name.to_owned(), kind.to_owned());
                        }
                    }
                }
            }
        }
    }
    found
}

#[test]
fn the_manual_lists_every_metric_of_the_sources_and_no_other() {
    let manual: BTreeMap<String, String> = documented().into_iter().map(|(name, row)| (name, row.kind)).collect();
    assert_eq!(manual, in_sources());
}

#[test]
fn every_alert_asks_for_listed_metrics_and_says_what_to_do() {
    let documented = documented();
    let mut named = BTreeSet::new();
    for block in ALERTS.split("      - alert: ").skip(1) {
        let (name, rest) = block.split_once('\n').unwrap();
        named.insert(name.to_owned());
        for wanted in [
            "        expr: ",
            "\n          severity: ",
            "\n          summary: \"",
            "\n          action: \"",
        ] {
            assert!(rest.contains(wanted), "{name} has no {wanted:?}");
        }
        let severity = rest.split("severity: ").nth(1).unwrap().lines().next().unwrap();
        assert!(["critical", "warning"].contains(&severity), "{name}: {severity}");
        let told: Vec<&str> = rest
            .split("annotations:")
            .nth(1)
            .unwrap()
            .lines()
            .filter(|line| !line.is_empty())
            .collect();
        assert!(
            told.iter().take(2).all(|line| !line.is_ascii()),
            "{name} speaks one language"
        );
        let expression = rest.split("labels:").next().unwrap();
        let metrics: Vec<&str> = expression
            .split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
            .filter(|word| word.starts_with("switchyard_"))
            .map(|word| word.strip_suffix("_bucket").unwrap_or(word))
            .collect();
        assert!(!metrics.is_empty(), "{name}");
        for metric in metrics {
            let row = documented
                .get(metric)
                .unwrap_or_else(|| panic!("{name} asks for {metric}"));
            assert!(
                row.alerts.contains(name),
                "the manual does not name {name} beside {metric}"
            );
        }
    }
    let promised: BTreeSet<String> = documented.into_values().flat_map(|row| row.alerts).collect();
    assert_eq!(promised, named);
}

/// What `/metrics` says: types by name, and samples by name, labels and value.
struct Rendered {
    types: BTreeMap<String, String>,
    samples: Vec<(String, BTreeMap<String, String>, f64)>,
}

impl Rendered {
    fn now() -> Self {
        let text = settings::metrics::install().unwrap().render();
        let mut rendered = Self {
            types: BTreeMap::new(),
            samples: Vec::new(),
        };
        for line in text.lines().filter(|line| !line.is_empty()) {
            if let Some(typed) = line.strip_prefix("# TYPE ") {
                let (name, kind) = typed.split_once(' ').unwrap();
                rendered.types.insert(name.to_owned(), kind.to_owned());
            } else if !line.starts_with('#') {
                let (series, value) = line.rsplit_once(' ').unwrap();
                let (name, labels) = series.split_once('{').unwrap_or((series, ""));
                let labels = labels.trim_end_matches('}').split("\",");
                let labels = labels.filter_map(|label| label.split_once("=\""));
                let labels = labels.map(|(name, value)| (name.to_owned(), value.trim_matches('"').to_owned()));
                rendered
                    .samples
                    .push((name.to_owned(), labels.collect(), value.parse().unwrap()));
            }
        }
        rendered
    }

    /// The sample with exactly these labels.
    fn value(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let wanted: BTreeMap<String, String> = labels.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let found = self.samples.iter().find(|(n, l, _)| n == name && *l == wanted);
        found.unwrap_or_else(|| panic!("no {name} {labels:?}")).2
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_run_shows_every_metric_with_its_type_and_labels() {
    let (rig, _worker) = Rig::with_worker().await;
    counters::start_at_zero([&NETWORK.to_owned()], [&"binance".to_owned()]);
    let env = environment(&rig.world).await;
    let mut gauges = Gauges::default();
    rig.supplier(50_000).await;
    let receiver = Receiver::start().await;
    rig.hook(&receiver, &[]).await;
    let order = rig.order(rig.wish()).await;
    rig.wait_for(order, OrderState::Completed).await;
    gauges.show(&env).await.unwrap();
    let shown = Rendered::now();
    let price = rig.find(order).await.price_sun as f64;
    for (name, labels, value) in [
        ("switchyard_orders_open", [("state", "unsettled")].as_slice(), 1.0),
        ("switchyard_orders_open_sun", &[("state", "unsettled")], price),
        ("switchyard_orders_open_sun", &[("state", "pending")], 0.0),
        (
            "switchyard_ledger_balance",
            &[("account", "escrow"), ("asset", "TRX")],
            price,
        ),
        ("switchyard_delegations_live", &[("state", "active")], 1.0),
        ("switchyard_wallets", &[("state", "enabled")], 1.0),
        ("switchyard_chain_transactions_open", &[("state", "included")], 1.0),
        ("switchyard_stuck_objects", &[("kind", "order")], 0.0),
        ("switchyard_chain_halted", &[("network", NETWORK)], 0.0),
    ] {
        assert!(
            (shown.value(name, labels) - value).abs() < 0.5,
            "{name} {labels:?}: {} ≠ {value}",
            shown.value(name, labels)
        );
    }
    let read = shown.value("switchyard_figures_time_seconds", &[]);
    let age = rig.clock.now().timestamp() as f64 - read;
    assert!((0.0..60.0).contains(&age), "{age}");
    let staked = shown.value("switchyard_wallets_sun", &[("part", "staked")]);
    assert!((staked - 50_000e6).abs() < 1.0, "{staked}");

    rig.wait_settled(order).await;
    rig.pass(300);
    rig.wait_event(order, "reclaimed").await;
    rig.quiesce().await;
    rare(&rig).await;
    // the totals of the ledger were read a moment ago; a fresh worker reads them at once
    let mut gauges = Gauges::default();
    gauges.show(&env).await.unwrap();
    let shown = Rendered::now();
    let revenue = [("account", "revenue"), ("asset", "TRX")];
    assert!((shown.value("switchyard_ledger_balance", &revenue) - price).abs() < 0.5);
    assert!(
        shown
            .value("switchyard_orders_open_sun", &[("state", "unsettled")])
            .abs()
            < 0.5,
        "back to zero"
    );
    let found = [("kind", "pool.low_stock"), ("severity", "warning")];
    assert!((shown.value("switchyard_findings_open", &found) - 1.0).abs() < 0.5);
    all_documented(&shown);

    let mut conn = acquire(&rig.owner).await.unwrap();
    findings::clear_in_tx(&mut conn, FindingKind::LowStock, NETWORK, rig.clock.now())
        .await
        .unwrap();
    gauges.show(&env).await.unwrap();
    assert!(
        Rendered::now().value("switchyard_findings_open", &found).abs() < 0.5,
        "what is resolved is not shown"
    );
    rig.judge().await;
}

/// A finding, a tick of a schedule, the time, and the version of the settings.
async fn rare(rig: &Rig) {
    rig.expect_finding("pool.low_stock");
    let now = rig.clock.now();
    run_tx(&rig.owner, "find", async |conn| {
        findings::record_in_tx(conn, &RandomIds, FindingKind::LowStock, NETWORK, json!({}), now).await
    })
    .await
    .unwrap();
    let schedule = Schedule {
        name: "sync_wallets".to_owned(),
        cron: "* * * * * *".parse().unwrap(),
        missed: Missed::Skip,
        job: JobKind::WalletsSync,
        object_id: "all".to_owned(),
    };
    let mut cron = Cron::new(
        rig.owner.clone(),
        rig.clock.clone(),
        rig.wakes.clone(),
        "test".to_owned(),
        vec![schedule],
    );
    assert_eq!(cron.look().await.unwrap(), 1);
    let clock = SharedClock::new(Arc::new(SteadyClock::new()));
    clock.ask(&rig.owner).await.unwrap();
    let follower = Follower::new(Arc::new(Live::new(())), |_: &Values| Ok(()));
    follower.look(&rig.owner, now).await.unwrap();
    rig.quiesce().await;
}

/// Every line of the manual is there, of its type, and with its labels on every sample.
fn all_documented(shown: &Rendered) {
    for (name, row) in documented() {
        assert_eq!(shown.types.get(&name), Some(&row.kind), "{name}");
        let suffixes: &[&str] = if row.kind == "histogram" {
            &["_bucket", "_sum", "_count"]
        } else {
            &[""]
        };
        for suffix in suffixes {
            let series = format!("{name}{suffix}");
            let samples: Vec<_> = shown.samples.iter().filter(|(found, ..)| *found == series).collect();
            assert!(!samples.is_empty(), "{series}");
            for (_, labels, _) in samples {
                let labels: BTreeSet<String> = labels.keys().filter(|label| *label != "le").cloned().collect();
                assert_eq!(labels, row.labels, "{series}");
            }
        }
    }
}
