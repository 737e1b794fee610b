//! Sources on this machine, honest and not.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect};
use axum::routing::get;
use futures::stream;

use super::*;
use crate::PriceError;

fn client(timeout_ms: u64, plain_http: bool) -> QuoteClient {
    // an error only means that another test was first
    let _installed = rustls::crypto::ring::default_provider().install_default();
    QuoteClient::new(QuotePolicy {
        timeout: Duration::from_millis(timeout_ms),
        max_bytes: 4_096,
        plain_http,
    })
    .unwrap()
}

async fn serve(app: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    format!("http://{address}")
}

fn source(url: &str, path: &str) -> Source {
    Source {
        name: path.trim_start_matches('/').to_owned(),
        url: format!("{url}{path}"),
        pointer: "/price".to_owned(),
        quotes: Quotes::UsdtPerTrx,
    }
}

/// Bytes without an end.
fn endless() -> Body {
    Body::from_stream(stream::repeat_with(|| {
        Ok::<_, Infallible>(Bytes::from_static(&[b' '; 1_024]))
    }))
}

#[tokio::test]
async fn sources_that_lie_harm_no_other() {
    let followed = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&followed);
    let app = Router::new()
        .route("/good", get(async || r#"{"price":"0.25"}"#))
        .route("/exact", get(async || r#"{"price":0.250000000000000001}"#))
        .route(
            "/error",
            get(async || (StatusCode::INTERNAL_SERVER_ERROR, r#"{"price":"0.25"}"#)),
        )
        .route("/created", get(async || (StatusCode::CREATED, r#"{"price":"0.25"}"#)))
        .route(
            "/redirect",
            get(async || Redirect::temporary("/elsewhere").into_response()),
        )
        .route(
            "/elsewhere",
            get(async move || {
                counted.fetch_add(1, Ordering::SeqCst);
                r#"{"price":"0.25"}"#
            }),
        )
        .route("/giant", get(async || endless()))
        .route("/nan", get(async || r#"{"price":NaN}"#))
        .route("/nan-text", get(async || r#"{"price":"NaN"}"#))
        .route("/exponent", get(async || r#"{"price":1e9}"#))
        .route("/negative", get(async || r#"{"price":"-0.25"}"#))
        .route("/zero", get(async || r#"{"price":"0.0000"}"#))
        .route("/html", get(async || "<html>0.25</html>"));
    let url = serve(app).await;
    for (path, expected) in [
        ("/good", Ok(4_000_000)),
        ("/exact", Ok(3_999_999)),
        ("/error", Err(QuoteError::Status(500))),
        ("/created", Err(QuoteError::Status(201))),
        ("/redirect", Err(QuoteError::Status(307))),
        ("/giant", Err(QuoteError::TooLarge)),
        ("/nan", Err(QuoteError::NoPrice)),
        ("/nan-text", Err(QuoteError::Price(PriceError::Malformed))),
        ("/exponent", Err(QuoteError::Price(PriceError::Malformed))),
        ("/negative", Err(QuoteError::Price(PriceError::Malformed))),
        ("/zero", Err(QuoteError::Price(PriceError::OutOfRange))),
        ("/html", Err(QuoteError::NoPrice)),
        ("/missing", Err(QuoteError::Status(404))),
    ] {
        let asked = [source(&url, path), source(&url, "/good")];
        let answers = client(10_000, true).ask_all(&asked).await;
        assert_eq!(answers[0].rate, expected, "{path}");
        assert_eq!(
            (answers[1].rate, answers[1].source.as_str()),
            (Ok(4_000_000), "good"),
            "{path}"
        );
    }
    assert_eq!(followed.load(Ordering::SeqCst), 0);
    let exponent = client(10_000, true).ask_all(&[source(&url, "/exponent")]).await;
    assert_eq!(exponent[0].text.as_deref(), Some("1e9"), "what was said is kept");
}

#[tokio::test]
async fn slow_and_silent_sources_are_waited_for_together_and_not_for_long() {
    let app = Router::new()
        .route("/silent", get(async || std::future::pending::<&'static str>().await))
        .route(
            "/trickle",
            get(async || {
                let first = stream::iter([Ok::<_, Infallible>(Bytes::from_static(b"{"))]);
                Body::from_stream(futures::StreamExt::chain(first, stream::pending()))
            }),
        );
    let url = serve(app).await;
    let started = Instant::now();
    let asked = ["/silent", "/trickle", "/silent"].map(|path| source(&url, path));
    let answers = client(700, true).ask_all(&asked).await;
    assert!(
        answers.iter().all(|answer| answer.rate == Err(QuoteError::Timeout)),
        "{answers:?}"
    );
    assert!(
        started.elapsed() >= Duration::from_millis(650),
        "somebody was not waited for"
    );
    let nobody = Source {
        url: "http://127.0.0.1:1/".to_owned(),
        ..source(&url, "/silent")
    };
    assert_eq!(
        client(10_000, true).ask_all(&[nobody]).await[0].rate,
        Err(QuoteError::Connect)
    );
}

#[tokio::test]
async fn plain_http_is_spoken_only_where_it_is_allowed() {
    let url = serve(Router::new().route("/good", get(async || r#"{"price":"0.25"}"#))).await;
    let asked = source(&url, "/good");
    assert_eq!(
        client(5_000, false).ask_all(std::slice::from_ref(&asked)).await[0].rate,
        Err(QuoteError::Url)
    );
    for other in ["ftp://x.example/", "file:///etc/passwd", "x"] {
        let asked = Source {
            url: other.to_owned(),
            ..asked.clone()
        };
        assert_eq!(
            client(5_000, true).ask_all(&[asked]).await[0].rate,
            Err(QuoteError::Url)
        );
    }
}
