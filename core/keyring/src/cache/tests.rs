//! Bounds in number and time, and when a key is wiped.

use std::sync::atomic::{AtomicUsize, Ordering};

use kernel::{IdGen, ManualClock, SeededIds};

use super::*;
use crate::KeyringError;

fn wallets(count: usize) -> Vec<WalletId> {
    let ids = SeededIds::new(0);
    (0..count).map(|_| WalletId(ids.uuid())).collect()
}

fn cache(capacity: usize, life_seconds: u64) -> (Arc<ManualClock>, KeyCache) {
    let clock = Arc::new(ManualClock::at(Default::default()));
    clock.advance_seconds(1_000_000);
    let cache = KeyCache::new(
        capacity,
        Duration::from_secs(life_seconds),
        Arc::<ManualClock>::clone(&clock),
    );
    (clock, cache)
}

fn put(cache: &KeyCache, wallet_id: WalletId) -> Arc<PrivateKey> {
    cache.get_or_open((wallet_id, 1), PrivateKey::generate).unwrap()
}

#[test]
fn a_key_is_opened_once_and_then_found() {
    let (_, cache) = cache(2, 60);
    let wallet_id = wallets(1)[0];
    assert!(cache.get(wallet_id, 1).is_none());
    let key = put(&cache, wallet_id);
    let again = cache
        .get_or_open((wallet_id, 1), || Err::<PrivateKey, _>("opened twice"))
        .unwrap();
    assert!(Arc::ptr_eq(&key, &again));
    assert!(cache.get(wallets(2)[1], 1).is_none(), "another wallet");
}

#[test]
fn an_error_is_passed_on_and_not_kept() {
    let (_, cache) = cache(2, 60);
    let wallet_id = wallets(1)[0];
    let refused = cache.get_or_open((wallet_id, 1), || Err(KeyringError::Tampered));
    assert!(matches!(refused, Err(KeyringError::Tampered)));
    assert!(cache.is_empty());
    put(&cache, wallet_id);
    assert_eq!(cache.len(), 1);
}

#[test]
fn a_life_ends_however_often_the_key_is_used() {
    let (clock, cache) = cache(2, 60);
    let wallet_id = wallets(1)[0];
    let key = Arc::downgrade(&put(&cache, wallet_id));
    for _ in 0..59 {
        clock.advance_seconds(1);
        assert!(cache.get(wallet_id, 1).is_some());
    }
    clock.advance_seconds(1);
    assert!(cache.get(wallet_id, 1).is_none());
    assert!(key.upgrade().is_none(), "dropped, and so wiped");
}

#[test]
fn a_clock_that_was_set_back_ends_a_life() {
    let (clock, cache) = cache(2, 60);
    let wallet_id = wallets(1)[0];
    put(&cache, wallet_id);
    clock.advance_seconds(-3600);
    assert!(cache.get(wallet_id, 1).is_none());
}

#[test]
fn the_longest_unused_makes_room() {
    let (clock, cache) = cache(3, 600);
    let ids = wallets(4);
    for wallet_id in &ids[..3] {
        put(&cache, *wallet_id);
        clock.advance_seconds(1);
    }
    assert!(cache.get(ids[0], 1).is_some());
    clock.advance_seconds(1);
    put(&cache, ids[3]);
    assert_eq!(cache.len(), 3);
    assert!(cache.get(ids[1], 1).is_none());
    assert!([0, 2, 3].iter().all(|at| cache.get(ids[*at], 1).is_some()));
}

#[test]
fn expired_keys_make_room_before_living_ones() {
    let (clock, cache) = cache(2, 60);
    let ids = wallets(3);
    put(&cache, ids[0]);
    clock.advance_seconds(59);
    put(&cache, ids[1]);
    assert!(cache.get(ids[0], 1).is_some(), "used last, and about to end");
    clock.advance_seconds(1);
    put(&cache, ids[2]);
    assert!(cache.get(ids[1], 1).is_some() && cache.get(ids[2], 1).is_some());
}

#[test]
fn keys_can_be_forgotten_and_swept() {
    let (clock, cache) = cache(3, 60);
    let ids = wallets(2);
    put(&cache, ids[0]);
    clock.advance_seconds(30);
    put(&cache, ids[1]);
    clock.advance_seconds(30);
    assert_eq!(cache.len(), 2);
    cache.remove_expired();
    assert_eq!(cache.len(), 1);
    cache.remove(ids[1]);
    assert!(cache.is_empty());
}

#[test]
fn with_no_capacity_or_no_life_nothing_is_kept() {
    for (capacity, life) in [(0, 60), (2, 0)] {
        let (_, cache) = cache(capacity, life);
        let wallet_id = wallets(1)[0];
        put(&cache, wallet_id);
        assert!(cache.get(wallet_id, 1).is_none());
    }
}

#[test]
fn many_threads_share_it_within_its_bound() {
    let (_, cache) = cache(4, 60);
    let (ids, opened) = (wallets(16), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (cache, ids, opened) = (&cache, &ids, &opened);
            scope.spawn(move || {
                for step in 0..200 {
                    let open = || {
                        opened.fetch_add(1, Ordering::Relaxed);
                        PrivateKey::generate()
                    };
                    cache
                        .get_or_open((ids[(step * 7 + thread) % ids.len()], 1), open)
                        .unwrap();
                    assert!(cache.len() <= 4);
                }
            });
        }
    });
    assert!(opened.load(Ordering::Relaxed) >= 16);
}

#[test]
fn debug_shows_numbers_only() {
    let (_, cache) = cache(4, 60);
    put(&cache, wallets(1)[0]);
    assert_eq!(format!("{cache:?}"), "KeyCache(1 of 4 keys, redacted)");
}

#[test]
fn a_key_that_was_replaced_is_never_given_out_and_leaves() {
    let (_, cache) = cache(2, 60);
    let wallet_id = wallets(1)[0];
    let old = put(&cache, wallet_id);
    let gone = Arc::downgrade(&old);
    drop(old);
    let new = cache.get_or_open((wallet_id, 2), PrivateKey::generate).unwrap();
    assert!(gone.upgrade().is_none(), "it left as its successor came");
    assert!(Arc::ptr_eq(&cache.get(wallet_id, 2).unwrap(), &new));
    assert!(
        cache.get(wallet_id, 1).is_none(),
        "nor is the new one taken for the old"
    );
}
