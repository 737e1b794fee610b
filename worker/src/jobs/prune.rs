//! `operations.prune`: removes what nobody needs any more. Money, timelines and transactions are kept for good.

use std::sync::Arc;

use ::jobs::RunningJob;
use async_trait::async_trait;
use db::acquire;
use db::models::{
    Approval, BlockRow, ChainCursor, IdempotencyKey, KeySpending, OperatorSession, PriceQuote, WalletSnapshotRow,
};

use crate::environment::Environment;
use crate::error::{WorkError, outcome};
use crate::queue::{Handler, Outcome};

/// Rows removed in one statement.
const BATCH: i64 = 5_000;
/// Statements of one run over one table.
const ROUNDS: usize = 100;

/// The statements over one table. Where the last one still found as many rows as it may, the job comes again at once: it
/// must keep up with whatever is written.
#[derive(Default)]
struct Rounds {
    made: usize,
    full: bool,
}

impl Rounds {
    /// Whether another statement is to follow the one that took so many rows.
    fn go_on(&mut self, taken: usize) -> bool {
        self.made += 1;
        self.full = i64::try_from(taken).unwrap_or(BATCH) >= BATCH;
        self.full && self.made < ROUNDS
    }
}

/// How long it can be seen where an operator was signed in.
const SESSIONS_KEPT: chrono::Duration = chrono::Duration::days(90);

/// How long it can be looked up what a key had users spend on a day.
const SPENDING_KEPT: chrono::Duration = chrono::Duration::days(90);

/// From every day but the first few of a month, this leads to the next one.
const NEXT_MONTH: chrono::Duration = chrono::Duration::days(27);

/// The handler.
pub(crate) struct Prune(pub(crate) Arc<Environment>);

#[async_trait]
impl Handler for Prune {
    async fn run(&self, _: &RunningJob) -> Outcome {
        outcome(self.prune().await)
    }
}

impl Prune {
    async fn prune(&self) -> Result<Outcome, WorkError> {
        let env = &self.0;
        let mut conn = acquire(&env.pool).await?;
        for cursor in ChainCursor::list(&mut conn).await? {
            // never a block that a fork or a reference may still need
            let below = (cursor.head_number - env.policy.keep_blocks).min(cursor.solid_number);
            BlockRow::delete_below(&mut conn, &cursor.network, below).await?;
        }
        let now = env.clock.now();
        // so that no read has to make it
        WalletSnapshotRow::make_month(&mut conn, now + NEXT_MONTH).await?;
        WalletSnapshotRow::drop_before(&mut conn, now - env.policy.snapshot_retention).await?;
        drop(conn);
        let before = now - env.policy.idempotency_retention;
        let messages = now - env.policy.webhook_retention;
        let mut all: [Rounds; 6] = Default::default();
        let [webhooks, events, keys, sessions, approvals, quotes] = &mut all;
        while webhooks.go_on(domain::webhooks::prune(&env.pool, messages, BATCH, now).await?) {}
        let kept_since = (now - env.policy.event_retention, messages);
        while events.go_on(domain::events::prune(&env.pool, kept_since, BATCH).await?) {}
        let mut conn = acquire(&env.pool).await?;
        while keys.go_on(IdempotencyKey::prune(&mut conn, before, BATCH).await?) {}
        while sessions.go_on(OperatorSession::prune(&mut conn, now - SESSIONS_KEPT, BATCH).await?) {}
        KeySpending::prune(&mut conn, now - SPENDING_KEPT).await?;
        while approvals.go_on(Approval::expire(&mut conn, now, BATCH).await?) {}
        while quotes.go_on(PriceQuote::prune(&mut conn, now, BATCH).await?) {}
        if all.iter().any(|rounds| rounds.full) {
            return Ok(Outcome::Again { at: now, code: "more" });
        }
        Ok(Outcome::Done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_with_more_than_a_run_removes_has_the_job_come_again() {
        let batch = usize::try_from(BATCH).unwrap();
        let mut rounds = Rounds::default();
        for _ in 1..ROUNDS {
            assert!(rounds.go_on(batch));
        }
        assert!(!rounds.go_on(batch), "one run is bounded");
        assert!(rounds.full);
        let mut rounds = Rounds::default();
        assert!(rounds.go_on(batch) && !rounds.go_on(batch - 1));
        assert!(!rounds.full, "nothing is left");
    }
}
