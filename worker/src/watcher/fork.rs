//! Following a fork: back to the block that our chain and the nodes' have in common, and no deeper than allowed.

use chain::ChainClient;
use db::models::{BlockRow, ChainCursor};
use db::{acquire, run_tx};
use domain::watch::{ForkOutcome, halt, revert_in_tx};

use super::Watcher;
use super::step::Step;
use crate::error::WorkError;

/// Where our chain and the nodes' part.
enum Common {
    /// Above this block.
    At(BlockRow),
    /// A node that does not have a block yet says nothing of it: it may be behind the one that told of a fork.
    Unknown,
    /// Below everything that we compare.
    TooDeep,
}

impl Watcher {
    /// Takes back what a fork replaced, or halts when it reaches too deep: below what was solidified nothing is ever
    /// taken back by itself.
    pub(super) async fn follow_fork(&self, chain: &dyn ChainClient, seen: &ChainCursor) -> Result<Step, WorkError> {
        let env = &self.env;
        let cursor = {
            let mut conn = acquire(&env.pool).await?;
            ChainCursor::find(&mut conn, &self.network)
                .await?
                .ok_or(domain::DomainError::NotFound("network"))?
        };
        let ancestor = match self.common_ancestor(chain, &cursor).await? {
            Common::At(ancestor) => ancestor,
            Common::Unknown => return Ok(Step::Idle),
            Common::TooDeep => {
                return self
                    .halt_on(&cursor, "no common block with the nodes within the allowed depth")
                    .await;
            }
        };
        if ancestor.number == cursor.head_number {
            // an endpoint on another branch answered before and one on ours now: believe neither, look again
            return Ok(if seen.head_block_id == cursor.head_block_id {
                Step::Idle
            } else {
                Step::Moved
            });
        }
        let now = env.clock.now();
        let outcome = run_tx(&env.pool, "revert_blocks", async |conn| {
            revert_in_tx(
                conn,
                env.ids.as_ref(),
                &self.network,
                &cursor.head_block_id,
                &ancestor,
                now,
            )
            .await
        })
        .await?;
        match outcome {
            ForkOutcome::Moved => Ok(Step::Moved),
            ForkOutcome::BelowSolid => {
                // blocks that no node replaces may be missing on one that follows a dead branch: the solidified side decides
                let solid = chain.solid_block_ref(cursor.solid_number).await?;
                if solid.is_none_or(|solid| solid.id == cursor.solid_block_id) {
                    return Ok(Step::Idle);
                }
                self.halt_on(&cursor, "a fork reaches below the solidified block").await
            }
            ForkOutcome::Reverted {
                blocks,
                transactions,
                deposits,
                wakes,
            } => {
                metrics::counter!("switchyard_chain_reverted_blocks_total", "network" => self.network.clone())
                    .increment(u64::try_from(blocks).unwrap_or(u64::MAX));
                tracing::warn!(
                    network = self.network,
                    from = cursor.head_number,
                    to = ancestor.number,
                    transactions,
                    deposits,
                    "a fork took blocks back"
                );
                env.push(wakes);
                Ok(Step::Reverted(blocks))
            }
        }
    }

    async fn common_ancestor(&self, chain: &dyn ChainClient, cursor: &ChainCursor) -> Result<Common, WorkError> {
        let deepest = (cursor.head_number - self.policy.max_fork_depth).max(cursor.first_number);
        let mut number = cursor.head_number;
        while number >= deepest {
            let ours = {
                let mut conn = acquire(&self.env.pool).await?;
                BlockRow::find(&mut conn, &self.network, number).await?
            };
            let Some(ours) = ours else { return Ok(Common::TooDeep) };
            match chain.block_ref(number).await? {
                None => return Ok(Common::Unknown),
                Some(theirs) if theirs.id == ours.block_id => return Ok(Common::At(ours)),
                Some(_) => number -= 1,
            }
        }
        Ok(Common::TooDeep)
    }

    async fn halt_on(&self, cursor: &ChainCursor, why: &str) -> Result<Step, WorkError> {
        let env = &self.env;
        let reason = format!(
            "{why}; our head is block {} {}",
            cursor.head_number, cursor.head_block_id
        );
        let at = (self.network.as_str(), cursor.head_block_id.as_str());
        // another watcher may have taken back, meanwhile, what we were looking for
        if !halt(&env.pool, env.ids.as_ref(), at, &reason, env.clock.now()).await? {
            return Ok(Step::Moved);
        }
        tracing::error!(network = self.network, reason, "scanning halts");
        Ok(Step::Halted)
    }
}
