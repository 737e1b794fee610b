//! Looks for messages that are due, and makes the jobs that send them.
//!
//! The transaction that writes an event makes no job: every order would then wait for the one row of its endpoint's job.
//! This look finds new messages, retries whose time has come, and what a lost job left behind, all by the same query.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::environment::Environment;

/// Looks again and again until told to stop.
pub async fn look_for_due(env: Arc<Environment>, interval: Duration, stop: CancellationToken) {
    let mut was_well = true;
    loop {
        let looked = domain::webhooks::wake_due(&env.pool, env.clock.now()).await;
        match looked {
            Ok(wakes) => {
                env.push(wakes);
                was_well = true;
            }
            Err(error) => {
                if was_well {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "due messages could not be looked for"
                    );
                }
                was_well = false;
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(interval) => {}
        }
    }
}
