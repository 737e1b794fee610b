//! The secrets that the API holds for operators: what signs their tokens and seals their second factors.
//!
//! ```text
//!   operators.keys = 2026b:<64 hex>,2026a:<64 hex>
//!                    │                └ still opens and verifies, until it is taken out
//!                    └ makes everything new
//!   each ──HKDF-SHA256──▶ Ed25519 (access tokens) · HMAC-SHA256 (refresh tokens) · AES-256-GCM (second factors)
//! ```

use std::fmt;

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{Ed25519KeyPair, KeyPair};
use ring::{hkdf, hmac};
use zeroize::Zeroizing;

use crate::NoRandomness;

const SALT: &[u8] = b"switchyard/access/v1";
const VERSION: u8 = 1;
const MAX_ID: usize = 16;
/// As many as are ever needed while one replaces another.
const MAX_KEYS: usize = 4;

/// Why a list of keys cannot be used. Shows none of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not `id:64 hex digits`, separated by commas.
    #[error("is not a list of id:<64 hex digits>, separated by commas; an id has 1 to 16 of a-z, 0-9 and -")]
    Shape,
    /// Two with one id.
    #[error("names two keys alike")]
    Twice,
    /// More than are ever needed.
    #[error("names more than four keys")]
    TooMany,
}

/// Sealed by a key that is not there any more, or changed since.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("cannot be opened with the keys that there are")]
pub struct NotOpened;

/// The keys, newest first.
pub struct AccessKeys(Vec<AccessKey>);

pub(crate) struct AccessKey {
    pub(crate) id: String,
    pub(crate) signer: Ed25519KeyPair,
    pub(crate) refresh: hmac::Key,
    sealer: LessSafeKey,
}

impl AccessKeys {
    /// Reads `id:<64 hex digits>`, one or several.
    ///
    /// # Errors
    /// When it is no such list.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let keys = text.split(',').map(AccessKey::parse).collect::<Result<Vec<_>, _>>()?;
        if keys.len() > MAX_KEYS {
            return Err(KeyError::TooMany);
        }
        let twice = keys
            .iter()
            .enumerate()
            .any(|(n, key)| keys[..n].iter().any(|other| other.id == key.id));
        if twice {
            return Err(KeyError::Twice);
        }
        Ok(Self(keys))
    }

    /// The one that makes what is new. There is one: the list was read.
    pub(crate) fn newest(&self) -> &AccessKey {
        &self.0[0]
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &AccessKey> {
        self.0.iter()
    }

    pub(crate) fn find(&self, id: &str) -> Option<&AccessKey> {
        self.0.iter().find(|key| key.id == id)
    }

    /// Seals `clear`; it opens only for the same `owner`.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn seal(&self, owner: &[u8], clear: &[u8]) -> Result<Vec<u8>, NoRandomness> {
        let key = self.newest();
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new().fill(&mut nonce).map_err(|_| NoRandomness)?;
        let id = key.id.as_bytes();
        // an id has 16 bytes at most
        let length = u8::try_from(id.len()).map_err(|_| NoRandomness)?;
        let mut sealed = [&[VERSION, length][..], id, &nonce].concat();
        let mut text = Zeroizing::new(clear.to_vec());
        let tag = key
            .sealer
            .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::from(owner), &mut text)
            .map_err(|_| NoRandomness)?;
        sealed.extend_from_slice(&text);
        sealed.extend_from_slice(tag.as_ref());
        Ok(sealed)
    }

    /// Whether this was sealed by the newest key, so that the others are not needed for it.
    #[must_use]
    pub fn is_newest(&self, sealed: &[u8]) -> bool {
        let id = self.newest().id.as_bytes();
        let head = [&[VERSION, u8::try_from(id.len()).unwrap_or_default()][..], id].concat();
        sealed.starts_with(&head)
    }

    /// Opens what [`Self::seal`] made for this owner.
    ///
    /// # Errors
    /// When it was sealed by none of these keys or for somebody else, or was changed.
    pub fn open(&self, owner: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, NotOpened> {
        let (&[version, length], rest) = sealed.split_first_chunk().ok_or(NotOpened)?;
        let (id, rest) = rest.split_at_checked(length.into()).ok_or(NotOpened)?;
        let (nonce, text) = rest.split_first_chunk::<NONCE_LEN>().ok_or(NotOpened)?;
        let id = std::str::from_utf8(id).map_err(|_| NotOpened)?;
        let key = self.find(id).filter(|_| version == VERSION).ok_or(NotOpened)?;
        let mut text = Zeroizing::new(text.to_vec());
        let clear = key
            .sealer
            .open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(owner), &mut text)
            .map_err(|_| NotOpened)?;
        Ok(Zeroizing::new(clear.to_vec()))
    }
}

