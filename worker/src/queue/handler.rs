//! What a handler is, and what it may answer.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use jobs::{JobKind, RunningJob};
use kernel::ErrorClass;

/// Does one kind of job. It may be run twice, late, or beside itself, and may be dropped at any await when its time is
/// up: it guards its effects in PostgreSQL.
#[async_trait]
pub trait Handler: Send + Sync + 'static {
    /// Does the job, or finds that there is nothing to do.
    async fn run(&self, job: &RunningJob) -> Outcome;
}

/// Which handler does which kind.
pub type Registry = BTreeMap<JobKind, Arc<dyn Handler>>;

/// How a run ended. Codes are stable words; messages are for operators and hold no secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Done, or there was nothing to do.
    Done,
    /// Done, and the job was completed in the transaction of its effect.
    Completed,
    /// All is well, but the job is to be looked at again.
    Again {
        /// When.
        at: DateTime<Utc>,
        /// What it waits for.
        code: &'static str,
    },
    /// Failed; try again at a time that the handler knows.
    RetryAt {
        /// When.
        at: DateTime<Utc>,
        /// What failed.
        code: &'static str,
        /// The same in words.
        message: String,
    },
    /// Failed; try again after the pause of the kind's policy.
    Retry {
        /// What failed.
        code: &'static str,
        /// The same in words.
        message: String,
    },
    /// Somebody that the job needs does not answer. It is tried again after pauses of the kind's policy for as long as that
    /// lasts: no outage makes a job dead.
    Away {
        /// Who is away.
        code: &'static str,
        /// The same in words.
        message: String,
    },
    /// Failed, and trying again cannot help: an operator must look.
    Fail {
        /// What failed.
        code: &'static str,
        /// The same in words.
        message: String,
    },
}

impl Outcome {
    /// The outcome of an error: what an operator must repair fails, anything else is tried again. A bug is tried again
    /// too, since a deployment may repair it; it dies when its runs are used up. What is only away uses none up.
    #[must_use]
    pub fn of_error(class: ErrorClass, code: &'static str, error: &dyn std::error::Error) -> Self {
        let message = chain_of(error);
        match class {
            ErrorClass::NotFound | ErrorClass::Invalid | ErrorClass::Unauthenticated | ErrorClass::Forbidden => {
                Self::Fail { code, message }
            }
            ErrorClass::Conflict | ErrorClass::Limited | ErrorClass::Bug => Self::Retry { code, message },
            ErrorClass::Unavailable => Self::Away { code, message },
        }
    }
}

/// The error and what caused it, in one line.
fn chain_of(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
