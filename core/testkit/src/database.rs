//! A database of its own for each test, cloned from a template that is migrated once.

use std::time::Duration;

use db::{Pool, PoolConfig, build_pool};
use diesel_async::{AsyncConnection, AsyncPgConnection, SimpleAsyncConnection};
use tokio::sync::OnceCell;

/// Whose rights a pool has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Owns the schema; for set-up and for tests of the database itself.
    Owner,
    /// What the API process may do.
    Api,
    /// What a worker may do.
    Worker,
}

/// A fresh database; dropped with its connections soon after the value is, as far as that is possible.
#[derive(Debug)]
pub struct TestDb {
    name: String,
    admin_url: String,
}

static TEMPLATE: OnceCell<String> = OnceCell::const_new();

impl TestDb {
    /// Clones the migrated template.
    ///
    /// # Panics
    /// When the services are not there: run the tests with `cargo xtask test`.
    pub async fn new() -> Self {
        let admin_url = std::env::var("SWITCHYARD_TEST_DATABASE_URL")
            .expect("SWITCHYARD_TEST_DATABASE_URL is not set: run the tests with `cargo xtask test`");
        let template = TEMPLATE.get_or_init(|| make_template(admin_url.clone())).await;
        Self::from_template(admin_url.clone(), template).await
    }

    /// A migrated database on a server that the test looks after itself; the URL is that of the schema's owner.
    pub async fn on(admin_url: String) -> Self {
        let template = make_template(admin_url.clone()).await;
        Self::from_template(admin_url, &template).await
    }

    async fn from_template(admin_url: String, template: &str) -> Self {
        let name = format!("test_{}", unique());
        admin(&admin_url, &format!("CREATE DATABASE {name} TEMPLATE {template}")).await;
        Self { name, admin_url }
    }

    /// The URL of this database with the rights of `role`.
    #[must_use]
    pub fn url(&self, role: Role) -> String {
        let base = with_database(&self.admin_url, &self.name);
        match role {
            Role::Owner => base,
            Role::Api => format!("{base}?options=-c%20role%3Dswitchyard_api"),
            Role::Worker => format!("{base}?options=-c%20role%3Dswitchyard_worker"),
        }
    }

    /// A small pool with the rights of `role`.
    #[must_use]
    pub fn pool(&self, role: Role) -> Pool {
        build_pool(&PoolConfig {
            url: self.url(role),
            max_connections: 12,
            connect_timeout: Duration::from_secs(30),
            acquire_timeout: Duration::from_secs(30),
            statement_timeout: Duration::from_secs(30),
        })
        .expect("a pool")
    }

    /// Runs SQL as the owner.
    ///
    /// # Panics
    /// When PostgreSQL refuses it.
    pub async fn sql(&self, sql: &str) {
        self.try_sql(sql).await.expect("the statement runs");
    }

    /// Runs SQL as the owner and answers what PostgreSQL said.
    ///
    /// # Errors
    /// PostgreSQL's refusal.
    pub async fn try_sql(&self, sql: &str) -> Result<(), diesel::result::Error> {
        let mut conn = AsyncPgConnection::establish(&self.url(Role::Owner))
            .await
            .expect("a connection");
        conn.batch_execute(sql).await
    }
}

impl Drop for TestDb {
    /// On a thread of its own that nobody waits for. PostgreSQL drops a database only after every backend has heard of it,
    /// those that are logging in too; to wait here would be to wait for a login of this very thread's runtime, until
    /// PostgreSQL gives that up and closes the connection.
    fn drop(&mut self) {
        let (url, name) = (self.admin_url.clone(), self.name.clone());
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            // what is left behind goes with the server
            let _: Result<(), _> = runtime.block_on(async {
                let mut conn = AsyncPgConnection::establish(&url).await.map_err(|_| ())?;
                let sql = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
                conn.batch_execute(&sql).await.map_err(|_| ())
            });
        });
    }
}

/// Migrates a template once per set of migrations, whichever test binary comes first.
async fn make_template(admin_url: String) -> String {
    let name = format!("switchyard_template_{}", migrations_mark());
    let mut lock = AsyncPgConnection::establish(&admin_url)
        .await
        .expect("PostgreSQL answers");
    lock.batch_execute("SELECT pg_advisory_lock(727001)")
        .await
        .expect("the lock");
    let ready = format!("{name}_ready");
    if !exists(&mut lock, &ready).await {
        lock.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
            .await
            .expect("no leftover");
        lock.batch_execute(&format!("CREATE DATABASE {name}"))
            .await
            .expect("a database");
        migrate(with_database(&admin_url, &name)).await;
        lock.batch_execute(&format!("ALTER DATABASE {name} RENAME TO {ready}"))
            .await
            .expect("the template is ready");
    }
    lock.batch_execute("SELECT pg_advisory_unlock(727001)")
        .await
        .expect("the lock is released");
    ready
}

/// On a runtime of its own: migrations need several threads, and a test may have one.
async fn migrate(url: String) {
    let migrated = tokio::task::spawn_blocking(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build();
        runtime.expect("a runtime").block_on(db::migrate(&url))
    });
    migrated.await.expect("no panic").expect("the migrations apply");
}

async fn exists(conn: &mut AsyncPgConnection, name: &str) -> bool {
    use diesel::sql_types::Text;
    use diesel_async::RunQueryDsl;
    diesel::sql_query("SELECT 1 FROM pg_database WHERE datname = $1")
        .bind::<Text, _>(name)
        .execute(conn)
        .await
        .expect("the catalogue answers")
        > 0
}

async fn admin(url: &str, sql: &str) {
    let mut conn = AsyncPgConnection::establish(url).await.expect("PostgreSQL answers");
    conn.batch_execute(sql).await.expect("the statement runs");
}

fn with_database(url: &str, name: &str) -> String {
    let (server, _) = url.rsplit_once('/').expect("a URL with a database");
    format!("{server}/{name}")
}

/// Changes with every change of a migration, so that a stale template is never cloned.
fn migrations_mark() -> String {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations");
    let mut files: Vec<_> = std::fs::read_dir(root)
        .expect("the migrations are there")
        .filter_map(|entry| entry.ok().map(|e| e.path().join("up.sql")))
        .filter(|path| path.is_file())
        .collect();
    files.sort();
    let mut hasher = DefaultHasher::new();
    for path in files {
        path.file_name().hash(&mut hasher);
        std::fs::read(&path).expect("a readable migration").hash(&mut hasher);
    }
    format!("{:016x}", hasher.finish())
}

/// A suffix that no other test of any process uses.
pub(crate) fn unique() -> String {
    use kernel::{IdGen, RandomIds};
    RandomIds.uuid().simple().to_string()
}
