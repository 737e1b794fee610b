//! Every rule by name.

mod properties;

use super::*;

/// What an order wants of bandwidth.
const BANDWIDTH: i64 = 300;

/// A wallet that nothing speaks against.
fn wallet(n: u128, room_sun: i64) -> Candidate {
    Candidate {
        wallet: Uuid::from_u128(n),
        room_sun,
        bandwidth: 1_000,
        can_burn: false,
        tried: false,
        serves: false,
    }
}

fn tried(candidate: Candidate) -> Candidate {
    Candidate {
        tried: true,
        ..candidate
    }
}

fn serves(candidate: Candidate) -> Candidate {
    Candidate {
        serves: true,
        ..candidate
    }
}

fn without_bandwidth(candidate: Candidate) -> Candidate {
    Candidate {
        bandwidth: BANDWIDTH - 1,
        ..candidate
    }
}

fn sun(amount_sun: i64) -> Wanted {
    Wanted {
        amount_sun,
        bandwidth: BANDWIDTH,
    }
}

fn limits(max_parts: usize, min_part_sun: i64) -> SplitLimits {
    SplitLimits {
        max_parts,
        min_part_sun,
    }
}

/// Wallets of these rooms, numbered from 1.
fn rooms(rooms: &[i64]) -> Vec<Candidate> {
    (1..).zip(rooms).map(|(n, room)| wallet(n, *room)).collect()
}

fn chosen(candidates: &[Candidate], amount_sun: i64) -> Option<u128> {
    best(candidates.iter().copied(), sun(amount_sun)).map(|id| id.as_u128())
}

fn parts(candidates: &[Candidate], amount_sun: i64, limits: SplitLimits) -> Option<Vec<(u128, i64)>> {
    let parts = split(candidates, sun(amount_sun), limits)?;
    Some(parts.into_iter().map(|(id, part)| (id.as_u128(), part)).collect())
}

#[test]
fn the_best_wallet_by_each_rule() {
    let burns = Candidate {
        can_burn: true,
        ..without_bandwidth(wallet(1, 100))
    };
    let cases = [
        ("none there", vec![], None),
        ("none has room", rooms(&[99, 0, -5]), None),
        ("the smallest room that suffices", rooms(&[300, 150, 99, 200]), Some(2)),
        ("just enough", rooms(&[100, 101]), Some(1)),
        (
            "the smaller id",
            vec![wallet(9, 150), wallet(3, 150), wallet(4, 150)],
            Some(3),
        ),
        (
            "no bandwidth",
            vec![without_bandwidth(wallet(1, 100)), wallet(2, 500)],
            Some(2),
        ),
        ("coin for bandwidth", vec![burns, wallet(2, 500)], Some(1)),
        (
            "not twice for one receiver",
            vec![serves(wallet(1, 100)), wallet(2, 500)],
            Some(2),
        ),
        (
            "not twice for one order",
            vec![tried(wallet(1, 100)), wallet(2, 500)],
            Some(2),
        ),
        (
            "rather beside a rental than again",
            vec![tried(wallet(1, 100)), serves(wallet(2, 500))],
            Some(2),
        ),
        (
            "rather again than again and beside a rental",
            vec![serves(tried(wallet(1, 100))), tried(wallet(2, 500))],
            Some(2),
        ),
        (
            "either is better than none",
            vec![serves(tried(wallet(1, 100))), wallet(2, 99)],
            Some(1),
        ),
    ];
    for (name, candidates, expected) in cases {
        assert_eq!(chosen(&candidates, 100), expected, "{name}");
    }
}

/// Parts as they should be.
fn gives(parts: &[(u128, i64)]) -> Option<Vec<(u128, i64)>> {
    Some(parts.to_vec())
}

/// Limits that bind nothing here.
const ANY: SplitLimits = SplitLimits {
    max_parts: 8,
    min_part_sun: 1,
};

#[test]
fn what_one_wallet_can_carry_is_not_split() {
    assert_eq!(parts(&rooms(&[100, 70, 50]), 70, ANY), gives(&[(2, 70)]));
    // not even where it serves the receiver, and others together do not
    let beside = [serves(wallet(1, 90)), wallet(2, 80), wallet(3, 80)];
    assert_eq!(parts(&beside, 90, ANY), gives(&[(1, 90)]));
    // the least part is one of parts
    assert_eq!(parts(&rooms(&[100]), 20, limits(8, 50)), gives(&[(1, 20)]));
}

