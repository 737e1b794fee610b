//! The rules of the chain, one file per subject. Here: the harness.

mod broadcast;
mod delegation;
mod energy;
mod fees;
mod forks;
mod invariants;
mod permissions;
mod stake;
mod token;

use std::sync::OnceLock;

use chain::TronAddress;
use tron::PrivateKey;
use tron::proto::{
    DelegateResourceContract, FreezeBalanceV2Contract, TransactionRaw, TransferContract, UnDelegateResourceContract,
};

use super::{AdminOp, Chain, Disposal};
use crate::config::DevnetConfig;
use crate::exec::{Outcome, Refusal};
use crate::state::{Account, Resource, View};
use crate::wire::{Op, Signed};

pub(super) const TRX: i64 = 1_000_000;

/// A chain with a counter that keeps transactions apart.
pub(super) struct Net {
    pub(super) chain: Chain,
    nonce: i64,
}

/// The key of 32 equal bytes. Kept: deriving one is slow in a debug build.
pub(super) fn key(n: u8) -> &'static PrivateKey {
    static KEYS: OnceLock<Vec<PrivateKey>> = OnceLock::new();
    let make = || (1..=9).map(|n| PrivateKey::from_bytes(&[n; 32]).unwrap()).collect();
    &KEYS.get_or_init(make)[usize::from(n) - 1]
}

/// Its address.
pub(super) fn addr(n: u8) -> TronAddress {
    key(n).address()
}

pub(super) fn bytes(n: u8) -> Vec<u8> {
    addr(n).as_bytes().to_vec()
}

impl Net {
    pub(super) fn new() -> Self {
        Self::with(DevnetConfig::default())
    }

    pub(super) fn with(config: DevnetConfig) -> Self {
        Self {
            chain: Chain::new(config),
            nonce: 0,
        }
    }

    /// Accounts 1 and 2 with 1,000,000 TRX each; account 1 with as much stake for energy.
    pub(super) fn funded() -> Self {
        let mut net = Self::new();
        net.credit(1, 1_000_000 * TRX);
        net.credit(2, 1_000_000 * TRX);
        net.stake(1, Resource::Energy, 1_000_000 * TRX);
        net.mine(1);
        net
    }

    pub(super) fn credit(&mut self, n: u8, sun: i64) {
        self.chain.admin(AdminOp::Credit { address: addr(n), sun });
    }

    pub(super) fn stake(&mut self, n: u8, resource: Resource, sun: i64) {
        self.chain.admin(AdminOp::Stake {
            address: addr(n),
            resource,
            sun,
        });
    }

    pub(super) fn mine(&mut self, count: u64) {
        self.chain.mine(count).unwrap();
    }

    /// Lets chain time pass, and one block with it.
    pub(super) fn pass(&mut self, seconds: i64) {
        self.chain.skip_ms(seconds * 1_000);
        self.mine(1);
    }

    pub(super) fn account(&self, n: u8) -> Account {
        self.chain.state().account(&addr(n)).cloned().unwrap()
    }

    pub(super) fn solid_account(&self, n: u8) -> Option<Account> {
        self.chain.state().account_in(View::Solid, &addr(n)).cloned()
    }

    /// Raw data around `op`, valid for a minute from the newest block.
    pub(super) fn raw(&mut self, op: &Op) -> TransactionRaw {
        self.nonce += 1;
        let head = self.chain.block(self.chain.head()).unwrap().clone();
        let mut raw = Signed::build(op, 0);
        raw.ref_block_bytes = head.id[6..8].to_vec();
        raw.ref_block_hash = head.reference_hash().to_vec();
        raw.expiration = head.timestamp + 60_000;
        raw.timestamp = head.timestamp + self.nonce;
        if matches!(op, Op::Trigger(_)) {
            raw.fee_limit = 100 * TRX;
        }
        raw
    }

    pub(super) fn sign(raw: TransactionRaw, signers: &[u8]) -> Signed {
        let mut tx = Signed::from_raw(raw, Vec::new()).unwrap();
        tx.signatures = signers.iter().map(|n| key(*n).sign(&tx.txid).to_vec()).collect();
        tx
    }

    pub(super) fn send_raw(&mut self, raw: TransactionRaw, signer: u8) -> Result<[u8; 32], Refusal> {
        let tx = Self::sign(raw, &[signer]);
        let id = tx.txid;
        self.chain.broadcast(tx, Disposal::Pool).map(|()| id)
    }

    /// Broadcasts.
    pub(super) fn send(&mut self, signer: u8, op: &Op) -> Result<[u8; 32], Refusal> {
        let raw = self.raw(op);
        self.send_raw(raw, signer)
    }

    /// Broadcasts, mines, and returns what it did.
    pub(super) fn must(&mut self, signer: u8, op: &Op) -> Outcome {
        let id = self.send(signer, op).unwrap();
        self.mine(1);
        self.outcome(&id).unwrap()
    }

    /// What an included transaction did.
    pub(super) fn outcome(&self, id: &[u8; 32]) -> Option<Outcome> {
        self.chain
            .inclusion(View::Head, id)
            .map(|(_, included)| included.outcome.clone())
    }

    /// The text with which validation refuses `op`.
    pub(super) fn refusal(&mut self, signer: u8, op: &Op) -> String {
        match self.send(signer, op) {
            Err(Refusal::Validate(text)) => text,
            other => panic!("expected a validation error, got {other:?}"),
        }
    }
}

pub(super) fn transfer(from: u8, to: u8, amount: i64) -> Op {
    Op::Transfer(TransferContract {
        owner_address: bytes(from),
        to_address: bytes(to),
        amount,
    })
}

pub(super) fn freeze(owner: u8, frozen_balance: i64, resource: i32) -> Op {
    Op::Freeze(FreezeBalanceV2Contract {
        owner_address: bytes(owner),
        frozen_balance,
        resource,
    })
}

pub(super) fn lend(from: u8, to: u8, balance: i64) -> DelegateResourceContract {
    DelegateResourceContract {
        owner_address: bytes(from),
        receiver_address: bytes(to),
        balance,
        resource: 1,
        lock: false,
        lock_period: 0,
    }
}

pub(super) fn delegate(from: u8, to: u8, balance: i64) -> Op {
    Op::Delegate(lend(from, to, balance))
}

pub(super) fn locked(from: u8, to: u8, balance: i64, lock_period: i64) -> Op {
    Op::Delegate(DelegateResourceContract {
        lock: true,
        lock_period,
        ..lend(from, to, balance)
    })
}

pub(super) fn take_back(from: u8, to: u8, balance: i64) -> UnDelegateResourceContract {
    UnDelegateResourceContract {
        owner_address: bytes(from),
        receiver_address: bytes(to),
        balance,
        resource: 1,
    }
}

pub(super) fn undelegate(from: u8, to: u8, balance: i64) -> Op {
    Op::Undelegate(take_back(from, to, balance))
}
