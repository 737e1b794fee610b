//! People who sign in: passwords, second factors, sessions, and who may make whom.

use access::{AccessKeys, BuiltInRole, Claims, HashedPassword, RefreshToken, TotpSecret};
use axum::body::Body;
use axum::http::{Method, Request};
use chrono::{DateTime, Duration, Utc};
use db::models::{Credentials, Operator, OperatorSession};
use db::{Pool, acquire};
use domain::operators::{self, By, NewOperator};
use kernel::{IdGen, RandomIds};
use serde_json::{Value, json};
use tower::ServiceExt;
use uuid::Uuid;

use crate::support::{Log, OPERATOR_KEYS, Reply, TestApi};

/// A good one.
pub(crate) const PASSWORD: &str = "seven purple lamps under water";

/// Somebody who can sign in.
pub(crate) struct TestOperator {
    pub(crate) id: Uuid,
    pub(crate) email: String,
    secret: TotpSecret,
}

impl TestOperator {
    pub(crate) fn code(&self, now: DateTime<Utc>) -> String {
        self.secret.code(now)
    }
}

fn keys() -> AccessKeys {
    AccessKeys::parse(OPERATOR_KEYS).unwrap()
}

fn hash() -> String {
    static HASH: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    let made = HASH.get_or_init(|| HashedPassword::make(PASSWORD).unwrap().as_str().to_owned());
    made.clone()
}

impl TestApi {
    /// An operator who has chosen his password and set up his second factor.
    pub(crate) async fn operator(&self, roles: &[&str]) -> TestOperator {
        let email = format!("{}@example.org", RandomIds.uuid().simple());
        let roles: Vec<String> = roles.iter().map(ToString::to_string).collect();
        let new = NewOperator {
            email: &email,
            name: "Anna",
            roles: &roles,
        };
        let by = By::command("test");
        let made = operators::create(&self.owner, &RandomIds, &by, (new, None), self.now())
            .await
            .unwrap();
        let id = made.operator.id;
        let secret = TotpSecret::generate().unwrap();
        let credentials = Credentials {
            password_hash: hash(),
            must_change_password: false,
            totp_sealed: Some(keys().seal(id.as_bytes(), secret.bytes()).unwrap()),
            ..made.operator.credentials()
        };
        let mut conn = acquire(&self.owner).await.unwrap();
        Operator::set_credentials(&mut conn, id, credentials).await.unwrap();
        TestOperator { id, email, secret }
    }

    /// A session of his, and its access token, without signing in.
    pub(crate) async fn session_of(&self, operator: Uuid) -> (Uuid, String) {
        let now = self.now();
        let session = OperatorSession {
            id: RandomIds.uuid(),
            operator_id: operator,
            generation: 0,
            rotated_at: now,
            created_at: now,
            last_used_at: now,
            expires_at: now + Duration::hours(12),
            ended_at: None,
            ended_why: None,
            address: None,
            agent: None,
        };
        session.insert(&mut acquire(&self.owner).await.unwrap()).await.unwrap();
        (session.id, token(&keys(), operator, session.id, now))
    }

    /// An operator with these roles, signed in.
    pub(crate) async fn signed_in(&self, roles: &[&str]) -> (TestOperator, String) {
        let operator = self.operator(roles).await;
        let (_, token) = self.session_of(operator.id).await;
        (operator, token)
    }

