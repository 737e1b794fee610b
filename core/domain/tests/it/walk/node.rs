//! The other side of the walk: a node with a pool, a chain that forks, and stake that it counts itself.

use chain::{Block, BlockRef, EnergyMarket, TransactionSeen, WalletSnapshot};
use db::models::IntentKind;
use kernel::{OrderId, WalletId};

use crate::harness::{Tx, block_on, failed, genesis, landed};

/// A signed transaction and what the node knows of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known {
    pub(super) tx: Tx,
    pub(super) order: OrderId,
    pub(super) kind: IntentKind,
    pub(super) amount_sun: i64,
    /// A node took it: it may land until it expires.
    pub(super) at_large: bool,
    /// Its signer has had its first send.
    pub(super) tried: bool,
}

struct Mined {
    block: Block,
    /// Which landed, and whether they did something.
    seen: Vec<(usize, bool)>,
}

pub(super) struct Node {
    pub(super) known: Vec<Known>,
    branch: Vec<Mined>,
    /// No fork goes below.
    pub(super) solid: i64,
    /// The stake of each wallet.
    pub(super) stake_sun: i64,
    /// Makes blocks of different branches different.
    branches: u8,
    /// No reclaim was taken back yet, whose freed stake we may have counted on.
    pub(super) strict: bool,
}

impl Node {
    pub(super) fn new(stake_sun: i64) -> Self {
        Self {
            known: Vec::new(),
            branch: Vec::new(),
            solid: genesis().number,
            stake_sun,
            branches: 0,
            strict: true,
        }
    }

    pub(super) fn head(&self) -> BlockRef {
        self.branch.last().map_or_else(genesis, |mined| mined.block.at.clone())
    }

    pub(super) fn block(&self, number: i64) -> Option<BlockRef> {
        if number == genesis().number {
            return Some(genesis());
        }
        let mined = self.branch.iter().find(|mined| mined.block.at.number == number);
        mined.map(|mined| mined.block.at.clone())
    }

    pub(super) fn blocks_above(&self, number: i64) -> Vec<Block> {
        let above = self.branch.iter().filter(|mined| mined.block.at.number > number);
        above.map(|mined| mined.block.clone()).collect()
    }

    /// The block that carries a transaction, and whether it did something.
    pub(super) fn landing(&self, n: usize) -> Option<(i64, bool)> {
        self.branch.iter().find_map(|mined| {
            let (_, ok) = mined.seen.iter().find(|(seen, _)| *seen == n)?;
            Some((mined.block.at.number, *ok))
        })
    }

    /// What may be in the next block.
    pub(super) fn eligible(&self) -> Vec<usize> {
        let time = self.head().time;
        let may = |n: &usize| {
            let known = &self.known[*n];
            known.at_large && known.tx.expires_at > time && self.landing(*n).is_none()
        };
        (0..self.known.len()).filter(may).collect()
    }

    /// A block with these transactions, in which each does what it says if `ok` and if the stake allows it.
    pub(super) fn produce(&mut self, transactions: &[(usize, bool)], seconds: i64) {
        let mut seen: Vec<(usize, bool)> = Vec::new();
        let mut receipts: Vec<TransactionSeen> = Vec::new();
        for (n, ok) in transactions {
            let known = self.known[*n];
            let lent: i64 = seen
                .iter()
                .filter(|(other, ok)| *ok && self.known[*other].tx.wallet == known.tx.wallet)
                .map(|(other, _)| self.sign_of(*other))
                .sum();
            let after = self.delegated(known.tx.wallet) + lent + self.sign_of(*n);
            let fits = after <= self.stake_sun;
            assert!(
                fits || !self.strict,
                "more was promised than wallet {} has",
                known.tx.wallet
            );
            assert!(after >= 0, "more was taken back than was given");
            let ok = *ok && fits;
            seen.push((*n, ok));
            receipts.push(if ok { landed(&known.tx) } else { failed(&known.tx) });
        }
        let mut block = block_on(&self.head(), self.branches, &receipts);
        block.at.time = self.head().time + chrono::Duration::seconds(seconds);
        self.branch.push(Mined { block, seen });
    }

    fn sign_of(&self, n: usize) -> i64 {
        let known = &self.known[n];
        match known.kind {
            IntentKind::Payout | IntentKind::Sweep | IntentKind::Activate | IntentKind::Stake => 0,
            IntentKind::Delegate => known.amount_sun,
            IntentKind::Reclaim => -known.amount_sun,
        }
    }

    /// Stake that is delegated out on this branch.
    pub(super) fn delegated(&self, wallet: WalletId) -> i64 {
        let landed = self.branch.iter().flat_map(|mined| &mined.seen);
        landed
            .filter(|(n, ok)| *ok && self.known[*n].tx.wallet == wallet)
            .map(|(n, _)| self.sign_of(*n))
            .sum()
    }

    /// Another branch begins above `number`.
    pub(super) fn fork(&mut self, number: i64) {
        assert!(number >= self.solid);
        let lost = self.branch.iter().filter(|mined| mined.block.at.number > number);
        let reclaims = lost.flat_map(|mined| &mined.seen);
        if reclaims
            .into_iter()
            .any(|(n, ok)| *ok && self.known[*n].kind == IntentKind::Reclaim)
        {
            self.strict = false;
        }
        self.branch.retain(|mined| mined.block.at.number <= number);
        self.branches = self.branches.wrapping_add(1);
    }

    pub(super) fn snapshot(&self, wallet: WalletId) -> WalletSnapshot {
        let delegated = self.delegated(wallet);
        WalletSnapshot {
            as_of_block: self.head().number,
            balance_sun: 0,
            staked_energy_sun: self.stake_sun - delegated,
            staked_bandwidth_sun: 0,
            delegated_energy_sun: delegated,
            delegated_bandwidth_sun: 0,
            delegatable_sun: self.stake_sun - delegated,
            bandwidth_limit: 0,
            bandwidth_used: 0,
            free_bandwidth_limit: 1_000_000,
            free_bandwidth_used: 0,
            energy_limit: 0,
            energy_used: 0,
            unfreezing: Vec::new(),
            permissions: chain::AccountPermissions::default(),
            bandwidth_market: EnergyMarket {
                total_limit: 0,
                total_weight: 0,
            },
            market: EnergyMarket {
                total_limit: 0,
                total_weight: 0,
            },
        }
    }
}
