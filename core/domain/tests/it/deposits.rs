//! Transfers to us: recorded with their block, taken back by forks, decided and credited once when final.

mod cases;
mod exchanged;
mod forks;
mod order;
mod proofs;
mod rentals;
mod rulings;
mod told;

use std::collections::{BTreeMap, BTreeSet};

use chain::{Block, ChainAmount, MovedBy, TransactionSeen, Transfer, TransferAsset, TronAddress, TxId, TxOutcome};
use chrono::Duration;
use db::acquire;
use db::models::{
    AddressKind, Deposit, DepositAddress, DepositState, DepositWay, IncomingTransfer, TransferKind, TransferState,
};
use domain::deposits::{self, CreditPolicy, Credited};
use domain::watch::Applied;
use kernel::{Amount, Asset, IdGen, UserId};
use ledger::Account;
use sha2::{Digest, Sha256};
use switchyard_domain as domain;
use uuid::Uuid;

use crate::harness::block_on;
use crate::world::{ANNA, NETWORK, World, address};

const TRX: i64 = 1_000_000;

/// The token that is money here, by its contract.
fn usdt() -> TransferAsset {
    TransferAsset::Token(address(90))
}

fn policy() -> CreditPolicy {
    CreditPolicy {
        tokens: BTreeMap::from([(address(90).to_string(), Asset::Usdt)]),
        dust: Asset::ALL
            .map(|asset| (asset, Amount::from_minor(1_000).unwrap()))
            .into(),
        blocked: BTreeSet::from([address(66).to_string()]),
        exchange: None,
        rental: None,
    }
}

/// The `n`th transaction's transfer of the coin to an address, from a stranger.
pub(crate) fn coin(n: u32, to: TronAddress, amount: i64) -> Transfer {
    Transfer {
        block_number: 0,
        txid: TxId(Sha256::digest(n.to_be_bytes()).into()),
        by: MovedBy::Transaction,
        asset: TransferAsset::Coin,
        from: address(99),
        to,
        amount: ChainAmount::from(u128::try_from(amount).unwrap()),
        memo: None,
    }
}

fn token(n: u32, log_index: u32, to: TronAddress, amount: i64) -> Transfer {
    Transfer {
        by: MovedBy::Log(log_index),
        asset: usdt(),
        ..coin(n, to, amount)
    }
}

/// A block on the head with these transfers; another `branch` gives another block.
fn carrying(parent: &chain::BlockRef, branch: u8, transfers: &[Transfer]) -> Block {
    let mut seen: Vec<TransactionSeen> = transfers
        .iter()
        .map(|transfer| TransactionSeen {
            txid: transfer.txid,
            outcome: TxOutcome::Ok,
            fee_sun: 0,
            energy_used: 0,
            bandwidth_used: 0,
        })
        .collect();
    seen.dedup_by_key(|transaction| transaction.txid);
    let mut block = block_on(parent, branch, &seen);
    block.transfers = transfers.to_vec();
    for transfer in &mut block.transfers {
        transfer.block_number = block.at.number;
    }
    block
}

impl World {
    /// An address of a kind, made by hand.
    async fn pays_to(&self, n: u8, kind: AddressKind, user: Option<i64>) -> TronAddress {
        let mut conn = acquire(&self.api).await.unwrap();
        let row = DepositAddress {
            id: self.ids.uuid(),
            network: NETWORK.into(),
            address: address(n).to_string(),
            kind,
            user_id: user,
            key_fingerprint: None,
            derivation_index: None,
            retired_at: None,
            created_at: self.now(),
        };
        assert!(row.insert_if_missing(&mut conn).await.unwrap());
        address(n)
    }

    /// Anna's own address.
    pub(crate) async fn annas(&self) -> TronAddress {
        self.pays_to(50, AddressKind::User, Some(ANNA)).await
    }

