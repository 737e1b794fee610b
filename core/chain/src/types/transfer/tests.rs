//! Amounts beyond what the machine counts in.

use super::*;

/// 2^`power`.
fn power_of_two(power: usize) -> ChainAmount {
    let mut bytes = [0; 32];
    bytes[31 - power / 8] = 1 << (power % 8);
    ChainAmount::from_be_bytes(bytes)
}

#[test]
fn amounts_read_as_decimals_at_every_width() {
    let known = [
        (power_of_two(0), "1"),
        (power_of_two(64), "18446744073709551616"),
        (power_of_two(127), "170141183460469231731687303715884105728"),
        (power_of_two(128), "340282366920938463463374607431768211456"),
        (
            power_of_two(200),
            "1606938044258990275541962092341162602522202993782792835301376",
        ),
        (
            ChainAmount::from_be_bytes([0xff; 32]),
            "115792089237316195423570985008687907853269984665640564039457584007913129639935",
        ),
    ];
    for (amount, text) in known {
        assert_eq!(amount.to_string(), text);
    }
    assert_eq!(ChainAmount::from(0).to_string(), "0");
}

#[test]
fn what_does_not_fit_is_not_cut_off() {
    assert_eq!(power_of_two(127).to_u128(), Some(1 << 127));
    assert_eq!(ChainAmount::from(u128::MAX).to_u128(), Some(u128::MAX));
    assert_eq!(power_of_two(128).to_u128(), None);
    assert_eq!(ChainAmount::from_be_bytes([0xff; 32]).to_u128(), None);
}

#[test]
fn order_and_zero_are_those_of_numbers() {
    assert!(ChainAmount::from(0).is_zero());
    assert!(!power_of_two(255).is_zero());
    assert!(power_of_two(128) > ChainAmount::from(u128::MAX));
    assert!(ChainAmount::from(255) < ChainAmount::from(256));
}

proptest::proptest! {
    #[test]
    fn the_long_way_to_decimals_agrees_with_the_short_one(high in 1_u128.., low: u128) {
        let mut bytes = [0; 32];
        bytes[..16].copy_from_slice(&high.to_be_bytes());
        bytes[16..].copy_from_slice(&low.to_be_bytes());
        // Digit by digit back to bytes, by the schoolbook.
        let mut back = [0_u8; 32];
        for digit in ChainAmount::from_be_bytes(bytes).to_string().bytes() {
            let mut carry = u16::from(digit - b'0');
            for byte in back.iter_mut().rev() {
                let value = u16::from(*byte) * 10 + carry;
                *byte = value.to_be_bytes()[1];
                carry = value >> 8;
            }
            proptest::prop_assert_eq!(carry, 0);
        }
        proptest::prop_assert_eq!(back, bytes);
    }
}
