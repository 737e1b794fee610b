//! A new version: what is wanted, judged as a whole, on the version that its author saw.

use chrono::{DateTime, Utc};
use db::models::SettingVersion;
use db::{Conn, Pool, run_tx, trail};
use kernel::IdGen;
use serde_json::{Value, json};
use uuid::Uuid;

use super::read::{Difference, differences};
use super::{Judge, Refusal, Values, object};
use crate::DomainError;
use crate::operations::{Mark, is_reason};

const RESOURCE: &str = "setting_version";

/// Who changes settings, why, and what he saw.
#[derive(Debug, Clone, Copy)]
pub struct Edit<'a> {
    /// `operator:<id or name>`.
    pub author: &'a str,
    /// His name.
    pub author_name: &'a str,
    /// Why.
    pub reason: &'a str,
    /// The version that he saw; 0: the configuration alone. `None`: whichever is in force.
    pub base_version: Option<i64>,
    /// The mark of the request, if it has one.
    pub mark: Option<&'a Mark>,
}

/// What is wanted.
#[derive(Debug, Clone, Copy)]
pub enum Wish<'a> {
    /// These values; null takes one back to what the configuration says.
    Change(&'a Values),
    /// The values of this version; 0: the configuration alone.
    Restore(i64),
}

/// A version that was made.
#[derive(Debug, Clone, PartialEq)]
pub struct Changed {
    /// It.
    pub version: SettingVersion,
    /// In what it differs from the one before.
    pub differences: Vec<Difference>,
    /// Whether the same request was carried out before.
    pub replayed: bool,
}

/// Makes a version; from the next look of each process on it is in force there.
///
/// # Errors
/// [`DomainError::SettingsMoved`] where another version came in between, [`DomainError::SettingsRefused`] where the values do not
/// hold, [`DomainError::BadReason`], [`DomainError::NotFound`] for a version that there is not, or nothing would change.
pub async fn change(
    pool: &Pool,
    ids: &dyn IdGen,
    judge: &Judge<'_>,
    (edit, wish): (&Edit<'_>, Wish<'_>),
    now: DateTime<Utc>,
) -> Result<Changed, DomainError> {
    if !is_reason(edit.reason) {
        return Err(DomainError::BadReason);
    }
    let id = ids.uuid();
    run_tx(pool, "change_settings", async |conn| {
        if let Some(mark) = edit.mark
            && let Some(earlier) = mark.replay_in_tx(conn, RESOURCE, id, now).await?
        {
            return replayed_in_tx(conn, earlier).await;
        }
        change_in_tx(conn, judge, (edit, wish), (id, now)).await
    })
    .await
}

async fn replayed_in_tx(conn: &mut Conn, earlier: Uuid) -> Result<Changed, DomainError> {
    let broken = || DomainError::Broken(format!("the idempotency row of settings {earlier}"));
    let version = SettingVersion::find_by_id(conn, earlier).await?.ok_or_else(broken)?;
    let before = values_of(conn, version.version.saturating_sub(1)).await?;
    Ok(Changed {
        differences: differences(&before, &object(&version.overrides)),
        version,
        replayed: true,
    })
}

/// What would be in force, on the version that the author saw.
struct Judged {
    /// The number that it would have.
    next: i64,
    before: Values,
    since: Values,
    after: Values,
    differences: Vec<Difference>,
}

