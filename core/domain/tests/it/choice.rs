//! The choice of a wallet in SQL is the choice of the pure rule: over random pools, in a real database.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::sync::Mutex;

use db::models::SupplierWallet;
use db::run_tx;
use diesel_async::SimpleAsyncConnection;
use domain::DomainError;
use domain::delegations::choice::{Candidate, SplitLimits, Wanted, best};
use domain::delegations::{Claim, ClaimOfMany, ClaimRequest, claim_in_tx, claim_many_in_tx};
use kernel::{DelegationId, OrderId};
use switchyard_domain as domain;
use uuid::Uuid;

use crate::world::{ENERGY, NETWORK, STAKE, World, address};

const POOLS: u64 = 240;
/// Receivers are customers 1 to 4.
const RECEIVERS: i64 = 4;
const WANTED: Wanted = Wanted {
    amount_sun: STAKE,
    bandwidth: 300,
};

/// Numbers that follow from a seed (SplitMix64).
struct Random(u64);

impl Random {
    fn below(&mut self, end: i64) -> i64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        i64::try_from((z ^ (z >> 31)) % u64::try_from(end).unwrap()).unwrap()
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[usize::try_from(self.below(i64::try_from(all.len()).unwrap())).unwrap()]
    }

    fn one_in(&mut self, n: i64) -> bool {
        self.below(n) == 0
    }
}

/// An order under test for each receiver, and another one that delegations of the past were made for.
struct Orders {
    tested: Vec<OrderId>,
    others: Vec<OrderId>,
}

impl Orders {
    async fn new(world: &World) -> Self {
        let (mut tested, mut others) = (Vec::new(), Vec::new());
        for receiver in 1..=4 {
            tested.push(world.order(receiver).await);
            others.push(world.order(receiver).await);
        }
        Self { tested, others }
    }
}

/// A random pool: the rows that make it, and the same for the pure rule.
struct RandomPool {
    sql: String,
    candidates: Vec<Candidate>,
    order: OrderId,
    receiver: usize,
}

impl RandomPool {
    fn new(seed: u64, orders: &Orders) -> Self {
        let mut random = Random(seed);
        let receiver = usize::try_from(random.below(RECEIVERS)).unwrap();
        let order = orders.tested[receiver];
        let mut pool = Self {
            // several are claimed without a look at earlier attempts of an order that has none
            sql: format!(
                "UPDATE chain_cursors SET updated_at = now(); UPDATE orders SET attempts = 1 WHERE id = '{order}';"
            ),
            candidates: Vec::new(),
            order,
            receiver,
        };
        for n in 0..1 + random.below(12) {
            pool.add_wallet(&mut random, u8::try_from(n).unwrap(), orders);
        }
        pool
    }

    fn add_wallet(&mut self, random: &mut Random, n: u8, orders: &Orders) {
        // whatever order they are made in, ids decide between equals
        let id = Uuid::from_u128(u128::from(n) + 1000 * u128::try_from(1 + random.below(1_000_000)).unwrap());
        let itself = random.one_in(20) && n == 0;
        let own = if itself {
            u8::try_from(self.receiver).unwrap() + 1
        } else {
            200 - n
        };
        let delegatable = STAKE * random.below(5) + random.of(&[0, 0, -1, 1]);
        let delegatable = delegatable.max(0);
        let reserved = random.of(&[0, 0, 0, 1, STAKE, STAKE * 2]);
        let bandwidth = random.of(&[-300, 299, 300, 301, 1_000]);
        let balance = random.of(&[0, 0, 999_999, 1_000_000]);
        let service = random.of(&[
            ("'active', true, NULL, NULL, 'supply'", true),
            ("'active', true, NULL, NULL, 'supply'", true),
            ("'active', true, NULL, NULL, 'supply'", true),
            ("'active', true, NULL, NULL, 'supply'", true),
            ("'active', true, NULL, NULL, 'supply'", true),
            ("'active', false, NULL, NULL, 'supply'", false),
            ("'importing', true, NULL, NULL, 'supply'", false),
            ("'active', true, now(), 'failures', 'supply'", false),
            ("'active', true, NULL, NULL, 'treasury'", false),
        ]);
        write!(
            self.sql,
            "INSERT INTO supplier_wallets (id, address, state, enabled, isolated_at, isolated_reason, purpose, \
                 delegatable_sun, reserved_sun, bandwidth_available, balance_sun, created_at, updated_at) \
             VALUES ('{id}', '{}', {}, {delegatable}, {reserved}, {bandwidth}, {balance}, now(), now());",
            address(own),
            service.0,
        )
        .unwrap();
        let (tried, serves) = self.add_delegations(random, id, orders);
        if service.1 && !itself {
            self.candidates.push(Candidate {
                wallet: id,
                room_sun: delegatable - reserved,
                bandwidth,
                can_burn: balance >= 1_000_000,
                tried,
                serves,
            });
        }
    }

