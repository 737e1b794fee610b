//! Operators made, changed, reset and disabled by others. Nobody gives what he does not have himself, nobody changes himself, and
//! somebody who may do everything is always left.

use access::{BuiltInRole, PermissionSet, fresh_password};
use chrono::{DateTime, Utc};
use db::models::{Credentials, NewApiKey, Operator, OperatorMaker, OperatorSession, Role};
use db::{Conn, Pool, acquire, run_tx, trail};
use kernel::IdGen;
use serde_json::json;
use sha2::{Digest, Sha256};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::checks::{checked_email, checked_name, checked_roles};
use super::{granted, hashed};
use crate::DomainError;
use crate::operations::Mark;
use crate::principals::Principal;

const RESOURCE: &str = "operator";

/// Who does it.
#[derive(Debug, Clone)]
pub struct By {
    actor: String,
    /// `None`: a command on the machine itself.
    id: Option<Uuid>,
    may: PermissionSet,
}

impl By {
    /// A signed-in operator.
    #[must_use]
    pub fn principal(principal: &Principal) -> Self {
        Self {
            actor: principal.actor(),
            id: Some(principal.key.0),
            may: principal.permissions,
        }
    }

    /// Who can give commands on the machine can do everything there.
    #[must_use]
    pub fn command(name: &str) -> Self {
        Self {
            actor: format!("operator:{name}"),
            id: None,
            may: PermissionSet::all(),
        }
    }

    /// How he is named.
    #[must_use]
    pub fn actor(&self) -> &str {
        &self.actor
    }

    /// His id, or that of the key; `None`: a command on the machine itself.
    pub(crate) const fn id(&self) -> Option<Uuid> {
        self.id
    }

    /// # Errors
    /// [`DomainError::MoreThanOwn`] where these are not all his.
    pub(crate) fn check(&self, points: PermissionSet) -> Result<(), DomainError> {
        if self.may.has_all(points) {
            Ok(())
        } else {
            Err(DomainError::MoreThanOwn)
        }
    }

    fn not_oneself(&self, id: Uuid) -> Result<(), DomainError> {
        if self.id == Some(id) {
            return Err(DomainError::OwnAccount);
        }
        Ok(())
    }
}

/// Somebody to make an operator.
#[derive(Debug, Clone, Copy)]
pub struct NewOperator<'a> {
    /// What he signs in with.
    pub email: &'a str,
    /// What he is called.
    pub name: &'a str,
    /// What he may do.
    pub roles: &'a [String],
}

/// An operator who was made or reset.
pub struct Made {
    /// Who.
    pub operator: Operator,
    /// To be shown once; `None` where none was made.
    pub password: Option<Zeroizing<String>>,
    /// Whether the same request was carried out before, so that nothing happened now.
    pub replayed: bool,
}

/// What is to be other than before.
#[derive(Debug, Clone, Copy, Default)]
pub struct Change<'a> {
    /// What he is called.
    pub name: Option<&'a str>,
    /// What he may do.
    pub roles: Option<&'a [String]>,
    /// Whether he may sign in.
    pub enabled: Option<bool>,
}

/// What of somebody is reset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reset {
    /// A new one is made, which he has to change.
    Password,
    /// He has to set up another one.
    SecondFactor,
}

