//! Calls to a receiver on this machine, well behaved and not.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::post;

use super::*;

const HEADERS: Headers<'static> = Headers {
    id: "msg_1",
    timestamp: 1_614_265_330,
    signature: "v1,x",
};

fn client(allow_private_networks: bool, timeout_ms: u64) -> WebhookClient {
    // an error only means that another test was first
    let _installed = rustls::crypto::ring::default_provider().install_default();
    WebhookClient::new(CallPolicy {
        target: TargetPolicy { allow_private_networks },
        timeout: Duration::from_millis(timeout_ms),
    })
    .unwrap()
}

async fn serve(app: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    format!("http://{address}")
}

#[tokio::test]
async fn a_message_arrives_with_its_headers_and_the_answer_is_cut() {
    let seen = Arc::new(Mutex::new(None));
    let sees = Arc::clone(&seen);
    let hook = async move |headers: HeaderMap, body: Bytes| {
        *sees.lock().unwrap() = Some((headers, body));
        (StatusCode::CREATED, [(header::RETRY_AFTER, "120")], "é".repeat(100_000))
    };
    let url = serve(Router::new().route("/hook", post(hook))).await;

    let sent = client(true, 5_000)
        .send(&format!("{url}/hook"), HEADERS, b"{}".to_vec())
        .await
        .unwrap();
    assert_eq!((sent.status, sent.retry_after), (201, Some(Duration::from_secs(120))));
    assert_eq!(sent.body.chars().count(), KEPT / 2);

    let (headers, body) = seen.lock().unwrap().take().unwrap();
    assert_eq!(body, "{}");
    for (name, value) in [
        ("content-type", "application/json"),
        ("webhook-id", "msg_1"),
        ("webhook-timestamp", "1614265330"),
        ("webhook-signature", "v1,x"),
    ] {
        assert_eq!(headers[name], value);
    }
}

#[tokio::test]
async fn redirects_are_answers_and_nobody_follows_them() {
    let followed = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&followed);
    let app = Router::new()
        .route("/hook", post(async || Redirect::temporary("/inside").into_response()))
        .route(
            "/inside",
            post(async move || {
                counted.fetch_add(1, Ordering::SeqCst);
            }),
        );
    let url = serve(app).await;
    let sent = client(true, 5_000)
        .send(&format!("{url}/hook"), HEADERS, Vec::new())
        .await
        .unwrap();
    assert_eq!((sent.status, followed.load(Ordering::SeqCst)), (307, 0));
}

#[tokio::test]
async fn a_name_is_refused_for_what_it_resolves_to() {
    let strict = client(false, 5_000);
    for url in ["https://localhost/", "https://localhost:1/x"] {
        assert_eq!(
            strict.send(url, HEADERS, Vec::new()).await,
            Err(SendError::Resolved),
            "{url}"
        );
    }
    assert_eq!(
        strict.send("https://127.0.0.1/", HEADERS, Vec::new()).await,
        Err(SendError::Target(TargetError::Private))
    );
}

#[tokio::test]
async fn silence_ends_and_a_trickling_body_takes_nothing_from_the_status() {
    let app = Router::new()
        .route(
            "/silent",
            post(async || {
                std::future::pending::<()>().await;
            }),
        )
        .route(
            "/trickle",
            post(async || {
                let endless = futures::stream::pending::<Result<Bytes, std::io::Error>>();
                Response::new(Body::from_stream(endless))
            }),
        );
    let url = serve(app).await;
    let patient = client(true, 200);
    assert_eq!(
        patient.send(&format!("{url}/silent"), HEADERS, Vec::new()).await,
        Err(SendError::Timeout)
    );
    let sent = patient
        .send(&format!("{url}/trickle"), HEADERS, Vec::new())
        .await
        .unwrap();
    assert_eq!((sent.status, sent.body.as_str()), (200, ""));
}

#[tokio::test]
async fn nobody_there_is_no_connection() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let sent = client(true, 5_000).send(&url, HEADERS, Vec::new()).await;
    assert!(matches!(sent, Err(SendError::Connect(_))), "{sent:?}");
}
