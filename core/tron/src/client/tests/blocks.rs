//! Whole blocks, and blocks that are not.

use std::collections::HashMap;

use chain::{ChainAmount, MovedBy, Transfer, TransferAsset, TxOutcome};
use serde_json::{Value, json};

use super::*;
use crate::trc20;

/// A chain as a node tells it; tests bend it.
#[derive(Clone, Default)]
struct Told {
    blocks: HashMap<i64, Value>,
    infos: HashMap<i64, Value>,
}

impl Told {
    /// Blocks `1..=head`; every second one has two transactions, the second of them failed.
    fn up_to(head: i64) -> Self {
        let mut told = Self::default();
        for number in 1..=head {
            let mut block = header(number, 1);
            if number % 2 == 0 {
                block["transactions"] = json!([
                    called(&txid(number, 1), "SUCCESS", "00"),
                    called(&txid(number, 2), "OUT_OF_ENERGY", "00"),
                ]);
                told.infos.insert(number, json!([info(number, 1), info(number, 2)]));
            }
            told.blocks.insert(number, block);
        }
        told
    }

    fn answer(&self, path: &str, body: &Value) -> Reply {
        match path {
            "/wallet/getblockbylimitnext" => {
                let range = body["startNum"].as_i64().unwrap()..body["endNum"].as_i64().unwrap();
                assert!(range.end - range.start <= 100);
                let blocks: Vec<_> = range
                    .filter_map(|number| self.blocks.get(&number))
                    .map(rooted)
                    .collect();
                Reply::Json(if blocks.is_empty() {
                    json!({})
                } else {
                    json!({ "block": blocks })
                })
            }
            "/wallet/gettransactioninfobyblocknum" => {
                let number = body["num"].as_i64().unwrap();
                Reply::Json(self.infos.get(&number).cloned().unwrap_or_else(|| json!([])))
            }
            other => panic!("{other}"),
        }
    }

    async fn node(self) -> Node {
        Node::start(move |path, body| self.answer(path, body)).await
    }
}

/// A block with the root over its transactions, unless it says something of it itself.
fn rooted(block: &Value) -> Value {
    let mut block = block.clone();
    let root = if block.get("transactions").is_some() {
        "5a"
    } else {
        "00"
    };
    if let Some(raw) = block
        .pointer_mut("/block_header/raw_data")
        .and_then(Value::as_object_mut)
    {
        raw.entry("txTrieRoot").or_insert_with(|| json!(root.repeat(32)));
    }
    block
}

fn header(number: i64, fork: u8) -> Value {
    let raw =
        json!({ "number": number, "timestamp": time(number).timestamp_millis(), "parentHash": id(number - 1, fork) });
    json!({ "blockID": id(number, fork), "block_header": { "raw_data": raw, "witness_signature": "00" } })
}

fn txid(number: i64, place: u8) -> String {
    format!("{number:062x}{place:02x}")
}

/// A call of our token's contract.
fn called(txid: &str, ended: &str, data: &str) -> Value {
    let value = json!({ "owner_address": address(9).to_hex(), "contract_address": usdt().to_hex(), "data": data });
    let contract = json!([{ "type": "TriggerSmartContract", "parameter": { "value": value } }]);
    json!({ "txID": txid, "ret": [{ "contractRet": ended }], "raw_data": { "contract": contract } })
}

fn info(number: i64, place: u8) -> Value {
    let ended = if place == 2 { "OUT_OF_ENERGY" } else { "SUCCESS" };
    json!({ "id": txid(number, place), "blockNumber": number, "fee": 9_007_199_254_740_993_i64,
            "receipt": { "energy_usage_total": 64_285, "net_usage": 345, "result": ended } })
}

#[tokio::test]
async fn many_blocks_come_whole_and_in_order() {
    let node = Told::up_to(60).node().await;
    let blocks = client(&[&node]).blocks(3, 47).await.unwrap();
    assert_eq!(
        blocks.iter().map(|block| block.at.number).collect::<Vec<_>>(),
        (3..=47).collect::<Vec<_>>()
    );
    for block in &blocks {
        let number = block.at.number;
        assert_eq!(
            block.at,
            BlockRef {
                number,
                id: id(number, 1),
                parent_id: id(number - 1, 1),
                time: time(number)
            }
        );
        assert_eq!(block.transactions.len(), if number % 2 == 0 { 2 } else { 0 });
    }
    let first = &blocks[1].transactions;
    assert_eq!(first[0].txid.to_string(), txid(4, 1));
    assert_eq!((first[0].outcome, first[1].outcome), (TxOutcome::Ok, TxOutcome::Failed));
    // A number that a float cannot hold.
    assert_eq!(first[0].fee_sun, 9_007_199_254_740_993);
    assert_eq!((first[0].energy_used, first[0].bandwidth_used), (64_285, 345));
    // Three lists of blocks, and receipts for the blocks that have transactions.
    assert_eq!(node.hits(), 3 + 22);
}

