//! Passwords: which are good enough, and how they are kept.

use std::fmt;
use std::sync::OnceLock;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use ring::rand::{SecureRandom, SystemRandom};
use zeroize::Zeroizing;
use zxcvbn::{Score, zxcvbn};

use crate::NoRandomness;

/// The fewest characters of a password.
pub const MIN_PASSWORD: usize = 12;
/// The most: longer ones are not better, and cost time.
pub const MAX_PASSWORD: usize = 128;

/// Argon2id with 19 MiB, two passes and one lane, as OWASP recommends it.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const SALT_LEN: usize = 16;

/// Why a password is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Weak {
    /// Fewer than [`MIN_PASSWORD`] characters.
    #[error("a password has 12 characters at least")]
    Short,
    /// More than [`MAX_PASSWORD`] characters.
    #[error("a password has 128 characters at most")]
    Long,
    /// Among the common ones, or easily made from words, dates, names and patterns.
    #[error("this password is easy to guess; use more words, or a random one from a password manager")]
    Guessable,
}

/// Whether a password is good enough for somebody of whom this is known: long enough, and found neither among the tens of
/// thousands of common passwords, names and words that the estimator knows nor by simple changes of them.
///
/// # Errors
/// [`Weak`], and why.
pub fn check_password(password: &str, known: &[&str]) -> Result<(), Weak> {
    let length = password.chars().count();
    if length < MIN_PASSWORD {
        return Err(Weak::Short);
    }
    if length > MAX_PASSWORD {
        return Err(Weak::Long);
    }
    if zxcvbn(password, known).score() < Score::Three {
        return Err(Weak::Guessable);
    }
    Ok(())
}

/// A password to begin with: twenty random characters in groups of four, none of which looks like another.
///
/// # Errors
/// When there is no randomness.
pub fn fresh_password() -> Result<Zeroizing<String>, NoRandomness> {
    const ALPHABET: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz23456789@";
    let mut random = Zeroizing::new([0_u8; 20]);
    SystemRandom::new()
        .fill(random.as_mut_slice())
        .map_err(|_| NoRandomness)?;
    let mut password = Zeroizing::new(String::with_capacity(24));
    for (n, byte) in random.iter().enumerate() {
        if n > 0 && n % 4 == 0 {
            password.push('-');
        }
        password.push(char::from(ALPHABET[usize::from(byte % 32)]));
    }
    Ok(password)
}

/// A password as it is kept. Making and comparing one takes tens of milliseconds of work, on purpose: not on a thread that
/// serves others.
#[derive(Clone, PartialEq, Eq)]
pub struct HashedPassword(String);

impl HashedPassword {
    /// Hashes a password under a fresh salt.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn make(password: &str) -> Result<Self, NoRandomness> {
        let mut salt = [0; SALT_LEN];
        SystemRandom::new().fill(&mut salt).map_err(|_| NoRandomness)?;
        let hash = argon2().hash_password_with_salt(password.as_bytes(), &salt);
        hash.map(|hash| Self(hash.to_string())).map_err(|_| NoRandomness)
    }

    /// One that was kept.
    #[must_use]
    pub const fn kept(text: String) -> Self {
        Self(text)
    }

    /// Nobody's: comparing with it takes as long as with any other, so that the time of an answer does not tell who there is.
    #[must_use]
    pub fn nobodys() -> Self {
        static NOBODYS: OnceLock<HashedPassword> = OnceLock::new();
        let made = NOBODYS.get_or_init(|| Self::make("nobody has this one").unwrap_or(Self(String::new())));
        made.clone()
    }

    /// To be kept.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is this one.
    #[must_use]
    pub fn is(&self, password: &str) -> bool {
        let kept = PasswordHash::new(&self.0);
        kept.is_ok_and(|kept| argon2().verify_password(password.as_bytes(), &kept).is_ok())
    }
}

fn argon2() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, 1, None).unwrap_or(Params::DEFAULT);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

impl fmt::Debug for HashedPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HashedPassword(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weak_passwords_are_refused_and_why() {
        let anna = ["anna@example.org", "Anna Ivanova"];
        for (password, weak) in [
            ("", Weak::Short),
            ("Tr0ub4dor&3", Weak::Short),
            ("password1234", Weak::Guessable),
            ("qwertyuiop123", Weak::Guessable),
            ("P@ssw0rdP@ssw0rd", Weak::Guessable),
            ("aaaaaaaaaaaaaaaa", Weak::Guessable),
            ("letmeinletmein", Weak::Guessable),
            ("anna@example.org1", Weak::Guessable),
            ("iloveyou20202020", Weak::Guessable),
        ] {
            assert_eq!(check_password(password, &anna), Err(weak), "{password}");
        }
        assert_eq!(check_password(&"x1".repeat(65), &[]), Err(Weak::Long));
        for good in [
            "seven purple lamps under water",
            "v9#kQ2m!xT4z",
            "能量租赁系统的管理员口令示例",
        ] {
            assert_eq!(check_password(good, &anna), Ok(()), "{good}");
        }
    }

    #[test]
    fn a_fresh_password_is_strong_and_another_each_time() {
        let (one, other) = (fresh_password().unwrap(), fresh_password().unwrap());
        assert_ne!(one, other);
        assert_eq!(one.len(), 24);
        assert_eq!(check_password(&one, &[]), Ok(()));
    }

    #[test]
    fn only_the_hash_is_kept_and_it_knows_its_password() {
        let hash = HashedPassword::make("seven purple lamps").unwrap();
        assert!(
            hash.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{}",
            hash.as_str()
        );
        assert_ne!(hash, HashedPassword::make("seven purple lamps").unwrap(), "salted");
        assert!(hash.is("seven purple lamps"));
        assert!(!hash.is("seven purple lamp") && !hash.is(""));
        assert!(HashedPassword::kept(hash.as_str().to_owned()).is("seven purple lamps"));
        assert!(!HashedPassword::kept("x".to_owned()).is("x"));
        assert!(!HashedPassword::nobodys().is("seven purple lamps"));
        assert_eq!(format!("{hash:?}"), "HashedPassword(redacted)");
    }
}
