//! A day of mixed orders played by several rules over the same pool, so that the rule is compared and not believed.
//!
//! What is left out, for all of them alike: an order that fits nowhere when it comes is rejected and does not wait;
//! energy comes back whole in the second that its rental ends, whether or not it was used; every wallet has coin for
//! bandwidth, and nothing fails. The day is played twice: the first time fills the pool with the rentals that a
//! morning finds, and only the second is counted. All figures are integers.

mod day;

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::*;
use day::{BULK, DAY_S, ORDERS, Order, RECEIVERS, Random, SEED, day};

/// Staked sun for one unit of energy: about what the main network takes.
const SUN_PER_ENERGY: i64 = 105_000;
/// How many wallets have staked for so much energy: 60 with 94.3 M. By day that is less than what is wanted at once.
const STAKES: [(usize, i64); 6] = [
    (3, 5_900_000),
    (7, 3_400_000),
    (12, 1_900_000),
    (18, 1_100_000),
    (12, 650_000),
    (8, 300_000),
];
const LIMITS: SplitLimits = SplitLimits {
    max_parts: 8,
    min_part_sun: 65_000 * SUN_PER_ENERGY,
};
/// How often the free blocks are looked at.
const LOOK_EVERY_S: i64 = 60;

/// How a wallet is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    /// [`split`].
    Ours,
    /// [`best`].
    OursWhole,
    /// The smallest room that suffices, whoever is served.
    BestFit,
    /// The first wallet with enough room.
    FirstFit,
    /// Any wallet with enough room.
    Random,
}

impl Rule {
    const ALL: [Self; 5] = [Self::Ours, Self::OursWhole, Self::BestFit, Self::FirstFit, Self::Random];

    const fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours, split",
            Self::OursWhole => "ours, never split",
            Self::BestFit => "best fit alone",
            Self::FirstFit => "first fit",
            Self::Random => "random",
        }
    }

    fn choose(self, candidates: &[Candidate], wanted: Wanted, random: &mut Random) -> Option<Vec<(Uuid, i64)>> {
        let fitting = || candidates.iter().filter(|candidate| candidate.fits(wanted));
        let chosen = match self {
            Self::Ours => return split(candidates, wanted, LIMITS),
            Self::OursWhole => best(candidates.iter().copied(), wanted)?,
            Self::BestFit => fitting().min_by_key(|candidate| candidate.room_sun)?.wallet,
            Self::FirstFit => fitting().next()?.wallet,
            Self::Random => {
                let fitting: Vec<&Candidate> = fitting().collect();
                let many = i64::try_from(fitting.len()).unwrap();
                fitting[usize::try_from(random.below(many.max(1))).unwrap()..]
                    .first()?
                    .wallet
            }
        };
        Some(vec![(chosen, wanted.amount_sun)])
    }
}

/// The wallets, with what they have left and whom they serve.
struct Pool {
    rooms: Vec<i64>,
    /// By wallet and receiver: how many rentals run.
    serving: Vec<Vec<u32>>,
    /// Rentals that run: when they end, wallet, receiver, staked sun.
    rentals: BinaryHeap<Reverse<(i64, usize, usize, i64)>>,
}

impl Pool {
    /// Nothing is lent; large and small wallets stand in a mixed order.
    fn new() -> Self {
        let stakes = STAKES.iter().flat_map(|(count, energy)| vec![*energy; *count]);
        let mut rooms: Vec<i64> = stakes.map(|energy| energy * SUN_PER_ENERGY).collect();
        let mut random = Random::from(1);
        for end in (1..rooms.len()).rev() {
            let other = random.below(i64::try_from(end).unwrap() + 1);
            rooms.swap(end, usize::try_from(other).unwrap());
        }
        Self {
            serving: vec![vec![0; RECEIVERS]; rooms.len()],
            rooms,
            rentals: BinaryHeap::new(),
        }
    }

    fn largest_wallet() -> i64 {
        STAKES.iter().map(|(_, energy)| *energy).max().unwrap()
    }

    fn candidates(&self, receiver: usize) -> Vec<Candidate> {
        let candidate = |(n, room): (usize, &i64)| Candidate {
            wallet: id(n),
            room_sun: *room,
            bandwidth: 0,
            can_burn: true,
            tried: false,
            serves: self.serving[n][receiver] > 0,
        };
        self.rooms.iter().enumerate().map(candidate).collect()
    }

