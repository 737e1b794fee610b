//! The token's interface: calldata, return words, logs, energy, ABI. Owns no balances.

use chain::TronAddress;
use serde_json::{Value, json};

use crate::exec::Log;

/// `keccak256("Transfer(address,address,uint256)")`.
const TRANSFER_TOPIC: &str = "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";
/// `keccak256("Approval(address,address,uint256)")`.
const APPROVAL_TOPIC: &str = "8c5be1e5ebec7d5bd14f71427d1e84f3dd0314c0f7b2291e5b200ac8c7c3b925";

/// A call that the token understands. Amounts beyond 128 bits are clamped: nobody holds as much.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Method {
    /// `transfer(address,uint256)`.
    Transfer { to: TronAddress, amount: u128 },
    /// `transferFrom(address,address,uint256)`.
    TransferFrom {
        from: TronAddress,
        to: TronAddress,
        amount: u128,
    },
    /// `approve(address,uint256)`.
    Approve { spender: TronAddress, amount: u128 },
    /// `balanceOf(address)`.
    BalanceOf(TronAddress),
    /// `allowance(address,address)`.
    Allowance(TronAddress, TronAddress),
    /// `decimals()`.
    Decimals,
    /// `totalSupply()`.
    TotalSupply,
    /// `name()`.
    Name,
    /// `symbol()`.
    Symbol,
}

impl Method {
    /// Reads calldata; `None` for what the contract would refuse.
    pub(crate) fn decode(data: &[u8]) -> Option<Self> {
        let (selector, arguments) = data.split_at_checked(4)?;
        let argument = |i: usize| arguments.get(i * 32..i * 32 + 32);
        // Some wallets write 21 bytes into the address word: the contract looks at the low 20 only.
        let address = |i: usize| {
            let word = argument(i)?;
            <[u8; 20]>::try_from(&word[12..]).ok().map(TronAddress::from_evm20)
        };
        let amount = |i: usize| {
            let word = argument(i)?;
            let low = <[u8; 16]>::try_from(&word[16..]).ok().map(u128::from_be_bytes)?;
            Some(if word[..16].iter().all(|byte| *byte == 0) {
                low
            } else {
                u128::MAX
            })
        };
        Some(match hex::encode(selector).as_str() {
            "a9059cbb" => Self::Transfer {
                to: address(0)?,
                amount: amount(1)?,
            },
            "23b872dd" => Self::TransferFrom {
                from: address(0)?,
                to: address(1)?,
                amount: amount(2)?,
            },
            "095ea7b3" => Self::Approve {
                spender: address(0)?,
                amount: amount(1)?,
            },
            "70a08231" => Self::BalanceOf(address(0)?),
            "dd62ed3e" => Self::Allowance(address(0)?, address(1)?),
            "313ce567" => Self::Decimals,
            "18160ddd" => Self::TotalSupply,
            "06fdde03" => Self::Name,
            "95d89b41" => Self::Symbol,
            _ => return None,
        })
    }
}

/// Energy of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cost {
    /// Everything.
    pub(crate) energy: i64,
    /// The part that the network adds because the contract is busy.
    pub(crate) penalty: i64,
}

/// What a call costs: transfers as measured on mainnet in 2026, the others in proportion.
pub(crate) fn cost(method: Option<&Method>, holds: impl Fn(TronAddress) -> bool) -> Cost {
    let base = match method {
        Some(Method::Transfer { to, .. }) => {
            let (energy, penalty) = if holds(*to) {
                (64_285, 49_635)
            } else {
                (130_285, 100_635)
            };
            return Cost { energy, penalty };
        }
        Some(Method::TransferFrom { to, .. }) => {
            let (energy, penalty) = if holds(*to) {
                (78_285, 60_485)
            } else {
                (144_285, 111_485)
            };
            return Cost { energy, penalty };
        }
        Some(Method::Approve { .. }) => 22_500,
        Some(_) => 935,
        None => 1_800,
    };
    Cost {
        energy: base + base * 34 / 10,
        penalty: base * 34 / 10,
    }
}

/// A number as a 32-byte word.
pub(crate) fn word(number: u128) -> [u8; 32] {
    let mut word = [0; 32];
    word[16..].copy_from_slice(&number.to_be_bytes());
    word
}

/// A text of at most 32 bytes in ABI encoding.
pub(crate) fn text(text: &str) -> Vec<u8> {
    let mut out = [word(32), word(text.len() as u128)].concat();
    let mut body = text.as_bytes().to_vec();
    body.resize(32, 0);
    out.extend(body);
    out
}

