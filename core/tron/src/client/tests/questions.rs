//! Heads, single blocks and inclusion.

use chain::TxOutcome;
use serde_json::{Value, json};

use super::*;

fn block_ref(number: i64) -> BlockRef {
    BlockRef {
        number,
        id: id(number, 1),
        parent_id: id(number - 1, 1),
        time: time(number),
    }
}

#[tokio::test]
async fn the_two_heads_are_asked_on_their_sides() {
    let node = Node::start(|path, _| Reply::Json(block(if path == "/wallet/getnowblock" { 100 } else { 81 }))).await;
    let client = client(&[&node]);
    assert_eq!(client.head().await.unwrap(), block_ref(100));
    assert_eq!(client.solid_head().await.unwrap(), block_ref(81));
    let paths: Vec<_> = node.seen().into_iter().map(|(path, _)| path).collect();
    assert_eq!(paths, ["/wallet/getnowblock", "/walletsolidity/getnowblock"]);
}

#[tokio::test]
async fn a_block_is_there_or_not_or_another() {
    let node = Node::start(|_, body| {
        Reply::Json(match body["num"].as_i64().unwrap() {
            5 => block(5),
            6 => block(7),
            _ => json!({}),
        })
    })
    .await;
    let client = client(&[&node]);
    assert_eq!(client.block_ref(5).await.unwrap(), Some(block_ref(5)));
    assert_eq!(client.block_ref(9).await.unwrap(), None);
    assert!(matches!(client.block_ref(6).await, Err(ChainError::Malformed { .. })));
    assert_eq!(client.solid_block_ref(5).await.unwrap(), Some(block_ref(5)));
    assert_eq!(client.solid_block_ref(9).await.unwrap(), None);
    assert!(matches!(
        client.solid_block_ref(6).await,
        Err(ChainError::Malformed { .. })
    ));
    let seen = node.seen();
    let solid = seen.iter().filter(|(path, _)| path == "/walletsolidity/getblockbynum");
    assert_eq!((seen.len(), solid.count()), (6, 3));
}

#[tokio::test]
async fn a_head_that_contradicts_itself_is_not_believed() {
    let bend = |path: &str, value: Value| {
        let mut block = block(100);
        *block.pointer_mut(path).unwrap() = value;
        block
    };
    for bent in [
        bend("/blockID", json!(id(101, 1))),
        bend("/blockID", json!("00")),
        bend("/block_header/raw_data/parentHash", json!("")),
        bend("/block_header/raw_data/number", json!("100")),
        bend("/block_header/raw_data/timestamp", json!(i64::MAX)),
        bend("/block_header", Value::Null),
    ] {
        let node = Node::always(bent.clone()).await;
        assert!(
            matches!(client(&[&node]).head().await, Err(ChainError::Malformed { .. })),
            "{bent}"
        );
    }
}

#[tokio::test]
async fn failures_with_status_200_lead_to_the_next_node() {
    let replies = [
        || Reply::Json(json!({ "Error": "class org.tron.X : no" })),
        || {
            Reply::Json(
                json!({ "success": false, "Error": "The key exceeds the frequency limit(15)", "statusCode": 403 }),
            )
        },
        || Reply::Json(json!({})),
        || Reply::Json(json!([])),
        || Reply::Text("this API is closed because this node is a lite fullnode"),
        || Reply::Text("<html></html>"),
        || Reply::Text(""),
        || Reply::Text("null"),
    ];
    for reply in replies {
        let (bad, good) = (Node::start(move |_, _| reply()).await, Node::always(block(5)).await);
        assert_eq!(client(&[&bad, &good]).head().await.unwrap(), block_ref(5));
        assert!(client(&[&bad]).head().await.is_err());
    }
}

#[tokio::test]
async fn a_node_that_says_it_is_overrun_is_left_alone() {
    for words in [
        "class java.lang.IllegalAccessException : lack of computing resources",
        "The key exceeds the frequency limit(15), and the query server is suspended for 30s",
    ] {
        let node = Node::always(json!({ "Error": words })).await;
        let client = client(&[&node]);
        assert!(client.head().await.is_err());
        assert!(client.head().await.is_err());
        assert_eq!(node.hits(), 1, "{words}");
    }
}

#[tokio::test]
async fn inclusion_is_asked_of_solid_blocks() {
    let txid = signed().txid;
    let told = |extra: Value| {
        let mut info = json!({ "id": txid.to_string(), "blockNumber": 81, "receipt": { "net_usage": 280 } });
        for (key, value) in extra.as_object().unwrap() {
            info[key] = value.clone();
        }
        info
    };
    let included = |outcome| {
        Some(Inclusion {
            block_number: 81,
            outcome,
        })
    };
    for (answer, expected) in [
        (json!({}), None),
        (told(json!({})), included(TxOutcome::Ok)),
        (
            told(json!({ "receipt": { "result": "SUCCESS" } })),
            included(TxOutcome::Ok),
        ),
        (
            told(json!({ "receipt": { "result": "OUT_OF_ENERGY" } })),
            included(TxOutcome::Failed),
        ),
        (
            told(json!({ "result": "FAILED", "receipt": { "result": "REVERT" } })),
            included(TxOutcome::Failed),
        ),
        (told(json!({ "result": "FAILED" })), included(TxOutcome::Failed)),
    ] {
        let node = Node::always(answer.clone()).await;
        assert_eq!(
            client(&[&node]).solid_inclusion(txid).await.unwrap(),
            expected,
            "{answer}"
        );
        let seen = node.seen();
        assert_eq!(seen[0].0, "/walletsolidity/gettransactioninfobyid");
        assert_eq!(seen[0].1, json!({ "value": txid.to_string() }));
    }
    // one that does not know it proves nothing, where another does
    let ended = told(json!({ "receipt": { "result": "SUCCESS" } }));
    let (behind, knows) = (Node::always(json!({})).await, Node::always(ended).await);
    let away = Node::start(|_, _| Reply::Status(500)).await;
    for nodes in [
        [&behind, &away, &knows],
        [&knows, &behind, &away],
        [&away, &behind, &knows],
    ] {
        let found = client(&nodes).solid_inclusion(txid).await.unwrap();
        assert_eq!(found, included(TxOutcome::Ok));
    }
    assert_eq!(client(&[&behind, &away]).solid_inclusion(txid).await.unwrap(), None);
    for wrong in [
        told(json!({ "id": "ab".repeat(32) })),
        told(json!({ "blockNumber": 0 })),
        json!({ "Error": "x" }),
    ] {
        assert!(
            client(&[&Node::always(wrong).await])
                .solid_inclusion(txid)
                .await
                .is_err()
        );
    }
}
