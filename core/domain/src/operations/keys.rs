//! Keys of wallets replaced by hand: asked for with a sealed key, or done at once by a worker that has the key.

use chrono::{DateTime, Utc};
use db::models::{Action, KeyReplacement, OperatorAction};
use db::{Conn, Pool, run_tx};
use kernel::IdGen;
use serde_json::json;

use super::{Command, Done, Instruction};
use crate::DomainError;
use crate::wallets::{KeyToReplace, NewKey, checked_wallet_in_tx, replace_in_tx, request_in_tx};

/// Replaces a wallet's key. A sealed one takes effect once a worker has opened it, and the old one signs until then. Tried out
/// (`dry_run`) it says whether anything stands against it. Answers the replacement; `None` if it was only tried out.
///
/// # Errors
/// [`DomainError::NotFound`] for an unknown wallet; [`DomainError::WalletNotActive`], [`DomainError::KeyReplacementOpen`] and
/// [`DomainError::KeyNotOfWallet`]; a permission that no key of ours signs by; a reason that is missing or cannot be kept; a
/// database failure.
pub async fn replace_key(
    pool: &Pool,
    ids: &dyn IdGen,
    instruction: &Instruction,
    what: &KeyToReplace<'_>,
    now: DateTime<Utc>,
) -> Result<(Option<KeyReplacement>, Done), DomainError> {
    let filter = json!({ "wallet": what.wallet, "permission_id": what.permission_id });
    let command = Command::new(ids, Action::WalletsReplaceKey, instruction, filter, now)?;
    let id = ids.uuid();
    run_tx(pool, "replace_wallet_key", async |conn| {
        if instruction.dry_run {
            checked_wallet_in_tx(conn, what.wallet, what.permission_id).await?;
            return Ok((None, Done::counted(1)));
        }
        if let Some(done) = command.replay_in_tx(conn).await? {
            return Ok((Some(made_before(conn, &done).await?), done));
        }
        let (wallet, permission_id) = checked_wallet_in_tx(conn, what.wallet, what.permission_id).await?;
        let by = (
            instruction.actor.as_str(),
            instruction.reason.as_deref().unwrap_or_default(),
        );
        let target = (id, &wallet, permission_id);
        let wake = match &what.key {
            NewKey::Sealed(sealed) => request_in_tx(conn, target, sealed, by, now).await?,
            NewKey::Opened(opened) => replace_in_tx(conn, target, opened, by, now).await?,
        };
        let object = json!({
            "kind": "wallet", "object_id": wallet.id, "replacement": id, "address": wallet.address,
            "key_address": wallet.key_address(), "permission_id": wallet.permission_id,
        });
        let done = command
            .done_in_tx(conn, 1, vec![object], wake.into_iter().collect())
            .await?;
        let replacement = KeyReplacement::find(conn, id).await?;
        Ok((Some(replacement.ok_or(DomainError::NotFound("key replacement"))?), done))
    })
    .await
}

/// The replacement that a request made when it was carried out before.
async fn made_before(conn: &mut Conn, done: &Done) -> Result<KeyReplacement, DomainError> {
    let broken = || DomainError::Broken("the key replacement of an operator's request is missing".to_owned());
    let action = OperatorAction::find(conn, done.id.ok_or_else(broken)?).await?;
    let action = action.ok_or_else(broken)?;
    let id = action.objects[0]["replacement"].as_str().and_then(|id| id.parse().ok());
    let replacement = KeyReplacement::find(conn, id.ok_or_else(broken)?).await?;
    replacement.ok_or_else(broken)
}
