//! The API over TLS, by real sockets and a client that trusts one authority.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use switchyard_api::{App, Scope, Server, StartError, TlsError};
use tempfile::TempDir;
use testkit::{Role, TestDb, TestRedis};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_util::sync::CancellationToken;

use crate::support::{Log, TestApi, order, settings};

const PATIENCE: Duration = Duration::from_secs(20);

/// Who issues the certificates of a test, and the folder where the API finds them.
struct Authority {
    certificate: rcgen::Certificate,
    issuer: Issuer<'static, KeyPair>,
    dir: TempDir,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let authority = Self {
            certificate: params.self_signed(&key).unwrap(),
            issuer: Issuer::new(params, key),
            dir: TempDir::new().unwrap(),
        };
        authority.renew();
        authority
    }

    /// Puts a new certificate and its key into the folder.
    fn renew(&self) -> CertificateDer<'static> {
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, "an API of a test");
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        std::fs::write(self.path("fullchain.pem"), certificate.pem()).unwrap();
        std::fs::write(self.path("privkey.pem"), key.serialize_pem()).unwrap();
        certificate.der().clone()
    }

    fn path(&self, name: &str) -> String {
        self.dir.path().join(name).to_str().unwrap().to_owned()
    }

    fn connector(&self, protocols: &[&[u8]]) -> TlsConnector {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.der().clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider);
        let builder = builder.with_safe_default_protocol_versions().unwrap();
        let mut config = builder.with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
        TlsConnector::from(Arc::new(config))
    }

    /// A new connection, on which both sides agreed.
    async fn connect(&self, address: SocketAddr, protocols: &[&[u8]]) -> TlsStream<TcpStream> {
        let stream = TcpStream::connect(address).await.unwrap();
        let agreed = self
            .connector(protocols)
            .connect("localhost".try_into().unwrap(), stream);
        tokio::time::timeout(PATIENCE, agreed).await.unwrap().unwrap()
    }

    /// What the API answers to a request, after its head.
    async fn ask(&self, address: SocketAddr, key: &str, more: &str) -> String {
        let mut stream = self.connect(address, &[]).await;
        let ask = format!(
            "GET /api/prices HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {key}\r\n{more}connection: close\r\n\r\n"
        );
        stream.write_all(ask.as_bytes()).await.unwrap();
        read_all(&mut stream).await
    }

    /// The certificate that a new connection is served with.
    async fn served(&self, address: SocketAddr) -> CertificateDer<'static> {
        let stream = self.connect(address, &[]).await;
        let (_, session) = stream.get_ref();
        session.peer_certificates().unwrap()[0].clone()
    }
}

async fn read_all(stream: &mut TlsStream<TcpStream>) -> String {
    let mut text = String::new();
    let read = stream.read_to_string(&mut text);
    tokio::time::timeout(PATIENCE, read).await.unwrap().unwrap();
    text
}

async fn bind(db: &TestDb, authority: &Authority, more: &[(&str, &str)]) -> Result<Server, StartError> {
    let (certificate, key) = (authority.path("fullchain.pem"), authority.path("privkey.pem"));
    let mut all = vec![
        ("API__TLS__CERTIFICATE", certificate.as_str()),
        ("API__TLS__KEY", key.as_str()),
        ("API__TLS__RELOAD_INTERVAL_S", "1"),
    ];
    all.extend(more);
    let settings = settings(&db.url(Role::Api), &TestRedis::new(), &all);
    Server::bind(App::from_settings(settings)?).await
}

/// An API that runs.
struct Running {
    address: SocketAddr,
    stop: CancellationToken,
    task: JoinHandle<Result<(), StartError>>,
}

impl Running {
    async fn start(db: &TestDb, authority: &Authority, more: &[(&str, &str)]) -> Self {
        let server = bind(db, authority, more).await.unwrap();
        let (address, stop) = (server.api_address(), CancellationToken::new());
        let task = tokio::spawn(server.run(stop.clone()));
        Self { address, stop, task }
    }

    async fn end(self) {
        self.stop.cancel();
        tokio::time::timeout(PATIENCE, self.task)
            .await
            .unwrap()
            .unwrap()
            .unwrap();
    }
}

#[tokio::test]
async fn who_trusts_the_authority_is_answered_and_plain_http_is_not() {
    let (api, authority) = (TestApi::new().await, Authority::new());
    let running = Running::start(&api.db, &authority, &[]).await;
    let answer = authority.ask(running.address, &api.key, "").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let stranger = Authority::new().connector(&[]);
    let stream = TcpStream::connect(running.address).await.unwrap();
    assert!(stranger.connect("localhost".try_into().unwrap(), stream).await.is_err());
    let mut plain = TcpStream::connect(running.address).await.unwrap();
    let ask = b"GET /health/live HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    plain.write_all(ask).await.unwrap();
    let mut bytes = Vec::new();
    // it may end in an alert, or be reset
    let _ended = tokio::time::timeout(PATIENCE, plain.read_to_end(&mut bytes))
        .await
        .unwrap();
    assert!(!bytes.starts_with(b"HTTP"), "{bytes:?}");
    let answer = authority.ask(running.address, &api.key, "").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    running.end().await;
    let shown = settings::metrics::install().unwrap().render();
    assert!(
        shown.contains("switchyard_api_certificate_ends_timestamp_seconds "),
        "{shown}"
    );
}

