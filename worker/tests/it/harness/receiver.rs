//! A shop's own server, which webhooks are sent to: it keeps what it got and answers what it is told to.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::post;
use serde_json::Value;
use webhook::{WebhookSecret, sign};

/// What it answers.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    Status(u16),
    /// 503 with `Retry-After` in seconds.
    Busy(u32),
    /// Somewhere else.
    To(String),
    /// Never.
    Silence,
}

/// A message as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Got {
    pub(crate) id: String,
    pub(crate) timestamp: i64,
    pub(crate) signatures: Vec<String>,
    pub(crate) body: Bytes,
}

impl Got {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn event_type(&self) -> String {
        self.json()["type"].as_str().unwrap().to_owned()
    }

    /// Whether one of its signatures is made with this secret.
    pub(crate) fn is_signed_with(&self, secret: &str) -> bool {
        let secret: WebhookSecret = secret.parse().unwrap();
        let right = sign(&[secret], &self.id, self.timestamp, &self.body);
        self.signatures.contains(&right)
    }
}

#[derive(Debug, Default)]
struct Inner {
    got: Mutex<Vec<Got>>,
    /// What it answers next; afterwards the last one for good.
    replies: Mutex<VecDeque<Reply>>,
}

/// The server. Answers 200 until told otherwise.
pub(crate) struct Receiver {
    pub(crate) url: String,
    inner: Arc<Inner>,
}

impl Receiver {
    pub(crate) async fn start() -> Self {
        let inner = Arc::new(Inner::default());
        let app = Router::new().route("/hook", post(hook)).with_state(Arc::clone(&inner));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, inner }
    }

    /// One that answers this, in order, and the last one for good.
    pub(crate) async fn answering(replies: &[Reply]) -> Self {
        let receiver = Self::start().await;
        *receiver.inner.replies.lock().unwrap() = replies.iter().cloned().collect();
        receiver
    }

    /// Everything that arrived, in order.
    pub(crate) fn got(&self) -> Vec<Got> {
        self.inner.got.lock().unwrap().clone()
    }

    pub(crate) fn types(&self) -> Vec<String> {
        self.got().iter().map(Got::event_type).collect()
    }
}

async fn hook(State(inner): State<Arc<Inner>>, headers: HeaderMap, body: Bytes) -> Response {
    let text = |name| headers[name].to_str().unwrap().to_owned();
    inner.got.lock().unwrap().push(Got {
        id: text("webhook-id"),
        timestamp: text("webhook-timestamp").parse().unwrap(),
        signatures: text("webhook-signature").split(' ').map(ToOwned::to_owned).collect(),
        body,
    });
    let reply = {
        let mut replies = inner.replies.lock().unwrap();
        if replies.len() > 1 {
            replies.pop_front()
        } else {
            replies.front().cloned()
        }
    };
    match reply.unwrap_or(Reply::Status(200)) {
        Reply::Status(status) => (StatusCode::from_u16(status).unwrap(), "said").into_response(),
        Reply::Busy(seconds) => {
            (StatusCode::SERVICE_UNAVAILABLE, [("retry-after", seconds.to_string())]).into_response()
        }
        Reply::To(url) => Redirect::temporary(&url).into_response(),
        Reply::Silence => std::future::pending().await,
    }
}
