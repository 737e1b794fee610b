//! Rules about numbers, names and schedules, and how they must fit together.

use std::collections::BTreeSet;
use std::str::FromStr;

use chrono::DateTime;
use kernel::Asset;

use super::Check;
use crate::{Network, Settings};

const HOUR_MS: u64 = 3_600_000;
const YEAR_S: i64 = 31_536_000;

pub(super) fn database(settings: &Settings, check: &mut Check) {
    let database = &settings.database;
    check.range("database.max_connections", database.max_connections, 1, 1_000);
    check.range("database.connect_timeout_ms", database.connect_timeout_ms, 100, 60_000);
    check.range("database.acquire_timeout_ms", database.acquire_timeout_ms, 100, 60_000);
    check.range(
        "database.statement_timeout_ms",
        database.statement_timeout_ms,
        100,
        HOUR_MS,
    );
}

pub(super) fn check(settings: &Settings, check: &mut Check) {
    processes(settings, check);
    operators(settings, check);
    orders(settings, check);
    pool(settings, check);
    deposits(settings, check);
    jobs(settings, check);
    schedules(settings, check);
    webhooks(settings, check);
    limits(settings, check);
    for (name, found) in &settings.networks {
        network(name, found, check);
    }
}

fn processes(settings: &Settings, check: &mut Check) {
    let (redis, api, worker) = (&settings.redis, &settings.api, &settings.worker);
    check.range("redis.response_timeout_ms", redis.response_timeout_ms, 100, 60_000);
    check.range("redis.connect_timeout_ms", redis.connect_timeout_ms, 100, 60_000);
    check.range("api.request_timeout_ms", api.request_timeout_ms, 100, 120_000);
    check.range("api.ip_requests_per_minute", api.ip_requests_per_minute, 0, 1_000_000);
    check.range("api.hsts_max_age_s", api.hsts_max_age_s, 0, 63_072_000);
    check.range("api.max_body_bytes", api.max_body_bytes, 1_024, 1_048_576);
    check.range("api.max_concurrent_requests", api.max_concurrent_requests, 1, 100_000);
    check.range("api.drain_timeout_ms", api.drain_timeout_ms, 1_000, 300_000);
    // a job that outlives this is given to another worker while it still runs here
    check.range("worker.drain_timeout_ms", worker.drain_timeout_ms, 1_000, 100_000);
    let names: BTreeSet<&String> = worker.queues.iter().collect();
    let distinct = !names.is_empty() && names.len() == worker.queues.len();
    check.require(
        distinct,
        "worker.queues",
        "is empty or names a queue twice",
        "name each queue once",
    );
    for queue in names {
        let key = format!("worker.concurrency.{queue}");
        match worker.concurrency.get(queue) {
            Some(concurrency) => check.range(key, *concurrency, 1, 512),
            None => check.problem(
                key,
                "is missing",
                "give a number of jobs, or take the queue out of worker.queues",
            ),
        }
    }
}

fn operators(settings: &Settings, check: &mut Check) {
    let operators = &settings.operators;
    check.range("operators.access_ttl_s", operators.access_ttl_s, 30, 3_600);
    check.range("operators.session_ttl_s", operators.session_ttl_s, 600, 2_592_000);
    check.range(
        "operators.requests_per_minute",
        operators.requests_per_minute,
        10,
        1_000_000,
    );
    check.range(
        "operators.ip_sign_ins_per_minute",
        operators.ip_sign_ins_per_minute,
        1,
        1_000_000,
    );
    // a session that nobody refreshes in time must not end before its access token
    check.range(
        "operators.session_idle_s",
        operators.session_idle_s,
        operators.access_ttl_s.max(60),
        operators.session_ttl_s,
    );
}