#[tokio::test]
async fn http_2_is_spoken_with_those_who_can() {
    let (api, authority) = (TestApi::new().await, Authority::new());
    let running = Running::start(&api.db, &authority, &[]).await;
    let agreed = |stream: &TlsStream<TcpStream>| stream.get_ref().1.alpn_protocol().map(<[u8]>::to_vec);
    let old = authority.connect(running.address, &[b"http/1.1"]).await;
    assert_eq!(agreed(&old).unwrap(), b"http/1.1");
    let mut new = authority.connect(running.address, &[b"http/1.1", b"h2"]).await;
    assert_eq!(agreed(&new).unwrap(), b"h2");
    // the preface and empty settings; the other side's settings come first (RFC 9113, 3.4 and 4.1)
    new.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0")
        .await
        .unwrap();
    let mut head = [0; 9];
    tokio::time::timeout(PATIENCE, new.read_exact(&mut head))
        .await
        .unwrap()
        .unwrap();
    assert_eq!((head[3], &head[5..]), (4, &[0; 4][..]), "a frame of settings");
    // it would not answer when it is told to go
    drop((old, new));
    running.end().await;
}

#[tokio::test]
async fn who_says_nothing_keeps_nobody_out_and_is_cut_off() {
    let (api, authority) = (TestApi::new().await, Authority::new());
    let short = [("API__TLS__HANDSHAKE_TIMEOUT_MS", "3000")];
    let running = Running::start(&api.db, &authority, &short).await;
    let mut silent = Vec::new();
    for _ in 0..20 {
        silent.push(TcpStream::connect(running.address).await.unwrap());
    }
    let answer = authority.ask(running.address, &api.key, "").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    for mut stream in silent {
        let mut byte = [0];
        let cut = tokio::time::timeout(PATIENCE, stream.read(&mut byte)).await.unwrap();
        assert!(matches!(cut, Ok(0) | Err(_)), "{cut:?}");
    }
    running.end().await;
}

#[tokio::test]
async fn handshakes_do_not_keep_the_process_and_requests_in_flight_are_answered() {
    let (api, authority) = (TestApi::new().await, Authority::new());
    let running = Running::start(&api.db, &authority, &[("API__DRAIN_TIMEOUT_MS", "10000")]).await;
    let _silent = TcpStream::connect(running.address).await.unwrap();
    let mut slow = authority.connect(running.address, &[]).await;
    let body = order().to_string();
    let head = format!(
        "POST /api/orders HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\nidempotency-key: k\r\n\
         content-type: application/json\r\ncontent-length: {}\r\nexpect: 100-continue\r\n\r\n",
        api.key,
        body.len()
    );
    slow.write_all(head.as_bytes()).await.unwrap();
    let mut begun = [0; 25];
    slow.read_exact(&mut begun).await.unwrap();
    assert_eq!(&begun, b"HTTP/1.1 100 Continue\r\n\r\n");
    running.stop.cancel();
    slow.write_all(body.as_bytes()).await.unwrap();
    let answer = read_all(&mut slow).await;
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    running.end().await;
}

#[tokio::test]
async fn renewed_files_are_served_and_broken_ones_are_not() {
    let (api, authority) = (TestApi::new().await, Authority::new());
    let running = Running::start(&api.db, &authority, &[]).await;
    let renewed = authority.renew();
    let served = async {
        while authority.served(running.address).await != renewed {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, served).await.unwrap();
    std::fs::write(authority.path("fullchain.pem"), "half a certif").unwrap();
    let kept = format!("{}, which holds no certificate", authority.path("fullchain.pem"));
    let warned = async {
        while !Log::text().contains(&kept) {
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
    };
    tokio::time::timeout(PATIENCE, warned).await.unwrap();
    assert_eq!(authority.served(running.address).await, renewed);
    running.end().await;
    let key = std::fs::read_to_string(authority.path("privkey.pem")).unwrap();
    assert!(!Log::text().contains(key.lines().nth(1).unwrap()));
}

#[tokio::test]
async fn what_cannot_be_served_refuses_to_start() {
    let (api, authority) = (TestApi::new().await, Authority::new());
    let stranger = Authority::new();
    std::fs::copy(stranger.path("privkey.pem"), authority.path("privkey.pem")).unwrap();
    let mismatch = bind(&api.db, &authority, &[]).await.err().unwrap();
    assert!(matches!(mismatch, StartError::Tls(TlsError::KeyOfAnother { .. })));
    std::fs::remove_file(authority.path("privkey.pem")).unwrap();
    let missing = bind(&api.db, &authority, &[]).await.err().unwrap();
    assert!(matches!(missing, StartError::Tls(TlsError::Read { .. })));
}

#[tokio::test]
async fn the_clients_address_is_still_seen() {
    let (api, authority) = (TestApi::new().await, Authority::new());
    let trusted = [("API__TRUSTED_PROXIES", "127.0.0.0/8")];
    let direct = Running::start(&api.db, &authority, &[]).await;
    let behind = Running::start(&api.db, &authority, &trusted).await;
    let named = "x-forwarded-for: 203.0.113.7\r\n";
    for (range, running, more, status) in [
        ("127.0.0.0/8", &direct, "", "200"),
        ("203.0.113.7", &direct, "", "403"),
        ("203.0.113.7", &direct, named, "403"),
        ("203.0.113.7", &behind, named, "200"),
        ("127.0.0.0/8", &behind, named, "403"),
    ] {
        let (id, key) = api.key_with(&[Scope::OrdersRead], 100).await;
        let bound = format!("UPDATE api_keys SET allowed_from = '{{{range}}}' WHERE id = '{id}'");
        api.db.sql(&bound).await;
        let answer = authority.ask(running.address, &key, more).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{range}: {answer}");
    }
    direct.end().await;
    behind.end().await;
}
