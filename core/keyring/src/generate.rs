//! Making new keys in the worker, so that they never pass through anything else.

use tron::PrivateKey;

use crate::error::KeyringError;

/// How many keys may be made at once.
pub const MAX_BATCH: usize = 100;

/// Makes `count` fresh private keys.
///
/// # Errors
/// [`KeyringError::BatchSize`] unless `count` is from 1 to [`MAX_BATCH`]; [`KeyringError::Key`] without randomness.
pub fn generate_batch(count: usize) -> Result<Vec<PrivateKey>, KeyringError> {
    if !(1..=MAX_BATCH).contains(&count) {
        return Err(KeyringError::BatchSize);
    }
    (0..count)
        .map(|_| PrivateKey::generate().map_err(KeyringError::Key))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn keys_differ_and_the_batch_is_bounded() {
        let keys = generate_batch(MAX_BATCH).unwrap();
        let addresses: HashSet<_> = keys.iter().map(PrivateKey::address).collect();
        assert_eq!(addresses.len(), MAX_BATCH);
        assert!(matches!(generate_batch(0), Err(KeyringError::BatchSize)));
        assert!(matches!(generate_batch(MAX_BATCH + 1), Err(KeyringError::BatchSize)));
    }
}
