//! A server that answers as a test tells it, path by path.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{Response, StatusCode, Uri};
use futures::StreamExt;
use serde_json::Value;

/// What the server does with one request.
pub(super) enum Reply {
    /// 200 and this value.
    Json(Value),
    /// 200 and this text.
    Text(&'static str),
    /// This status and an HTML page.
    Status(u16),
    /// Nothing, ever.
    Hang,
    /// Part of an answer; then the connection breaks.
    Truncated,
}

/// A running server.
pub(super) struct Node {
    pub(super) url: String,
    seen: Arc<Mutex<Vec<(String, Value)>>>,
}

impl Node {
    /// Serves what `answer` makes of a path and a body.
    pub(super) async fn start(answer: impl Fn(&str, &Value) -> Reply + Clone + Send + Sync + 'static) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen: Arc<Mutex<Vec<(String, Value)>>> = Arc::default();
        let shared = Arc::clone(&seen);
        let handler = move |uri: Uri, body: Bytes| {
            let body: Value = serde_json::from_slice(&body).unwrap();
            let reply = answer(uri.path(), &body);
            shared.lock().unwrap().push((uri.path().to_owned(), body));
            respond(reply)
        };
        tokio::spawn(async move { axum::serve(listener, Router::new().fallback(handler)).await.unwrap() });
        Self { url, seen }
    }

    /// Serves the same for everything.
    pub(super) async fn always(value: Value) -> Self {
        Self::start(move |_, _| Reply::Json(value.clone())).await
    }

    /// What was asked, in order of arrival.
    pub(super) fn seen(&self) -> Vec<(String, Value)> {
        self.seen.lock().unwrap().clone()
    }

    pub(super) fn hits(&self) -> usize {
        self.seen.lock().unwrap().len()
    }
}

async fn respond(reply: Reply) -> Response<Body> {
    let ok = |body: Body| Response::new(body);
    match reply {
        Reply::Json(value) => ok(value.to_string().into()),
        Reply::Text(text) => ok(text.into()),
        Reply::Status(code) => Response::builder()
            .status(StatusCode::from_u16(code).unwrap())
            .body("<html>sorry</html>".into())
            .unwrap(),
        Reply::Hang => std::future::pending().await,
        Reply::Truncated => {
            let start = futures::stream::iter([Ok(Bytes::from_static(b"{\"result\": true"))]);
            ok(Body::from_stream(
                start.chain(futures::stream::iter([Err(std::io::Error::other("cut"))])),
            ))
        }
    }
}
