//! A chain made of values, and the steps that a worker takes between it and the rows.

use chain::{Block, BlockRef, Broadcast, Refusal, TransactionSeen, TxId, TxOutcome};
use chrono::{DateTime, Duration, Utc};
use db::models::{BlockRow, ChainCursor, ChainTransaction, Delegation, IntentKind, TxState};
use db::{acquire, run_tx};
use domain::DomainError;
use domain::delegations::choice::SplitLimits;
use domain::delegations::{
    Adoption, Claim, ClaimOfMany, ClaimRequest, Reclaim, SignedClaim, adopt, claim_in_tx, claim_many_in_tx,
    claim_reclaim_in_tx, signed_in_tx,
};
use domain::transactions::{
    Intent, Recorded, ResendPolicy, Sent, Signed, ToStore, bury_if_expired, missed, record_answer, store_in_tx,
};
use domain::watch::{Applied, ForkOutcome, SolidOutcome, apply_in_tx, finalise, revert_in_tx, set_solid_in_tx};
use kernel::{ChainTransactionId, DelegationId, OrderId, WalletId};
use sha2::{Digest, Sha256};
use switchyard_domain as domain;

use crate::world::{ENERGY, NETWORK, STAKE, World};

/// How long signed bytes may land.
pub(crate) const EXPIRY_S: i64 = 60;
pub(crate) const RESEND: ResendPolicy = ResendPolicy {
    after: Duration::seconds(5),
    at_most: Duration::seconds(60),
};

/// A transaction that was signed and stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tx {
    pub(crate) id: ChainTransactionId,
    pub(crate) txid: TxId,
    pub(crate) delegation: DelegationId,
    pub(crate) wallet: WalletId,
    pub(crate) amount_sun: i64,
    pub(crate) expires_at: DateTime<Utc>,
}

/// What came of a claim, signed if it was one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tried {
    Signed(Tx),
    NotPending,
    PastDeadline,
    Incomplete,
    Changed,
    NotCurrent,
    NoWallet,
}

/// What came of one of several claims.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Many {
    Signed(Tx),
    NotPending,
    Alone,
}

impl Tried {
    pub(crate) fn signed(self) -> Tx {
        match self {
            Self::Signed(tx) => tx,
            other => panic!("nothing was signed: {other:?}"),
        }
    }
}

/// Where the network starts: block 1000.
pub(crate) fn genesis() -> BlockRef {
    BlockRef {
        number: 1000,
        id: "0a".repeat(32),
        parent_id: "0b".repeat(32),
        time: DateTime::from_timestamp(1_900_000_000, 0).unwrap(),
    }
}

/// The block after `parent`, three seconds later; another `branch` gives another block.
pub(crate) fn block_on(parent: &BlockRef, branch: u8, transactions: &[TransactionSeen]) -> Block {
    let mut hash = Sha256::new().chain_update(&parent.id).chain_update([branch]);
    for seen in transactions {
        hash.update(seen.txid.0);
    }
    Block {
        at: BlockRef {
            number: parent.number + 1,
            id: hex::encode(hash.finalize()),
            parent_id: parent.id.clone(),
            time: parent.time + Duration::seconds(3),
        },
        transactions: transactions.to_vec(),
        transfers: Vec::new(),
    }
}

pub(crate) fn landed(tx: &Tx) -> TransactionSeen {
    TransactionSeen {
        txid: tx.txid,
        outcome: TxOutcome::Ok,
        fee_sun: 0,
        energy_used: 0,
        bandwidth_used: 280,
    }
}

pub(crate) fn failed(tx: &Tx) -> TransactionSeen {
    TransactionSeen {
        outcome: TxOutcome::Failed,
        ..landed(tx)
    }
}

pub(crate) fn refused(refusal: Refusal) -> Broadcast {
    Broadcast::Refused {
        code: "CONTRACT_VALIDATE_ERROR".to_owned(),
        message: "validate error".to_owned(),
        refusal,
    }
}

pub(crate) fn sign(id: ChainTransactionId, timestamp_ms: i64, head_time: DateTime<Utc>) -> (TxId, Signed) {
    let txid = TxId(Sha256::digest(id.0.as_bytes()).into());
    let signed = Signed {
        txid: txid.to_string(),
        raw: vec![7; 120],
        timestamp_ms,
        expires_at: head_time + Duration::seconds(EXPIRY_S),
    };
    (txid, signed)
}

