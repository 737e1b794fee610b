//! `wallets.import`: opens a key that the API sealed, wraps it for rest and learns its address.

use std::sync::Arc;

use ::jobs::RunningJob;
use async_trait::async_trait;
use db::acquire;
use db::models::WalletImport;
use domain::wallets::{Import, finish_import};
use kernel::{ErrorClass, WalletId};

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
            // what was sent cannot be used; anything else (a wrong import key of ours) is retried and alarms
            Err(error) if error.class() == ErrorClass::Invalid => Import::Rejected {
                reason: error.to_string(),
            },
            Err(source) => return Err(WorkError::Key { wallet: id.0, source }),
        };
        let wake = finish_import(&env.pool, id, &import, now).await?;
        env.push(wake.into_iter().collect());
        Ok(Outcome::Done)
    }
}
