//! An API of its own for each test. Every answer is held to the conventions and to the OpenAPI document.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, LazyLock, Mutex, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use chrono::{DateTime, Utc};
use db::Pool;
use diesel::sql_types::{BigInt, Text};
use diesel_async::RunQueryDsl;
use domain::api_keys::{self, NewKey};
use domain::pricing::{Band, publish};
use jobs::{RateLimiter, WakeConfig, WakeQueue};
use kernel::{ApiKeyId, IdGen, ManualClock, RandomIds, SeededIds};
use serde_json::{Value, json};
use settings::{Settings, Source};
use switchyard_api::{App, Dependencies, Scope, openapi, router};
use testkit::{Role, TestDb, TestRedis};
use tower::ServiceExt;

/// Bob's address in the TRON documentation.
pub(crate) const RECEIVER: &str = "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t";
const IMPORT_KEY: &str = "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a";

/// A setting that is not there.
const UNSET: &str = "(unset)";
/// What signs the tokens of a test.
pub(crate) const OPERATOR_KEYS: &str = "test:0909090909090909090909090909090909090909090909090909090909090909";

pub(crate) struct TestApi {
    pub(crate) db: TestDb,
    redis: TestRedis,
    pub(crate) owner: Pool,
    pub(crate) router: Router,
    pub(crate) clock: Arc<ManualClock>,
    /// A key with every scope.
    pub(crate) key: String,
    pub(crate) key_id: ApiKeyId,
}

/// What this whole test binary logs, down to the last detail.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

static LOG: OnceLock<Log> = OnceLock::new();

impl Log {
    fn start() -> Self {
        let log = Self::default();
        let writer = log.clone();
        tracing_subscriber::fmt()
            .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .init();
        log
    }

