//! The second factor: codes of six digits that change each half minute (RFC 6238), as every authenticator app shows them.

use std::fmt;

use chrono::{DateTime, Utc};
use ring::rand::{SecureRandom, SystemRandom};
use totp_rs::{Builder, Totp};
use zeroize::Zeroizing;

use crate::NoRandomness;

/// As RFC 4226 wants it.
const LEN: usize = 20;
const ISSUER: &str = "Switchyard";

/// What codes are made from.
pub struct TotpSecret(Zeroizing<[u8; LEN]>);

impl TotpSecret {
    /// A fresh one.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn generate() -> Result<Self, NoRandomness> {
        let mut bytes = Zeroizing::new([0; LEN]);
        SystemRandom::new()
            .fill(bytes.as_mut_slice())
            .map_err(|_| NoRandomness)?;
        Ok(Self(bytes))
    }

    /// One that was kept.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(|bytes| Self(Zeroizing::new(bytes)))
    }

    /// To be kept, sealed.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.0.as_slice()
    }

    /// As a person types it into an app.
    #[must_use]
    pub fn base32(&self) -> String {
        self.codes("").secret().to_base32()
    }

    /// As an app reads it from a QR code.
    #[must_use]
    pub fn url(&self, account: &str) -> String {
        // an account's name without a colon is always taken; an e-mail address has none
        self.codes(account).to_url().unwrap_or_default()
    }

    /// The half minute since 1970 that this code is of: the current one, or the one before or after.
    #[must_use]
    pub fn step_of(&self, code: &str, now: DateTime<Utc>) -> Option<i64> {
        let digits = code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit());
        let now = u64::try_from(now.timestamp()).ok().filter(|_| digits)?;
        let step = self.codes("").check(code, now)?;
        i64::try_from(step).ok()
    }

    /// The code of now.
    #[must_use]
    pub fn code(&self, now: DateTime<Utc>) -> String {
        let now = u64::try_from(now.timestamp()).unwrap_or_default();
        self.codes("").generate(now).to_string()
    }

    fn codes(&self, account: &str) -> Totp {
        // SHA-1, six digits, half a minute and one step of patience: what apps know
        let builder = Builder::new().with_secret(self.0.to_vec()).with_issuer(Some(ISSUER));
        builder.with_account_name(account).build_noncompliant()
    }
}

impl fmt::Debug for TotpSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TotpSecret(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    #[test]
    fn codes_are_those_of_the_rfc() {
        let secret = TotpSecret::from_bytes(b"12345678901234567890").unwrap();
        // RFC 6238, appendix B, the last six of eight digits
        for (time, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(secret.code(at(time)), code);
            assert_eq!(secret.step_of(code, at(time)), Some(time / 30));
            assert_eq!(
                secret.step_of(code, at(time + 30)),
                Some(time / 30),
                "a clock that is late"
            );
            assert_eq!(secret.step_of(code, at(time + 90)), None);
        }
        for bad in ["", "28708", "2870822", "28708x", "287 082", "２８７０８２"] {
            assert_eq!(secret.step_of(bad, at(59)), None, "{bad}");
        }
    }

    #[test]
    fn apps_are_told_by_a_url() {
        let secret = TotpSecret::from_bytes(b"12345678901234567890").unwrap();
        assert_eq!(secret.base32(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert_eq!(
            secret.url("anna@example.org"),
            "otpauth://totp/Switchyard:anna%40example.org?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Switchyard"
        );
        assert_eq!(format!("{secret:?}"), "TotpSecret(redacted)");
        assert_ne!(
            TotpSecret::generate().unwrap().bytes(),
            TotpSecret::generate().unwrap().bytes()
        );
    }
}