fn orders(settings: &Settings, check: &mut Check) {
    let orders = &settings.orders;
    check.range("orders.energy_min", orders.energy_min, 1, 1_000_000_000_000);
    check.range(
        "orders.energy_max",
        orders.energy_max,
        orders.energy_min,
        1_000_000_000_000,
    );
    check.range("orders.duration_min_s", orders.duration_min_s, 60, YEAR_S);
    check.range(
        "orders.duration_max_s",
        orders.duration_max_s,
        orders.duration_min_s,
        YEAR_S,
    );
    check.range("orders.deadline_s", orders.deadline_s, 10, 86_400);
    check.range("orders.quote_s", orders.quote_s, 5, 3_600);
    check.range(
        "orders.quote_stock_energy",
        orders.quote_stock_energy,
        0,
        1_000_000_000_000,
    );
    check.range("orders.max_attempts", orders.max_attempts, 1, 100);
    check.range("orders.max_parts", orders.max_parts, 1, 20);
    check.range("orders.part_energy_min", orders.part_energy_min, 1, 1_000_000_000_000);
    check.range("orders.standing_interval_s", orders.standing_interval_s, 3, 3_600);
    check.range(
        "orders.standing_lead_s",
        orders.standing_lead_s,
        0,
        orders.duration_min_s / 2,
    );
    check.range("orders.stake_margin_bps", orders.stake_margin_bps, 0, 5_000);
    check.range("orders.receiver_check_ttl_s", orders.receiver_check_ttl_s, 0, 604_800);
    check.range("orders.retry_base_ms", orders.retry_base_ms, 10, HOUR_MS);
    check.range(
        "orders.retry_max_ms",
        orders.retry_max_ms,
        orders.retry_base_ms,
        HOUR_MS,
    );
    let known = settings.networks.contains_key(&orders.network);
    check.require(
        known,
        "orders.network",
        format!("is `{}`, which [networks] does not have", orders.network),
        {
            let names: Vec<&str> = settings.networks.keys().map(String::as_str).collect();
            format!("use one of: {}", names.join(", "))
        },
    );
}

fn pool(settings: &Settings, check: &mut Check) {
    let pool = &settings.pool;
    check.range("pool.isolate_after_failures", pool.isolate_after_failures, 1, 1_000);
    check.range("pool.failure_window_s", pool.failure_window_s, 60, 604_800);
    check.range("pool.probation_after_s", pool.probation_after_s, 60, 86_400);
    check.range("pool.sync_interval_s", pool.sync_interval_s, 1, 86_400);
    check.range("pool.sync_margin_blocks", pool.sync_margin_blocks, 0, 1_000);
    check.range("pool.low_stock_energy", pool.low_stock_energy, 0, i64::MAX);
    check.range("pool.min_bandwidth", pool.min_bandwidth, 0, 1_000_000);
    check.range("pool.snapshot_keep_days", pool.snapshot_keep_days, 31, 3_660);
}

fn deposits(settings: &Settings, check: &mut Check) {
    let deposits = &settings.deposits;
    let known = settings.networks.contains_key(&deposits.network);
    check.require(
        known,
        "deposits.network",
        format!("is `{}`, which [networks] does not have", deposits.network),
        "name a section of [networks]",
    );
    let has = |way: &str| deposits.ways.iter().any(|enabled| enabled == way);
    let ways: BTreeSet<&str> = deposits.ways.iter().map(String::as_str).collect();
    let ways = ways.len() == deposits.ways.len() && ways.iter().all(|way| ["address", "amount"].contains(way));
    check.require(
        ways,
        "deposits.ways",
        "names a way twice or one that there is not",
        "use `address` and `amount`",
    );
    // an account's public key begins with xpub; a private one would begin with xprv, and must never come here
    let xpub = &deposits.account_xpub;
    let public = xpub.starts_with("xpub") && xpub.len() == 111 && xpub.bytes().all(|b| b.is_ascii_alphanumeric());
    check.require(
        if xpub.is_empty() { !has("address") } else { public },
        "deposits.account_xpub",
        "is not the public key of an account",
        "give the xpub of m/44'/195'/0', never an xprv",
    );
    let shared = &deposits.shared_address;
    check.require(
        if shared.is_empty() {
            !has("amount")
        } else {
            is_address(shared)
        },
        "deposits.shared_address",
        "is not an address",
        "write it as T…",
    );
    check.require(
        deposits.blocked_senders.iter().all(|sender| is_address(sender)),
        "deposits.blocked_senders",
        "has an entry that is not an address",
        "write them as T…",
    );
    check.require(
        deposits.reserve_addresses.len() <= 50 && deposits.reserve_addresses.iter().all(|address| is_address(address)),
        "deposits.reserve_addresses",
        "has an entry that is not an address, or more than 50",
        "write them as T…",
    );
    check.range("deposits.expiry_s", deposits.expiry_s, 60, 30 * 86_400);
    check.range(
        "deposits.amount_quarantine_s",
        deposits.amount_quarantine_s,
        3_600,
        YEAR_S,
    );
    check.range("deposits.dust_trx_sun", deposits.dust_trx_sun, 1, 1_000_000_000);
    check.range("deposits.dust_usdt_micro", deposits.dust_usdt_micro, 1, 1_000_000_000);
}

