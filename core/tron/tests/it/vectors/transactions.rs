//! Whole transactions: raw data, ids, signatures, and real ones from mainnet and Nile.

use chain::TronAddress;
use prost::Message;
use serde_json::Value;
use tron::proto::{ResourceCode, Transaction, TransactionRaw};
use tron::{
    BlockReference, ContractBody, PrivateKey, UnsignedTx, bandwidth_of, decode_transaction, recover_address,
    sign_transaction, trc20::Call, txid,
};

use super::{address, bytes, cases, int, text, words::amount_of};

const FILES: [&str; 8] = [
    "tx_CancelAllUnfreezeV2Contract.json",
    "tx_DelegateResourceContract.json",
    "tx_FreezeBalanceV2Contract.json",
    "tx_TransferContract.json",
    "tx_TriggerSmartContract.json",
    "tx_UnDelegateResourceContract.json",
    "tx_UnfreezeBalanceV2Contract.json",
    "tx_WithdrawExpireUnfreezeContract.json",
];

#[test]
fn references_are_cut_from_block_ids() {
    for case in cases("block_refs.json") {
        let reference = BlockReference::from_block_id(text(&case, "block_id")).unwrap();
        assert_eq!(hex::encode(reference.block_bytes), text(&case, "ref_block_bytes"));
        assert_eq!(hex::encode(reference.block_hash), text(&case, "ref_block_hash"));
    }
    assert!(BlockReference::from_block_id("00").is_err());
    assert!(BlockReference::from_block_id(&"g".repeat(64)).is_err());
}

#[test]
fn built_transactions_are_byte_for_byte_those_of_others() {
    for case in FILES.into_iter().flat_map(cases) {
        let unsigned = unsigned_of(&case);
        let raw = unsigned.encode();
        assert_eq!(hex::encode(&raw), text(&case, "raw_data_hex"), "{}", case["id"]);
        assert_eq!(txid(&raw).to_string(), text(&case, "txid"));

        let key = PrivateKey::from_hex(text(&case, "private_key")).unwrap();
        let signed = sign_transaction(raw, &key);
        assert_eq!(hex::encode(&signed.bytes), text(&case, "signed_tx_hex_v27"));
        assert_eq!(signed.txid.to_string(), text(&case, "txid"));
        assert_eq!(signed.bytes.len() as i64, int(&case, "signed_len"));
        assert_eq!(bandwidth_of(signed.bytes.len()) as i64, int(&case, "bandwidth_points"));

        for (form, whole) in [
            ("signature_v27", "signed_tx_hex_v27"),
            ("signature_v01", "signed_tx_hex_v01"),
        ] {
            let decoded = decode_transaction(&bytes(&case, whole)).unwrap();
            assert_eq!(decoded.unsigned, unsigned);
            assert_eq!(decoded.txid, signed.txid);
            assert_eq!(decoded.signatures, [bytes(&case, form)]);
            let owner = recover_address(&signed.txid.0, &decoded.signatures[0]).unwrap();
            assert_eq!(owner, address(&case, "owner_address_hex"));
        }
    }
}

fn unsigned_of(case: &Value) -> UnsignedTx {
    let reference = BlockReference::from_block_id(text(case, "ref_block_id")).unwrap();
    assert_eq!(hex::encode(reference.block_bytes), text(case, "ref_block_bytes"));
    UnsignedTx {
        contract: body_of(case),
        reference,
        timestamp_ms: int(case, "timestamp_ms"),
        expiration_ms: int(case, "expiration_ms"),
        fee_limit_sun: int(case, "fee_limit_sun"),
        memo: bytes(case, "memo_hex"),
        permission_id: i32::try_from(int(case, "permission_id")).unwrap(),
    }
}

fn body_of(case: &Value) -> ContractBody {
    let owner = address(case, "owner_address_hex");
    let fields = &case["fields"];
    let resource = || match text(fields, "resource") {
        "BANDWIDTH" => ResourceCode::Bandwidth,
        "ENERGY" => ResourceCode::Energy,
        "TRON_POWER" => ResourceCode::TronPower,
        other => panic!("{other}"),
    };
    match text(case, "contract_type") {
        "TransferContract" => ContractBody::Transfer {
            owner,
            to: address(fields, "to"),
            amount_sun: int(fields, "amount"),
        },
        "TriggerSmartContract" => ContractBody::TriggerSmart {
            owner,
            contract: address(fields, "contract"),
            call_value_sun: int(fields, "call_value"),
            data: Call::Transfer {
                to: address(fields, "to"),
                amount: amount_of(text(fields, "token_amount")),
            }
            .encode(),
        },
        "FreezeBalanceV2Contract" => ContractBody::FreezeBalance {
            owner,
            amount_sun: int(fields, "frozen_balance"),
            resource: resource(),
        },
        "UnfreezeBalanceV2Contract" => ContractBody::UnfreezeBalance {
            owner,
            amount_sun: int(fields, "unfreeze_balance"),
            resource: resource(),
        },
        "WithdrawExpireUnfreezeContract" => ContractBody::WithdrawExpireUnfreeze { owner },
        "CancelAllUnfreezeV2Contract" => ContractBody::CancelAllUnfreeze { owner },
        "DelegateResourceContract" => ContractBody::Delegate {
            owner,
            receiver: address(fields, "receiver"),
            balance_sun: int(fields, "balance"),
            resource: resource(),
            lock: fields["lock"] == true,
            lock_period_blocks: int(fields, "lock_period"),
        },
        "UnDelegateResourceContract" => ContractBody::UnDelegate {
            owner,
            receiver: address(fields, "receiver"),
            balance_sun: int(fields, "balance"),
            resource: resource(),
        },
        other => panic!("{other}"),
    }
}

#[test]
fn real_transactions_read_and_write_identically() {
    for case in cases("real_transactions.json") {
        let raw = bytes(&case, "raw_data_hex");
        assert_eq!(
            TransactionRaw::decode(raw.as_slice()).unwrap().encode_to_vec(),
            raw,
            "{case}"
        );
        assert_eq!(txid(&raw).to_string(), text(&case, "txid"));

        let signature = case["signature"].as_str().map(|text| hex::decode(text).unwrap());
        let whole = Transaction {
            raw_data: raw,
            signature: signature.iter().cloned().collect(),
            ret: Vec::new(),
        };
        let whole = whole.encode_to_vec();
        let decoded = decode_transaction(&whole).unwrap();
        assert_eq!(decoded.unsigned.contract.owner(), address(&case, "owner_hex"));
        assert_eq!(
            i64::from(i32::from(decoded.unsigned.contract.contract_type())),
            int(&case, "contract_type_number")
        );
        assert_eq!(decoded.unsigned.expiration_ms, int(&case, "expiration_ms"));
        assert_eq!(decoded.unsigned.timestamp_ms, int(&case, "timestamp_ms"));
        assert_eq!(decoded.unsigned.fee_limit_sun, int(&case, "fee_limit"));

        if let Some(signature) = signature {
            let owner: Option<TronAddress> = recover_address(&decoded.txid.0, &signature).ok();
            let fits = owner == Some(decoded.unsigned.contract.owner());
            assert_eq!(fits, case["signature_recovers_to_owner"] == true, "{case}");
        }
        if let Some(known) = case.get("signed_tx_hex").and_then(Value::as_str) {
            assert_eq!(hex::encode(&whole), known);
        }
        if int(&case, "net_usage_on_chain") > 0 {
            assert_eq!(bandwidth_of(whole.len()) as i64, int(&case, "net_usage_on_chain"));
        }
    }
}
