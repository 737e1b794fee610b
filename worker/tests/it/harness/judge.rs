//! What must hold at the end of every flow, whatever went wrong in it. The chain is asked itself: what our rows say of it
//! is what is judged.

use std::collections::{BTreeMap, BTreeSet};

use chain::{ChainClient, TronAddress, TxOutcome};
use db::acquire;
use db::models::{ChainTransaction, Delegation, DelegationState, Order, OrderState, SupplierWallet, TxState};
use db::schema::{chain_transactions, delegations, orders, supplier_wallets};
use diesel::{QueryDsl, SelectableHelper};
use diesel_async::RunQueryDsl;
use domain::reconcile;
use kernel::{Clock, RandomIds};
use tron::ContractBody;
use uuid::Uuid;

use super::Rig;

/// Our books, and what the chain says.
struct Evidence {
    orders: Vec<Order>,
    delegations: Vec<Delegation>,
    transactions: Vec<ChainTransaction>,
    wallets: BTreeMap<Uuid, TronAddress>,
    /// Every transaction of every block, with how it ended.
    landed: BTreeMap<String, TxOutcome>,
}

/// A delegation or its undoing that took effect on chain, by what was signed.
struct Landed {
    intent: Uuid,
    undo: bool,
    owner: TronAddress,
    receiver: TronAddress,
    sun: i64,
}

impl Rig {
    /// Lets everything come to an end, then judges.
    pub(crate) async fn judge(mut self) {
        self.devnet.clear_faults();
        self.quiesce().await;
        let complaints = self.complaints().await;
        self.judged = true;
        assert!(complaints.is_empty(), "{complaints:#?}\n{}", self.report().await);
    }

    /// Ends a flow that cannot be right, once the test has looked at what is wrong.
    pub(crate) fn condemn(mut self) {
        self.judged = true;
    }

    /// All that is wrong.
    pub(crate) async fn complaints(&self) -> Vec<String> {
        let node = self.node();
        let evidence = self.evidence(&node).await;
        let mut complaints = self.complaints_of_books().await;
        complaints.extend(evidence.complaints_of_chain(&self.foreign.lock().unwrap()));
        complaints.extend(evidence.complaints_of_orders());
        complaints.extend(evidence.complaints_of_stake(&node).await);
        complaints
    }

    /// The test sent this transaction itself.
    pub(crate) fn note_foreign(&self, txid: String) {
        self.foreign.lock().unwrap().insert(txid);
    }

    async fn evidence(&self, node: &impl ChainClient) -> Evidence {
        let mut conn = acquire(&self.owner).await.unwrap();
        let wallets: Vec<SupplierWallet> = supplier_wallets::table
            .select(SupplierWallet::as_select())
            .load(&mut conn)
            .await
            .unwrap();
        let address = |wallet: SupplierWallet| Some((wallet.id, wallet.address?.parse().unwrap()));
        Evidence {
            orders: orders::table.select(Order::as_select()).load(&mut conn).await.unwrap(),
            delegations: delegations::table
                .select(Delegation::as_select())
                .load(&mut conn)
                .await
                .unwrap(),
            transactions: chain_transactions::table
                .select(ChainTransaction::as_select())
                .load(&mut conn)
                .await
                .unwrap(),
            wallets: wallets.into_iter().filter_map(address).collect(),
            landed: self.landed(node).await,
        }
    }

    async fn landed(&self, node: &impl ChainClient) -> BTreeMap<String, TxOutcome> {
        let mut landed = BTreeMap::new();
        let head = self.devnet.head();
        let mut from = 1;
        while from <= head {
            let blocks = node.blocks(from, (from + 99).min(head)).await.unwrap();
            from = blocks.last().unwrap().at.number + 1;
            for seen in blocks.iter().flat_map(|block| &block.transactions) {
                let before = landed.insert(seen.txid.to_string(), seen.outcome);
                assert!(before.is_none(), "the chain carries {} twice", seen.txid);
            }
        }
        landed
    }

    /// The proofs that run in production, the jobs and the findings.
    async fn complaints_of_books(&self) -> Vec<String> {
        reconcile::run(&self.owner, &RandomIds, self.clock.now()).await.unwrap();
        let expected = self.expected_findings.lock().unwrap().clone();
        let mut found = self
            .lines("SELECT concat_ws(' ', kind, subject, detail) AS line FROM findings")
            .await;
        found.retain(|line| !expected.iter().any(|kind| line.starts_with(kind)));
        let jobs = self
            .lines("SELECT concat_ws(' ', state, kind, object_id, last_error_code, last_error) AS line FROM jobs")
            .await;
        let found = found.iter().map(|line| format!("finding: {line}"));
        found
            .chain(jobs.iter().map(|line| format!("job left: {line}")))
            .collect()
    }
}

