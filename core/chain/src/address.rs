//! TRON addresses and their three forms: base58check `T…`, hex `41…`, and the 20 bytes of logs and calldata.

#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Version byte of every TRON address.
const PREFIX: u8 = 0x41;

/// A TRON address whose checksum was right. Its text form is base58check.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TronAddress([u8; 21]);

/// Why a text is not an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Not 34 base58 characters with a right checksum; nothing is trimmed or corrected.
    #[error("not a TRON address: expected 34 base58 characters starting with T and a right checksum")]
    Malformed,
    /// Not 42 hex digits starting with 41.
    #[error("not a TRON address in hex: expected 42 hex digits starting with 41")]
    MalformedHex,
}

impl TronAddress {
    /// The address of 20 bytes as logs and calldata carry them.
    #[must_use]
    pub fn from_evm20(bytes: [u8; 20]) -> Self {
        let mut all = [PREFIX; 21];
        all[1..].copy_from_slice(&bytes);
        Self(all)
    }

    /// The address of 21 bytes starting with 0x41.
    ///
    /// # Errors
    /// [`AddressError::MalformedHex`] for another length or prefix.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, AddressError> {
        let all: [u8; 21] = bytes.try_into().map_err(|_| AddressError::MalformedHex)?;
        if all[0] == PREFIX {
            Ok(Self(all))
        } else {
            Err(AddressError::MalformedHex)
        }
    }

    /// The address of 42 hex digits starting with 41, no `0x`.
    ///
    /// # Errors
    /// [`AddressError::MalformedHex`] for anything else.
    pub fn from_hex(text: &str) -> Result<Self, AddressError> {
        let mut all = [0_u8; 21];
        hex::decode_to_slice(text, &mut all).map_err(|_| AddressError::MalformedHex)?;
        Self::from_bytes(&all)
    }

    /// All 21 bytes, as protobuf carries them.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 21] {
        &self.0
    }

    /// The 20 bytes after the prefix.
    #[must_use]
    pub fn evm20(&self) -> [u8; 20] {
        let mut out = [0_u8; 20];
        out.copy_from_slice(&self.0[1..]);
        out
    }

    /// 42 hex digits starting with 41.
    #[must_use]
    pub fn to_hex(&self) -> String {
        hex::encode(self.0)
    }
}

impl FromStr for TronAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        if text.len() != 34 {
            return Err(AddressError::Malformed);
        }
        let bytes = bs58::decode(text)
            .with_check(None)
            .into_vec()
            .map_err(|_| AddressError::Malformed)?;
        Self::from_bytes(&bytes).map_err(|_| AddressError::Malformed)
    }
}

impl fmt::Display for TronAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&bs58::encode(self.0).with_check().into_string())
    }
}

impl fmt::Debug for TronAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for TronAddress {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TronAddress {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <std::borrow::Cow<'de, str>>::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}
