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
/// Statements of one run.
const ROUNDS: usize = 100;

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
        for _ in 0..ROUNDS {
            let removed = domain::webhooks::prune(&env.pool, messages, BATCH, now).await?;
            if i64::try_from(removed).unwrap_or(BATCH) < BATCH {
                break;
            }
        }
        let events = (now - env.policy.event_retention, messages);
        for _ in 0..ROUNDS {
            let removed = domain::events::prune(&env.pool, events, BATCH).await?;
            if i64::try_from(removed).unwrap_or(BATCH) < BATCH {
                break;
            }
        }
        let mut conn = acquire(&env.pool).await?;
        for _ in 0..ROUNDS {
            let removed = IdempotencyKey::prune(&mut conn, before, BATCH).await?;
            if i64::try_from(removed).unwrap_or(BATCH) < BATCH {
                break;
            }
        }
        for _ in 0..ROUNDS {
            let removed = OperatorSession::prune(&mut conn, now - SESSIONS_KEPT, BATCH).await?;
            if i64::try_from(removed).unwrap_or(BATCH) < BATCH {
                break;
            }
        }
        KeySpending::prune(&mut conn, now - SPENDING_KEPT).await?;
        for _ in 0..ROUNDS {
            let ended = Approval::expire(&mut conn, now, BATCH).await?;
            if i64::try_from(ended).unwrap_or(BATCH) < BATCH {
                break;
            }
        }
        for _ in 0..ROUNDS {
            let removed = PriceQuote::prune(&mut conn, now, BATCH).await?;
            if i64::try_from(removed).unwrap_or(BATCH) < BATCH {
                break;
            }
        }
        Ok(Outcome::Done)
    }
}
