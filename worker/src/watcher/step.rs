//! One look at the chain: fetch first, then one transaction that moves the cursor with its effects.

use chain::{Block, BlockRef, ChainClient};
use db::models::{ChainCursor, ChainTransaction};
use db::{acquire, failpoint, run_tx};
use domain::DomainError;
use domain::watch::{Applied, SolidOutcome, apply_in_tx, set_solid_in_tx, start};
use jobs::{JobKind, JobRequest, Wake, enqueue_in_tx};

use super::Watcher;
use crate::error::WorkError;

/// Blocks that the newest one is ahead of the solidified one, as long as the network is well.
const SOLID_LAG: i64 = 19;

/// What one look did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Another worker reads this network.
    Leased,
    /// Scanning is stopped until an operator clears it.
    Halted,
    /// Nothing new.
    Idle,
    /// So many blocks were applied.
    Applied(usize),
    /// So many blocks were taken back.
    Reverted(usize),
    /// The cursor moved meanwhile.
    Moved,
}

impl Step {
    /// Whether to look again at once.
    pub(super) const fn more(self) -> bool {
        matches!(self, Self::Applied(_) | Self::Reverted(_) | Self::Moved)
    }

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Leased => "leased",
            Self::Halted => "halted",
            Self::Idle => "idle",
            Self::Applied(_) => "applied",
            Self::Reverted(_) => "reverted",
            Self::Moved => "moved",
        }
    }
}

impl Watcher {
    /// Looks once.
    ///
    /// # Errors
    /// When the nodes or the database fail; nothing is passed over then.
    pub async fn step(&self) -> Result<Step, WorkError> {
        let chain = &*self.env.network(&self.network)?.chain;
        let Some(cursor) = self.leased_cursor(chain).await? else {
            return Ok(Step::Leased);
        };
        if cursor.halted_at.is_some() {
            return Ok(Step::Halted);
        }
        let from = cursor.head_number + 1;
        let blocks = chain.blocks(from, cursor.head_number + self.policy.max_blocks).await?;
        if !blocks.is_empty() {
            failpoint::reach("blocks", "fetched");
        }
        let full = i64::try_from(blocks.len()).unwrap_or(i64::MAX) >= self.policy.max_blocks;
        if let Some(first) = blocks.first()
            && first.at.parent_id != cursor.head_block_id
        {
            return self.follow_fork(chain, &cursor).await;
        }
        let (head, outcome) = match blocks.last() {
            None => (head_of(&cursor), Step::Idle),
            Some(last) => match self.apply(&blocks).await? {
                Applied::Moved => return Ok(Step::Moved),
                Applied::Done { ours, deposits, wakes } => {
                    tracing::debug!(
                        network = self.network,
                        head = last.at.number,
                        ours,
                        deposits,
                        "blocks applied"
                    );
                    self.env.push(wakes);
                    (last.at.clone(), Step::Applied(blocks.len()))
                }
            },
        };
        let solid = chain.solid_head().await?;
        // after a full fetch nobody has told us of the newest block: it is about so far above the solidified one. Else it is ours,
        // unless another endpoint is further than the one that told us of blocks
        let tip = if full {
            head.number.max(solid.number + SOLID_LAG)
        } else {
            head.number.max(solid.number)
        };
        // while we catch up it is above all that we have. Then our newest block is as final as it is on its branch; what we read
        // may be of another, where time passed in between or another endpoint answered
        let ours = if solid.number > head.number {
            chain.solid_block_ref(head.number).await?
        } else {
            Some(solid)
        };
        let Some(solid) = ours else {
            return Ok(if full { outcome } else { Step::Idle });
        };
        match self.settle_view(&head, &solid, tip).await? {
            SolidOutcome::Differs => return self.follow_fork(chain, &cursor).await,
            SolidOutcome::Moved => return Ok(Step::Moved),
            SolidOutcome::Ahead => {}
            SolidOutcome::Done { wakes } => self.env.push(wakes),
        }
        // a full fetch means more is waiting; otherwise the next block is a poll away
        Ok(if full { outcome } else { Step::Idle })
    }

    /// The cursor, made on first sight, if the lease is ours.
    async fn leased_cursor(&self, chain: &dyn ChainClient) -> Result<Option<ChainCursor>, WorkError> {
        let mut conn = acquire(&self.env.pool).await?;
        if ChainCursor::find(&mut conn, &self.network).await?.is_none() {
            drop(conn);
            let at = self.first_block(chain).await?;
            let new = start(&self.env.pool, &self.network, &at, self.env.clock.now()).await?;
            tracing::info!(network = self.network, block = at.number, new, "scanning starts");
            conn = acquire(&self.env.pool).await?;
        }
        let now = self.env.clock.now();
        if !ChainCursor::lease(&mut conn, &self.network, &self.holder, now, now + self.policy.lease).await? {
            return Ok(None);
        }
        Ok(ChainCursor::find(&mut conn, &self.network).await?)
    }

    async fn first_block(&self, chain: &dyn ChainClient) -> Result<BlockRef, WorkError> {
        let solid = chain.solid_head().await?;
        let Some(number) = self.policy.start else {
            return Ok(solid);
        };
        if number > solid.number {
            return Err(WorkError::Broken(format!(
                "start = {number} is above the solidified block {}",
                solid.number
            )));
        }
        let block = chain.solid_block_ref(number).await?;
        block.ok_or_else(|| WorkError::Broken(format!("start = {number}: the nodes do not have this block")))
    }

    async fn apply(&self, blocks: &[Block]) -> Result<Applied, WorkError> {
        let env = &self.env;
        let now = env.clock.now();
        let applied = run_tx(&env.pool, "apply_blocks", async |conn| {
            apply_in_tx(conn, env.ids.as_ref(), &self.network, blocks, now).await
        });
        Ok(applied.await?)
    }

    /// Moves the solidified head as far as we have applied, notes the tip, and makes due what is due.
    async fn settle_view(&self, head: &BlockRef, solid: &BlockRef, tip: i64) -> Result<SolidOutcome, WorkError> {
        let env = &self.env;
        let now = env.clock.now();
        let settled = run_tx(&env.pool, "set_solid", async |conn| {
            let mut outcome = set_solid_in_tx(conn, &self.network, &head.id, solid, now).await?;
            if let SolidOutcome::Done { wakes } = &mut outcome {
                ChainCursor::set_tip(conn, &self.network, tip).await?;
                wakes.extend(self.resend_in_tx(conn, now).await?);
            }
            Ok::<_, DomainError>(outcome)
        });
        Ok(settled.await?)
    }

    async fn resend_in_tx(
        &self,
        conn: &mut db::Conn,
        now: chrono::DateTime<chrono::Utc>,
    ) -> Result<Option<Wake>, DomainError> {
        if !ChainTransaction::any_to_check(conn, &self.network, now).await? {
            return Ok(None);
        }
        let kind = JobKind::ChainResendTransactions;
        Ok(enqueue_in_tx(
            conn,
            JobRequest {
                kind,
                object_id: &self.network,
                run_at: now,
                now,
            },
        )
        .await?)
    }
}

fn head_of(cursor: &ChainCursor) -> BlockRef {
    BlockRef {
        number: cursor.head_number,
        id: cursor.head_block_id.clone(),
        parent_id: String::new(),
        time: cursor.head_time,
    }
}
