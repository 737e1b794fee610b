//! A server that does what a test tells it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Response, StatusCode, header};
use futures_stream::broken_after;

/// What the server does with one request.
#[derive(Debug, Clone)]
pub(super) enum Reply {
    /// 200 and this number.
    Number(i64),
    /// 200 and this text.
    Text(&'static str),
    /// This status.
    Status(u16),
    /// This status and `Retry-After`.
    RetryAfter(u16, &'static str),
    /// Nothing, ever.
    Hang,
    /// The head of an answer and nothing more, ever.
    HangInBody,
    /// Part of an answer; then the connection breaks.
    Truncated,
    /// 200 and so many bytes.
    Long(usize),
}

/// A running server. Replies are used up in order; the last one repeats.
pub(super) struct Node {
    pub(super) url: String,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    replies: VecDeque<Reply>,
    seen: Vec<(String, HeaderMap)>,
}

impl Node {
    pub(super) async fn start(replies: &[Reply]) -> Self {
        let state = Arc::new(Mutex::new(State {
            replies: replies.iter().cloned().collect(),
            seen: Vec::new(),
        }));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::clone(&state);
        let handler = move |uri: axum::http::Uri, headers: HeaderMap| {
            let reply = {
                let mut state = shared.lock().unwrap();
                state.seen.push((uri.path().to_owned(), headers));
                if state.replies.len() > 1 {
                    state.replies.pop_front()
                } else {
                    state.replies.front().cloned()
                }
            };
            respond(reply.unwrap())
        };
        tokio::spawn(async move { axum::serve(listener, Router::new().fallback(handler)).await.unwrap() });
        Self { url, state }
    }

    pub(super) fn hits(&self) -> usize {
        self.state.lock().unwrap().seen.len()
    }

    pub(super) fn paths(&self) -> Vec<String> {
        self.state
            .lock()
            .unwrap()
            .seen
            .iter()
            .map(|(path, _)| path.clone())
            .collect()
    }

    pub(super) fn header(&self, name: &str) -> Option<String> {
        let state = self.state.lock().unwrap();
        state
            .seen
            .last()?
            .1
            .get(name)
            .map(|value| value.to_str().unwrap().to_owned())
    }
}

async fn respond(reply: Reply) -> Response<Body> {
    let ok = |body: Body| Response::builder().body(body).unwrap();
    let status = |code| Response::builder().status(StatusCode::from_u16(code).unwrap());
    match reply {
        Reply::Number(n) => ok(format!("{{\"n\":{n}}}").into()),
        Reply::Text(text) => ok(text.into()),
        Reply::Status(code) => status(code).body("<html>".into()).unwrap(),
        Reply::RetryAfter(code, after) => status(code)
            .header(header::RETRY_AFTER, after)
            .body(Body::empty())
            .unwrap(),
        Reply::Hang => std::future::pending().await,
        Reply::HangInBody => ok(Body::from_stream(broken_after(false))),
        Reply::Truncated => ok(Body::from_stream(broken_after(true))),
        Reply::Long(length) => ok(vec![b'x'; length].into()),
    }
}

mod futures_stream {
    //! A body that begins and does not end well.

    use super::Bytes;

    type Piece = Result<Bytes, std::io::Error>;

    /// One piece; then an error, or nothing for ever.
    pub(super) fn broken_after(error: bool) -> impl futures::Stream<Item = Piece> {
        futures::stream::unfold(0, move |step| async move {
            match (step, error) {
                (0, _) => Some((Ok(Bytes::from_static(b"{\"n\":")), 1)),
                (_, true) => Some((Err(std::io::Error::other("cut")), 2)),
                (_, false) => std::future::pending().await,
            }
        })
    }
}
