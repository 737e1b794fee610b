//! Exchanges' price servers, which say what a test tells them to.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use kernel::UserId;
use quotes::{Quotes, Source};
use serde_json::{Value, json};

use super::Rig;

/// What one says.
#[derive(Debug, Clone)]
pub(crate) enum Says {
    /// This body, with 200.
    Body(String),
    Status(u16),
    /// Elsewhere.
    To(String),
    /// Bytes without end, in effect.
    Giant,
}

/// One source.
pub(crate) struct Market {
    name: &'static str,
    url: String,
    says: Arc<Mutex<Says>>,
}

impl Market {
    /// One that says this price in USDT for one TRX.
    pub(crate) async fn start(name: &'static str, price: &str) -> Self {
        let says = Arc::new(Mutex::new(priced(price)));
        let app = Router::new()
            .route("/ticker", get(ticker))
            .with_state(Arc::clone(&says));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/ticker", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { name, url, says }
    }

    /// As a worker is told of it.
    pub(crate) fn source(&self) -> Source {
        Source {
            name: self.name.to_owned(),
            url: self.url.clone(),
            pointer: "/data/0/last".to_owned(),
            quotes: Quotes::UsdtPerTrx,
        }
    }

    pub(crate) fn price(&self, price: &str) {
        self.say(priced(price));
    }

    pub(crate) fn say(&self, says: Says) {
        *self.says.lock().unwrap() = says;
    }
}

fn priced(price: &str) -> Says {
    Says::Body(format!(r#"{{"code":"0","data":[{{"last":"{price}"}}]}}"#))
}

async fn ticker(State(says): State<Arc<Mutex<Says>>>) -> Response {
    let says = says.lock().unwrap().clone();
    match says {
        Says::Body(body) => body.into_response(),
        Says::Status(status) => StatusCode::from_u16(status).unwrap().into_response(),
        Says::To(url) => Redirect::temporary(&url).into_response(),
        Says::Giant => " ".repeat(10_000_000).into_response(),
    }
}

impl Rig {
    /// The rate as the API shows it.
    pub(crate) async fn rates(&self) -> Value {
        self.http.get("/api/rates").await
    }

    /// A user's exchanges as the API shows them, newest first.
    pub(crate) async fn exchanges(&self, user: UserId) -> Vec<Value> {
        let page = self.http.get(&format!("/api/users/{user}/exchanges")).await;
        page["items"].as_array().unwrap().clone()
    }

    /// Exchanges a user's USDT; of a problem, the code.
    pub(crate) async fn swap(&self, user: UserId, usdt: &str) -> Result<Value, String> {
        let body = json!({ "from": "USDT", "to": "TRX", "amount": usdt });
        self.http.post(&format!("/api/users/{user}/exchange"), body).await
    }
}
