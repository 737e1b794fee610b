//! One order that went well, with its money, its transactions and what the chain says of it.

use std::collections::{BTreeMap, BTreeSet};

use chain::{BlockRef, TronAddress, TxOutcome};
use chrono::{DateTime, Duration, Utc};
use db::models::{
    ChainCursor, ChainTransaction, DeathCause, Delegation, DelegationState, IntentKind, Order, OrderState, Outcome,
    TxState,
};
use domain::reconcile::EscrowFigures;
use domain::reconcile::lent::LentBounds;
use ledger::{OrderTransfer, Reason};
use tron::proto::ResourceCode;
use tron::{BlockReference, ContractBody, PrivateKey, UnsignedTx, sign_transaction};
use uuid::Uuid;

use crate::audit::complaint::Rule;
use crate::audit::evidence::{Books, Case, House, LentOnChain, OnChain, Rigour, Seen};
use crate::audit::rules::{Context, of_case, of_chain, of_house, of_payout, of_staking, of_sweep};

pub(super) const NETWORK: &str = "tron";
pub(super) const PRICE: i64 = 3_900_000;
pub(super) const SUN: i64 = 7_000_000_000;

/// Noon of the chain: the solidified block is 100, the head 119.
pub(super) fn noon() -> DateTime<Utc> {
    "2026-11-21T12:00:00Z".parse().unwrap()
}

pub(super) fn block_time(number: i64) -> DateTime<Utc> {
    noon() + Duration::seconds(3 * (number - 100))
}

/// One wallet, one delivered, settled and reclaimed order, and what the chain says of it.
#[derive(Clone)]
pub(super) struct World {
    pub(super) key: PrivateKey,
    pub(super) rigour: Rigour,
    pub(super) books: Books,
    pub(super) chain: OnChain,
}

pub(super) fn wallet_id() -> Uuid {
    Uuid::from_u128(1)
}

impl World {
    pub(super) fn new() -> Self {
        let key = PrivateKey::generate().unwrap();
        let mut world = Self {
            rigour: Rigour {
                now: noon(),
                at_rest: false,
                margin_blocks: 3,
                expected_findings: BTreeSet::new(),
                expected_strangers: BTreeSet::new(),
            },
            books: Books {
                house: House {
                    imbalances: Vec::new(),
                    differences: Vec::new(),
                    escrow: EscrowFigures {
                        escrow: 0,
                        open_orders: 0,
                    },
                    payouts: Vec::new(),
                    reservations: Vec::new(),
                    deposits: Vec::new(),
                    exchanges: Vec::new(),
                    undecided: Vec::new(),
                    jobs: Vec::new(),
                    findings: Vec::new(),
                },
                networks: BTreeMap::from([(NETWORK.to_owned(), cursor())]),
                silent_s: BTreeMap::from([(NETWORK.to_owned(), 1)]),
                wallets: BTreeMap::from([(wallet_id(), key.address().to_string())]),
                lenders: BTreeMap::from([(wallet_id(), key.address().to_string())]),
                cases: Vec::new(),
                payouts: Vec::new(),
                sweeps: Vec::new(),
                stakings: Vec::new(),
                stake: BTreeMap::new(),
                orders: 1,
                payouts_seen: 0,
            },
            chain: OnChain::default(),
            key,
        };
        let order = order();
        let receiver = PrivateKey::generate().unwrap().address();
        let delegation = delegation(&order, receiver);
        let made = world.transaction(IntentKind::Delegate, &delegation, 40);
        let undone = world.transaction(IntentKind::Reclaim, &delegation, 90);
        world.see(&made, 40);
        world.see(&undone, 90);
        world.chain.lent = vec![LentOnChain {
            wallet: wallet_id(),
            receiver: receiver.to_string(),
            sun: 0,
            booked: LentBounds::default(),
        }];
        world.books.cases = vec![Case {
            transfers: vec![hold(&order), settle(&order)],
            order,
            delegations: vec![delegation],
            transactions: vec![made, undone],
            extensions: Vec::new(),
        }];
        world
    }

    pub(super) fn case(&mut self) -> &mut Case {
        &mut self.books.cases[0]
    }

    pub(super) fn see(&mut self, tx: &ChainTransaction, block: i64) {
        let outcome = TxOutcome::Ok;
        self.chain.seen.insert(tx.txid.clone(), Seen::Landed { block, outcome });
    }

