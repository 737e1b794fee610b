//! The chain: blocks, the pool, the solidified height. Owns the order of things; rules of contracts are in `exec`.

mod block;
mod broadcast;
mod fork;
mod mine;
mod ops;
#[cfg(test)]
mod tests;
mod timeline;

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

pub(crate) use block::{Block, Included, VERSION};
pub(crate) use broadcast::Disposal;
pub use fork::ForkKeep;
pub use ops::ActivePermission;
pub(crate) use ops::AdminOp;

use crate::config::DevnetConfig;
use crate::exec::{Exec, Outcome};
use crate::params::Params;
use crate::state::{Account, Market, State, View};
use crate::wire::Signed;
use timeline::Timeline;

/// Slot length that recovery of resources is counted in.
const SLOT_MS: i64 = 3_000;
/// Milliseconds after which the node forgets a pending transaction.
const POOL_TIMEOUT_MS: i64 = 60_000;

/// A transaction that waits for a block.
#[derive(Debug, Clone)]
pub(crate) struct Pending {
    /// The transaction.
    pub(crate) tx: Arc<Signed>,
    /// What it would do now.
    pub(crate) outcome: Outcome,
    /// Timestamp of the newest block when it came.
    pub(crate) since_ms: i64,
}

/// The whole network.
#[derive(Debug)]
pub(crate) struct Chain {
    config: DevnetConfig,
    params: Params,
    state: State,
    blocks: VecDeque<Arc<Block>>,
    included: HashMap<[u8; 32], (i64, usize)>,
    pool: Vec<Pending>,
    pool_ids: HashSet<[u8; 32]>,
    /// Never pooled, by a fault.
    lost: HashSet<[u8; 32]>,
    pending_ops: Vec<AdminOp>,
    solid: i64,
    solid_stalled: bool,
    paused: bool,
    timeline: Timeline,
    start_ms: i64,
    branch: u32,
}

impl Chain {
    /// A chain with its first block.
    pub(crate) fn new(config: DevnetConfig) -> Self {
        let params = Params::mainnet(config.usdt_contract);
        let market = Market {
            limit: [params.total_net_limit, params.total_energy_limit],
            weight: [config.net_weight_trx, config.energy_weight_trx],
            ..Market::default()
        };
        let timeline = Timeline::start(config.clock.clone(), config.interval, config.block_time_ms);
        let start_ms = timeline.start_ms();
        let mut state = State::new(market);
        let token = Account {
            is_contract: true,
            ..Account::new(0, start_ms)
        };
        state.put_account(config.usdt_contract, token);
        let credit = |account: &crate::GenesisAccount| AdminOp::Credit {
            address: account.address,
            sun: account.sun,
        };
        let ops = config.genesis.iter().map(credit).collect();
        let mut chain = Self {
            solid: config.first_block,
            config,
            params,
            state,
            blocks: VecDeque::new(),
            included: HashMap::new(),
            pool: Vec::new(),
            pool_ids: HashSet::new(),
            lost: HashSet::new(),
            pending_ops: ops,
            solid_stalled: false,
            paused: false,
            timeline,
            start_ms,
            branch: 0,
        };
        chain.begin();
        chain
    }

    /// What it was started with.
    pub(crate) const fn config(&self) -> &DevnetConfig {
        &self.config
    }

    /// Prices and limits.
    pub(crate) const fn params(&self) -> &Params {
        &self.params
    }

    /// The tables.
    pub(crate) const fn state(&self) -> &State {
        &self.state
    }

    /// The executors on the newest state.
    pub(crate) fn exec(&mut self) -> Exec<'_> {
        let now_ms = self.head_ms();
        let slot = slot(self.start_ms, now_ms);
        Exec {
            state: &mut self.state,
            params: &self.params,
            now_ms,
            slot,
        }
    }

    /// The newest block's number.
    pub(crate) fn head(&self) -> i64 {
        self.blocks
            .back()
            .map_or(self.config.first_block - 1, |block| block.number)
    }

    /// The newest block's timestamp.
    pub(crate) fn head_ms(&self) -> i64 {
        self.blocks.back().map_or(self.start_ms, |block| block.timestamp)
    }

    /// The newest block that cannot be reverted.
    pub(crate) const fn solid(&self) -> i64 {
        self.solid
    }

    /// The newest block number that `view` shows.
    pub(crate) fn top(&self, view: View) -> i64 {
        match view {
            View::Head => self.head(),
            View::Solid => self.solid,
        }
    }

    /// The slot that `view` counts recovery to.
    pub(crate) fn slot(&self, view: View) -> i64 {
        slot(self.start_ms, self.time(view))
    }

    /// Timestamp of the newest block that `view` shows.
    pub(crate) fn time(&self, view: View) -> i64 {
        self.block(self.top(view))
            .map_or(self.start_ms, |block| block.timestamp)
    }

    /// Timestamp of a slot.
    pub(crate) const fn slot_ms(&self, slot: i64) -> i64 {
        self.start_ms + slot * SLOT_MS
    }

    /// A block that is still kept.
    pub(crate) fn block(&self, number: i64) -> Option<&Arc<Block>> {
        let first = self.blocks.front()?.number;
        self.blocks.get(usize::try_from(number.checked_sub(first)?).ok()?)
    }

    /// Where a transaction is included, if in a block that `view` shows.
    pub(crate) fn inclusion(&self, view: View, txid: &[u8; 32]) -> Option<(&Arc<Block>, &Included)> {
        let (number, index) = *self.included.get(txid)?;
        if number > self.top(view) {
            return None;
        }
        let block = self.block(number)?;
        Some((block, block.txs.get(index)?))
    }

    /// A pending transaction.
    pub(crate) fn pending(&self, txid: &[u8; 32]) -> Option<&Pending> {
        if !self.pool_ids.contains(txid) {
            return None;
        }
        self.pool.iter().find(|pending| pending.tx.txid == *txid)
    }

    /// Number of pending transactions.
    pub(crate) const fn pool_len(&self) -> usize {
        self.pool.len()
    }

    /// Ids of the pending transactions, in order.
    pub(crate) fn pool_ids(&self) -> Vec<String> {
        self.pool.iter().map(|pending| hex::encode(pending.tx.txid)).collect()
    }

    /// Whether a block is wanted: something waits for it.
    pub(crate) const fn has_work(&self) -> bool {
        !self.paused && (!self.pool.is_empty() || !self.pending_ops.is_empty())
    }

    /// Whether no blocks are made on their own.
    pub(crate) const fn is_paused(&self) -> bool {
        self.paused
    }

    /// Stops or resumes making blocks on their own.
    pub(crate) const fn pause(&mut self, paused: bool) {
        self.paused = paused;
    }

    /// Whether solidification stands still.
    pub(crate) const fn is_solid_stalled(&self) -> bool {
        self.solid_stalled
    }

    /// Stops solidification, or lets it catch up with the next block.
    pub(crate) const fn stall_solid(&mut self, stalled: bool) {
        self.solid_stalled = stalled;
    }

    /// Lets chain time jump.
    pub(crate) fn skip_ms(&mut self, ms: i64) {
        self.timeline.skip(ms);
    }

    /// Does what the admin asked: at once in the newest state, and again in the next block.
    pub(crate) fn admin(&mut self, op: AdminOp) {
        self.exec().apply(&op);
        self.pending_ops.push(op);
    }

    /// Number of acts of the admin that wait for a block.
    pub(crate) const fn pending_ops_len(&self) -> usize {
        self.pending_ops.len()
    }
}

const fn slot(start_ms: i64, ms: i64) -> i64 {
    (ms - start_ms) / SLOT_MS
}