fn network(name: &str, network: &Network, check: &mut Check) {
    let key = |field: &str| format!("networks.{name}.{field}");
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let named = (1..=40).contains(&name.len()) && name.chars().all(plain);
    check.require(
        named,
        format!("networks.{name}"),
        "is no name for a network",
        "use 1 to 40 of a-z, 0-9 and `-`",
    );
    check.range(key("poll_interval_ms"), network.poll_interval_ms, 10, 60_000);
    check.range(key("max_blocks_per_fetch"), network.max_blocks_per_fetch, 1, 100);
    check.range(key("lease_ms"), network.lease_ms, 1_000, 300_000);
    // the chain itself refuses an expiry of a day or more
    check.range(key("transaction_expiry_s"), network.transaction_expiry_s, 10, 3_600);
    check.range(
        key("resend_after_ms"),
        network.resend_after_ms,
        100,
        network.transaction_expiry_s.saturating_mul(1_000),
    );
    check.range(key("max_fork_depth"), network.max_fork_depth, 1, 1_000);
    // below max_fork_depth a fork could not be followed back; from 65,536 on reference blocks would be ambiguous
    check.range(
        key("keep_blocks"),
        network.keep_blocks,
        network.max_fork_depth.saturating_mul(2),
        65_000,
    );
    check.range(
        key("max_response_bytes"),
        network.max_response_bytes,
        1_048_576,
        268_435_456,
    );
    for (asset, contract) in &network.tokens {
        let key = key(&format!("tokens.{asset}"));
        let known = asset
            .to_uppercase()
            .parse::<Asset>()
            .is_ok_and(|named| named != Asset::Trx);
        let lower = *asset == asset.to_lowercase();
        check.require(known && lower, &key, "is no token that the ledger keeps", "use usdt");
        check.require(
            is_address(contract),
            &key,
            "is not a contract's address",
            "write it as T…",
        );
    }
}

/// Whether a text has the form of an address of this family of chains. Its checksum is looked at where it is used.
pub(super) fn is_address(text: &str) -> bool {
    let base58 = |b: u8| b.is_ascii_alphanumeric() && !matches!(b, b'0' | b'O' | b'I' | b'l');
    text.len() == 34 && text.starts_with('T') && text.bytes().all(base58)
}

fn jobs(settings: &Settings, check: &mut Check) {
    let jobs = &settings.jobs;
    check.range("jobs.dispatch_interval_ms", jobs.dispatch_interval_ms, 10, 60_000);
    check.range("jobs.max_redis_depth", jobs.max_redis_depth, 1, 7_999);
    check.range("jobs.push_batch", jobs.push_batch, 1, jobs.max_redis_depth);
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
    let named = (1..=40).contains(&jobs.redis_namespace.len()) && jobs.redis_namespace.chars().all(plain);
    check.require(
        named,
        "jobs.redis_namespace",
        "is no name",
        "use 1 to 40 of a-z, 0-9, `-` and `_`",
    );
}

fn schedules(settings: &Settings, check: &mut Check) {
    for (name, schedule) in &settings.schedules {
        let key = format!("schedules.{name}.cron");
        let six = schedule.cron.split_whitespace().count() == 6;
        let fires = |parsed: cron::Schedule| parsed.after(&DateTime::UNIX_EPOCH).next().is_some();
        let readable = six && cron::Schedule::from_str(&schedule.cron).is_ok_and(fires);
        let remedy = "use six fields: second minute hour day-of-month month day-of-week";
        check.require(
            readable,
            key,
            format!("is `{}`, which never fires", schedule.cron),
            remedy,
        );
    }
}

fn webhooks(settings: &Settings, check: &mut Check) {
    let webhooks = &settings.webhooks;
    let open = webhooks.allow_private_networks && check.production;
    check.require(
        !open,
        "webhooks.allow_private_networks",
        "lets customers' addresses reach into your own network",
        "leave it false outside development and tests",
    );
    // a run begins no send after half a minute, and must end before its job counts as lost
    check.range("webhooks.timeout_ms", webhooks.timeout_ms, 100, 30_000);
    check.range(
        "webhooks.in_flight_per_endpoint",
        webhooks.in_flight_per_endpoint,
        1,
        100,
    );
    check.range("webhooks.messages_per_run", webhooks.messages_per_run, 1, 10_000);
    check.range("webhooks.look_interval_ms", webhooks.look_interval_ms, 10, 60_000);
    check.range("webhooks.keep_days", webhooks.keep_days, 4, 3_650);
}

fn limits(settings: &Settings, check: &mut Check) {
    let limits = &settings.limits;
    check.range("limits.page_size_max", limits.page_size_max, 1, 1_000);
    check.range(
        "limits.orders_per_minute_per_key",
        limits.orders_per_minute_per_key,
        1,
        1_000_000,
    );
    check.range(
        "limits.idempotency_retention_days",
        limits.idempotency_retention_days,
        30,
        3_650,
    );
    let filter = crate::telemetry::parse_filter(&settings.telemetry.log_filter);
    if let Err(error) = filter {
        check.problem(
            "telemetry.log_filter",
            format!("is not a filter ({error})"),
            "write it like `info,switchyard_api=debug`",
        );
    }
}