    pub(super) fn transaction(&self, kind: IntentKind, delegation: &Delegation, block: i64) -> ChainTransaction {
        let (owner, receiver) = (self.key.address(), delegation.receiver.parse().unwrap());
        let contract = match kind {
            IntentKind::Delegate => ContractBody::Delegate {
                owner,
                receiver,
                balance_sun: SUN,
                resource: ResourceCode::Energy,
                lock: false,
                lock_period_blocks: 0,
            },
            IntentKind::Reclaim => ContractBody::UnDelegate {
                owner,
                receiver,
                balance_sun: SUN,
                resource: ResourceCode::Energy,
            },
            IntentKind::Stake => ContractBody::FreezeBalance {
                owner,
                amount_sun: SUN,
                resource: ResourceCode::Energy,
            },
            IntentKind::Payout | IntentKind::Sweep | IntentKind::Activate => ContractBody::Transfer {
                owner,
                to: receiver,
                amount_sun: SUN,
            },
        };
        let at = block_time(block);
        let reference = BlockRef {
            number: 1,
            id: format!("{:016x}{}", 1, "a".repeat(48)),
            parent_id: String::new(),
            time: at,
        };
        let unsigned = UnsignedTx {
            contract,
            reference: BlockReference::of(&reference).unwrap(),
            timestamp_ms: at.timestamp_millis(),
            expiration_ms: (at + Duration::seconds(60)).timestamp_millis(),
            fee_limit_sun: 0,
            memo: Vec::new(),
            permission_id: 0,
        };
        let signed = sign_transaction(unsigned.encode(), &self.key);
        ChainTransaction {
            id: Uuid::from_u128(block.unsigned_abs().into()),
            network: NETWORK.to_owned(),
            txid: signed.txid.to_string(),
            intent_kind: kind,
            intent_id: delegation.id,
            wallet_id: wallet_id(),
            raw: signed.bytes,
            timestamp_ms: at.timestamp_millis(),
            expires_at: at + Duration::seconds(60),
            state: TxState::Final,
            outcome: Some(Outcome::Ok),
            block_number: Some(block),
            block_id: Some("b".repeat(64)),
            block_time: Some(at),
            fee_sun: Some(0),
            sends: 1,
            last_sent_at: None,
            last_code: None,
            last_message: None,
            death_cause: None,
            next_check_at: at,
            created_at: at,
            refused: false,
        }
    }

    /// The words of the rules that it breaks.
    pub(super) fn broken(&self) -> BTreeSet<Rule> {
        let context = Context {
            rigour: &self.rigour,
            networks: &self.books.networks,
            wallets: &self.books.wallets,
        };
        let mut complaints = of_house(&self.books, &self.rigour);
        complaints.extend(self.books.cases.iter().flat_map(|case| of_case(case, &context)));
        complaints.extend(self.books.payouts.iter().flat_map(|case| of_payout(case, &context)));
        complaints.extend(self.books.sweeps.iter().flat_map(|case| of_sweep(case, &context)));
        complaints.extend(self.books.stakings.iter().flat_map(|case| of_staking(case, &context)));
        complaints.extend(of_chain(&self.books, &self.chain, &self.rigour));
        complaints.into_iter().map(|complaint| complaint.rule).collect()
    }
}

pub(super) fn cursor() -> ChainCursor {
    ChainCursor {
        network: NETWORK.to_owned(),
        head_number: 119,
        head_block_id: "c".repeat(64),
        head_time: block_time(119),
        solid_number: 100,
        solid_block_id: "d".repeat(64),
        solid_time: noon(),
        tip_number: 119,
        first_number: 1,
        total_energy_limit: 1,
        total_energy_weight: 1,
        lease_holder: None,
        lease_until: None,
        halted_reason: None,
        halted_at: None,
        updated_at: noon(),
    }
}

pub(super) fn order() -> Order {
    Order {
        id: Uuid::from_u128(2),
        user_id: 7,
        api_key_id: Uuid::from_u128(3),
        network: NETWORK.to_owned(),
        receiver: String::new(),
        energy: 65_000,
        duration_s: 60,
        price_sun: PRICE,
        price_version_id: Uuid::from_u128(4),
        state: OrderState::Completed,
        attempts: 1,
        deadline_at: block_time(40) + Duration::minutes(10),
        reason_code: None,
        completed_at: Some(block_time(40)),
        ends_at: Some(block_time(60)),
        settled_at: Some(block_time(60)),
        created_at: block_time(39),
        updated_at: block_time(60),
    }
}

pub(super) fn delegation(order: &Order, receiver: TronAddress) -> Delegation {
    Delegation {
        id: Uuid::from_u128(5),
        order_id: order.id,
        wallet_id: wallet_id(),
        network: NETWORK.to_owned(),
        receiver: receiver.to_string(),
        energy: order.energy,
        amount_sun: SUN,
        state: DelegationState::Reclaimed,
        block_number: Some(40),
        reclaim_block_number: Some(90),
        active_at: Some(block_time(40)),
        ends_at: Some(block_time(60)),
        reclaimed_at: Some(block_time(90)),
        stray: false,
        partial: false,
        created_at: block_time(39),
    }
}

pub(super) fn hold(order: &Order) -> OrderTransfer {
    transfer(order, Reason::OrderHold, "user:7:TRX", "house:escrow:TRX")
}

pub(super) fn settle(order: &Order) -> OrderTransfer {
    transfer(order, Reason::OrderSettle, "house:escrow:TRX", "house:revenue:TRX")
}

pub(super) fn transfer(order: &Order, reason: Reason, debit: &str, credit: &str) -> OrderTransfer {
    OrderTransfer {
        order: Some(order.id),
        reason,
        debit: debit.into(),
        credit: credit.into(),
        minor: order.price_sun,
    }
}

pub(super) fn die(tx: &mut ChainTransaction) {
    tx.state = TxState::Dead;
    tx.death_cause = Some(DeathCause::Expired);
    tx.outcome = None;
    tx.block_number = None;
    tx.block_time = None;
}
