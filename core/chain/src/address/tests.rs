//! What must not be taken for an address. The golden vectors are tested where TRON's other vectors are.

use super::*;

const USDT: &str = "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t";
const USDT_HEX: &str = "41a614f803b6fd780986a42c78ec9c7f77e6ded13c";

#[test]
fn the_three_forms_are_one_address() {
    let address: TronAddress = USDT.parse().unwrap();
    assert_eq!(address.to_hex(), USDT_HEX);
    assert_eq!(TronAddress::from_hex(USDT_HEX).unwrap(), address);
    assert_eq!(TronAddress::from_bytes(address.as_bytes()).unwrap(), address);
    assert_eq!(TronAddress::from_evm20(address.evm20()).to_string(), USDT);
    assert_eq!(format!("{address:?}"), USDT);
}

#[test]
fn input_is_never_corrected() {
    for text in [
        "",
        "T",
        &format!(" {USDT}"),
        &format!("{USDT}\n"),
        &format!("\u{feff}{USDT}"),
        &USDT.replacen('T', "\u{0422}", 1),
        &USDT.to_lowercase(),
        USDT_HEX,
        "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6T",
        &"1".repeat(34),
        &"T".repeat(1_000_000),
    ] {
        assert_eq!(text.parse::<TronAddress>(), Err(AddressError::Malformed), "{text:.50}");
    }
    for text in [
        "",
        "41",
        &USDT_HEX[2..],
        &format!("0x{USDT_HEX}"),
        &format!("{USDT_HEX}00"),
        &USDT_HEX.replacen('1', "2", 1),
    ] {
        assert_eq!(TronAddress::from_hex(text), Err(AddressError::MalformedHex), "{text}");
    }
}

#[test]
fn json_carries_base58_and_nothing_else() {
    let address: TronAddress = USDT.parse().unwrap();
    let json = serde_json::to_string(&address).unwrap();
    assert_eq!(json, format!("\"{USDT}\""));
    assert_eq!(serde_json::from_str::<TronAddress>(&json).unwrap(), address);
    assert!(serde_json::from_str::<TronAddress>(&format!("\"{USDT_HEX}\"")).is_err());
    assert!(serde_json::from_str::<TronAddress>("5").is_err());
}

proptest::proptest! {
    #[test]
    fn every_address_survives_its_texts(bytes: [u8; 20]) {
        let address = TronAddress::from_evm20(bytes);
        proptest::prop_assert_eq!(address.to_string().parse(), Ok(address));
        proptest::prop_assert_eq!(TronAddress::from_hex(&address.to_hex()), Ok(address));
        proptest::prop_assert_eq!(address.to_string().len(), 34);
    }

    #[test]
    fn one_changed_character_is_noticed(bytes: [u8; 20], at in 0_usize..34, by in 1_u8..94) {
        let good = TronAddress::from_evm20(bytes).to_string();
        let mut bad = good.clone().into_bytes();
        bad[at] = b'!' + (bad[at] - b'!' + by) % 94;
        let bad = String::from_utf8(bad).unwrap();
        proptest::prop_assert!(bad == good || bad.parse::<TronAddress>().is_err());
    }
}
