//! `wallets.import`: opens a key that the API sealed, wraps it for rest and learns its address: a new wallet's, or one that
//! takes another's place.

use std::sync::Arc;

use ::jobs::RunningJob;
use async_trait::async_trait;
use chain::TronAddress;
use chrono::{DateTime, Utc};
use db::acquire;
use db::models::WalletImport;
use domain::wallets::{Import, KeyOpened, Opened, find, finish_import, finish_replacement, open_replacement};
use kernel::{ErrorClass, WalletId};
use keyring::KeyringError;

use super::object;
use crate::environment::Environment;
use crate::error::{WorkError, outcome};
use crate::queue::{Handler, Outcome};
use crate::signer::{address, wallet_address};

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
        let Some(sealed) = sealed else {
            return self.replace(id).await;
        };
        let given = find(&env.pool, id).await?.address;
        let account = given.as_deref().map(address).transpose()?;
        let now = env.clock.now();
        let import = match self.open((id, account), &sealed.sealed, now)? {
            Ok(opened) => Import::Opened(opened),
            Err(reason) => Import::Rejected { reason },
        };
        let wake = finish_import(&env.pool, id, &import, now).await?;
        env.push(wake.into_iter().collect());
        Ok(Outcome::Done)
    }

    /// A key that is to take another's place, if one waits. What cannot be used changes nothing.
    async fn replace(&self, id: WalletId) -> Result<Outcome, WorkError> {
        let env = &self.0;
        let Some((replacement, sealed, wallet)) = open_replacement(&env.pool, id).await? else {
            return Ok(Outcome::Done);
        };
        let now = env.clock.now();
        let opened = self.open((id, Some(wallet_address(&wallet)?)), &sealed, now)?;
        let opened = opened.map(|opened| KeyOpened {
            key_address: opened.key_address,
            key: opened.key,
        });
        let wake = finish_replacement(&env.pool, &replacement, &opened, now).await?;
        env.push(wake.into_iter().collect());
        Ok(Outcome::Done)
    }

    /// The key, or in words why what was sent cannot be used.
    fn open(
        &self,
        whose: (WalletId, Option<TronAddress>),
        sealed: &[u8],
        now: DateTime<Utc>,
    ) -> Result<Result<Opened, String>, WorkError> {
        match self.0.keys.take_in(whose, sealed, now) {
            Ok(opened) => Ok(Ok(opened)),
            Err(error) if is_the_senders(&error) => Ok(Err(in_words(&error))),
            Err(source) => Err(WorkError::Key {
                wallet: whose.0.0,
                source,
            }),
        }
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
