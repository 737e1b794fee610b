//! Round trips, and that nothing opens which was altered, moved or is under another key.

use std::mem;

use kernel::{IdGen, SeededIds};
use proptest::prelude::*;

use super::*;
use crate::master::tests::master;

fn owner_of(key: &PrivateKey, seed: u64) -> KeyOwner {
    KeyOwner::of_account(WalletId(SeededIds::new(seed).uuid()), key.address())
}

/// A key, its owner and its wrapping under `master`.
fn wrapped(master: &MasterKey, seed: u64) -> (PrivateKey, KeyOwner, WrappedKey) {
    let key = PrivateKey::generate().unwrap();
    let owner = owner_of(&key, seed);
    let wrapped = WrappedKey::wrap(master, &owner, &key).unwrap();
    (key, owner, wrapped)
}

fn refused_as_tampered(wrapped: &WrappedKey, master: &MasterKey, owner: &KeyOwner) -> bool {
    matches!(wrapped.open(master, owner), Err(KeyringError::Tampered))
}

#[test]
fn every_flipped_bit_is_noticed() {
    let master = master(1, 7);
    let (_, owner, good) = wrapped(&master, 0);
    for bit in 0..60 * 8 {
        let mut in_data_key = good.clone();
        in_data_key.wrapped_data_key[bit / 8] ^= 1 << (bit % 8);
        assert!(
            refused_as_tampered(&in_data_key, &master, &owner),
            "data key, bit {bit}"
        );
        let mut in_key = good.clone();
        in_key.ciphertext[bit / 8] ^= 1 << (bit % 8);
        assert!(refused_as_tampered(&in_key, &master, &owner), "key, bit {bit}");
    }
    assert!(good.open(&master, &owner).is_ok());
}

#[test]
fn nothing_can_be_moved_between_wallets() {
    let master = master(1, 7);
    let (_, owner, good) = wrapped(&master, 0);
    let (_, other_owner, other) = wrapped(&master, 1);
    let mut swapped = (good.clone(), other.clone());
    mem::swap(&mut swapped.0.ciphertext, &mut swapped.1.ciphertext);
    assert!(refused_as_tampered(&swapped.0, &master, &owner));
    assert!(refused_as_tampered(&swapped.1, &master, &other_owner));
    mem::swap(&mut swapped.0.wrapped_data_key, &mut swapped.1.wrapped_data_key);
    assert!(
        refused_as_tampered(&swapped.0, &master, &owner),
        "a whole row of another wallet"
    );
    let data_key_of_other = WrappedKey {
        wrapped_data_key: other.wrapped_data_key,
        ..good.clone()
    };
    assert!(refused_as_tampered(&data_key_of_other, &master, &owner));
    let other_id = KeyOwner {
        wallet_id: other_owner.wallet_id,
        ..owner
    };
    let other_address = KeyOwner {
        address: other_owner.address,
        ..owner
    };
    assert!(refused_as_tampered(&good, &master, &other_id));
    assert!(refused_as_tampered(&good, &master, &other_address));
    // The key itself is bound too, not only the data key: with the data key wrapped for the other wallet it stays shut.
    let data_key = good.open_data_key(&master, &owner).unwrap();
    for owner in [other_id, other_address] {
        let wrapped_data_key = wrap_data_key(&master, &owner, &data_key).unwrap();
        assert!(refused_as_tampered(
            &WrappedKey {
                wrapped_data_key,
                ..good.clone()
            },
            &master,
            &owner
        ));
    }
}

#[test]
fn other_master_keys_do_not_open_it() {
    let right = master(1, 7);
    let (_, owner, good) = wrapped(&right, 0);
    assert!(matches!(
        good.open(&master(2, 7), &owner),
        Err(KeyringError::WrongMasterKey)
    ));
    assert!(matches!(good.open(&master(1, 8), &owner), Err(KeyringError::Tampered)));
    // The number is bound as well: the same value under another number does not open a renumbered row.
    let renumbered = WrappedKey {
        master_key_id: 2,
        ..good
    };
    assert!(matches!(
        renumbered.open(&right, &owner),
        Err(KeyringError::WrongMasterKey)
    ));
    assert!(refused_as_tampered(&renumbered, &master(2, 7), &owner));
}

#[test]
fn rewrapping_changes_the_data_key_only_and_locks_the_old_master_key_out() {
    let (old, new) = (master(1, 7), master(2, 8));
    let (key, owner, before) = wrapped(&old, 0);
    let after = before.rewrap(&old, &new, &owner).unwrap();
    assert_eq!((after.master_key_id, &after.ciphertext), (2, &before.ciphertext));
    assert_eq!(after.open(&new, &owner).unwrap().expose_bytes(), key.expose_bytes());
    assert!(matches!(after.open(&old, &owner), Err(KeyringError::WrongMasterKey)));
    assert!(refused_as_tampered(
        &WrappedKey {
            master_key_id: 1,
            ..after.clone()
        },
        &old,
        &owner
    ));
    assert!(
        matches!(after.rewrap(&old, &new, &owner), Err(KeyringError::WrongMasterKey)),
        "a second time"
    );
    let other = KeyOwner {
        wallet_id: WalletId(SeededIds::new(9).uuid()),
        ..owner
    };
    assert!(matches!(before.rewrap(&old, &new, &other), Err(KeyringError::Tampered)));
}

