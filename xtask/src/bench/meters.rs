//! Counters before and after: PostgreSQL, Redis, the node, and the processes. Differences, by order, are what an order
//! costs.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use super::cpu;
use crate::services::{DATABASE, Services, beside};
use crate::stage::Stage;
use crate::stage::children::Children;

/// What PostgreSQL is started with: the disk is waited for, commits carry their time, and statements are counted where
/// the library for that is installed; how long their planning takes, only on request, since watching it costs.
pub(crate) fn postgres_settings(watch_planning: bool) -> Vec<&'static str> {
    let mut settings = vec!["track_commit_timestamp=on"];
    if counts_statements() {
        settings.extend([
            "shared_preload_libraries=pg_stat_statements",
            "pg_stat_statements.track=all",
        ]);
    }
    if counts_statements() && watch_planning {
        settings.push("pg_stat_statements.track_planning=on");
    }
    settings
}

/// The library that counts statements.
pub(crate) const STATEMENTS: &str = "pg_stat_statements";
/// Before PostgreSQL 18 the syncs of the log were counted elsewhere.
const SYNCS_MOVED: i64 = 180_000;

/// PostgreSQL's counters.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Database {
    /// Transactions that wrote: each has an id.
    writes: i64,
    /// Of these, those that did not wait for the disk; unknown without the library that counts statements.
    lazy: Option<i64>,
    /// All that ended well, reads included.
    commits: i64,
    wal_bytes: i64,
    wal_syncs: i64,
    full_pages: i64,
}

/// All counters at one moment.
#[derive(Debug)]
pub(crate) struct Meters {
    database: Database,
    redis: BTreeMap<String, i64>,
    /// Calls by path; a foreign node does not tell.
    node: Option<BTreeMap<String, i64>>,
    cpu_ms: BTreeMap<String, i64>,
}

/// What happened between two moments.
#[derive(Debug)]
pub(crate) struct Used {
    pub(crate) writes: i64,
    pub(crate) durable: Option<i64>,
    pub(crate) commits: i64,
    pub(crate) wal_bytes: i64,
    pub(crate) wal_syncs: i64,
    pub(crate) full_pages: i64,
    pub(crate) redis: BTreeMap<String, i64>,
    pub(crate) node: Option<BTreeMap<String, i64>>,
    pub(crate) cpu_ms: BTreeMap<String, i64>,
}

/// Whether statements are counted.
pub(crate) fn counts_statements() -> bool {
    beside(STATEMENTS)
}

/// Makes what counting needs.
pub(crate) fn prepare(services: &Services) -> Result<()> {
    if counts_statements() {
        let sql = format!("CREATE EXTENSION IF NOT EXISTS {STATEMENTS}");
        services.psql()?.run(DATABASE, &sql)?;
    }
    Ok(())
}

impl Database {
    /// Reads them. Connections tell what they did when they end, at the latest: the processes have to be stopped first.
    fn read(services: &Services) -> Result<Self> {
        let psql = services.psql()?;
        let version: i64 = number(&psql.run(DATABASE, "SHOW server_version_num")?)?;
        let syncs = if version < SYNCS_MOVED {
            "SELECT wal_sync FROM pg_stat_wal"
        } else {
            "SELECT sum(fsyncs) FROM pg_stat_io WHERE object = 'wal'"
        };
        let row = psql.run(
            DATABASE,
            &format!(
                "SELECT pg_snapshot_xmax(pg_current_snapshot()), (SELECT sum(xact_commit) FROM pg_stat_database), \
                 pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0'), ({syncs}), (SELECT wal_fpi FROM pg_stat_wal)"
            ),
        )?;
        let fields = row.trim().split('\t').map(number).collect::<Result<Vec<_>>>()?;
        let &[writes, commits, wal_bytes, wal_syncs, full_pages] = &fields[..] else {
            bail!("PostgreSQL told {} figures", fields.len());
        };
        // whoever gives up waiting says so in the statement itself, see core/db/src/lazily.rs; a call without a row wrote
        // nothing, and one with several wrote once
        let lazy =
            "SELECT COALESCE(sum(least(calls, rows)), 0) FROM pg_stat_statements WHERE query LIKE '%set_config(%'";
        Ok(Self {
            writes,
            lazy: counts_statements()
                .then(|| number(&psql.run(DATABASE, lazy)?))
                .transpose()?,
            commits,
            wal_bytes,
            wal_syncs,
            full_pages,
        })
    }
}

