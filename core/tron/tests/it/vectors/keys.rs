//! Keys and phrases.

use tron::{Mnemonic, PrivateKey, WordCount, recover_address};

use super::{cases, text};

#[test]
fn keys_control_their_addresses() {
    for case in cases("keys.json") {
        let key = PrivateKey::from_hex(text(&case, "private_key")).unwrap();
        assert_eq!(key.address().to_hex(), text(&case, "address_hex"));
        assert_eq!(key.address().to_string(), text(&case, "address_base58"));
        assert_eq!(hex::encode(key.address().evm20()), text(&case, "address_evm20"));
        assert_eq!(hex::encode(key.expose_bytes()), text(&case, "private_key"));
    }
}

#[test]
fn phrases_lead_to_their_accounts() {
    for case in cases("bip39_bip44.json") {
        let (phrase, passphrase) = (text(&case, "mnemonic"), text(&case, "passphrase"));
        let mnemonic = Mnemonic::parse(phrase).unwrap();
        assert_eq!(
            hex::encode(*mnemonic.seed(passphrase).unwrap()),
            text(&case, "seed_hex")
        );
        for account in case["accounts"].as_array().unwrap() {
            let index = u32::try_from(account["index"].as_u64().unwrap()).unwrap();
            let key = mnemonic.private_key(passphrase, index).unwrap();
            assert_eq!(hex::encode(key.expose_bytes()), text(account, "private_key"));
            assert_eq!(key.address().to_string(), text(account, "address_base58"));
        }
    }
}

#[test]
fn a_wrong_phrase_is_refused() {
    let good = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about";
    assert!(Mnemonic::parse(good).is_ok());
    for bad in [
        "",
        "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon",
        "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about",
        "abandom abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about",
    ] {
        assert!(Mnemonic::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn a_fresh_phrase_has_its_length_and_is_not_the_last_one() {
    for (count, words) in [(WordCount::Twelve, 12), (WordCount::TwentyFour, 24)] {
        let one = Mnemonic::generate(count).unwrap();
        assert_eq!(one.expose_phrase().split(' ').count(), words);
        assert!(Mnemonic::parse(one.expose_phrase()).is_ok());
        assert_ne!(one.expose_phrase(), Mnemonic::generate(count).unwrap().expose_phrase());
    }
}

#[test]
fn a_wrong_key_is_refused() {
    let order = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";
    for bad in [
        "",
        "00",
        &"0".repeat(64),
        &"g".repeat(64),
        order,
        &"f".repeat(64),
        &"1".repeat(66),
    ] {
        assert!(PrivateKey::from_hex(bad).is_err(), "{bad}");
    }
    assert!(PrivateKey::from_bytes(&[1; 31]).is_err());
    assert!(PrivateKey::from_bytes(&[1; 33]).is_err());
}

#[test]
fn nothing_secret_is_shown() {
    let phrase = "legal winner thank year wave sausage worth useful legal winner thank yellow";
    let mnemonic = Mnemonic::parse(phrase).unwrap();
    let key = mnemonic.private_key("", 0).unwrap();
    let shown = format!(
        "{mnemonic:?} {key:?} {:?}",
        PrivateKey::from_hex(&format!("{}z", "1".repeat(63)))
    );
    assert!(!shown.contains("legal"));
    assert!(!shown.contains(&hex::encode(key.expose_bytes())));
    assert!(!shown.contains("1111"));
    assert!(shown.contains("[redacted]"));
}

#[test]
fn a_wrong_signature_is_refused() {
    let key = PrivateKey::generate().unwrap();
    let good = key.sign(&[7; 32]);
    assert_eq!(recover_address(&[7; 32], &good).unwrap(), key.address());
    assert_ne!(recover_address(&[8; 32], &good).ok(), Some(key.address()));
    assert!(recover_address(&[7; 32], &good[..64]).is_err());
    assert!(recover_address(&[7; 32], &[good.as_slice(), &[0]].concat()).is_err());
    assert!(recover_address(&[7; 32], &[0; 65]).is_err());
    for v in [2, 26, 29, 255] {
        let mut bad = good;
        bad[64] = v;
        assert!(recover_address(&[7; 32], &bad).is_err(), "{v}");
    }
}
