//! The steps of a walk: what users, workers, the node and the clock may do at any moment.

use chain::WalletSnapshot;
use chrono::Duration;
use db::models::IntentKind;
use domain::DomainError;
use domain::delegations::end_incomplete;
use domain::orders::{AcceptOrder, WantedQuote, cancel_by_user, cancel_past_deadline, quote};
use domain::pool::{HoldRules, Sharing, release_unused};
use domain::wallets::{apply_snapshot, set_enabled};
use domain::watch::{Applied, ForkOutcome, SolidOutcome};
use kernel::{DelegationId, OrderId, QuoteId, WalletId};
use switchyard_domain as domain;

use super::books;
use super::node::{Known, Node};
use crate::harness::{Tried, Tx};
use crate::world::{ENERGY, NETWORK, STAKE, World};

const MAX_ORDERS: usize = 20;

/// Runs one step, and remembers it for the one who has to read a failure.
pub(super) struct Walker {
    seed: u64,
    state: u64,
    pub(super) world: World,
    pub(super) node: Node,
    requests: Vec<AcceptOrder>,
    pub(super) orders: Vec<OrderId>,
    pub(super) wallets: Vec<WalletId>,
    /// Read from the node and not applied yet.
    read: Vec<(WalletId, WalletSnapshot)>,
    trail: Vec<String>,
}

impl Drop for Walker {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("SWITCHYARD_WALK_SEED={} broke at step {}:", self.seed, self.trail.len());
            self.trail.iter().for_each(|step| eprintln!("  {step}"));
        }
    }
}

impl Walker {
    pub(super) async fn new(seed: u64) -> Self {
        let world = World::new().await;
        world.price_energy().await;
        let stake_sun = STAKE * 3 + STAKE / 2;
        let wallets = vec![world.wallet(1, stake_sun).await, world.wallet(2, stake_sun).await];
        Self {
            seed,
            state: seed,
            world,
            node: Node::new(stake_sun),
            requests: Vec::new(),
            orders: Vec::new(),
            wallets,
            read: Vec::new(),
            trail: Vec::new(),
        }
    }

