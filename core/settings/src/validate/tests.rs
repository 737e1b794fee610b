//! Each rule is broken once and must be named; the shipped files must pass.

use std::collections::BTreeMap;
use std::path::Path;

use super::*;
use crate::Source;

const KEY: &str = "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a";
const DATABASE: &str = "postgres://app:Zk3u9vQx@db:5432/main";

/// The shipped files with variables that a process of the role needs, and more or other ones on top.
fn settings(environment: &str, role: Role, more: &[(&str, &str)]) -> Settings {
    let mut variables: BTreeMap<String, String> = BTreeMap::new();
    let mut set = |name: &str, value: &str| variables.insert(format!("SWITCHYARD__{name}"), value.to_owned());
    set("DATABASE__URL", DATABASE);
    set("REDIS__URL", "redis://:Zk3u9vQx@cache:6379/0");
    set("VAULT__IMPORT_PUBLIC_KEY", KEY);
    if role == Role::Worker {
        set("VAULT__IMPORT_PRIVATE_KEY", KEY);
        set("VAULT__MASTER_KEY", KEY);
    }
    for (name, value) in more {
        set(name, value);
    }
    variables.retain(|_, value| value != "(unset)");
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config");
    Settings::load_from(&Source {
        dir,
        environment: environment.into(),
        variables,
    })
    .unwrap()
}

fn problems(environment: &str, role: Role, more: &[(&str, &str)]) -> Vec<Problem> {
    match settings(environment, role, more).validate(role) {
        Ok(()) => Vec::new(),
        Err(SettingsError::Invalid(Problems(problems))) => problems,
        Err(other) => panic!("{other}"),
    }
}

fn keys(environment: &str, role: Role, more: &[(&str, &str)]) -> Vec<String> {
    problems(environment, role, more)
        .into_iter()
        .map(|problem| problem.key)
        .collect()
}

#[test]
fn the_shipped_files_are_good_in_every_environment_and_role() {
    for environment in ["dev", "prod"] {
        for role in [Role::Api, Role::Worker, Role::Migrate] {
            assert_eq!(problems(environment, role, &[]), [], "{environment} {role:?}");
        }
    }
}

#[test]
fn only_what_production_would_take_is_called_safe() {
    let verdict = |environment: &str, role: Role| settings(environment, role, &[]).verdict(role);
    let safe = "# environment prod: this configuration is safe to run a worker with";
    assert_eq!(verdict("prod", Role::Worker), safe);
    assert_eq!(verdict("prod", Role::Api), safe.replace("a worker", "an API"));
    for role in [Role::Api, Role::Worker] {
        let said = verdict("dev", role);
        assert!(
            said.starts_with("# environment dev: ") && !said.contains("safe"),
            "{said}"
        );
        assert!(!said.contains('\n'), "{said}");
    }
}

