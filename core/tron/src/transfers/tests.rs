//! What counts as money, and what makes a block unread. The golden cases are tested where TRON's other vectors are.

mod properties;
mod unread;

use chain::{ChainAmount, MovedBy, TransferAsset, TronAddress, TxId};
use serde_json::{Value, json};

use super::{Info, Transaction, Transfer, UnreadBlock, of_block};
use crate::trc20;

const NUMBER: i64 = 70_123_456;

fn payer() -> TronAddress {
    TronAddress::from_evm20([0x11; 20])
}

fn us() -> TronAddress {
    TronAddress::from_evm20([0x22; 20])
}

fn token() -> TronAddress {
    TronAddress::from_hex("41a614f803b6fd780986a42c78ec9c7f77e6ded13c").unwrap()
}

fn txid(place: u8) -> String {
    TxId([place; 32]).to_string()
}

fn word(address: TronAddress) -> String {
    format!("{:0>64}", hex::encode(address.evm20()))
}

fn coin(place: u8, amount: &Value) -> Value {
    let value = json!({ "owner_address": payer().to_hex(), "to_address": us().to_hex(), "amount": amount });
    transaction(place, "TransferContract", &value)
}

fn call(place: u8) -> Value {
    let data = format!("{}{}{:064x}", hex::encode(trc20::TRANSFER), word(us()), 5);
    let value = json!({ "owner_address": payer().to_hex(), "contract_address": token().to_hex(), "data": data });
    transaction(place, "TriggerSmartContract", &value)
}

fn transaction(place: u8, kind: &str, value: &Value) -> Value {
    json!({
        "txID": txid(place),
        "ret": [{ "contractRet": "SUCCESS" }],
        "signature": ["00"],
        "raw_data": { "contract": [{ "type": kind, "parameter": { "value": value } }] },
    })
}

fn log(amount: &str) -> Value {
    let topics = [hex::encode(trc20::TRANSFER_TOPIC), word(payer()), word(us())];
    json!({ "address": hex::encode(token().evm20()), "topics": topics, "data": format!("{amount:0>64}") })
}

fn plain(place: u8) -> Value {
    json!({ "id": txid(place), "blockNumber": NUMBER, "receipt": { "net_usage": 265 } })
}

fn called(place: u8, logs: &[Value]) -> Value {
    json!({ "id": txid(place), "blockNumber": NUMBER, "receipt": { "result": "SUCCESS" }, "log": logs })
}

fn read(transactions: Value, infos: Value) -> Result<Vec<Transfer>, UnreadBlock> {
    let transactions: Vec<Transaction> = serde_json::from_value(transactions).unwrap();
    let infos: Vec<Info> = serde_json::from_value(infos).unwrap();
    of_block(NUMBER, &transactions, &infos, &[token()])
}

fn log_of(transfer: &Transfer) -> u32 {
    let MovedBy::Log(place) = transfer.by else {
        panic!("{transfer:?} is of no log");
    };
    place
}

/// What the logs of one call come to: the places and amounts.
fn logged(logs: &[Value]) -> Vec<(u32, String)> {
    let found = read(json!([call(1)]), json!([called(1, logs)])).unwrap();
    let shown = |transfer: &Transfer| (log_of(transfer), transfer.amount.to_string());
    found.iter().map(shown).collect()
}

#[test]
fn an_empty_block_moves_nothing() {
    assert_eq!(read(json!([]), json!([])), Ok(vec![]));
}

#[test]
fn transfers_come_in_the_order_of_the_block() {
    let noise = json!({ "address": "22", "topics": ["00"], "data": "01" });
    let found = read(
        json!([call(3), coin(2, &json!(7)), call(1)]),
        json!([
            called(1, &[log("1")]),
            plain(2),
            called(3, &[noise, log("2"), log("3")])
        ]),
    )
    .unwrap();
    let token = TransferAsset::Token(token());
    let expected = [
        (3, MovedBy::Log(1), token, 2),
        (3, MovedBy::Log(2), token, 3),
        (2, MovedBy::Transaction, TransferAsset::Coin, 7),
        (1, MovedBy::Log(0), token, 1),
    ]
    .map(|(place, by, asset, amount)| Transfer {
        block_number: NUMBER,
        txid: TxId([place; 32]),
        by,
        asset,
        from: payer(),
        to: us(),
        amount: ChainAmount::from(amount),
        memo: None,
    });
    assert_eq!(found, expected);
}

