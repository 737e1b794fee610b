//! What holds for any pool and any order; small pools beside every choice that there is.

use proptest::prelude::*;

use super::*;

/// What stays of a pool when so much of each is given, the largest block first.
fn left(pool: &[Candidate], given: &[(Uuid, i64)]) -> Vec<i64> {
    let part = |id| {
        given
            .iter()
            .filter(move |(wallet, _)| *wallet == id)
            .map(|(_, part)| part)
    };
    let mut left: Vec<i64> = pool
        .iter()
        .map(|candidate| candidate.room_sun - part(candidate.wallet).sum::<i64>())
        .collect();
    left.sort_unstable_by(|a, b| b.cmp(a));
    left
}

/// Every set of wallets of a pool, told by brute force.
fn sets(pool: &[Candidate]) -> impl Iterator<Item = Vec<Candidate>> {
    (0_u32..1 << pool.len()).map(move |bits| {
        let chosen = (0..).zip(pool).filter(|(n, _)| (bits >> n) & 1 == 1);
        chosen.map(|(_, candidate)| *candidate).collect()
    })
}

/// The wallets that give a part.
fn sharing(pool: &[Candidate], parts: &[(Uuid, i64)]) -> Vec<Candidate> {
    let gives = |of: &Candidate| parts.iter().any(|(id, _)| *id == of.wallet);
    pool.iter().copied().filter(gives).collect()
}

/// Whether these wallets can share an order in as many parts as they are.
fn can_share(set: &[Candidate], amount: i64, limits: SplitLimits) -> bool {
    let least = i64::try_from(set.len()).unwrap() * limits.min_part_sun;
    let able = |of: &Candidate| of.room_sun >= limits.min_part_sun && (of.can_burn || of.bandwidth >= BANDWIDTH);
    let together: i64 = set.iter().map(|candidate| candidate.room_sun).sum();
    (2..=limits.max_parts).contains(&set.len()) && set.iter().all(able) && least <= amount && amount <= together
}

/// What speaks against a set, the gravest first, and then how many parts it makes.
fn against(set: &[Candidate]) -> [usize; 4] {
    let count = |tried, serves| {
        let of = |of: &&Candidate| (of.tried, of.serves) == (tried, serves);
        set.iter().filter(of).count()
    };
    [count(true, true), count(true, false), count(false, true), set.len()]
}

/// Every way in which the wallets can give the amount, each its least or more.
fn ways(set: &[Candidate], amount: i64, least: i64) -> Vec<Vec<(Uuid, i64)>> {
    let Some((first, rest)) = set.split_first() else {
        return if amount == 0 { vec![vec![]] } else { vec![] };
    };
    let mut all = Vec::new();
    for part in least..=first.room_sun.min(amount) {
        for mut way in ways(rest, amount - part, least) {
            way.push((first.wallet, part));
            all.push(way);
        }
    }
    all
}

prop_compose! {
    fn any_candidate()(
        room in -20_i64..120,
        bandwidth in prop::sample::select(vec![0, BANDWIDTH - 1, BANDWIDTH, 1_000, 1_000]),
        can_burn in prop::bool::weighted(0.3),
        tried in prop::bool::weighted(0.2),
        serves in prop::bool::weighted(0.3),
    ) -> Candidate {
        Candidate { bandwidth, can_burn, tried, serves, ..wallet(0, room) }
    }
}

prop_compose! {
    /// A pool of wallets, their ids up or down.
    fn any_pool(most: usize)(
        pool in prop::collection::vec(any_candidate(), 0..=most),
        turned in any::<bool>(),
    ) -> Vec<Candidate> {
        let numbered = (1..).zip(pool).map(|(n, of)| Candidate { wallet: Uuid::from_u128(n), ..of });
        let mut pool: Vec<Candidate> = numbered.collect();
        if turned {
            pool.reverse();
        }
        pool
    }
}

prop_compose! {
    fn any_limits()(max_parts in 0_usize..7, min_part in 1_i64..40) -> SplitLimits {
        limits(max_parts, min_part)
    }
}

