//! The addresses that other wallets derive from the same words.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::str::FromStr;

use bip32::{DerivationPath, Prefix, XPrv};
use serde_json::Value;
use switchyard_hd::{AccountKey, HdError};

/// The account of a seed, as a wallet exports it, beside the text of its private key.
fn account(seed_hex: &str, path: &str) -> (String, String) {
    let seed = hex::decode(seed_hex).unwrap();
    let key = XPrv::derive_from_path(&seed, &DerivationPath::from_str(path).unwrap()).unwrap();
    (
        key.public_key().to_string(Prefix::XPUB),
        key.to_string(Prefix::XPRV).to_string(),
    )
}

fn cases() -> Vec<Value> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../tron/tests/vectors/bip39_bip44.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn an_account_has_the_addresses_that_its_words_have() {
    let mut checked = 0;
    for case in cases() {
        let (xpub, _) = account(case["seed_hex"].as_str().unwrap(), "m/44'/195'/0'");
        let key: AccountKey = xpub.parse().unwrap();
        for known in case["accounts"].as_array().unwrap() {
            let path = known["path"].as_str().unwrap();
            let Some(place) = path.strip_prefix("m/44'/195'/0'/0/") else {
                continue;
            };
            let address = key.tron_address(place.parse().unwrap()).unwrap();
            assert_eq!(address, known["address_base58"].as_str().unwrap(), "{path}");
            checked += 1;
        }
    }
    assert!(checked >= 10, "only {checked} addresses were compared");
}

#[test]
fn only_the_public_key_of_an_account_is_taken() {
    let seed = cases()[0]["seed_hex"].as_str().unwrap().to_owned();
    let (xpub, xprv) = account(&seed, "m/44'/195'/0'");
    let master = account(&seed, "m/44'").0;
    let deeper = account(&seed, "m/44'/195'/0'/0").0;
    let mut typo = xpub.clone();
    let last = if typo.pop() == Some('1') { '2' } else { '1' };
    typo.push(last);
    for bad in [xprv.as_str(), &master, &deeper, &typo, "", "xpub"] {
        assert_eq!(bad.parse::<AccountKey>().unwrap_err(), HdError::NotAnAccount);
    }
    let key: AccountKey = xpub.parse().unwrap();
    assert_eq!(key.tron_address(1 << 31), Err(HdError::NoSuchPlace));
    assert!(!format!("{key:?}").contains("xpub"));
    assert_eq!(key.fingerprint().len(), 8);
}