#[test]
fn all_problems_are_told_at_once_each_with_key_wrong_and_remedy() {
    let broken = [
        ("DATABASE__URL", "(unset)"),
        ("REDIS__URL", "(unset)"),
        ("VAULT__MASTER_KEY", "(unset)"),
        ("JOBS__MAX_REDIS_DEPTH", "8000"),
    ];
    let error = settings("dev", Role::Worker, &broken)
        .validate(Role::Worker)
        .unwrap_err();
    insta::assert_snapshot!(error, @r"
    the configuration is not usable:
      database.url: is missing; set SWITCHYARD__DATABASE__URL or SWITCHYARD__DATABASE__URL_FILE
      redis.url: is missing; set SWITCHYARD__REDIS__URL or SWITCHYARD__REDIS__URL_FILE
      vault.master_key: is missing; make one with `openssl rand -hex 32`, or give vault.passphrase
      jobs.max_redis_depth: is 8000; use a number from 1 to 7999
    ");
}

#[test]
fn the_api_refuses_to_hold_worker_secrets() {
    for name in [
        "IMPORT_PRIVATE_KEY",
        "MASTER_KEY",
        "PASSPHRASE",
        "PREVIOUS_MASTER_KEY",
        "PREVIOUS_PASSPHRASE",
    ] {
        let variable = format!("VAULT__{name}");
        let key = format!("vault.{}", name.to_lowercase());
        assert_eq!(keys("dev", Role::Api, &[(&variable, KEY)]), [key]);
    }
}

#[test]
fn a_migration_needs_the_database_alone() {
    let nothing_else = [("REDIS__URL", "(unset)"), ("VAULT__IMPORT_PUBLIC_KEY", "(unset)")];
    assert_eq!(keys("prod", Role::Migrate, &nothing_else), [""; 0]);
    assert_eq!(
        keys("prod", Role::Migrate, &[("DATABASE__URL", "(unset)")]),
        ["database.url"]
    );
}

#[test]
fn a_worker_needs_one_master_key_and_tells_a_rotation() {
    let none = ("VAULT__MASTER_KEY", "(unset)");
    let phrase = ("VAULT__PASSPHRASE", "seven random words in a row, and one more");
    let previous = ("VAULT__PREVIOUS_MASTER_KEY", KEY);
    assert_eq!(keys("prod", Role::Worker, &[none]), ["vault.master_key"]);
    assert_eq!(keys("prod", Role::Worker, &[phrase]), ["vault.passphrase"]);
    assert_eq!(keys("prod", Role::Worker, &[none, phrase]), [""; 0]);
    assert_eq!(keys("prod", Role::Worker, &[previous]), ["vault.master_key_id"]);
    assert_eq!(
        keys("prod", Role::Worker, &[previous, ("VAULT__MASTER_KEY_ID", "2")]),
        [""; 0]
    );
    let both = [
        previous,
        ("VAULT__PREVIOUS_PASSPHRASE", phrase.1),
        ("VAULT__MASTER_KEY_ID", "2"),
    ];
    assert_eq!(keys("prod", Role::Worker, &both), ["vault.previous_passphrase"]);
    assert_eq!(
        keys("prod", Role::Worker, &[("VAULT__IMPORT_PRIVATE_KEY", "(unset)")]),
        ["vault.import_private_key"]
    );
}

#[test]
fn malformed_keys_are_refused_everywhere() {
    for bad in ["", "00", &KEY[1..], &KEY.replace('8', "g"), &format!("0x{}", &KEY[2..])] {
        assert_eq!(
            keys("dev", Role::Worker, &[("VAULT__MASTER_KEY", bad)]),
            ["vault.master_key"],
            "{bad}"
        );
        assert_eq!(
            keys("dev", Role::Api, &[("VAULT__IMPORT_PUBLIC_KEY", bad)]),
            ["vault.import_public_key"],
            "{bad}"
        );
    }
}

#[test]
fn what_is_handy_in_development_is_refused_elsewhere() {
    let counting = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    let node = |url: &str| format!("[{{name=\"n\", url=\"{url}\", requests_per_second=1, timeout_ms=1000}}]");
    let (open, local) = (node("http://node.example"), node("http://localhost:9090"));
    for (name, value, key) in [
        ("DATABASE__URL", "postgres://app@db/main", "database.url"),
        ("DATABASE__URL", "postgres://app:@db/main", "database.url"),
        ("DATABASE__URL", "postgres://app:postgres@db/main", "database.url"),
        ("REDIS__URL", "redis://cache:6379/0", "redis.url"),
        ("REDIS__URL", "redis://:changeme@cache:6379/0", "redis.url"),
        ("VAULT__MASTER_KEY", &"0".repeat(64), "vault.master_key"),
        ("VAULT__MASTER_KEY", &"deadbeef".repeat(8), "vault.master_key"),
        ("VAULT__IMPORT_PRIVATE_KEY", counting, "vault.import_private_key"),
        ("NETWORKS__TRON__ENDPOINTS", &open, "networks.tron.endpoints[n].url"),
        ("API__LISTEN", "0.0.0.0:0", "api.listen"),
    ] {
        assert_eq!(keys("prod", Role::Worker, &[(name, value)]), [key], "{name}={value}");
        assert_eq!(keys("dev", Role::Worker, &[(name, value)]), [""; 0], "{name}={value}");
    }
    assert_eq!(
        keys("prod", Role::Worker, &[("NETWORKS__TRON__ENDPOINTS", &local)]),
        [""; 0]
    );
    assert_eq!(
        keys("prod", Role::Worker, &[("REDIS__URL", "redis://127.0.0.1:6379")]),
        [""; 0]
    );
    for (phrase, prod, dev) in [
        ("fifteen bytes .", 1, 0),
        ("eleven byte", 1, 1),
        (&"x".repeat(1025), 1, 1),
    ] {
        let phrase = [("VAULT__MASTER_KEY", "(unset)"), ("VAULT__PASSPHRASE", phrase)];
        assert_eq!(keys("prod", Role::Worker, &phrase), vec!["vault.passphrase"; prod]);
        assert_eq!(keys("dev", Role::Worker, &phrase), vec!["vault.passphrase"; dev]);
    }
}

#[test]
fn each_range_and_name_is_checked() {
    for (name, value, key) in [
        ("DATABASE__URL", "host=db", "database.url"),
        ("DATABASE__URL", "mysql://a:b@db/main", "database.url"),
        ("DATABASE__MAX_CONNECTIONS", "0", "database.max_connections"),
        ("DATABASE__STATEMENT_TIMEOUT_MS", "0", "database.statement_timeout_ms"),
        ("REDIS__URL", "http://cache", "redis.url"),
        ("WORKER__DRAIN_TIMEOUT_MS", "120000", "worker.drain_timeout_ms"),
        ("WORKER__QUEUES", "orders,orders", "worker.queues"),
        ("WORKER__QUEUES", "", "worker.queues"),
        ("WORKER__QUEUES", "orders,payments", "worker.concurrency.payments"),
        ("WORKER__CONCURRENCY__ORDERS", "0", "worker.concurrency.orders"),
        ("APPROVALS__EXPIRE_S", "59", "approvals.expire_s"),
        ("APPROVALS__OPEN_MAX", "0", "approvals.open_max"),
        ("ORDERS__NETWORK", "nile", "orders.network"),
        ("ORDERS__ENERGY_MAX", "9999", "orders.energy_max"),
        ("ORDERS__DURATION_MAX_S", "299", "orders.duration_max_s"),
        ("ORDERS__RETRY_MAX_MS", "1999", "orders.retry_max_ms"),
        ("POOL__ISOLATE_AFTER_FAILURES", "0", "pool.isolate_after_failures"),
        (
            "NETWORKS__TRON__TRANSACTION_EXPIRY_S",
            "86400",
            "networks.tron.transaction_expiry_s",
        ),
        ("NETWORKS__TRON__KEEP_BLOCKS", "59", "networks.tron.keep_blocks"),
        (
            "NETWORKS__TRON__MAX_BLOCKS_PER_FETCH",
            "101",
            "networks.tron.max_blocks_per_fetch",
        ),
        ("NETWORKS__TRON__ENDPOINTS", "[]", "networks.tron.endpoints"),
        (
            "NETWORKS__TRON__ENDPOINT_API_KEYS",
            "devnet=",
            "networks.tron.endpoint_api_keys",
        ),
        (
            "NETWORKS__TRON__ENDPOINT_API_KEYS",
            "elsewhere=k",
            "networks.tron.endpoint_api_keys",
        ),
        ("NETWORKS__TRON__TOKENS__USDT", "41a614f8", "networks.tron.tokens.usdt"),
        (
            "NETWORKS__TRON__TOKENS__TRX",
            "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t",
            "networks.tron.tokens.trx",
        ),
        ("DEPOSITS__NETWORK", "nile", "deposits.network"),
        ("DEPOSITS__WAYS", "address", "deposits.account_xpub"),
        ("DEPOSITS__WAYS", "amount", "deposits.shared_address"),
        ("DEPOSITS__WAYS", "cash", "deposits.ways"),
        ("DEPOSITS__ACCOUNT_XPUB", "xprv9s21ZrQH143K", "deposits.account_xpub"),
        ("DEPOSITS__SHARED_ADDRESS", "0xabc", "deposits.shared_address"),
        ("DEPOSITS__BLOCKED_SENDERS", "Tabc", "deposits.blocked_senders"),
        ("DEPOSITS__EXPIRY_S", "1", "deposits.expiry_s"),
        ("DEPOSITS__DUST_TRX_SUN", "0", "deposits.dust_trx_sun"),
        ("JOBS__PUSH_BATCH", "5001", "jobs.push_batch"),
        ("JOBS__REDIS_NAMESPACE", "{a}", "jobs.redis_namespace"),
        ("SCHEDULES__PRUNE__CRON", "0 17 3 * *", "schedules.prune.cron"),
        ("SCHEDULES__PRUNE__CRON", "0 0 0 31 2 *", "schedules.prune.cron"),
        ("TELEMETRY__LOG_FILTER", "loud=very", "telemetry.log_filter"),
        (
            "LIMITS__IDEMPOTENCY_RETENTION_DAYS",
            "29",
            "limits.idempotency_retention_days",
        ),
    ] {
        assert_eq!(keys("dev", Role::Worker, &[(name, value)]), [key], "{name}={value}");
    }
}

#[test]
fn each_range_of_the_api_is_checked() {
    for (name, value, key) in [
        ("API__MAX_BODY_BYTES", "0", "api.max_body_bytes"),
        ("API__OPS_LISTEN", "127.0.0.1:8080", "api.ops_listen"),
        ("API__TRUSTED_PROXIES", "10.0.0.1,proxy", "api.trusted_proxies"),
        ("API__TRUSTED_PROXIES", "10.0.0.1/8", "api.trusted_proxies"),
        ("API__IP_REQUESTS_PER_MINUTE", "1000001", "api.ip_requests_per_minute"),
        ("API__HSTS_MAX_AGE_S", "63072001", "api.hsts_max_age_s"),
        ("API__TLS__CERTIFICATE", "/tls/fullchain.pem", "api.tls.key"),
        ("API__TLS__KEY", "/tls/privkey.pem", "api.tls.certificate"),
        (
            "API__TLS__HANDSHAKE_TIMEOUT_MS",
            "60001",
            "api.tls.handshake_timeout_ms",
        ),
        ("API__TLS__RELOAD_INTERVAL_S", "0", "api.tls.reload_interval_s"),
    ] {
        assert_eq!(keys("dev", Role::Worker, &[(name, value)]), [key], "{name}={value}");
    }
    let both = [
        ("API__TLS__CERTIFICATE", "/tls/fullchain.pem"),
        ("API__TLS__KEY", "/tls/privkey.pem"),
    ];
    assert_eq!(keys("prod", Role::Api, &both), [""; 0]);
}

#[test]
fn operators_keys_are_named_and_of_the_api_alone() {
    let with = |environment: &str, role: Role, value: &str| keys(environment, role, &[("OPERATORS__KEYS", value)]);
    let key = |name: &str, digits: &str| format!("{name}:{}", digits.repeat(32));
    let random = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
    for good in [
        String::new(),
        key("2026a", "01"),
        format!("{},{}", key("b", "02"), key("a", "01")),
        format!("b-2:{random}"),
    ] {
        assert_eq!(with("dev", Role::Api, &good), [""; 0], "{good}");
    }
    for bad in [
        "01".repeat(32),
        key("", "01"),
        key("A", "01"),
        key("a-name-that-is-long", "01"),
        key("a", "0"),
        format!("{},", key("a", "01")),
        format!("{},{}", key("a", "01"), key("a", "02")),
    ] {
        let found = with("dev", Role::Api, &bad);
        assert!(
            !found.is_empty() && found.iter().all(|key| key == "operators.keys"),
            "{bad}: {found:?}"
        );
    }
    assert_eq!(
        with("dev", Role::Worker, &key("a", "01")),
        ["operators.keys"],
        "not a worker's"
    );
    assert!(
        with("prod", Role::Api, &key("a", "01")).contains(&"operators.keys".to_owned()),
        "a pattern"
    );
    assert_eq!(
        keys(
            "dev",
            Role::Api,
            &[("OPERATORS__SESSION_IDLE_S", "100"), ("OPERATORS__ACCESS_TTL_S", "200")]
        ),
        ["operators.session_idle_s"]
    );
}

#[test]
fn an_origin_is_written_as_browsers_send_it() {
    let origins = |environment: &str, origins: &str| {
        let more = [("API__ALLOWED_ORIGINS", origins)];
        keys(environment, Role::Api, &more).is_empty()
    };
    for good in [
        "",
        "https://shop.example",
        "https://shop.example:8443,https://xn--bcher-kva.example",
        "https://203.0.113.7",
        "https://[2001:db8::7]",
    ] {
        assert!(origins("prod", good), "{good}");
    }
    for bad in [
        "*",
        "null",
        "shop.example",
        "https://",
        "https://*",
        "https://*.shop.example",
        "https://shop.example/",
        "https://shop.example/page",
        "https://shop.example:443",
        "https://Shop.example",
        "https://me@shop.example",
        "https://bücher.example",
        "file:///page",
        "https://shop.example,*",
    ] {
        assert!(!origins("dev", bad), "{bad}");
    }
    assert!(origins("dev", "http://localhost:5173"));
    assert!(!origins("prod", "http://localhost:5173"));
}

#[test]
fn credentials_in_a_node_url_are_refused_and_not_shown() {
    let endpoints = "[{name=\"n\", url=\"https://me:hunter2@node.example\", requests_per_second=1, timeout_ms=1000}]";
    let more = [
        ("NETWORKS__TRON__ENDPOINTS", endpoints),
        ("NETWORKS__TRON__ENDPOINT_API_KEYS", "hunter2"),
    ];
    let found = problems("dev", Role::Worker, &more);
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(!format!("{found:?}").contains("hunter2"));
}

const SOURCES: &str = "[{name=\"a\", url=\"https://a.example/\", pointer=\"/p\", quotes=\"usdt_per_trx\"}, \
    {name=\"b\", url=\"https://b.example/\", pointer=\"/p\", quotes=\"trx_per_usdt\"}]";

#[test]
fn a_rate_needs_two_sources_that_nobody_can_speak_for() {
    let with = |sources: &str, more: &[(&str, &str)]| {
        let all = [&[("RATES__SOURCES", sources)], more].concat();
        keys("prod", Role::Worker, &all)
    };
    let exchange = ("DEPOSITS__USDT", "exchange");
    assert_eq!(with(SOURCES, &[exchange]), [""; 0]);
    assert_eq!(
        with(SOURCES, &[exchange, ("RATES__MIN_SOURCES", "3")]),
        ["rates.sources"]
    );
    assert_eq!(with("[]", &[exchange]), ["rates.sources"]);
    for (from, to, key) in [
        ("https://a", "http://a", "rates.sources[a].url"),
        ("https://a", "https://me:x@a", "rates.sources[a].url"),
        ("\"a\"", "\"A\"", "rates.sources[A].name"),
        ("\"a\"", "\"b\"", "rates.sources"),
        ("https://a", "https://b", "rates.sources"),
        ("\"/p\"", "\"p\"", "rates.sources[a].pointer"),
    ] {
        assert_eq!(with(&SOURCES.replacen(from, to, 1), &[]), [key], "{from} as {to}");
    }
    for (name, value, key) in [
        ("RATES__MIN_SOURCES", "1", "rates.min_sources"),
        ("RATES__MAX_SPREAD_BP", "0", "rates.max_spread_bp"),
        ("RATES__MAX_STEP_BP", "5001", "rates.max_step_bp"),
        ("RATES__LOWEST", "0", "rates.lowest"),
        ("RATES__LOWEST", "20", "rates.lowest"),
        ("RATES__STALE_AFTER_S", "59", "rates.stale_after_s"),
        ("RATES__FEE_BP", "2001", "rates.fee_bp"),
        ("RATES__TIMEOUT_MS", "10001", "rates.timeout_ms"),
        ("RATES__MAX_ANSWER_BYTES", "255", "rates.max_answer_bytes"),
        ("RATES__ALLOW_PLAIN_HTTP", "true", "rates.allow_plain_http"),
    ] {
        assert_eq!(with(SOURCES, &[(name, value)]), [key], "{name}={value}");
    }
}

#[test]
fn a_sweep_needs_an_account_and_a_token_somebody_who_orders_its_energy() {
    const XPUB: &str = "xpub6D1AabNHCupeiLM65ZR9UStMhJ1vCpyV4XbZdyhMZBiJXALQtmn9p42VTQckoHVn8WNqS7dqnJokZHAHcHGoaQgmv8D45oNUKx6DZMNZBCd";
    let worker = |more: &[(&str, &str)]| keys("dev", Role::Worker, more);
    let on = ("DEPOSITS__SWEEP__ENABLED", "true");
    assert_eq!(worker(&[on]), ["deposits.sweep.enabled"]);
    let xpub = ("DEPOSITS__ACCOUNT_XPUB", XPUB);
    assert!(worker(&[on, xpub]).is_empty());
    let usdt = ("DEPOSITS__SWEEP__USDT", "true");
    let missing = worker(&[
        on,
        xpub,
        usdt,
        ("NETWORKS__TRON__TOKENS__USDT", "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"),
    ]);
    assert_eq!(missing, ["deposits.sweep.house_api_key"]);
    let house = [
        on,
        xpub,
        usdt,
        ("NETWORKS__TRON__TOKENS__USDT", "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"),
        ("DEPOSITS__SWEEP__HOUSE_API_KEY", "01990a5e-0000-7000-8000-000000000000"),
    ];
    assert!(worker(&house).is_empty());
    let customer = [&house[..], &[("DEPOSITS__SWEEP__HOUSE_USER", "7")]].concat();
    assert_eq!(worker(&customer), ["deposits.sweep.house_user"]);
    let slow = [&house[..], &[("NETWORKS__TRON__TRANSACTION_EXPIRY_S", "300")]].concat();
    assert_eq!(worker(&slow), ["networks.tron.transaction_expiry_s"]);
    // where nobody says where it goes, a wallet that is added may get it
    let treasury = ("DEPOSITS__SWEEP__TO_ADDRESS", "TLa2f6VPqDgRE67v1736s7bJ8Ray5wYjU7");
    for role in [Role::Api, Role::Worker] {
        assert_eq!(
            keys("prod", role, &[on, xpub]),
            ["deposits.sweep.to_address"],
            "{role:?}"
        );
        assert_eq!(keys("dev", role, &[on, xpub]), [""; 0], "{role:?}");
        assert_eq!(keys("prod", role, &[on, xpub, treasury]), [""; 0], "{role:?}");
        assert_eq!(keys("prod", role, &[xpub]), [""; 0], "{role:?}");
    }
    for (name, value, key) in [
        ("TRX_THRESHOLD", "0.5", "trx_threshold"),
        ("USDT_THRESHOLD", "0", "usdt_threshold"),
        ("ACTIVATION", "11", "activation"),
        ("ACTIVATION", "0", "activation"),
        ("TO_ADDRESS", "0xabc", "to_address"),
        ("MAX_OPEN", "0", "max_open"),
        ("RETRY_MAX_MS", "1000", "retry_max_ms"),
    ] {
        let name = format!("DEPOSITS__SWEEP__{name}");
        assert_eq!(worker(&[(&name, value)]), [format!("deposits.sweep.{key}")], "{name}");
    }
}

#[test]
fn renting_by_transfer_needs_an_address_a_customer_of_its_own_and_packages_that_amounts_tell_apart() {
    const ADDRESS: &str = "TLa2f6VPqDgRE67v1736s7bJ8Ray5wYjU7";
    let on = [
        ("DEPOSITS__RENTAL__ADDRESS", ADDRESS),
        (
            "DEPOSITS__RENTAL__HOUSE_API_KEY",
            "01990a5e-0000-7000-8000-000000000000",
        ),
        (
            "DEPOSITS__RENTAL__PACKAGES",
            "[{price=\"3\",energy=65000,duration_s=3600},{price=\"5\",energy=131000,duration_s=3600}]",
        ),
    ];
    let with = |name: &str, value: &str| {
        let name = format!("DEPOSITS__RENTAL__{name}");
        let mut given: Vec<(&str, &str)> = on.iter().copied().filter(|(key, _)| *key != name).collect();
        given.push((&name, value));
        keys("dev", Role::Worker, &given)
    };
    assert!(keys("dev", Role::Worker, &on).is_empty());
    assert_eq!(
        keys("dev", Role::Worker, &on[..1]),
        ["deposits.rental.house_api_key", "deposits.rental.packages"]
    );
    let package = |fields: &str| with("PACKAGES", &format!("[{{{fields}}}]"));
    for (found, key) in [
        (with("ADDRESS", "0xabc"), "address"),
        (with("HOUSE_USER", "7"), "house_user"),
        (with("HOUSE_USER", "-1"), "house_user"),
        (with("RETURN_FROM", "0"), "return_from"),
        (package("price=\"3\",energy=1,duration_s=3600"), "packages.0.energy"),
        (
            package("price=\"3\",energy=65000,duration_s=1"),
            "packages.0.duration_s",
        ),
        (package("price=\"0\",energy=65000,duration_s=3600"), "packages.0.price"),
        (
            with(
                "PACKAGES",
                "[{price=\"3\",energy=65000,duration_s=3600},{price=\"3\",energy=131000,duration_s=3600}]",
            ),
            "packages",
        ),
    ] {
        assert_eq!(found, [format!("deposits.rental.{key}")]);
    }
    let elsewhere = [&on[..], &[("PAYOUTS__NETWORK", "nile")]].concat();
    assert!(keys("dev", Role::Worker, &elsewhere).contains(&"deposits.rental.address".to_owned()));
    let reserve = [(
        "DEPOSITS__RESERVE_ADDRESSES",
        "TLa2f6VPqDgRE67v1736s7bJ8Ray5wYjU7,nowhere",
    )];
    assert_eq!(keys("dev", Role::Worker, &reserve), ["deposits.reserve_addresses"]);
}

#[test]
fn staking_keeps_something_liquid_and_a_wallet_within_all() {
    let worker = |more: &[(&str, &str)]| keys("dev", Role::Worker, more);
    assert!(worker(&[("POOL__STAKE__ENABLED", "true")]).is_empty());
    for (name, value, key) in [
        ("RESERVE", "0.9", "reserve"),
        ("LIQUID_BPS", "10001", "liquid_bps"),
        ("LEAST", "0.5", "least"),
        ("WALLET_DAY", "200001", "wallet_day"),
        ("MAX_ATTEMPTS", "0", "max_attempts"),
        ("RETRY_MS", "999", "retry_ms"),
        ("FAILURE_PAUSE_S", "-1", "failure_pause_s"),
    ] {
        let name = format!("POOL__STAKE__{name}");
        assert_eq!(worker(&[(&name, value)]), [format!("pool.stake.{key}")], "{name}");
    }
    let little = [("POOL__STAKE__ENABLED", "true"), ("POOL__STAKE__WALLET_DAY", "99")];
    assert_eq!(worker(&little), ["pool.stake.least"]);
}
