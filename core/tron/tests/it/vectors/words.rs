//! Addresses, hashes and calldata.

use chain::TronAddress;
use serde_json::Value;
use tron::trc20::{Amount256, Call};
use tron::{keccak256, sha256};

use super::{bytes, cases, text};

#[test]
fn addresses_are_valid_or_not_as_told() {
    for case in cases("addresses.json") {
        let input = text(&case, "input");
        let parsed = input.parse::<TronAddress>();
        assert_eq!(parsed.is_ok(), case["valid_base58_address"] == true, "{case}");
        if let Ok(address) = parsed {
            assert_eq!(address.to_string(), input);
            assert_eq!(TronAddress::from_hex(&address.to_hex()).unwrap(), address);
            assert_eq!(TronAddress::from_evm20(address.evm20()), address);
        }
        if case.get("valid_hex_address").is_some() {
            assert_eq!(
                TronAddress::from_hex(input).is_ok(),
                case["valid_hex_address"] == true,
                "{case}"
            );
        }
        if case.get("lookalike_of").is_some() {
            assert_ne!(
                input.parse::<TronAddress>().unwrap(),
                text(&case, "lookalike_of").parse().unwrap()
            );
        }
    }
}

#[test]
fn hashes() {
    for case in cases("hashes.json") {
        let input = bytes(&case, "input_hex");
        assert_eq!(hex::encode(keccak256(&input)), text(&case, "keccak256"));
        assert_eq!(hex::encode(sha256(&input)), text(&case, "sha256"));
        assert_eq!(hex::encode(sha256(&sha256(&input))), text(&case, "double_sha256"));
    }
}

#[test]
fn calldata() {
    for case in cases("trc20_calldata.json") {
        let call = call_of(&case);
        assert_eq!(hex::encode(call.encode()), text(&case, "data"), "{case}");
        assert_eq!(Call::decode(&bytes(&case, "data")), Some(call));
    }
}

fn call_of(case: &Value) -> Call {
    let argument = |index: usize| case["args_hex"][index].as_str().unwrap();
    let address = |index| TronAddress::from_hex(argument(index)).unwrap();
    let amount = |index| amount_of(argument(index));
    match text(case, "fn") {
        "transfer(address,uint256)" => Call::Transfer {
            to: address(0),
            amount: amount(1),
        },
        "transferFrom(address,address,uint256)" => Call::TransferFrom {
            from: address(0),
            to: address(1),
            amount: amount(2),
        },
        "approve(address,uint256)" => Call::Approve {
            spender: address(0),
            amount: amount(1),
        },
        "balanceOf(address)" => Call::BalanceOf { owner: address(0) },
        "allowance(address,address)" => Call::Allowance {
            owner: address(0),
            spender: address(1),
        },
        other => panic!("{other}"),
    }
}

/// A decimal text of up to 256 bits.
pub(super) fn amount_of(decimal: &str) -> Amount256 {
    let mut out = [0_u8; 32];
    for digit in decimal.bytes() {
        let mut carry = u16::from(digit - b'0');
        for byte in out.iter_mut().rev() {
            let value = u16::from(*byte) * 10 + carry;
            *byte = u8::try_from(value & 0xff).unwrap();
            carry = value >> 8;
        }
        assert_eq!(carry, 0);
    }
    out
}
