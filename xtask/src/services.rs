//! PostgreSQL and Redis of this checkout's own, on free ports of 127.0.0.1. Whatever else runs on the machine is
//! neither used nor touched; what was started here is recognised by process id and start time.

mod ephemeral;
mod install;
mod postgres;
mod process;
mod redis;
mod state;

use std::fs::{File, OpenOptions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::signal::Signal;
use serde::{Deserialize, Serialize};

pub(crate) use ephemeral::Ephemeral;
pub(crate) use install::beside;
use postgres::{Postgres, Psql};
pub(crate) use process::{Process, wait_until};
use redis::Redis;
pub(crate) use state::DATABASE;
use state::{Credentials, OWNER, Server, Servers};
pub(crate) use state::{free_port, read_json, write_json};

use crate::repo;

/// A start is tried again for so long: another program may have taken the port before the server had it, and after a
/// crash the last of PostgreSQL's processes may still hold its memory.
const START_WITHIN: Duration = Duration::from_secs(10);
const START_PAUSE: Duration = Duration::from_millis(300);
/// Where everybody gets, and a file system in memory, where there is one.
const ELSEWHERE: &str = "/var/tmp";
const MEMORY: &str = "/dev/shm";
/// PostgreSQL keeps about a gigabyte of its log, and the databases that tests use at a time some hundred megabytes.
#[cfg(target_os = "linux")]
const MEMORY_BYTES: u64 = 4 << 30;

/// Which instance, and how.
#[derive(Debug, Clone)]
pub(crate) struct ServicesOptions {
    /// Its name: data, ports and passwords are the instance's own.
    pub(crate) name: String,
    /// Whether data must outlive the machine's crash. Tests go without and are faster.
    pub(crate) durable: bool,
    /// Whether PostgreSQL's data is kept in memory alone.
    pub(crate) in_memory: bool,
    /// Further settings of PostgreSQL, as `name=value`.
    pub(crate) postgres: Vec<String>,
}

/// A running instance.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Services {
    pub(crate) name: String,
    /// The owner's login to the database `postgres`: may make databases.
    pub(crate) database_admin_url: String,
    /// The owner's login to the product's database: runs migrations.
    pub(crate) database_owner_url: String,
    /// The API's login.
    pub(crate) database_api_url: String,
    /// The workers' login.
    pub(crate) database_worker_url: String,
    /// Redis, with its password.
    pub(crate) redis_url: String,
    postgres: Server,
    redis: Server,
}

impl Services {
    /// Starts what does not run yet; installs what is missing. What runs already is used as it is.
    pub(crate) fn ensure(options: &ServicesOptions) -> Result<Self> {
        install::ensure()?;
        let dir = state::instance_dir(&repo::root(), &options.name)?;
        std::fs::DirBuilder::new()
            .recursive(true)
            .create(&dir)
            .context("cannot make the services' folder")?;
        let _one_at_a_time = lock(&dir)?;
        let credentials = Credentials::of(&dir)?;
        let mut servers = read_servers(&dir)?;
        start_redis(&dir, &mut servers, &credentials, options)?;
        start_postgres(&dir, &mut servers, &credentials, options)?;
        match servers {
            Servers {
                postgres: Some(postgres),
                redis: Some(redis),
            } => Ok(Self::describe(&options.name, &credentials, postgres, redis)),
            _ => bail!("the services were started but not noted"),
        }
    }

    /// Stops the instance of this name; its data stays. One that does not run is fine.
    pub(crate) fn stop_named(name: &str) -> Result<()> {
        let dir = state::instance_dir(&repo::root(), name)?;
        if !dir.exists() {
            return Ok(());
        }
        let _one_at_a_time = lock(&dir)?;
        let servers: Servers = read_servers(&dir)?;
        // SIGINT is PostgreSQL's fast shutdown: it does not wait for clients
        for (server, signal) in [(&servers.postgres, Signal::SIGINT), (&servers.redis, Signal::SIGTERM)] {
            if let Some(server) = server {
                server.process.stop(signal)?;
            }
        }
        Ok(())
    }

