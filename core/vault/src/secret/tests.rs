//! Shapes accepted and refused, the encoding, and that nothing leaks into texts.

use proptest::prelude::*;

use super::*;

const KEY: &str = "b5a4cea271ff424d7c31dc12a3e43e401df7a40d7412a15750f3f0b6b5449a28";

fn words(count: usize) -> String {
    vec!["abandon"; count].join(" ")
}

#[test]
fn private_keys_are_64_hex_digits() {
    let key = ImportSecret::from_private_key_hex(KEY).unwrap();
    assert_eq!(
        ImportSecret::from_private_key_hex(&format!("0x{}", KEY.to_uppercase())),
        Ok(key.clone())
    );
    assert!(matches!(key, ImportSecret::PrivateKey(bytes) if hex::encode(*bytes) == KEY));
    let (short, long, spaced) = (&KEY[2..], format!("{KEY}00"), format!(" {KEY}"));
    let not_hex = KEY.replace('b', "g");
    for text in [
        "",
        "0x",
        short,
        &KEY[1..],
        &long,
        &spaced,
        &not_hex,
        &format!("0X{KEY}"),
        &format!("0x0x{KEY}"),
    ] {
        assert_eq!(
            ImportSecret::from_private_key_hex(text),
            Err(SecretError::PrivateKey),
            "{text:?}"
        );
    }
}

#[test]
fn only_the_word_counts_of_bip39_pass() {
    for count in 0..=30 {
        let result = ImportSecret::from_mnemonic(&words(count), None, 0);
        assert_eq!(result.is_ok(), [12, 15, 18, 21, 24].contains(&count), "{count}");
        assert!(result.is_ok() || result == Err(SecretError::WordCount));
    }
}

#[test]
fn white_space_between_words_does_not_matter_but_a_passphrase_is_kept() {
    let untidy = format!("  {}\n", words(12).replacen(' ', "\t \n", 3));
    let ImportSecret::Mnemonic(mnemonic) = ImportSecret::from_mnemonic(&untidy, Some(" p "), 7).unwrap() else {
        panic!("not a mnemonic");
    };
    assert_eq!(
        (mnemonic.phrase(), mnemonic.passphrase(), mnemonic.index()),
        (words(12).as_str(), " p ", 7)
    );
}

#[test]
fn lengths_and_index_are_bounded() {
    let long = "x".repeat(600);
    assert_eq!(
        ImportSecret::from_mnemonic(&long, None, 0),
        Err(SecretError::PhraseLength)
    );
    assert_eq!(
        ImportSecret::from_mnemonic(&words(12), Some(&long[..257]), 0),
        Err(SecretError::PassphraseLength)
    );
    assert!(ImportSecret::from_mnemonic(&words(12), Some(&long[..256]), 0).is_ok());
    assert_eq!(
        ImportSecret::from_mnemonic(&words(12), None, 1 << 31),
        Err(SecretError::Index)
    );
    assert!(ImportSecret::from_mnemonic(&words(12), None, (1 << 31) - 1).is_ok());
}

#[test]
fn debug_and_errors_show_nothing_of_the_secret() {
    let key = ImportSecret::from_private_key_hex(KEY).unwrap();
    let phrase = ImportSecret::from_mnemonic(&words(12), Some("hush"), 3).unwrap();
    let ImportSecret::Mnemonic(inner) = &phrase else {
        panic!("not a mnemonic")
    };
    let shown = format!("{key:?} {key:#?} {phrase:?} {phrase:#?} {inner:?}").to_lowercase();
    assert!(shown.contains("redacted"));
    for piece in [&KEY[..4], &KEY[60..], "abandon", "hush", "181", "0xb5"] {
        assert!(!shown.contains(piece), "{piece} in {shown}");
    }
    let wrong = KEY.replace('b', "g");
    let error = ImportSecret::from_private_key_hex(&wrong).unwrap_err();
    let told = format!("{error} {error:?}");
    assert!(
        (0..wrong.len() - 3).all(|at| !told.contains(&wrong[at..at + 4])),
        "{told}"
    );
}

#[test]
fn other_layouts_are_refused() {
    let key = ImportSecret::from_private_key_hex(KEY).unwrap().encode();
    let mnemonic = ImportSecret::from_mnemonic(&words(12), None, 0).unwrap().encode();
    let mut unknown = key.clone();
    unknown[0] = 3;
    let longer = Zeroizing::new([key.as_slice(), &[0]].concat());
    let shorter = Zeroizing::new(key[..32].to_vec());
    let cut = Zeroizing::new(mnemonic[..60].to_vec());
    let mut not_text = mnemonic.clone();
    not_text[10] = 0xff;
    for bytes in [
        Zeroizing::new(Vec::new()),
        unknown,
        longer,
        shorter,
        cut,
        not_text,
        Zeroizing::new(vec![2, 0, 0]),
    ] {
        assert_eq!(ImportSecret::decode(bytes), Err(SecretError::Encoding));
    }
}

proptest! {
    #[test]
    fn encoding_round_trips(
        key in any::<[u8; 32]>(), word in "\\w{1,20}", pass in ".{0,60}", index in 0..INDEX_END, size in 0..5_usize,
    ) {
        let phrase = vec![word.as_str(); WORD_COUNTS[size]].join(" ");
        let secrets = [
            Ok(ImportSecret::PrivateKey(Zeroizing::new(key))),
            ImportSecret::from_mnemonic(&phrase, Some(&pass), index),
        ];
        for secret in secrets.into_iter().flatten() {
            let bytes = secret.encode();
            // Never grown: a buffer that moved would have left a clear copy behind.
            prop_assert_eq!(bytes.len(), bytes.capacity());
            prop_assert_eq!(ImportSecret::decode(bytes), Ok(secret));
        }
    }

    #[test]
    fn any_bytes_are_decoded_or_refused_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(secret) = ImportSecret::decode(Zeroizing::new(bytes)) {
            prop_assert!(ImportSecret::decode(secret.encode()) == Ok(secret));
        }
    }
}
