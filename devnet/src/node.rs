//! What both listeners and the producer share: the chain behind one mutex, the faults and counters behind another.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chain::TronAddress;
use tokio::sync::{Notify, watch};
use tokio::time::MissedTickBehavior;

use crate::chain::{ActivePermission, AdminOp, Chain};
use crate::config::{DevnetConfig, Interval};
use crate::error::DevnetError;
use crate::faults::{Applied, Faults};
use crate::state::Resource;

/// Largest amount that one request may create: more than there is.
const MAX_AMOUNT: i64 = 1_000_000_000_000_000_000;
/// Longest jump of chain time: ten years.
const MAX_JUMP_S: u64 = 315_360_000;
/// As on the network.
const MAX_ACTIVES: usize = 8;
/// Acts of the admin in one block.
const MAX_PENDING_OPS: usize = 100_000;

/// Calls by path, and the faults in force.
#[derive(Debug, Default)]
pub(crate) struct Board {
    /// Rules.
    pub(crate) faults: Faults,
    /// Only paths that exist are counted, so this is bounded.
    pub(crate) calls: BTreeMap<String, u64>,
}

/// One network.
#[derive(Debug)]
pub(crate) struct Node {
    chain: Mutex<Chain>,
    board: Mutex<Board>,
    work: Notify,
}

impl Node {
    /// A network with its first block.
    pub(crate) fn new(config: DevnetConfig) -> Self {
        Self {
            chain: Mutex::new(Chain::new(config)),
            board: Mutex::default(),
            work: Notify::new(),
        }
    }

    /// The chain. Hold it briefly and never across an await.
    pub(crate) fn chain(&self) -> MutexGuard<'_, Chain> {
        self.chain.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counters and faults.
    pub(crate) fn board(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a call and says what goes wrong with it.
    pub(crate) fn begin_call(&self, path: &str, method: &str) -> Applied {
        let mut board = self.board();
        match board.calls.get_mut(path) {
            Some(count) => *count += 1,
            None => {
                board.calls.insert(path.to_owned(), 1);
            }
        }
        board.faults.take(path, method)
    }

    /// Tells the producer that something waits for a block.
    pub(crate) fn wake(&self) {
        self.work.notify_one();
    }

    /// Starts over with an empty chain, no faults and no counts.
    pub(crate) fn reset(&self) {
        let mut chain = self.chain();
        let config = chain.config().clone();
        *chain = Chain::new(config);
        *self.board() = Board::default();
    }

    /// Lets the next block's timestamp jump.
    pub(crate) fn advance(&self, seconds: u64) -> Result<(), DevnetError> {
        if seconds > MAX_JUMP_S {
            return Err(DevnetError::Invalid(format!("at most {MAX_JUMP_S} seconds at once")));
        }
        let ms = i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1_000);
        self.chain().skip_ms(ms);
        Ok(())
    }

    /// TRX out of nothing.
    pub(crate) fn credit(&self, address: TronAddress, sun: i64) -> Result<(), DevnetError> {
        check_amount(sun)?;
        self.admin(AdminOp::Credit { address, sun })
    }

    /// USDT out of nothing.
    pub(crate) fn mint(&self, address: TronAddress, micro: i64) -> Result<(), DevnetError> {
        check_amount(micro)?;
        self.admin(AdminOp::Mint {
            address,
            micro: micro.unsigned_abs().into(),
        })
    }

    /// Stake out of nothing.
    pub(crate) fn stake(&self, address: TronAddress, resource: Resource, sun: i64) -> Result<(), DevnetError> {
        check_amount(sun)?;
        self.admin(AdminOp::Stake { address, resource, sun })
    }

    /// Other active permissions.
    pub(crate) fn set_permissions(
        &self,
        address: TronAddress,
        actives: &[ActivePermission],
    ) -> Result<(), DevnetError> {
        if actives.is_empty() || actives.len() > MAX_ACTIVES {
            return Err(DevnetError::Invalid(format!(
                "an account has 1 to {MAX_ACTIVES} active permissions"
            )));
        }
        let actives = actives.iter().map(ActivePermission::check).collect::<Result<_, _>>()?;
        self.admin(AdminOp::Actives { address, actives })
    }

    fn admin(&self, op: AdminOp) -> Result<(), DevnetError> {
        let mut chain = self.chain();
        if chain.pending_ops_len() >= MAX_PENDING_OPS {
            return Err(DevnetError::Invalid(
                "too many acts of the admin wait for a block".to_owned(),
            ));
        }
        chain.admin(op);
        drop(chain);
        self.wake();
        Ok(())
    }

    /// Makes blocks until told to stop.
    pub(crate) async fn produce(&self, mut stop: watch::Receiver<bool>) {
        let (interval, block_time_ms, gap) = {
            let chain = self.chain();
            let config = chain.config();
            let gap = Duration::from_millis(config.instant_gap_ms);
            (config.interval, config.block_time_ms, gap)
        };
        let every_ms = match interval {
            Interval::OnDemand => return,
            Interval::Auto(every_ms) => every_ms,
            Interval::Instant => block_time_ms,
        };
        let mut tick = tokio::time::interval(Duration::from_millis(every_ms.max(1)));
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        tick.tick().await;
        loop {
            tokio::select! {
                _ = tick.tick() => self.make_block(false),
                () = self.work.notified(), if interval == Interval::Instant => {
                    self.make_block(true);
                    tokio::time::sleep(gap).await;
                }
                _ = stop.changed() => return,
            }
        }
    }

    fn make_block(&self, only_with_work: bool) {
        let mut chain = self.chain();
        if chain.is_paused() || (only_with_work && !chain.has_work()) {
            return;
        }
        if let Err(error) = chain.mine(1) {
            tracing::error!(%error, "no block was made");
        }
    }
}

/// An amount that one request may create.
pub(crate) fn check_amount(amount: i64) -> Result<(), DevnetError> {
    if (1..=MAX_AMOUNT).contains(&amount) {
        return Ok(());
    }
    Err(DevnetError::Invalid(format!("an amount is between 1 and {MAX_AMOUNT}")))
}
