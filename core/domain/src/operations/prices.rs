//! Prices that are published over HTTP and need nobody else.

use chrono::{DateTime, Utc};
use db::models::{Action, OperatorAction};
use db::{Conn, Pool, run_tx};
use kernel::{IdGen, PriceVersionId};
use serde_json::json;

use super::{Command, Done, Instruction};
use crate::DomainError;
use crate::pricing::{self, Band};

/// Publishes a price table that needs nobody else.
///
/// # Errors
/// [`DomainError::BadPriceTable`], a reason that is missing, or a database failure.
pub async fn publish_prices(
    pool: &Pool,
    ids: &dyn IdGen,
    instruction: &Instruction,
    bands: &[Band],
    now: DateTime<Utc>,
) -> Result<(PriceVersionId, Done), DomainError> {
    let filter = json!({ "bands": bands });
    let command = Command::new(ids, Action::PricesPublish, instruction, filter, now)?;
    let said = (
        instruction.reason.as_deref().unwrap_or_default(),
        instruction.actor.as_str(),
    );
    run_tx(pool, "publish_prices_once", async |conn| {
        if let Some(done) = command.replay_in_tx(conn).await? {
            return Ok((made_before(conn, &done).await?, done));
        }
        let version = pricing::publish_in_tx(conn, ids, bands, said, now).await?;
        let object = json!({ "object_id": version });
        Ok((version, command.done_in_tx(conn, 1, vec![object], Vec::new()).await?))
    })
    .await
}

/// The table that a request published when it was carried out before.
async fn made_before(conn: &mut Conn, done: &Done) -> Result<PriceVersionId, DomainError> {
    let broken = || DomainError::Broken("the price table of an operator's request is missing".to_owned());
    let action = OperatorAction::find(conn, done.id.ok_or_else(broken)?).await?;
    let objects = action.ok_or_else(broken)?.objects;
    let id = objects[0]["object_id"].as_str().and_then(|id| id.parse().ok());
    Ok(PriceVersionId(id.ok_or_else(broken)?))
}