#[test]
fn only_the_logs_own_address_says_which_token_it_is_of() {
    // Another contract was called, by a call without a body of its own; the log is the token's.
    let other = transaction(1, "TriggerSmartContract", &json!({}));
    let found = read(json!([other]), json!([called(1, &[log("5")])])).unwrap();
    assert_eq!(found.len(), 1);
    // The token was called, also by the receipt's word; the log is another's.
    let mut fake = called(1, &[log("5")]);
    fake["contract_address"] = json!(token().to_hex());
    fake["log"][0]["address"] = json!(hex::encode([0xa6; 20]));
    let found = read(json!([call(1)]), json!([fake])).unwrap();
    let fake = TransferAsset::Token(TronAddress::from_evm20([0xa6; 20]));
    assert_eq!(found.iter().map(|transfer| transfer.asset).collect::<Vec<_>>(), [fake]);
}

#[test]
fn a_logs_address_may_be_short_or_in_full() {
    let mut short = [0; 20];
    short[18..].copy_from_slice(&[0xab, 0xcd]);
    let contract = TronAddress::from_evm20(short);
    for form in [
        "abcd",
        "00abcd",
        &hex::encode(short),
        &contract.to_hex(),
        &contract.to_string(),
    ] {
        let mut log = log("5");
        log["address"] = json!(form);
        let infos: Vec<Info> = serde_json::from_value(json!([called(1, &[log])])).unwrap();
        let transactions: Vec<Transaction> = serde_json::from_value(json!([call(1)])).unwrap();
        let found = of_block(NUMBER, &transactions, &infos, &[contract]).unwrap();
        assert_eq!(found[0].asset, TransferAsset::Token(contract), "{form}");
    }
}

#[test]
fn a_transfer_has_three_topics_and_one_word() {
    let bend = |change: &dyn Fn(&mut Value)| {
        let mut log = log("5");
        change(&mut log);
        logged(&[log])
    };
    assert_eq!(bend(&|_| {}), [(0, "5".to_owned())]);
    let word = "00".repeat(32);
    let others: [&dyn Fn(&mut Value); 9] = [
        &|log| log["topics"] = json!([]),
        &|log| log["topics"] = json!([log["topics"][0], log["topics"][1]]),
        &|log| log["topics"].as_array_mut().unwrap().push(json!(word)),
        &|log| log["topics"].as_array_mut().unwrap().push(json!("05")),
        &|log| log["topics"][2] = json!(hex::encode(us().evm20())),
        &|log| log["topics"][0] = json!(word),
        &|log| log["data"] = json!(""),
        &|log| log["data"] = json!("05"),
        &|log| log["data"] = json!(format!("{:0>64}{word}", "5")),
    ];
    for change in others {
        assert_eq!(bend(change), []);
    }
}

#[test]
fn of_an_address_word_the_last_twenty_bytes_count() {
    let mut marked = log("5");
    marked["topics"][2] = json!(format!("{:0>64}", us().to_hex()));
    let found = read(json!([call(1)]), json!([called(1, &[marked])])).unwrap();
    assert_eq!(found[0].to, us());
}

#[test]
fn nothing_is_cut_off_and_nothing_is_no_transfer() {
    assert_eq!(logged(&[log("0"), log("1")]), [(1, "1".to_owned())]);
    let most = "115792089237316195423570985008687907853269984665640564039457584007913129639935";
    assert_eq!(logged(&[log(&"f".repeat(64))]), [(0, most.to_owned())]);
    let sent = |amount: &Value| read(json!([coin(1, amount)]), json!([plain(1)]));
    assert_eq!(sent(&json!(0)), Ok(vec![]));
    assert_eq!(
        sent(&json!(i64::MAX)).unwrap()[0].amount.to_string(),
        "9223372036854775807"
    );
}

