//! What a signed-in operator shows: a JSON Web Token for some minutes, and a refresh token that gets the next one.
//!
//! A token has one form here, and its header is compared as a whole: who reads the algorithm out of a token lets its sender choose
//! it. Times are those of the house's clock, which the libraries for such tokens do not ask.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use chrono::{DateTime, Utc};
use ring::hmac;
use ring::signature::{ED25519, UnparsedPublicKey};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::AccessKeys;
use crate::keys::AccessKey;

const ISSUER: &str = "switchyard";
/// Ours have about 350.
const MAX_LEN: usize = 1024;
/// Clocks of two processes differ by less.
const SKEW_S: i64 = 60;
const REFRESH: &str = "rt";

/// What an access token says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claims {
    /// The operator.
    pub sub: Uuid,
    /// The session.
    pub sid: Uuid,
    /// When it was made, in seconds of Unix time.
    pub iat: i64,
    /// When it ends.
    pub exp: i64,
}

#[derive(Serialize, Deserialize)]
struct Payload {
    iss: String,
    #[serde(flatten)]
    claims: Claims,
}

/// One generation of a session's right to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefreshToken {
    /// The session.
    pub session: Uuid,
    /// Each use makes the next one.
    pub generation: i32,
}

impl AccessKeys {
    /// The access token that says this.
    ///
    /// # Errors
    /// Never, for claims can be written.
    pub fn sign(&self, claims: Claims) -> Result<String, serde_json::Error> {
        let key = self.newest();
        let payload = serde_json::to_vec(&Payload {
            iss: ISSUER.to_owned(),
            claims,
        })?;
        let message = format!("{}.{}", header(key), BASE64.encode(payload));
        let signature = BASE64.encode(key.signer.sign(message.as_bytes()));
        Ok(format!("{message}.{signature}"))
    }

    /// What an access token says, if one of these keys signed it and it is not over.
    #[must_use]
    pub fn verify(&self, token: &str, now: DateTime<Utc>) -> Option<Claims> {
        if token.len() > MAX_LEN {
            return None;
        }
        let (message, signature) = token.rsplit_once('.')?;
        let (said, payload) = message.split_once('.')?;
        let key = self.all().find(|key| header(key) == said)?;
        let signature = BASE64.decode(signature).ok()?;
        let verifier = UnparsedPublicKey::new(&ED25519, key.public());
        verifier.verify(message.as_bytes(), &signature).ok()?;
        let payload: Payload = serde_json::from_slice(&BASE64.decode(payload).ok()?).ok()?;
        let (claims, now) = (payload.claims, now.timestamp());
        let holds = payload.iss == ISSUER && claims.iat <= now.saturating_add(SKEW_S) && now < claims.exp;
        holds.then_some(claims)
    }

    /// Writes a refresh token. The same one always comes out alike, so that whoever lost an answer can ask again.
    #[must_use]
    pub fn write_refresh(&self, token: RefreshToken) -> String {
        let key = self.newest();
        let mac = hmac::sign(&key.refresh, &refreshed(token));
        format!(
            "{REFRESH}.{}.{}.{}.{}",
            key.id,
            token.session.as_simple(),
            token.generation,
            BASE64.encode(mac)
        )
    }

    /// Reads a refresh token that these keys wrote.
    #[must_use]
    pub fn read_refresh(&self, text: &str) -> Option<RefreshToken> {
        if text.len() > MAX_LEN {
            return None;
        }
        let parts: Vec<&str> = text.split('.').collect();
        let &[REFRESH, id, session, generation, mac] = parts.as_slice() else {
            return None;
        };
        let token = RefreshToken {
            session: Uuid::try_parse(session).ok()?,
            generation: generation.parse().ok()?,
        };
        let mac = BASE64.decode(mac).ok()?;
        hmac::verify(&self.find(id)?.refresh, &refreshed(token), &mac).ok()?;
        Some(token)
    }
}

