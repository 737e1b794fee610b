//! Files that fit, do not, are renewed and broken; no sockets.

use std::error::Error;
use std::path::PathBuf;

use kernel::ManualClock;
use rcgen::{CertificateParams, KeyPair};
use tempfile::TempDir;

use super::*;

const PATIENCE: Duration = Duration::from_secs(20);

/// A folder with a certificate and its key.
struct Files {
    dir: TempDir,
    settings: settings::Tls,
}

impl Files {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
        let settings = settings::Tls {
            certificate: path("fullchain.pem"),
            key: path("privkey.pem"),
            reload_interval_s: 1,
            handshake_timeout_ms: 1_000,
        };
        let files = Self { dir, settings };
        files.put(&issue(2030));
        files
    }

    fn put(&self, (certificate, key): &(String, String)) {
        std::fs::write(&self.settings.certificate, certificate).unwrap();
        std::fs::write(&self.settings.key, key).unwrap();
    }

    fn refused(&self) -> TlsError {
        Pair::read(&self.settings).err().unwrap()
    }
}

/// PEM of a certificate that is good until the first day of this year, and of its key.
fn issue(ends: i32) -> (String, String) {
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    params.not_after = rcgen::date_time_ymd(ends, 1, 1);
    let key = KeyPair::generate().unwrap();
    (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
}

fn year(year: i32) -> DateTime<Utc> {
    format!("{year}-01-01T00:00:00Z").parse().unwrap()
}

/// The message with all causes, as it is logged.
fn told(error: &TlsError) -> String {
    let mut text = format!("{error} {error:?}");
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}

#[test]
fn a_pair_that_fits_is_read_with_its_end() {
    let files = Files::new();
    assert_eq!(Pair::read(&files.settings).unwrap().ends, year(2030));
    // a chain: the end is that of the first one
    let (first, key) = issue(2031);
    files.put(&(first + &issue(2029).0, key));
    let chain = Pair::read(&files.settings).unwrap();
    assert_eq!((chain.ends, chain.certified.cert.len()), (year(2031), 2));
}

#[test]
fn both_in_one_file_are_found() {
    let mut files = Files::new();
    let (certificate, key) = issue(2031);
    std::fs::write(&files.settings.key, key + &certificate).unwrap();
    files.settings.certificate = files.settings.key.clone();
    assert_eq!(Pair::read(&files.settings).unwrap().ends, year(2031));
}

#[test]
fn what_cannot_be_used_is_named_and_not_shown() {
    let files = Files::new();
    let (certificate, key) = issue(2030);
    let put = |certificate: &str, key: &str| files.put(&(certificate.to_owned(), key.to_owned()));
    // a key on one line, as people paste it, and one that is cut off
    let (pasted, cut) = (key.replace('\n', ""), &key[..key.len() / 2]);
    put(&key, &certificate);
    assert!(matches!(files.refused(), TlsError::NoCertificate(_)));
    put(&certificate, &certificate);
    assert!(matches!(files.refused(), TlsError::NoKey(_)));
    put(&certificate, "");
    assert!(matches!(files.refused(), TlsError::NoKey(_)));
    put("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", &key);
    assert!(matches!(files.refused(), TlsError::Unreadable(_)));
    put(
        &certificate,
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
    );
    assert!(matches!(files.refused(), TlsError::KeyRefused(..)));
    put(&certificate, &issue(2030).1);
    assert!(matches!(files.refused(), TlsError::KeyOfAnother { .. }));
    put(&certificate, &"x".repeat(300_000));
    assert!(matches!(files.refused(), TlsError::Read { key: "api.tls.key", .. }));
    let secret = key.lines().nth(1).unwrap();
    let pasted = pasted.as_str();
    for (certificate, key) in [
        (pasted, cut),
        (cut, pasted),
        (certificate.as_str(), pasted),
        (certificate.as_str(), cut),
    ] {
        put(certificate, key);
        let text = told(&files.refused());
        assert!(text.contains(files.dir.path().to_str().unwrap()), "{text}");
        // also not as a list of bytes
        let bytes = format!("{:?}", &secret.as_bytes()[..8]);
        let bytes = bytes.trim_matches(['[', ']']);
        assert!(!text.contains(&secret[..8]) && !text.contains(bytes), "{text}");
    }
}

#[test]
fn a_file_that_is_not_there_is_named_with_its_setting() {
    let mut files = Files::new();
    let missing = files.dir.path().join("missing.pem");
    files.settings.key = missing.to_str().unwrap().to_owned();
    let text = files.refused().to_string();
    assert!(
        text.starts_with("api.tls.key names ") && text.contains("missing.pem"),
        "{text}"
    );
    let path = PathBuf::from(files.dir.path());
    files.settings.certificate = path.to_str().unwrap().to_owned();
    assert!(files.refused().to_string().starts_with("api.tls.certificate names "));
}

#[test]
fn what_was_renewed_is_taken_up() {
    let files = Files::new();
    let served = Served::new(files.settings.clone(), year(2026)).unwrap();
    let first = served.current();
    served.look(year(2026));
    assert!(Arc::ptr_eq(&first, &served.current()), "nothing changed");
    files.put(&issue(2031));
    served.look(year(2026));
    assert_ne!(first.cert, served.current().cert);
}

#[test]
fn what_is_broken_while_it_is_renewed_changes_nothing() {
    let files = Files::new();
    let served = Served::new(files.settings.clone(), year(2026)).unwrap();
    let first = served.current();
    let (certificate, key) = issue(2031);
    let kept = |why: &str| {
        served.look(year(2026));
        assert!(Arc::ptr_eq(&first, &served.current()), "{why}");
    };
    std::fs::write(&files.settings.certificate, &certificate).unwrap();
    kept("the key is still the old one");
    std::fs::write(&files.settings.key, "").unwrap();
    kept("the key is being written");
    std::fs::remove_file(&files.settings.key).unwrap();
    kept("the key is gone");
    files.put(&issue(2025));
    kept("it is over already");
    files.put(&(certificate, key));
    served.look(year(2026));
    assert_ne!(first.cert, served.current().cert, "and then it is there");
}

#[test]
fn one_that_is_over_is_served_and_fails_the_check() {
    let files = Files::new();
    assert!(Served::new(files.settings.clone(), year(2030)).is_ok());
    let settings = load(&files);
    let checked = |at: i32| check_certificate(&settings, year(at));
    assert_eq!(checked(2026).unwrap(), Some(year(2030)));
    assert!(matches!(checked(2030), Err(TlsError::Over(..))));
    std::fs::remove_file(&files.settings.key).unwrap();
    assert!(matches!(checked(2026), Err(TlsError::Read { .. })));
}

/// The shipped settings with these files.
fn load(files: &Files) -> Settings {
    let set = |name: &str, value: &str| (format!("SWITCHYARD__API__TLS__{name}"), value.to_owned());
    Settings::load_from(&settings::Source {
        dir: PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../config"),
        environment: "dev".into(),
        variables: [
            set("CERTIFICATE", &files.settings.certificate),
            set("KEY", &files.settings.key),
        ]
        .into(),
    })
    .unwrap()
}

#[test]
fn without_files_there_is_no_tls() {
    let mut files = Files::new();
    files.settings.certificate.clear();
    files.settings.key.clear();
    assert!(Tls::new(&files.settings, year(2026)).unwrap().is_none());
    assert_eq!(check_certificate(&load(&files), year(2026)).unwrap(), None);
}

#[test]
fn nothing_of_the_key_is_shown() {
    let files = Files::new();
    let served = Served::new(files.settings, year(2026)).unwrap();
    assert_eq!(format!("{served:?}"), "Served { .. }");
}

#[tokio::test]
async fn the_files_are_looked_at_again_and_again() {
    let files = Files::new();
    let served = Arc::new(Served::new(files.settings.clone(), year(2026)).unwrap());
    let clock = Arc::new(ManualClock::at(year(2026)));
    let _following = AbortOnDropHandle::new(tokio::spawn(served.clone().follow(clock, Duration::from_millis(5))));
    for ends in [2031, 2032] {
        let last = served.current();
        files.put(&issue(ends));
        let renewed = async {
            while Arc::ptr_eq(&last, &served.current()) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, renewed).await.unwrap();
    }
}