#[test]
fn mints_and_burns_are_transfers_from_and_to_nobody() {
    let nobody = TronAddress::from_evm20([0; 20]);
    let (mut mint, mut burn) = (log("5"), log("6"));
    mint["topics"][1] = json!(word(nobody));
    burn["topics"][2] = json!(word(nobody));
    let found = read(json!([call(1)]), json!([called(1, &[mint, burn])])).unwrap();
    assert_eq!((found[0].from, found[0].to), (nobody, us()));
    assert_eq!((found[1].from, found[1].to), (payer(), nobody));
}

/// What a contract did on its way.
fn internal(note: &str, sun: &Value) -> Value {
    json!({
        "hash": "ab", "caller_address": token().to_hex(), "transferTo_address": us().to_hex(),
        "callValueInfo": [{ "callValue": sun }], "note": hex::encode(note),
    })
}

/// A call of a contract that is no token.
fn multisend() -> Value {
    let called = json!({ "contract_address": hex::encode([0x41; 21]), "call_value": 99, "data": "c0ffee00" });
    transaction(1, "TriggerSmartContract", &called)
}

/// What one call came to that did all this: the calls' places and the amounts.
fn passed_on(done: &[Value]) -> Vec<(MovedBy, String)> {
    let mut info = called(1, &[]);
    info["internal_transactions"] = json!(done);
    let found = read(json!([multisend()]), json!([info])).unwrap();
    for transfer in &found {
        assert_eq!((transfer.from, transfer.to), (token(), us()));
        assert_eq!(transfer.asset, TransferAsset::Coin);
    }
    found
        .iter()
        .map(|transfer| (transfer.by, transfer.amount.to_string()))
        .collect()
}

#[test]
fn what_a_contract_sends_on_is_told_apart() {
    let mut info = called(1, &[log("5")]);
    info["internal_transactions"] = json!([internal("call", &json!(9))]);
    let mut call = call(1);
    call["raw_data"]["contract"][0]["parameter"]["value"]["call_value"] = json!(11);
    let found = read(json!([call]), json!([info])).unwrap();
    let shown = |transfer: &Transfer| (transfer.by, transfer.amount.to_string());
    assert_eq!(
        found.iter().map(shown).collect::<Vec<_>>(),
        [(MovedBy::Call(0), "9".to_owned()), (MovedBy::Log(0), "5".to_owned())]
    );
}

#[test]
fn a_contracts_transfer_keeps_its_name_whatever_a_node_reports_beside_it() {
    let (first, last) = (internal("call", &json!(7)), internal("suicide", &json!(i64::MAX)));
    let expected = [
        (MovedBy::Call(0), "7".to_owned()),
        (MovedBy::Call(2), i64::MAX.to_string()),
    ];
    let nothing = json!({ "caller_address": token().to_hex(), "transferTo_address": us().to_hex(), "callValueInfo": [{}],
        "note": hex::encode("call") });
    assert_eq!(passed_on(&[first.clone(), nothing.clone(), last.clone()]), expected);
    let featured = [
        internal("freezeBalanceV2ForEnergy", &json!(8)),
        internal("create", &json!(8)),
        internal("withdrawReward", &json!(8)),
    ];
    let all: Vec<Value> = [first, nothing].into_iter().chain(featured).chain([last]).collect();
    assert_eq!(passed_on(&all), expected);
}

