//! Keys whose requests have to be signed.

use access::SignedParts;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use kernel::{IdGen, RandomIds};
use serde_json::{Value, json};
use switchyard_api::Scope;

use crate::support::{Log, Reply, TestApi, order};

struct Signer {
    key: String,
    secret: Vec<u8>,
}

/// The headers that a request is signed by.
#[derive(Clone)]
struct Signature {
    timestamp: String,
    signature: String,
    /// The Idempotency-Key; empty: none is sent.
    mark: String,
}

impl Signer {
    /// Under an Idempotency-Key that was never used.
    fn sign(&self, timestamp_ms: i64, method: &str, path: &str, body: &str) -> Signature {
        self.sign_marked(timestamp_ms, (method, path, body), &RandomIds.uuid().to_string())
    }

    fn sign_marked(&self, timestamp_ms: i64, (method, path, body): (&str, &str, &str), mark: &str) -> Signature {
        let parts = SignedParts {
            timestamp_ms,
            method,
            path_and_query: path,
            body: body.as_bytes(),
            idempotency_key: mark,
        };
        Signature {
            timestamp: timestamp_ms.to_string(),
            signature: parts.sign(&self.secret),
            mark: mark.to_owned(),
        }
    }

    fn request(&self, path: &str, body: &str, signature: Option<Signature>) -> Request<Body> {
        let method = if body.is_empty() { Method::GET } else { Method::POST };
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {}", self.key))
            .header("content-type", "application/json");
        if let Some(signed) = signature {
            request = request
                .header("switchyard-timestamp", signed.timestamp)
                .header("switchyard-signature", signed.signature);
            if !signed.mark.is_empty() {
                request = request.header("idempotency-key", signed.mark);
            }
        }
        request.body(Body::from(body.to_owned())).unwrap()
    }
}

impl TestApi {
    /// A key that has to sign, and its secret; the operator's token that made it so.
    async fn signer(&self, overlap_hours: u32) -> (String, Signer, String) {
        let (id, key) = self.key_with(Scope::ALL, 1_000).await;
        let (_, admin) = self.signed_in(&["super_admin"]).await;
        let path = format!("/api/keys/{}/signing", id.0);
        let made = self.secret(&admin, &path, overlap_hours).await;
        (path, Signer { key, secret: made }, admin)
    }

    async fn secret(&self, admin: &str, path: &str, overlap_hours: u32) -> Vec<u8> {
        let body = json!({ "overlap_hours": overlap_hours });
        let made = self.with_token(admin, Method::POST, path, &body).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
        assert_eq!(made.body["key"]["signed"], true);
        hex::decode(made.body["secret"].as_str().unwrap()).unwrap()
    }

    async fn get_signed(&self, signer: &Signer, path: &str) -> Reply {
        let now = self.now().timestamp_millis();
        let signature = signer.sign(now, "GET", path, "");
        self.send(signer.request(path, "", Some(signature))).await
    }
}

#[tokio::test]
async fn a_key_that_has_to_sign_is_taken_with_a_right_signature_alone() {
    let api = TestApi::new().await;
    let (_, signer, _) = api.signer(0).await;
    let (path, body, now) = ("/api/orders", order().to_string(), api.now().timestamp_millis());
    api.send(signer.request(path, &body, None))
        .await
        .refused(401, "signature_required");
    let right = signer.sign(now, "POST", path, &body);
    for (at, method, signed_path, signed_body) in [
        (now, "PUT", path, body.as_str()),
        (now, "POST", "/api/orders/", body.as_str()),
        (now, "POST", "/api/orders?x=1", body.as_str()),
        (now, "POST", path, ""),
        (now + 30_001, "POST", path, body.as_str()),
        (now - 30_001, "POST", path, body.as_str()),
    ] {
        let signature = signer.sign(at, method, signed_path, signed_body);
        let refused = api.send(signer.request(path, &body, Some(signature))).await;
        refused.refused(401, "signature_invalid");
    }
    let other = Signer {
        key: signer.key.clone(),
        secret: vec![1; 32],
    };
    let forged = other.sign(now, "POST", path, &body);
    api.send(signer.request(path, &body, Some(forged)))
        .await
        .refused(401, "signature_invalid");
    let shifted = Signature {
        timestamp: (now + 1).to_string(),
        ..right.clone()
    };
    api.send(signer.request(path, &body, Some(shifted)))
        .await
        .refused(401, "signature_invalid");
    assert_eq!(api.count("SELECT count(*) FROM orders").await, 0);
    let done = api.send(signer.request(path, &body, Some(right.clone()))).await;
    assert_eq!(done.status, StatusCode::CREATED, "{}", done.body);
    // the same once more, by whoever listened, also in other letters
    let louder = Signature {
        signature: right.signature.to_ascii_uppercase().replacen('V', "v", 1),
        ..right.clone()
    };
    for replay in [right.clone(), louder] {
        let replayed = api.send(signer.request(path, &body, Some(replay))).await;
        replayed.refused(401, "signature_replayed");
    }
    api.clock.advance_seconds(29);
    let late = api.send(signer.request(path, &body, Some(right.clone()))).await;
    late.refused(401, "signature_replayed");
    api.clock.advance_seconds(2);
    let over = api.send(signer.request(path, &body, Some(right))).await;
    over.refused(401, "signature_invalid");
    assert_eq!(
        api.get_signed(&signer, "/api/orders?limit=1").await.status,
        StatusCode::OK
    );
    assert_eq!(api.count("SELECT count(*) FROM orders").await, 1);
}

