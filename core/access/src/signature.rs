//! Signatures of requests: that a request comes from who has a secret which never travels, as he made it, and now.
//!
//! ```text
//!   v2 ⏎ milliseconds ⏎ METHOD ⏎ path?query ⏎ hex(SHA-256(body)) ⏎ Idempotency-Key   ──HMAC-SHA256──▶   v2=<64 hex digits>
//! ```

use ring::{digest, hmac};

/// How far a request's time may be from ours.
pub const SIGNATURE_WINDOW_MS: i64 = 30_000;
/// The length of a secret.
pub const SIGNING_SECRET_LEN: usize = 32;
const VERSION: &str = "v2";

/// A request as it is signed.
#[derive(Debug, Clone, Copy)]
pub struct SignedParts<'a> {
    /// When it was made, in milliseconds of Unix time.
    pub timestamp_ms: i64,
    /// Such as `POST`.
    pub method: &'a str,
    /// As they were sent.
    pub path_and_query: &'a str,
    /// As it was sent.
    pub body: &'a [u8],
    /// The header's value, so that nobody has the request carried out once more under another one; empty where it has none.
    pub idempotency_key: &'a str,
}

impl SignedParts<'_> {
    fn text(&self) -> String {
        let body = hex::encode(digest::digest(&digest::SHA256, self.body));
        format!(
            "{VERSION}\n{}\n{}\n{}\n{body}\n{}",
            self.timestamp_ms, self.method, self.path_and_query, self.idempotency_key
        )
    }

    /// The signature, as the header has it.
    #[must_use]
    pub fn sign(&self, secret: &[u8]) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        format!("{VERSION}={}", hex::encode(hmac::sign(&key, self.text().as_bytes())))
    }

    /// Whether this is the request's signature; as long for every wrong one.
    #[must_use]
    pub fn verify(&self, secret: &[u8], signature: &str) -> bool {
        let given = signature
            .strip_prefix(VERSION)
            .and_then(|rest| rest.strip_prefix('='))
            .and_then(|digits| hex::decode(digits).ok());
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        given.is_some_and(|given| hmac::verify(&key, self.text().as_bytes(), &given).is_ok())
    }

    /// Whether it was made about now.
    #[must_use]
    pub const fn is_fresh(&self, now_ms: i64) -> bool {
        now_ms.saturating_sub(self.timestamp_ms).saturating_abs() <= SIGNATURE_WINDOW_MS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: [u8; SIGNING_SECRET_LEN] = [7; SIGNING_SECRET_LEN];

    fn parts() -> SignedParts<'static> {
        SignedParts {
            timestamp_ms: 1_800_000_000_000,
            method: "POST",
            path_and_query: "/api/orders?x=1",
            body: b"{\"user_id\":42}",
            idempotency_key: "bot-7781",
        }
    }

    fn unmarked() -> SignedParts<'static> {
        SignedParts {
            idempotency_key: "",
            ..parts()
        }
    }

    #[test]
    fn the_examples_of_the_guide_are_right() {
        // made by Python's hmac and hashlib
        let expected = "v2=d1c0dad0265e791cfcc787f5323ab4561385341473425f23950a71f57f301953";
        assert_eq!(parts().sign(&SECRET), expected);
        let expected = "v2=34f53410d6272cce4b77f0e275ff3fbf484bd8aef88cda848b28984feeb56a34";
        assert_eq!(unmarked().sign(&SECRET), expected);
    }

    #[test]
    fn only_the_same_request_with_the_same_secret_has_it() {
        let signature = parts().sign(&SECRET);
        assert!(parts().verify(&SECRET, &signature));
        assert!(parts().verify(&SECRET, &signature.to_uppercase().replacen('V', "v", 1)));
        assert!(!parts().verify(&[8; SIGNING_SECRET_LEN], &signature));
        let changed = [
            SignedParts {
                timestamp_ms: 1_800_000_000_001,
                ..parts()
            },
            SignedParts {
                method: "PUT",
                ..parts()
            },
            SignedParts {
                path_and_query: "/api/orders?x=2",
                ..parts()
            },
            SignedParts { body: b"", ..parts() },
            SignedParts {
                idempotency_key: "bot-7782",
                ..parts()
            },
            unmarked(),
        ];
        assert!(changed.iter().all(|other| !other.verify(&SECRET, &signature)));
        for bad in [
            "",
            "v2=",
            "v2=00",
            &signature.replacen('2', "1", 1),
            &signature[3..],
            &signature[..66],
            &format!("{signature}0"),
        ] {
            assert!(!parts().verify(&SECRET, bad), "{bad}");
        }
    }

    #[test]
    fn half_a_minute_is_about_now() {
        let of = |now_ms| parts().is_fresh(now_ms);
        assert!(of(1_800_000_000_000 + SIGNATURE_WINDOW_MS) && of(1_800_000_000_000 - SIGNATURE_WINDOW_MS));
        assert!(!of(1_800_000_030_001) && !of(1_799_999_969_999) && !of(i64::MIN) && !of(i64::MAX));
    }
}