proptest! {
    #[test]
    fn the_best_wallet_fits_and_none_that_fits_is_preferred(pool in any_pool(10), amount in 1_i64..120) {
        let fitting: Vec<&Candidate> = pool
            .iter()
            .filter(|of| of.room_sun >= amount && (of.can_burn || of.bandwidth >= BANDWIDTH))
            .collect();
        let Some(id) = best(pool.iter().copied(), sun(amount)) else {
            prop_assert!(fitting.is_empty());
            return Ok(());
        };
        let chosen = fitting.iter().find(|of| of.wallet == id).unwrap();
        if chosen.tried {
            prop_assert!(fitting.iter().all(|of| of.tried));
        }
        if chosen.serves {
            prop_assert!(fitting.iter().all(|of| of.serves || of.tried));
        }
        for other in fitting.iter().filter(|of| (of.tried, of.serves) == (chosen.tried, chosen.serves)) {
            prop_assert!((chosen.room_sun, chosen.wallet) <= (other.room_sun, other.wallet));
        }
    }

    #[test]
    fn no_other_wallet_would_leave_larger_blocks(
        room in prop::collection::vec(0_i64..120, 1..10),
        amount in 1_i64..120,
    ) {
        let pool = rooms(&room);
        if let Some(id) = best(pool.iter().copied(), sun(amount)) {
            let ours = left(&pool, &[(id, amount)]);
            for other in pool.iter().filter(|of| of.room_sun >= amount) {
                let theirs = left(&pool, &[(other.wallet, amount)]);
                prop_assert!(ours[0] >= theirs[0]);
                // nor a larger second one beside an equal first one, and so on
                prop_assert!(ours >= theirs);
            }
        }
    }

    #[test]
    fn a_split_is_within_its_limits_and_whole(pool in any_pool(8), amount in 1_i64..500, limits in any_limits()) {
        let Some(parts) = split(&pool, sun(amount), limits) else {
            return Ok(());
        };
        prop_assert_eq!(parts.iter().map(|(_, part)| part).sum::<i64>(), amount);
        for (n, (id, part)) in parts.iter().enumerate() {
            let of = pool.iter().find(|of| of.wallet == *id).unwrap();
            prop_assert!(*part > 0 && *part <= of.room_sun);
            prop_assert!(of.can_burn || of.bandwidth >= BANDWIDTH);
            prop_assert!(parts[..n].iter().all(|(other, _)| other != id));
        }
        if parts.len() == 1 {
            prop_assert_eq!(Some(parts[0].0), best(pool.iter().copied(), sun(amount)));
        } else {
            prop_assert!(parts.len() <= limits.max_parts);
            prop_assert!(parts.iter().all(|(_, part)| *part >= limits.min_part_sun));
            prop_assert_eq!(best(pool.iter().copied(), sun(amount)), None);
        }
    }

    #[test]
    fn a_split_is_found_where_there_is_one_and_avoids_what_it_can(
        pool in any_pool(8),
        amount in 1_i64..500,
        limits in any_limits(),
    ) {
        prop_assume!(best(pool.iter().copied(), sun(amount)).is_none());
        let possible = sets(&pool).filter(|set| can_share(set, amount, limits));
        let least_against = possible.map(|set| against(&set)).min();
        let found = split(&pool, sun(amount), limits).map(|parts| against(&sharing(&pool, &parts)));
        prop_assert_eq!(found, least_against);
    }

    #[test]
    fn no_other_split_of_the_same_kind_would_leave_larger_blocks(
        pool in prop::collection::vec((1_i64..9, prop::bool::weighted(0.2), prop::bool::weighted(0.3)), 2..7),
        amount in 2_i64..24,
        least in 1_i64..4,
    ) {
        let numbered = (1..).zip(pool);
        let pool: Vec<Candidate> = numbered
            .map(|(n, (room, tried, serves))| Candidate { tried, serves, ..wallet(n, room) })
            .collect();
        prop_assume!(best(pool.iter().copied(), sun(amount)).is_none());
        if let Some(parts) = split(&pool, sun(amount), limits(3, least)) {
            let ours = left(&pool, &parts);
            let kind = against(&sharing(&pool, &parts));
            for set in sets(&pool).filter(|set| against(set) == kind) {
                for way in ways(&set, amount, least) {
                    prop_assert!(ours >= left(&pool, &way), "{:?} beside {:?}", parts, way);
                }
            }
        }
    }

    /// Orders come and rentals end, in any order: no wallet ever promises more than it has, of stake or of bandwidth,
    /// and an order that is refused took nothing.
    #[test]
    fn nothing_is_promised_twice(
        pool in any_pool(8),
        orders in prop::collection::vec((1_i64..300, any_limits(), any::<bool>()), 1..60),
    ) {
        let mut now = pool.clone();
        let mut rentals: Vec<Vec<(Uuid, i64)>> = Vec::new();
        for (amount, limits, one_ends) in orders {
            if one_ends && !rentals.is_empty() {
                for (id, part) in rentals.remove(0) {
                    now.iter_mut().find(|of| of.wallet == id).unwrap().room_sun += part;
                }
            }
            let Some(parts) = split(&now, sun(amount), limits) else {
                continue;
            };
            for (id, part) in &parts {
                let of = now.iter_mut().find(|of| of.wallet == *id).unwrap();
                of.room_sun -= part;
                of.bandwidth -= BANDWIDTH;
                prop_assert!(of.room_sun >= 0);
                prop_assert!(of.bandwidth >= 0 || of.can_burn);
            }
            rentals.push(parts);
            for (before, after) in pool.iter().zip(&now) {
                let lent = rentals.iter().flatten().filter(|(id, _)| *id == before.wallet);
                prop_assert_eq!(before.room_sun - lent.map(|(_, part)| part).sum::<i64>(), after.room_sun);
            }
        }
    }
}
