//! Blocks that must not be used.

use super::*;

fn id(place: u8) -> TxId {
    TxId([place; 32])
}

/// A value with one field set, by its JSON pointer, or taken out.
fn bent(mut value: Value, pointer: &str, new: Option<Value>) -> Value {
    if let Some(new) = new {
        *value.pointer_mut(pointer).unwrap() = new;
    } else {
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        value
            .pointer_mut(parent)
            .unwrap()
            .as_object_mut()
            .unwrap()
            .remove(key)
            .unwrap();
    }
    value
}

#[test]
fn every_transaction_has_one_receipt_and_every_receipt_a_transaction() {
    let both = || json!([coin(1, &json!(5)), coin(2, &json!(6))]);
    assert_eq!(read(both(), json!([plain(2), plain(1)])).unwrap().len(), 2);
    assert_eq!(read(both(), json!([])), Err(UnreadBlock::NoInfo(id(1))));
    assert_eq!(read(both(), json!([plain(1)])), Err(UnreadBlock::NoInfo(id(2))));
    assert_eq!(read(json!([]), json!([plain(1)])), Err(UnreadBlock::Stranger(id(1))));
    assert_eq!(
        read(both(), json!([plain(1), plain(2), plain(3)])),
        Err(UnreadBlock::Stranger(id(3)))
    );
    assert_eq!(
        read(both(), json!([plain(1), plain(2), plain(2)])),
        Err(UnreadBlock::Twice(id(2)))
    );
    let twice = json!([coin(1, &json!(5)), coin(1, &json!(5))]);
    assert_eq!(read(twice, json!([plain(1)])), Err(UnreadBlock::NoInfo(id(1))));
}

#[test]
fn what_needs_no_money_needs_a_receipt_all_the_same() {
    let vote = transaction(1, "VoteWitnessContract", &json!({}));
    assert_eq!(read(json!([vote]), json!([])), Err(UnreadBlock::NoInfo(id(1))));
}

#[test]
fn receipts_are_of_this_block() {
    let other = bent(plain(1), "/blockNumber", Some(json!(NUMBER + 1)));
    assert_eq!(
        read(json!([coin(1, &json!(5))]), json!([other])),
        Err(UnreadBlock::OtherBlock(NUMBER + 1))
    );
    let none = bent(plain(1), "/blockNumber", None);
    assert_eq!(
        read(json!([coin(1, &json!(5))]), json!([none])),
        Err(UnreadBlock::OtherBlock(0))
    );
}

#[test]
fn ids_are_ids() {
    for bad in [
        json!(""),
        json!("xyz"),
        json!("ab".repeat(31)),
        json!(format!("0x{}", "ab".repeat(31))),
    ] {
        let transaction = bent(coin(1, &json!(5)), "/txID", Some(bad.clone()));
        assert_eq!(read(json!([transaction]), json!([plain(1)])), Err(UnreadBlock::NoId));
        let info = bent(plain(1), "/id", Some(bad));
        assert_eq!(read(json!([coin(1, &json!(5))]), json!([info])), Err(UnreadBlock::NoId));
    }
}

#[test]
fn no_result_is_neither_success_nor_failure() {
    for ret in [json!([]), json!([{}]), json!([{ "contractRet": null }])] {
        let transaction = bent(coin(1, &json!(5)), "/ret", Some(ret));
        assert_eq!(
            read(json!([transaction]), json!([plain(1)])),
            Err(UnreadBlock::NoResult(id(1)))
        );
    }
}

#[test]
fn block_and_receipt_agree_on_the_end() {
    let ended = |by_block: &str, by_receipt: Option<&str>, failed: bool| {
        let transaction = bent(call(1), "/ret/0/contractRet", Some(json!(by_block)));
        let mut info = bent(
            called(1, &[log("5")]),
            "/receipt/result",
            by_receipt.map(|end| json!(end)),
        );
        if failed {
            info["result"] = json!("FAILED");
        }
        read(json!([transaction]), json!([info]))
    };
    assert_eq!(ended("SUCCESS", Some("SUCCESS"), false).unwrap().len(), 1);
    assert_eq!(ended("REVERT", Some("REVERT"), true), Ok(vec![]));
    for (by_block, by_receipt, failed) in [
        ("SUCCESS", Some("SUCCESS"), true),
        ("SUCCESS", Some("REVERT"), false),
        ("SUCCESS", Some("REVERT"), true),
        ("SUCCESS", None, false),
        ("REVERT", Some("SUCCESS"), false),
        ("REVERT", Some("SUCCESS"), true),
        ("REVERT", None, true),
    ] {
        assert_eq!(
            ended(by_block, by_receipt, failed),
            Err(UnreadBlock::Contradiction(id(1))),
            "{by_block} {by_receipt:?} {failed}"
        );
    }
    // What calls no contract leaves no logs.
    let logged = json!({ "id": txid(1), "blockNumber": NUMBER, "log": [log("5")] });
    assert_eq!(
        read(json!([coin(1, &json!(5))]), json!([logged])),
        Err(UnreadBlock::Contradiction(id(1)))
    );
    let failed = json!({ "id": txid(1), "blockNumber": NUMBER, "result": "FAILED" });
    assert_eq!(
        read(json!([coin(1, &json!(5))]), json!([failed])),
        Err(UnreadBlock::Contradiction(id(1)))
    );
}