#[tokio::test]
async fn the_head_may_be_nearer() {
    let node = Told::up_to(25).node().await;
    let client = client(&[&node]);
    assert_eq!(client.blocks(3, 90).await.unwrap().len(), 23);
    assert_eq!(client.blocks(26, 90).await.unwrap(), []);
    assert_eq!(client.blocks(5, 4).await.unwrap(), []);
    assert_eq!(client.blocks(25, i64::MAX).await.unwrap().len(), 1);
}

#[tokio::test]
async fn one_call_reads_a_hundred_blocks_at_most() {
    let node = Told::up_to(120).node().await;
    assert_eq!(
        client(&[&node]).blocks(1, 120).await.unwrap().last().unwrap().at.number,
        100
    );
}

#[tokio::test]
async fn receipts_that_do_not_fit_make_the_block_incomplete() {
    let bent: [(&str, Value); 9] = [
        ("none", json!([])),
        ("nothing", json!({})),
        ("one is missing", json!([info(2, 1)])),
        ("of another block", json!([info(4, 1), info(4, 2)])),
        ("one of another block", json!([info(2, 1), info(4, 2)])),
        ("no number", json!([{ "id": txid(2, 1) }, { "id": txid(2, 2) }])),
        ("a stranger", json!([info(2, 1), info(2, 2), info(2, 3)])),
        ("one twice", json!([info(2, 1), info(2, 1)])),
        ("no id", json!([info(2, 1), { "blockNumber": 2 }])),
    ];
    for (what, infos) in bent {
        let mut told = Told::up_to(3);
        told.infos.insert(2, infos);
        let node = told.node().await;
        let error = client(&[&node]).blocks(1, 3).await.unwrap_err();
        assert!(
            matches!(error, ChainError::Incomplete { number: 2, .. }),
            "{what}: {error}"
        );
    }
}

#[tokio::test]
async fn another_node_may_have_the_receipts() {
    let mut told = Told::up_to(3);
    told.infos.insert(2, json!([info(2, 1)]));
    let (limping, good) = (told.node().await, Told::up_to(3).node().await);
    let blocks = client(&[&limping, &good]).blocks(1, 3).await.unwrap();
    assert_eq!(blocks[1].transactions.len(), 2);
    assert_eq!((limping.hits(), good.hits()), (2, 1));
}

#[tokio::test]
async fn receipts_that_nobody_sends_leave_the_block_unread() {
    for reply in [
        || Reply::Status(500),
        || Reply::Text("<html>"),
        || Reply::Json(json!({ "Error": "x" })),
    ] {
        let told = Told::up_to(3);
        let node = Node::start(move |path, body| {
            if path == "/wallet/getblockbylimitnext" {
                told.answer(path, body)
            } else {
                reply()
            }
        })
        .await;
        assert!(client(&[&node]).blocks(1, 3).await.is_err());
    }
}

#[tokio::test]
async fn a_block_without_its_transactions_is_not_an_empty_block() {
    let bare = |root: Value| {
        let mut told = Told::up_to(3);
        told.blocks.insert(2, header(2, 1));
        told.blocks.get_mut(&2).unwrap()["block_header"]["raw_data"]["txTrieRoot"] = root;
        told
    };
    let (stripped, good) = (bare(json!("5a".repeat(32))).node().await, Told::up_to(3).node().await);
    let error = client(&[&stripped]).blocks(1, 3).await.unwrap_err();
    assert!(matches!(error, ChainError::Malformed { .. }), "{error}");
    let blocks = client(&[&stripped, &good]).blocks(1, 3).await.unwrap();
    assert_eq!(blocks[1].transactions.len(), 2);
    // where the header says nothing of them, receipts do
    let error = client(&[&bare(Value::Null).node().await])
        .blocks(1, 3)
        .await
        .unwrap_err();
    assert!(matches!(error, ChainError::Incomplete { number: 2, .. }), "{error}");
    // and an empty one is one
    let mut empty = bare(Value::Null);
    empty.infos.remove(&2);
    assert_eq!(client(&[&empty.node().await]).blocks(1, 3).await.unwrap().len(), 3);
    // transactions that the header denies
    let mut denied = Told::up_to(3);
    denied.blocks.get_mut(&2).unwrap()["block_header"]["raw_data"]["txTrieRoot"] = json!("00".repeat(32));
    assert!(client(&[&denied.node().await]).blocks(1, 3).await.is_err());
}