/// What can be said against a change before anybody else looks at it.
pub(crate) async fn check_in_tx(
    conn: &mut Conn,
    judge: &Judge<'_>,
    (base_version, wish): (i64, Wish<'_>),
) -> Result<(), DomainError> {
    judged_in_tx(conn, judge, (Some(base_version), wish)).await.map(|_| ())
}

async fn judged_in_tx(
    conn: &mut Conn,
    judge: &Judge<'_>,
    (base_version, wish): (Option<i64>, Wish<'_>),
) -> Result<Judged, DomainError> {
    let newest = SettingVersion::newest(conn).await?;
    let number = newest.as_ref().map_or(0, |newest| newest.version);
    if base_version.is_some_and(|base| base != number) {
        return Err(DomainError::SettingsMoved(number));
    }
    let of = |newest: &SettingVersion| (object(&newest.overrides), object(&newest.since));
    let (before, since) = newest.as_ref().map(of).unwrap_or_default();
    let wanted = match wish {
        Wish::Change(changes) => with(&before, changes),
        Wish::Restore(earlier) => earlier_values(conn, earlier, number).await?,
    };
    let after = judge(&wanted).map_err(|problems| refused(problems, wish))?;
    let differences = differences(&before, &after);
    if differences.is_empty() {
        return Err(DomainError::BadText(
            "these values are in force already: nothing would change",
        ));
    }
    let next = number.saturating_add(1);
    Ok(Judged {
        next,
        before,
        since,
        after,
        differences,
    })
}

/// Makes a version in this transaction; see [`change`].
pub(crate) async fn change_in_tx(
    conn: &mut Conn,
    judge: &Judge<'_>,
    (edit, wish): (&Edit<'_>, Wish<'_>),
    (id, now): (Uuid, DateTime<Utc>),
) -> Result<Changed, DomainError> {
    let judged = judged_in_tx(conn, judge, (edit.base_version, wish)).await?;
    let (next, differences) = (judged.next, judged.differences);
    let version = SettingVersion {
        version: next,
        id,
        since: Value::Object(since_of(&judged.before, &judged.after, &judged.since, next)),
        overrides: Value::Object(judged.after),
        author: edit.author.to_owned(),
        author_name: edit.author_name.to_owned(),
        reason: edit.reason.to_owned(),
        restored: match wish {
            Wish::Change(_) => None,
            Wish::Restore(earlier) => Some(earlier),
        },
        created_at: now,
    };
    trail::changed(|| json!({ "setting_version": next, "reason": edit.reason, "differences": differences }));
    if !version.insert(conn).await? {
        return Err(DomainError::SettingsMoved(next));
    }
    tracing::warn!(
        version = next,
        author = edit.author,
        reason = edit.reason,
        "settings were changed"
    );
    Ok(Changed {
        version,
        differences,
        replayed: false,
    })
}

fn with(before: &Values, changes: &Values) -> Values {
    let mut wanted = before.clone();
    for (name, value) in changes {
        if value.is_null() {
            wanted.remove(name);
        } else {
            wanted.insert(name.clone(), value.clone());
        }
    }
    wanted
}

/// What a version that is over said.
async fn earlier_values(conn: &mut Conn, version: i64, newest: i64) -> Result<Values, DomainError> {
    if !(0..=newest).contains(&version) {
        return Err(DomainError::NotFound("version of the settings"));
    }
    values_of(conn, version).await
}

async fn values_of(conn: &mut Conn, version: i64) -> Result<Values, DomainError> {
    if version == 0 {
        return Ok(Values::new());
    }
    let found = SettingVersion::find(conn, version).await?;
    let found = found.ok_or(DomainError::NotFound("version of the settings"))?;
    Ok(object(&found.overrides))
}

/// Which version gave each value.
fn since_of(before: &Values, after: &Values, since: &Values, next: i64) -> Values {
    let of = |(name, value): (&String, &Value)| {
        let kept = before.get(name) == Some(value);
        let known = since.get(name).filter(|_| kept).cloned();
        (name.clone(), known.unwrap_or_else(|| Value::from(next)))
    };
    after.iter().map(of).collect()
}

fn refused(problems: Vec<(String, String)>, wish: Wish<'_>) -> DomainError {
    let asked = |name: &str| match wish {
        Wish::Change(changes) => changes.contains_key(name),
        Wish::Restore(_) => false,
    };
    let refusal = |(name, why): (String, String)| Refusal {
        asked: asked(&name),
        name,
        why,
    };
    DomainError::SettingsRefused(problems.into_iter().map(refusal).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(pairs: &[(&str, i64)]) -> Values {
        let pair = |(name, value): &(&str, i64)| ((*name).to_owned(), Value::from(*value));
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn null_takes_a_value_back_and_the_rest_stays() {
        let mut changes = values(&[("b", 5), ("c", 6)]);
        changes.insert("a".to_owned(), Value::Null);
        changes.insert("unknown".to_owned(), Value::Null);
        let wanted = with(&values(&[("a", 1), ("b", 2), ("d", 4)]), &changes);
        assert_eq!(wanted, values(&[("b", 5), ("c", 6), ("d", 4)]));
    }

    #[test]
    fn a_value_that_stays_keeps_the_version_that_gave_it() {
        let (before, since) = (values(&[("a", 1), ("b", 2)]), values(&[("a", 3), ("b", 7)]));
        let after = values(&[("a", 1), ("b", 5), ("c", 6)]);
        assert_eq!(
            since_of(&before, &after, &since, 9),
            values(&[("a", 3), ("b", 9), ("c", 9)])
        );
    }
}
