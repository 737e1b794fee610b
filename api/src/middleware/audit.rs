//! Requests that may write, as acts for the audit trail. A transaction that such a request commits carries its line; one that
//! committed none, or was refused, gets a line here.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::Request;
use axum::http::Method;
use axum::response::Response;
use db::trail::{self, Act, Actor};
use domain::principals::Principal;

use super::observe::RequestId;
use crate::App;
use crate::problem::Problem;

/// Whoever did not say yet who he is.
const NOBODY: &str = "nobody";

/// The act that a request is; `None` for one that only reads.
pub(super) fn act(
    app: &App,
    (principal, client): (Option<&Principal>, Option<IpAddr>),
    request: &Request,
    action: &str,
) -> Option<Act> {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    (!reads).then(|| act_of(app, (principal, client), request, action))
}

/// The act that a request is, whatever it does.
pub(super) fn act_of(
    app: &App,
    (principal, client): (Option<&Principal>, Option<IpAddr>),
    request: &Request,
    action: &str,
) -> Act {
    let request_id = request.extensions().get::<RequestId>();
    Act::new(Actor {
        principal: principal.map_or_else(|| NOBODY.to_owned(), Principal::actor),
        name: principal.map_or_else(|| NOBODY.to_owned(), |principal| principal.name.clone()),
        address: client.map(|client| client.to_string()),
        request_id: request_id.map(|id| id.0.clone()),
        action: action.to_owned(),
        target: Some(format!("{} {}", request.method(), request.uri().path())),
        at: app.clock.now(),
    })
}

/// Runs the handler as a part of the act.
pub(super) async fn acting<F: Future>(act: Option<&Act>, handler: F) -> F::Output {
    match act {
        Some(act) => trail::acting(act, handler).await,
        None => handler.await,
    }
}

/// How an act ended, where no transaction of its own said so or it was refused after one.
pub(super) fn ended(act: &Act, response: &Response) -> Option<&'static str> {
    match response.extensions().get::<Arc<Problem>>() {
        Some(problem) => Some(problem.code().word()),
        None if act.lines() == 0 => Some("ok"),
        None => None,
    }
}

/// Writes down how it ended.
pub(super) async fn tell(app: &App, act: &Act, result: &str) {
    if let Err(error) = act.tell(&app.pool, result).await {
        metrics::counter!("switchyard_audit_lines_lost_total").increment(1);
        let error: &dyn std::error::Error = &error;
        tracing::error!(error, result, "a refused request is not in the audit trail");
    }
}