impl World {
    /// Claims an order for this stake of one wallet, signs and stores: what a worker does before it sends.
    pub(crate) async fn try_claim(&self, order: OrderId, amount_sun: i64) -> Result<Tried, DomainError> {
        match self.try_claim_in_parts(order, amount_sun, 1).await? {
            Ok(all) => Ok(Tried::Signed(all[0])),
            Err(other) => Ok(other),
        }
    }

    /// The same of as many wallets as it takes, at most so many: what is missing of the order.
    pub(crate) async fn try_claim_in_parts(
        &self,
        order: OrderId,
        amount_sun: i64,
        max_parts: usize,
    ) -> Result<Result<Vec<Tx>, Tried>, DomainError> {
        let missing = "SELECT COALESCE((SELECT o.energy - COALESCE((SELECT sum(d.energy) FROM delegations d \
            WHERE d.order_id = o.id AND d.state <> 'released' AND NOT d.stray AND o.state = 'processing'), 0)::bigint \
            FROM orders o WHERE o.id =";
        let energy = self.number(&format!("{missing} '{order}'), 0)")).await;
        self.try_claim_of(order, (energy, amount_sun), max_parts).await
    }

    /// The same for a caller who takes so much energy for missing.
    pub(crate) async fn try_claim_of(
        &self,
        order: OrderId,
        (energy, amount_sun): (i64, i64),
        max_parts: usize,
    ) -> Result<Result<Vec<Tx>, Tried>, DomainError> {
        let now = self.now();
        let request = ClaimRequest {
            order,
            delegation: DelegationId::new(&self.ids),
            energy,
            amount_sun,
            bandwidth: 300,
            split: SplitLimits {
                max_parts,
                min_part_sun: STAKE / 10,
            },
            now,
        };
        run_tx(&self.worker, "test_claim", async |conn| {
            let claimed = match claim_in_tx(conn, &self.ids, &request).await? {
                Claim::NotPending => return Ok(Err(Tried::NotPending)),
                Claim::PastDeadline => return Ok(Err(Tried::PastDeadline)),
                Claim::Incomplete => return Ok(Err(Tried::Incomplete)),
                Claim::Changed => return Ok(Err(Tried::Changed)),
                Claim::ChainNotCurrent => return Ok(Err(Tried::NotCurrent)),
                Claim::NoWalletFits => return Ok(Err(Tried::NoWallet)),
                Claim::Claimed(claimed) => claimed,
            };
            let mut all = Vec::new();
            for claimed in &claimed {
                let id = ChainTransactionId::new(&self.ids);
                let (txid, signed) = sign(id, claimed.timestamp_ms, claimed.cursor.head_time);
                let claim = SignedClaim {
                    claimed,
                    id,
                    signed: &signed,
                };
                signed_in_tx(conn, &[claim], (now, now + RESEND.after)).await?;
                all.push(Tx {
                    id,
                    txid,
                    delegation: claimed.delegation,
                    wallet: WalletId(claimed.wallet.id),
                    amount_sun: claimed.amount_sun,
                    expires_at: signed.expires_at,
                });
            }
            Ok(Ok(all))
        })
        .await
    }

    /// Claims orders in one transaction, signs and stores.
    pub(crate) async fn claim_together(&self, orders: &[OrderId]) -> Vec<Many> {
        let now = self.now();
        let request = |order: &OrderId| ClaimRequest {
            order: *order,
            delegation: DelegationId::new(&self.ids),
            energy: ENERGY,
            amount_sun: STAKE,
            bandwidth: 300,
            split: SplitLimits {
                max_parts: 1,
                min_part_sun: 1,
            },
            now,
        };
        let requests: Vec<ClaimRequest> = orders.iter().map(request).collect();
        let ids: Vec<_> = orders.iter().map(|_| ChainTransactionId::new(&self.ids)).collect();
        let claimed = run_tx(&self.worker, "test_claim_together", async |conn| {
            let mut answers = Vec::new();
            for (claim, id) in claim_many_in_tx(conn, NETWORK, &requests).await?.iter().zip(&ids) {
                let claimed = match claim {
                    ClaimOfMany::NotPending => {
                        answers.push(Many::NotPending);
                        continue;
                    }
                    ClaimOfMany::Alone => {
                        answers.push(Many::Alone);
                        continue;
                    }
                    ClaimOfMany::Claimed(claimed) => claimed,
                };
                let (txid, signed) = sign(*id, claimed.timestamp_ms, claimed.cursor.head_time);
                let claim = SignedClaim {
                    claimed,
                    id: *id,
                    signed: &signed,
                };
                signed_in_tx(conn, &[claim], (now, now + RESEND.after)).await?;
                answers.push(Many::Signed(Tx {
                    id: *id,
                    txid,
                    delegation: claimed.delegation,
                    wallet: WalletId(claimed.wallet.id),
                    amount_sun: claimed.amount_sun,
                    expires_at: signed.expires_at,
                }));
            }
            Ok::<_, DomainError>(answers)
        });
        claimed.await.unwrap()
    }

