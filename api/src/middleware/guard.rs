//! Who calls, how often, and whether the route is theirs to call: in this order, before anything of the body is read.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Extension, Request, State};
use axum::http::header::{AUTHORIZATION, HeaderMap, WWW_AUTHENTICATE};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use domain::api_keys::Principal;

use super::observe::AnsweredFor;
use super::{audit, client, key_cache};
use crate::App;
use crate::problem::{Code, Problem};

macro_rules! scopes {
    ($($scope:ident = $word:literal;)+) => {
        /// What a key must be allowed to do. The words are those of `domain::api_keys::SCOPES`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Scope { $(#[doc = $word] $scope),+ }

        impl Scope {
            /// Every scope that a route asks for.
            pub const ALL: &'static [Self] = &[$(Self::$scope),+];

            /// Its word in a key.
            #[must_use]
            pub const fn word(self) -> &'static str { match self { $(Self::$scope => $word),+ } }
        }
    };
}

scopes! {
    OrdersRead = "orders:read";
    OrdersWrite = "orders:write";
    UsersRead = "users:read";
    UsersWrite = "users:write";
    BalancesWrite = "balances:write";
    PayoutsRead = "payouts:read";
    PayoutsWrite = "payouts:write";
    DepositsRead = "deposits:read";
    DepositsWrite = "deposits:write";
    ExchangesRead = "exchanges:read";
    ExchangesWrite = "exchanges:write";
    SupplierWalletsRead = "supplier_wallets:read";
    SupplierWalletsWrite = "supplier_wallets:write";
    OperationsRead = "operations:read";
    OperationsWrite = "operations:write";
    WebhooksRead = "webhooks:read";
    WebhooksWrite = "webhooks:write";
    AuditRead = "audit:read";
}

/// The key that a request came with.
pub(crate) type Caller = Extension<Arc<Principal>>;

/// A route and what it needs.
#[derive(Clone)]
pub(crate) struct Guarded {
    pub(crate) app: Arc<App>,
    pub(crate) scope: Scope,
    /// Its handler's name.
    pub(crate) action: &'static str,
}

/// Lets a request with the right key through to its handler. One that may write is an act for the audit trail.
pub(crate) async fn guard(State(guarded): State<Guarded>, mut request: Request, next: Next) -> Response {
    let Guarded { app, scope, action } = guarded;
    let client = client::address(request.extensions(), request.headers(), &app.trusted_proxies);
    let principal = match caller(&app, request.headers(), client).await {
        Ok(principal) => principal,
        Err(problem) => return problem.into_response(),
    };
    let answered_for = AnsweredFor(principal.key);
    // from elsewhere it is not counted: who stole a key must not use up what its owner may ask
    let allowed = if principal.may_come_from(client) {
        app.limits.check_key(&principal).await
    } else {
        Err(elsewhere(client))
    };
    let mut response = match allowed {
        Err(problem) => problem.into_response(),
        Ok(allowance) => {
            let act = audit::act(&app, (&principal, client), &request, action);
            let mut response = if principal.may(scope.word()) {
                request.extensions_mut().insert(Arc::new(principal));
                audit::acting(act.as_ref(), next.run(request)).await
            } else {
                lacking(scope).into_response()
            };
            let ended = act.as_ref().and_then(|act| audit::ended(act, &response));
            if let (Some(act), Some(result)) = (&act, ended) {
                audit::tell(&app, act, result).await;
            }
            allowance.write(response.headers_mut());
            response
        }
    };
    response.extensions_mut().insert(answered_for);
    response
}

/// Whose key it is. All but keys that are known to be right, from where they may be used, is counted by where it comes from
/// before the database is asked: guesses, floods, and keys that were stolen.
async fn caller(app: &App, headers: &HeaderMap, client: Option<IpAddr>) -> Result<Principal, Problem> {
    let challenge = |text: &str| Problem::new(Code::Unauthorized).with_header(WWW_AUTHENTICATE, text);
    let clear = headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(bearer);
    if !clear.is_some_and(|clear| key_cache::is_known(app, clear, client)) {
        app.limits.check_address(client).await?;
    }
    let clear = clear.ok_or_else(|| challenge("Bearer realm=\"switchyard\""))?;
    key_cache::authenticate(app, clear)
        .await?
        .ok_or_else(|| challenge("Bearer realm=\"switchyard\", error=\"invalid_token\""))
}

/// The token of `Bearer <token>`; the scheme's case does not matter.
fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// For routes where a part of the body needs a scope of its own.
pub(crate) fn need(principal: &Principal, scope: Scope) -> Result<(), Problem> {
    if principal.may(scope.word()) {
        return Ok(());
    }
    Err(lacking(scope))
}

fn elsewhere(client: Option<IpAddr>) -> Problem {
    let client = client.map_or_else(|| "an unknown address".to_owned(), |client| client.to_string());
    Problem::new(Code::AddressNotAllowed).with_detail(format!("this key may not be used from {client}"))
}

fn lacking(scope: Scope) -> Problem {
    let word = scope.word();
    Problem::new(Code::InsufficientScope)
        .with_detail(format!("this route needs the scope {word}"))
        .with_header(
            WWW_AUTHENTICATE,
            format!("Bearer realm=\"switchyard\", error=\"insufficient_scope\", scope=\"{word}\""),
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_those_that_keys_may_have() {
        let words: Vec<&str> = Scope::ALL.iter().map(|scope| scope.word()).collect();
        assert_eq!(words, domain::api_keys::SCOPES);
    }

    #[test]
    fn only_bearer_tokens_are_read() {
        assert_eq!(bearer("Bearer x"), Some("x"));
        assert_eq!(bearer("bearer  x"), Some("x"));
        for bad in ["", "x", "Basic x", "Bearerx"] {
            assert_eq!(bearer(bad), None, "{bad}");
        }
    }
}
