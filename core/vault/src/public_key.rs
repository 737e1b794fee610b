//! The workers' import key, public half: what the API is configured with.

use std::fmt;
use std::str::FromStr;

use hpke::{Deserializable, OpModeS, Serializable, setup_sender};

use crate::seal::SealError;
use crate::suite::{Aead, INFO, Kdf, Kem};

type HpkePublicKey = <Kem as hpke::Kem>::PublicKey;

/// An X25519 public key to which imports are sealed. Its text form is 64 hex digits.
#[derive(Clone, PartialEq, Eq)]
pub struct ImportPublicKey(HpkePublicKey);

impl ImportPublicKey {
    /// The key of 32 bytes.
    ///
    /// # Errors
    /// [`SealError::PublicKey`] when the bytes are a point of low order (such as all zeros): every seal to it would
    /// fail, so that a wrong configuration is told at the start and not at the first import.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, SealError> {
        let key = HpkePublicKey::from_bytes(bytes).map_err(|_| SealError::PublicKey)?;
        setup_sender::<Aead, Kdf, Kem>(&OpModeS::Base, &key, INFO).map_err(|_| SealError::PublicKey)?;
        Ok(Self(key))
    }

    /// The 32 bytes of the key.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 32] {
        self.0.to_bytes().into()
    }

    pub(crate) const fn hpke(&self) -> &HpkePublicKey {
        &self.0
    }
}

impl FromStr for ImportPublicKey {
    type Err = SealError;

    /// Reads exactly 64 hex digits.
    fn from_str(text: &str) -> Result<Self, SealError> {
        let mut bytes = [0_u8; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| SealError::PublicKey)?;
        Self::from_bytes(&bytes)
    }
}

impl fmt::Display for ImportPublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.to_bytes()))
    }
}

impl fmt::Debug for ImportPublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ImportPublicKey({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7748, section 6.1: Alice's public key.
    const ALICE: &str = "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a";

    #[test]
    fn text_round_trips_in_lower_case() {
        assert_eq!(ALICE.parse::<ImportPublicKey>().unwrap().to_string(), ALICE);
        assert_eq!(
            ALICE.to_uppercase().parse::<ImportPublicKey>().unwrap().to_string(),
            ALICE
        );
    }

    #[test]
    fn other_texts_are_refused() {
        let (short, long, spaced) = (&ALICE[2..], format!("{ALICE}00"), format!("{ALICE} "));
        for text in [
            "",
            short,
            &long,
            &spaced,
            &ALICE.replace('8', "g"),
            &format!("0x{}", &ALICE[2..]),
        ] {
            assert_eq!(text.parse::<ImportPublicKey>(), Err(SealError::PublicKey), "{text:?}");
        }
    }

    #[test]
    fn points_of_low_order_are_refused() {
        let mut one = [0_u8; 32];
        one[0] = 1;
        let order_eight = "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800";
        assert_eq!(ImportPublicKey::from_bytes(&[0; 32]), Err(SealError::PublicKey));
        assert_eq!(ImportPublicKey::from_bytes(&one), Err(SealError::PublicKey));
        assert_eq!(order_eight.parse::<ImportPublicKey>(), Err(SealError::PublicKey));
    }
}
