//! Rules about keys: the API holds none, a worker holds all that it needs, and nobody uses a well-known one.

use std::collections::BTreeSet;

use super::{Check, Role};
use crate::{Secret, Settings};

const OPERATORS: &str = "operators.keys";
const KEY_HEX_LEN: usize = 64;
/// In bytes; the worker itself asks for as much as in development.
const MIN_PASSPHRASE_LEN: usize = 16;
const MIN_PASSPHRASE_LEN_IN_DEVELOPMENT: usize = 12;
const MAX_PASSPHRASE_LEN: usize = 1024;
const OPENSSL: &str = "make one with `openssl rand -hex 32`";

pub(super) fn check(settings: &Settings, role: Role, check: &mut Check) {
    let vault = &settings.vault;
    check.range("vault.master_key_id", vault.master_key_id, 1, i32::MAX);
    check.range("vault.key_cache_ttl_s", vault.key_cache_ttl_s, 0, 86_400);
    check.range("vault.key_cache_size", vault.key_cache_size, 1, 1_000_000);
    hex_key(
        "vault.import_public_key",
        &vault.import_public_key,
        "give the public half of import_private_key",
        check,
    );
    match role {
        Role::Worker => worker(settings, check),
        Role::Api | Role::Migrate => nothing_secret(settings, check),
    }
    if let Some(keys) = settings.operators.keys() {
        let remedy = "remove it here: the API alone lets operators in";
        check.require(role == Role::Api, OPERATORS, "is given to a worker", remedy);
        operators(keys.expose(), check);
    }
}

/// `name:<64 hex digits>`, one or several.
fn operators(keys: &str, check: &mut Check) {
    let remedy =
        "write name:<64 hex digits>, the newest first, separated by commas; make one with `openssl rand -hex 32`";
    let mut names = BTreeSet::new();
    for key in keys.split(',') {
        let (name, digits) = key.trim().split_once(':').unwrap_or_default();
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let named = (1..=16).contains(&name.len()) && name.chars().all(plain);
        check.require(
            named,
            OPERATORS,
            "has a key without a name of 1 to 16 of a-z, 0-9 and -",
            remedy,
        );
        check.require(names.insert(name), OPERATORS, "names two keys alike", remedy);
        hex_key(OPERATORS, digits, remedy, check);
    }
    check.require(
        names.len() <= 4,
        OPERATORS,
        "has more than four keys",
        "take out old ones",
    );
}

fn nothing_secret(settings: &Settings, check: &mut Check) {
    for (key, secret) in secrets(settings) {
        let remedy = "remove it here: the API must not be able to open or sign";
        check.require(secret.is_none(), key, "is given to the API", remedy);
    }
}

fn worker(settings: &Settings, check: &mut Check) {
    let vault = &settings.vault;
    for (key, secret) in secrets(settings) {
        match secret {
            Some(secret) if key.ends_with("passphrase") => passphrase(key, secret, check),
            Some(secret) => hex_key(key, secret.expose(), OPENSSL, check),
            None => {}
        }
    }
    check.require(
        vault.import_private_key.is_some(),
        "vault.import_private_key",
        "is missing",
        OPENSSL,
    );
    match (&vault.master_key, &vault.passphrase) {
        (None, None) => check.problem(
            "vault.master_key",
            "is missing",
            format!("{OPENSSL}, or give vault.passphrase"),
        ),
        (Some(_), Some(_)) => check.problem("vault.passphrase", "is given as well as vault.master_key", "remove one"),
        _ => {}
    }
    let previous = [&vault.previous_master_key, &vault.previous_passphrase];
    let both = previous.iter().all(|secret| secret.is_some());
    check.require(
        !both,
        "vault.previous_passphrase",
        "is given as well as vault.previous_master_key",
        "remove one",
    );
    let rotating = previous.iter().any(|secret| secret.is_some());
    let remedy = "raise it when the master key is replaced";
    check.require(
        !rotating || vault.master_key_id > 1,
        "vault.master_key_id",
        "is 1, yet there is a previous key",
        remedy,
    );
}

fn secrets(settings: &Settings) -> [(&'static str, Option<&Secret>); 5] {
    let vault = &settings.vault;
    [
        ("vault.import_private_key", vault.import_private_key.as_ref()),
        ("vault.master_key", vault.master_key.as_ref()),
        ("vault.passphrase", vault.passphrase.as_ref()),
        ("vault.previous_master_key", vault.previous_master_key.as_ref()),
        ("vault.previous_passphrase", vault.previous_passphrase.as_ref()),
    ]
}

fn hex_key(key: &str, value: &str, remedy: &str, check: &mut Check) {
    let well_formed = value.len() == KEY_HEX_LEN && value.bytes().all(|byte| byte.is_ascii_hexdigit());
    check.require(well_formed, key, "is not 64 hex digits", remedy);
    let weak = check.production && well_formed && is_guessable(value);
    check.require(!weak, key, "is a pattern, not a random key", remedy);
}

/// Whether so few different bytes occur as no random key in the life of the universe has, or the bytes only count up:
/// the keys that examples and tests use.
fn is_guessable(hex: &str) -> bool {
    let pairs: Vec<String> = hex
        .as_bytes()
        .chunks(2)
        .map(|pair| String::from_utf8_lossy(pair).to_lowercase())
        .collect();
    let mut distinct = pairs.clone();
    distinct.sort_unstable();
    distinct.dedup();
    let bytes: Vec<u8> = pairs
        .iter()
        .filter_map(|pair| u8::from_str_radix(pair, 16).ok())
        .collect();
    distinct.len() <= 10 || bytes.windows(2).all(|pair| pair[1] == pair[0].wrapping_add(1))
}

fn passphrase(key: &str, secret: &Secret, check: &mut Check) {
    let min = if check.production {
        MIN_PASSPHRASE_LEN
    } else {
        MIN_PASSPHRASE_LEN_IN_DEVELOPMENT
    };
    let len = secret.expose().len();
    let fits = (min..=MAX_PASSPHRASE_LEN).contains(&len);
    let remedy = format!("use a random one of {min} to {MAX_PASSPHRASE_LEN} bytes");
    check.require(fits, key, format!("has {len} bytes"), remedy);
}