#[test]
fn what_a_contract_did_not_send_or_cannot_be_read_is_passed_over() {
    let mut rejected = internal("call", &json!(7));
    rejected["rejected"] = json!(true);
    let mut trc10 = internal("call", &json!(7));
    trc10["callValueInfo"] = json!([{ "callValue": 7, "tokenId": "1002000" }]);
    let mut nobody = internal("call", &json!(7));
    nobody["transferTo_address"] = json!("");
    assert_eq!(
        passed_on(&[rejected, trc10.clone(), nobody, internal("call", &json!(-7))]),
        []
    );
    let odd = json!({ "note": hex::encode("call"), "rejected": "no", "callValueInfo": 5 });
    assert_eq!(
        passed_on(&[odd, json!(null), internal("call", &json!(2))]),
        [(MovedBy::Call(0), "2".to_owned())]
    );
    let both = json!([{ "callValue": 7, "tokenId": "1002000" }, { "callValue": 3 }]);
    trc10["callValueInfo"] = both;
    assert_eq!(passed_on(&[trc10]), [(MovedBy::Call(0), "3".to_owned())]);
    // what a failed transaction did is undone, whether or not a node says so of each
    let mut failed = called(1, &[]);
    failed["receipt"]["result"] = json!("REVERT");
    failed["result"] = json!("FAILED");
    failed["internal_transactions"] = json!([internal("call", &json!(7))]);
    let mut reverted = multisend();
    reverted["ret"][0]["contractRet"] = json!("REVERT");
    assert_eq!(read(json!([reverted]), json!([failed])), Ok(vec![]));
}

#[test]
fn what_is_not_the_coin_is_not_taken_for_it() {
    let value =
        json!({ "owner_address": payer().to_hex(), "to_address": us().to_hex(), "amount": 5, "asset_name": "TRX" });
    for kind in [
        "TransferAssetContract",
        "transfercontract",
        "",
        "DelegateResourceContract",
    ] {
        assert_eq!(
            read(json!([transaction(1, kind, &value)]), json!([plain(1)])),
            Ok(vec![]),
            "{kind}"
        );
    }
    let unknown = json!({ "txID": txid(1), "ret": [{ "contractRet": "SUCCESS" }], "raw_data": { "contract": [{}] } });
    assert_eq!(read(json!([unknown]), json!([plain(1)])), Ok(vec![]));
}

#[test]
fn what_the_sender_wrote_comes_with_every_transfer_of_the_transaction() {
    let read_memo = |bytes: &[u8]| {
        let mut call = call(1);
        call["raw_data"]["data"] = json!(hex::encode(bytes));
        let found = read(json!([call]), json!([called(1, &[log("5"), log("6")])])).unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].memo, found[1].memo);
        found[0].memo.clone()
    };
    assert_eq!(read_memo(b""), None);
    assert_eq!(read_memo(b" D7K2 \n"), Some("D7K2".to_owned()));
    assert_eq!(read_memo(b"\0\x07"), None);
    assert_eq!(read_memo("汇款".as_bytes()), Some("汇款".to_owned()));
    assert_eq!(read_memo(&[0xff, b'a']), Some("\u{fffd}a".to_owned()));
    assert_eq!(read_memo(&[b'a'; 500]).unwrap().len(), Transfer::MEMO_LENGTH);
    let mut odd = coin(1, &json!(5));
    odd["raw_data"]["data"] = json!("not hex");
    assert_eq!(read(json!([odd]), json!([plain(1)])).unwrap()[0].memo, None);
}

#[test]
fn a_transaction_without_signatures_counts() {
    let mut bare = coin(1, &json!(5));
    bare["signature"] = json!([]);
    bare["pq_auth_sig"] = json!([{ "scheme": 1, "public_key": "00", "signature": "00" }]);
    assert_eq!(read(json!([bare]), json!([plain(1)])).unwrap().len(), 1);
    bare.as_object_mut().unwrap().remove("signature");
    assert_eq!(read(json!([bare]), json!([plain(1)])).unwrap().len(), 1);
}

#[test]
fn what_failed_moved_nothing_whatever_it_logged() {
    let mut failed = call(1);
    failed["ret"][0]["contractRet"] = json!("OUT_OF_TIME");
    let mut info = called(1, &[log("5")]);
    info["result"] = json!("FAILED");
    info["receipt"]["result"] = json!("OUT_OF_TIME");
    assert_eq!(read(json!([failed]), json!([info])), Ok(vec![]));
    let mut coin = coin(1, &json!(5));
    coin["ret"][0]["contractRet"] = json!("DEFAULT");
    assert_eq!(read(json!([coin]), json!([plain(1)])), Ok(vec![]));
}