    /// Anna announces a deposit, which she has a minute of the chain's time for, and which is remembered for an hour.
    pub(crate) async fn announce(&self, to: TronAddress, asset: Asset, amount: Option<i64>) -> Uuid {
        let mut conn = acquire(&self.api).await.unwrap();
        let to = DepositAddress::find(&mut conn, NETWORK, &to.to_string())
            .await
            .unwrap()
            .unwrap();
        let shared = to.kind == AddressKind::Shared;
        let time = self.cursor().await.head_time;
        let id = self.ids.uuid();
        let code: String = id.simple().to_string().to_uppercase().chars().rev().take(10).collect();
        let row = Deposit {
            id,
            user_id: ANNA,
            api_key_id: self.key.0,
            network: NETWORK.into(),
            asset: asset.code().into(),
            way: if shared {
                DepositWay::Amount
            } else {
                DepositWay::Address
            },
            address_id: to.id,
            amount,
            code: code.replace('0', "Y").replace('1', "Z"),
            state: DepositState::Open,
            received: 0,
            expires_at: time + Duration::seconds(60),
            amount_held_until: time + Duration::seconds(3_660),
            amount_released_at: None,
            paid_at: None,
            created_at: self.now(),
            updated_at: self.now(),
        };
        assert!(row.insert_if_free(&mut conn).await.unwrap());
        id
    }

    async fn deposit(&self, id: Uuid) -> Deposit {
        let mut conn = acquire(&self.api).await.unwrap();
        Deposit::find(&mut conn, id).await.unwrap().unwrap()
    }

    /// A block more with these transfers; answers how many of them came to us.
    pub(crate) async fn receive(&self, transfers: &[Transfer]) -> usize {
        let block = carrying(&self.head().await, 0, transfers);
        match self.apply(&[block]).await.unwrap() {
            Applied::Done { deposits, .. } => deposits,
            Applied::Moved => panic!("moved"),
        }
    }

    async fn credit(&self) -> Credited {
        let policy = policy();
        let done = deposits::credit(&self.worker, &self.ids, NETWORK, &policy, 100, self.now());
        done.await.unwrap()
    }

    /// A block with these transfers, solid at once, decided.
    async fn settle(&self, transfers: &[Transfer]) -> Credited {
        self.receive(transfers).await;
        self.solidify().await;
        self.credit().await
    }

    async fn row(&self, transfer: &Transfer) -> IncomingTransfer {
        let mut conn = acquire(&self.api).await.unwrap();
        let txid = transfer.txid.to_string();
        let rows = IncomingTransfer::of_transaction(&mut conn, NETWORK, &txid);
        let log = match transfer.by {
            MovedBy::Transaction => -1,
            MovedBy::Call(call) => -2 - i32::try_from(call).unwrap(),
            MovedBy::Log(log) => i32::try_from(log).unwrap(),
        };
        rows.await
            .unwrap()
            .into_iter()
            .find(|row| row.log_index == log)
            .unwrap()
    }

    async fn standing(&self, transfer: &Transfer) -> (TransferState, Option<TransferKind>) {
        let row = self.row(transfer).await;
        (row.state, row.kind)
    }

    async fn balance(&self, asset: Asset) -> i64 {
        let balances = domain::users::balances(&self.api, UserId(ANNA)).await.unwrap();
        balances.iter().find(|(of, _)| *of == asset).unwrap().1.minor()
    }

    /// What came in by the books.
    async fn came_in(&self, asset: Asset) -> i128 {
        let mut conn = acquire(&self.api).await.unwrap();
        let network = NETWORK.parse().unwrap();
        -ledger::house_balance(&mut conn, &Account::Deposits { network, asset })
            .await
            .unwrap()
    }
}

