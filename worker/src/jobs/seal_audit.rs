//! `audit.seal`: gives the lines of the audit trail their places in its chain, and now and then keeps the chain's end where the
//! database cannot reach it: in the log and, if one is named, in a file.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use ::jobs::RunningJob;
use async_trait::async_trait;
use chrono::{DateTime, Duration, Utc};
use domain::audit_trail::{Head, seal};
use tokio::fs::OpenOptions;
use tokio::io::AsyncWriteExt as _;

use crate::environment::Environment;
use crate::error::{WorkError, outcome};
use crate::queue::{Handler, Outcome};

/// Pause between two heads that are kept.
const HEADS_EVERY: Duration = Duration::minutes(5);

/// The handler.
pub(crate) struct SealAudit {
    env: Arc<Environment>,
    /// The head that this process kept last.
    kept: Mutex<Option<Head>>,
}

#[async_trait]
impl Handler for SealAudit {
    async fn run(&self, _: &RunningJob) -> Outcome {
        outcome(self.seal().await)
    }
}

impl SealAudit {
    /// One that has kept no head yet.
    pub(crate) fn new(env: Arc<Environment>) -> Self {
        let kept = Mutex::default();
        Self { env, kept }
    }

    async fn seal(&self) -> Result<Outcome, WorkError> {
        let now = self.env.clock.now();
        let sealed = seal(&self.env.pool, now).await?;
        if self.wants(&sealed.head, now) {
            keep(self.env.policy.heads_file.as_deref(), &sealed.head).await?;
            *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(sealed.head);
        }
        Ok(Outcome::Done)
    }

    /// Whether it is time for this head, and it is another one than the last.
    fn wants(&self, head: &Head, now: DateTime<Utc>) -> bool {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        head.seq > 0
            && kept
                .as_ref()
                .is_none_or(|kept| kept.seq != head.seq && now - kept.at >= HEADS_EVERY)
    }
}

async fn keep(file: Option<&Path>, head: &Head) -> Result<(), WorkError> {
    tracing::info!(seq = head.seq, hash = head.hash, "the audit trail's head");
    let Some(file) = file else { return Ok(()) };
    let failed = |error| WorkError::HeadsFile(file.to_owned(), error);
    let mut open = OpenOptions::new();
    let mut heads = open.create(true).append(true).open(file).await.map_err(failed)?;
    heads.write_all(format!("{head}\n").as_bytes()).await.map_err(failed)?;
    heads.sync_all().await.map_err(failed)
}
