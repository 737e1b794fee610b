//! The order of layers, what environment variables mean, and where secrets may come from.

use std::collections::BTreeMap;
use std::fs;

use tempfile::TempDir;

use super::*;
use crate::{Settings, Start};

const DEFAULT: &str = include_str!("../../../../config/default.toml");
const SECRET: &str = "hunter2-hunter2";

/// The shipped defaults and `test.toml` of this text.
fn folder(test_toml: &str) -> TempDir {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("default.toml"), DEFAULT).unwrap();
    fs::write(dir.path().join("test.toml"), test_toml).unwrap();
    dir
}

fn load(dir: &TempDir, variables: &[(&str, &str)]) -> Result<Settings, SettingsError> {
    let variables: BTreeMap<String, String> = variables
        .iter()
        .map(|(name, value)| (format!("SWITCHYARD__{name}"), (*value).to_owned()))
        .collect();
    Settings::load_from(&Source {
        dir: dir.path().to_owned(),
        environment: "test".into(),
        variables,
    })
}

fn refusal(test_toml: &str, variables: &[(&str, &str)]) -> String {
    load(&folder(test_toml), variables).unwrap_err().to_string()
}

#[test]
fn later_layers_win_key_by_key() {
    let dir = folder("[api]\nmax_body_bytes = 2048\nrequest_timeout_ms = 7\n");
    let settings = load(&dir, &[("API__REQUEST_TIMEOUT_MS", "8")]).unwrap();
    assert_eq!(settings.environment, "test");
    assert_eq!(settings.api.max_concurrent_requests, 512, "the default");
    assert_eq!(settings.api.max_body_bytes, 2048, "the environment's file");
    assert_eq!(settings.api.request_timeout_ms, 8, "the variable");
}

#[test]
fn variables_are_read_as_their_key_s_kind() {
    let nile = "[networks.tron-nile]\nkind=\"tron\"\npoll_interval_ms=1\nmax_blocks_per_fetch=1\nlease_ms=1\n\
        transaction_expiry_s=1\nresend_after_ms=1\nmax_fork_depth=1\nstart=7\nkeep_blocks=1\nmax_response_bytes=1\nendpoints=[]";
    let endpoints = "[{name=\"a\",url=\"http://h\",requests_per_second=3,timeout_ms=4}]";
    let settings = load(
        &folder(nile),
        &[
            ("WORKER__QUEUES", " orders, chain "),
            ("WORKER__CONCURRENCY__REPORTS", "3"),
            ("SCHEDULES__PRUNE__ENABLED", "false"),
            ("NETWORKS__TRON__START", "123"),
            ("NETWORKS__TRON_NILE__LEASE_MS", "55"),
            ("NETWORKS__TRON__ENDPOINTS", endpoints),
            ("NETWORKS__TRON__ENDPOINT_API_KEYS", "a = one, b=two=2"),
            ("VAULT__IMPORT_PUBLIC_KEY", &"1".repeat(64)),
            ("VAULT__PASSPHRASE", "12345"),
        ],
    )
    .unwrap();
    assert_eq!(settings.worker.queues, ["orders", "chain"]);
    assert_eq!(settings.worker.concurrency["reports"], 3);
    assert!(!settings.schedules["prune"].enabled);
    let tron = &settings.networks["tron"];
    assert_eq!(tron.start, Start::Block(123));
    assert_eq!(tron.endpoints[0].url.expose(), "http://h");
    assert_eq!(tron.api_key("a").unwrap().expose(), "one");
    assert_eq!(tron.api_key("b").unwrap().expose(), "two=2");
    assert_eq!(tron.api_key("c"), None);
    assert_eq!(settings.networks["tron-nile"].start, Start::Block(7));
    assert_eq!(settings.networks["tron-nile"].lease_ms, 55);
    assert_eq!(settings.vault.import_public_key, "1".repeat(64));
    assert_eq!(settings.vault.passphrase.unwrap().expose(), "12345");
}

#[test]
fn an_unknown_or_misread_key_is_named() {
    for (toml, variables, named) in [
        ("[api]\nlisten_on = 1", vec![], "api.listen_on: unknown field"),
        ("[payments]", vec![], "payments: unknown field"),
        ("environment = \"dev\"", vec![], "environment: unknown field"),
        (
            "[schedules.prune]\nevery = 1",
            vec![],
            "schedules.prune.every: unknown field",
        ),
        ("", vec![("API__LISTEN_ON", "1")], "api.listen_on: unknown field"),
        ("", vec![("PAYMENTS__X", "1")], "payments: unknown field"),
        (
            "",
            vec![("API__MAX_BODY_BYTES", "many")],
            "SWITCHYARD__API__MAX_BODY_BYTES: is not a whole number",
        ),
        (
            "",
            vec![("SCHEDULES__PRUNE__ENABLED", "yes")],
            "SWITCHYARD__SCHEDULES__PRUNE__ENABLED: is neither",
        ),
        ("", vec![("API", "1")], "SWITCHYARD__API: is not of the form"),
        (
            "",
            vec![("API__LISTEN__PORT", "1")],
            "SWITCHYARD__API__LISTEN__PORT: names something inside",
        ),
        (
            "",
            vec![("WORKER__CONCURRENCY", "1")],
            "SWITCHYARD__WORKER__CONCURRENCY: names a section",
        ),
        (
            "",
            vec![("NETWORKS__TRON__ENDPOINTS", "[{")],
            "SWITCHYARD__NETWORKS__TRON__ENDPOINTS: is not a TOML list",
        ),
        (
            "",
            vec![("NETWORKS__TRON__START", "soon")],
            "networks.tron.start: neither `solid` nor",
        ),
        ("", vec![("API__LISTEN", "nowhere")], "api.listen: "),
        (
            "[networks.nile]\nkind = \"tron\"",
            vec![],
            "networks.nile: missing field",
        ),
    ] {
        let message = refusal(toml, &variables);
        assert!(message.starts_with(named), "{message} does not begin with {named}");
    }
}

