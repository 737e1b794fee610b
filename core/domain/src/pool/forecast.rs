//! What can be sold in the next hours if nothing is sold until then. Pure.
//!
//! Three things give stake back: rentals end, and energy that was used recovers over a day, linearly, as nodes have it. What
//! a customer used of a rental comes back as used, and nobody knows beforehand how much that will be. So each hour has two
//! figures: at least, if every customer uses all of it, and at most, if nobody uses any.

/// How far it looks.
pub const HOURS: i64 = 24;
/// In which used energy recovers.
const RECOVERY_HOURS: i128 = 24;

/// What can be lent now and what comes back, of one wallet or of many.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stock {
    /// Staked sun that can be lent now.
    pub room_sun: i64,
    /// Staked sun that cannot be lent because its energy is used, and that recovers.
    pub occupied_sun: i64,
    /// Rentals that end.
    pub endings: Vec<Ending>,
}

/// Stake that comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ending {
    /// In how many whole hours: 0 is within the first.
    pub hour: i64,
    /// How much.
    pub sun: i64,
}

/// What can be lent at an hour, in staked sun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outlook {
    /// Hours from now.
    pub hour: i64,
    /// If customers use all that they rented.
    pub at_least_sun: i64,
    /// If they use none of it.
    pub at_most_sun: i64,
}

/// The next [`HOURS`] hours.
#[must_use]
pub fn forecast(stock: &Stock) -> Vec<Outlook> {
    (1..=HOURS).map(|hour| at(stock, hour)).collect()
}

fn at(stock: &Stock, hour: i64) -> Outlook {
    let recovered = |sun: i64, hours: i64| i128::from(sun) * i128::from(hours).min(RECOVERY_HOURS) / RECOVERY_HOURS;
    let sure = i128::from(stock.room_sun) + recovered(stock.occupied_sun, hour);
    let ended = || stock.endings.iter().filter(move |ending| ending.hour < hour);
    let used: i128 = ended()
        .map(|ending| recovered(ending.sun, hour - ending.hour - 1))
        .sum();
    let unused: i128 = ended().map(|ending| i128::from(ending.sun)).sum();
    let sun = |sun: i128| i64::try_from(sun).unwrap_or(i64::MAX);
    Outlook {
        hour,
        at_least_sun: sun(sure + used),
        at_most_sun: sun(sure + unused),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hours(stock: &Stock, wanted: [i64; 3]) -> [(i64, i64); 3] {
        let all = forecast(stock);
        wanted.map(|hour| {
            let found = all.iter().find(|outlook| outlook.hour == hour).unwrap();
            (found.at_least_sun, found.at_most_sun)
        })
    }

    #[test]
    fn used_energy_recovers_over_a_day() {
        let stock = Stock {
            room_sun: 100,
            occupied_sun: 48,
            endings: Vec::new(),
        };
        assert_eq!(hours(&stock, [1, 12, 24]), [(102, 102), (124, 124), (148, 148)]);
    }

    #[test]
    fn a_rental_comes_back_used_or_not() {
        let stock = Stock {
            endings: vec![Ending { hour: 3, sun: 240 }],
            ..Stock::default()
        };
        // it ends within the fourth hour
        assert_eq!(hours(&stock, [3, 4, 5]), [(0, 0), (0, 240), (10, 240)]);
        assert_eq!(forecast(&stock).len(), 24);
    }

    proptest! {
        #[test]
        fn it_never_falls_and_never_exceeds_all_there_is(
            room in 0..i64::MAX / 4,
            occupied in 0..i64::MAX / 4,
            endings in proptest::collection::vec((0..30_i64, 0..i64::MAX / 64), 0..16),
        ) {
            let endings: Vec<Ending> = endings.into_iter().map(|(hour, sun)| Ending { hour, sun }).collect();
            let all = endings.iter().fold(i128::from(room) + i128::from(occupied), |sum, ending| sum + i128::from(ending.sun));
            let stock = Stock { room_sun: room, occupied_sun: occupied, endings };
            let mut before = (room, room);
            for outlook in forecast(&stock) {
                prop_assert!(outlook.at_least_sun <= outlook.at_most_sun);
                prop_assert!(before.0 <= outlook.at_least_sun && before.1 <= outlook.at_most_sun);
                prop_assert!(i128::from(outlook.at_most_sun) <= all);
                before = (outlook.at_least_sun, outlook.at_most_sun);
            }
        }
    }
}
