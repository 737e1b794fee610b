//! What an amount buys, and for whom. Pure.

use chain::TronAddress;
use kernel::Amount;

use crate::deposits::WantedOrder;

/// Energy for a time, at a fixed price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Package {
    /// What is to be sent, exactly.
    pub price: Amount,
    /// How much energy it buys.
    pub energy: i64,
    /// For how long, seconds.
    pub duration_s: i32,
}

/// Characters of an address.
const ADDRESS_LENGTH: usize = 34;

/// What `amount` from `sender` buys: the package of exactly this price, for the one address that the memo names, or else for
/// the sender.
///
/// # Errors
/// Why it buys nothing: `no_package`, or `bad_memo` where the memo has what looks like an address and is none, or names
/// several.
pub fn wish(
    packages: &[Package],
    amount: Amount,
    memo: Option<&str>,
    sender: &str,
) -> Result<WantedOrder, &'static str> {
    let package = packages.iter().find(|package| package.price == amount);
    let package = package.ok_or("no_package")?;
    let mut named = addresses_in(memo.unwrap_or_default());
    let receiver = named.next().unwrap_or(sender);
    if named.any(|other| other != receiver) {
        return Err("bad_memo");
    }
    let receiver: TronAddress = receiver.parse().map_err(|_| "bad_memo")?;
    Ok(WantedOrder {
        receiver,
        energy: package.energy,
        duration_s: package.duration_s,
    })
}

/// Words that look like addresses.
fn addresses_in(memo: &str) -> impl Iterator<Item = &str> {
    let words = memo.split(|char: char| !char.is_ascii_alphanumeric());
    words.filter(|word| word.len() == ADDRESS_LENGTH && word.starts_with('T'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SENDER: &str = "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t";
    const OTHER: &str = "TLa2f6VPqDgRE67v1736s7bJ8Ray5wYjU7";

    fn sun(minor: i64) -> Amount {
        Amount::from_minor(minor).unwrap()
    }

    fn packages() -> Vec<Package> {
        let package = |minor, energy, duration_s| Package {
            price: sun(minor),
            energy,
            duration_s,
        };
        vec![package(2_500_000, 65_000, 3600), package(4_000_000, 131_000, 600)]
    }

    #[test]
    fn an_amount_buys_the_package_that_costs_exactly_as_much() {
        let of = |minor| wish(&packages(), sun(minor), None, SENDER).map(|order| (order.energy, order.duration_s));
        assert_eq!(of(2_500_000), Ok((65_000, 3600)));
        assert_eq!(of(4_000_000), Ok((131_000, 600)));
        for minor in [2_499_999, 2_500_001, 1, 6_500_000] {
            assert_eq!(of(minor), Err("no_package"), "{minor}");
        }
    }

    #[test]
    fn it_is_for_the_address_in_the_memo_or_for_the_sender() {
        let wrong = format!("{}8", &OTHER[..33]);
        for (memo, receiver) in [
            (None, Ok(SENDER)),
            (Some(""), Ok(SENDER)),
            (Some("thank you"), Ok(SENDER)),
            (Some(OTHER), Ok(OTHER)),
            (Some(&format!("for {OTHER}, please") as &str), Ok(OTHER)),
            (Some(&format!("{OTHER} {OTHER}") as &str), Ok(OTHER)),
            (Some(&format!("{OTHER} {SENDER}") as &str), Err("bad_memo")),
            (Some(&wrong as &str), Err("bad_memo")),
            (Some("能量"), Ok(SENDER)),
        ] {
            let found = wish(&packages(), sun(2_500_000), memo, SENDER).map(|order| order.receiver.to_string());
            assert_eq!(found.as_deref().map_err(|code| *code), receiver, "{memo:?}");
        }
    }
}