    /// Rentals that are over by `now_s` come back.
    fn end_rentals(&mut self, now_s: i64) {
        while let Some(Reverse((ends_s, wallet, receiver, sun))) = self.rentals.peek().copied() {
            if ends_s > now_s {
                return;
            }
            self.rentals.pop();
            self.rooms[wallet] += sun;
            self.serving[wallet][receiver] -= 1;
        }
    }

    /// Lends a part; answers whether the wallet served this receiver already.
    fn lend(&mut self, (wallet, sun): (Uuid, i64), receiver: usize, ends_s: i64) -> bool {
        let wallet = usize::try_from(wallet.as_u128()).unwrap();
        self.rooms[wallet] -= sun;
        assert!(self.rooms[wallet] >= 0, "more was promised than there is");
        self.serving[wallet][receiver] += 1;
        self.rentals.push(Reverse((ends_s, wallet, receiver, sun)));
        self.serving[wallet][receiver] > 1
    }
}

fn id(wallet: usize) -> Uuid {
    Uuid::from_u128(u128::try_from(wallet).unwrap())
}

/// What a rule made of the day.
#[derive(Debug, Default)]
struct Outcome {
    sold_orders: usize,
    sold_energy: i64,
    /// Energy by the seconds that it is rented for.
    energy_seconds: i64,
    rejected: usize,
    rejected_small: usize,
    rejected_bulk: usize,
    /// Larger than any wallet.
    rejected_larger: usize,
    /// Delegations made.
    parts: usize,
    /// Those beside another of the same wallet for the same receiver.
    overlaps: usize,
    looks: i64,
    /// The sum over all looks: 1 − largest free block / all that is free, in hundredths of a percent.
    fragmentation: i64,
    /// The sum over all looks: energy that is free, and that of the largest free block.
    free: i64,
    largest: i64,
}

impl Outcome {
    fn look(&mut self, rooms: &[i64]) {
        let (all, largest) = (rooms.iter().sum::<i64>(), rooms.iter().copied().max().unwrap());
        self.looks += 1;
        // nothing free is one block of nothing
        self.fragmentation += (10_000 * (all - largest) / SUN_PER_ENERGY) / (all / SUN_PER_ENERGY).max(1);
        self.free += all / SUN_PER_ENERGY;
        self.largest += largest / SUN_PER_ENERGY;
    }

    fn reject(&mut self, order: &Order) {
        self.rejected += 1;
        if order.energy > Pool::largest_wallet() {
            self.rejected_larger += 1;
        } else if order.energy >= BULK {
            self.rejected_bulk += 1;
        } else {
            self.rejected_small += 1;
        }
    }

    fn sell(&mut self, order: &Order) {
        self.sold_orders += 1;
        self.sold_energy += order.energy;
        self.energy_seconds += order.energy * order.duration_s;
    }

    fn row(&self, name: &str) -> String {
        let average = |sum: i64| millions(sum / self.looks.max(1));
        let fragmentation = self.fragmentation / self.looks.max(1);
        format!(
            "| {name} | {} | {} | {} | {} / {} / {} | {} | {} | {}.{:02} % | {} of {} |",
            millions(self.sold_energy),
            millions(self.energy_seconds / 3_600),
            self.rejected,
            self.rejected_small,
            self.rejected_bulk,
            self.rejected_larger,
            self.parts,
            self.overlaps,
            fragmentation / 100,
            fragmentation % 100,
            average(self.largest),
            average(self.free),
        )
    }
}

/// Energy in millions, to two places.
fn millions(energy: i64) -> String {
    format!("{}.{:02}", energy / 1_000_000, energy % 1_000_000 / 10_000)
}

const HEAD: &str = "| rule | sold, M energy | M energy-hours | rejected | of these small / bulk / larger than any wallet \
    | delegations | overlaps | fragmentation | largest free block, M |\n|---|---|---|---|---|---|---|---|---|";

