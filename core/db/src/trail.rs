//! Who acts, for the audit trail. The API's guard and the operators' commands say it once, with [`acting`]; every transaction
//! that commits meanwhile then carries a line that tells of it, without the code in between having to think of that. What runs
//! for nobody, as jobs do, leaves no line.
//!
//! It holds for the task that acts and not for tasks that it starts.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use diesel::QueryResult;
use serde_json::Value;

use crate::models::NewAuditLine;
use crate::{Conn, DbError, Pool, acquire};

tokio::task_local! {
    static ACT: Act;
}

/// What a line says of a transaction that carries it.
const COMMITTED: &str = "committed";
/// A longer target is cut.
const MAX_TARGET: usize = 500;
/// A longer name is cut.
const MAX_NAME: usize = 150;

/// Who acts, and how the act is called.
#[derive(Debug, Clone)]
pub struct Actor {
    /// `api_key:<id>` or `operator:<name>`.
    pub principal: String,
    /// The key's or the operator's name.
    pub name: String,
    /// The client's address.
    pub address: Option<String>,
    /// The request's id.
    pub request_id: Option<String>,
    /// `create_order`, `cli.prices`.
    pub action: String,
    /// `POST /api/orders`.
    pub target: Option<String>,
    /// When it was asked for.
    pub at: DateTime<Utc>,
}

/// One request or command on its way. Clones are the same act.
#[derive(Debug, Clone)]
pub struct Act(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    said: Mutex<Said>,
    lines: AtomicU32,
}

#[derive(Debug)]
struct Said {
    actor: Actor,
    asked: Option<Value>,
    /// Of the transaction that runs.
    changes: Vec<Value>,
}

impl Act {
    /// An act of which nothing is known yet but who and what for.
    #[must_use]
    pub fn new(actor: Actor) -> Self {
        let said = Mutex::new(Said {
            actor,
            asked: None,
            changes: Vec::new(),
        });
        let lines = AtomicU32::new(0);
        Self(Arc::new(Inner { said, lines }))
    }

    /// How many of its transactions have committed, each with a line.
    #[must_use]
    pub fn lines(&self) -> u32 {
        self.0.lines.load(Ordering::Acquire)
    }

    /// Writes a line that no transaction carries: how an act ended that changed nothing.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn tell(&self, pool: &Pool, result: &str) -> Result<(), DbError> {
        let line = self.line(None, result);
        let mut conn = acquire(pool).await?;
        Ok(line.insert(&mut conn).await?)
    }

    fn line(&self, step: Option<&str>, result: &str) -> NewAuditLine {
        let said = self.said();
        let actor = said.actor.clone();
        NewAuditLine {
            at: actor.at,
            principal: cut(actor.principal, MAX_NAME),
            principal_name: cut(actor.name, MAX_NAME),
            address: actor.address,
            request_id: actor.request_id,
            action: actor.action,
            target: actor.target.map(|target| cut(target, MAX_TARGET)),
            step: step.map(str::to_owned),
            result: result.to_owned(),
            asked: said.asked.clone(),
            // what was noted without a commit did not happen
            changes: Value::Array(step.map_or_else(Vec::new, |_| said.changes.clone())),
        }
    }

    fn said(&self) -> MutexGuard<'_, Said> {
        self.0.said.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn cut(text: String, at_most: usize) -> String {
    if text.chars().count() <= at_most {
        return text;
    }
    let kept: String = text.chars().take(at_most).collect();
    kept + "…"
}

/// Runs `work` as a part of this act.
pub async fn acting<F: Future>(act: &Act, work: F) -> F::Output {
    ACT.scope(act.clone(), work).await
}

/// Says what was asked for, secrets masked.
pub fn asked(value: impl FnOnce() -> Value) {
    let _nobody_acts = ACT.try_with(|act| {
        let value = value();
        act.said().asked = Some(value);
    });
}

/// Says who acts, where that is known better than when the act began.
pub fn by(principal: &str, name: &str) {
    let _nobody_acts = ACT.try_with(|act| {
        let mut said = act.said();
        principal.clone_into(&mut said.actor.principal);
        name.clone_into(&mut said.actor.name);
    });
}

/// Says what became of an object, in the transaction that does it: what it is, and how it was before or is now.
pub fn changed(value: impl FnOnce() -> Value) {
    let _nobody_acts = ACT.try_with(|act| {
        let value = value();
        act.said().changes.push(value);
    });
}

/// A transaction begins, perhaps anew.
pub(crate) fn begin() {
    let _nobody_acts = ACT.try_with(|act| act.said().changes.clear());
}

/// Puts the line of the running act into its transaction; answers whether somebody acts.
pub(crate) async fn write_in_tx(conn: &mut Conn, step: &str) -> QueryResult<bool> {
    let Ok(line) = ACT.try_with(|act| act.line(Some(step), COMMITTED)) else {
        return Ok(false);
    };
    line.insert(conn).await?;
    Ok(true)
}

/// That transaction has committed.
pub(crate) fn committed() {
    let _nobody_acts = ACT.try_with(|act| act.0.lines.fetch_add(1, Ordering::AcqRel));
}
