//! Golden transactions, made by five other implementations, through this network's decoding, JSON and encoding.

use serde_json::Value;

use super::transaction;
use crate::wire::Signed;

const KINDS: [&str; 8] = [
    "CancelAllUnfreezeV2Contract",
    "DelegateResourceContract",
    "FreezeBalanceV2Contract",
    "TransferContract",
    "TriggerSmartContract",
    "UnDelegateResourceContract",
    "UnfreezeBalanceV2Contract",
    "WithdrawExpireUnfreezeContract",
];

fn vectors(name: &str) -> Vec<Value> {
    let path = format!("{}/../core/tron/tests/vectors/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn golden_transactions_keep_their_id_through_json() {
    let mut seen = 0;
    for kind in KINDS {
        for case in vectors(&format!("tx_{kind}")) {
            let bytes = hex::decode(case["signed_tx_hex_v27"].as_str().unwrap()).unwrap();
            let tx = Signed::decode(&bytes).unwrap().unwrap();
            assert_eq!(hex::encode(tx.txid), case["txid"], "{}", case["id"]);
            assert_eq!(hex::encode(&tx.raw_bytes), case["raw_data_hex"], "{}", case["id"]);
            assert_eq!(tx.op.name(), kind);
            let owner = tron::recover_address(&tx.txid, &tx.signatures[0]).unwrap();
            assert_eq!(owner.to_hex(), case["owner_address_hex"]);
            let json = transaction(&tx, None, false);
            assert_eq!(
                Signed::from_json(json.as_object().unwrap(), false),
                Ok(tx.clone()),
                "{}",
                case["id"]
            );
            if tx.memo.is_empty() {
                let visible = transaction(&tx, None, true);
                assert_eq!(
                    Signed::from_json(visible.as_object().unwrap(), true),
                    Ok(tx),
                    "{}",
                    case["id"]
                );
            }
            seen += 1;
        }
    }
    assert!(seen >= 80, "{seen}");
}

#[test]
fn transactions_of_the_real_network_keep_their_id() {
    let mut seen = 0;
    for case in vectors("real_transactions") {
        let raw = hex::decode(case["raw_data_hex"].as_str().unwrap()).unwrap();
        let raw = prost::Message::decode(raw.as_slice()).unwrap();
        let Ok(tx) = Signed::from_raw(raw, Vec::new()) else {
            assert!(!KINDS.contains(&case["contract_type"].as_str().unwrap()), "{case}");
            continue;
        };
        assert_eq!(hex::encode(tx.txid), case["txid"]);
        let json = transaction(&tx, None, false);
        assert_eq!(Signed::from_json(json.as_object().unwrap(), false), Ok(tx));
        seen += 1;
    }
    assert!(seen >= 10, "{seen}");
}