#[test]
fn a_secret_in_toml_is_refused_by_name_and_never_shown() {
    for key in SECRETS {
        let key = key.replace('*', "tron");
        let (section, name) = key.rsplit_once('.').unwrap();
        let message = refusal(&format!("[{section}]\n{name} = \"{SECRET}\""), &[]);
        assert!(
            message.contains(&format!("test.toml holds the secret `{key}`")),
            "{message}"
        );
        assert!(
            message.contains(&format!("SWITCHYARD__{}_FILE", key.to_uppercase().replace('.', "__"))),
            "{message}"
        );
        assert!(!message.contains(SECRET), "{message}");
    }
}

#[test]
fn broken_toml_is_told_by_line_without_its_text() {
    let message = refusal(&format!("[vault]\n\npassphrase = {SECRET}"), &[]);
    assert!(message.contains("test.toml, line 3: "), "{message}");
    assert!(!message.contains(SECRET), "{message}");
}

#[test]
fn secrets_come_from_files_trimmed() {
    let dir = folder("");
    let file = dir.path().join("master");
    fs::write(&file, format!("  {SECRET}\n")).unwrap();
    let path = file.to_str().unwrap();
    let from_variable = load(&dir, &[("VAULT__MASTER_KEY_FILE", path)]).unwrap();
    assert_eq!(from_variable.vault.master_key.unwrap().expose(), SECRET);

    fs::write(dir.path().join("test.toml"), format!("[redis]\nurl_file = \"{path}\"")).unwrap();
    assert_eq!(load(&dir, &[]).unwrap().redis.url.expose(), SECRET);
    let both = load(&dir, &[("REDIS__URL", "redis://h")]).unwrap_err().to_string();
    assert_eq!(both, "redis.url_file: is given as well as `url`: give one of them");
}

#[test]
fn a_secret_file_that_cannot_be_used_is_named() {
    let dir = folder("");
    let big = dir.path().join("big");
    fs::write(&big, "x".repeat(17 * 1024)).unwrap();
    let missing = load(&dir, &[("VAULT__MASTER_KEY_FILE", "/nowhere/key")])
        .unwrap_err()
        .to_string();
    assert_eq!(missing, "cannot read /nowhere/key, which `vault.master_key_file` names");
    let big = load(&dir, &[("VAULT__MASTER_KEY_FILE", big.to_str().unwrap())])
        .unwrap_err()
        .to_string();
    assert!(
        big.starts_with("vault.master_key_file: names a file of more than 16 KiB"),
        "{big}"
    );
    // only secrets may come from files
    let listen = load(&dir, &[("API__LISTEN_FILE", "/nowhere")]).unwrap_err().to_string();
    assert!(listen.starts_with("api.listen_file: unknown field"), "{listen}");
}

#[test]
fn an_environment_without_a_file_is_refused() {
    for (environment, message) in [
        (
            "staging",
            "staging.toml, which holds what is special to the environment `staging`",
        ),
        ("../test", "SWITCHYARD_ENV: is not a name"),
        ("default", "SWITCHYARD_ENV: is not a name"),
        ("", "SWITCHYARD_ENV: is not a name"),
    ] {
        let dir = folder("");
        let source = Source {
            dir: dir.path().to_owned(),
            environment: environment.into(),
            variables: BTreeMap::new(),
        };
        let error = Settings::load_from(&source).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
}

#[test]
fn the_effective_configuration_is_printed_without_secrets() {
    let settings = load(
        &folder(""),
        &[
            ("DATABASE__URL", "postgres://app:hunter2-hunter2@db:5432/main"),
            ("REDIS__URL", "redis://:hunter2-hunter2@cache:6379"),
            ("VAULT__MASTER_KEY", SECRET),
            ("VAULT__PASSPHRASE", SECRET),
            ("VAULT__IMPORT_PRIVATE_KEY", SECRET),
            ("NETWORKS__TRON__ENDPOINT_API_KEYS", "a=hunter2-hunter2"),
        ],
    )
    .unwrap();
    let shown = settings.redacted().unwrap();
    assert!(!shown.contains("hunter2"), "{shown}");
    assert!(!format!("{settings:?}").contains("hunter2"));
    for line in [
        "environment = \"test\"",
        "url = \"postgres://***:***@db:5432/main\"",
        "master_key = \"***\"",
        "max_redis_depth = 5000",
    ] {
        assert!(shown.lines().any(|found| found == line), "{line} in\n{shown}");
    }
}