#[test]
fn a_node_that_strips_logs_is_found_out() {
    let stripped = || json!([called(1, &[])]);
    assert_eq!(read(json!([call(1)]), stripped()), Err(UnreadBlock::NoLogs(id(1))));
    let value = "/raw_data/contract/0/parameter/value";
    let set = |key: &str, new: Value| json!([bent(call(1), &format!("{value}/{key}"), Some(new))]);
    let from = format!("{}{}", hex::encode(trc20::TRANSFER_FROM), "00".repeat(96));
    assert_eq!(
        read(set("data", json!(from)), stripped()),
        Err(UnreadBlock::NoLogs(id(1)))
    );
    // Another function, another contract, or no call at all: no logs are nothing strange.
    assert_eq!(read(set("data", json!("70a08231")), stripped()), Ok(vec![]));
    assert_eq!(
        read(set("contract_address", json!(us().to_hex())), stripped()),
        Ok(vec![])
    );
    assert_eq!(
        read(json!([transaction(1, "CreateSmartContract", &json!({}))]), stripped()),
        Ok(vec![])
    );
    // A token that hands its calls on to another contract leaves that one's logs.
    let mut elsewhere = log("5");
    elsewhere["address"] = json!(hex::encode([9; 20]));
    assert_eq!(
        read(json!([call(1)]), json!([called(1, &[elsewhere])])).unwrap().len(),
        1
    );
    // A failed call has none.
    let failed = bent(call(1), "/ret/0/contractRet", Some(json!("REVERT")));
    let info = bent(called(1, &[]), "/receipt/result", Some(json!("REVERT")));
    assert_eq!(read(json!([failed]), json!([info])), Ok(vec![]));
}

#[test]
fn a_transaction_has_one_contract() {
    let one = coin(1, &json!(5))["raw_data"]["contract"][0].clone();
    for contracts in [json!([]), json!([one, one])] {
        let transaction = bent(coin(1, &json!(5)), "/raw_data/contract", Some(contracts));
        assert!(matches!(
            read(json!([transaction]), json!([plain(1)])),
            Err(UnreadBlock::Malformed { .. })
        ));
    }
}

#[test]
fn a_transfer_of_the_coin_is_read_in_full_or_not_at_all() {
    let field = |key: &str| format!("/raw_data/contract/0/parameter/value/{key}");
    let upper = us().to_string().to_uppercase();
    let unreadable = [
        ("amount", Some(json!(-1))),
        ("amount", Some(json!(5.0))),
        ("amount", Some(json!(1e20))),
        ("amount", Some(json!("5"))),
        ("amount", Some(json!(9_223_372_036_854_775_808_u64))),
        ("amount", Some(Value::Null)),
        ("to_address", None),
        ("to_address", Some(json!(""))),
        ("to_address", Some(json!(hex::encode(us().evm20())))),
        ("to_address", Some(json!(upper))),
        ("to_address", Some(json!(format!("{} ", us())))),
        ("owner_address", None),
        ("owner_address", Some(json!("T"))),
    ];
    for (key, new) in unreadable {
        let transaction = bent(coin(1, &json!(5)), &field(key), new.clone());
        let found = read(json!([transaction]), json!([plain(1)]));
        assert!(
            matches!(found, Err(UnreadBlock::Malformed { .. })),
            "{key} {new:?}: {found:?}"
        );
    }
}

#[test]
fn a_log_that_is_not_hex_hides_what_it_says() {
    for (pointer, new) in [
        ("/address", "xy"),
        ("/address", "abc"),
        ("/address", "0xa614f803b6fd780986a42c78ec9c7f77e6ded13c"),
        ("/address", "T"),
        ("/topics/2", "xy"),
        ("/data", "0x05"),
    ] {
        let log = bent(log("5"), pointer, Some(json!(new)));
        let found = read(json!([call(1)]), json!([called(1, &[log])]));
        assert!(
            matches!(found, Err(UnreadBlock::Malformed { .. })),
            "{pointer} {new}: {found:?}"
        );
    }
}

#[test]
fn refusals_name_the_transaction_and_may_pass() {
    let refusal = UnreadBlock::NoLogs(id(0xab));
    assert!(refusal.to_string().contains(&"ab".repeat(32)));
    assert_eq!(refusal.class(), kernel::ErrorClass::Unavailable);
}