    /// Stops the instance of this name and removes its data.
    pub(crate) fn remove(name: &str) -> Result<()> {
        Self::stop_named(name)?;
        let dir = state::instance_dir(&repo::root(), name)?;
        for folder in [outside(MEMORY, &dir), outside(ELSEWHERE, &dir), dir] {
            match std::fs::remove_dir_all(&folder) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(error).with_context(|| format!("cannot remove {}", folder.display()));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// `psql` as the owner.
    pub(crate) fn psql(&self) -> Result<PsqlLogin> {
        let credentials = Credentials::of(&state::instance_dir(&repo::root(), &self.name)?)?;
        Ok(PsqlLogin {
            port: self.postgres.port,
            password: credentials.owner,
        })
    }

    /// `pgbench` as the owner.
    pub(crate) fn pgbench(&self, database: &str) -> Result<std::process::Command> {
        let login = self.psql()?;
        let psql = Psql {
            port: login.port,
            password: &login.password,
        };
        psql.pgbench(database)
    }

    /// What Redis says of itself under this heading.
    pub(crate) fn redis_info(&self, section: &str) -> Result<String> {
        let credentials = Credentials::of(&state::instance_dir(&repo::root(), &self.name)?)?;
        redis::info(self.redis.port, &credentials.redis, section).context("Redis does not answer")
    }

    /// The ids of both servers' first processes.
    pub(crate) const fn pids(&self) -> [(&'static str, i32); 2] {
        [
            ("postgres", self.postgres.process.pid),
            ("redis", self.redis.process.pid),
        ]
    }

    /// Everything about it, for people and programs.
    pub(crate) fn to_json(&self) -> Result<String> {
        serde_json::to_string_pretty(self).context("cannot write JSON")
    }

    fn describe(name: &str, credentials: &Credentials, postgres: Server, redis: Server) -> Self {
        let database = |user: &str, password: &str, database: &str| {
            format!("postgres://{user}:{password}@127.0.0.1:{}/{database}", postgres.port)
        };
        Self {
            name: name.to_owned(),
            database_admin_url: database(OWNER, &credentials.owner, "postgres"),
            database_owner_url: database(OWNER, &credentials.owner, DATABASE),
            database_api_url: database("switchyard_api_login", &credentials.api, DATABASE),
            database_worker_url: database("switchyard_worker_login", &credentials.worker, DATABASE),
            redis_url: format!("redis://default:{}@127.0.0.1:{}/0", credentials.redis, redis.port),
            postgres,
            redis,
        }
    }
}

/// The owner's way into `psql`.
pub(crate) struct PsqlLogin {
    port: u16,
    password: String,
}

impl PsqlLogin {
    /// Runs SQL; answers rows, one a line, columns parted by tabs.
    pub(crate) fn run(&self, database: &str, sql: &str) -> Result<String> {
        Psql {
            port: self.port,
            password: &self.password,
        }
        .run(database, sql)
    }
}

/// What is known of an instance, as JSON.
pub(crate) fn status(name: &str) -> Result<String> {
    let dir = state::instance_dir(&repo::root(), name)?;
    let servers = read_servers(&dir)?;
    let running = |server: &Option<Server>| server.as_ref().is_some_and(|server| server.process.is_alive());
    if let (Some(postgres), Some(redis), true, true) = (
        &servers.postgres,
        &servers.redis,
        running(&servers.postgres),
        running(&servers.redis),
    ) {
        return Services::describe(name, &Credentials::of(&dir)?, postgres.clone(), redis.clone()).to_json();
    }
    let status = serde_json::json!({
        "name": name,
        "postgres_running": running(&servers.postgres),
        "redis_running": running(&servers.redis),
    });
    serde_json::to_string_pretty(&status).context("cannot write JSON")
}

fn start_redis(dir: &Path, servers: &mut Servers, credentials: &Credentials, options: &ServicesOptions) -> Result<()> {
    let redis = Redis::in_folder(&dir.join("redis"))?;
    let before = servers.redis.take();
    servers.redis = Some(start(
        before,
        |port| redis.start(port, &credentials.redis, options.durable),
        |server| {
            note(
                dir,
                &Servers {
                    redis: Some(server.clone()),
                    postgres: servers.postgres.clone(),
                },
            )?;
            redis.wait(&server.process, server.port, &credentials.redis)
        },
    )?);
    note(dir, servers)
}

fn start_postgres(
    dir: &Path,
    servers: &mut Servers,
    credentials: &Credentials,
    options: &ServicesOptions,
) -> Result<()> {
    let postgres = Postgres::in_folder(&postgres_home(dir, options.in_memory)?)?;
    postgres.init(&credentials.owner, options.durable)?;
    let before = servers.postgres.take();
    servers.postgres = Some(start(
        before,
        |port| postgres.start(port, options),
        |server| {
            note(
                dir,
                &Servers {
                    postgres: Some(server.clone()),
                    redis: servers.redis.clone(),
                },
            )?;
            postgres.prepare(&server.process, server.port, credentials)
        },
    )?);
    note(dir, servers)
}

/// The server that runs already, or a new one that `wait` has found ready. `wait` notes it first, so that it can be
/// stopped whatever happens to us.
fn start(
    before: Option<Server>,
    spawn: impl Fn(u16) -> Result<process::Process>,
    wait: impl Fn(&Server) -> Result<()>,
) -> Result<Server> {
    if let Some(running) = before.clone().filter(|server| server.process.is_alive()) {
        wait(&running)?;
        return Ok(running);
    }
    let preferred = before.map(|server| server.port);
    let begin = Instant::now();
    loop {
        let port = state::free_port(preferred)?;
        let server = Server {
            process: spawn(port)?,
            port,
        };
        let Err(error) = wait(&server) else { return Ok(server) };
        server.process.stop(Signal::SIGINT)?;
        if begin.elapsed() > START_WITHIN {
            return Err(error);
        }
        std::thread::sleep(START_PAUSE);
    }
}

fn note(dir: &Path, servers: &Servers) -> Result<()> {
    state::write_json(&dir.join("state.json"), servers)
}

fn read_servers(dir: &Path) -> Result<Servers> {
    Ok(state::read_json(&dir.join("state.json"))?.unwrap_or_default())
}

/// Keeps other commands off the instance until dropped.
fn lock(dir: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    let file = options
        .create(true)
        .truncate(false)
        .write(true)
        .open(dir.join("lock"))
        .context("cannot open the lock")?;
    file.lock().context("cannot lock the instance")?;
    Ok(file)
}

/// PostgreSQL's folder: in the instance's, or elsewhere if the user it runs as cannot get there (a checkout in /root).
fn postgres_home(dir: &Path, in_memory: bool) -> Result<PathBuf> {
    let home = dir.join("postgres");
    if !in_memory && Postgres::can_live_in(&home)? {
        return Ok(home);
    }
    let base = outside(if in_memory { MEMORY } else { ELSEWHERE }, dir);
    match std::fs::DirBuilder::new().mode(0o711).create(&base) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
            return Err(error).with_context(|| format!("cannot make {}", base.display()));
        }
        _ => {}
    }
    let owner = std::fs::symlink_metadata(&base).context("cannot look at the folder")?;
    if !owner.is_dir() || owner.uid() != nix::unistd::geteuid().as_raw() {
        bail!("{} is somebody else's", base.display());
    }
    Ok(base.join("postgres"))
}

/// The folder in `place` that is this instance's.
fn outside(place: &str, dir: &Path) -> PathBuf {
    let mut hasher = DefaultHasher::new();
    dir.hash(&mut hasher);
    PathBuf::from(format!("{place}/switchyard-{:016x}", hasher.finish()))
}

/// Whether there is memory for data that nobody keeps, and for whatever else runs.
#[cfg(target_os = "linux")]
pub(crate) fn has_memory() -> bool {
    nix::sys::statvfs::statvfs(MEMORY)
        .is_ok_and(|fs| fs.blocks_available().saturating_mul(fs.fragment_size()) >= MEMORY_BYTES)
}

#[cfg(not(target_os = "linux"))]
pub(crate) const fn has_memory() -> bool {
    false
}