impl Meters {
    /// What the processes and the node count; the database's and Redis' figures are those of `before` until
    /// [`Self::with_services`] reads them.
    pub(crate) fn read(services: &Services, stage: &Stage, children: &Children) -> Result<Self> {
        let pids = children.pids().chain(services.pids());
        Ok(Self {
            database: Database::read(services)?,
            redis: redis(&services.redis_info("commandstats")?),
            node: node(stage)?,
            cpu_ms: pids
                .filter_map(|(name, pid)| Some((name.to_owned(), i64::try_from(cpu::of_tree(pid)?).ok()?)))
                .collect(),
        })
    }

    /// Reads again what the servers count, once their clients are gone; the rest stays as it was.
    pub(crate) fn with_services(mut self, services: &Services) -> Result<Self> {
        self.database = Database::read(services)?;
        self.redis = redis(&services.redis_info("commandstats")?);
        for (name, pid) in services.pids() {
            if let Some(ms) = cpu::of_tree(pid).and_then(|ms| i64::try_from(ms).ok()) {
                self.cpu_ms.insert(name.to_owned(), ms);
            }
        }
        Ok(self)
    }

    /// What happened since `before`.
    pub(crate) fn since(&self, before: &Self) -> Used {
        let (now, then) = (self.database, before.database);
        let writes = now.writes - then.writes;
        let lazy = now.lazy.zip(then.lazy).map(|(now, then)| now - then);
        Used {
            writes,
            durable: lazy.map(|lazy| writes - lazy),
            commits: now.commits - then.commits,
            wal_bytes: now.wal_bytes - then.wal_bytes,
            wal_syncs: now.wal_syncs - then.wal_syncs,
            full_pages: now.full_pages - then.full_pages,
            redis: differences(&self.redis, &before.redis),
            node: self
                .node
                .as_ref()
                .zip(before.node.as_ref())
                .map(|(now, then)| differences(now, then)),
            cpu_ms: differences(&self.cpu_ms, &before.cpu_ms),
        }
    }
}

fn number(text: &str) -> Result<i64> {
    let text = text.trim();
    text.parse().with_context(|| format!("`{text}` is no number"))
}

/// What grew, and by how much.
fn differences(now: &BTreeMap<String, i64>, then: &BTreeMap<String, i64>) -> BTreeMap<String, i64> {
    now.iter()
        .map(|(name, now)| (name.clone(), now - then.get(name).copied().unwrap_or_default()))
        .filter(|(_, grown)| *grown != 0)
        .collect()
}

/// Calls by command, those that scripts make included. Lines look like `cmdstat_zadd:calls=3,usec=5,...`.
fn redis(info: &str) -> BTreeMap<String, i64> {
    let command = |line: &str| {
        let (name, rest) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
        Some((name.to_owned(), rest.split(',').next()?.parse().ok()?))
    };
    info.lines()
        .filter_map(command)
        .filter(|(name, _): &(String, i64)| !matches!(name.as_str(), "info" | "auth"))
        .collect()
}

#[derive(Deserialize)]
struct Status {
    calls: BTreeMap<String, i64>,
}

fn node(stage: &Stage) -> Result<Option<BTreeMap<String, i64>>> {
    let Ok(admin) = stage.devnet.admin() else {
        return Ok(None);
    };
    Ok(Some(admin.get::<Status>("/status")?.calls))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redis_commands_are_counted_and_our_own_questions_are_not() {
        let info = "$99\r\n# Commandstats\r\ncmdstat_zadd:calls=3,usec=5,usec_per_call=1.6\r\n\
                    cmdstat_config|get:calls=2,usec=1\r\ncmdstat_info:calls=9,usec=1\r\n";
        let calls = redis(info);
        assert_eq!(calls, BTreeMap::from([("zadd".into(), 3), ("config|get".into(), 2)]));
    }

    #[test]
    fn what_did_not_grow_is_left_out() {
        let map = |pairs: &[(&str, i64)]| pairs.iter().map(|(name, n)| ((*name).to_owned(), *n)).collect();
        let (then, now): (BTreeMap<_, _>, BTreeMap<_, _>) =
            (map(&[("a", 1), ("b", 2)]), map(&[("a", 1), ("b", 5), ("c", 7)]));
        assert_eq!(differences(&now, &then), map(&[("b", 3), ("c", 7)]));
    }

    #[test]
    fn commits_that_do_not_wait_are_no_durable_ones() {
        let database = |writes, lazy| Database {
            writes,
            lazy,
            commits: 0,
            wal_bytes: 0,
            wal_syncs: 0,
            full_pages: 0,
        };
        let meters = |database| Meters {
            database,
            redis: BTreeMap::new(),
            node: None,
            cpu_ms: BTreeMap::new(),
        };
        let used = meters(database(110, Some(40))).since(&meters(database(10, Some(10))));
        assert_eq!((used.writes, used.durable), (100, Some(70)));
        let unknown = meters(database(110, None)).since(&meters(database(10, None)));
        assert_eq!(unknown.durable, None);
    }
}