    /// What the wallet did before, and whether that was for this order, and for its receiver and still lasts. All but
    /// what was given up are strays, of which an order may have several.
    fn add_delegations(&mut self, random: &mut Random, wallet: Uuid, orders: &Orders) -> (bool, bool) {
        let (mut tried, mut serves) = (false, false);
        for _ in 0..random.below(3) {
            let receiver = usize::try_from(random.below(RECEIVERS)).unwrap();
            let receiver = random.of(&[receiver, self.receiver]);
            let of_this = receiver == self.receiver && random.one_in(3);
            let order = if of_this { self.order } else { orders.others[receiver] };
            let state = random.of(&["reserved", "active", "reclaiming", "reclaimed", "released"]);
            let (block, at) = if state == "reclaimed" {
                ("3", "now()")
            } else {
                ("NULL", "NULL")
            };
            write!(
                self.sql,
                "INSERT INTO delegations (id, order_id, wallet_id, network, receiver, energy, amount_sun, state, stray, \
                     block_number, active_at, ends_at, reclaim_block_number, reclaimed_at, created_at, updated_at) \
                 VALUES (gen_random_uuid(), '{order}', '{wallet}', '{NETWORK}', '{}', 65000, {STAKE}, '{state}', {}, \
                     2, now(), now(), {block}, {at}, now(), now());",
                address(u8::try_from(receiver).unwrap() + 1),
                state != "released",
            )
            .unwrap();
            tried |= of_this;
            serves |= receiver == self.receiver && !["reclaimed", "released"].contains(&state);
        }
        (tried, serves)
    }

    /// What the SQL chooses, and what a claim of the order chooses, alone or among several. The pool is gone
    /// afterwards.
    async fn chosen(&self, world: &World, together: bool) -> [Option<Uuid>; 2] {
        let receiver = address(u8::try_from(self.receiver).unwrap() + 1).to_string();
        let request = ClaimRequest {
            order: self.order,
            delegation: DelegationId::new(&world.ids),
            energy: ENERGY,
            amount_sun: WANTED.amount_sun,
            bandwidth: WANTED.bandwidth,
            split: SplitLimits {
                max_parts: 1,
                min_part_sun: 1,
            },
            now: world.now(),
        };
        let seen = Mutex::new(None);
        let undone = run_tx(&world.worker, "test_choice", async |conn| {
            conn.batch_execute(&self.sql).await?;
            let wanted = (self.order.0, receiver.as_str());
            let chosen = SupplierWallet::choose(conn, wanted, WANTED.amount_sun, WANTED.bandwidth).await?;
            let claimed = if together {
                match claim_many_in_tx(conn, NETWORK, std::slice::from_ref(&request))
                    .await?
                    .pop()
                {
                    Some(ClaimOfMany::Claimed(claimed)) => Some(claimed.wallet.id),
                    Some(ClaimOfMany::Alone) => None,
                    other => panic!("{other:?}"),
                }
            } else {
                match claim_in_tx(conn, &world.ids, &request).await? {
                    Claim::Claimed(claimed) => Some(claimed[0].wallet.id),
                    Claim::NoWalletFits => None,
                    other => panic!("{other:?}"),
                }
            };
            *seen.lock().unwrap() = Some([chosen.map(|wallet| wallet.id), claimed]);
            Err::<(), _>(DomainError::NotFound("a pool that is kept"))
        });
        let undone = undone.await.unwrap_err();
        let seen = seen.lock().unwrap().take();
        seen.unwrap_or_else(|| panic!("{undone}"))
    }
}

#[tokio::test]
async fn the_database_chooses_what_the_rule_chooses() {
    let world = World::new().await;
    let orders = Orders::new(&world).await;
    let (mut kinds, mut smaller_passed_over) = (HashSet::new(), 0);
    for seed in 0..POOLS {
        let pool = RandomPool::new(seed, &orders);
        let expected = best(pool.candidates.iter().copied(), WANTED);
        let chosen = pool.chosen(&world, seed % 2 == 1).await;
        assert_eq!(chosen, [expected, expected], "pool {seed}: {:#?}", pool.candidates);
        let chosen = pool.candidates.iter().find(|of| Some(of.wallet) == expected);
        kinds.insert(chosen.map(|chosen| (chosen.tried, chosen.serves)));
        let mut fitting = pool.candidates.iter().filter(|of| of.fits(WANTED));
        if fitting.any(|other| chosen.is_some_and(|chosen| other.room_sun < chosen.room_sun)) {
            smaller_passed_over += 1;
        }
    }
    // none that fits, and the best one of each kind; and often the fit did not decide
    assert_eq!(kinds.len(), 5, "{kinds:?}");
    assert!(smaller_passed_over > 20, "{smaller_passed_over}");
    assert_eq!(world.count("delegations").await, 0);
}