    pub(crate) async fn claim(&self, order: OrderId) -> Tx {
        self.try_claim(order, STAKE).await.unwrap().signed()
    }

    /// Claims an ended delegation, signs and stores; `Err` says why not.
    pub(crate) async fn reclaim(&self, delegation: DelegationId) -> Result<Tx, &'static str> {
        let (id, now) = (ChainTransactionId::new(&self.ids), self.now());
        let claimed = run_tx(&self.worker, "test_reclaim", async |conn| {
            let claimed = match claim_reclaim_in_tx(conn, delegation, now).await? {
                Reclaim::NothingToDo => return Ok(Err("nothing to do")),
                Reclaim::NotYet => return Ok(Err("not yet")),
                Reclaim::Claimed(claimed) => claimed,
            };
            let (txid, signed) = sign(id, claimed.timestamp_ms, claimed.cursor.head_time);
            let wallet = WalletId(claimed.wallet.id);
            let intent = Intent {
                kind: IntentKind::Reclaim,
                id: delegation.0,
                wallet,
            };
            let new = ToStore {
                id,
                network: NETWORK,
                intent,
                signed: &signed,
            };
            store_in_tx(conn, &[new], (now, now + RESEND.after)).await?;
            Ok::<_, DomainError>(Ok(Tx {
                id,
                txid,
                delegation,
                wallet,
                amount_sun: claimed.delegation.amount_sun,
                expires_at: signed.expires_at,
            }))
        });
        claimed.await.unwrap()
    }

    /// Records a node's answer.
    pub(crate) async fn answer(&self, tx: &Tx, answer: &Broadcast, first_send: bool) -> Recorded {
        let sent = Sent {
            transaction: tx.id,
            answer,
            first_send,
        };
        let rules = (RESEND, &self.death);
        record_answer(&self.worker, &self.ids, sent, rules, self.now())
            .await
            .unwrap()
    }

    pub(crate) async fn bury(&self, tx: &Tx) -> bool {
        let buried = bury_if_expired(&self.worker, &self.ids, tx.id, &self.death, self.now()).await;
        buried.unwrap().died
    }

    /// Dies, since a solidified block is past its expiry.
    pub(crate) async fn expire(&self, tx: &Tx) {
        self.mine_at(tx.expires_at).await;
        self.solidify().await;
        assert!(self.bury(tx).await);
    }

    /// A node says that this block carries it.
    pub(crate) async fn miss(&self, tx: &Tx, block: i64) {
        missed(&self.worker, &self.ids, tx.id, block, self.now()).await.unwrap();
    }

    /// Takes a transaction into the books that this block carries.
    pub(crate) async fn adopt(&self, tx: &Tx, block: &Block) -> Adoption {
        let named = (&*tx.txid.to_string(), block);
        adopt(&self.worker, &self.ids, named, "anna", self.now()).await.unwrap()
    }

    pub(crate) async fn cursor(&self) -> ChainCursor {
        let mut conn = acquire(&self.worker).await.unwrap();
        ChainCursor::find(&mut conn, NETWORK).await.unwrap().unwrap()
    }

    pub(crate) async fn block(&self, number: i64) -> BlockRow {
        let mut conn = acquire(&self.worker).await.unwrap();
        BlockRow::find(&mut conn, NETWORK, number).await.unwrap().unwrap()
    }

    /// The block that the cursor stands on.
    pub(crate) async fn head(&self) -> BlockRef {
        reference(&self.block(self.cursor().await.head_number).await)
    }

    pub(crate) async fn apply(&self, blocks: &[Block]) -> Result<Applied, DomainError> {
        let now = self.now();
        run_tx(&self.worker, "test_apply", async |conn| {
            apply_in_tx(conn, &self.ids, NETWORK, blocks, now).await
        })
        .await
    }

    /// One block more, with these transactions, applied.
    pub(crate) async fn mine(&self, transactions: &[TransactionSeen]) -> Block {
        let block = block_on(&self.head().await, 0, transactions);
        let applied = self.apply(std::slice::from_ref(&block)).await.unwrap();
        assert!(matches!(applied, Applied::Done { .. }), "{applied:?}");
        block
    }

    /// An empty block at `time`: the producers were away until then.
    pub(crate) async fn mine_at(&self, time: DateTime<Utc>) {
        let mut block = block_on(&self.head().await, 0, &[]);
        block.at.time = time.max(block.at.time);
        assert!(matches!(self.apply(&[block]).await.unwrap(), Applied::Done { .. }));
    }

    pub(crate) async fn try_solid(&self, solid: &BlockRef) -> SolidOutcome {
        let (head, now) = (self.cursor().await.head_block_id, self.now());
        let moved = run_tx(&self.worker, "test_solid", async |conn| {
            set_solid_in_tx(conn, NETWORK, &head, solid, now).await
        });
        moved.await.unwrap()
    }

    /// The whole chain that we read is solidified.
    pub(crate) async fn solidify(&self) {
        let outcome = self.try_solid(&self.head().await).await;
        assert!(matches!(outcome, SolidOutcome::Done { .. }), "{outcome:?}");
    }

    pub(crate) async fn finalise(&self) -> usize {
        let done = finalise(&self.worker, &self.ids, NETWORK, 100, &self.death, self.now()).await;
        done.unwrap().0
    }

    /// Stops the scan where it stands.
    pub(crate) async fn halt(&self, reason: &str) {
        let head = self.cursor().await.head_block_id;
        let halted = domain::watch::halt(&self.worker, &self.ids, (NETWORK, &head), reason, self.now());
        assert!(halted.await.unwrap());
    }

    /// Takes back every block above `number`.
    pub(crate) async fn revert_to(&self, number: i64) -> ForkOutcome {
        let (head, now) = (self.cursor().await.head_block_id, self.now());
        let ancestor = self.block(number).await;
        let reverted = run_tx(&self.worker, "test_revert", async |conn| {
            revert_in_tx(conn, &self.ids, NETWORK, &head, &ancestor, now).await
        });
        reverted.await.unwrap()
    }

    /// An order that is delivered in the block after the head.
    pub(crate) async fn deliver(&self, receiver: u8) -> (OrderId, Tx) {
        let order = self.order(receiver).await;
        let tx = self.claim(order).await;
        self.mine(&[landed(&tx)]).await;
        (order, tx)
    }

    /// A delivered order whose delegation is final and whose rental has ended by the chain's clock.
    pub(crate) async fn ended(&self, receiver: u8) -> (OrderId, Tx) {
        let (order, tx) = self.deliver(receiver).await;
        self.solidify().await;
        assert_eq!(self.finalise().await, 1);
        self.mine_at(self.delegation(tx.delegation).await.ends_at.unwrap())
            .await;
        (order, tx)
    }

    pub(crate) async fn delegation(&self, id: DelegationId) -> Delegation {
        let mut conn = acquire(&self.worker).await.unwrap();
        Delegation::find(&mut conn, id.0).await.unwrap().unwrap()
    }

    pub(crate) async fn tx_row(&self, tx: &Tx) -> ChainTransaction {
        let mut conn = acquire(&self.worker).await.unwrap();
        ChainTransaction::lock(&mut conn, tx.id.0).await.unwrap().unwrap()
    }

    pub(crate) async fn tx_state(&self, tx: &Tx) -> TxState {
        self.tx_row(tx).await.state
    }
}

pub(crate) fn reference(row: &BlockRow) -> BlockRef {
    BlockRef {
        number: row.number,
        id: row.block_id.clone(),
        parent_id: row.parent_id.clone(),
        time: row.block_time,
    }
}
