//! The layers around handlers that misbehave.

use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use serde_json::Value;
use settings::{Settings, Source};
use tower::ServiceExt;

use super::{bounds, observe};
use crate::App;

fn app() -> Arc<App> {
    let key = "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a";
    let variables = [
        ("SWITCHYARD__DATABASE__URL", "postgres://127.0.0.1:1/none"),
        ("SWITCHYARD__REDIS__URL", "redis://127.0.0.1:1"),
        ("SWITCHYARD__VAULT__IMPORT_PUBLIC_KEY", key),
        ("SWITCHYARD__API__REQUEST_TIMEOUT_MS", "50"),
    ];
    let settings = Settings::load_from(&Source {
        dir: Path::new(env!("CARGO_MANIFEST_DIR")).join("../config"),
        environment: "dev".into(),
        variables: variables
            .iter()
            .map(|(name, value)| ((*name).into(), (*value).into()))
            .collect(),
    });
    App::from_settings(settings.unwrap()).unwrap()
}

#[expect(clippy::panic, reason = "a handler that panics is what is tested")]
async fn panics() {
    panic!("secret detail");
}

async fn ask(path: &str) -> (u16, Value) {
    let app = app();
    let router = Router::new()
        .route("/panic", get(panics))
        .route("/slow", get(std::future::pending::<()>))
        .layer(from_fn_with_state(app.clone(), bounds))
        .layer(from_fn_with_state(app.clone(), observe))
        .with_state(app);
    let response = router
        .oneshot(Request::get(path).body(Body::empty()).unwrap())
        .await
        .unwrap();
    let status = response.status().as_u16();
    let bytes = to_bytes(response.into_body(), 10_000).await.unwrap();
    (status, serde_json::from_slice(&bytes).unwrap())
}

#[tokio::test]
async fn a_panic_is_a_constant_500() {
    let (status, body) = ask("/panic").await;
    assert_eq!((status, body["code"].as_str()), (500, Some("internal")));
    assert!(!body.to_string().contains("secret"), "{body}");
}

#[tokio::test]
async fn what_takes_too_long_is_a_504() {
    let (status, body) = ask("/slow").await;
    assert_eq!((status, body["code"].as_str()), (504, Some("timeout")));
}
