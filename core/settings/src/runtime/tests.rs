//! Each setting of the list, against the shipped configuration.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::json;

use super::*;
use crate::Source;

const KEY: &str = "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a";

fn base() -> Settings {
    let variables = [
        ("DATABASE__URL", "postgres://app:Zk3u9vQx@db:5432/main"),
        ("REDIS__URL", "redis://:Zk3u9vQx@cache:6379/0"),
        ("VAULT__IMPORT_PUBLIC_KEY", KEY),
    ];
    let variables = variables.map(|(name, value)| (format!("SWITCHYARD__{name}"), value.to_owned()));
    Settings::load_from(&Source {
        dir: Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config"),
        environment: "dev".into(),
        variables: BTreeMap::from(variables),
    })
    .unwrap()
}

fn values(pairs: &[(&str, Value)]) -> RuntimeValues {
    let pair = |(name, value): &(&str, Value)| ((*name).to_owned(), value.clone());
    pairs.iter().map(pair).collect()
}

/// What is wrong, by key; nothing: it is good.
fn wrong(pairs: &[(&str, Value)]) -> Vec<String> {
    let read = RuntimeSettings::read(&values(pairs)).and_then(|read| read.in_force(&base(), Role::Api));
    match read {
        Ok(_) => Vec::new(),
        Err(SettingsError::Invalid(Problems(problems))) => problems.into_iter().map(|problem| problem.key).collect(),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn each_setting_is_there_once_and_says_what_it_is() {
    let names: BTreeSet<&str> = RuntimeSetting::ALL.iter().map(|setting| setting.name).collect();
    assert_eq!(names.len(), RuntimeSetting::ALL.len());
    for setting in RuntimeSetting::ALL {
        assert!(
            setting.title.is_ascii() && !setting.title_zh.is_ascii(),
            "{}",
            setting.name
        );
        assert!(setting.min < setting.max, "{}", setting.name);
    }
}

#[test]
fn each_value_that_is_shipped_is_within_its_bounds_and_lies_over_itself() {
    let base = base();
    let all: RuntimeValues = RuntimeSetting::ALL
        .iter()
        .map(|setting| (setting.name.to_owned(), setting.value(&base)))
        .collect();
    let read = RuntimeSettings::read(&all).unwrap();
    assert_eq!(read.values(), all);
    let merged = read.in_force(&base, Role::Api).unwrap();
    assert_eq!(merged.redacted().unwrap(), base.redacted().unwrap());
}

#[test]
fn each_setting_changes_its_own_key_and_no_other() {
    let base = base();
    for changed in RuntimeSetting::ALL {
        // one of its bounds is not what is shipped
        let bounds = [changed.min, changed.max].map(|bound| changed.kind.written(bound));
        let bound = bounds.into_iter().find(|bound| *bound != changed.value(&base)).unwrap();
        let merged = RuntimeSettings::read(&values(&[(changed.name, bound.clone())]))
            .unwrap()
            .over(&base);
        for setting in RuntimeSetting::ALL {
            let expected = if setting.name == changed.name {
                bound.clone()
            } else {
                setting.value(&base)
            };
            assert_eq!(
                setting.value(&merged),
                expected,
                "{} after {}",
                setting.name,
                changed.name
            );
        }
    }
}

#[test]
fn what_is_unknown_of_another_kind_or_out_of_bounds_is_told_at_once() {
    let many = [
        ("database.url", json!("postgres://x")),
        ("orders.energy_max", json!("10000")),
        ("orders.quote_s", json!(4)),
        ("payouts.trx.minimum", json!(1)),
        ("rates.fee_bp", json!(-1)),
    ];
    assert_eq!(wrong(&many).len(), many.len());
    assert_eq!(wrong(&[("orders.quote_s", json!(1.5))]), ["orders.quote_s"]);
    assert_eq!(wrong(&[("orders.quote_s", json!(null))]), ["orders.quote_s"]);
    assert_eq!(
        wrong(&[("payouts.trx.minimum", json!("0.0000001"))]),
        ["payouts.trx.minimum"]
    );
}

#[test]
fn what_does_not_go_with_the_rest_is_refused_as_at_a_start() {
    assert_eq!(wrong(&[("orders.energy_max", json!(9_999))]), ["orders.energy_max"]);
    assert_eq!(
        wrong(&[("payouts.usdt.system_hour", json!("1"))]),
        ["payouts.usdt.user_day"]
    );
    // together they are good
    let both = [("orders.energy_max", json!(9_999)), ("orders.energy_min", json!(9_000))];
    assert_eq!(wrong(&both), [""; 0]);
}

#[test]
fn equal_amounts_are_written_alike() {
    let read = |text: &str| RuntimeSettings::read(&values(&[("pool.low_trx", json!(text))])).unwrap();
    assert_eq!(read("5").values(), read("005.00").values());
    assert_eq!(read("5").values()["pool.low_trx"], "5.000000");
}
