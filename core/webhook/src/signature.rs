//! The signature of a message: HMAC-SHA256 over its id, the time of the sending and its body.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac::{HMAC_SHA256, Key, sign as mac};

use crate::WebhookSecret;

/// The value of the header `webhook-signature`: one `v1,<base64>` for each secret, separated by spaces, so that a
/// receiver which knows any one of them accepts the message. `timestamp` is in seconds since 1970.
#[must_use]
pub fn sign(secrets: &[WebhookSecret], id: &str, timestamp: i64, body: &[u8]) -> String {
    let signed = [id.as_bytes(), b".", timestamp.to_string().as_bytes(), b".", body].concat();
    let signatures: Vec<String> = secrets
        .iter()
        .map(|secret| {
            let tag = mac(&Key::new(HMAC_SHA256, secret.expose_bytes()), &signed);
            format!("v1,{}", STANDARD.encode(tag))
        })
        .collect();
    signatures.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example that the specification's reference libraries test themselves with.
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const TIMESTAMP: i64 = 1_614_265_330;
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    #[test]
    fn the_published_example_is_reproduced() {
        let secrets = [SECRET.parse().unwrap()];
        assert_eq!(sign(&secrets, ID, TIMESTAMP, BODY), SIGNATURE);
    }

    #[test]
    fn each_secret_signs_and_everything_is_signed() {
        let secrets = [WebhookSecret::generate().unwrap(), SECRET.parse().unwrap()];
        let both = sign(&secrets, ID, TIMESTAMP, BODY);
        let both: Vec<&str> = both.split(' ').collect();
        assert_eq!((both.len(), both[1]), (2, SIGNATURE));
        assert_ne!(both[0], SIGNATURE);

        let one = &secrets[1..];
        for other in [
            sign(one, "msg_other", TIMESTAMP, BODY),
            sign(one, ID, TIMESTAMP + 1, BODY),
            sign(one, ID, TIMESTAMP, b"{}"),
        ] {
            assert_ne!(other, SIGNATURE);
        }
        assert_eq!(sign(&[], ID, TIMESTAMP, BODY), "");
    }
}
