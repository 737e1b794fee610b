//! Money in blocks: every case of `deposits.json` with what has to be seen in it, and nothing else.

use chain::{MovedBy, Transfer, TransferAsset, TronAddress, TxId};
use serde_json::{Value, json};
use tron::transfers::{self, Info, Transaction};

use super::{cases, file, int, text};

const FILE: &str = "deposits.json";

/// How many cases there are: a case that is lost from the file or not read is missed.
const CASES: usize = 21;
const RECEIPTS: usize = 1;

fn token() -> TronAddress {
    TronAddress::from_hex(text(&file(FILE), "usdt_contract_hex")).unwrap()
}

fn watched() -> Vec<TronAddress> {
    let read = |key: &str| -> Vec<String> { serde_json::from_value(file(FILE)[key].clone()).unwrap() };
    let ours: Vec<_> = read("watched_base58")
        .iter()
        .map(|text| text.parse().unwrap())
        .collect();
    let in_hex: Vec<_> = read("watched_hex")
        .iter()
        .map(|text| TronAddress::from_hex(text).unwrap())
        .collect();
    assert_eq!(ours, in_hex);
    ours
}

fn seen(number: i64, transactions: &[&Value], infos: &[&Value]) -> Vec<Transfer> {
    let transactions: Vec<Transaction> = serde_json::from_value(json!(transactions)).unwrap();
    let infos: Vec<Info> = serde_json::from_value(json!(infos)).unwrap();
    let found = transfers::of_block(number, &transactions, &infos, &[token()]).unwrap();
    // worthless tokens are seen too, under their own addresses
    let money = |transfer: &Transfer| [TransferAsset::Coin, TransferAsset::Token(token())].contains(&transfer.asset);
    found.into_iter().filter(money).collect()
}

/// A transfer in the words of the vectors.
fn told(transfer: &Transfer) -> Value {
    let asset = match transfer.asset {
        TransferAsset::Coin => "TRX",
        TransferAsset::Token(contract) => {
            assert_eq!(contract, token());
            "USDT"
        }
    };
    let (from, to) = (transfer.from, transfer.to);
    json!({
        "asset": asset,
        "from_hex": from.to_hex(), "to_hex": to.to_hex(), "from_base58": from.to_string(), "to_base58": to.to_string(),
        "amount": transfer.amount.to_string(),
        "log_index": match transfer.by {
            MovedBy::Log(place) => Some(place),
            MovedBy::Transaction | MovedBy::Call(_) => None,
        },
    })
}

/// The transfers to us that may be credited, in the words of the vectors.
fn credits<'a>(found: impl IntoIterator<Item = &'a Transfer>) -> Value {
    let watched = watched();
    found
        .into_iter()
        .filter(|transfer| watched.contains(&transfer.to) && !matches!(transfer.by, MovedBy::Call(_)))
        .map(told)
        .collect()
}

#[test]
fn every_case_credits_what_it_should() {
    let mut read = 0;
    for case in cases(FILE) {
        let number = int(&case, "block_number");
        let txid: TxId = text(&case["transaction"], "txID").parse().unwrap();
        let found = seen(number, &[&case["transaction"]], &[&case["transaction_info"]]);
        assert_eq!(credits(&found), case["expected_credits"], "{}", text(&case, "name"));
        for transfer in &found {
            assert_eq!((transfer.block_number, transfer.txid), (number, txid));
        }
        read += 1;
    }
    assert_eq!(read, CASES);
}

#[test]
fn all_cases_in_one_block_credit_the_same() {
    let cases = cases(FILE);
    let transactions: Vec<_> = cases.iter().map(|case| &case["transaction"]).collect();
    // Receipts in another order than transactions.
    let infos: Vec<_> = cases.iter().rev().map(|case| &case["transaction_info"]).collect();
    let found = seen(int(&cases[0], "block_number"), &transactions, &infos);
    let expected: Vec<_> = cases
        .iter()
        .flat_map(|case| case["expected_credits"].as_array().unwrap())
        .collect();
    assert_eq!(credits(&found), json!(expected));
    assert_eq!(expected.len(), 10);
}

#[test]
fn a_real_receipt_shows_its_transfer() {
    let file = file(FILE);
    let receipts = file["real_receipts"].as_array().unwrap();
    assert_eq!(receipts.len(), RECEIPTS);
    for receipt in receipts {
        let info = &receipt["transaction_info"];
        let transaction = json!({
            "txID": info["id"],
            "ret": [{ "contractRet": "SUCCESS" }],
            "raw_data": { "contract": [{ "type": "TriggerSmartContract" }] },
        });
        let found = seen(int(info, "blockNumber"), &[&transaction], &[info]);
        assert_eq!(found.iter().map(told).collect::<Value>(), receipt["expected_transfers"]);
    }
}

#[test]
fn what_a_contract_sent_on_is_seen_and_told_apart() {
    let mut seen_of = Vec::new();
    for case in cases(FILE) {
        let found = seen(
            int(&case, "block_number"),
            &[&case["transaction"]],
            &[&case["transaction_info"]],
        );
        for transfer in found.iter().filter(|transfer| matches!(transfer.by, MovedBy::Call(_))) {
            seen_of.push((text(&case, "name").to_owned(), transfer.by, transfer.amount.to_string()));
        }
    }
    let expected = (
        "internal_trx_transfer".to_owned(),
        MovedBy::Call(0),
        "4000000".to_owned(),
    );
    assert_eq!(seen_of, [expected]);
}
