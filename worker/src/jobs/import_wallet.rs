//! `wallets.import`: opens a key that the API sealed, wraps it for rest and learns its address.

use std::sync::Arc;

use ::jobs::RunningJob;
use async_trait::async_trait;
use db::acquire;
use db::models::WalletImport;
use domain::wallets::{Import, finish_import};
use kernel::{ErrorClass, WalletId};
use keyring::KeyringError;

use super::object;
use crate::environment::Environment;
use crate::error::{WorkError, outcome};
use crate::queue::{Handler, Outcome};

/// The handler.
pub(crate) struct ImportWallet(pub(crate) Arc<Environment>);

#[async_trait]
impl Handler for ImportWallet {
    async fn run(&self, job: &RunningJob) -> Outcome {
        outcome(self.import(job).await)
    }
}

impl ImportWallet {
    async fn import(&self, job: &RunningJob) -> Result<Outcome, WorkError> {
        let env = &self.0;
        let id = WalletId(object(job)?);
        let sealed = {
            let mut conn = acquire(&env.pool).await?;
            WalletImport::find(&mut conn, id.0).await?
        };
        let Some(sealed) = sealed else { return Ok(Outcome::Done) };
        let now = env.clock.now();
        let import = match env.keys.take_in(id, &sealed.sealed, now) {
            Ok((address, key)) => Import::Opened {
                address: address.to_string(),
                key,
            },
            Err(error) if is_the_senders(&error) => Import::Rejected {
                reason: in_words(&error),
            },
            Err(source) => return Err(WorkError::Key { wallet: id.0, source }),
        };
        let wake = finish_import(&env.pool, id, &import, now).await?;
        env.push(wake.into_iter().collect());
        Ok(Outcome::Done)
    }
}

/// What was sent cannot be used. A seal that does not open may be sound, and the import key of this worker wrong: that
/// is tried again and alarms, and nothing is thrown away.
fn is_the_senders(error: &KeyringError) -> bool {
    error.class() == ErrorClass::Invalid && !matches!(error, KeyringError::ImportRefused)
}

/// The error and its cause; neither holds anything of the key.
fn in_words(error: &KeyringError) -> String {
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}"));
    format!("{error}{}", cause.unwrap_or_default())
}
