//! A private PostgreSQL: TCP on 127.0.0.1 with passwords, no socket, roles and databases of ours.

use std::io::Write;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use nix::unistd::User;

use super::process::{Process, wait_until};
use super::state::{Credentials, DATABASE, OWNER};
use super::{ServicesOptions, install};

const READY_WITHIN: Duration = Duration::from_secs(60);

/// Where one server keeps its things, and as whom it runs.
pub(crate) struct Postgres {
    home: PathBuf,
    /// PostgreSQL refuses to run as root: then the packages' own user does it.
    user: Option<User>,
}

impl Postgres {
    /// The server whose data is in `home`, which is made if need be.
    pub(crate) fn in_folder(home: &Path) -> Result<Self> {
        let user = if nix::unistd::geteuid().is_root() {
            Some(unprivileged()?)
        } else {
            None
        };
        std::fs::create_dir_all(home).with_context(|| format!("cannot make {}", home.display()))?;
        if let Some(user) = &user {
            chown(home, Some(user.uid.as_raw()), Some(user.gid.as_raw())).context("cannot hand the folder over")?;
        }
        Ok(Self {
            home: home.to_owned(),
            user,
        })
    }

    /// Whether a server that runs as the user we would use can reach this folder.
    pub(crate) fn can_live_in(home: &Path) -> Result<bool> {
        let postgres = Self::in_folder(home)?;
        let status = postgres
            .command("sh")?
            .arg("-c")
            .arg("test -x \"$0\"")
            .arg(home)
            .status();
        Ok(status.context("cannot run sh")?.success())
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.home.join("log")
    }

    fn data(&self) -> PathBuf {
        self.home.join("data")
    }

    /// Makes the cluster if there is none. A half-made one, without its mark, is made anew.
    pub(crate) fn init(&self, owner_password: &str, durable: bool) -> Result<()> {
        let mark = self.home.join("initialised");
        if mark.exists() {
            return Ok(());
        }
        if self.data().exists() {
            std::fs::remove_dir_all(self.data()).context("cannot remove the half-made cluster")?;
        }
        let password_file = self.home.join("owner_password");
        std::fs::write(&password_file, owner_password).context("cannot write the password")?;
        std::fs::set_permissions(&password_file, std::fs::Permissions::from_mode(0o600)).context("permissions")?;
        if let Some(user) = &self.user {
            chown(&password_file, Some(user.uid.as_raw()), None).context("cannot hand the password over")?;
        }
        let mut initdb = self.command("initdb")?;
        initdb
            .arg("--pgdata")
            .arg(self.data())
            .arg("--pwfile")
            .arg(&password_file);
        initdb.args([
            "--username",
            OWNER,
            "--auth",
            "scram-sha-256",
            "--locale=C",
            "--encoding=UTF8",
            "--no-instructions",
        ]);
        if !durable {
            initdb.arg("--no-sync");
        }
        let output = initdb.output().context("cannot run initdb")?;
        std::fs::remove_file(&password_file).context("cannot remove the password")?;
        if !output.status.success() {
            bail!("initdb failed: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        std::fs::write(&mark, "").context("cannot mark the cluster as made")
    }

    /// Starts the server on `port` and answers at once; `wait` waits for it.
    pub(crate) fn start(&self, port: u16, options: &ServicesOptions) -> Result<Process> {
        let mut postgres = self.command("postgres")?;
        postgres.arg("-D").arg(self.data());
        let mut set = |setting: &str| {
            postgres.args(["-c", setting]);
        };
        set(&format!("port={port}"));
        set("listen_addresses=127.0.0.1");
        set("unix_socket_directories=");
        set("max_connections=600");
        if !options.durable {
            for setting in ["fsync=off", "synchronous_commit=off", "full_page_writes=off"] {
                set(setting);
            }
        }
        for setting in &options.postgres {
            set(setting);
        }
        Process::spawn(&mut postgres, &self.log())
    }

    /// Waits until the server takes logins, then makes roles and the database where missing.
    pub(crate) fn prepare(&self, process: &Process, port: u16, credentials: &Credentials) -> Result<()> {
        let psql = Psql {
            port,
            password: &credentials.owner,
        };
        let ready = wait_until(READY_WITHIN, || {
            if !process.is_alive() {
                bail!("PostgreSQL ended at once: see {}", self.log().display());
            }
            Ok(psql.run("postgres", "SELECT 1").is_ok())
        })?;
        if !ready {
            bail!("PostgreSQL does not answer: see {}", self.log().display());
        }
        psql.run("postgres", &roles_sql(credentials))?;
        if psql
            .run(
                "postgres",
                &format!("SELECT 1 FROM pg_database WHERE datname = '{DATABASE}'"),
            )?
            .is_empty()
        {
            psql.run("postgres", &format!("CREATE DATABASE {DATABASE} OWNER {OWNER}"))?;
        }
        Ok(())
    }

    fn command(&self, program: &str) -> Result<Command> {
        let mut command = Command::new(install::program(program)?);
        // anywhere else the other user might not be allowed to be
        command.current_dir("/").env_remove("PGDATA");
        if let Some(user) = &self.user {
            command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
        }
        Ok(command)
    }
}

fn unprivileged() -> Result<User> {
    for name in ["postgres", "nobody"] {
        if let Some(user) = User::from_name(name).context("cannot look users up")? {
            return Ok(user);
        }
    }
    bail!("PostgreSQL refuses to run as root, and there is neither a user `postgres` nor `nobody`")
}

/// The groups are what migrations grant rights to; the logins are what the processes use.
fn roles_sql(credentials: &Credentials) -> String {
    let mut sql = String::new();
    for (role, password) in [("api", &credentials.api), ("worker", &credentials.worker)] {
        sql.push_str(&format!(
            "DO $$ BEGIN
                IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'switchyard_{role}') THEN
                    CREATE ROLE switchyard_{role} NOLOGIN;
                END IF;
                IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'switchyard_{role}_login') THEN
                    CREATE ROLE switchyard_{role}_login LOGIN;
                END IF;
            END $$;
            ALTER ROLE switchyard_{role}_login PASSWORD '{password}';
            GRANT switchyard_{role} TO switchyard_{role}_login;\n"
        ));
    }
    sql
}

