//! What a key is made of, and what is kept of it.

use sha2::{Digest, Sha256};

const PREFIX_LEN: usize = 15;

/// The visible part and the whole of a new secret.
pub(super) fn fresh(random: &[u8; 64]) -> (String, String) {
    let text = alphanumeric(random);
    let (visible, secret) = text.split_at(12);
    let prefix = format!("sk_{visible}");
    let clear = format!("{prefix}_{secret}");
    (prefix, clear)
}

/// The visible part by which a presented key is looked up, or `None` where the text is no key.
#[must_use]
pub fn prefix_of(clear: &str) -> Option<&str> {
    let shaped =
        clear.len() == 68 && clear.is_ascii() && clear.starts_with("sk_") && clear.as_bytes()[PREFIX_LEN] == b'_';
    shaped.then(|| &clear[..PREFIX_LEN])
}

/// The hash that is stored and compared.
#[must_use]
pub fn hash(clear: &str) -> [u8; 32] {
    Sha256::digest(clear.as_bytes()).into()
}

/// 64 characters of 62, without bias: bytes beyond the last whole multiple of 62 are folded by a second byte.
fn alphanumeric(random: &[u8; 64]) -> String {
    const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let digest = |n: u8| Sha256::new().chain_update(random).chain_update([n]).finalize();
    let bytes = (0..=u8::MAX)
        .flat_map(|n| digest(n).to_vec())
        .filter(|byte| *byte < 248);
    bytes
        .take(64)
        .map(|byte| char::from(ALPHABET[usize::from(byte % 62)]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_one_shape() {
        let text = alphanumeric(&[7; 64]);
        assert_eq!(text.len(), 64);
        assert_ne!(text, alphanumeric(&[8; 64]));
        let clear = format!("sk_{}_{}", &text[..12], &text[12..64]);
        assert_eq!(clear.len(), 68);
        assert_eq!(prefix_of(&clear), Some(&clear[..15]));
        for bad in [
            "",
            "sk_",
            "Bearer x",
            &clear[1..],
            &format!("{clear}x"),
            &clear.replace("_", "-"),
        ] {
            assert_eq!(prefix_of(bad), None, "{bad}");
        }
    }
}
