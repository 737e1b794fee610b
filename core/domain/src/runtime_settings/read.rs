//! What is in force, and the history of versions.

use chrono::{DateTime, Utc};
use db::models::SettingVersion;
use db::{Pool, acquire};
use serde::Serialize;
use serde_json::Value;

use super::{Values, object};
use crate::DomainError;

/// In what a version differs from the one before: one setting.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// The setting.
    pub name: String,
    /// `None`: as the configuration says.
    pub before: Option<Value>,
    /// `None`: as the configuration says.
    pub after: Option<Value>,
}

/// What lies over the configuration now.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct InForce {
    /// 0: nothing.
    pub version: i64,
    /// The values.
    pub values: Values,
    /// For each of them, in the order of their names, who gave it.
    pub by: Vec<SetBy>,
}

/// Who gave a setting its value.
#[derive(Debug, Clone, PartialEq)]
pub struct SetBy {
    /// The setting.
    pub name: String,
    /// In which version.
    pub version: i64,
    /// `operator:<id or name>`.
    pub author: String,
    /// The name at that time.
    pub author_name: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// What lies over the configuration now.
///
/// # Errors
/// When the database cannot be asked.
pub async fn in_force(pool: &Pool) -> Result<InForce, DomainError> {
    let mut conn = acquire(pool).await?;
    let Some(newest) = SettingVersion::newest(&mut conn).await? else {
        return Ok(InForce::default());
    };
    let since = object(&newest.since);
    let numbers: Vec<i64> = since.values().filter_map(Value::as_i64).collect();
    let authors = SettingVersion::numbered(&mut conn, &numbers).await?;
    let set_by = |(name, number): (&String, &Value)| {
        let version = number.as_i64()?;
        let of = authors.iter().find(|author| author.version == version)?;
        Some(SetBy {
            name: name.clone(),
            version,
            author: of.author.clone(),
            author_name: of.author_name.clone(),
            at: of.created_at,
        })
    };
    Ok(InForce {
        version: newest.version,
        values: object(&newest.overrides),
        by: since.iter().filter_map(set_by).collect(),
    })
}

/// Versions, newest first, before the version `before`, each with what it changed. Of a page that is full, the last one's
/// differences are those from nothing: ask for one row more than is shown.
///
/// # Errors
/// When the database cannot be asked.
pub async fn versions(
    pool: &Pool,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<(SettingVersion, Vec<Difference>)>, DomainError> {
    let mut conn = acquire(pool).await?;
    let rows = SettingVersion::page(&mut conn, before, limit).await?;
    let values: Vec<Values> = rows.iter().map(|row| object(&row.overrides)).collect();
    let nothing = Values::new();
    let earlier = values.iter().skip(1).chain(std::iter::once(&nothing));
    let all: Vec<_> = values
        .iter()
        .zip(earlier)
        .map(|(now, then)| differences(then, now))
        .collect();
    Ok(rows.into_iter().zip(all).collect())
}

/// A version, and what it changed.
///
/// # Errors
/// [`DomainError::NotFound`].
pub async fn version(pool: &Pool, number: i64) -> Result<(SettingVersion, Vec<Difference>), DomainError> {
    let mut conn = acquire(pool).await?;
    let found = SettingVersion::find(&mut conn, number).await?;
    let found = found.ok_or(DomainError::NotFound("version of the settings"))?;
    let earlier = SettingVersion::find(&mut conn, number.saturating_sub(1)).await?;
    let earlier = earlier.map_or_else(Values::new, |earlier| object(&earlier.overrides));
    let changed = differences(&earlier, &object(&found.overrides));
    Ok((found, changed))
}

/// The settings that are not alike, in the order of their names.
pub(super) fn differences(before: &Values, after: &Values) -> Vec<Difference> {
    let mut names: Vec<&String> = before.keys().chain(after.keys()).collect();
    names.sort_unstable();
    names.dedup();
    let differ = names.into_iter().filter(|name| before.get(*name) != after.get(*name));
    differ
        .map(|name| Difference {
            name: name.clone(),
            before: before.get(name).cloned(),
            after: after.get(name).cloned(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_came_went_and_changed_is_told_and_nothing_else() {
        let (before, after) = (
            object(&json!({ "a": 1, "b": 2, "c": 3 })),
            object(&json!({ "b": 2, "c": 4, "d": "5.000000" })),
        );
        let told = json!(differences(&before, &after));
        let expected = json!([
            { "name": "a", "before": 1, "after": null },
            { "name": "c", "before": 3, "after": 4 },
            { "name": "d", "before": null, "after": "5.000000" },
        ]);
        assert_eq!(told, expected);
        assert_eq!(differences(&after, &after), []);
    }
}
