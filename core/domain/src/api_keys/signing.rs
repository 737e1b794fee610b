//! Keys whose requests have to be signed: the secret is made and sealed by the API, which alone can open it again.

use access::PermissionSet;
use chrono::{DateTime, Duration, Utc};
use db::models::ApiKey;
use db::{Pool, run_tx, trail};
use kernel::{ApiKeyId, IdGen};
use serde_json::json;

use super::{RESOURCE, add_holder_in_tx, alive_in_tx, overlap_checked};
use crate::DomainError;
use crate::operations::Mark;
use crate::operators::By;

/// From now on a key's requests have to be signed with this secret; one that it had signs on for `overlap`. Once for a request;
/// answers whether that was now.
///
/// # Errors
/// [`DomainError::NotFound`] for an unknown or revoked key; [`DomainError::MoreThanOwn`]; the overlap is longer than 30 days.
pub async fn set_signing_once(
    pool: &Pool,
    ids: &dyn IdGen,
    (by, mark): (&By, &Mark),
    (id, sealed, overlap): (ApiKeyId, &[u8], Duration),
    now: DateTime<Utc>,
) -> Result<bool, DomainError> {
    let (until, done) = (now + overlap_checked(overlap)?, ids.uuid());
    run_tx(pool, "set_key_signing", async |conn| {
        let key = alive_in_tx(conn, id).await?;
        by.check(PermissionSet::of_scopes(&key.scopes))?;
        if mark.replay_in_tx(conn, RESOURCE, done, now).await?.is_some() {
            return Ok(false);
        }
        let former = key.signing_sealed.as_deref().map(|former| (former, until));
        trail::changed(|| {
            let former = former.map(|(_, until)| until);
            json!({ "api_key": id.0, "signed": true, "former_signs_until": former })
        });
        ApiKey::set_signing(conn, id.0, Some(sealed), former).await?;
        // one half of what the key asks with; who has the other is not known
        add_holder_in_tx(conn, id.0, by, now).await?;
        Ok(true)
    })
    .await
}

/// A key's requests need not be signed any more. Again it is a no-op.
///
/// # Errors
/// [`DomainError::NotFound`] for an unknown or revoked key; [`DomainError::MoreThanOwn`].
pub async fn drop_signing(pool: &Pool, by: &By, id: ApiKeyId) -> Result<ApiKey, DomainError> {
    run_tx(pool, "drop_key_signing", async |conn| {
        let key = alive_in_tx(conn, id).await?;
        by.check(PermissionSet::of_scopes(&key.scopes))?;
        trail::changed(|| json!({ "api_key": id.0, "signed": false, "before": key.signing_sealed.is_some() }));
        ApiKey::set_signing(conn, id.0, None, None).await?;
        Ok(ApiKey {
            signing_sealed: None,
            signing_former: None,
            signing_former_until: None,
            ..key
        })
    })
    .await
}
