//! The form of a seal. That it opens for the right wallet only is tested in `keyring`, which can open.

use kernel::{IdGen, SeededIds};

use super::*;

const KEY: &str = "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a";

fn sealed(secret: &ImportSecret) -> SealedImport {
    seal(&KEY.parse().unwrap(), WalletId(SeededIds::new(0).uuid()), secret).unwrap()
}

#[test]
fn the_form_is_version_encapsulated_key_ciphertext_and_tag() {
    let secret = ImportSecret::from_private_key_hex(&"5a".repeat(32)).unwrap();
    let sealed = sealed(&secret);
    assert_eq!(sealed.as_bytes()[0], 1);
    assert_eq!(sealed.as_bytes().len(), 1 + 32 + secret.encode().len() + 16);
    let parts = [&[1][..], sealed.encapsulated_key(), sealed.ciphertext(), sealed.tag()].concat();
    assert_eq!(parts, sealed.as_bytes());
    assert_eq!(SealedImport::from_bytes(&parts).unwrap(), sealed);
}

#[test]
fn nothing_of_the_secret_shows_and_no_two_seals_are_alike() {
    let secret = ImportSecret::from_private_key_hex(&"5a".repeat(32)).unwrap();
    let (one, two) = (sealed(&secret), sealed(&secret));
    assert_ne!(one.encapsulated_key(), two.encapsulated_key());
    assert_ne!(one.ciphertext(), two.ciphertext());
    assert!(!one.as_bytes().windows(4).any(|window| window == [0x5a; 4]));
    assert_eq!(
        format!("{one:?}"),
        format!("SealedImport({} bytes)", one.as_bytes().len())
    );
}

#[test]
fn the_longest_secret_fits() {
    let phrase = vec!["e\u{301}".repeat(6); 24].join(" ");
    let secret = ImportSecret::from_mnemonic(&phrase, Some(&"p".repeat(256)), (1 << 31) - 1).unwrap();
    assert!(sealed(&secret).as_bytes().len() <= MAX_SEALED_LEN);
}

#[test]
fn unknown_versions_and_wrong_lengths_are_refused() {
    let good = sealed(&ImportSecret::from_private_key_hex(&"5a".repeat(32)).unwrap());
    for version in [0, 2, 255] {
        let mut bytes = good.as_bytes().to_vec();
        bytes[0] = version;
        assert_eq!(SealedImport::from_bytes(&bytes), Err(SealError::Version(version)));
    }
    for length in [0, 1, 33, 49, MAX_SEALED_LEN + 1] {
        assert_eq!(
            SealedImport::from_bytes(&vec![1; length]),
            Err(SealError::Length),
            "{length}"
        );
    }
    for length in [50, MAX_SEALED_LEN] {
        assert!(SealedImport::from_bytes(&vec![1; length]).is_ok(), "{length}");
    }
}

#[test]
fn a_webhook_secret_is_sealed_in_the_same_form() {
    let id = SeededIds::new(0).uuid();
    let sealed = seal_webhook_secret(&KEY.parse().unwrap(), id.as_bytes(), &[0x5a; 32]).unwrap();
    assert_eq!(sealed.as_bytes().len(), 1 + 32 + 32 + 16);
    assert!(!sealed.as_bytes().windows(4).any(|window| window == [0x5a; 4]));
    assert_eq!(SealedImport::from_bytes(sealed.as_bytes()).unwrap(), sealed);
}
