//! The secret that an endpoint's messages are signed with. Zeroized when dropped, never shown by `Debug`.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rand::{SecureRandom, SystemRandom};
use zeroize::Zeroizing;

/// Bytes of a secret that is made here; the specification asks for 24 to 64.
pub const SECRET_LEN: usize = 32;

const PREFIX: &str = "whsec_";
const SHORTEST: usize = 24;
const LONGEST: usize = 64;

/// Why there is no secret. Holds nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// The operating system gave no randomness.
    #[error("no randomness from the operating system")]
    NoRandomness,
    /// The text or bytes are of another form.
    #[error("not a webhook secret: expected whsec_ and 24 to 64 bytes in base64")]
    Malformed,
}

/// The key of one signature. Its text form is `whsec_` and base64.
pub struct WebhookSecret(Zeroizing<Vec<u8>>);

impl WebhookSecret {
    /// A fresh secret of [`SECRET_LEN`] bytes from the operating system's randomness.
    ///
    /// # Errors
    /// [`SecretError::NoRandomness`].
    pub fn generate() -> Result<Self, SecretError> {
        let mut bytes = Zeroizing::new(vec![0_u8; SECRET_LEN]);
        SystemRandom::new()
            .fill(bytes.as_mut_slice())
            .map_err(|_| SecretError::NoRandomness)?;
        Ok(Self(bytes))
    }

    /// The secret of these bytes.
    ///
    /// # Errors
    /// [`SecretError::Malformed`] where there are fewer than 24 or more than 64.
    pub fn from_bytes(bytes: Zeroizing<Vec<u8>>) -> Result<Self, SecretError> {
        if (SHORTEST..=LONGEST).contains(&bytes.len()) {
            Ok(Self(bytes))
        } else {
            Err(SecretError::Malformed)
        }
    }

    /// The bytes, to be sealed or signed with.
    #[must_use]
    pub fn expose_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The text that the receiver is shown, once.
    #[must_use]
    pub fn expose_text(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(PREFIX.len() + LONGEST * 2));
        text.push_str(PREFIX);
        STANDARD.encode_string(self.0.as_slice(), &mut text);
        text
    }
}

impl FromStr for WebhookSecret {
    type Err = SecretError;

    fn from_str(text: &str) -> Result<Self, SecretError> {
        let body = text.strip_prefix(PREFIX).ok_or(SecretError::Malformed)?;
        let bytes = STANDARD.decode(body).map_err(|_| SecretError::Malformed)?;
        Self::from_bytes(Zeroizing::new(bytes))
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fresh_secret_reads_back_and_is_never_shown() {
        let secret = WebhookSecret::generate().unwrap();
        let text = secret.expose_text();
        assert!(text.starts_with("whsec_"));
        let again: WebhookSecret = text.parse().unwrap();
        assert_eq!(again.expose_bytes(), secret.expose_bytes());
        assert_eq!(secret.expose_bytes().len(), SECRET_LEN);
        assert_ne!(WebhookSecret::generate().unwrap().expose_bytes(), secret.expose_bytes());
        assert_eq!(format!("{secret:?}"), "WebhookSecret(redacted)");
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "whsec_",
            "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "whsec_MfKQ9r8GKYqr",
            "whsec_!fKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        ] {
            assert_eq!(
                text.parse::<WebhookSecret>().err(),
                Some(SecretError::Malformed),
                "{text:?}"
            );
        }
    }
}