/// Makes an operator, with a password that he has to change.
///
/// # Errors
/// The e-mail address is taken or none, a role is unknown, or gives more than the giver has.
pub async fn create(
    pool: &Pool,
    ids: &dyn IdGen,
    by: &By,
    (new, mark): (NewOperator<'_>, Option<&Mark>),
    now: DateTime<Utc>,
) -> Result<Made, DomainError> {
    let email = checked_email(new.email)?;
    checked_name(new.name)?;
    let password = fresh_password().map_err(|error| DomainError::Broken(error.to_string()))?;
    let hash = hashed(&password).await?;
    let operator = Operator {
        id: ids.uuid(),
        email,
        name: new.name.to_owned(),
        password_hash: hash.as_str().to_owned(),
        password_set_at: now,
        must_change_password: true,
        totp_sealed: None,
        totp_pending: None,
        totp_last_step: None,
        failures: 0,
        locked_until: None,
        roles: checked_roles(new.roles)?,
        disabled_at: None,
        last_sign_in_at: None,
        created_at: now,
        created_by: by.actor.clone(),
    };
    let prefix = format!("op_{}", &hex::encode(Sha256::digest(operator.id))[..12]);
    let unknown: [u8; 32] = Sha256::digest(operator.password_hash.as_bytes()).into();
    let earlier = run_tx(pool, "create_operator", async |conn| {
        if let Some(mark) = mark
            && let Some(earlier) = mark.replay_in_tx(conn, RESOURCE, operator.id, now).await?
        {
            return Ok(Some(earlier));
        }
        by.check(given_in_tx(conn, &operator.roles).await?)?;
        key_of(&operator, (&prefix, &unknown)).insert(conn).await?;
        if !operator.insert(conn).await? {
            return Err(DomainError::EmailTaken);
        }
        shown_to_in_tx(conn, operator.id, by, now).await?;
        trail::changed(
            || json!({ "operator": operator.id, "email": operator.email, "after": { "roles": operator.roles } }),
        );
        Ok::<_, DomainError>(None)
    })
    .await?;
    Ok(match earlier {
        Some(id) => Made {
            operator: super::find(pool, id).await?,
            password: None,
            replayed: true,
        },
        None => Made {
            operator,
            password: Some(password),
            replayed: false,
        },
    })
}

/// The row that an operator writes under: what it would open with is nothing that can be presented.
fn key_of<'a>(operator: &'a Operator, (prefix, secret_sha256): (&'a str, &'a [u8])) -> NewApiKey<'a> {
    NewApiKey {
        id: operator.id,
        name: &operator.name,
        prefix,
        secret_sha256,
        scopes: Vec::new(),
        // not asked: `operators.requests_per_minute` is for all
        rate_limit_per_minute: 1,
        created_at: operator.created_at,
        expires_at: None,
        allowed_from: Vec::new(),
        daily_limit_sun: None,
    }
}

/// Changes an operator. Disabled, he is signed out everywhere.
///
/// # Errors
/// As for [`create`]; he may do more than whoever changes him, is that one himself, or is the last who may do everything.
pub async fn change(
    pool: &Pool,
    by: &By,
    id: Uuid,
    change: Change<'_>,
    now: DateTime<Utc>,
) -> Result<Operator, DomainError> {
    by.not_oneself(id)?;
    change.name.map_or(Ok(()), checked_name)?;
    let roles = change.roles.map(checked_roles).transpose()?;
    run_tx(pool, "change_operator", async |conn| {
        let before = target_in_tx(conn, by, id).await?;
        if let Some(roles) = &roles {
            by.check(given_in_tx(conn, roles).await?)?;
        }
        let mut after = before.clone();
        after.roles = roles.clone().unwrap_or(after.roles);
        after.name = change.name.map_or(after.name, str::to_owned);
        after.disabled_at = match change.enabled {
            Some(true) => None,
            Some(false) => after.disabled_at.or(Some(now)),
            None => after.disabled_at,
        };
        if reigns(&before) && !reigns(&after) {
            let reigning = Operator::count_with_role_locked(conn, BuiltInRole::SuperAdmin.name()).await?;
            if reigning <= 1 {
                return Err(DomainError::LastSuperAdmin);
            }
        }
        Operator::set_standing(conn, id, (&after.name, &after.roles), after.disabled_at).await?;
        if after.disabled_at.is_some() {
            OperatorSession::end_all(conn, id, None, "disabled", now).await?;
        }
        let shown = |operator: &Operator| {
            json!({ "name": operator.name, "roles": operator.roles, "disabled": operator.disabled_at.is_some() })
        };
        trail::changed(|| json!({ "operator": id, "before": shown(&before), "after": shown(&after) }));
        Ok(after)
    })
    .await
}

/// Whether he may do everything, and sign in.
fn reigns(operator: &Operator) -> bool {
    let super_admin = BuiltInRole::SuperAdmin.name();
    operator.disabled_at.is_none() && operator.roles.iter().any(|role| role == super_admin)
}