#[tokio::test]
async fn what_comes_is_seen_at_once_and_credited_when_it_is_final() {
    let world = World::new().await;
    let to = world.annas().await;
    let before = world.balance(Asset::Trx).await;
    let (trx, tokens) = (coin(1, to, 5 * TRX), token(2, 3, to, 7 * TRX));
    let strangers = [coin(3, address(1), TRX), token(4, 0, address(2), TRX)];
    let mut block = strangers.to_vec();
    block.extend([trx.clone(), tokens.clone()]);
    assert_eq!(world.receive(&block).await, 2);
    assert_eq!(world.count("incoming_transfers").await, 2);
    let row = world.row(&tokens).await;
    assert_eq!((row.state, row.block_number, row.place), (TransferState::Seen, 1001, 3));
    assert_eq!((row.amount.as_str(), row.log_index, row.kind), ("7000000", 3, None));
    assert_eq!(row.token, Some(address(90).to_string()));

    assert_eq!(
        world.credit().await,
        Credited::default(),
        "the block may still be taken back"
    );
    assert!(!world.has_job("deposits.credit", NETWORK).await);
    world.solidify().await;
    assert!(world.has_job("deposits.credit", NETWORK).await);
    let done = world.credit().await;
    assert_eq!((done.decided, done.credited, done.held), (2, 2, 0));
    assert_eq!(world.credit().await, Credited::default());
    assert_eq!(world.balance(Asset::Trx).await - before, 5 * TRX);
    assert_eq!(world.balance(Asset::Usdt).await, 7 * TRX);
    assert_eq!(world.came_in(Asset::Usdt).await, i128::from(7 * TRX));
    assert_eq!(
        world.standing(&trx).await,
        (TransferState::Credited, Some(TransferKind::Plain))
    );
    let event = format!("deposit:nile:{}:-1:credit", trx.txid);
    assert_eq!(
        world.count(&format!("ledger_transfers WHERE event = '{event}'")).await,
        1
    );
    world.assert_sound().await;
}

#[tokio::test]
async fn many_transfers_are_decided_in_slices_and_in_the_order_of_the_chain() {
    let world = World::new().await;
    let to = world.annas().await;
    let deposit = world.announce(to, Asset::Trx, Some(30 * TRX)).await;
    for n in 0..3 {
        let of_block: Vec<Transfer> = (0..10).map(|place| coin(10 * n + place, to, TRX)).collect();
        assert_eq!(world.receive(&of_block).await, 10);
    }
    world.solidify().await;
    let policy = policy();
    let slice = || deposits::credit(&world.worker, &world.ids, NETWORK, &policy, 7, world.now());
    // two at once: one waits for the other
    let (one, other) = tokio::join!(slice(), slice());
    assert_eq!(one.unwrap().decided + other.unwrap().decided, 14);
    let last = world.row(&coin(13, to, TRX)).await;
    assert_eq!((last.state, last.place), (TransferState::Credited, 3));
    assert_eq!(world.row(&coin(14, to, TRX)).await.state, TransferState::Seen);
    while world.credit().await.decided > 0 {}
    let kinds = world
        .words("SELECT kind AS word FROM incoming_transfers ORDER BY block_number, place")
        .await;
    assert_eq!(kinds.iter().filter(|kind| *kind == "partial").count(), 29);
    assert_eq!(kinds[29], "exact");
    let deposit = world.deposit(deposit).await;
    assert_eq!((deposit.state, deposit.received), (DepositState::Paid, 30 * TRX));
    world.assert_sound().await;
}

#[tokio::test]
async fn nothing_is_credited_while_the_network_is_halted() {
    let world = World::new().await;
    let to = world.annas().await;
    world.receive(&[coin(1, to, TRX)]).await;
    world.solidify().await;
    world.halt("test").await;
    assert_eq!(world.credit().await, Credited::default());
    domain::watch::resume(&world.worker, NETWORK, world.now())
        .await
        .unwrap();
    assert_eq!(world.credit().await.credited, 1);
}

#[tokio::test]
async fn the_api_cannot_make_transfers_up() {
    let world = World::new().await;
    let to = world.annas().await;
    world.receive(&[coin(1, to, TRX)]).await;
    let mut conn = acquire(&world.api).await.unwrap();
    for sql in [
        "INSERT INTO incoming_transfers SELECT * FROM incoming_transfers",
        "UPDATE incoming_transfers SET amount = 7",
        "DELETE FROM incoming_transfers",
        "UPDATE deposit_addresses SET user_id = 8",
        "UPDATE deposits SET amount = 8",
    ] {
        let refused = diesel_async::RunQueryDsl::execute(diesel::sql_query(sql), &mut conn).await;
        let refused = refused.unwrap_err().to_string();
        assert!(refused.contains("permission denied"), "{sql}: {refused}");
    }
}