impl Evidence {
    /// What took effect on chain, decoded from the bytes that we signed.
    fn effects(&self) -> Vec<Landed> {
        let ours = self.transactions.iter();
        let ok = ours.filter(|tx| self.landed.get(&tx.txid) == Some(&TxOutcome::Ok));
        ok.map(|tx| {
            let decoded = tron::decode_transaction(&tx.raw).unwrap();
            assert_eq!(decoded.txid.to_string(), tx.txid, "the id of the stored bytes");
            let (undo, owner, receiver, sun) = match decoded.unsigned.contract {
                ContractBody::Delegate {
                    owner,
                    receiver,
                    balance_sun,
                    ..
                } => (false, owner, receiver, balance_sun),
                ContractBody::UnDelegate {
                    owner,
                    receiver,
                    balance_sun,
                    ..
                } => (true, owner, receiver, balance_sun),
                other => panic!("we signed {other:?}"),
            };
            Landed {
                intent: tx.intent_id,
                undo,
                owner,
                receiver,
                sun,
            }
        })
        .collect()
    }

    /// Everything on the chain is known to us, and what we hold for landed has landed.
    fn complaints_of_chain(&self, foreign: &BTreeSet<String>) -> Vec<String> {
        let known: BTreeSet<&String> = self.transactions.iter().map(|tx| &tx.txid).collect();
        let strangers = self
            .landed
            .keys()
            .filter(|txid| !known.contains(txid) && !foreign.contains(*txid));
        let mut complaints: Vec<String> = strangers.map(|txid| format!("stranger on chain: {txid}")).collect();
        for tx in &self.transactions {
            let booked = tx.state == TxState::Final;
            if booked != self.landed.contains_key(&tx.txid) {
                complaints.push(format!(
                    "transaction {} is {} in our books, and not on the chain",
                    tx.txid, tx.state
                ));
            }
            if !matches!(tx.state, TxState::Final | TxState::Dead) {
                complaints.push(format!("transaction {} has not come to an end: {}", tx.txid, tx.state));
            }
        }
        complaints
    }

    /// Delivered once and paid, or not delivered and the money back.
    fn complaints_of_orders(&self) -> Vec<String> {
        let effects = self.effects();
        let mut complaints = Vec::new();
        for order in &self.orders {
            let tried: Vec<&Delegation> = self.delegations.iter().filter(|d| d.order_id == order.id).collect();
            let made: Vec<&Landed> = effects
                .iter()
                .filter(|effect| !effect.undo && tried.iter().any(|d| d.id == effect.intent))
                .collect();
            let right = match order.state {
                OrderState::Completed => made.len() == 1 && order.settled_at.is_some(),
                OrderState::Cancelled | OrderState::Refunded => made.is_empty(),
                _ => false,
            };
            if !right {
                complaints.push(format!(
                    "order {} is {}, settled {:?}, with {} delegations on chain",
                    order.id,
                    order.state,
                    order.settled_at,
                    made.len()
                ));
            }
        }
        for delegation in &self.delegations {
            complaints.extend(self.complaint_of_delegation(delegation, &effects));
        }
        complaints
    }

    /// Made with the wallet, the receiver and the sun of the books; undone once and with the same, or not at all.
    fn complaint_of_delegation(&self, delegation: &Delegation, effects: &[Landed]) -> Option<String> {
        let of_it = |undo| {
            effects
                .iter()
                .filter(move |e| e.intent == delegation.id && e.undo == undo)
        };
        let expected = match delegation.state {
            DelegationState::Active => (1, 0),
            DelegationState::Reclaimed => (1, 1),
            _ => (0, 0),
        };
        let counted = (of_it(false).count(), of_it(true).count());
        let same = of_it(false).chain(of_it(true)).all(|effect| {
            effect.sun == delegation.amount_sun
                && effect.receiver.to_string() == delegation.receiver
                && self.wallets.get(&delegation.wallet_id) == Some(&effect.owner)
        });
        let moving = matches!(
            delegation.state,
            DelegationState::Reserved | DelegationState::Reclaiming
        );
        (counted != expected || !same || moving).then(|| {
            format!(
                "delegation {} is {}, made and undone on chain {counted:?}, as booked: {same}",
                delegation.id, delegation.state
            )
        })
    }

    /// The chain's delegated stake, per wallet and per receiver, is that of our books.
    async fn complaints_of_stake(&self, node: &impl ChainClient) -> Vec<String> {
        let mut complaints = Vec::new();
        for (id, address) in &self.wallets {
            let of_wallet = || self.delegations.iter().filter(|d| d.wallet_id == *id);
            let live = |d: &&Delegation| DelegationState::LIVE.contains(&d.state);
            let booked: i64 = of_wallet().filter(live).map(|d| d.amount_sun).sum();
            let snapshot = node.wallet_snapshot(*address).await.unwrap();
            if snapshot.delegated_energy_sun != booked {
                complaints.push(format!(
                    "wallet {address} has {} sun delegated on chain, {booked} in our books",
                    snapshot.delegated_energy_sun
                ));
            }
            let receivers: BTreeSet<&String> = of_wallet().map(|d| &d.receiver).collect();
            for receiver in receivers {
                let of_pair = of_wallet().filter(live).filter(|d| d.receiver == *receiver);
                let booked: i64 = of_pair.map(|d| d.amount_sun).sum();
                let lent = node
                    .delegated_energy_sun(*address, receiver.parse().unwrap())
                    .await
                    .unwrap();
                if lent != booked {
                    complaints.push(format!(
                        "{address} lends {lent} sun to {receiver}, {booked} in our books"
                    ));
                }
            }
        }
        complaints
    }
}