fn header(key: &AccessKey) -> String {
    // an id has nothing that JSON would escape
    BASE64.encode(format!(r#"{{"alg":"EdDSA","typ":"JWT","kid":"{}"}}"#, key.id))
}

fn refreshed(token: RefreshToken) -> Vec<u8> {
    [token.session.as_bytes().as_slice(), &token.generation.to_be_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "a:0101010101010101010101010101010101010101010101010101010101010101";
    const B: &str = "b:0202020202020202020202020202020202020202020202020202020202020202";
    const NOW: i64 = 1_800_000_000;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    fn claims() -> Claims {
        Claims {
            sub: Uuid::from_u128(1),
            sid: Uuid::from_u128(2),
            iat: NOW,
            exp: NOW + 300,
        }
    }

    #[test]
    fn a_token_says_what_was_signed_until_it_is_over() {
        let keys = AccessKeys::parse(A).unwrap();
        let token = keys.sign(claims()).unwrap();
        assert_eq!(keys.verify(&token, at(NOW)), Some(claims()));
        assert_eq!(keys.verify(&token, at(NOW + 299)), Some(claims()));
        assert_eq!(keys.verify(&token, at(NOW + 300)), None, "over");
        assert_eq!(keys.verify(&token, at(NOW - 61)), None, "from the future");
        assert!(AccessKeys::parse(B).unwrap().verify(&token, at(NOW)).is_none());
        let both = AccessKeys::parse(&format!("{B},{A}")).unwrap();
        assert_eq!(
            both.verify(&token, at(NOW)),
            Some(claims()),
            "until the old key is taken out"
        );
        assert_ne!(both.sign(claims()).unwrap(), token);
    }

    #[test]
    fn others_read_it_as_a_json_web_token() {
        let keys = AccessKeys::parse(A).unwrap();
        let token = keys.sign(claims()).unwrap();
        let part = |n: usize| -> serde_json::Value {
            let text = token.split('.').nth(n).unwrap();
            serde_json::from_slice(&BASE64.decode(text).unwrap()).unwrap()
        };
        assert_eq!(part(0), serde_json::json!({ "alg": "EdDSA", "typ": "JWT", "kid": "a" }));
        assert_eq!(part(1)["iss"], "switchyard");
        assert_eq!(part(1)["exp"], NOW + 300);
    }

    #[test]
    fn nothing_but_our_own_form_is_believed() {
        let keys = AccessKeys::parse(A).unwrap();
        let token = keys.sign(claims()).unwrap();
        let parts: Vec<&str> = token.split('.').collect();
        let none = BASE64.encode(r#"{"alg":"none","typ":"JWT"}"#);
        let hs256 = BASE64.encode(r#"{"alg":"HS256","typ":"JWT","kid":"a"}"#);
        let other = BASE64.encode(
            serde_json::to_vec(&Claims {
                exp: NOW + 9_000,
                ..claims()
            })
            .unwrap(),
        );
        for forged in [
            String::new(),
            "..".to_owned(),
            format!("{none}.{}.", parts[1]),
            format!("{none}.{}.{}", parts[1], parts[2]),
            format!("{hs256}.{}.{}", parts[1], parts[2]),
            format!("{}.{other}.{}", parts[0], parts[2]),
            format!("{}.{}.", parts[0], parts[1]),
            format!("{token}x"),
            "x".repeat(5_000),
        ] {
            assert_eq!(keys.verify(&forged, at(NOW)), None, "{forged}");
        }
        for n in 0..token.len() {
            let mut bytes = token.clone().into_bytes();
            bytes[n] = if bytes[n] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            assert_eq!(keys.verify(&changed, at(NOW)), None, "character {n}");
        }
    }

    #[test]
    fn a_refresh_token_is_the_same_whenever_it_is_written_and_cannot_be_made_up() {
        let keys = AccessKeys::parse(A).unwrap();
        let token = RefreshToken {
            session: Uuid::from_u128(7),
            generation: 3,
        };
        let text = keys.write_refresh(token);
        assert_eq!(text, keys.write_refresh(token));
        assert_eq!(keys.read_refresh(&text), Some(token));
        for forged in [
            text.replace(".3.", ".4."),
            text.replace("rt.a", "rt.b"),
            text.replace("rt.", "xx."),
            text[..text.len() - 1].to_owned(),
            format!("{text}.x"),
            String::new(),
        ] {
            assert_eq!(keys.read_refresh(&forged), None, "{forged}");
        }
    }
}