/// Plays the day twice by one rule, and counts the second time.
fn play(rule: Rule, day: &[Order]) -> Outcome {
    let (mut pool, mut random, mut outcome) = (Pool::new(), Random::from(2), Outcome::default());
    let mut next_look_s = DAY_S;
    for (round, order) in [0, 1]
        .into_iter()
        .flat_map(|round| day.iter().map(move |order| (round, order)))
    {
        let now_s = round * DAY_S + order.at_s;
        while next_look_s <= now_s {
            pool.end_rentals(next_look_s);
            outcome.look(&pool.rooms);
            next_look_s += LOOK_EVERY_S;
        }
        pool.end_rentals(now_s);
        let wanted = Wanted {
            amount_sun: order.energy * SUN_PER_ENERGY,
            bandwidth: 300,
        };
        let Some(parts) = rule.choose(&pool.candidates(order.receiver), wanted, &mut random) else {
            if round == 1 {
                outcome.reject(order);
            }
            continue;
        };
        let lend = |part: &(Uuid, i64)| pool.lend(*part, order.receiver, now_s + order.duration_s);
        let overlaps = parts.iter().map(lend).filter(|overlaps| *overlaps).count();
        if round == 1 {
            outcome.sell(order);
            outcome.parts += parts.len();
            outcome.overlaps += overlaps;
        }
    }
    outcome
}

/// Plays a day by each rule, in the order of [`Rule::ALL`].
fn play_all(day: &[Order]) -> [Outcome; 5] {
    let played = Rule::ALL.map(|rule| play(rule, day));
    for outcome in &played {
        assert_eq!(outcome.sold_orders + outcome.rejected, ORDERS);
    }
    played
}

fn print(day: &[Order], played: &[Outcome]) {
    let wanted: i64 = day.iter().map(|order| order.energy).sum();
    let larger = day.iter().filter(|order| order.energy > Pool::largest_wallet()).count();
    println!(
        "{ORDERS} orders want {} M energy; {larger} are larger than any wallet",
        millions(wanted)
    );
    println!("\n{HEAD}");
    for (rule, outcome) in Rule::ALL.iter().zip(played) {
        println!("{}", outcome.row(rule.name()));
    }
}

/// Our rule sells more than the others. What it does not do is part of what is asserted: with splits, more orders are
/// rejected, since what a few very large ones take is missing for many small ones; and avoiding wallets that serve the
/// receiver costs a few orders, beside the best fit alone.
#[test]
fn on_the_recorded_day_our_rule_sells_most() {
    let day = day(SEED);
    let wanted: i64 = day.iter().map(|order| order.energy).sum();
    assert_eq!(wanted, 1_407_137_000, "it is the day that was recorded");
    let played = play_all(&day);
    print(&day, &played);
    assert_always(&played);
    let [ours, whole, best_fit, first_fit, random] = played;
    for other in [&whole, &best_fit, &first_fit, &random] {
        assert!(ours.sold_energy >= other.sold_energy);
        assert!(ours.rejected_larger < other.rejected_larger);
        assert_eq!(other.sold_orders, other.parts);
    }
    for other in [&first_fit, &random] {
        assert!(whole.sold_energy >= other.sold_energy);
        assert!(whole.rejected <= other.rejected && whole.rejected_bulk <= other.rejected_bulk);
    }
    assert!(ours.rejected > whole.rejected && whole.rejected >= best_fit.rejected);
}

/// What the recorded day shows is no luck of that day where it is asserted for others, too.
#[test]
fn on_other_days_it_rents_out_more_apart_and_in_larger_blocks() {
    for seed in 1..=4 {
        assert_always(&play_all(&day(seed)));
    }
}

fn assert_always([ours, whole, best_fit, first_fit, random]: &[Outcome; 5]) {
    for other in [whole, best_fit, first_fit, random] {
        assert!(ours.energy_seconds >= other.energy_seconds);
    }
    for other in [first_fit, random] {
        assert!(whole.energy_seconds >= other.energy_seconds);
        assert!(ours.fragmentation < other.fragmentation && whole.fragmentation < other.fragmentation);
        assert!(whole.rejected_bulk <= other.rejected_bulk);
    }
    // hardly ever twice for one receiver: a third of what the others do at the most
    for other in [best_fit, first_fit, random] {
        assert!(ours.overlaps * 3 < other.overlaps && whole.overlaps * 3 < other.overlaps);
    }
}