#[tokio::test]
async fn blocks_that_contradict_each_other_are_not_believed() {
    let bend = |number: i64, block: Value| {
        let mut told = Told::up_to(25);
        told.blocks.insert(number, block);
        told
    };
    let mut gap = Told::up_to(25);
    gap.blocks.remove(&10);
    let mut fork = Told::up_to(25);
    fork.blocks.extend((21..=25).map(|number| (number, header(number, 2))));
    let mut renumbered = header(10, 1);
    renumbered["block_header"]["raw_data"]["number"] = json!(11);
    let mut fraction = header(10, 1);
    fraction["block_header"]["raw_data"]["number"] = json!(10.0);
    let mut loud = header(10, 1);
    loud["blockID"] = json!(id(10, 0xab).to_uppercase());
    let mut unfinished = header(10, 1);
    unfinished["transactions"] = json!([{ "txID": txid(10, 1), "raw_data": {} }]);
    let mut nameless = header(10, 1);
    nameless["transactions"] = json!([called("xyz", "SUCCESS", "00")]);
    let mut bodiless = header(10, 1);
    bodiless["transactions"] = json!([{ "txID": txid(10, 1), "ret": [{ "contractRet": "SUCCESS" }] }]);
    let bent = [
        ("a gap", gap),
        ("another fork", bend(10, header(10, 2))),
        ("another fork where two answers meet", fork),
        ("another height than the id", bend(10, renumbered)),
        ("a height with a fraction", bend(10, fraction)),
        ("an id in upper case", bend(10, loud)),
        ("an id without a header", bend(10, json!({ "blockID": id(10, 1) }))),
        ("an empty block object", bend(10, json!({}))),
        ("a transaction without a result", bend(10, unfinished)),
        ("a transaction without an id", bend(10, nameless)),
        ("a transaction without a body", bend(10, bodiless)),
        ("the wrong blocks", {
            let mut told = Told::up_to(25);
            told.blocks.insert(1, header(2, 1));
            told
        }),
    ];
    for (what, told) in bent {
        let error = client(&[&told.node().await]).blocks(1, 25).await.unwrap_err();
        assert!(matches!(error, ChainError::Malformed { .. }), "{what}: {error}");
    }
}

#[tokio::test]
async fn more_blocks_than_asked_for_are_not_believed() {
    let told = Told::up_to(5);
    let node = Node::start(move |path, _| told.answer(path, &json!({ "startNum": 1, "endNum": 6, "num": 2 }))).await;
    assert!(client(&[&node]).blocks(1, 3).await.is_err());
}

/// A log of five tokens from nine to two.
fn log(token: TronAddress) -> Value {
    let moved = trc20::TransferLog {
        from: address(9),
        to: address(2),
        amount: trc20::amount256(5),
    };
    let topics: Vec<String> = moved.topics().iter().map(hex::encode).collect();
    json!({ "address": hex::encode(token.evm20()), "topics": topics, "data": hex::encode(moved.amount) })
}

#[tokio::test]
async fn blocks_come_with_what_they_moved_of_whichever_token() {
    let mut told = Told::up_to(3);
    let sent = json!({ "owner_address": address(9).to_hex(), "to_address": address(2).to_hex(), "amount": 7 });
    told.blocks.get_mut(&2).unwrap()["transactions"][1] = json!({
        "txID": txid(2, 2),
        "ret": [{ "contractRet": "SUCCESS" }],
        "raw_data": {
            "contract": [{ "type": "TransferContract", "parameter": { "value": sent } }],
            "data": hex::encode("for order 7\u{0}"),
        },
    });
    let mut paid = info(2, 1);
    paid["log"] = json!([log(address(6)), log(usdt())]);
    let plain = json!({ "id": txid(2, 2), "blockNumber": 2, "receipt": {} });
    told.infos.insert(2, json!([paid, plain]));
    let node = told.node().await;
    let blocks = client(&[&node]).blocks(1, 3).await.unwrap();
    let transfer = |place: u8, by, asset, amount, memo: Option<&str>| Transfer {
        block_number: 2,
        txid: txid(2, place).parse().unwrap(),
        by,
        asset,
        from: address(9),
        to: address(2),
        amount: ChainAmount::from(amount),
        memo: memo.map(str::to_owned),
    };
    let expected = [
        transfer(1, MovedBy::Log(0), TransferAsset::Token(address(6)), 5, None),
        transfer(1, MovedBy::Log(1), TransferAsset::Token(usdt()), 5, None),
        transfer(2, MovedBy::Transaction, TransferAsset::Coin, 7, Some("for order 7")),
    ];
    assert_eq!(blocks[1].transfers, expected);
    assert_eq!((blocks[0].transfers.len(), blocks[2].transfers.len()), (0, 0));
    // the list and the receipts of one block: what moved costs no further call
    assert_eq!(node.hits(), 2);
}

#[tokio::test]
async fn a_node_that_strips_logs_is_passed_over_and_the_block_is_not() {
    let data = hex::encode(
        trc20::Call::Transfer {
            to: address(2),
            amount: trc20::amount256(5),
        }
        .encode(),
    );
    let mut told = Told::up_to(3);
    told.blocks.get_mut(&2).unwrap()["transactions"][0] = called(&txid(2, 1), "SUCCESS", &data);
    let mut whole = told.clone();
    let mut paid = info(2, 1);
    paid["log"] = json!([log(usdt())]);
    whole.infos.insert(2, json!([paid, info(2, 2)]));
    let (stripped, good) = (told.node().await, whole.node().await);
    let error = client(&[&stripped]).blocks(1, 3).await.unwrap_err();
    assert!(matches!(error, ChainError::Incomplete { number: 2, .. }), "{error}");
    let blocks = client(&[&stripped, &good]).blocks(1, 3).await.unwrap();
    assert_eq!(blocks[1].transfers.len(), 1);
}