    /// SplitMix64.
    fn random(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(super) fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.random() % u64::try_from(n.max(1)).unwrap()).unwrap()
    }

    pub(super) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub(super) fn pick<T: Copy>(&mut self, all: &[T]) -> Option<T> {
        let n = self.below(all.len());
        all.get(n).copied()
    }

    pub(super) fn note(&mut self, step: String) {
        self.trail.push(step);
    }

    pub(super) async fn check(&self) {
        books::check(&self.world, &self.node).await;
    }

    pub(super) async fn step(&mut self) {
        match self.below(100) {
            0..10 => self.accept().await,
            10..13 => self.replay().await,
            13..16 => self.cancel().await,
            16..24 => self.claim().await,
            24..28 => self.claim_beside_others().await,
            28..36 => self.send().await,
            36..39 => self.resend().await,
            39..47 => self.produce(),
            47..53 => self.part().await,
            53..62 => self.follow().await,
            62..67 => self.solidify(),
            67..73 => self.finalise().await,
            73..77 => self.bury().await,
            77..82 => self.reclaim().await,
            82..84 => self.read_wallet(),
            84..86 => self.sync().await,
            86..88 => self.wait().await,
            88..97 => self.hurry().await,
            _ => self.release().await,
        }
    }

    async fn accept(&mut self) {
        if self.orders.len() >= MAX_ORDERS {
            return self.claim().await;
        }
        let key = format!("k{}", self.orders.len());
        let receiver = if self.chance(50) { 1 } else { 2 };
        let request = AcceptOrder {
            duration_s: 300,
            quote: None,
            ..self.world.request(&key, receiver)
        };
        let quote = if self.orders.len().is_multiple_of(4) {
            self.hold(&request).await
        } else {
            None
        };
        let request = AcceptOrder { quote, ..request };
        let order = OrderId(self.world.accept(&request).await.unwrap().order.id);
        self.note(format!("accept {order}"));
        self.requests.push(request);
        self.orders.push(order);
    }

    /// A quote for an order, which holds its stock; `None` where so much is not free. Every other one is never used.
    async fn hold(&mut self, request: &AcceptOrder) -> Option<QuoteId> {
        let mark = self.world.fresh_mark();
        let wanted = WantedQuote {
            mark: &mark,
            energy: request.energy,
            duration_s: request.duration_s,
            life: Duration::seconds(60),
            hold: Some(HoldRules {
                sharing: Sharing {
                    bandwidth: 300,
                    max_parts: 3,
                    part_energy_min: ENERGY / 10,
                },
                margin_bps: 0,
                energy_max: ENERGY * 10,
            }),
        };
        let world = &self.world;
        let held = quote(&world.api, &world.ids, &world.policy, &wanted, world.now()).await;
        let quote = match held {
            Ok(quoted) => QuoteId(quoted.quote.id),
            Err(DomainError::NoStock) => return None,
            Err(error) => panic!("{error}"),
        };
        self.note(format!("hold {quote}"));
        (!self.orders.len().is_multiple_of(8)).then_some(quote)
    }

    async fn replay(&mut self) {
        let n = self.below(self.orders.len());
        let Some(request) = self.requests.get(n) else { return };
        let again = self.world.accept(request).await.unwrap();
        assert!(again.replayed && again.order.id == self.orders[n].0);
        self.note(format!("replay {}", self.orders[n]));
    }

    async fn cancel(&mut self) {
        let Some(order) = self.pick(&self.orders.clone()) else {
            return;
        };
        self.note(format!("cancel {order}"));
        // a claim of the same order runs beside it
        let amount_sun = self.amount();
        let (world, now) = (&self.world, self.world.now());
        let (cancelled, tried) = tokio::join!(
            cancel_by_user(&world.api, &world.ids, order, "api_key:bot", now),
            world.try_claim_in_parts(order, amount_sun, 2)
        );
        let tried = tried.unwrap();
        assert!(
            !(cancelled.is_ok() && tried.is_ok()),
            "{order}: {cancelled:?} {tried:?}"
        );
        self.signed(order, tried).await;
    }

    /// Now and then more than one wallet has.
    fn amount(&mut self) -> i64 {
        let quarters = if self.chance(25) { 14 } else { 4 };
        let more = i64::try_from(self.below(3)).unwrap();
        (quarters + more) * (STAKE / 4)
    }

    pub(super) async fn signed(&mut self, order: OrderId, tried: Result<Vec<Tx>, Tried>) {
        self.note(format!("claim {order}: {tried:?}"));
        match tried {
            Ok(parts) => parts
                .into_iter()
                .for_each(|tx| self.remember(tx, order, IntentKind::Delegate)),
            Err(Tried::Incomplete) => {
                let world = &self.world;
                let ended = end_incomplete(&world.worker, &world.ids, (order, None), world.now()).await;
                let ended = ended.unwrap();
                self.note(format!("end {order}: {ended}"));
            }
            Err(_) => {}
        }
    }

    fn remember(&mut self, tx: Tx, order: OrderId, kind: IntentKind) {
        self.node.known.push(Known {
            tx,
            order,
            kind,
            amount_sun: tx.amount_sun,
            at_large: false,
            tried: false,
        });
    }

    async fn claim(&mut self) {
        let Some(order) = self.pick(&self.orders.clone()) else {
            return;
        };
        let amount_sun = self.amount();
        let tried = self.world.try_claim_in_parts(order, amount_sun, 2).await.unwrap();
        self.signed(order, tried).await;
    }

    async fn claim_beside_others(&mut self) {
        let mut asked = Vec::new();
        for _ in 0..3 {
            let Some(order) = self.pick(&self.orders.clone()) else {
                return;
            };
            asked.push((order, self.amount()));
        }
        let claim = async |n: usize| {
            let (order, amount_sun) = asked[n];
            self.world.try_claim_in_parts(order, amount_sun, 2).await.unwrap()
        };
        let (a, b, c) = tokio::join!(claim(0), claim(1), claim(2));
        for ((order, _), tried) in asked.into_iter().zip([a, b, c]) {
            self.signed(order, tried).await;
        }
    }

    fn produce(&mut self) {
        for _ in 0..=self.below(3) {
            let mut chosen = Vec::new();
            for n in self.node.eligible() {
                if self.chance(60) {
                    let failing = if self.node.known[n].kind == IntentKind::Delegate {
                        25
                    } else {
                        5
                    };
                    chosen.push((n, !self.chance(failing)));
                }
            }
            let seconds = if self.chance(10) {
                self.pick(&[30, 61, 310]).unwrap()
            } else {
                3
            };
            self.node.produce(&chosen, seconds);
            self.note(format!(
                "block {} after {seconds} s: {chosen:?}",
                self.node.head().number
            ));
        }
    }

    /// A time in which workers and node do their part at once.
    async fn hurry(&mut self) {
        self.send().await;
        self.produce();
        self.follow().await;
        self.solidify();
        self.follow().await;
        self.finalise().await;
        self.reclaim().await;
        self.send().await;
        self.produce();
        self.follow().await;
        if self.chance(50) {
            self.part().await;
        }
    }

    /// A fork, which the watcher mostly notices at once.
    async fn part(&mut self) {
        self.fork();
        if self.chance(70) {
            self.follow().await;
        }
    }

    fn fork(&mut self) {
        let depth = usize::try_from(self.node.head().number - self.node.solid).unwrap();
        let back = if self.chance(50) { depth } else { self.below(depth + 1) };
        let number = self.node.head().number - i64::try_from(back).unwrap();
        self.note(format!("fork above {number}"));
        self.node.fork(number);
        self.node.produce(&[], 3);
        self.read.clear();
    }

    /// The watcher: goes back to where the branches parted, applies what the node has, and learns what is solidified.
    pub(super) async fn follow(&mut self) {
        let mut number = self.world.cursor().await.head_number;
        let head = number;
        while self.node.block(number).map(|block| block.id) != Some(self.world.block(number).await.block_id) {
            number -= 1;
        }
        if number < head {
            let reverted = self.world.revert_to(number).await;
            assert!(matches!(reverted, ForkOutcome::Reverted { .. }), "{reverted:?}");
        }
        let blocks = self.node.blocks_above(number);
        self.note(format!("follow from {head} back to {number}, up by {}", blocks.len()));
        // somebody else applies the same, and somebody looks for the dead
        let suspect = self.pick(&self.node.known.clone());
        let (world, bury) = (&self.world, async || {
            if let Some(known) = suspect {
                self.world.bury(&known.tx).await;
            }
        });
        let (one, two, ()) = tokio::join!(world.apply(&blocks), world.apply(&blocks), bury());
        let done = [one.unwrap(), two.unwrap()]
            .iter()
            .filter(|applied| matches!(applied, Applied::Done { .. }))
            .count();
        assert!(done == 1 || blocks.is_empty());
        let solid = self.node.block(self.node.solid).unwrap();
        let outcome = self.world.try_solid(&solid).await;
        assert!(matches!(outcome, SolidOutcome::Done { .. }), "{outcome:?}");
    }

    fn solidify(&mut self) {
        let unsolid = usize::try_from(self.node.head().number - self.node.solid).unwrap();
        let up = self.below(unsolid + 1).min(4);
        self.node.solid += i64::try_from(up).unwrap();
        self.note(format!("solid up to {}", self.node.solid));
    }

    pub(super) async fn finalise(&mut self) {
        let (one, two) = tokio::join!(self.world.finalise(), self.world.finalise());
        self.note(format!("finalise {one} and {two}"));
    }

    pub(super) async fn bury(&mut self) {
        for known in self.node.known.clone() {
            if self.world.bury(&known.tx).await {
                self.note(format!("bury {}", known.tx.txid));
            }
        }
    }

    pub(super) async fn reclaim(&mut self) {
        let delegations = self.node.known.clone();
        for known in delegations.iter().filter(|known| known.kind == IntentKind::Delegate) {
            let delegation: DelegationId = known.tx.delegation;
            let (one, two) = tokio::join!(self.world.reclaim(delegation), self.world.reclaim(delegation));
            assert!(one.is_err() || two.is_err(), "{delegation} is taken back twice");
            if let Ok(tx) = one.or(two) {
                self.note(format!("reclaim {delegation}: {}", tx.txid));
                self.remember(tx, known.order, IntentKind::Reclaim);
            }
        }
    }

    /// A read that is applied later.
    fn read_wallet(&mut self) {
        if let Some(wallet) = self.pick(&self.wallets.clone()) {
            self.read.push((wallet, self.node.snapshot(wallet)));
            self.note(format!("read {wallet} at {}", self.node.head().number));
        }
    }

    pub(super) async fn sync(&mut self) {
        // a branch that we do not follow yet may know less of ours than we do
        let cursor = self.world.cursor().await;
        if self
            .node
            .block(cursor.head_number)
            .is_none_or(|block| block.id != cursor.head_block_id)
        {
            return;
        }
        let mut reads = std::mem::take(&mut self.read);
        reads.extend(self.wallets.iter().map(|wallet| (*wallet, self.node.snapshot(*wallet))));
        for (wallet, snapshot) in reads {
            let margin = i64::try_from(self.below(4)).unwrap();
            let (world, now) = (&self.world, self.world.now());
            apply_snapshot(
                &world.worker,
                &world.ids,
                (wallet, NETWORK),
                (&snapshot, None),
                margin,
                now,
            )
            .await
            .unwrap();
            self.note(format!("sync {wallet} as of {} less {margin}", snapshot.as_of_block));
        }
    }

    async fn wait(&mut self) {
        let seconds = self.pick(&[1, 20, 20, 100, 700]).unwrap();
        self.world.clock.advance_seconds(seconds);
        let swept = cancel_past_deadline(&self.world.worker, &self.world.ids, 5, self.world.now())
            .await
            .unwrap();
        self.note(format!("wait {seconds} s, sweep {swept}"));
        self.end_quotes().await;
    }

    /// What nobody ordered in time is free.
    pub(super) async fn end_quotes(&self) {
        release_unused(&self.world.worker, 5, self.world.now()).await.unwrap();
    }

    pub(super) async fn release(&mut self) {
        for wallet in &self.wallets {
            set_enabled(&self.world.api, &self.world.ids, *wallet, true, self.world.now())
                .await
                .unwrap();
        }
        self.note("release".to_owned());
    }
}
