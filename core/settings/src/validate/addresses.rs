//! Rules about where we listen and whom we speak to: nothing readable on the way, nobody let in without a password.

use std::collections::BTreeSet;

use url::{Host, Url};

use super::{Check, Role};
use crate::{Endpoint, Network, SecretUrl, Settings};

/// What examples use as a password.
const DEFAULT_PASSWORDS: [&str; 8] = [
    "password",
    "postgres",
    "changeme",
    "change-me",
    "switchyard",
    "secret",
    "redis",
    "admin",
];

pub(super) fn database(settings: &Settings, check: &mut Check) {
    let remedy = "use postgres://user:password@host:port/database";
    let Some(url) = service(
        "database.url",
        &settings.database.url,
        &["postgres", "postgresql"],
        remedy,
        check,
    ) else {
        return;
    };
    check.require(!url.username().is_empty(), "database.url", "names no user", remedy);
    check.require(url.path().len() > 1, "database.url", "names no database", remedy);
    if check.production {
        password("database.url", &url, check);
    }
}

pub(super) fn check(settings: &Settings, role: Role, check: &mut Check) {
    let remedy = "use redis://:password@host:port/0";
    let redis = service("redis.url", &settings.redis.url, &["redis", "rediss"], remedy, check);
    if let Some(url) = redis.filter(|url| check.production && !is_loopback(url)) {
        password("redis.url", &url, check);
    }
    let (api, worker) = (&settings.api, &settings.worker);
    let apart = api.listen.port() == 0 || api.listen.port() != api.ops_listen.port();
    check.require(
        apart,
        "api.ops_listen",
        "has the port of api.listen",
        "give it a port of its own",
    );
    check.require(
        api.trusted_ranges().is_ok(),
        "api.trusted_proxies",
        "names what is no address and no range",
        "write addresses as 10.0.0.5 and ranges as 10.0.0.0/8",
    );
    check.require(
        api.allowed_origins.iter().all(|text| is_origin(text, check.production)),
        "api.allowed_origins",
        "names what is no origin as browsers send it",
        "write each as https://shop.example: no path, no wildcard, a port only where it is not the usual one",
    );
    if check.production {
        for (key, address) in [
            ("api.listen", api.listen),
            ("api.ops_listen", api.ops_listen),
            ("worker.ops_listen", worker.ops_listen),
        ] {
            check.require(
                address.port() != 0,
                key,
                "has port 0, which nobody can find",
                "give it a fixed port",
            );
        }
    }
    for (name, network) in &settings.networks {
        nodes(name, network, role, check);
    }
}

/// Whether a text is an origin to the last character. On plain http a page can be changed on its way, and would then ask.
fn is_origin(text: &str, production: bool) -> bool {
    text.parse::<Url>().is_ok_and(|url| {
        let kept = url.scheme() == "https" || (url.scheme() == "http" && !production);
        kept && !text.contains('*') && url.origin().ascii_serialization() == text
    })
}

/// The URL, if it is one of these schemes with a host.
fn service(key: &str, url: &SecretUrl, schemes: &[&str], remedy: &str, check: &mut Check) -> Option<Url> {
    if url.is_empty() {
        let variable = format!("SWITCHYARD__{}", key.to_uppercase().replace('.', "__"));
        check.problem(key, "is missing", format!("set {variable} or {variable}_FILE"));
        return None;
    }
    let parsed = url
        .parse()
        .filter(|url| schemes.contains(&url.scheme()) && url.has_host());
    check.require(parsed.is_some(), key, "is not a URL of this service", remedy);
    parsed
}

fn password(key: &str, url: &Url, check: &mut Check) {
    match url.password() {
        None | Some("") => check.problem(key, "has no password", "give the account one, and put it into the URL"),
        Some(word) if is_default_password(word) => {
            check.problem(key, "has a well-known password", "use a long random one");
        }
        Some(_) => {}
    }
}

fn is_default_password(word: &str) -> bool {
    DEFAULT_PASSWORDS.iter().any(|known| word.eq_ignore_ascii_case(known))
}

fn nodes(network: &str, settings: &Network, role: Role, check: &mut Check) {
    let key = format!("networks.{network}.endpoints");
    let names: BTreeSet<&str> = settings
        .endpoints
        .iter()
        .map(|endpoint| endpoint.name.as_str())
        .collect();
    if role == Role::Worker {
        check.require(
            !settings.endpoints.is_empty(),
            &key,
            "is empty",
            "name at least one node",
        );
    }
    check.require(
        names.len() == settings.endpoints.len(),
        &key,
        "uses a name twice",
        "give each its own name",
    );
    for endpoint in &settings.endpoints {
        node(&format!("{key}[{}]", endpoint.name), endpoint, check);
    }
    let key = format!("networks.{network}.endpoint_api_keys");
    for (name, value) in settings.api_keys() {
        check.require(
            !value.is_empty(),
            &key,
            "has an entry without a key",
            "write name=key,name2=key2",
        );
        // an entry without `=` may be a key: its text is not shown
        check.require(
            names.contains(name),
            &key,
            "has an entry for no endpoint of this network",
            "write name=key,name2=key2",
        );
    }
}

fn node(key: &str, endpoint: &Endpoint, check: &mut Check) {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let named = (1..=40).contains(&endpoint.name.len()) && endpoint.name.chars().all(plain);
    check.require(
        named,
        format!("{key}.name"),
        "is no name",
        "use 1 to 40 of a-z, 0-9 and `-`",
    );
    check.range(
        format!("{key}.requests_per_second"),
        endpoint.requests_per_second,
        1,
        100_000,
    );
    check.range(format!("{key}.timeout_ms"), endpoint.timeout_ms, 100, 60_000);
    node_url(&format!("{key}.url"), &endpoint.url, check);
    if let Some(url) = &endpoint.solidity_url {
        node_url(&format!("{key}.solidity_url"), url, check);
    }
}

fn node_url(key: &str, url: &SecretUrl, check: &mut Check) {
    let Some(url) = service(key, url, &["http", "https"], "use https://host", check) else {
        return;
    };
    let open = url.username().is_empty() && url.password().is_none();
    check.require(
        open,
        key,
        "holds a user name or password",
        "give the node's key in endpoint_api_keys",
    );
    let private = !check.production || url.scheme() == "https" || is_loopback(&url);
    check.require(
        private,
        key,
        "is http to another machine, which anybody on the way can change",
        "use https",
    );
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name == "127.0.0.1" || name == "::1",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