/// The Transfer event.
pub(crate) fn transfer(token: TronAddress, from: TronAddress, to: TronAddress, amount: u128) -> Log {
    event(token, TRANSFER_TOPIC, from, to, amount)
}

/// The Approval event.
pub(crate) fn approval(token: TronAddress, owner: TronAddress, spender: TronAddress, amount: u128) -> Log {
    event(token, APPROVAL_TOPIC, owner, spender, amount)
}

fn event(token: TronAddress, topic: &str, first: TronAddress, second: TronAddress, amount: u128) -> Log {
    let mut signature = [0; 32];
    // The two constants are 64 hex digits; a test decodes both.
    if hex::decode_to_slice(topic, &mut signature).is_err() {
        signature = [0; 32];
    }
    let topics = vec![signature, address_word(first), address_word(second)];
    Log {
        address: token,
        topics,
        data: word(amount).to_vec(),
    }
}

fn address_word(address: TronAddress) -> [u8; 32] {
    let mut word = [0; 32];
    word[12..].copy_from_slice(&address.evm20());
    word
}

/// The ABI as `getcontract` answers it.
pub(crate) fn abi() -> Value {
    let argument = |name: &str, kind: &str| json!({"name": name, "type": kind});
    let output = |kind: &str| json!([{"type": kind}]);
    let view = |name: &str, inputs: Value, kind: &str| {
        let outputs = output(kind);
        json!({"name": name, "inputs": inputs, "outputs": outputs, "constant": true, "stateMutability": "View",
               "type": "Function"})
    };
    let act = |name: &str, inputs: Value, outputs: Value| {
        json!({"name": name, "inputs": inputs, "outputs": outputs, "stateMutability": "Nonpayable",
               "type": "Function"})
    };
    let event = |name: &str, first: &str, second: &str| {
        json!({"name": name, "type": "Event", "inputs": [
            {"indexed": true, "name": first, "type": "address"}, {"indexed": true, "name": second, "type": "address"},
            {"name": "value", "type": "uint256"}]})
    };
    let (to, value) = (argument("_to", "address"), argument("_value", "uint256"));
    let (from, spender) = (argument("_from", "address"), argument("_spender", "address"));
    json!({"entrys": [
        view("name", json!([]), "string"),
        view("symbol", json!([]), "string"),
        view("decimals", json!([]), "uint256"),
        view("totalSupply", json!([]), "uint256"),
        view("balanceOf", json!([argument("who", "address")]), "uint256"),
        view("allowance", json!([argument("_owner", "address"), spender]), "uint256"),
        act("transfer", json!([to, value]), output("bool")),
        act("transferFrom", json!([from, to, value]), output("bool")),
        act("approve", json!([spender, value]), json!([])),
        event("Transfer", "from", "to"),
        event("Approval", "owner", "spender"),
    ]})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_are_the_hashes_of_the_event_signatures() {
        for (topic, signature) in [
            (TRANSFER_TOPIC, "Transfer(address,address,uint256)"),
            (APPROVAL_TOPIC, "Approval(address,address,uint256)"),
        ] {
            assert_eq!(topic, hex::encode(tron::keccak256(signature.as_bytes())));
        }
    }

    #[test]
    fn an_address_word_with_21_bytes_is_masked() {
        let data = hex::decode(concat!(
            "a9059cbb",
            "000000000000000000000041a614f803b6fd780986a42c78ec9c7f77e6ded13c",
            "00000000000000000000000000000000000000000000000000000000000f4240"
        ))
        .unwrap();
        let to = TronAddress::from_hex("41a614f803b6fd780986a42c78ec9c7f77e6ded13c").unwrap();
        assert_eq!(Method::decode(&data), Some(Method::Transfer { to, amount: 1_000_000 }));
        assert_eq!(Method::decode(&data[..67]), None, "truncated arguments");
        assert_eq!(Method::decode(&[0xa9]), None);
    }

    #[test]
    fn an_amount_beyond_128_bits_is_never_a_small_one() {
        let mut data = hex::decode("a9059cbb").unwrap();
        data.extend([0; 32]);
        data.extend([0xff; 32]);
        assert!(matches!(
            Method::decode(&data),
            Some(Method::Transfer { amount: u128::MAX, .. })
        ));
    }
}
