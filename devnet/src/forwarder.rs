//! A contract that sends on the TRX that a call brings: money that moves without a transfer of its own and without a log.

use chain::TronAddress;

/// Energy of one call that sends TRX on, to an account that exists.
pub(crate) const ENERGY: i64 = 18_000;
/// What a new account costs beside it.
pub(crate) const NEW_ACCOUNT_ENERGY: i64 = 25_000;
/// First bytes of `keccak256("forward(address)")`.
const FORWARD: [u8; 4] = [0x10, 0x1e, 0x89, 0x52];

/// Where it lives, beside no key.
pub(crate) fn address() -> TronAddress {
    TronAddress::from_evm20([0xf0; 20])
}

/// The contract that sends on the TRX that a call brings, and the calldata of `forward(to)`.
#[must_use]
pub fn forwarding(to: TronAddress) -> (TronAddress, Vec<u8>) {
    (address(), [FORWARD.as_slice(), &[0; 12], &to.evm20()].concat())
}

/// To whom a call sends what it brings; `None` for what the contract would refuse.
pub(crate) fn decode(data: &[u8]) -> Option<TronAddress> {
    let word = data.strip_prefix(&FORWARD)?.get(..32)?;
    <[u8; 20]>::try_from(&word[12..]).ok().map(TronAddress::from_evm20)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_selector_is_the_hash_of_the_signature() {
        assert_eq!(FORWARD, tron::keccak256(b"forward(address)")[..4]);
    }

    #[test]
    fn calldata_comes_back() {
        let to = TronAddress::from_evm20([7; 20]);
        let (_, data) = forwarding(to);
        assert_eq!(decode(&data), Some(to));
        assert_eq!(decode(&data[..35]), None, "truncated");
        assert_eq!(decode(&[0; 36]), None, "another function");
    }
}
