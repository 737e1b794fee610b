//! Applying the embedded migrations.

use diesel_async::{AsyncConnection, AsyncMigrationHarness, AsyncPgConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::DbError;

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

/// How many migrations this program knows and the database lacks.
///
/// # Errors
/// When the database cannot be asked.
pub async fn pending_migrations(url: &str) -> Result<usize, DbError> {
    let mut harness = harness(url).await?;
    let pending = harness
        .pending_migrations(MIGRATIONS)
        .map_err(|error| DbError::Migration(error.to_string()))?;
    Ok(pending.len())
}

async fn harness(url: &str) -> Result<AsyncMigrationHarness<AsyncPgConnection>, DbError> {
    let conn = AsyncPgConnection::establish(url)
        .await
        .map_err(|error| DbError::Migration(error.to_string()))?;
    Ok(AsyncMigrationHarness::new(conn))
}
