//! Why a process must not start with what it was given. No message here ever holds a value of a secret.

use std::fmt;
use std::path::PathBuf;

use kernel::ErrorClass;

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// A file cannot be read.
    #[error("cannot read {path}, which {wanted_by}", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What asks for it.
        wanted_by: String,
        /// The machine's answer.
        #[source]
        source: std::io::Error,
    },
    /// A file is not TOML. The text itself is left out, since somebody may have put a secret into it.
    #[error("{path}, line {line}: {message}", path = path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Where, counted from 1.
        line: usize,
        /// What is wrong there.
        message: String,
    },
    /// A secret stands in a TOML file.
    #[error("{path} holds the secret `{key}`: give it as {variable} or as {variable}_FILE", path = path.display())]
    SecretInFile {
        /// The file.
        path: PathBuf,
        /// The key.
        key: String,
        /// The environment variable to use instead.
        variable: String,
    },
    /// A key is unknown, missing, or has a value of the wrong kind.
    #[error("{key}: {message}")]
    Value {
        /// The key, or the environment variable.
        key: String,
        /// What is wrong with it.
        message: String,
    },
    /// The values are readable but not usable together, or unsafe here.
    #[error("the configuration is not usable:\n{0}")]
    Invalid(Problems),
}

impl SettingsError {
    /// Always [`ErrorClass::Invalid`]: somebody must change the configuration.
    #[must_use]
    pub const fn class(&self) -> ErrorClass {
        ErrorClass::Invalid
    }
}

/// One thing that is wrong with the values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The key, such as `api.listen`.
    pub key: String,
    /// What is wrong with its value.
    pub wrong: String,
    /// What to do about it.
    pub remedy: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.key, self.wrong, self.remedy)
    }
}

/// Everything that is wrong with the values; one line each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            write!(f, "{}  {problem}", if index == 0 { "" } else { "\n" })?;
        }
        Ok(())
    }
}
