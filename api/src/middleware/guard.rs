//! Who calls, how often, and whether the route is theirs to call: in this order, before anything of the body is read.

use std::net::IpAddr;
use std::sync::Arc;

use access::Permission;
use axum::extract::{Extension, Request, State};
use axum::http::header::{AUTHORIZATION, HeaderMap, WWW_AUTHENTICATE};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use db::trail::Act;
use domain::principals::Principal;
use zeroize::Zeroizing;

use super::observe::AnsweredFor;
use super::signature::signed;
use super::{audit, client, key_cache};
use crate::App;
use crate::problem::{Code, Problem};

/// Who a request came from.
pub(crate) type Caller = Extension<Arc<Principal>>;

/// Where a request came from, as far as it is known.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Client(pub(crate) Option<IpAddr>);

/// What a route asks of its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Needs {
    /// Nothing: who calls is yet to be shown.
    Nothing,
    /// This point.
    Point(Permission),
}

/// A route and what it needs.
#[derive(Clone)]
pub(crate) struct Guarded {
    pub(crate) app: Arc<App>,
    pub(crate) needs: Needs,
    /// Its handler's name.
    pub(crate) action: &'static str,
}

/// Lets a request of somebody who may do this through to its handler. One that may write is an act for the audit trail.
pub(crate) async fn guard(State(guarded): State<Guarded>, mut request: Request, next: Next) -> Response {
    let Guarded { app, needs, action } = guarded;
    let client = client::address(request.extensions(), request.headers(), &app.trusted_proxies);
    request.extensions_mut().insert(Client(client));
    let Needs::Point(point) = needs else {
        return open((&app, client, action), request, next).await;
    };
    let principal = match caller(&app, request.headers(), client).await {
        Ok(principal) => principal,
        Err(problem) => return problem.into_response(),
    };
    let answered_for = AnsweredFor(principal.key);
    let mut response = if principal.may_come_from(client) {
        match app.limits.check_key(&principal).await {
            Err(problem) => problem.into_response(),
            Ok(allowance) => {
                let who = (principal, client);
                let mut response = answered((&app, point, action), who, request, next).await;
                allowance.write(response.headers_mut());
                response
            }
        }
    } else {
        // it is not counted as the key's: who stole one must not use up what its owner may ask. The address is, see [`caller`]
        // whoever stole one tries it by reading
        let act = audit::act_of(&app, (Some(&principal), client), &request, action);
        done(&app, Some(act), Some(elsewhere(client)), std::future::pending()).await
    };
    response.extensions_mut().insert(answered_for);
    response
}

/// The answer to somebody who is known, if he signed where he has to and may call this.
async fn answered(
    (app, point, action): (&App, Permission, &str),
    (principal, client): (Principal, Option<IpAddr>),
    request: Request,
    next: Next,
) -> Response {
    let act = audit::act(app, (Some(&principal), client), &request, action);
    let lacks = need(&principal, point).err();
    match signed(app, &principal, request).await {
        Err(problem) => done(app, act, Some(problem), std::future::pending()).await,
        Ok(mut request) => {
            request.extensions_mut().insert(Arc::new(principal));
            done(app, act, lacks, next.run(request)).await
        }
    }
}

/// A route that anybody may call, not often.
async fn open((app, client, action): (&App, Option<IpAddr>, &str), request: Request, next: Next) -> Response {
    if let Err(problem) = app.limits.check_stranger(client).await {
        return problem.into_response();
    }
    let act = audit::act(app, (None, client), &request, action);
    done(app, act, None, next.run(request)).await
}

/// Runs the handler, where nothing is against it, and has it told in the audit trail.
async fn done(
    app: &App,
    act: Option<Act>,
    against: Option<Problem>,
    handler: impl Future<Output = Response>,
) -> Response {
    let response = match against {
        Some(problem) => problem.into_response(),
        None => audit::acting(act.as_ref(), handler).await,
    };
    let ended = act.as_ref().and_then(|act| audit::ended(act, &response));
    if let (Some(act), Some(result)) = (&act, ended) {
        audit::tell(app, act, result).await;
    }
    response
}

/// Whose key or token it is. All but what is known to be right, from where it may be used, is counted by where it comes from before
/// the database is asked: guesses, floods, and keys that were stolen.
async fn caller(app: &App, headers: &HeaderMap, client: Option<IpAddr>) -> Result<Principal, Problem> {
    let challenge = |text: &str| Problem::new(Code::Unauthorized).with_header(WWW_AUTHENTICATE, text);
    let clear = token(headers);
    if !clear.is_some_and(|clear| key_cache::is_known(app, clear, client)) {
        app.limits.check_address(client).await?;
    }
    let clear = clear.ok_or_else(|| challenge("Bearer realm=\"switchyard\""))?;
    key_cache::authenticate(app, clear)
        .await?
        .ok_or_else(|| challenge("Bearer realm=\"switchyard\", error=\"invalid_token\""))
}

fn token(headers: &HeaderMap) -> Option<&str> {
    headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(bearer)
}

/// The key or token that a request came with, for who has to look again whether it still holds.
pub(crate) fn presented(headers: &HeaderMap) -> Option<Zeroizing<String>> {
    token(headers).map(|clear| Zeroizing::new(clear.to_owned()))
}

/// The token of `Bearer <token>`; the scheme's case does not matter.
fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Whether the caller may do this; a part of a body may need a point of its own.
pub(crate) fn need(principal: &Principal, point: Permission) -> Result<(), Problem> {
    if principal.may(point) {
        return Ok(());
    }
    Err(lacking(principal, point))
}

fn elsewhere(client: Option<IpAddr>) -> Problem {
    let client = client.map_or_else(|| "an unknown address".to_owned(), |client| client.to_string());
    Problem::new(Code::AddressNotAllowed).with_detail(format!("this key may not be used from {client}"))
}

fn lacking(principal: &Principal, point: Permission) -> Problem {
    let problem = Problem::new(Code::InsufficientScope);
    if principal.session.is_some() {
        return problem.with_detail(format!(
            "this needs the permission {}, which none of your roles gives",
            point.word()
        ));
    }
    let Some(scope) = point.scope() else {
        return problem.with_detail(format!(
            "this needs the permission {}, which operators alone have",
            point.word()
        ));
    };
    let word = scope.word();
    problem.with_detail(format!("this needs the scope {word}")).with_header(
        WWW_AUTHENTICATE,
        format!("Bearer realm=\"switchyard\", error=\"insufficient_scope\", scope=\"{word}\""),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_bearer_tokens_are_read() {
        assert_eq!(bearer("Bearer x"), Some("x"));
        assert_eq!(bearer("bearer  x"), Some("x"));
        for bad in ["", "x", "Basic x", "Bearerx"] {
            assert_eq!(bearer(bad), None, "{bad}");
        }
    }
}
