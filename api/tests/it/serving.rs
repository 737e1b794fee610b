//! Over real sockets: started, asked, told to stop.

use std::time::Duration;

use switchyard_api::{App, Server};
use testkit::{Role, TestDb, TestRedis};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use crate::support::settings;

const PATIENCE: Duration = Duration::from_secs(20);

async fn server(db: &TestDb, drain_ms: &str) -> Server {
    let more = [("API__DRAIN_TIMEOUT_MS", drain_ms)];
    let settings = settings(&db.url(Role::Api), &TestRedis::new(), &more);
    Server::bind(App::from_settings(settings).unwrap()).await.unwrap()
}

async fn read_all(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    text
}

#[tokio::test]
async fn a_request_in_flight_is_answered_before_the_process_stops() {
    let db = TestDb::new().await;
    let server = server(&db, "10000").await;
    let (api, ops) = (server.api_address(), server.ops_address());
    let stop = CancellationToken::new();
    let running = tokio::spawn(server.run(stop.clone()));
    let mut slow = TcpStream::connect(api).await.unwrap();
    // the answer to the first shows that the connection is served; the second is half sent when the process is told
    let live = "GET /health/live HTTP/1.1\r\nhost: x\r\n";
    slow.write_all(format!("{live}\r\n{live}").as_bytes()).await.unwrap();
    let mut first = [0; 12];
    slow.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 200");
    stop.cancel();
    let mut health = TcpStream::connect(ops).await.unwrap();
    health
        .write_all(b"GET /health/ready HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        .await
        .unwrap();
    let answer = read_all(&mut health).await;
    assert!(
        answer.starts_with("HTTP/1.1 503") && answer.contains("\"stopping\""),
        "{answer}"
    );
    slow.write_all(b"connection: close\r\n\r\n").await.unwrap();
    let answer = read_all(&mut slow).await;
    assert!(answer.contains("HTTP/1.1 200"), "{answer}");
    tokio::time::timeout(PATIENCE, running).await.unwrap().unwrap().unwrap();
    assert!(TcpStream::connect(api).await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn a_request_that_never_ends_does_not_keep_the_process() {
    let db = TestDb::new().await;
    let server = server(&db, "100").await;
    let address = server.api_address();
    let stop = CancellationToken::new();
    let running = tokio::spawn(server.run(stop.clone()));
    let mut stuck = TcpStream::connect(address).await.unwrap();
    let live = "GET /health/live HTTP/1.1\r\nhost: x\r\n";
    stuck.write_all(format!("{live}\r\n{live}").as_bytes()).await.unwrap();
    let mut first = [0; 12];
    stuck.read_exact(&mut first).await.unwrap();
    stop.cancel();
    tokio::time::timeout(PATIENCE, running).await.unwrap().unwrap().unwrap();
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
