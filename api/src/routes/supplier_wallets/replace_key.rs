//! `POST /api/supplier-wallets/{id}/key`: a key in place of another, sealed at once and forgotten.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::{Extension, Json};
use chrono::{DateTime, Utc};
use db::models::{KeyReplacement, ReplacementState};
use domain::operations::{Wanted, replace_key};
use domain::wallets::{KeyToReplace, NewKey};
use kernel::WalletId;
use serde::{Deserialize, Serialize};
use settings::Secret;
use utoipa::ToSchema;
use uuid::Uuid;
use vault::{SealError, seal};

use super::secrets::{Given, wrong};
use crate::App;
use crate::extract::{Idempotent, path};
use crate::middleware::Caller;
use crate::problem::{Problem, chain};
use crate::routes::approvals::{WaitingView, wait};
use crate::routes::operations::{answer, instruction};

/// The new key: a private key, or a mnemonic and which of its accounts.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReplaceSupplierWalletKey {
    /// 64 hex digits.
    #[schema(value_type = Option<String>, write_only)]
    private_key: Option<Secret>,
    /// 12 to 24 BIP-39 words.
    #[schema(value_type = Option<String>, write_only)]
    mnemonic: Option<Secret>,
    /// The mnemonic's passphrase, if it has one.
    #[schema(value_type = Option<String>, write_only)]
    passphrase: Option<Secret>,
    /// The account of the mnemonic; 0 where not given.
    index: Option<u32>,
    /// What the new key signs by: 0, whose key has to be the wallet's own, or 2 to 9, whose key may be any that the permission
    /// names. Where not given, it stays what it is.
    permission_id: Option<i32>,
    /// In words: 1 to 500 characters, kept for good.
    #[schema(example = "rotated after a change of staff")]
    reason: String,
    /// Only say whether anything stands against it; nothing is written.
    #[serde(default)]
    dry_run: bool,
}

/// A key that takes another's place. Keys are never shown.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct KeyReplacementView {
    id: Uuid,
    /// `requested` (a worker has to open it, and the old key signs), `done`, or `rejected`: nothing was changed.
    #[schema(value_type = String, example = "requested")]
    state: ReplacementState,
    /// What the new key signs by.
    permission_id: i32,
    /// Known once a worker has opened it.
    new_key_address: Option<String>,
    /// The key's that it replaced, and what that signed by.
    old_key_address: Option<String>,
    old_permission_id: Option<i32>,
    /// Why nothing was changed.
    rejected_reason: Option<String>,
    /// `operator:` and a name, or `api_key:` and an id.
    requested_by: String,
    reason: String,
    created_at: DateTime<Utc>,
    ended_at: Option<DateTime<Utc>>,
}

impl From<KeyReplacement> for KeyReplacementView {
    fn from(of: KeyReplacement) -> Self {
        Self {
            id: of.id,
            state: of.state,
            permission_id: of.permission_id,
            new_key_address: of.new_key_address,
            old_key_address: of.old_key_address,
            old_permission_id: of.old_permission_id,
            rejected_reason: of.rejected_reason,
            requested_by: of.requested_by,
            reason: of.reason,
            created_at: of.created_at,
            ended_at: of.ended_at,
        }
    }
}

/// What came of it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReplacedKeyView {
    /// Its line in the record; null if it was only tried out.
    action_id: Option<Uuid>,
    /// The replacement; null if it was only tried out.
    replacement: Option<KeyReplacementView>,
}

/// The answer, with 200 or 202.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum ReplaceKeyAnswer {
    /// Asked for, or tried out.
    Replaced(ReplacedKeyView),
    /// Another operator has to agree.
    Waiting(WaitingView),
}

/// Replaces a wallet's key. The account stays what it is; the old key signs until a worker has opened the new one.
///
/// From then on every worker signs with the new key alone. What the old one signed before may still land. A key that cannot be
/// used changes nothing, and the wallet's view says why. With `approvals.key_replacements` it waits first, with 202, until another
/// operator agrees.
#[utoipa::path(post, path = "/api/supplier-wallets/{id}/key", tag = "supplier wallets",
    request_body = ReplaceSupplierWalletKey,
    params(("id" = Uuid, Path, description = "The wallet"),
        ("Idempotency-Key" = String, Header, description = "1 to 255 visible ASCII characters, your name for this request")),
    responses(
        (status = 200, description = "Asked for", body = ReplacedKeyView,
            headers(("Idempotency-Replayed" = String, description = "true, if it was asked for before"))),
        (status = 202, description = "Another operator has to agree", body = WaitingView,
            headers(("Idempotency-Replayed" = String, description = "true, if it was asked for before")))))]
pub(crate) async fn replace_supplier_wallet_key(
    State(app): State<Arc<App>>,
    Extension(caller): Caller,
    Path(id): Path<String>,
    request: Idempotent<ReplaceSupplierWalletKey>,
) -> Result<(StatusCode, HeaderMap, Json<ReplaceKeyAnswer>), Problem> {
    let (wallet, body): (WalletId, _) = (path("id", &id)?, &request.body);
    let given = Given {
        private_key: body.private_key.as_ref(),
        mnemonic: body.mnemonic.as_ref(),
        passphrase: body.passphrase.as_ref(),
        index: body.index,
        count: None,
    };
    let secrets = given.secrets()?;
    let secret = secrets
        .first()
        .ok_or_else(|| wrong("#", "give either private_key or mnemonic"))?;
    let sealed = seal(&app.import_key, wallet, secret).map_err(|error: SealError| Problem::internal(chain(&error)))?;
    if app.approvals.key_replacements && !body.dry_run {
        let wanted = Wanted::ReplaceKey {
            wallet: wallet.0,
            permission_id: body.permission_id,
        };
        let (headers, waiting) = wait(&app, (&caller, &request), (&wanted, Some(&sealed)), &body.reason).await?;
        return Ok((StatusCode::ACCEPTED, headers, Json(ReplaceKeyAnswer::Waiting(waiting))));
    }
    let instruction = instruction(&caller, &request, Some(&body.reason), body.dry_run);
    let what = KeyToReplace {
        wallet,
        permission_id: body.permission_id,
        key: NewKey::Sealed(&sealed),
    };
    let (replacement, done) = replace_key(&app.pool, &*app.ids, &instruction, &what, app.clock.now()).await?;
    app.wakes.push(done.wakes.iter().cloned());
    let view = ReplacedKeyView {
        action_id: done.id,
        replacement: replacement.map(KeyReplacementView::from),
    };
    let (headers, Json(view)) = answer(&done, view);
    Ok((StatusCode::OK, headers, Json(ReplaceKeyAnswer::Replaced(view))))
}
