//! Which wallet serves an order, and which wallets share one that none of them can carry. Pure: the same facts always
//! give the same answer, and nothing is asked of the database or the chain here.
//!
//! Who may be chosen at all (in service, not the receiver itself) is for the caller to say: he lists the candidates.
//! Of these, the first rule excludes, and each of the others decides between those that the ones above it left equal:
//!
//! | rule | why |
//! |---|---|
//! | it fits: room for the stake, and bandwidth, or coin to burn for it | the chain would refuse it |
//! | it was not tried for this order | its figures may be stale, and its new ones on the way |
//! | it has no live delegation to the receiver | the chain merges the amounts of a pair: rentals are best kept apart |
//! | the smallest room that suffices | what stays free is in blocks as large as can be, for the large orders to come |
//! | the smallest id | whoever looks chooses the same |
//!
//! `SupplierWallet::choose` says the same in SQL, so that it locks one row instead of reading all; a test over random
//! pools holds the two to each other.
//!
//! # Splitting
//!
//! An order that one wallet can carry is never split: each part is a transaction more, with its bandwidth, its fee and
//! its chance to fail. For a larger one, [`split`] decides four things in this order:
//!
//! 1. **Whom it cannot do without.** As few wallets as can be that were tried *and* serve the receiver, then of those
//!    that were tried, then of those that serve, for the reasons above.
//! 2. **Then as few parts as can be.** How many that takes is told by the largest rooms: where they do not carry the
//!    order, no others of that number do.
//! 3. **Of so many, those that spare the largest rooms**: from the largest on, each wallet is left alone if the others
//!    still carry the order. For two parts, that is the smallest largest one, and beside it the best fit for the rest;
//!    for one it would be the best fit. No other choice of so many leaves larger blocks: none of them can be missed, so
//!    what they have too much is less than any of them has, and makes up for none that was not spared.
//! 4. **How much each gives.** All it has, but for what all of them have too much: that stays, in one block, with the
//!    largest. Its part would fall below the least one only if it kept more than it may; what it may not keep the next
//!    one keeps. So no part needs to be raised afterwards at the cost of others.

use std::array;

use uuid::Uuid;

/// A wallet that may be chosen, as far as the choice needs to know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    /// Its id.
    pub wallet: Uuid,
    /// Staked sun that it can still promise. Below zero if it promised more than a later read of the chain shows.
    pub room_sun: i64,
    /// Bandwidth points that it has left.
    pub bandwidth: i64,
    /// Whether it has coin to burn for bandwidth that it lacks.
    pub can_burn: bool,
    /// Whether it was tried for this order before.
    pub tried: bool,
    /// Whether it has a live delegation to the receiver.
    pub serves: bool,
}

/// What an order needs of the pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// Staked sun, above zero.
    pub amount_sun: i64,
    /// Bandwidth points that one delegation costs; each part of a split order costs as much.
    pub bandwidth: i64,
}

/// How far an order may be split.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SplitLimits {
    /// The most parts. An order is as slow as its slowest part, and each costs a transaction to give and one to take
    /// back.
    pub max_parts: usize,
    /// The least staked sun of one part; the chain itself takes none below 1 TRX.
    pub min_part_sun: i64,
}

/// Candidates are told apart by what speaks against them, least first: nothing, serves, tried, both.
const CLASSES: usize = 4;

impl Candidate {
    /// Whether it can carry the whole order.
    #[must_use]
    pub const fn fits(&self, wanted: Wanted) -> bool {
        self.room_sun >= wanted.amount_sun && self.can_send(wanted.bandwidth)
    }

    const fn can_send(&self, bandwidth: i64) -> bool {
        self.can_burn || self.bandwidth >= bandwidth
    }

    fn class(&self) -> usize {
        usize::from(self.tried) * 2 + usize::from(self.serves)
    }

    fn room(&self) -> i128 {
        i128::from(self.room_sun)
    }
}

/// The wallet for an order, by the rules at the head of this file; `None` if it fits nowhere.
#[must_use]
pub fn best(candidates: impl IntoIterator<Item = Candidate>, wanted: Wanted) -> Option<Uuid> {
    let fitting = candidates.into_iter().filter(|candidate| candidate.fits(wanted));
    let best = fitting.min_by_key(|candidate| (candidate.class(), candidate.room_sun, candidate.wallet))?;
    Some(best.wallet)
}

