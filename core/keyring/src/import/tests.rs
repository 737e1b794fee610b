//! From what the API seals to a private key, and everything that must not open.

use kernel::{IdGen, SeededIds};
use proptest::prelude::*;
use vault::{SealError, seal};

use super::*;

/// The known accounts of the all-zero entropy, from three independent implementations.
const WORDS: &str = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about";
const KEY_0: &str = "b5a4cea271ff424d7c31dc12a3e43e401df7a40d7412a15750f3f0b6b5449a28";
const ADDRESS_0: &str = "TUEZSdKsoDHQMeZwihtdoBiN46zxhGWYdH";
const ADDRESS_9: &str = "TCukLhQtEGXSSq3b43TQJp3QuhTieUqhfb";

fn wallet(seed: u64) -> WalletId {
    WalletId(SeededIds::new(seed).uuid())
}

fn there_and_back(secret: &ImportSecret) -> ImportSecret {
    let (private, public) = generate_import_keypair().unwrap();
    let sealed = seal(&public, wallet(0), secret).unwrap();
    open_import(&private, wallet(0), sealed.as_bytes()).unwrap()
}

#[test]
fn hex_and_words_resolve_to_the_known_accounts() {
    let hex = ImportSecret::from_private_key_hex(KEY_0).unwrap();
    let first = ImportSecret::from_mnemonic(WORDS, None, 0).unwrap();
    let tenth = ImportSecret::from_mnemonic(WORDS, None, 9).unwrap();
    for (secret, address) in [(hex, ADDRESS_0), (first, ADDRESS_0), (tenth, ADDRESS_9)] {
        assert_eq!(resolve(there_and_back(&secret)).unwrap().address().to_string(), address);
    }
    let with_passphrase = ImportSecret::from_mnemonic(WORDS, Some("TREZOR"), 0).unwrap();
    assert_ne!(
        resolve(there_and_back(&with_passphrase)).unwrap().address().to_string(),
        ADDRESS_0
    );
}

#[test]
fn secrets_of_the_right_shape_may_still_be_none() {
    let order = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";
    for text in ["0".repeat(64), order.to_owned(), "f".repeat(64)] {
        let secret = ImportSecret::from_private_key_hex(&text).unwrap();
        assert!(matches!(resolve(secret), Err(KeyringError::Key(_))), "{text}");
    }
    for phrase in [["abandon"; 12].join(" "), ["nonsense"; 12].join(" ")] {
        let secret = ImportSecret::from_mnemonic(&phrase, None, 0).unwrap();
        let error = resolve(secret).unwrap_err();
        assert!(matches!(error, KeyringError::Key(_)), "{phrase}");
        assert!(!format!("{error} {error:?}").contains(&phrase[..7]));
    }
}

#[test]
fn a_seal_opens_for_its_wallet_and_key_only() {
    let (private, public) = generate_import_keypair().unwrap();
    let (stranger, _) = generate_import_keypair().unwrap();
    let secret = ImportSecret::from_private_key_hex(KEY_0).unwrap();
    let sealed = seal(&public, wallet(0), &secret).unwrap();
    assert!(matches!(
        open_import(&private, wallet(1), sealed.as_bytes()),
        Err(KeyringError::ImportRefused)
    ));
    assert!(matches!(
        open_import(&stranger, wallet(0), sealed.as_bytes()),
        Err(KeyringError::ImportRefused)
    ));
    assert_eq!(open_import(&private, wallet(0), sealed.as_bytes()).unwrap(), secret);
}

#[test]
fn altered_seals_and_other_versions_are_refused() {
    let (private, public) = generate_import_keypair().unwrap();
    let secret = ImportSecret::from_private_key_hex(KEY_0).unwrap();
    let good = seal(&public, wallet(0), &secret).unwrap();
    // X25519 ignores the last bit of the encapsulated key, HPKE's key schedule does not.
    for bit in 8..good.as_bytes().len() * 8 {
        let mut bytes = good.as_bytes().to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert!(
            matches!(
                open_import(&private, wallet(0), &bytes),
                Err(KeyringError::ImportRefused)
            ),
            "bit {bit}"
        );
    }
    let mut version = good.as_bytes().to_vec();
    version[0] = 2;
    let refused = open_import(&private, wallet(0), &version);
    assert!(matches!(refused, Err(KeyringError::Sealed(SealError::Version(2)))));
    let short = open_import(&private, wallet(0), &good.as_bytes()[..40]);
    assert!(matches!(short, Err(KeyringError::Sealed(SealError::Length))));
    let low_order = [&[1][..], &[0; 32], good.ciphertext(), good.tag()].concat();
    assert!(matches!(
        open_import(&private, wallet(0), &low_order),
        Err(KeyringError::ImportRefused)
    ));
}