impl AccessKey {
    fn parse(text: &str) -> Result<Self, KeyError> {
        let (id, digits) = text.trim().split_once(':').ok_or(KeyError::Shape)?;
        let fits = (1..=MAX_ID).contains(&id.len())
            && id
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        let mut secret = Zeroizing::new([0_u8; 32]);
        if !fits || hex::decode_to_slice(digits, secret.as_mut_slice()).is_err() {
            return Err(KeyError::Shape);
        }
        let root = hkdf::Salt::new(hkdf::HKDF_SHA256, SALT).extract(secret.as_slice());
        let derive = |what: &[u8]| {
            let mut key = Zeroizing::new([0_u8; 32]);
            let info = [what];
            let okm = root.expand(&info, hkdf::HKDF_SHA256);
            let filled = okm.and_then(|okm| okm.fill(key.as_mut_slice()));
            filled.map(|()| key).map_err(|_| KeyError::Shape)
        };
        let (token, refresh, seal) = (derive(b"token")?, derive(b"refresh")?, derive(b"seal")?);
        let signer = Ed25519KeyPair::from_seed_unchecked(token.as_slice()).map_err(|_| KeyError::Shape)?;
        let sealer = UnboundKey::new(&AES_256_GCM, seal.as_slice()).map_err(|_| KeyError::Shape)?;
        Ok(Self {
            id: id.to_owned(),
            signer,
            refresh: hmac::Key::new(hmac::HMAC_SHA256, refresh.as_slice()),
            sealer: LessSafeKey::new(sealer),
        })
    }

    pub(crate) fn public(&self) -> &[u8] {
        self.signer.public_key().as_ref()
    }
}

impl fmt::Debug for AccessKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids: Vec<&str> = self.0.iter().map(|key| key.id.as_str()).collect();
        write!(f, "AccessKeys({})", ids.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "a:0101010101010101010101010101010101010101010101010101010101010101";
    const B: &str = "b:0202020202020202020202020202020202020202020202020202020202020202";

    #[test]
    fn lists_are_read_and_nothing_else() {
        let both = AccessKeys::parse(&format!("{A}, {B}")).unwrap();
        assert_eq!(format!("{both:?}"), "AccessKeys(a,b)");
        for (text, error) in [
            (String::new(), KeyError::Shape),
            (A.replace(':', ""), KeyError::Shape),
            (A.replace("a:", "A:"), KeyError::Shape),
            (A.replace("a:", ":"), KeyError::Shape),
            (A.replace("a:", "a-name-that-is-long:"), KeyError::Shape),
            (format!("{A}0"), KeyError::Shape),
            (format!("{A},"), KeyError::Shape),
            (format!("{A},{A}"), KeyError::Twice),
            (
                ["a", "b", "c", "d", "e"]
                    .map(|id| A.replace("a:", &format!("{id}:")))
                    .join(","),
                KeyError::TooMany,
            ),
        ] {
            assert_eq!(AccessKeys::parse(&text).unwrap_err(), error, "{text}");
        }
    }

    #[test]
    fn what_is_sealed_opens_for_its_owner_alone_and_while_its_key_is_there() {
        let old = AccessKeys::parse(A).unwrap();
        let sealed = old.seal(b"anna", b"her secret").unwrap();
        assert_ne!(
            sealed,
            old.seal(b"anna", b"her secret").unwrap(),
            "never the same twice"
        );
        assert_eq!(&**old.open(b"anna", &sealed).unwrap(), b"her secret");
        assert_eq!(old.open(b"boris", &sealed), Err(NotOpened));

        let both = AccessKeys::parse(&format!("{B},{A}")).unwrap();
        assert_eq!(&**both.open(b"anna", &sealed).unwrap(), b"her secret");
        let new = AccessKeys::parse(B).unwrap();
        assert_eq!(new.open(b"anna", &sealed), Err(NotOpened));
        let anew = both.seal(b"anna", b"her secret").unwrap();
        assert!(both.is_newest(&anew) && !both.is_newest(&sealed) && !both.is_newest(b""));
        assert!(new.open(b"anna", &anew).is_ok(), "the first key makes what is new");
        for n in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[n] ^= 1;
            assert_eq!(both.open(b"anna", &changed), Err(NotOpened), "byte {n}");
            assert_eq!(both.open(b"anna", &sealed[..n]), Err(NotOpened), "cut at {n}");
        }
    }
}
