//! Reorganisations: the newest blocks are replaced by a longer branch.

use std::collections::HashSet;
use std::sync::Arc;

use super::{Chain, Pending};
use crate::error::DevnetError;
use crate::wire::Signed;

/// What becomes of the transactions of the blocks that a fork replaces.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ForkKeep {
    /// They go into the new branch where they are still valid there: one that refers to a replaced block is not.
    #[default]
    Keep,
    /// None goes into the new branch, nor back to the pool.
    DropAll,
    /// All but these (64 hex digits each).
    DropTxids(Vec<String>),
}

impl Chain {
    /// Replaces the newest `depth` blocks by `depth + 1` others. Returns the height of the last common block.
    pub(crate) fn fork(&mut self, depth: u64, keep: &ForkKeep) -> Result<i64, DevnetError> {
        let depth = i64::try_from(depth).unwrap_or(i64::MAX);
        let most = self.head() - self.solid;
        if depth < 1 || depth > most {
            return Err(DevnetError::Invalid(format!(
                "depth must be between 1 and {most}: a solidified block is never replaced"
            )));
        }
        let dropped = dropped_ids(keep)?;
        let common = self.head() - depth;
        let mut timestamps = Vec::new();
        let mut replaced: Vec<Arc<Signed>> = Vec::new();
        let mut ops = Vec::new();
        self.state.undo();
        while self.head() > common {
            let Some(block) = self.blocks.pop_back() else { break };
            self.state.undo();
            timestamps.insert(0, block.timestamp);
            ops.splice(0..0, block.ops.iter().cloned());
            replaced.splice(0..0, block.txs.iter().map(|included| included.tx.clone()));
            for included in &block.txs {
                self.included.remove(&included.tx.txid);
            }
        }
        self.state.open();
        self.branch += 1;
        self.pending_ops.splice(0..0, ops);
        if *keep == ForkKeep::DropAll {
            replaced.clear();
        }
        replaced.retain(|tx| !dropped.contains(&tx.txid));
        self.requeue(replaced);
        for timestamp in timestamps {
            self.append(timestamp);
        }
        self.mine(1)?;
        Ok(common)
    }

    fn requeue(&mut self, txs: Vec<Arc<Signed>>) {
        let since_ms = self.head_ms();
        let outcome = crate::exec::Outcome::default;
        let first: Vec<_> = txs
            .into_iter()
            .map(|tx| Pending {
                tx,
                outcome: outcome(),
                since_ms,
            })
            .collect();
        self.pool_ids.extend(first.iter().map(|pending| pending.tx.txid));
        self.pool.splice(0..0, first);
    }
}

fn dropped_ids(keep: &ForkKeep) -> Result<HashSet<[u8; 32]>, DevnetError> {
    let ForkKeep::DropTxids(texts) = keep else {
        return Ok(HashSet::new());
    };
    let decode = |text: &String| {
        let mut id = [0; 32];
        hex::decode_to_slice(text, &mut id)
            .map(|()| id)
            .map_err(|_| DevnetError::Invalid("drop_txids: expected 64 hex digits each".to_owned()))
    };
    texts.iter().map(decode).collect()
}