/// Gives an operator a new password, or has him set up another second factor, and ends his sessions.
///
/// # Errors
/// [`DomainError::NotFound`]; he may do more than whoever resets him, or is that one himself.
pub async fn reset(
    pool: &Pool,
    ids: &dyn IdGen,
    by: &By,
    (id, what, mark): (Uuid, Reset, Option<&Mark>),
    now: DateTime<Utc>,
) -> Result<Made, DomainError> {
    by.not_oneself(id)?;
    let fresh = fresh_password().map_err(|error| DomainError::Broken(error.to_string()))?;
    let hash = hashed(&fresh).await?;
    let done = ids.uuid();
    let (operator, replayed) = run_tx(pool, "reset_operator", async |conn| {
        let operator = target_in_tx(conn, by, id).await?;
        if let Some(mark) = mark
            && mark.replay_in_tx(conn, RESOURCE, done, now).await?.is_some()
        {
            return Ok((operator, true));
        }
        let credentials = operator.credentials();
        let (word, credentials) = match what {
            Reset::Password => (
                "password",
                Credentials {
                    password_hash: hash.as_str().to_owned(),
                    password_set_at: now,
                    must_change_password: true,
                    failures: 0,
                    locked_until: None,
                    ..credentials
                },
            ),
            Reset::SecondFactor => (
                "second_factor",
                Credentials {
                    totp_sealed: None,
                    totp_pending: None,
                    totp_last_step: None,
                    failures: 0,
                    locked_until: None,
                    ..credentials
                },
            ),
        };
        Operator::set_credentials(conn, id, credentials).await?;
        if what == Reset::Password {
            shown_to_in_tx(conn, id, by, now).await?;
        }
        OperatorSession::end_all(conn, id, None, "reset", now).await?;
        trail::changed(|| json!({ "operator": id, "reset": word }));
        Ok::<_, DomainError>((operator, false))
    })
    .await?;
    let shown = what == Reset::Password && !replayed;
    Ok(Made {
        operator,
        password: shown.then_some(fresh),
        replayed,
    })
}

/// A password of the operator is shown to whoever does this, who may be taken for him from now on. Who gives commands on the machine
/// is not known, and is none.
async fn shown_to_in_tx(conn: &mut Conn, operator: Uuid, by: &By, now: DateTime<Utc>) -> Result<(), DomainError> {
    match by.id {
        Some(maker) => Ok(OperatorMaker::add(conn, (operator, maker), now).await?),
        None => Ok(()),
    }
}

/// Lets somebody try again at once who guessed wrong too often.
///
/// # Errors
/// [`DomainError::NotFound`].
pub async fn unlock(pool: &Pool, by: &By, id: Uuid) -> Result<(), DomainError> {
    run_tx(pool, "unlock_operator", async |conn| {
        let operator = target_in_tx(conn, by, id).await?;
        let credentials = Credentials {
            failures: 0,
            locked_until: None,
            ..operator.credentials()
        };
        trail::changed(|| json!({ "operator": id, "failures": 0, "before": operator.failures }));
        Ok(Operator::set_credentials(conn, id, credentials).await?)
    })
    .await
}

/// Signs somebody out everywhere; answers how many sessions that ended.
///
/// # Errors
/// [`DomainError::NotFound`]; he may do more than whoever signs him out, or is that one himself.
pub async fn sign_out(pool: &Pool, by: &By, id: Uuid, now: DateTime<Utc>) -> Result<usize, DomainError> {
    by.not_oneself(id)?;
    run_tx(pool, "sign_operator_out", async |conn| {
        target_in_tx(conn, by, id).await?;
        let ended = OperatorSession::end_all(conn, id, None, "reset", now).await?;
        trail::changed(|| json!({ "operator": id, "sessions_ended": ended }));
        Ok(ended)
    })
    .await
}

/// Operators, oldest first, after the one `after`.
///
/// # Errors
/// When the database cannot be asked.
pub async fn list(pool: &Pool, after: Option<Uuid>, limit: i64) -> Result<Vec<Operator>, DomainError> {
    let mut conn = acquire(pool).await?;
    Ok(Operator::page(&mut conn, after, limit).await?)
}

/// Locks an operator who does not have more than whoever acts on him.
async fn target_in_tx(conn: &mut Conn, by: &By, id: Uuid) -> Result<Operator, DomainError> {
    let operator = Operator::lock(conn, id).await?;
    let operator = operator.ok_or(DomainError::NotFound("operator"))?;
    by.check(granted(conn, &operator.roles).await?)?;
    Ok(operator)
}

/// What these roles give. All have to be there, and are until the end of the transaction.
async fn given_in_tx(conn: &mut Conn, roles: &[String]) -> Result<PermissionSet, DomainError> {
    let custom: Vec<String> = roles
        .iter()
        .filter(|name| BuiltInRole::of_name(name).is_none())
        .cloned()
        .collect();
    if Role::lock_named(conn, &custom).await?.len() < custom.len() {
        return Err(DomainError::BadText("there is no such role; see GET /api/roles"));
    }
    granted(conn, roles).await
}
