//! The certificate that new connections are served with: the newest that could be read. What is broken while it is renewed
//! changes nothing; an alert tells when that goes on for too long.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use chrono::{DateTime, Utc};
use kernel::Clock;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::certificate::{Pair, TlsError};
use crate::problem::chain;

pub(super) struct Served {
    files: settings::Tls,
    current: RwLock<Arc<CertifiedKey>>,
}

/// Says nothing of the key.
impl fmt::Debug for Served {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Served").finish_non_exhaustive()
    }
}

impl Served {
    /// What the files hold now. One that is over is served all the same: the API is not kept away from those who are told to
    /// accept it, and takes up the next one by itself.
    pub(super) fn new(files: settings::Tls, now: DateTime<Utc>) -> Result<Self, TlsError> {
        let Pair { certified, ends } = Pair::read(&files)?;
        if ends <= now {
            tracing::warn!(file = files.certificate, %ends, "the certificate is over: clients will refuse it until it is renewed");
        }
        measure(ends);
        Ok(Self {
            files,
            current: RwLock::new(certified),
        })
    }

    /// Looks at the files again and again.
    pub(super) async fn follow(self: Arc<Self>, clock: Arc<dyn Clock>, every: Duration) {
        loop {
            tokio::time::sleep(every).await;
            let (served, now) = (self.clone(), clock.now());
            // a disk may be slow
            if let Err(error) = tokio::task::spawn_blocking(move || served.look(now)).await {
                tracing::error!(%error, "looking for a renewed certificate failed");
            }
        }
    }

    /// Takes up what was renewed. Between the writing of the two files they do not fit: the next look finds both.
    pub(super) fn look(&self, now: DateTime<Utc>) {
        let found = match Pair::read(&self.files) {
            Ok(found) if found.certified.cert == self.current().cert => return,
            Ok(found) if found.ends <= now => Err(TlsError::Over(self.files.certificate.clone(), found.ends)),
            other => other,
        };
        match found {
            Ok(Pair { certified, ends }) => {
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = certified;
                measure(ends);
                tracing::info!(file = self.files.certificate, %ends, "a renewed certificate is served");
            }
            Err(error) => tracing::warn!(
                cause = chain(&error),
                "a certificate was not taken up; the last one is kept"
            ),
        }
    }

    pub(super) fn current(&self) -> Arc<CertifiedKey> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ResolvesServerCert for Served {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current())
    }
}

#[expect(clippy::cast_precision_loss, reason = "gauges are floats")]
fn measure(ends: DateTime<Utc>) {
    metrics::gauge!("switchyard_api_certificate_ends_timestamp_seconds").set(ends.timestamp() as f64);
}