/// The wallets that carry an order together, and the staked sun that each gives; one alone where one can. `None` if
/// the whole of it cannot be had within the limits: a part of an order is worth nothing to who ordered it.
///
/// Parts are those of different wallets, none below `min_part_sun` or above its wallet's room, and their sum is
/// exactly what is wanted. The candidates name each wallet once.
#[must_use]
pub fn split(candidates: &[Candidate], wanted: Wanted, limits: SplitLimits) -> Option<Vec<(Uuid, i64)>> {
    if let Some(whole) = best(candidates.iter().copied(), wanted) {
        return Some(vec![(whole, wanted.amount_sun)]);
    }
    let least = limits.min_part_sun.max(1);
    let mut able: Vec<Candidate> = candidates.to_vec();
    able.retain(|candidate| candidate.room_sun >= least && candidate.can_send(wanted.bandwidth));
    // of equal rooms the smallest id comes last: it is the one that is not spared
    able.sort_unstable_by_key(|candidate| std::cmp::Reverse((candidate.room_sun, candidate.wallet)));
    let no_less_each = usize::try_from(wanted.amount_sun / least).ok()?;
    let most_parts = no_less_each.min(limits.max_parts).min(able.len());
    if most_parts < 2 {
        return None;
    }
    let counts = fewest(&able, wanted.amount_sun, most_parts)?;
    let sharing = sparing_the_largest(&able, wanted.amount_sun, counts);
    Some(shares(&sharing, wanted.amount_sun, least))
}

/// How many wallets of each class it takes: as few as can be of the last one, then of the one before it, and so on.
/// The candidates are sorted, the largest first. `None` if not even the largest carry the amount.
fn fewest(able: &[Candidate], amount_sun: i64, most_parts: usize) -> Option<[usize; CLASSES]> {
    let mut counts = [0; CLASSES];
    let (mut parts_left, mut missing) = (most_parts, i128::from(amount_sun));
    for class in (0..CLASSES).rev() {
        let own = |count| largest(able, count, |of| of == class);
        let enough = |count: &usize| own(*count) + largest(able, parts_left - count, |of| of < class) >= missing;
        let count = (0..=parts_left).find(enough)?;
        missing -= own(count);
        parts_left -= count;
        counts[class] = count;
    }
    Some(counts)
}

/// What the largest few of some classes have together.
fn largest(able: &[Candidate], count: usize, of_class: impl Fn(usize) -> bool) -> i128 {
    let of_class = able.iter().filter(|candidate| of_class(candidate.class()));
    of_class.take(count).map(Candidate::room).sum()
}

/// So many wallets of each class that they carry the amount, the largest first. From the largest on, each is spared if
/// the amount is still carried with the next one of its class in its place.
fn sparing_the_largest(able: &[Candidate], amount_sun: i64, mut counts: [usize; CLASSES]) -> Vec<Candidate> {
    let by_class: [Vec<Candidate>; CLASSES] = array::from_fn(|class| {
        let of_class = able.iter().filter(|candidate| candidate.class() == class);
        of_class.copied().collect()
    });
    // the largest still undecided of each class, as many as are missing, carry it; `next` is the one after them
    let mut next = counts;
    let mut carried: i128 = (0..CLASSES)
        .map(|class| largest(able, counts[class], |of| of == class))
        .sum();
    let mut sharing = Vec::new();
    for candidate in able {
        let class = candidate.class();
        if counts[class] == 0 {
            continue;
        }
        let stand_in = by_class[class].get(next[class]);
        match stand_in.map(|stand_in| carried - candidate.room() + stand_in.room()) {
            Some(without) if without >= i128::from(amount_sun) => {
                carried = without;
                next[class] += 1;
            }
            _ => {
                sharing.push(*candidate);
                counts[class] -= 1;
            }
        }
    }
    sharing
}

/// What each of these wallets gives. They have at least the amount, the largest comes first, and the amount is at
/// least as many times the least part: so what is too much always finds a place.
fn shares(sharing: &[Candidate], amount_sun: i64, least: i64) -> Vec<(Uuid, i64)> {
    let all: i128 = sharing.iter().map(Candidate::room).sum();
    let mut too_much = all - i128::from(amount_sun);
    let share = |candidate: &Candidate| {
        let at_most = candidate.room_sun - least;
        let kept = i64::try_from(too_much).map_or(at_most, |too_much| too_much.min(at_most));
        too_much -= i128::from(kept);
        (candidate.wallet, candidate.room_sun - kept)
    };
    sharing.iter().map(share).collect()
}

#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;