#[tokio::test]
async fn a_signature_is_of_one_idempotency_key() {
    let api = TestApi::new().await;
    let (_, signer, _) = api.signer(0).await;
    let (path, body, now) = ("/api/orders", order().to_string(), api.now().timestamp_millis());
    let right = signer.sign_marked(now, ("POST", path, &body), "m1");
    let unmarked = signer.sign_marked(now, ("POST", path, &body), "");
    // whoever gets hold of a request that never arrived sends it once, not once for each key that he makes up
    for (signed, mark) in [(&right, "m2"), (&right, "M1"), (&right, ""), (&unmarked, "m1")] {
        let other = Signature {
            mark: mark.to_owned(),
            ..signed.clone()
        };
        let refused = api.send(signer.request(path, &body, Some(other))).await;
        refused.refused(401, "signature_invalid");
    }
    assert_eq!(api.count("SELECT count(*) FROM orders").await, 0);
    let done = api.send(signer.request(path, &body, Some(right))).await;
    assert_eq!(done.status, StatusCode::CREATED, "{}", done.body);
    // signed anew under its key it is the same request
    let again = signer.sign_marked(now + 1, ("POST", path, &body), "m1");
    let again = api.send(signer.request(path, &body, Some(again))).await;
    assert_eq!(
        (again.status, again.header("idempotency-replayed"), &again.body["id"]),
        (StatusCode::OK, "true", &done.body["id"])
    );
    let bare = signer.request(path, &body, Some(unmarked));
    api.send(bare).await.refused(400, "idempotency_key_required");
    let read = signer.sign_marked(now, ("GET", "/api/prices", ""), "");
    let read = api.send(signer.request("/api/prices", "", Some(read))).await;
    assert_eq!(read.status, StatusCode::OK, "{}", read.body);
}

#[tokio::test]
async fn a_secret_is_replaced_while_the_one_before_signs_on() {
    let api = TestApi::new().await;
    let (path, first, admin) = api.signer(1).await;
    assert_eq!(api.get_signed(&first, "/api/prices").await.status, StatusCode::OK);
    let second = Signer {
        key: first.key.clone(),
        secret: api.secret(&admin, &path, 1).await,
    };
    // what was right a moment ago is believed for five seconds
    api.clock.advance_seconds(6);
    for signer in [&first, &second] {
        assert_eq!(api.get_signed(signer, "/api/prices?").await.code(), "none");
    }
    api.clock.advance_seconds(3_600);
    api.get_signed(&first, "/api/prices")
        .await
        .refused(401, "signature_invalid");
    assert_eq!(api.get_signed(&second, "/api/prices").await.status, StatusCode::OK);
    let (_, admin) = api.signed_in(&["super_admin"]).await;
    let dropped = api.with_token(&admin, Method::DELETE, &path, &Value::Null).await;
    assert_eq!(dropped.body["signed"], false, "{}", dropped.body);
    api.clock.advance_seconds(6);
    let plain = api.send(first.request("/api/prices", "", None)).await;
    assert_eq!(plain.status, StatusCode::OK);
    // the secret was shown once, and is nowhere else
    let clear = hex::encode(&second.secret);
    assert!(!Log::text().contains(&clear));
    let listed = api.with_token(&admin, Method::GET, "/api/keys", &Value::Null).await;
    assert!(!listed.body.to_string().contains(&clear));
}

#[tokio::test]
async fn where_operators_do_not_sign_in_no_secret_can_be_kept() {
    let api = TestApi::without_operators().await;
    let (id, _) = api.key_with(Scope::ALL, 1_000).await;
    let path = format!("/api/keys/{}/signing", id.0);
    let refused = api.once(&path, &json!({})).await;
    refused.refused(403, "insufficient_scope");
}