    pub(crate) async fn with_token(&self, token: &str, method: Method, path: &str, body: &Value) -> Reply {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("idempotency-key", RandomIds.uuid().to_string());
        if !token.is_empty() {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let body = if body.is_null() {
            Body::empty()
        } else {
            request = request.header("content-type", "application/json");
            Body::from(body.to_string())
        };
        self.send(request.body(body).unwrap()).await
    }

    async fn sign_in(&self, email: &str, password: &str, code: Option<&str>) -> Reply {
        let body = json!({ "email": email, "password": password, "totp_code": code });
        self.with_token("", Method::POST, "/api/auth/sign-in", &body).await
    }

    async fn me(&self, token: &str) -> Reply {
        self.with_token(token, Method::GET, "/api/auth/me", &Value::Null).await
    }

    async fn refresh(&self, token: &str) -> Reply {
        let body = json!({ "refresh_token": token });
        self.with_token("", Method::POST, "/api/auth/refresh", &body).await
    }
}

pub(crate) fn token(keys: &AccessKeys, operator: Uuid, session: Uuid, now: DateTime<Utc>) -> String {
    until(keys, (operator, session), now, now + Duration::seconds(300))
}

/// An access token that is good for longer than the service makes them.
pub(crate) fn long_token(operator: Uuid, session: Uuid, end: DateTime<Utc>) -> String {
    until(&keys(), (operator, session), end - Duration::days(1), end)
}

fn until(keys: &AccessKeys, (sub, sid): (Uuid, Uuid), from: DateTime<Utc>, end: DateTime<Utc>) -> String {
    let (iat, exp) = (from.timestamp(), end.timestamp());
    keys.sign(Claims { sub, sid, iat, exp }).unwrap()
}

/// The first refresh token of a session.
pub(crate) fn refresh_token(session: Uuid) -> String {
    keys().write_refresh(RefreshToken { session, generation: 0 })
}

fn text(reply: &Reply, field: &str) -> String {
    reply.body[field]
        .as_str()
        .unwrap_or_else(|| panic!("{field}: {}", reply.body))
        .to_owned()
}

#[tokio::test]
async fn the_first_operator_chooses_a_password_and_a_second_factor_before_anything_else() {
    let api = TestApi::new().await;
    let new = NewOperator {
        email: "Anna@Example.org",
        name: "Anna",
        roles: &["super_admin".to_owned()],
    };
    let by = By::command("root");
    let made = operators::create(&api.owner, &RandomIds, &by, (new, None), api.now())
        .await
        .unwrap();
    let given = made.password.unwrap();
    let signed_in = api.sign_in("anna@example.org", &given, None).await;
    assert_eq!(signed_in.status, 200, "{}", signed_in.body);
    assert_eq!(signed_in.body["next"], json!(["change_password", "enrol_totp"]));
    let token = text(&signed_in, "access_token");
    let operators = async || {
        api.with_token(&token, Method::GET, "/api/operators", &Value::Null)
            .await
    };
    operators().await.refused(403, "insufficient_scope");
    assert_eq!(api.me(&token).await.body["permissions"], json!(["account:own"]));

    let change = async |current: &str, new: &str| {
        let body = json!({ "current_password": current, "new_password": new });
        api.with_token(&token, Method::POST, "/api/auth/password", &body).await
    };
    change("wrong", PASSWORD).await.refused(403, "not_proven");
    change(&given, "password1234").await.refused(422, "weak_password");
    change(&given, &given).await.refused(422, "bad_text");
    assert_eq!(change(&given, PASSWORD).await.status, 204);
    api.clock.advance_seconds(6);
    operators().await.refused(403, "insufficient_scope");

    let enrol = async |password: &str| {
        let body = json!({ "password": password });
        api.with_token(&token, Method::POST, "/api/auth/totp", &body).await
    };
    enrol("wrong").await.refused(403, "not_proven");
    let enrolled = enrol(PASSWORD).await;
    assert!(
        text(&enrolled, "url").starts_with("otpauth://totp/Switchyard:anna%40example"),
        "{}",
        enrolled.body
    );
    let sealed = api.text("SELECT encode(totp_pending, 'hex') FROM operators").await;
    let secret = keys()
        .open(made.operator.id.as_bytes(), &hex::decode(sealed).unwrap())
        .unwrap();
    let secret = TotpSecret::from_bytes(&secret).unwrap();
    assert_eq!(secret.base32(), text(&enrolled, "secret"));
    let confirm = async |code: &str| {
        let body = json!({ "totp_code": code });
        api.with_token(&token, Method::POST, "/api/auth/totp/confirm", &body)
            .await
    };
    let code = secret.code(api.now());
    let wrong = if code == "000000" { "000001" } else { "000000" };
    confirm(wrong).await.refused(403, "not_proven");
    operators().await.refused(403, "insufficient_scope");
    assert_eq!(confirm(&code).await.status, 204);
    confirm(&code).await.refused(404, "not_found");
    api.clock.advance_seconds(6);
    assert_eq!(operators().await.body["items"][0]["email"], "anna@example.org");
}

#[tokio::test]
async fn a_code_is_needed_and_taken_once() {
    let api = TestApi::new().await;
    let anna = api.operator(&["observer"]).await;
    let sign_in = async |code: Option<&str>| api.sign_in(&anna.email.to_uppercase(), PASSWORD, code).await;
    sign_in(None).await.refused(401, "code_needed");
    let code = anna.code(api.now());
    let first = sign_in(Some(&code)).await;
    assert_eq!((first.status.as_u16(), first.body["next"].clone()), (200, json!([])));
    sign_in(Some(&code)).await.refused(401, "sign_in_failed");
    api.clock.advance_seconds(30);
    assert_eq!(sign_in(Some(&anna.code(api.now()))).await.status, 200);
}

#[tokio::test]
async fn guessing_is_slowed_down_and_tells_nothing() {
    let api = TestApi::new().await;
    let anna = api.operator(&["observer"]).await;
    let unknown = api.sign_in("nobody@example.org", "wrong", None).await;
    let wrong = api.sign_in(&anna.email, "wrong", None).await;
    let wrong_code = api.sign_in(&anna.email, PASSWORD, Some("12345")).await;
    for reply in [&unknown, &wrong, &wrong_code] {
        reply.refused(401, "sign_in_failed");
        assert_eq!(reply.body["detail"], unknown.body["detail"]);
    }
    api.sign_in(&anna.email, "wrong", None)
        .await
        .refused(401, "sign_in_failed");
    // three in a row: for a second not even the right one is taken
    let right = async || api.sign_in(&anna.email, PASSWORD, Some(&anna.code(api.now()))).await;
    right().await.refused(401, "sign_in_failed");
    assert_eq!(
        api.count("SELECT failures FROM operators").await,
        3,
        "who waits is not counted"
    );
    api.clock.advance_seconds(2);
    api.sign_in(&anna.email, "wrong", None)
        .await
        .refused(401, "sign_in_failed");
    api.clock.advance_seconds(1);
    right().await.refused(401, "sign_in_failed");
    let (_, admin) = api.signed_in(&["super_admin"]).await;
    let path = format!("/api/operators/{}/unlock", anna.id);
    assert_eq!(
        api.with_token(&admin, Method::POST, &path, &Value::Null).await.status,
        204
    );
    assert_eq!(right().await.status, 200);
    assert_eq!(
        api.count(&format!("SELECT failures FROM operators WHERE id = '{}'", anna.id))
            .await,
        0
    );
}

#[tokio::test]
async fn a_session_goes_on_with_each_next_token_and_ends_with_an_old_one() {
    let api = TestApi::new().await;
    let anna = api.operator(&["observer"]).await;
    let first = api.sign_in(&anna.email, PASSWORD, Some(&anna.code(api.now()))).await;
    let (access, refresh) = (text(&first, "access_token"), text(&first, "refresh_token"));
    assert_eq!(api.me(&access).await.status, 200);
    api.clock.advance_seconds(300);
    api.me(&access).await.refused(401, "unauthorized");

    let second = api.refresh(&refresh).await;
    let next = text(&second, "refresh_token");
    assert_ne!(next, refresh);
    assert_eq!(api.me(&text(&second, "access_token")).await.status, 200);
    // the answer was lost
    api.clock.advance_seconds(59);
    assert_eq!(text(&api.refresh(&refresh).await, "refresh_token"), next);
    let third = text(&api.refresh(&next).await, "refresh_token");
    // stolen
    api.refresh(&refresh).await.refused(401, "session_over");
    api.refresh(&third).await.refused(401, "session_over");
    assert_eq!(
        api.text("SELECT ended_why FROM operator_sessions").await,
        "token_reused"
    );
    for forged in ["", "x", &third.replace("rt.test", "rt.best"), &access] {
        api.refresh(forged).await.refused(401, "session_over");
    }
}

#[tokio::test]
async fn a_session_that_nobody_uses_ends_and_so_does_each_in_the_end() {
    let api = TestApi::new().await;
    let anna = api.operator(&["observer"]).await;
    let sign_in = async || {
        api.clock.advance_seconds(30);
        let reply = api.sign_in(&anna.email, PASSWORD, Some(&anna.code(api.now()))).await;
        text(&reply, "refresh_token")
    };
    let mut refresh = sign_in().await;
    api.clock.advance_seconds(3_599);
    refresh = text(&api.refresh(&refresh).await, "refresh_token");
    api.clock.advance_seconds(3_600);
    api.refresh(&refresh).await.refused(401, "session_over");

    let mut refresh = sign_in().await;
    for _ in 0..14 {
        api.clock.advance_seconds(3_000);
        let reply = api.refresh(&refresh).await;
        refresh = text(&reply, "refresh_token");
    }
    api.clock.advance_seconds(1_200);
    api.refresh(&refresh).await.refused(401, "session_over");
}

#[tokio::test]
async fn signing_out_and_being_disabled_hold_within_seconds() {
    let api = TestApi::new().await;
    let (anna, one) = api.signed_in(&["finance_manager"]).await;
    let (other_id, other) = api.session_of(anna.id).await;
    let own = async |token: &str, method: Method, path: &str| api.with_token(token, method, path, &Value::Null).await;
    let listed = own(&one, Method::GET, "/api/auth/sessions").await;
    let items = listed.body["items"].as_array().unwrap();
    assert_eq!(
        items.iter().map(|item| item["current"].clone()).collect::<Vec<_>>(),
        [json!(false), json!(true)]
    );
    assert_eq!(api.me(&other).await.status, 200);
    let path = format!("/api/auth/sessions/{other_id}");
    assert_eq!(own(&one, Method::DELETE, &path).await.status, 204);
    own(&one, Method::DELETE, &path).await.refused(404, "not_found");
    api.clock.advance_seconds(6);
    api.me(&other).await.refused(401, "unauthorized");

    let (boris, admin) = api.signed_in(&["super_admin"]).await;
    let (borises, _) = api.session_of(boris.id).await;
    let of_another = format!("/api/auth/sessions/{borises}");
    own(&one, Method::DELETE, &of_another).await.refused(404, "not_found");

    let (_, second) = api.session_of(anna.id).await;
    assert_eq!(
        own(&one, Method::POST, "/api/auth/sign-out-everywhere").await.status,
        204
    );
    api.clock.advance_seconds(6);
    for token in [&one, &second] {
        api.me(token).await.refused(401, "unauthorized");
    }

    let (_, third) = api.session_of(anna.id).await;
    assert_eq!(api.me(&third).await.status, 200);
    let disable = json!({ "enabled": false });
    let path = format!("/api/operators/{}", anna.id);
    let disabled = api.with_token(&admin, Method::PATCH, &path, &disable).await;
    assert_eq!(
        (disabled.status.as_u16(), &disabled.body["enabled"]),
        (200, &json!(false))
    );
    api.clock.advance_seconds(6);
    api.me(&third).await.refused(401, "unauthorized");
    let wrong = api.sign_in(&anna.email, PASSWORD, Some(&anna.code(api.now()))).await;
    wrong.refused(401, "sign_in_failed");
}

#[tokio::test]
async fn nobody_gives_more_than_he_has_changes_himself_or_is_the_last_to_go() {
    let api = TestApi::new().await;
    let (boss, admin) = api.signed_in(&["super_admin"]).await;
    let role = json!({ "title": "Office", "permissions": ["operators:read", "operators:manage", "operators:reset",
        "roles:manage", "roles:read", "users:read", "users:block"] });
    let put = async |token: &str, name: &str, body: &Value| {
        api.with_token(token, Method::PUT, &format!("/api/roles/{name}"), body)
            .await
    };
    assert_eq!(put(&admin, "office", &role).await.status, 201);
    assert_eq!(put(&admin, "office", &role).await.status, 200);
    put(&admin, "observer", &role).await.refused(422, "bad_text");
    put(&admin, "Office!", &role).await.refused(422, "bad_text");
    let unknown = json!({ "title": "Office", "permissions": ["users:fly"] });
    put(&admin, "pilots", &unknown).await.refused(422, "bad_text");
    let own = json!({ "title": "Office", "permissions": ["account:own"] });
    put(&admin, "pilots", &own).await.refused(422, "bad_text");

    let (clerk, token) = api.signed_in(&["office"]).await;
    let create = async |token: &str, email: &str, roles: Value| {
        let body = json!({ "email": email, "name": "Carl", "roles": roles });
        api.with_token(token, Method::POST, "/api/operators", &body).await
    };
    create(&token, "carl@example.org", json!(["super_admin"]))
        .await
        .refused(403, "more_than_own");
    create(&token, "carl@example.org", json!(["user_manager"]))
        .await
        .refused(403, "more_than_own");
    create(&token, "carl@example.org", json!(["nobodys"]))
        .await
        .refused(422, "bad_text");
    create(&token, "carl", json!(["office"])).await.refused(422, "bad_text");
    let made = create(&token, "carl@example.org", json!(["office"])).await;
    assert_eq!(made.status, 201, "{}", made.body);
    create(&token, "Carl@example.org", json!([]))
        .await
        .refused(409, "conflict");
    let wider = json!({ "title": "Office", "permissions": ["users:read", "audit:read"] });
    put(&token, "office", &wider).await.refused(403, "more_than_own");

    let patch = async |token: &str, id: &str, body: Value| {
        api.with_token(token, Method::PATCH, &format!("/api/operators/{id}"), &body)
            .await
    };
    let (boss_id, clerk_id) = (boss.id.to_string(), clerk.id.to_string());
    patch(&token, &boss_id, json!({ "enabled": false }))
        .await
        .refused(403, "more_than_own");
    patch(&token, &clerk_id, json!({ "roles": [] }))
        .await
        .refused(403, "own_account");
    patch(&admin, &boss_id, json!({ "roles": ["observer"] }))
        .await
        .refused(403, "own_account");
    let reset = json!({ "reason": "lost his phone" });
    let path = format!("/api/operators/{boss_id}/reset-totp");
    api.with_token(&token, Method::POST, &path, &reset)
        .await
        .refused(403, "more_than_own");
    api.with_token(&admin, Method::POST, &path, &reset)
        .await
        .refused(403, "own_account");
}

#[tokio::test]
async fn of_two_who_disable_each_other_at_once_one_is_left() {
    let api = TestApi::new().await;
    let (boss, admin) = api.signed_in(&["super_admin"]).await;
    let (second, other) = api.signed_in(&["super_admin"]).await;
    // known to be signed in, so that neither is turned away because the other was first
    for token in [&admin, &other] {
        assert_eq!(api.me(token).await.status, 200);
    }
    let disable = async |token: &str, id: Uuid| {
        let body = json!({ "enabled": false });
        api.with_token(token, Method::PATCH, &format!("/api/operators/{id}"), &body)
            .await
    };
    let (one, two) = tokio::join!(disable(&admin, second.id), disable(&other, boss.id));
    let mut codes = [one.code().to_owned(), two.code().to_owned()];
    codes.sort_unstable();
    assert_eq!(codes, ["last_super_admin", "none"]);
    assert_eq!(
        api.count("SELECT count(*) FROM operators WHERE disabled_at IS NULL AND 'super_admin' = ANY (roles)")
            .await,
        1
    );
}

#[tokio::test]
async fn a_role_that_is_changed_holds_within_seconds_and_none_is_taken_from_under_anybody() {
    let api = TestApi::new().await;
    let (_, admin) = api.signed_in(&["super_admin"]).await;
    let role = |points: Value| json!({ "title": "Night shift", "permissions": points });
    let path = "/api/roles/night_shift";
    let put = async |points: Value| api.with_token(&admin, Method::PUT, path, &role(points)).await;
    assert_eq!(put(json!(["findings:read", "jobs:read"])).await.status, 201);
    let (anna, token) = api.signed_in(&["night_shift"]).await;
    let findings = async || {
        api.with_token(&token, Method::GET, "/api/operations/findings", &Value::Null)
            .await
    };
    assert_eq!(findings().await.status, 200);
    assert_eq!(put(json!(["jobs:read"])).await.status, 200);
    api.clock.advance_seconds(6);
    findings().await.refused(403, "insufficient_scope");

    let delete = async || api.with_token(&admin, Method::DELETE, path, &Value::Null).await;
    delete().await.refused(409, "conflict");
    let change = json!({ "roles": ["observer"] });
    let him = format!("/api/operators/{}", anna.id);
    assert_eq!(api.with_token(&admin, Method::PATCH, &him, &change).await.status, 200);
    assert_eq!(delete().await.status, 204);
    delete().await.refused(404, "not_found");
    let roles = api.with_token(&admin, Method::GET, "/api/roles", &Value::Null).await;
    assert_eq!(roles.body["items"].as_array().unwrap().len(), BuiltInRole::ALL.len());
    let points = api
        .with_token(&admin, Method::GET, "/api/permissions", &Value::Null)
        .await;
    assert!(points.body["items"].as_array().unwrap().len() >= 60);
}

#[tokio::test]
async fn what_an_operator_does_carries_his_name_and_nothing_secret_is_kept() {
    let api = TestApi::new().await;
    let (boss, admin) = api.signed_in(&["super_admin"]).await;
    let body = json!({ "email": "dora@example.org", "name": "Dora", "roles": ["wallet_manager"] });
    let made = api.with_token(&admin, Method::POST, "/api/operators", &body).await;
    let given = text(&made, "password");
    let dora = made.body["operator"]["id"].as_str().unwrap().to_owned();
    assert_eq!(made.header("location"), format!("/api/operators/{dora}"));
    let signed_in = api.sign_in("dora@example.org", &given, None).await;
    let (access, refresh) = (text(&signed_in, "access_token"), text(&signed_in, "refresh_token"));
    let change = json!({ "current_password": given, "new_password": PASSWORD });
    assert_eq!(
        api.with_token(&access, Method::POST, "/api/auth/password", &change)
            .await
            .status,
        204
    );
    let enrolled = json!({ "password": PASSWORD });
    let enrolled = api.with_token(&access, Method::POST, "/api/auth/totp", &enrolled).await;
    let secret = text(&enrolled, "secret");
    let reset = json!({ "reason": "forgot it" });
    let path = format!("/api/operators/{dora}/reset-password");
    let anew = text(&api.with_token(&admin, Method::POST, &path, &reset).await, "password");
    api.clock.advance_seconds(6);
    api.me(&access).await.refused(401, "unauthorized");

    let order = json!({ "user_id": 42, "amount": "1", "reason": "goodwill" });
    let credit = json!({ "amount": order["amount"], "reason": order["reason"] });
    let credited = api
        .with_token(&admin, Method::POST, "/api/users/42/deposit", &credit)
        .await;
    assert_eq!(credited.status, 200, "{}", credited.body);
    let actor = format!("operator:{}", boss.id);
    let transfers = format!("SELECT count(*) FROM ledger_transfers WHERE actor = '{actor}'");
    assert_eq!(api.count(&transfers).await, 1);
    let lines = format!(
        "SELECT count(*) FROM audit_inbox WHERE principal = '{actor}' AND principal_name = '{}' AND action = \
         'deposit_user_balance'",
        boss.email
    );
    assert_eq!(api.count(&lines).await, 1);

    let kept = api.text("SELECT string_agg(a::text, ' ') FROM audit_inbox a").await
        + &api.text("SELECT string_agg(a::text, ' ') FROM operators a").await
        + &Log::text();
    for hidden in [&given, PASSWORD, &access, &refresh, &secret, &anew, &admin] {
        assert!(!kept.contains(hidden), "{hidden}");
    }
    assert!(kept.contains("dora@example.org"));
}

#[tokio::test]
async fn keys_of_operators_are_replaced_without_signing_anybody_out() {
    let api = TestApi::new().await;
    let (_, token) = api.signed_in(&["observer"]).await;
    let asked = async |keys: &str| {
        let request = Request::get("/api/auth/me").header("authorization", format!("Bearer {token}"));
        let router = api.replica(&[("OPERATORS__KEYS", keys)]);
        let response = router.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        response.status().as_u16()
    };
    let new = OPERATOR_KEYS.replace("test:09", "new:08");
    assert_eq!(asked(&format!("{new},{OPERATOR_KEYS}")).await, 200);
    assert_eq!(asked(&new).await, 401);

    // a sign-in seals the second factor under the newest key, so that the old one can go
    let anna = api.operator(&["observer"]).await;
    let sealed = format!(
        "SELECT encode(totp_sealed, 'hex') FROM operators WHERE id = '{}'",
        anna.id
    );
    let before = hex::decode(api.text(&sealed).await).unwrap();
    let body = json!({ "email": anna.email, "password": PASSWORD, "totp_code": anna.code(api.now()) });
    let request = Request::post("/api/auth/sign-in").header("content-type", "application/json");
    let both = api.replica(&[("OPERATORS__KEYS", &format!("{new},{OPERATOR_KEYS}"))]);
    let reply = both
        .oneshot(request.body(Body::from(body.to_string())).unwrap())
        .await
        .unwrap();
    assert_eq!(reply.status(), 200);
    let after = hex::decode(api.text(&sealed).await).unwrap();
    let new = AccessKeys::parse(&new).unwrap();
    assert!(new.open(anna.id.as_bytes(), &before).is_err());
    assert!(new.open(anna.id.as_bytes(), &after).is_ok());
}

#[tokio::test]
async fn without_keys_nobody_signs_in_and_keys_of_the_api_go_on() {
    let api = TestApi::with(&[]).await;
    let closed = TestApi::without_operators().await;
    let (_, token) = api.signed_in(&["observer"]).await;
    closed.me(&token).await.refused(401, "unauthorized");
    closed
        .sign_in("anna@example.org", PASSWORD, None)
        .await
        .refused(503, "sign_in_closed");
    closed.refresh("rt.x").await.refused(503, "sign_in_closed");
    assert_eq!(closed.get("/api/prices").await.status, 200);
}

#[tokio::test]
async fn a_key_of_the_api_is_no_operator() {
    let api = TestApi::new().await;
    for path in ["/api/auth/me", "/api/auth/sessions", "/api/operators", "/api/roles"] {
        api.get(path).await.refused(403, "insufficient_scope");
    }
    let (anna, _) = api.signed_in(&["super_admin"]).await;
    assert_eq!(
        keys_of(&api.owner).await,
        1,
        "rows that operators write under are not listed as keys"
    );
    let prefix = api
        .text(&format!("SELECT prefix FROM api_keys WHERE id = '{}'", anna.id))
        .await;
    let shown = format!("{prefix}_{}", "A".repeat(52));
    api.me(&shown).await.refused(401, "unauthorized");
}

async fn keys_of(pool: &Pool) -> usize {
    db::models::ApiKey::list(&mut acquire(pool).await.unwrap())
        .await
        .unwrap()
        .len()
}

#[tokio::test]
async fn operators_make_limit_rotate_and_revoke_keys() {
    let api = TestApi::new().await;
    let (_, admin) = api.signed_in(&["super_admin"]).await;
    let ask = async |method: Method, path: &str, body: Value| api.with_token(&admin, method, path, &body).await;
    let body = json!({ "name": "bot", "scopes": ["orders:read", "orders:read"], "rate_limit_per_minute": 5 });
    let made = ask(Method::POST, "/api/keys", body).await;
    assert_eq!(
        (made.status.as_u16(), &made.body["key"]["scopes"]),
        (201, &json!(["orders:read"]))
    );
    let (clear, id) = (
        text(&made, "clear"),
        made.body["key"]["id"].as_str().unwrap().to_owned(),
    );
    let works = async |clear: &str| {
        api.clock.advance_seconds(6);
        api.with_token(clear, Method::GET, "/api/prices", &Value::Null).await
    };
    assert_eq!(works(&clear).await.header("ratelimit-limit"), "5");
    for wrong in [
        json!({ "name": "", "scopes": ["orders:read"] }),
        json!({ "name": "bot", "scopes": [] }),
        json!({ "name": "bot", "scopes": ["orders:fly"] }),
        json!({ "name": "bot", "scopes": ["orders:read"], "rate_limit_per_minute": 0 }),
    ] {
        ask(Method::POST, "/api/keys", wrong).await.refused(422, "bad_text");
    }
    let nowhere = json!({ "name": "bot", "scopes": ["orders:read"], "allowed_from": ["here"] });
    assert_eq!(
        ask(Method::POST, "/api/keys", nowhere).await.field(),
        ("#/allowed_from", "invalid_value")
    );

    let path = format!("/api/keys/{id}");
    let terms = json!({ "expires_at": "2027-01-15T08:05:00Z", "rate_limit_per_minute": 7 });
    let set = ask(Method::PUT, &format!("{path}/terms"), terms).await;
    assert_eq!(
        (set.status.as_u16(), &set.body["rate_limit_per_minute"]),
        (200, &json!(7))
    );
    assert_eq!(works(&clear).await.header("ratelimit-limit"), "7");
    let rotated = ask(Method::POST, &format!("{path}/rotate"), json!({ "overlap_hours": 0 })).await;
    let fresh = text(&rotated, "clear");
    works(&clear).await.refused(401, "unauthorized");
    assert_eq!(works(&fresh).await.status, 200);
    let before = rotated.body["key"]["prefix"].clone();
    assert_eq!(ask(Method::GET, &path, Value::Null).await.body["prefix"], before);
    let first = ask(Method::GET, "/api/keys?limit=1", Value::Null).await;
    let cursor = text(&first, "next_cursor");
    let rest = ask(Method::GET, &format!("/api/keys?cursor={cursor}"), Value::Null).await;
    let listed = [&first, &rest]
        .map(|page| page.body["items"].as_array().unwrap().clone())
        .concat();
    assert_eq!(listed.iter().filter(|key| key["id"] == id.as_str()).count(), 1);
    assert_eq!(listed.len(), 2);
    let over = ask(Method::POST, &format!("{path}/rotate"), json!({ "overlap_hours": 721 })).await;
    over.refused(422, "bad_text");
    assert_eq!(
        ask(Method::POST, &format!("{path}/revoke"), Value::Null).await.status,
        204
    );
    works(&fresh).await.refused(401, "unauthorized");
    ask(Method::POST, &format!("{path}/revoke"), Value::Null)
        .await
        .refused(404, "not_found");
}

#[tokio::test]
async fn nobody_makes_a_key_that_may_do_more_than_he() {
    let api = TestApi::new().await;
    let (boss, admin) = api.signed_in(&["super_admin"]).await;
    let role = json!({ "title": "Keys of bots", "permissions": ["keys:read", "keys:manage", "orders:read", "pricing:read",
        "pool:read", "quotes:write"] });
    assert_eq!(
        api.with_token(&admin, Method::PUT, "/api/roles/bots", &role)
            .await
            .status,
        201
    );
    let (_, token) = api.signed_in(&["bots"]).await;
    let create = async |scope: &str| {
        let body = json!({ "name": "bot", "scopes": [scope] });
        api.with_token(&token, Method::POST, "/api/keys", &body).await
    };
    assert_eq!(create("orders:read").await.status, 201);
    create("balances:write").await.refused(403, "more_than_own");
    // a key that may do more is not his to open, by a new secret or from elsewhere
    let (key, body) = (format!("/api/keys/{}", api.key_id), json!({}));
    let rotate = api
        .with_token(&token, Method::POST, &format!("{key}/rotate"), &body)
        .await;
    rotate.refused(403, "more_than_own");
    let terms = api
        .with_token(&token, Method::PUT, &format!("{key}/terms"), &body)
        .await;
    terms.refused(403, "more_than_own");
    // the row that an operator writes under is no key
    let row = format!("/api/keys/{}", boss.id);
    api.with_token(&admin, Method::GET, &row, &Value::Null)
        .await
        .refused(404, "not_found");
    let rotate = api
        .with_token(&admin, Method::POST, &format!("{row}/rotate"), &body)
        .await;
    rotate.refused(404, "not_found");
    let revoke = api
        .with_token(&admin, Method::POST, &format!("{row}/revoke"), &Value::Null)
        .await;
    revoke.refused(404, "not_found");
}
