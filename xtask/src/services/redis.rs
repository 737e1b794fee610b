//! A private Redis: 127.0.0.1 with a password, append-only file where the data must last, no eviction ever.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::install;
use super::process::{Process, wait_until};

const READY_WITHIN: Duration = Duration::from_secs(30);

/// Where one server keeps its things.
pub(crate) struct Redis {
    home: PathBuf,
}

impl Redis {
    /// The server whose data is in `home`, which is made if need be.
    pub(crate) fn in_folder(home: &Path) -> Result<Self> {
        std::fs::create_dir_all(home).with_context(|| format!("cannot make {}", home.display()))?;
        Ok(Self { home: home.to_owned() })
    }

    fn log(&self) -> PathBuf {
        self.home.join("log")
    }

    /// Starts the server on `port` and answers at once; [`Self::wait`] waits for it.
    pub(crate) fn start(&self, port: u16, password: &str, durable: bool) -> Result<Process> {
        let config = self.home.join("redis.conf");
        let append = if durable { "yes" } else { "no" };
        // the password is in a file and not in the arguments, where every user of the machine could read it
        let text = format!(
            "bind 127.0.0.1\nport {port}\ndir \"{}\"\nrequirepass {password}\nappendonly {append}\nsave \"\"\n\
             maxmemory-policy noeviction\ndaemonize no\n",
            self.home.display()
        );
        std::fs::OpenOptions::new()
            .create(true)
            .truncate(true)
            .write(true)
            .mode(0o600)
            .open(&config)
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .context("cannot write redis.conf")?;
        Process::spawn(
            Command::new(install::program("redis-server")?).arg(&config),
            &self.log(),
        )
    }

    /// Waits until the server answers with this password.
    pub(crate) fn wait(&self, process: &Process, port: u16, password: &str) -> Result<()> {
        let ready = wait_until(READY_WITHIN, || {
            if !process.is_alive() {
                bail!("Redis ended at once: see {}", self.log().display());
            }
            Ok(answers(port, password).unwrap_or(false))
        })?;
        if !ready {
            bail!("Redis does not answer: see {}", self.log().display());
        }
        Ok(())
    }
}

/// What the server says of itself under a heading, lines of `name:value`.
pub(crate) fn info(port: u16, password: &str, section: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    stream.write_all(format!("AUTH {password}\r\nINFO {section}\r\nQUIT\r\n").as_bytes())?;
    let mut answer = String::new();
    stream.take(1_000_000).read_to_string(&mut answer)?;
    Ok(answer)
}

/// `PONG` comes only when the password is right and the data is loaded.
fn answers(port: u16, password: &str) -> std::io::Result<bool> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(Duration::from_secs(2)))?;
    stream.write_all(format!("AUTH {password}\r\nPING\r\nQUIT\r\n").as_bytes())?;
    let mut answer = String::new();
    stream.take(1_000).read_to_string(&mut answer)?;
    Ok(answer.contains("+PONG"))
}
