//! Applying the embedded migrations.

use diesel::migration::MigrationSource;
use diesel::pg::Pg;
use diesel_async::{AsyncConnection, AsyncMigrationHarness, AsyncPgConnection, RunQueryDsl};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::{DbError, Pool, acquire};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations");

/// Applies what is pending, as the schema's owner, and answers how many. Needs the multi-thread runtime.
///
/// # Errors
/// [`DbError::Migration`] with the name of the one that failed; earlier ones stay applied.
pub async fn migrate(owner_url: &str) -> Result<usize, DbError> {
    let mut harness = harness(owner_url).await?;
    let applied = harness
        .run_pending_migrations(MIGRATIONS)
        .map_err(|error| DbError::Migration(error.to_string()))?;
    Ok(applied.len())
}

/// How many migrations this program knows and the database lacks. Reads only: the processes have no right to more.
///
/// # Errors
/// When the database cannot be asked, or was never migrated.
pub async fn pending_migrations(pool: &Pool) -> Result<usize, DbError> {
    // names alone: the migrations themselves may not cross an await on another thread
    let known: Vec<String> = MigrationSource::<Pg>::migrations(&MIGRATIONS)
        .map_err(|error| DbError::Migration(error.to_string()))?
        .iter()
        .map(|migration| migration.name().version().to_string())
        .collect();
    let mut conn = acquire(pool).await?;
    let applied: Vec<Applied> = diesel::sql_query("SELECT version FROM __diesel_schema_migrations")
        .load(&mut conn)
        .await?;
    let lacks = |version: &&String| !applied.iter().any(|row| row.version == **version);
    Ok(known.iter().filter(lacks).count())
}

#[derive(diesel::QueryableByName)]
struct Applied {
    #[diesel(sql_type = diesel::sql_types::Text)]
    version: String,
}

async fn harness(url: &str) -> Result<AsyncMigrationHarness<AsyncPgConnection>, DbError> {
    let conn = AsyncPgConnection::establish(url)
        .await
        .map_err(|error| DbError::Migration(error.to_string()))?;
    Ok(AsyncMigrationHarness::new(conn))
}
