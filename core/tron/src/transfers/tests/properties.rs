//! Whatever a node answers: no panic, and no transfer that the chain has not seen.

use proptest::prelude::*;
use proptest::sample::Index;

use super::*;

/// The words of the protocol, so that what is made up comes near to what is read.
const WORDS: [&str; 24] = [
    "txID",
    "ret",
    "contractRet",
    "SUCCESS",
    "FAILED",
    "REVERT",
    "raw_data",
    "contract",
    "type",
    "TransferContract",
    "TriggerSmartContract",
    "parameter",
    "value",
    "owner_address",
    "to_address",
    "contract_address",
    "amount",
    "data",
    "id",
    "blockNumber",
    "receipt",
    "result",
    "log",
    "topics",
];

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => prop::sample::select(WORDS.to_vec()).prop_map(str::to_owned),
        1 => Just("address".to_owned()),
        1 => prop::sample::select(vec![txid(1), txid(2), us().to_hex(), us().to_string(), word(us()), word(token())]),
        1 => Just(hex::encode(trc20::TRANSFER_TOPIC)),
        1 => "[0-9a-f]{0,66}",
        1 => any::<String>(),
    ]
}

fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        Just(json!(NUMBER)),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((text(), inner), 0..6).prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// A block with one coin transfer and one call with two logs, of which the amounts are given.
fn block(coin_amount: i64, token_amount: u128) -> Value {
    let logs = [log("0"), log(&format!("{token_amount:x}"))];
    json!({ "transactions": [coin(1, &json!(coin_amount)), call(2)], "infos": [plain(1), called(2, &logs)] })
}

/// Reads a block that may not even have the right shape.
fn try_read(block: &Value) -> Option<Vec<Transfer>> {
    let transactions: Vec<Transaction> = serde_json::from_value(block.get("transactions")?.clone()).ok()?;
    let infos: Vec<Info> = serde_json::from_value(block.get("infos")?.clone()).ok()?;
    of_block(NUMBER, &transactions, &infos, &[token()]).ok()
}

/// The pointers to everything in a value.
fn pointers(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Array(items) => {
            for (place, item) in items.iter().enumerate() {
                pointers(item, &format!("{at}/{place}"), found);
            }
        }
        Value::Object(fields) => {
            for (key, field) in fields {
                pointers(field, &format!("{at}/{key}"), found);
            }
        }
        _ => {}
    }
}

#[derive(Debug, Clone)]
enum Bend {
    Replace(Value),
    TakeOut,
    Double,
    Cut(Index),
    Flip(Index, u8),
}

fn bend() -> impl Strategy<Value = Bend> {
    prop_oneof![
        anything().prop_map(Bend::Replace),
        Just(Bend::TakeOut),
        Just(Bend::Double),
        any::<Index>().prop_map(Bend::Cut),
        (any::<Index>(), 0_u8..7).prop_map(|(at, bit)| Bend::Flip(at, bit)),
    ]
}

fn bent(mut block: Value, pointer: &str, bend: &Bend) -> Value {
    match (bend, pointer.rsplit_once('/')) {
        (Bend::TakeOut | Bend::Double, Some((parent, key))) => match block.pointer_mut(parent) {
            Some(Value::Object(fields)) if matches!(bend, Bend::TakeOut) => drop(fields.remove(key)),
            Some(Value::Array(items)) => {
                let place: usize = key.parse().unwrap();
                if matches!(bend, Bend::TakeOut) {
                    items.remove(place);
                } else {
                    items.push(items[place].clone());
                }
            }
            _ => {}
        },
        (Bend::Replace(new), _) => *block.pointer_mut(pointer).unwrap() = new.clone(),
        (Bend::Cut(at) | Bend::Flip(at, _), _) => {
            if let Some(Value::String(text)) = block.pointer_mut(pointer) {
                let mut bytes = std::mem::take(text).into_bytes();
                if !bytes.is_empty() {
                    let at = at.index(bytes.len());
                    match bend {
                        Bend::Flip(_, bit) => bytes[at] ^= 1 << bit,
                        _ => bytes.truncate(at),
                    }
                }
                *text = String::from_utf8_lossy(&bytes).into_owned();
            }
        }
        _ => {}
    }
    block
}

/// The amounts that the JSON itself tells, read here in another way than in the code.
fn told(block: &Value) -> Vec<ChainAmount> {
    let word = |log: &Value| {
        let data = log["data"].as_str().filter(|data| data.len() == 64)?;
        let half = |at| u128::from_str_radix(data.get(at)?, 16).ok();
        let halves = [half(0..32)?.to_be_bytes(), half(32..64)?.to_be_bytes()];
        Some(ChainAmount::from_be_bytes(halves.concat().try_into().ok()?))
    };
    let logs = block["infos"][1]["log"].as_array();
    let mut told: Vec<_> = logs.into_iter().flatten().filter_map(word).collect();
    let amount = &block["transactions"][0]["raw_data"]["contract"][0]["parameter"]["value"]["amount"];
    told.extend(amount.as_u64().map(|amount| ChainAmount::from(u128::from(amount))));
    told
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn anything_at_all_never_panics(transactions in anything(), infos in anything()) {
        try_read(&json!({ "transactions": transactions, "infos": infos }));
        try_read(&json!({ "transactions": [transactions], "infos": [infos] }));
    }

    #[test]
    fn a_bent_block_is_refused_or_tells_the_amounts_that_are_in_it(
        coin_amount in 1_i64..,
        token_amount in 1_u128..,
        at: Index,
        bend in bend(),
    ) {
        let whole = block(coin_amount, token_amount);
        prop_assert_eq!(try_read(&whole).map(|found| found.len()), Some(2));
        let mut places = Vec::new();
        pointers(&whole, "", &mut places);
        let place: &String = at.get(&places);
        let bent = bent(whole, place, &bend);
        for transfer in try_read(&bent).unwrap_or_default() {
            let to_us = transfer.to == us();
            prop_assert!(!to_us || told(&bent).contains(&transfer.amount), "{transfer:?} of {bent}");
        }
    }

    #[test]
    fn every_transfer_among_noise_is_found_once_with_its_amount(
        kinds in prop::collection::vec((0_u8..7, any::<u128>()), 0..40),
    ) {
        let noisy = |kind: u8, amount: u128| {
            let mut log = log(&format!("{amount:x}"));
            match kind {
                0 => log["address"] = json!(hex::encode([0xa6; 20])),
                1 => log["topics"][0] = json!(hex::encode([0x8c; 32])),
                2 => log["topics"].as_array_mut().unwrap().push(json!(word(us()))),
                3 => log["data"] = json!("00"),
                _ => {}
            }
            log
        };
        let logs: Vec<_> = kinds.iter().map(|(kind, amount)| noisy(*kind, *amount)).collect();
        let expected: Vec<_> = (0_u32..)
            .zip(&kinds)
            .filter(|(_, (kind, amount))| (*kind == 0 || *kind > 3) && *amount > 0)
            .map(|(place, (_, amount))| (place, amount.to_string()))
            .collect();
        if !logs.is_empty() {
            prop_assert_eq!(logged(&logs), expected);
        }
    }
}