    pub(crate) fn text() -> String {
        let log = LOG.get().expect("a test API was made").0.lock().unwrap();
        String::from_utf8(log.clone()).unwrap()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

/// The shipped configuration, with what a test has.
pub(crate) fn settings(database: &str, redis: &TestRedis, more: &[(&str, &str)]) -> Settings {
    let mut variables = BTreeMap::new();
    let mut set = |name: &str, value: &str| variables.insert(format!("SWITCHYARD__{name}"), value.to_owned());
    set("DATABASE__URL", database);
    set("REDIS__URL", &redis.url);
    set("JOBS__REDIS_NAMESPACE", &redis.namespace);
    set("VAULT__IMPORT_PUBLIC_KEY", IMPORT_KEY);
    set("OPERATORS__KEYS", OPERATOR_KEYS);
    // tests of four eyes ask for them
    set("APPROVALS__KEY_REPLACEMENTS", "false");
    set("APPROVALS__PRICES", "false");
    set("APPROVALS__SETTINGS", "false");
    set("API__LISTEN", "127.0.0.1:0");
    set("API__OPS_LISTEN", "127.0.0.1:0");
    for (name, value) in more {
        set(name, value);
    }
    variables.retain(|_, value| value != UNSET);
    Settings::load_from(&Source {
        dir: Path::new(env!("CARGO_MANIFEST_DIR")).join("../config"),
        environment: "dev".into(),
        variables,
    })
    .unwrap()
}

/// How long a request waits for Redis on a busy machine.
const PATIENCE: Duration = Duration::from_secs(5);

/// One process of the service; `seed` begins its ids.
fn process(db: &TestDb, redis: &TestRedis, clock: &Arc<ManualClock>, more: &[(&str, &str)], seed: u64) -> Arc<App> {
    let settings = settings(&db.url(Role::Api), redis, more);
    let wakes = WakeConfig::new(settings.redis.url.expose(), &redis.namespace);
    let app = App::new(Dependencies {
        wakes: WakeQueue::connect(wakes.clone()).unwrap(),
        limiter: RateLimiter::connect(wakes, PATIENCE).unwrap(),
        settings,
        pool: db.pool(Role::Api),
        clock: clock.clone(),
        ids: Arc::new(SeededIds::new(seed)),
    });
    app.unwrap()
}

impl TestApi {
    pub(crate) async fn new() -> Self {
        Self::with(&[]).await
    }

    /// One that operators cannot sign in to.
    pub(crate) async fn without_operators() -> Self {
        Self::with(&[("OPERATORS__KEYS", UNSET)]).await
    }

    /// With settings of its own. Prices are published, and user 42 has 100 TRX.
    pub(crate) async fn with(more: &[(&str, &str)]) -> Self {
        LOG.get_or_init(Log::start);
        let (db, redis) = (TestDb::new().await, TestRedis::new());
        let clock = Arc::new(ManualClock::at(DateTime::from_timestamp(1_800_000_000, 0).unwrap()));
        let mut api = Self {
            owner: db.pool(Role::Owner),
            router: router(process(&db, &redis, &clock, more, 0)),
            db,
            redis,
            clock,
            key: String::new(),
            key_id: ApiKeyId(RandomIds.uuid()),
        };
        (api.key_id, api.key) = api.key_with(Scope::ALL, 1_000_000).await;
        api.publish_prices().await;
        api.deposit(42, "100").await;
        api
    }

    /// Another process beside the first one.
    pub(crate) fn replica(&self, more: &[(&str, &str)]) -> Router {
        router(self.process(more))
    }

    /// The same, not serving yet.
    pub(crate) fn process(&self, more: &[(&str, &str)]) -> Arc<App> {
        process(&self.db, &self.redis, &self.clock, more, 1_000_000)
    }

    pub(crate) async fn key_with(&self, scopes: &[Scope], per_minute: u32) -> (ApiKeyId, String) {
        let scopes: Vec<String> = scopes.iter().map(|scope| scope.word().to_owned()).collect();
        let mut random = [7; 64];
        random[..16].copy_from_slice(RandomIds.uuid().as_bytes());
        let now = kernel::Clock::now(&*self.clock);
        let key = api_keys::create(
            &self.owner,
            &RandomIds,
            &NewKey::anywhere("test", &scopes, per_minute),
            &random,
            now,
        )
        .await
        .unwrap();
        (key.id, key.clear)
    }

    async fn publish_prices(&self) {
        let band = Band {
            energy_min: 10_000,
            energy_max: 1_000_000,
            duration_min_s: 300,
            duration_max_s: 86_400,
            price_millisun_per_energy: 50_000,
        };
        let now = kernel::Clock::now(&*self.clock);
        publish(
            &self.owner,
            &SeededIds::new(900),
            &[band],
            ("opening", "operator:test"),
            now,
        )
        .await
        .unwrap();
    }

    pub(crate) async fn deposit(&self, user: i64, amount: &str) {
        let body = json!({ "amount": amount, "reason": "test" });
        let mark = RandomIds.uuid().to_string();
        let reply = self.marked(&format!("/api/users/{user}/deposit"), &mark, &body).await;
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.body);
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send(self.request(Method::GET, path).body(Body::empty()).unwrap())
            .await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Reply {
        self.json(Method::POST, path, body).await
    }

    pub(crate) async fn json(&self, method: Method, path: &str, body: &Value) -> Reply {
        let request = self.request(method, path).header("content-type", "application/json");
        self.send(request.body(Body::from(body.to_string())).unwrap()).await
    }

    /// With an Idempotency-Key that was never used.
    pub(crate) async fn once(&self, path: &str, body: &Value) -> Reply {
        self.marked(path, &RandomIds.uuid().to_string(), body).await
    }

    /// With an Idempotency-Key.
    pub(crate) async fn marked(&self, path: &str, mark: &str, body: &Value) -> Reply {
        let request = self
            .request(Method::POST, path)
            .header("content-type", "application/json")
            .header("idempotency-key", mark);
        self.send(request.body(Body::from(body.to_string())).unwrap()).await
    }

    pub(crate) async fn order(&self, mark: &str) -> Reply {
        self.marked("/api/orders", mark, &order()).await
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        kernel::Clock::now(&*self.clock)
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> axum::http::request::Builder {
        Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {}", self.key))
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Reply {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, 1 << 20).await.unwrap();
        let reply = Reply {
            status: parts.status,
            headers: parts.headers,
            body: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
        };
        reply.check(&method, &path);
        self.check_audit(&method, &path, &reply).await;
        reply
    }

    /// Whoever may write leaves a line for each request that writes; what succeeded carries it in its own transaction.
    async fn check_audit(&self, method: &Method, path: &str, reply: &Reply) {
        let not_an_act = ["unauthorized", "rate_limited", "overloaded", "unavailable", "internal"];
        let reads = [Method::GET, Method::HEAD, Method::OPTIONS].contains(method);
        if reads || documented(method, path).is_none() || not_an_act.contains(&reply.code()) {
            return;
        }
        let id = reply.header("x-request-id");
        let lines = |more: &str| {
            let from = |table| format!("SELECT count(*) FROM {table} WHERE request_id = '{id}' {more}");
            format!("({}) + ({})", from("audit_inbox"), from("audit_trail"))
        };
        let expected = if reply.status.is_success() {
            lines("AND step IS NOT NULL AND result = 'committed'")
        } else {
            lines(&format!("AND result = '{}'", reply.code()))
        };
        assert!(
            self.count(&expected).await > 0,
            "{method} {path}: no line in the audit trail"
        );
    }

    /// One number from the database.
    pub(crate) async fn count(&self, sql: &str) -> i64 {
        #[derive(diesel::QueryableByName)]
        struct Row {
            #[diesel(sql_type = BigInt)]
            n: i64,
        }
        let mut conn = db::acquire(&self.owner).await.unwrap();
        let row: Row = diesel::sql_query(format!("SELECT ({sql})::bigint AS n"))
            .get_result(&mut conn)
            .await
            .unwrap();
        row.n
    }

    /// One text from the database.
    pub(crate) async fn text(&self, sql: &str) -> String {
        #[derive(diesel::QueryableByName)]
        struct Row {
            #[diesel(sql_type = Text)]
            t: String,
        }
        let mut conn = db::acquire(&self.owner).await.unwrap();
        let row: Row = diesel::sql_query(format!("SELECT ({sql})::text AS t"))
            .get_result(&mut conn)
            .await
            .unwrap();
        row.t
    }

    pub(crate) async fn balance(&self, user: i64) -> String {
        let reply = self.get(&format!("/api/users/{user}/balance")).await;
        reply.body["balances"][0]["amount"].as_str().unwrap().to_owned()
    }
}

/// An order that costs 3.25 TRX.
pub(crate) fn order() -> Value {
    json!({ "user_id": 42, "receiver": RECEIVER, "energy": 65_000, "duration_s": 3600 })
}

impl Reply {
    pub(crate) fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or("none")
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn refused(&self, status: u16, code: &str) {
        assert_eq!((self.status.as_u16(), self.code()), (status, code), "{}", self.body);
    }

    /// The only field error: where and what.
    pub(crate) fn field(&self) -> (&str, &str) {
        let error = &self.body["errors"][0];
        (error["pointer"].as_str().unwrap(), error["code"].as_str().unwrap())
    }

    /// Errors are problem documents, and of a kind that the OpenAPI document promises for the route.
    fn check(&self, method: &Method, path: &str) {
        let id = self.header("x-request-id");
        assert!(!id.is_empty());
        if !path.starts_with("/api") || self.status.is_success() || self.status == 304 {
            return;
        }
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(self.body["request_id"], id);
        assert_eq!(self.body["status"], self.status.as_u16());
        if let Some(codes) = documented(method, path) {
            assert!(
                codes.iter().any(|code| code == self.code()),
                "{method} {path}: {} is not documented",
                self.code()
            );
        }
    }
}

/// The problem codes that the document promises for a request, if it has the route.
fn documented(method: &Method, path: &str) -> Option<Vec<String>> {
    static DOCUMENT: LazyLock<Value> = LazyLock::new(|| serde_json::to_value(openapi()).unwrap());
    let document = &*DOCUMENT;
    let fits = |template: &str| {
        let (wanted, given): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
        wanted.len() == given.len() && wanted.iter().zip(&given).all(|(w, g)| w == g || w.starts_with('{'))
    };
    let paths = document["paths"].as_object().unwrap();
    // literal segments win over parameters, as in the router
    let (_, item) = paths
        .iter()
        .filter(|(template, _)| fits(template))
        .min_by_key(|(template, _)| template.matches('{').count())?;
    let operation = item.get(method.as_str().to_lowercase())?;
    let codes = operation["x-problem-codes"].as_array()?;
    Some(codes.iter().map(|code| code.as_str().unwrap().to_owned()).collect())
}