/// `psql` as the owner. SQL goes in through standard input, the password through the environment: neither is in `ps`.
pub(crate) struct Psql<'a> {
    pub(crate) port: u16,
    pub(crate) password: &'a str,
}

impl Psql<'_> {
    /// `pgbench`, logged in; what it is to run is for the caller to add.
    pub(crate) fn pgbench(&self, database: &str) -> Result<Command> {
        let mut command = Command::new(install::program("pgbench")?);
        command
            .args([
                "--host=127.0.0.1",
                "--username",
                OWNER,
                "--port",
                &self.port.to_string(),
            ])
            .env("PGPASSWORD", self.password)
            .env("PGDATABASE", database);
        Ok(command)
    }

    /// Runs statements; answers rows, one a line, columns parted by tabs.
    pub(crate) fn run(&self, database: &str, sql: &str) -> Result<String> {
        let mut child = Command::new(install::program("psql")?)
            .args([
                "--no-psqlrc",
                "--quiet",
                "--tuples-only",
                "--no-align",
                "--field-separator=\t",
            ])
            .args([
                "--set=ON_ERROR_STOP=1",
                "--no-password",
                "--host=127.0.0.1",
                "--username",
                OWNER,
            ])
            .args(["--port", &self.port.to_string(), "--dbname", database, "--file=-"])
            .env("PGPASSWORD", self.password)
            .env("PGCONNECT_TIMEOUT", "5")
            .env("PGOPTIONS", "-c client_min_messages=warning")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("cannot run psql")?;
        let mut stdin = child.stdin.take().context("psql has no standard input")?;
        let written = stdin.write_all(sql.as_bytes());
        drop(stdin);
        let output = child.wait_with_output().context("cannot wait for psql")?;
        if !output.status.success() {
            bail!("psql: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        written.context("psql did not read the SQL")?;
        String::from_utf8(output.stdout).context("psql's answer")
    }
}