#[test]
fn a_seal_for_another_purpose_or_with_other_contents_is_refused() {
    let (private, public) = generate_import_keypair().unwrap();
    let hpke_public = <Kem as hpke::Kem>::PublicKey::from_bytes(&public.to_bytes()).unwrap();
    let sealed = |info: &[u8], plain: &[u8]| {
        let aad = associated_data(wallet(0));
        let (key, body) =
            hpke::single_shot_seal::<Aead, Kdf, Kem>(&hpke::OpModeS::Base, &hpke_public, info, plain, &aad).unwrap();
        [&[1][..], &key.to_bytes(), &body].concat()
    };
    let plain = [&[1][..], &[7; 32]].concat();
    assert!(open_import(&private, wallet(0), &sealed(INFO, &plain)).is_ok());
    let other_purpose = open_import(&private, wallet(0), &sealed(b"switchyard/other/v1", &plain));
    assert!(matches!(other_purpose, Err(KeyringError::ImportRefused)));
    let no_secret = open_import(&private, wallet(0), &sealed(INFO, b"hello"));
    assert!(matches!(no_secret, Err(KeyringError::Secret(_))));
}

/// RFC 7748, section 6.1: Alice's key pair.
#[test]
fn the_import_key_has_a_text_form_and_the_known_public_key() {
    let digits = "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a";
    let key: ImportPrivateKey = format!("{digits}\n").parse().unwrap();
    let public = "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a";
    assert_eq!(key.public_key().unwrap().to_string(), public);
    let again: ImportPrivateKey = key.expose_hex().parse().unwrap();
    assert_eq!(again.public_key().unwrap(), key.public_key().unwrap());
    for text in ["", &digits[2..], &format!("{digits}00"), &digits.replace('7', "x")] {
        assert!(
            matches!(text.parse::<ImportPrivateKey>(), Err(KeyringError::Malformed(_))),
            "{text:?}"
        );
    }
}

#[test]
fn debug_shows_nothing_of_the_import_key() {
    let (private, _) = generate_import_keypair().unwrap();
    assert_eq!(format!("{private:?}"), "ImportPrivateKey(redacted)");
    let error = "77076d0axyz".parse::<ImportPrivateKey>().unwrap_err();
    assert!(!format!("{error} {error:?}").contains("7707"));
}

proptest! {
    #[test]
    fn what_was_sealed_opens(bytes in any::<[u8; 32]>(), pass in ".{0,40}", index in 0..1_u32 << 31) {
        let secrets = [
            ImportSecret::from_private_key_hex(&hex::encode(bytes)).unwrap(),
            ImportSecret::from_mnemonic(WORDS, Some(&pass), index).unwrap(),
        ];
        for secret in secrets {
            prop_assert!(there_and_back(&secret) == secret);
        }
    }

    #[test]
    fn any_bytes_are_refused_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let (private, _) = generate_import_keypair().unwrap();
        prop_assert!(open_import(&private, wallet(0), &bytes).is_err());
    }
}

#[test]
fn a_webhook_secret_opens_for_its_row_and_as_nothing_else() {
    let (private, public) = generate_import_keypair().unwrap();
    let (stranger, _) = generate_import_keypair().unwrap();
    let (row, other) = (wallet(0), wallet(1));
    let sealed = vault::seal_webhook_secret(&public, row.0.as_bytes(), &[7; 32]).unwrap();
    let open = |key, row: WalletId| open_webhook_secret(key, row.0.as_bytes(), sealed.as_bytes());
    assert_eq!(open(&private, row).unwrap().as_slice(), [7; 32]);
    for refused in [open(&private, other), open(&stranger, row)] {
        assert!(matches!(refused, Err(KeyringError::ImportRefused)));
    }
    // neither kind of seal passes for the other
    let as_key = open_import(&private, row, sealed.as_bytes());
    assert!(matches!(as_key, Err(KeyringError::ImportRefused)));
    let secret = ImportSecret::from_private_key_hex(KEY_0).unwrap();
    let key = seal(&public, row, &secret).unwrap();
    let as_secret = open_webhook_secret(&private, row.0.as_bytes(), key.as_bytes());
    assert!(matches!(as_secret, Err(KeyringError::ImportRefused)));
}
