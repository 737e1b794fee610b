//! Roles that operators make, beside those of the house.

use access::{BuiltInRole, Permission};
use chrono::{DateTime, Utc};
use db::models::{Operator, Role};
use db::{Pool, acquire, run_tx, trail};
use serde_json::json;

use super::{By, points};
use crate::DomainError;

/// A role as it is to be.
#[derive(Debug, Clone, Copy)]
pub struct RoleDraft<'a> {
    /// What operators are given.
    pub name: &'a str,
    /// What it is.
    pub title: &'a str,
    /// Words of points.
    pub permissions: &'a [String],
}

/// The roles that operators made.
///
/// # Errors
/// When the database cannot be asked.
pub async fn roles(pool: &Pool) -> Result<Vec<Role>, DomainError> {
    let mut conn = acquire(pool).await?;
    Ok(Role::list(&mut conn).await?)
}

/// Makes a role, or changes one for all who have it; answers whether it is new.
///
/// # Errors
/// The name is one of the house's or none, a point is unknown, or it gives, or gave, more than whoever changes it has.
pub async fn set_role(
    pool: &Pool,
    by: &By,
    draft: RoleDraft<'_>,
    now: DateTime<Utc>,
) -> Result<(Role, bool), DomainError> {
    let RoleDraft { name, title, .. } = draft;
    if !is_name(name) {
        return Err(DomainError::BadText(
            "a role's name has 3 to 50 of a-z, 0-9 and _, a letter first",
        ));
    }
    if BuiltInRole::of_name(name).is_some() {
        return Err(DomainError::BadText(
            "this role is one of the house; it cannot be changed",
        ));
    }
    if title.trim().is_empty() || title.chars().count() > 100 || title.chars().any(char::is_control) {
        return Err(DomainError::BadText("a title has 1 to 100 printable characters"));
    }
    let known = |word: &String| Permission::of_word(word).is_some_and(|point| point != Permission::AccountOwn);
    if draft.permissions.is_empty() || !draft.permissions.iter().all(known) {
        return Err(DomainError::BadText(
            "an unknown permission, or none; see GET /api/permissions",
        ));
    }
    let given = points(draft.permissions);
    by.check(given)?;
    let role = Role {
        name: name.to_owned(),
        title: title.to_owned(),
        permissions: given.words().into_iter().map(str::to_owned).collect(),
        updated_at: now,
        updated_by: by.actor().to_owned(),
    };
    let new = run_tx(pool, "set_role", async |conn| {
        let before = Role::find(conn, name).await?;
        if let Some(before) = &before {
            by.check(points(&before.permissions))?;
        }
        let before = before.map(|role| role.permissions);
        trail::changed(|| json!({ "role": name, "before": before, "after": role.permissions }));
        Ok::<_, DomainError>(role.upsert(conn).await?)
    })
    .await?;
    Ok((role, new))
}

fn is_name(name: &str) -> bool {
    (3..=50).contains(&name.len())
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

/// Forgets a role that nobody has.
///
/// # Errors
/// [`DomainError::NotFound`]; or somebody has it.
pub async fn remove_role(pool: &Pool, by: &By, name: &str) -> Result<(), DomainError> {
    if !is_name(name) {
        return Err(DomainError::NotFound("role"));
    }
    run_tx(pool, "remove_role", async |conn| {
        let role = Role::find(conn, name).await?.ok_or(DomainError::NotFound("role"))?;
        by.check(points(&role.permissions))?;
        trail::changed(|| json!({ "role": name, "removed": true, "before": role.permissions }));
        // first, so that whoever gives it meanwhile waits and finds it gone
        Role::delete(conn, name).await?;
        if Operator::any_with_role(conn, name).await? {
            return Err(DomainError::RoleInUse);
        }
        Ok(())
    })
    .await
}
