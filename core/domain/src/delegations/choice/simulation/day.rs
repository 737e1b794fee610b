//! The day that the rules are compared on: 10,000 orders, made once from [`SEED`] by SplitMix64, and the same on every
//! machine. Nothing of it follows from what a rule decides.
//!
//! - **When**: by the hour, as [`HOURS`] weighs it: few at night, most in the afternoon; to any second within the
//!   hour.
//! - **How much**: [`KINDS`]. Most buy one or two USDT transfers (65,000 and 131,000), some the 32,000 of a transfer
//!   that needs less, a few in bulk, and a few more than any single wallet has staked.
//! - **How long**: [`SMALL_DURATIONS`], mostly up to an hour; bulk by [`BULK_DURATIONS`], which are shorter.
//! - **For whom**: 1,500 receivers. Two orders in five are for 40 of them, the first of these the most often.

/// Orders of a day.
pub(super) const ORDERS: usize = 10_000;
/// Seconds of a day.
pub(super) const DAY_S: i64 = 86_400;
/// Who receives.
pub(super) const RECEIVERS: usize = 1_500;
/// The first of them, who receive often.
const HOT: i64 = 40;
/// What the recorded day is made from: its date.
pub(super) const SEED: u64 = 20_261_126;

const MINUTE_S: i64 = 60;
const HOUR_S: i64 = 3_600;

/// How many orders come in each hour, in proportion, from midnight on.
const HOURS: [i64; 24] = [
    18, 13, 10, 8, 8, 10, 16, 26, 38, 48, 55, 60, 62, 64, 68, 72, 74, 70, 62, 56, 50, 42, 32, 24,
];

/// Energies with their weights; from [`BULK`] on it is bulk.
const KINDS: [(i64, i64); 12] = [
    (5_000, 65_000),
    (3_400, 131_000),
    (1_200, 32_000),
    (130, 500_000),
    (90, 750_000),
    (70, 1_000_000),
    (40, 1_500_000),
    (25, 2_000_000),
    (15, 3_000_000),
    (10, 5_000_000),
    (12, 6_500_000),
    (8, 9_000_000),
];
/// Energy from which an order is bulk.
pub(super) const BULK: i64 = 500_000;

/// Durations of what is no bulk, with their weights.
const SMALL_DURATIONS: [(i64, i64); 5] = [
    (300, 5 * MINUTE_S),
    (150, 10 * MINUTE_S),
    (500, HOUR_S),
    (45, DAY_S),
    (5, 3 * DAY_S),
];
/// Durations of bulk, with their weights.
const BULK_DURATIONS: [(i64, i64); 4] = [(300, 5 * MINUTE_S), (200, 10 * MINUTE_S), (480, HOUR_S), (20, DAY_S)];

/// One order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Order {
    /// When it comes, in seconds of the day.
    pub(super) at_s: i64,
    /// For whom.
    pub(super) receiver: usize,
    /// How much.
    pub(super) energy: i64,
    /// For how long.
    pub(super) duration_s: i64,
}

/// A day, in the order of time.
pub(super) fn day(seed: u64) -> Vec<Order> {
    let mut random = Random::from(seed);
    let hours: Vec<(i64, i64)> = HOURS.into_iter().zip(0..).collect();
    let mut day: Vec<Order> = (0..ORDERS).map(|_| order(&mut random, &hours)).collect();
    day.sort_unstable();
    day
}

fn order(random: &mut Random, hours: &[(i64, i64)]) -> Order {
    let at_s = random.weighted(hours) * HOUR_S + random.below(HOUR_S);
    let energy = random.weighted(&KINDS);
    let duration_s = if energy < BULK {
        random.weighted(&SMALL_DURATIONS)
    } else {
        random.weighted(&BULK_DURATIONS)
    };
    let everybody = i64::try_from(RECEIVERS).unwrap();
    let receiver = if random.below(5) < 2 {
        // the smaller of two: the first ones more often
        random.below(HOT).min(random.below(HOT))
    } else {
        HOT + random.below(everybody - HOT)
    };
    Order {
        at_s,
        receiver: usize::try_from(receiver).unwrap(),
        energy,
        duration_s,
    }
}

/// SplitMix64: small, known and good enough to mix orders.
#[derive(Debug)]
pub(super) struct Random(u64);

impl Random {
    pub(super) const fn from(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from 0 to below `end`.
    pub(super) fn below(&mut self, end: i64) -> i64 {
        let end = u64::try_from(end).unwrap();
        i64::try_from(self.next() % end).unwrap()
    }

    /// One of the values, each as often as its weight says.
    fn weighted(&mut self, of: &[(i64, i64)]) -> i64 {
        let mut left = self.below(of.iter().map(|(weight, _)| weight).sum());
        for (weight, value) in of {
            if left < *weight {
                return *value;
            }
            left -= weight;
        }
        unreachable!("the weights are used up")
    }
}