#[test]
fn the_fewest_parts_that_spare_the_largest_rooms() {
    assert_eq!(parts(&rooms(&[100, 90, 80, 40]), 120, ANY), gives(&[(3, 80), (4, 40)]));
    // the largest is needed, and the rest goes by best fit
    assert_eq!(
        parts(&rooms(&[100, 70, 60, 55, 30]), 155, ANY),
        gives(&[(1, 100), (4, 55)])
    );
    // what is too much stays in one block
    assert_eq!(parts(&rooms(&[100, 60]), 130, ANY), gives(&[(1, 70), (2, 60)]));
    // few parts are worth more than a large room
    assert_eq!(
        parts(&rooms(&[100, 90, 65, 65, 60]), 190, ANY),
        gives(&[(1, 100), (2, 90)])
    );
    let four = gives(&[(2, 50), (1, 50), (4, 30), (5, 20)]);
    assert_eq!(parts(&rooms(&[50, 50, 40, 30, 20]), 150, ANY), four);
}

#[test]
fn no_part_falls_below_the_least() {
    let pool = rooms(&[100, 90]);
    assert_eq!(parts(&pool, 110, limits(8, 20)), gives(&[(1, 20), (2, 90)]));
    // what the first cannot keep the second does
    assert_eq!(parts(&pool, 110, limits(8, 30)), gives(&[(1, 30), (2, 80)]));
    let equal = rooms(&[50, 50, 50]);
    assert_eq!(parts(&equal, 120, limits(8, 40)), gives(&[(3, 40), (2, 40), (1, 40)]));
    // three parts of 40 are more than is wanted, and two rooms less
    assert_eq!(parts(&equal, 119, limits(8, 40)), None);
    assert_eq!(parts(&rooms(&[100, 19, 19]), 115, limits(8, 20)), None);
}

#[test]
fn all_of_it_or_nothing() {
    assert_eq!(
        parts(&rooms(&[100, 90, 80]), 270, ANY),
        gives(&[(1, 100), (2, 90), (3, 80)])
    );
    assert_eq!(parts(&rooms(&[100, 90, 80]), 271, ANY), None);
    assert_eq!(parts(&rooms(&[50, 50, 50]), 101, limits(2, 1)), None);
    // each part has to be sent
    assert_eq!(
        parts(&[wallet(1, 90), without_bandwidth(wallet(2, 90))], 100, ANY),
        None
    );
    assert_eq!(parts(&[], 100, ANY), None);
    assert_eq!(parts(&rooms(&[-5, 60, 60]), 115, ANY), gives(&[(3, 55), (2, 60)]));
    let beyond = gives(&[(1, 2), (2, i64::MAX - 2)]);
    assert_eq!(parts(&rooms(&[i64::MAX - 1, i64::MAX - 2]), i64::MAX, ANY), beyond);
}

#[test]
fn more_parts_are_better_than_a_wallet_that_is_avoided() {
    let small = [wallet(2, 50), wallet(3, 50), wallet(4, 50)];
    for avoided in [serves(wallet(1, 90)), tried(wallet(1, 90))] {
        let pool = [&[avoided], small.as_slice()].concat();
        assert_eq!(parts(&pool, 140, ANY), gives(&[(4, 40), (3, 50), (2, 50)]));
    }
    // one of them is needed, and not two
    let pool = [
        serves(wallet(1, 90)),
        serves(wallet(2, 90)),
        wallet(3, 50),
        wallet(4, 50),
    ];
    assert_eq!(parts(&pool, 170, ANY), gives(&[(1, 70), (4, 50), (3, 50)]));
}

#[test]
fn senseless_wishes_are_refused() {
    let pool = rooms(&[50, 50]);
    for amount in [0, -1, i64::MIN] {
        assert_eq!(parts(&rooms(&[-1, -1]), amount.max(0), limits(8, 1)), None);
        assert_eq!(parts(&[], amount, limits(8, 0)), None);
    }
    for max_parts in [0, 1] {
        assert_eq!(parts(&pool, 60, limits(max_parts, 1)), None);
    }
    for min_part in [0, -7] {
        assert!(parts(&pool, 60, limits(usize::MAX, min_part)).is_some());
    }
}
