//! Over real sockets: started, asked, told to stop.

use std::net::SocketAddr;
use std::time::Duration;

use switchyard_api::{App, Scope, Server};
use testkit::{Role, TestDb, TestRedis};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use crate::support::{TestApi, order, settings};

const PATIENCE: Duration = Duration::from_secs(20);

async fn server(db: &TestDb, drain_ms: &str) -> Server {
    let more = [("API__DRAIN_TIMEOUT_MS", drain_ms)];
    let settings = settings(&db.url(Role::Api), &TestRedis::new(), &more);
    Server::bind(App::from_settings(settings).unwrap()).await.unwrap()
}

/// Sends all of an order but its body, and waits until the handler asks for that.
async fn begin_order(api: &TestApi, address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST /api/orders HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\nidempotency-key: k\r\n\
         content-type: application/json\r\ncontent-length: {}\r\nexpect: 100-continue\r\n\r\n",
        api.key,
        order().to_string().len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 25];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream
}

async fn read_all(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    text
}

#[tokio::test]
async fn a_request_in_flight_is_answered_before_the_process_stops() {
    let api = TestApi::new().await;
    let server = server(&api.db, "10000").await;
    let (address, ops) = (server.api_address(), server.ops_address());
    let stop = CancellationToken::new();
    let running = tokio::spawn(server.run(stop.clone()));
    let mut slow = begin_order(&api, address).await;
    stop.cancel();
    let mut health = TcpStream::connect(ops).await.unwrap();
    let ask = b"GET /health/ready HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    health.write_all(ask).await.unwrap();
    let answer = read_all(&mut health).await;
    assert!(
        answer.starts_with("HTTP/1.1 503") && answer.contains("\"stopping\""),
        "{answer}"
    );
    assert!(TcpStream::connect(address).await.is_err(), "nobody listens any more");
    slow.write_all(order().to_string().as_bytes()).await.unwrap();
    let answer = read_all(&mut slow).await;
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    tokio::time::timeout(PATIENCE, running).await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn a_request_that_never_ends_does_not_keep_the_process() {
    let api = TestApi::new().await;
    let server = server(&api.db, "100").await;
    let address = server.api_address();
    let stop = CancellationToken::new();
    let running = tokio::spawn(server.run(stop.clone()));
    let _stuck = begin_order(&api, address).await;
    stop.cancel();
    tokio::time::timeout(PATIENCE, running).await.unwrap().unwrap().unwrap();
    assert_eq!(api.count("SELECT count(*) FROM orders").await, 0);
}

#[tokio::test]
async fn an_address_that_is_taken_is_named() {
    let db = TestDb::new().await;
    let first = server(&db, "100").await;
    let taken = first.api_address().to_string();
    let settings = settings(&db.url(Role::Api), &TestRedis::new(), &[("API__LISTEN", &taken)]);
    let error = switchyard_api::serve(settings, CancellationToken::new())
        .await
        .unwrap_err();
    assert!(error.to_string().contains(&taken), "{error}");
}

#[tokio::test]
async fn a_key_bound_to_this_machine_works_from_here() {
    let api = TestApi::new().await;
    let server = server(&api.db, "100").await;
    let address = server.api_address();
    let stop = CancellationToken::new();
    let running = tokio::spawn(server.run(stop.clone()));
    for (range, status) in [("127.0.0.0/8", "200"), ("203.0.113.7", "403")] {
        let (id, key) = api.key_with(&[Scope::OrdersRead], 100).await;
        let bound = format!("UPDATE api_keys SET allowed_from = '{{{range}}}' WHERE id = '{id}'");
        api.db.sql(&bound).await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        let ask =
            format!("GET /api/prices HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\nconnection: close\r\n\r\n");
        stream.write_all(ask.as_bytes()).await.unwrap();
        let answer = read_all(&mut stream).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{answer}");
    }
    stop.cancel();
    tokio::time::timeout(PATIENCE, running).await.unwrap().unwrap().unwrap();
}
