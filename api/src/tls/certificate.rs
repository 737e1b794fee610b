//! A certificate and its private key, as files hold them. What a file holds is never in a message: somebody may have given the
//! one for the other.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use x509_cert::Certificate;
use x509_cert::der::Decode;

/// A chain is a few KiB. What is longer is something else.
const MAX_FILE_BYTES: u64 = 256 * 1024;

/// Why the API cannot speak TLS with what `[api.tls]` names.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{key} names {path}, which cannot be read: see that it is there, and that the API's user may read it", path = path.display())]
    Read {
        /// The setting.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// The machine's answer.
        #[source]
        source: std::io::Error,
    },
    /// There is no certificate in the file, or none that is whole.
    #[error("api.tls.certificate names {0}, which holds no certificate in PEM: name the file with the whole chain")]
    NoCertificate(String),
    /// The first certificate of the file cannot be read.
    #[error("api.tls.certificate names {0}, whose first certificate cannot be read: have it issued anew")]
    Unreadable(String),
    /// There is no private key in the file, or none that is whole.
    #[error("api.tls.key names {0}, which holds no private key in PEM: name the file with the key, without a password")]
    NoKey(String),
    /// The key is of a kind that cannot sign.
    #[error(
        "api.tls.key names {0}, whose key cannot be used: use ECDSA (P-256, P-384), Ed25519, or RSA of 2,048 bits or more"
    )]
    KeyRefused(String, #[source] rustls::Error),
    /// The key is another one's.
    #[error(
        "api.tls.key names {key}, which is not the key of the certificate in {certificate}: give the two that were issued together"
    )]
    KeyOfAnother {
        /// The certificate's file.
        certificate: String,
        /// The key's file.
        key: String,
    },
    /// Nobody believes the certificate any more.
    #[error("api.tls.certificate names {0}, which was good until {1}: renew it")]
    Over(String, DateTime<Utc>),
    /// The library refuses its own defaults.
    #[error("TLS cannot be set up")]
    Library(#[source] rustls::Error),
}

/// A certificate with those that it was issued by, and its private key.
pub(super) struct Pair {
    pub(super) certified: Arc<CertifiedKey>,
    /// From then on nobody believes it.
    pub(super) ends: DateTime<Utc>,
}

impl Pair {
    /// Reads both files. They fit, or it is an error; whether they are still good is for the caller to see.
    pub(super) fn read(files: &settings::Tls) -> Result<Self, TlsError> {
        let chain = read("api.tls.certificate", &files.certificate)?;
        let chain: Result<Vec<CertificateDer<'static>>, _> = CertificateDer::pem_slice_iter(&chain).collect();
        let chain = chain.unwrap_or_default();
        let Some(first) = chain.first() else {
            return Err(TlsError::NoCertificate(files.certificate.clone()));
        };
        let ends = end(first).ok_or_else(|| TlsError::Unreadable(files.certificate.clone()))?;
        let key = read("api.tls.key", &files.key)?;
        let key = PrivateKeyDer::from_pem_slice(&key).map_err(|_| TlsError::NoKey(files.key.clone()))?;
        let provider = rustls::crypto::ring::default_provider();
        let certified = CertifiedKey::from_der(chain, key, &provider).map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => TlsError::KeyOfAnother {
                certificate: files.certificate.clone(),
                key: files.key.clone(),
            },
            rustls::Error::InvalidCertificate(_) => TlsError::Unreadable(files.certificate.clone()),
            error => TlsError::KeyRefused(files.key.clone(), error),
        })?;
        Ok(Self {
            certified: Arc::new(certified),
            ends,
        })
    }
}

fn read(key: &'static str, path: &str) -> Result<Vec<u8>, TlsError> {
    let failed = |source| TlsError::Read {
        key,
        path: path.into(),
        source,
    };
    let file = File::open(Path::new(path)).map_err(failed)?;
    let mut bytes = Vec::new();
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > MAX_FILE_BYTES) {
        return Err(failed(std::io::Error::other("it has more than 256 KiB")));
    }
    Ok(bytes)
}

fn end(certificate: &CertificateDer<'_>) -> Option<DateTime<Utc>> {
    let certificate = Certificate::from_der(certificate.as_ref()).ok()?;
    let ends = certificate.tbs_certificate().validity().not_after.to_unix_duration();
    DateTime::from_timestamp(i64::try_from(ends.as_secs()).ok()?, 0)
}
