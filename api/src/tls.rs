//! TLS on the API's own listener: who is let in, with which certificate, and how long agreeing may take. What is said then is
//! HTTP as ever: nothing behind the listener knows of it.

mod certificate;
mod listener;
mod served;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use kernel::Clock;
use rustls::ServerConfig;
use settings::Settings;
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;

use self::certificate::Pair;
pub use self::certificate::TlsError;
use self::listener::TlsListener;
use self::served::Served;

/// What clients may speak then, the preferred one first.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// Until when the certificate is good that the API would serve with; `None` where it does not speak TLS itself.
///
/// # Errors
/// When it could not start with these files, or nobody would believe it.
pub fn check_certificate(settings: &Settings, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>, TlsError> {
    let files = &settings.api.tls;
    if !files.is_on() {
        return Ok(None);
    }
    let ends = Pair::read(files)?.ends;
    if ends <= now {
        return Err(TlsError::Over(files.certificate.clone(), ends));
    }
    Ok(Some(ends))
}

/// Read, and not serving yet.
pub(crate) struct Tls {
    served: Arc<Served>,
    config: Arc<ServerConfig>,
    handshake_timeout: Duration,
    reload_interval: Duration,
}

impl Tls {
    /// What `files` say; `None` where the API does not speak TLS itself.
    pub(crate) fn new(files: &settings::Tls, now: DateTime<Utc>) -> Result<Option<Self>, TlsError> {
        if !files.is_on() {
            return Ok(None);
        }
        let served = Arc::new(Served::new(files.clone(), now)?);
        Ok(Some(Self {
            config: config(served.clone())?,
            served,
            handshake_timeout: Duration::from_millis(files.handshake_timeout_ms),
            reload_interval: Duration::from_secs(files.reload_interval_s),
        }))
    }

    /// Serves on `tcp`. As long as it does, renewed files are taken up.
    pub(crate) fn listen(self, tcp: TcpListener, clock: Arc<dyn Clock>) -> TlsListener {
        let following = tokio::spawn(self.served.follow(clock, self.reload_interval));
        TlsListener::new(
            tcp,
            self.config,
            self.handshake_timeout,
            AbortOnDropHandle::new(following),
        )
    }
}

/// TLS 1.2 and 1.3, by `ring`, whatever else the process has installed.
fn config(served: Arc<Served>) -> Result<Arc<ServerConfig>, TlsError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Library)?;
    let mut config = builder.with_no_client_auth().with_cert_resolver(served);
    config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).into();
    Ok(Arc::new(config))
}

#[cfg(test)]
mod tests;
