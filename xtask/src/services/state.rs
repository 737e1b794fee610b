//! What is remembered of an instance between two commands: passwords for as long as its data, processes while they run.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::process::Process;

/// Owns the databases and runs migrations.
pub(crate) const OWNER: &str = "switchyard_owner";
/// The database of the product.
pub(crate) const DATABASE: &str = "switchyard";

/// Passwords of one instance; lost with its data only.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Credentials {
    pub(crate) owner: String,
    pub(crate) api: String,
    pub(crate) worker: String,
    pub(crate) redis: String,
}

impl Credentials {
    /// Those of the instance in `dir`, made at its first start.
    pub(crate) fn of(dir: &Path) -> Result<Self> {
        let file = dir.join("credentials.json");
        if let Some(known) = read_json(&file)? {
            return Ok(known);
        }
        let made = Self {
            owner: random()?,
            api: random()?,
            worker: random()?,
            redis: random()?,
        };
        write_json(&file, &made)?;
        Ok(made)
    }
}

/// One running server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Server {
    #[serde(flatten)]
    pub(crate) process: Process,
    pub(crate) port: u16,
}

/// The servers of one instance, as last seen.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Servers {
    pub(crate) postgres: Option<Server>,
    pub(crate) redis: Option<Server>,
}

/// 24 random bytes in hex.
fn random() -> Result<String> {
    let mut bytes = [0_u8; 24];
    File::open("/dev/urandom")
        .and_then(|mut file| file.read_exact(&mut bytes))
        .context("no random numbers")?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// `preferred` if it is free, else any free port of 127.0.0.1.
pub(crate) fn free_port(preferred: Option<u16>) -> Result<u16> {
    let bind = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port));
    let preferred = preferred.and_then(|port| bind(port).ok());
    let listener = preferred.map_or_else(|| bind(0), Ok).context("no free port")?;
    Ok(listener.local_addr().context("no free port")?.port())
}

/// The file's value; `None` if there is no file.
pub(crate) fn read_json<T: DeserializeOwned>(file: &Path) -> Result<Option<T>> {
    match std::fs::read(file) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map(Some)
            .with_context(|| format!("cannot read {}", file.display())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", file.display())),
    }
}

/// Writes the file whole or not at all, for this user's eyes only.
pub(crate) fn write_json<T: Serialize>(file: &Path, value: &T) -> Result<()> {
    let part = file.with_extension("part");
    let text = serde_json::to_string_pretty(value).context("cannot write JSON")?;
    OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(&part)
        .and_then(|mut out| out.write_all(text.as_bytes()))
        .and_then(|()| std::fs::rename(&part, file))
        .with_context(|| format!("cannot write {}", file.display()))
}

/// The folder of an instance; a name that would leave the services' folder is refused.
pub(crate) fn instance_dir(root: &Path, name: &str) -> Result<PathBuf> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.is_empty() || name.len() > 40 || !name.chars().all(plain) {
        bail!("`{name}` is no name for an instance: use 1 to 40 of a-z, 0-9 and `-`");
    }
    Ok(root.join(".switchyard/services").join(name))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn passwords_are_kept_for_this_user_only() {
        let dir = tempfile::tempdir().unwrap();
        let first = Credentials::of(dir.path()).unwrap();
        assert_eq!(Credentials::of(dir.path()).unwrap().owner, first.owner);
        assert_ne!(first.owner, first.api);
        assert_eq!(first.owner.len(), 48);
        let mode = std::fs::metadata(dir.path().join("credentials.json"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn broken_state_is_an_error_and_not_a_fresh_start() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("state.json");
        assert_eq!(read_json::<Servers>(&file).unwrap(), None);
        std::fs::write(&file, "{").unwrap();
        assert!(read_json::<Servers>(&file).is_err());
    }

    #[test]
    fn a_taken_port_is_not_given_out() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        assert_ne!(free_port(Some(port)).unwrap(), port);
        drop(taken);
        assert_eq!(free_port(Some(port)).unwrap(), port);
    }

    #[test]
    fn instances_stay_in_their_folder() {
        assert!(
            instance_dir(Path::new("/r"), "test-1")
                .unwrap()
                .ends_with("services/test-1")
        );
        for bad in ["", "..", "a/b", "A", "a b"] {
            assert!(instance_dir(Path::new("/r"), bad).is_err(), "{bad:?}");
        }
    }
}
