//! JSON over plain HTTP to processes on this machine.

use anyhow::{Context, Result, bail};
use serde::de::DeserializeOwned;
use serde_json::Value;

const TIMEOUT_S: u64 = 10;

/// One server.
#[derive(Clone)]
pub(crate) struct Http {
    pub(crate) base: String,
    /// Sent as a bearer token.
    pub(crate) api_key: Option<String>,
}

impl Http {
    /// A server that asks for no key.
    pub(crate) fn open(base: String) -> Self {
        Self { base, api_key: None }
    }

    /// Fetches text; `None` where nobody answers yet, or not with success.
    pub(crate) fn text(&self, path: &str) -> Option<String> {
        let answer = minreq::get(format!("{}{path}", self.base))
            .with_timeout(TIMEOUT_S)
            .send()
            .ok()?;
        let good = answer.status_code == 200;
        good.then(|| answer.as_str().ok().map(str::to_owned)).flatten()
    }

    /// Fetches JSON.
    pub(crate) fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        self.call(minreq::Method::Get, path, None, None)
    }

    /// Posts JSON; with `once`, the server carries the request out one time however often it is sent.
    pub(crate) fn post<T: DeserializeOwned>(&self, path: &str, body: &Value, once: Option<&str>) -> Result<T> {
        self.call(minreq::Method::Post, path, Some(body), once)
    }

    fn call<T: DeserializeOwned>(
        &self,
        method: minreq::Method,
        path: &str,
        body: Option<&Value>,
        once: Option<&str>,
    ) -> Result<T> {
        let what = format!("{method} {path}");
        let mut request = minreq::Request::new(method, format!("{}{path}", self.base)).with_timeout(TIMEOUT_S);
        if let Some(key) = &self.api_key {
            request = request.with_header("Authorization", format!("Bearer {key}"));
        }
        if let Some(once) = once {
            request = request.with_header("Idempotency-Key", once);
        }
        if let Some(body) = body {
            request = request
                .with_header("Content-Type", "application/json")
                .with_body(body.to_string());
        }
        let answer = request.send().with_context(|| what.clone())?;
        let text = answer.as_str().with_context(|| what.clone())?;
        if !(200..300).contains(&answer.status_code) {
            bail!(
                "{what}: {} {}",
                answer.status_code,
                text.chars().take(800).collect::<String>()
            );
        }
        serde_json::from_str(text).with_context(|| {
            let start: String = text.chars().take(200).collect();
            format!("{what}: the answer is not as expected: {start}")
        })
    }
}
