//! Every answer to a broadcast. What is not certain must come out as unknown.

use chain::{Broadcast, Refusal};
use serde_json::json;

use super::*;

async fn answer(reply: impl Fn() -> Reply + Clone + Send + Sync + 'static) -> Broadcast {
    let node = Node::start(move |_, _| reply()).await;
    let answer = client(&[&node]).broadcast(&signed().bytes).await;
    assert_eq!(node.hits(), 1, "sent exactly once");
    answer
}

async fn coded(code: &'static str, message: &'static str) -> Broadcast {
    answer(move || Reply::Json(json!({ "code": code, "message": message, "txid": signed().txid.to_string() }))).await
}

#[tokio::test]
async fn the_bytes_arrive_as_they_are() {
    let node = Node::always(json!({ "result": true, "txid": signed().txid.to_string() })).await;
    assert_eq!(client(&[&node]).broadcast(&signed().bytes).await, Broadcast::Accepted);
    let seen = node.seen();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].0, "/wallet/broadcasthex");
    assert_eq!(seen[0].1, json!({ "transaction": hex::encode(signed().bytes) }));
}

#[tokio::test]
async fn success_is_told_in_two_ways() {
    let explicit = answer(|| Reply::Json(json!({ "result": true, "code": "SUCCESS", "message": "" }))).await;
    assert_eq!(explicit, Broadcast::Accepted);
    assert_eq!(
        answer(|| Reply::Json(json!({ "result": true }))).await,
        Broadcast::Accepted
    );
}

#[tokio::test]
async fn a_known_transaction_is_waited_for() {
    for message in ["Dup transaction.", "Transaction already exists."] {
        let expected = Broadcast::AlreadyKnown {
            code: "DUP_TRANSACTION_ERROR".to_owned(),
            message: message.to_owned(),
        };
        assert_eq!(coded("DUP_TRANSACTION_ERROR", message).await, expected);
    }
}

#[tokio::test]
async fn a_node_that_cannot_now_is_asked_again() {
    for (code, message) in [
        ("SERVER_BUSY", "Server busy."),
        ("NO_CONNECTION", "No connection."),
        ("NOT_ENOUGH_EFFECTIVE_CONNECTION", "P2P broadcast failed."),
        ("BLOCK_UNSOLIDIFIED", "Block unsolidified."),
    ] {
        let expected = Broadcast::Retry {
            code: code.to_owned(),
            message: message.to_owned(),
        };
        assert_eq!(coded(code, message).await, expected);
    }
}

#[tokio::test]
async fn refusals_say_what_they_mean() {
    for (code, message, refusal) in [
        (
            "SIGERROR",
            "Validate signature error: permission isn't exit",
            Refusal::BadSignature,
        ),
        ("TAPOS_ERROR", "Tapos check error.", Refusal::BadReference),
        (
            "TRANSACTION_EXPIRATION_ERROR",
            "Transaction expired",
            Refusal::BadReference,
        ),
        (
            "BANDWITH_ERROR",
            "Account resource insufficient error.",
            Refusal::InsufficientBandwidth,
        ),
        ("TOO_BIG_TRANSACTION_ERROR", "", Refusal::Other),
        (
            "CONTRACT_VALIDATE_ERROR",
            "Contract validate error : Do not allow delegate resources to contract addresses",
            Refusal::ReceiverIsContract,
        ),
        (
            "CONTRACT_EXE_ERROR",
            "Contract execute error : delegated Resource does not exist",
            Refusal::DelegationMissing,
        ),
        (
            "CONTRACT_VALIDATE_ERROR",
            "Contract validate error : something new",
            Refusal::Other,
        ),
    ] {
        let expected = Broadcast::Refused {
            code: code.to_owned(),
            message: message.to_owned(),
            refusal,
        };
        assert_eq!(coded(code, message).await, expected);
    }
}

#[tokio::test]
async fn what_is_not_understood_is_unknown() {
    let txid = signed().txid.to_string();
    let answers = [
        (
            "OTHER_ERROR",
            answer(|| Reply::Json(json!({ "code": "OTHER_ERROR", "message": "Error: x" }))).await,
        ),
        ("NEW_CODE", answer(|| Reply::Json(json!({ "code": "NEW_CODE" }))).await),
        ("SUCCESS", answer(|| Reply::Json(json!({ "code": "SUCCESS" }))).await),
        ("malformed", answer(move || Reply::Json(json!({ "txid": txid }))).await),
        ("malformed", answer(|| Reply::Json(json!({}))).await),
        ("malformed", answer(|| Reply::Json(json!([]))).await),
        (
            "malformed",
            answer(|| Reply::Json(json!({ "result": true, "txid": "ab".repeat(32) }))).await,
        ),
        (
            "malformed",
            answer(|| Reply::Json(json!({ "Error": "class java.lang.X : y" }))).await,
        ),
        (
            "malformed",
            answer(|| Reply::Json(json!({ "Error": "lack of computing resources" }))).await,
        ),
        ("malformed", answer(|| Reply::Text("<html>")).await),
        (
            "malformed",
            answer(|| Reply::Text("this API is closed because this node is a lite fullnode")).await,
        ),
        ("malformed", answer(|| Reply::Text("{\"result\":tr")).await),
        ("transport", answer(|| Reply::Truncated).await),
        ("http_403", answer(|| Reply::Status(403)).await),
        ("http_413", answer(|| Reply::Status(413)).await),
        ("http_429", answer(|| Reply::Status(429)).await),
        ("http_500", answer(|| Reply::Status(500)).await),
        ("http_503", answer(|| Reply::Status(503)).await),
    ];
    for (code, answer) in answers {
        assert!(matches!(answer, Broadcast::Unknown { .. }), "{answer:?}");
        assert_eq!(answer.code(), code, "{answer:?}");
    }
}

#[tokio::test]
async fn a_timeout_is_unknown_and_nobody_else_is_asked() {
    let slow = Node::start(|_, _| Reply::Hang).await;
    let other = Node::always(json!({ "result": true })).await;
    let client = client_of(&[&slow.url, &other.url], 50);
    let answer = client.broadcast(&signed().bytes).await;
    assert_eq!(answer.code(), "timeout");
    assert!(matches!(answer, Broadcast::Unknown { .. }), "{answer:?}");
    assert_eq!(other.hits(), 0);
}

#[tokio::test]
async fn only_an_endpoint_that_saw_nothing_is_passed_over() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let dead = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let node = Node::always(json!({ "result": true })).await;
    assert_eq!(
        client_of(&[&dead, &node.url], 1_000).broadcast(&signed().bytes).await,
        Broadcast::Accepted
    );

    let lonely = client_of(&[&dead], 1_000);
    for _ in 0..2 {
        let answer = lonely.broadcast(&signed().bytes).await;
        assert!(matches!(answer, Broadcast::Retry { .. }), "{answer:?}");
        assert_eq!(answer.code(), "NOT_SENT");
    }
}

#[tokio::test]
async fn bytes_that_are_no_transaction_are_not_sent() {
    let node = Node::always(json!({ "result": true })).await;
    let answer = client(&[&node]).broadcast(b"nonsense").await;
    assert!(
        matches!(
            answer,
            Broadcast::Refused {
                refusal: Refusal::Other,
                ..
            }
        ),
        "{answer:?}"
    );
    assert_eq!(node.hits(), 0);
}

#[tokio::test]
async fn a_nodes_words_are_kept_up_to_a_length() {
    let long = Box::leak("x".repeat(10_000).into_boxed_str());
    assert_eq!(coded("SIGERROR", long).await.message().len(), 300);
}
