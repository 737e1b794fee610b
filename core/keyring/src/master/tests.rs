//! Sources, derivations and check values of master keys.

use super::*;

/// A master key of 32 equal bytes.
pub(crate) fn master(id: i32, byte: u8) -> MasterKey {
    MasterKey::new(id, &raw(&hex::encode([byte; 32])), &Derivation::Raw).unwrap()
}

fn raw(text: &str) -> MasterKeySource {
    MasterKeySource::Raw(Zeroizing::new(text.to_owned()))
}

fn passphrase(text: &str) -> MasterKeySource {
    MasterKeySource::Passphrase(Zeroizing::new(text.to_owned()))
}

fn pbkdf2(salt: &[u8], iterations: u32) -> Result<Derivation, KeyringError> {
    Pbkdf2::new(salt.to_vec(), iterations).map(Derivation::Pbkdf2)
}

#[test]
fn a_raw_key_is_64_hex_digits_with_white_space_around() {
    let digits = "0123456789abcdef".repeat(4);
    let key = MasterKey::new(1, &raw(&format!("{digits}\n")), &Derivation::Raw).unwrap();
    assert_eq!(hex::encode(key.bytes()), digits);
    for text in [
        "",
        &digits[2..],
        &format!("{digits}00"),
        &digits.replace('a', "x"),
        &format!("0x{digits}"),
    ] {
        let refused = MasterKey::new(1, &raw(text), &Derivation::Raw);
        assert!(matches!(refused, Err(KeyringError::Malformed(_))), "{text:?}");
    }
    let zeros = MasterKey::new(1, &raw(&"0".repeat(64)), &Derivation::Raw);
    assert!(matches!(zeros, Err(KeyringError::Malformed(_))));
}

#[test]
fn source_and_derivation_must_be_of_a_kind() {
    let derived = pbkdf2(&[1; 16], MIN_ITERATIONS).unwrap();
    let digits = "ab".repeat(32);
    assert!(matches!(
        MasterKey::new(1, &raw(&digits), &derived),
        Err(KeyringError::Malformed(_))
    ));
    assert!(matches!(
        MasterKey::new(1, &passphrase(&digits), &Derivation::Raw),
        Err(KeyringError::Malformed(_))
    ));
}

/// The long inputs of RFC 6070 under SHA-256. So few iterations are refused outside, so that the inner function is asked;
/// a vector through the public constructor is among the golden ones.
#[test]
fn pbkdf2_gives_the_known_vector() {
    let salt = b"saltSALTsaltSALTsaltSALTsaltSALTsalt";
    let key = derive("passwordPASSWORDpassword", salt, NonZeroU32::new(4096).unwrap()).unwrap();
    assert_eq!(
        hex::encode(*key),
        "348c89dbcbd32b2f32d814b8116e84cf2b17347ebc1800181c4e2a1fb8dd53e1"
    );
}

#[test]
fn a_passphrase_makes_the_same_key_again_and_another_one_another() {
    let derivation = pbkdf2(&[3; 16], MIN_ITERATIONS).unwrap();
    let key = MasterKey::new(1, &passphrase("correct horse battery"), &derivation).unwrap();
    let check = key.check_value().unwrap();
    let again = MasterKey::new(1, &passphrase("correct horse battery"), &derivation).unwrap();
    assert!(again.verify(&check).is_ok());
    let mistyped = MasterKey::new(1, &passphrase("correct horse batterz"), &derivation).unwrap();
    assert!(matches!(mistyped.verify(&check), Err(KeyringError::WrongMasterKey)));
    let other_salt = pbkdf2(&[4; 16], MIN_ITERATIONS).unwrap();
    let salted = MasterKey::new(1, &passphrase("correct horse battery"), &other_salt).unwrap();
    assert!(matches!(salted.verify(&check), Err(KeyringError::WrongMasterKey)));
    for text in [String::new(), "x".repeat(11), "x".repeat(1025)] {
        let refused = MasterKey::new(1, &passphrase(&text), &derivation);
        assert!(matches!(refused, Err(KeyringError::Derivation(_))), "{}", text.len());
    }
}

#[test]
fn weak_derivations_are_refused() {
    let weak = [
        (15, MIN_ITERATIONS),
        (0, MIN_ITERATIONS),
        (65, MIN_ITERATIONS),
        (16, 599_999),
        (16, 0),
        (16, u32::MAX),
    ];
    for (salt_len, iterations) in weak {
        let refused = pbkdf2(&vec![1; salt_len], iterations);
        assert!(
            matches!(refused, Err(KeyringError::Derivation(_))),
            "{salt_len} {iterations}"
        );
        let json = format!(
            r#"{{"kind":"pbkdf2","salt":"{}","iterations":{iterations}}}"#,
            "01".repeat(salt_len)
        );
        assert!(serde_json::from_str::<Derivation>(&json).is_err(), "{json}");
    }
}

#[test]
fn derivations_have_their_documented_json() {
    let text = r#"{"kind":"pbkdf2","salt":"000102030405060708090a0b0c0d0e0f","iterations":600000}"#;
    let derivation: Derivation = serde_json::from_str(text).unwrap();
    assert_eq!(serde_json::to_string(&derivation).unwrap(), text);
    assert_eq!(
        serde_json::from_str::<Derivation>(r#"{"kind":"raw"}"#).unwrap(),
        Derivation::Raw
    );
    assert_eq!(serde_json::to_string(&Derivation::Raw).unwrap(), r#"{"kind":"raw"}"#);
    for text in [
        r#"{"kind":"scrypt"}"#,
        r#"{"kind":"pbkdf2"}"#,
        "{}",
        r#"{"kind":"pbkdf2","salt":"zz","iterations":600000}"#,
    ] {
        assert!(serde_json::from_str::<Derivation>(text).is_err(), "{text}");
    }
    let (one, two) = (Derivation::new_pbkdf2().unwrap(), Derivation::new_pbkdf2().unwrap());
    assert_ne!(one, two, "the salt is fresh");
}

#[test]
fn a_check_value_knows_its_key_and_number() {
    let key = master(1, 7);
    let check = key.check_value().unwrap();
    assert!(key.verify(&check).is_ok());
    assert_ne!(check, key.check_value().unwrap());
    for other in [master(1, 8), master(2, 7)] {
        assert!(matches!(other.verify(&check), Err(KeyringError::WrongMasterKey)));
    }
    let mut altered = check.clone();
    altered[20] ^= 1;
    for bytes in [&altered[..], &check[..59], &[], &[0; 4096]] {
        assert!(matches!(key.verify(bytes), Err(KeyringError::WrongMasterKey)));
    }
}

#[test]
fn debug_shows_nothing() {
    let digits = "0123456789abcdef".repeat(4);
    let key = MasterKey::new(5, &raw(&digits), &Derivation::Raw).unwrap();
    assert_eq!(format!("{key:?}"), "MasterKey(number 5, redacted)");
    let shown = format!("{:?} {:?}", raw(&digits), passphrase("correct horse battery"));
    assert!(!shown.contains("0123") && !shown.contains("horse"), "{shown}");
    let error = MasterKey::new(1, &raw("0123456789xyz"), &Derivation::Raw).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("0123"));
}
