//! What the chain knows: accounts, delegations, the token, the totals. Owns no rules; those are in `exec`.

mod account;
mod market;
mod usage;

use chain::TronAddress;

pub(crate) use account::{Account, Key, Permission, Resource, Unfreezing};
pub(crate) use market::Market;
pub(crate) use usage::{Usage, hand_back};

use crate::journal::Journal;

/// One side of a pair's delegations: the unlocked record or the locked one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Delegation {
    /// Staked sun lent, by resource.
    pub(crate) sun: [i64; 2],
    /// When the lock of each ends, milliseconds; 0 in the unlocked record.
    pub(crate) expire_ms: [i64; 2],
}

impl Delegation {
    /// Whether nothing is lent any more.
    pub(crate) fn is_empty(&self) -> bool {
        self.sun == [0, 0]
    }
}

/// Owner, receiver, and whether it is the locked record.
pub(crate) type DelegationKey = (TronAddress, TronAddress, bool);

/// Which state a question is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum View {
    /// The newest block and what is pending on it: `/wallet`.
    Head,
    /// The newest block that cannot be reverted: `/walletsolidity`.
    Solid,
}

/// Every table, with one undo stack.
#[derive(Debug)]
pub(crate) struct State {
    accounts: Journal<TronAddress, Account>,
    delegations: Journal<DelegationKey, Delegation>,
    lenders: Journal<(TronAddress, TronAddress), ()>,
    usdt: Journal<TronAddress, u128>,
    allowances: Journal<(TronAddress, TronAddress), u128>,
    market: Journal<(), Market>,
}

impl State {
    /// An empty chain in the given market.
    pub(crate) fn new(market: Market) -> Self {
        let mut state = Self {
            accounts: Journal::new(),
            delegations: Journal::new(),
            lenders: Journal::new(),
            usdt: Journal::new(),
            allowances: Journal::new(),
            market: Journal::new(),
        };
        state.market.set((), Some(market));
        state
    }

    /// The account, if it is activated.
    pub(crate) fn account(&self, address: &TronAddress) -> Option<&Account> {
        self.accounts.get(address)
    }

    /// The account as `view` sees it.
    pub(crate) fn account_in(&self, view: View, address: &TronAddress) -> Option<&Account> {
        match view {
            View::Head => self.accounts.get(address),
            View::Solid => self.accounts.get_solid(address),
        }
    }

    /// Writes an account.
    pub(crate) fn put_account(&mut self, address: TronAddress, account: Account) {
        self.accounts.set(address, Some(account));
    }

    /// One record of a pair; empty if there is none.
    pub(crate) fn delegation(&self, key: &DelegationKey) -> Option<Delegation> {
        self.delegations.get(key).copied()
    }

    /// One record of a pair as `view` sees it.
    pub(crate) fn delegation_in(&self, view: View, key: &DelegationKey) -> Option<Delegation> {
        match view {
            View::Head => self.delegations.get(key).copied(),
            View::Solid => self.delegations.get_solid(key).copied(),
        }
    }

    /// Writes a record; an empty one is removed, and with the last of a pair its index row.
    pub(crate) fn put_delegation(&mut self, key: DelegationKey, record: Delegation) {
        let (from, to, locked) = key;
        self.delegations.set(key, (!record.is_empty()).then_some(record));
        let other = self.delegations.get(&(from, to, !locked)).is_some();
        self.lenders
            .set((to, from), (!record.is_empty() || other).then_some(()));
    }

    /// Who lends to `address`, and to whom it lends.
    pub(crate) fn delegation_index(&self, view: View, address: TronAddress) -> (Vec<TronAddress>, Vec<TronAddress>) {
        let (low, high) = (lowest(), highest());
        let lenders = (address, low)..=(address, high);
        let lent = (address, low, false)..=(address, high, true);
        let (lenders, lent) = match view {
            View::Head => (self.lenders.range(lenders), self.delegations.range(lent)),
            View::Solid => (self.lenders.range_solid(lenders), self.delegations.range_solid(lent)),
        };
        let mut to: Vec<_> = lent.into_iter().map(|((_, to, _), _)| to).collect();
        to.dedup();
        (lenders.into_iter().map(|((_, from), ())| from).collect(), to)
    }

    /// Token balance in micro-USDT.
    pub(crate) fn usdt(&self, view: View, address: &TronAddress) -> u128 {
        let row = match view {
            View::Head => self.usdt.get(address),
            View::Solid => self.usdt.get_solid(address),
        };
        row.copied().unwrap_or_default()
    }

    /// Micro-USDT in existence.
    pub(crate) fn usdt_supply(&self) -> u128 {
        self.market().usdt_supply
    }

    /// Writes a token balance.
    pub(crate) fn put_usdt(&mut self, address: TronAddress, amount: u128) {
        self.usdt.set(address, (amount > 0).then_some(amount));
    }

    /// What `spender` may still take from `owner`.
    pub(crate) fn allowance(&self, owner: TronAddress, spender: TronAddress) -> u128 {
        self.allowances.get(&(owner, spender)).copied().unwrap_or_default()
    }

    /// Writes an allowance.
    pub(crate) fn put_allowance(&mut self, owner: TronAddress, spender: TronAddress, amount: u128) {
        self.allowances.set((owner, spender), (amount > 0).then_some(amount));
    }

    /// The totals as `view` sees them.
    pub(crate) fn market_in(&self, view: View) -> Market {
        let row = match view {
            View::Head => self.market.get(&()),
            View::Solid => self.market.get_solid(&()),
        };
        row.copied().unwrap_or_default()
    }

    /// The newest totals.
    pub(crate) fn market(&self) -> Market {
        self.market_in(View::Head)
    }

    /// Writes the totals.
    pub(crate) fn put_market(&mut self, market: Market) {
        self.market.set((), Some(market));
    }

    /// Number of activated accounts.
    pub(crate) fn accounts_len(&self) -> usize {
        self.accounts.len()
    }

    /// Opens a layer on every table.
    pub(crate) fn open(&mut self) {
        self.each(Layering::Open);
    }

    /// Takes the newest layer back.
    pub(crate) fn undo(&mut self) {
        self.each(Layering::Undo);
    }

    /// Adds the newest layer to the one beneath.
    pub(crate) fn merge(&mut self) {
        self.each(Layering::Merge);
    }

    /// Forgets the oldest layer.
    pub(crate) fn solidify(&mut self) {
        self.each(Layering::Solidify);
    }

    fn each(&mut self, step: Layering) {
        step.on(&mut self.accounts);
        step.on(&mut self.delegations);
        step.on(&mut self.lenders);
        step.on(&mut self.usdt);
        step.on(&mut self.allowances);
        step.on(&mut self.market);
    }
}

#[derive(Clone, Copy)]
enum Layering {
    Open,
    Undo,
    Merge,
    Solidify,
}

impl Layering {
    fn on<K: Ord + Clone, V: Clone>(self, table: &mut Journal<K, V>) {
        match self {
            Self::Open => table.open(),
            Self::Undo => table.undo(),
            Self::Merge => table.merge(),
            Self::Solidify => table.solidify(),
        }
    }
}

fn lowest() -> TronAddress {
    TronAddress::from_evm20([0; 20])
}

fn highest() -> TronAddress {
    TronAddress::from_evm20([0xff; 20])
}
