//! The API in this process, asked as a bot asks it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request};
use db::Pool;
use domain::api_keys::{self, NewKey};
use jobs::{RateLimiter, WakeQueue};
use kernel::{Clock, IdGen, RandomIds};
use serde_json::Value;
use settings::{Settings, Source};
use switchyard_api::{App, Dependencies, router};
use tower::ServiceExt;

use super::{TestClock, World};

const MAX_ANSWER: usize = 1 << 20;

/// The API with two keys that may do everything.
pub(crate) struct Http {
    router: Router,
    key: String,
    other_key: String,
}

impl Http {
    /// Serves with the shipped configuration over these dependencies; the key is made with the owner's rights.
    pub(crate) async fn new(world: &World, import_public: &str, pool: Pool, wakes: WakeQueue, owner: &Pool) -> Self {
        let usdt = world.usdt.to_string();
        let variables = [
            ("NETWORKS__TRON__TOKENS__USDT", usdt.as_str()),
            ("DATABASE__URL", world.database_url.as_str()),
            ("REDIS__URL", &world.wakes.url),
            ("JOBS__REDIS_NAMESPACE", &world.wakes.namespace),
            ("VAULT__IMPORT_PUBLIC_KEY", import_public),
            ("APPROVALS__KEY_REPLACEMENTS", "false"),
            ("APPROVALS__ADJUSTMENT_ABOVE_TRX", "1000000000"),
            ("DEPOSITS__WAYS", "address,amount"),
            ("DEPOSITS__ACCOUNT_XPUB", super::ACCOUNT_XPUB),
            ("DEPOSITS__SHARED_ADDRESS", super::SHARED_ADDRESS),
        ]
        .map(|(name, value)| (format!("SWITCHYARD__{name}"), value.to_owned()));
        let settings = Settings::load_from(&Source {
            dir: Path::new(env!("CARGO_MANIFEST_DIR")).join("../config"),
            environment: "dev".into(),
            variables: BTreeMap::from(variables),
        });
        let app = App::new(Dependencies {
            settings: settings.unwrap(),
            pool,
            wakes,
            limiter: RateLimiter::connect(world.wakes.clone(), RateLimiter::PATIENCE).unwrap(),
            clock: world.clock.clone(),
            ids: Arc::new(RandomIds),
        });
        Self {
            router: router(app.unwrap()),
            key: key(owner, &world.clock).await,
            other_key: key(owner, &world.clock).await,
        }
    }

    /// What it answers; of a problem, the code.
    pub(crate) async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Result<Value, String> {
        self.call_once(method, path, body, &RandomIds.uuid().to_string()).await
    }

    /// The same under an idempotency key of the caller's.
    pub(crate) async fn call_once(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
        idempotency_key: &str,
    ) -> Result<Value, String> {
        self.call_with(&self.key, (method, path), body, idempotency_key).await
    }

    /// The same by somebody else.
    pub(crate) async fn post_by_other(&self, path: &str, body: Value) -> Result<Value, String> {
        let mark = RandomIds.uuid().to_string();
        self.call_with(&self.other_key, (Method::POST, path), Some(body), &mark)
            .await
    }

    async fn call_with(
        &self,
        key: &str,
        (method, path): (Method, &str),
        body: Option<Value>,
        idempotency_key: &str,
    ) -> Result<Value, String> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {key}"))
            .header("content-type", "application/json")
            .header("idempotency-key", idempotency_key)
            .body(body.map_or_else(Body::empty, |body| Body::from(body.to_string())))
            .unwrap();
        let answer = self.router.clone().oneshot(request).await.unwrap();
        let status = answer.status();
        let bytes = to_bytes(answer.into_body(), MAX_ANSWER).await.unwrap();
        let body: Value = serde_json::from_slice(&bytes).unwrap();
        if status.is_success() {
            return Ok(body);
        }
        Err(body["code"].as_str().unwrap_or("no code").to_owned())
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        self.call(Method::GET, path, None).await.unwrap()
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Result<Value, String> {
        self.call(Method::POST, path, Some(body)).await
    }
}

async fn key(pool: &Pool, clock: &TestClock) -> String {
    let mut random = [0; 64];
    getrandom::fill(&mut random).unwrap();
    let scopes: Vec<String> = access::Scope::ALL.iter().map(|scope| scope.word().to_owned()).collect();
    let new = NewKey::anywhere("bot", &scopes, 1_000_000);
    let key = api_keys::create(pool, &RandomIds, &new, &random, clock.now());
    key.await.unwrap().clear
}