#[test]
fn the_key_must_be_that_of_the_address() {
    let master = master(1, 7);
    let (key, other) = (PrivateKey::generate().unwrap(), PrivateKey::generate().unwrap());
    let owner = owner_of(&other, 0);
    assert!(matches!(
        WrappedKey::wrap(&master, &owner, &key),
        Err(KeyringError::AddressMismatch)
    ));
    let data_key = random::key().unwrap();
    let forged = |plain: &[u8]| WrappedKey {
        master_key_id: 1,
        wrapped_data_key: wrap_data_key(&master, &owner, &data_key).unwrap(),
        ciphertext: aead::seal(&data_key, &owner.key_binding(), plain).unwrap(),
    };
    let wrong_key = forged(key.expose_bytes().as_slice());
    assert!(matches!(
        wrong_key.open(&master, &owner),
        Err(KeyringError::AddressMismatch)
    ));
    assert!(matches!(
        forged(&[0; 32]).open(&master, &owner),
        Err(KeyringError::Malformed(_))
    ));
    assert!(forged(other.expose_bytes().as_slice()).open(&master, &owner).is_ok());
}

#[test]
fn other_lengths_are_malformed() {
    let master = master(1, 7);
    let (_, owner, good) = wrapped(&master, 0);
    assert_eq!((good.wrapped_data_key.len(), good.ciphertext.len()), (60, 60));
    for length in [0, 11, 12, 28, 59, 61, 4096] {
        let short = WrappedKey {
            wrapped_data_key: vec![1; length],
            ..good.clone()
        };
        assert!(
            matches!(short.open(&master, &owner), Err(KeyringError::Malformed(_))),
            "{length}"
        );
        let short = WrappedKey {
            ciphertext: vec![1; length],
            ..good.clone()
        };
        assert!(
            matches!(short.open(&master, &owner), Err(KeyringError::Malformed(_))),
            "{length}"
        );
    }
}

#[test]
fn no_two_wrappings_are_alike_and_debug_shows_none_of_them() {
    let master = master(1, 7);
    let (key, owner, one) = wrapped(&master, 0);
    let two = WrappedKey::wrap(&master, &owner, &key).unwrap();
    assert_ne!(one.wrapped_data_key[..12], two.wrapped_data_key[..12]);
    assert_ne!(one.ciphertext, two.ciphertext);
    assert_ne!(
        one.open_data_key(&master, &owner).unwrap(),
        two.open_data_key(&master, &owner).unwrap()
    );
    assert_eq!(format!("{one:?}"), "WrappedKey(under master key 1, redacted)");
    let shown = format!("{key:?}");
    assert!(
        !shown.contains(&hex::encode(&key.expose_bytes()[..2])) && shown.contains("redacted"),
        "{shown}"
    );
}

proptest! {
    #[test]
    fn what_was_wrapped_opens(bytes in any::<[u8; 32]>(), seed in any::<u32>(), id in 1..i32::MAX, value in 1..=255_u8) {
        if let Ok(key) = PrivateKey::from_bytes(&bytes) {
            let (master, owner) = (master(id, value), owner_of(&key, seed.into()));
            let wrapped = WrappedKey::wrap(&master, &owner, &key).unwrap();
            prop_assert_eq!(*wrapped.open(&master, &owner).unwrap().expose_bytes(), bytes);
        }
    }
}

#[test]
fn a_key_of_another_account_is_bound_to_both() {
    let (master, key) = (master(1, 7), PrivateKey::generate().unwrap());
    let own = owner_of(&key, 1);
    let [account, other] = [1, 2].map(|n| TronAddress::from_evm20([n; 20]));
    let owner = KeyOwner {
        address: account,
        ..own
    };
    let wrapped = WrappedKey::wrap(&master, &owner, &key).unwrap();
    assert_eq!(wrapped.open(&master, &owner).unwrap().address(), key.address());
    let elsewhere = KeyOwner {
        address: other,
        ..owner
    };
    let another = KeyOwner {
        key_address: other,
        ..owner
    };
    for (whose, wrong) in [
        ("another account", elsewhere),
        ("another key", another),
        ("its own account", own),
    ] {
        assert!(
            matches!(wrapped.open(&master, &wrong), Err(KeyringError::Tampered)),
            "{whose}"
        );
    }
    assert!(matches!(
        WrappedKey::wrap(&master, &another, &key),
        Err(KeyringError::AddressMismatch)
    ));
}
