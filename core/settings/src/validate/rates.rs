//! Rules about the rate: enough sources that are not one and the same, asked so that nobody on the way can change what they
//! say, and bounds that mean something.

use std::collections::BTreeSet;

use url::Url;

use super::Check;
use crate::{RateSource, Settings, UsdtDeposits};

pub(super) fn check(settings: &Settings, check: &mut Check) {
    let rates = &settings.rates;
    let count = rates.sources.len();
    check.range("rates.min_sources", rates.min_sources, 2, 10);
    let exchanges = settings.deposits.usdt == UsdtDeposits::Exchange;
    let enough = count >= rates.min_sources.max(2) || (count == 0 && !exchanges);
    check.require(
        enough,
        "rates.sources",
        format!("names {count} sources"),
        "name at least rates.min_sources, or none where USDT is kept",
    );
    let distinct = |of: fn(&RateSource) -> &str| {
        let all: BTreeSet<&str> = rates.sources.iter().map(of).collect();
        all.len() == count
    };
    check.require(
        distinct(|source| &source.name) && distinct(|source| &source.url),
        "rates.sources",
        "has a name or a url twice",
        "one source that is asked twice is one source",
    );
    for source in &rates.sources {
        one(source, rates.allow_plain_http, check);
    }
    let open = rates.allow_plain_http && check.production;
    check.require(
        !open,
        "rates.allow_plain_http",
        "lets anybody on the way set the rate",
        "leave it false outside development and tests",
    );
    check.range("rates.max_spread_bp", rates.max_spread_bp, 1, 2_000);
    check.range("rates.max_step_bp", rates.max_step_bp, 1, 5_000);
    check.require(
        !rates.lowest.is_zero() && rates.lowest < rates.highest,
        "rates.lowest",
        "is nothing, or not below rates.highest",
        "give the TRX that one USDT can be worth at least and at most",
    );
    check.range("rates.stale_after_s", rates.stale_after_s, 60, 3_600);
    check.range("rates.fee_bp", rates.fee_bp, 0, 2_000);
    // all are asked at once, in a job that may take 20 seconds
    check.range("rates.timeout_ms", rates.timeout_ms, 100, 10_000);
    check.range("rates.max_answer_bytes", rates.max_answer_bytes, 256, 1_048_576);
}

fn one(source: &RateSource, plain_http: bool, check: &mut Check) {
    let key = |field: &str| format!("rates.sources[{}].{field}", source.name);
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let named = (1..=40).contains(&source.name.len()) && source.name.chars().all(plain);
    check.require(named, key("name"), "is no name", "use 1 to 40 of a-z, 0-9 and `-`");
    let url = Url::parse(&source.url).ok();
    let url = url.filter(|url| url.has_host() && url.username().is_empty() && url.password().is_none());
    let scheme = url.as_ref().map_or("", Url::scheme);
    check.require(
        scheme == "https" || (plain_http && scheme == "http"),
        key("url"),
        "is no https address without user name and password",
        "use https://host/path",
    );
    let pointed = source.pointer.starts_with('/') && source.pointer.len() <= 200;
    check.require(
        pointed,
        key("pointer"),
        "is no JSON pointer",
        "write it like /data/0/last",
    );
}
