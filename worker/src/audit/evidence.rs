//! What the judge judges: our books as of one moment, and what the chain answered. No I/O here.

use std::collections::{BTreeMap, BTreeSet};

use chain::TxOutcome;
use chrono::{DateTime, Utc};
use db::models::{ChainCursor, ChainTransaction, Delegation, Order, OrderExtension, Payout, Staking, Sweep};
use domain::reconcile::lent::LentBounds;
use domain::reconcile::{EscrowFigures, LedgerDifference, PayoutFigures, Reservation, Undecided};
use ledger::{Difference, Imbalance, OrderTransfer, PayoutTransfer};
use uuid::Uuid;

/// One order with everything that belongs to it.
#[derive(Debug, Clone)]
pub(super) struct Case {
    /// The order.
    pub(super) order: Order,
    /// Every delegation tried for it.
    pub(super) delegations: Vec<Delegation>,
    /// Every transaction signed for those.
    pub(super) transactions: Vec<ChainTransaction>,
    /// Every movement of its money.
    pub(super) transfers: Vec<OrderTransfer>,
    /// More time that was bought for it.
    pub(super) extensions: Vec<OrderExtension>,
}

impl Case {
    pub(super) fn subject(&self) -> String {
        format!("order:{}", self.order.id)
    }

    /// The transactions of one of its delegations.
    pub(super) fn transactions_of(&self, delegation: Uuid) -> impl Iterator<Item = &ChainTransaction> {
        self.transactions.iter().filter(move |tx| tx.intent_id == delegation)
    }
}

/// One payout with everything that belongs to it.
#[derive(Debug, Clone)]
pub(super) struct PayoutCase {
    /// The payout.
    pub(super) payout: Payout,
    /// Every transaction signed for it.
    pub(super) transactions: Vec<ChainTransaction>,
    /// Every movement of its money.
    pub(super) transfers: Vec<PayoutTransfer>,
    /// What is booked as burned, by transaction.
    pub(super) fees: BTreeMap<String, i64>,
}

impl PayoutCase {
    pub(super) fn subject(&self) -> String {
        format!("payout:{}", self.payout.id)
    }
}

/// One sweep with everything that belongs to it.
#[derive(Debug, Clone)]
pub(super) struct SweepCase {
    /// The sweep.
    pub(super) sweep: Sweep,
    /// Every transaction signed for it: those that collect, and those that bring its address into being.
    pub(super) transactions: Vec<ChainTransaction>,
    /// What is booked as burned, by transaction.
    pub(super) fees: BTreeMap<String, i64>,
}

impl SweepCase {
    pub(super) fn subject(&self) -> String {
        format!("sweep:{}", self.sweep.id)
    }
}

/// One staking with everything that belongs to it.
#[derive(Debug, Clone)]
pub(super) struct StakeCase {
    /// The staking.
    pub(super) staking: Staking,
    /// Every transaction signed for it.
    pub(super) transactions: Vec<ChainTransaction>,
}

impl StakeCase {
    pub(super) fn subject(&self) -> String {
        format!("staking:{}", self.staking.id)
    }
}

/// What holds for the house as a whole.
#[derive(Debug, Clone)]
pub(super) struct House {
    /// Assets whose debits and credits differ.
    pub(super) imbalances: Vec<Imbalance>,
    /// Accounts whose kept balance differs from their transfers.
    pub(super) differences: Vec<Difference>,
    /// Escrow and open orders.
    pub(super) escrow: EscrowFigures,
    /// What is set aside, and open payouts.
    pub(super) payouts: Vec<PayoutFigures>,
    /// Wallets whose reservation differs.
    pub(super) reservations: Vec<Reservation>,
    /// Credited transfers that the ledger knows otherwise or not at all, and the other way round.
    pub(super) deposits: Vec<LedgerDifference>,
    /// Exchanges that the ledger knows otherwise or not at all, and the other way round.
    pub(super) exchanges: Vec<LedgerDifference>,
    /// Transfers in solidified blocks that nobody decided about.
    pub(super) undecided: Vec<Undecided>,
    /// Jobs that are in the table and should not be.
    pub(super) jobs: Vec<String>,
    /// Findings that count.
    pub(super) findings: Vec<String>,
}

/// What was read of the books, in one snapshot.
#[derive(Debug, Clone)]
pub(super) struct Books {
    /// The house.
    pub(super) house: House,
    /// How far each network is read.
    pub(super) networks: BTreeMap<String, ChainCursor>,
    /// Seconds since each network was last heard of, by the database's clock.
    pub(super) silent_s: BTreeMap<String, i64>,
    /// Addresses of wallets whose key is in.
    pub(super) wallets: BTreeMap<Uuid, String>,
    /// Those of them whose energy is lent.
    pub(super) lenders: BTreeMap<Uuid, String>,
    /// The orders that the chain is to be asked about.
    pub(super) cases: Vec<Case>,
    /// The payouts that the chain is to be asked about.
    pub(super) payouts: Vec<PayoutCase>,
    /// The sweeps that the chain is to be asked about.
    pub(super) sweeps: Vec<SweepCase>,
    /// The stakings that the chain is to be asked about.
    pub(super) stakings: Vec<StakeCase>,
    /// Staked sun that each wallet lends.
    pub(super) stake: BTreeMap<Uuid, i64>,
    /// How many orders were looked at.
    pub(super) orders: usize,
    /// How many payouts were looked at.
    pub(super) payouts_seen: usize,
}

/// What the chain says of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    /// A block carries it.
    Landed {
        /// The block.
        block: i64,
        /// How it ended.
        outcome: TxOutcome,
    },
    /// No block that it could be in carries it.
    Absent,
}

/// What a wallet lends to a receiver, as the chain says, and what our books allow it to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LentOnChain {
    /// The wallet.
    pub(super) wallet: Uuid,
    /// The receiver, base58.
    pub(super) receiver: String,
    /// Staked sun.
    pub(super) sun: i64,
    /// See `domain::reconcile::lent`.
    pub(super) booked: LentBounds,
}

/// What the chain answered. What it was not asked about is not in here, and is not judged.
#[derive(Debug, Clone, Default)]
pub(super) struct OnChain {
    /// Transactions of ours, by id.
    pub(super) seen: BTreeMap<String, Seen>,
    /// Transactions that are not ours, where whole blocks were read.
    pub(super) strangers: Vec<String>,
    /// Transactions that the chain carries more than once.
    pub(super) twice: Vec<String>,
    /// Delegated stake of whole wallets, by the newest block.
    pub(super) stake: BTreeMap<Uuid, i64>,
    /// What wallets lend to whom.
    pub(super) lent: Vec<LentOnChain>,
    /// Transactions that were not asked about, for there were too many.
    pub(super) left_out: usize,
}

/// How strict the judge is.
#[derive(Debug, Clone)]
pub(super) struct Rigour {
    /// The current time, for deadlines that follow ours.
    pub(super) now: DateTime<Utc>,
    /// Whether nothing may be open any more.
    pub(super) at_rest: bool,
    /// Blocks by which a read may be older than it says, since one node told the head and another one answered.
    pub(super) margin_blocks: i64,
    /// Kinds of findings that are no complaint.
    pub(super) expected_findings: BTreeSet<String>,
    /// Transactions on chain that are not ours and no complaint.
    pub(super) expected_strangers: BTreeSet<String>,
}
