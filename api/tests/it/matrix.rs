//! Who may call what: every route with every role of the house, with keys, and with what opens nothing, held to a matrix that is
//! checked in. A change of it is a change of what people may do.

use access::{AccessKeys, BuiltInRole, Permission};
use axum::http::Method;
use chrono::Duration;
use serde_json::Value;
use switchyard_api::{Scope, openapi};
use uuid::Uuid;

use crate::operators::{TestOperator, token};
use crate::support::{OPERATOR_KEYS, TestApi};

/// A route of the document.
struct Route {
    method: Method,
    /// With ids in it that nothing has.
    path: String,
    shown: String,
    /// `None`: anybody may call it.
    permission: Option<Permission>,
}

fn routes() -> Vec<Route> {
    let document = serde_json::to_value(openapi()).unwrap();
    let mut routes = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let method: Method = method.to_uppercase().parse().unwrap();
            let permission = operation["x-permission"]
                .as_str()
                .map(|word| Permission::of_word(word).unwrap());
            let filled = path
                .replace("{user_id}", "42")
                .replace("{address}", "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t")
                .replace("{txid}", &"ab".repeat(32))
                .replace("{name}", "nobodys")
                .replace("{queue}", "nobodys")
                .replace("{version}", "1")
                .replace("{delivery_id}", &Uuid::nil().to_string())
                .replace("{id}", &Uuid::nil().to_string());
            assert!(!filled.contains('{'), "{path}");
            // a stream would not end
            let filled = filled.replace("/api/events", "/api/events?follow=false");
            routes.push(Route {
                shown: format!("{method} {path}"),
                method,
                path: filled,
                permission,
            });
        }
    }
    routes
}

impl TestApi {
    async fn ask(&self, token: &str, route: &Route) -> String {
        let reply = self
            .with_token(token, route.method.clone(), &route.path, &Value::Null)
            .await;
        format!("{} {}", reply.status.as_u16(), reply.code())
    }

    /// Whether a route lets this token through to its handler, which then finds the empty request wrong.
    async fn lets(&self, token: &str, route: &Route) -> bool {
        match self.ask(token, route).await.as_str() {
            "403 insufficient_scope" => false,
            answer => {
                assert!(
                    !answer.starts_with("401") && !answer.starts_with('5'),
                    "{}: {answer}",
                    route.shown
                );
                true
            }
        }
    }
}

#[tokio::test]
async fn every_route_lets_those_through_who_are_in_the_matrix() {
    let api = TestApi::with(&[("OPERATORS__REQUESTS_PER_MINUTE", "1000000")]).await;
    let mut people: Vec<(BuiltInRole, TestOperator)> = Vec::new();
    for role in BuiltInRole::ALL {
        people.push((*role, api.operator(&[role.name()]).await));
    }
    let mut matrix = Vec::new();
    let routes = routes();
    assert!(routes.len() > 90);
    for route in &routes {
        let Some(permission) = route.permission else {
            matrix.push(format!("{}\n    anybody", route.shown));
            continue;
        };
        let mut let_through = Vec::new();
        for (role, operator) in &people {
            // a session of its own: some routes end it
            let (_, token) = api.session_of(operator.id).await;
            let lets = api.lets(&token, route).await;
            let has = permission == Permission::AccountOwn || role.permissions().has(permission);
            assert_eq!(lets, has, "{} as {}", route.shown, role.name());
            if lets {
                let_through.push(role.name());
            }
        }
        let by_key = match permission.scope() {
            Some(scope) => {
                let (_, only) = api.key_with(&[scope], 1_000_000).await;
                assert!(api.lets(&only, route).await, "{} with {}", route.shown, scope.word());
                let others: Vec<Scope> = Scope::ALL.iter().copied().filter(|other| *other != scope).collect();
                let (_, all_others) = api.key_with(&others, 1_000_000).await;
                assert!(
                    !api.lets(&all_others, route).await,
                    "{} without {}",
                    route.shown,
                    scope.word()
                );
                scope.word()
            }
            None => {
                assert!(!api.lets(&api.key, route).await, "{} with a key", route.shown);
                "-"
            }
        };
        matrix.push(format!(
            "{}\n    {} key {by_key} roles {}",
            route.shown,
            permission.word(),
            let_through.join(" ")
        ));
    }
    insta::assert_snapshot!(matrix.join("\n"));
}

#[tokio::test]
async fn what_opens_nothing_is_told_so_by_every_route() {
    let api = TestApi::with(&[("OPERATORS__REQUESTS_PER_MINUTE", "1000000")]).await;
    let now = api.now();
    let keys = AccessKeys::parse(OPERATOR_KEYS).unwrap();
    let foreign = AccessKeys::parse(&OPERATOR_KEYS.replace("09", "0a")).unwrap();
    let boss = api.operator(&["super_admin"]).await;
    let (session, _) = api.session_of(boss.id).await;
    let (ended, of_ended) = api.session_of(boss.id).await;
    api.db
        .sql(&format!(
            "UPDATE operator_sessions SET (ended_at, ended_why) = (now(), 'signed_out') WHERE id = '{ended}'"
        ))
        .await;
    let disabled = api.operator(&["super_admin"]).await;
    let (_, of_disabled) = api.session_of(disabled.id).await;
    api.db
        .sql(&format!(
            "UPDATE operators SET disabled_at = now() WHERE id = '{}'",
            disabled.id
        ))
        .await;
    let (revoked_id, revoked) = api.key_with(Scope::ALL, 1_000_000).await;
    domain::api_keys::revoke(&api.owner, revoked_id, now).await.unwrap();
    let other = api.operator(&["super_admin"]).await;
    let (_, without_role) = {
        let nobody = api.operator(&[]).await;
        api.session_of(nobody.id).await
    };
    let tokens = [
        ("none", String::new()),
        ("expired", token(&keys, boss.id, session, now - Duration::seconds(300))),
        ("of an ended session", of_ended),
        ("of a disabled operator", of_disabled),
        ("signed by others", token(&foreign, boss.id, session, now)),
        ("of another's session", token(&keys, other.id, session, now)),
        ("of no session", token(&keys, boss.id, Uuid::from_u128(1), now)),
        ("a revoked key", revoked),
        (
            "a key that was made up",
            format!("sk_{}_{}", "A".repeat(12), "B".repeat(52)),
        ),
    ];
    for route in routes().iter().filter(|route| route.permission.is_some()) {
        for (what, token) in &tokens {
            assert_eq!(
                api.ask(token, route).await,
                "401 unauthorized",
                "{} with a token {what}",
                route.shown
            );
        }
        if route.permission != Some(Permission::AccountOwn) {
            assert!(!api.lets(&without_role, route).await, "{} without a role", route.shown);
        }
    }
}
