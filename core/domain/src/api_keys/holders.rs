//! Who was shown a key's secrets. He can ask with it, so four eyes take him and the key for one person. So they do with whoever was
//! shown an operator's password, who can sign in as him.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use db::Conn;
use db::models::{KeyHolder, OperatorMaker};
use uuid::Uuid;

use crate::DomainError;
use crate::operators::By;

/// A secret of the key is shown to whoever does this. Who gives commands on the machine is not known, and is none.
pub(super) async fn add_holder_in_tx(
    conn: &mut Conn,
    key: Uuid,
    by: &By,
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    match by.id() {
        Some(id) => Ok(KeyHolder::add(conn, (key, id), now).await?),
        None => Ok(()),
    }
}

/// Whether two, by what timelines call them, may be one person: one is the other, was shown a secret of it, or somebody was shown
/// one of both; or who is behind the one was shown a password of who is behind the other. No more is asked than who ever was: a secret
/// of before a rotation may be what asked. Whom one operator made are two to each other.
pub(crate) async fn may_be_one_in_tx(conn: &mut Conn, one: &str, other: &str) -> Result<bool, DomainError> {
    let (Some(one), Some(other)) = (actor_id(one), actor_id(other)) else {
        return Ok(one == other);
    };
    let known = KeyHolder::of(conn, &[one, other]).await?;
    let persons = |id: Uuid| -> HashSet<Uuid> {
        let holders = known.iter().filter(|(key, _)| *key == id).map(|(_, holder)| *holder);
        holders.chain([id]).collect()
    };
    let (ones, others) = (persons(one), persons(other));
    if !ones.is_disjoint(&others) {
        return Ok(true);
    }
    let all: Vec<Uuid> = ones.union(&others).copied().collect();
    let made = OperatorMaker::of(conn, &all).await?;
    let made_one_of = |makers: &HashSet<Uuid>, persons: &HashSet<Uuid>| {
        let mut by_them = made.iter().filter(|(_, by)| makers.contains(by));
        by_them.any(|(operator, _)| persons.contains(operator))
    };
    Ok(made_one_of(&ones, &others) || made_one_of(&others, &ones))
}

/// The id of an operator or a key; who gave a command has a name and none.
pub(crate) fn actor_id(actor: &str) -> Option<Uuid> {
    let (kind, id) = actor.split_once(':')?;
    ["api_key", "operator"].contains(&kind).then(|| id.parse().ok())?
}
