//! What a transaction must not be taken for.

use super::*;
use crate::proto::{self, ResourceCode};
use crate::recover_address;

fn example() -> UnsignedTx {
    let address = |byte| chain::TronAddress::from_evm20([byte; 20]);
    UnsignedTx {
        contract: ContractBody::Delegate {
            owner: address(1),
            receiver: address(2),
            balance_sun: 7_000_000_000,
            resource: ResourceCode::Energy,
            lock: false,
            lock_period_blocks: 0,
        },
        reference: BlockReference {
            block_bytes: [1, 2],
            block_hash: [3; 8],
        },
        timestamp_ms: 1_790_000_000_000,
        expiration_ms: 1_790_000_060_000,
        fee_limit_sun: 0,
        memo: Vec::new(),
        permission_id: 2,
    }
}

fn wrapped(raw: &TransactionRaw) -> Vec<u8> {
    Transaction {
        raw_data: raw.encode_to_vec(),
        signature: Vec::new(),
        ret: Vec::new(),
    }
    .encode_to_vec()
}

#[test]
fn a_signed_transaction_decodes_to_what_was_signed_by_whom() {
    let key = PrivateKey::generate().unwrap();
    let signed = sign_transaction(example().encode(), &key);
    let decoded = decode_transaction(&signed.bytes).unwrap();
    assert_eq!(decoded.unsigned, example());
    assert_eq!(decoded.txid, signed.txid);
    assert_eq!(
        recover_address(&decoded.txid.0, &decoded.signatures[0]).unwrap(),
        key.address()
    );
}

#[test]
fn the_timestamp_alone_makes_another_transaction() {
    let later = UnsignedTx {
        timestamp_ms: example().timestamp_ms + 1,
        ..example()
    };
    assert_ne!(txid(&later.encode()), txid(&example().encode()));
}

#[test]
fn bytes_that_a_node_would_write_otherwise_are_refused() {
    let mut raw = example().encode();
    raw.extend([0x98, 0x06, 0x01]); // field 99, unknown
    let bytes = Transaction {
        raw_data: raw,
        signature: Vec::new(),
        ret: Vec::new(),
    }
    .encode_to_vec();
    assert!(matches!(decode_transaction(&bytes), Err(TronError::NotCanonical)));
}

#[test]
fn a_type_url_of_another_contract_is_refused() {
    let mut raw = TransactionRaw::decode(example().encode().as_slice()).unwrap();
    raw.contract[0].kind = proto::ContractType::UnDelegateResource.into();
    assert!(matches!(
        decode_transaction(&wrapped(&raw)),
        Err(TronError::Unsupported(_))
    ));
}

#[test]
fn two_contracts_or_none_are_refused() {
    let raw = TransactionRaw::decode(example().encode().as_slice()).unwrap();
    let two = TransactionRaw {
        contract: vec![raw.contract[0].clone(), raw.contract[0].clone()],
        ..raw.clone()
    };
    let none = TransactionRaw {
        contract: Vec::new(),
        ..raw
    };
    assert!(matches!(
        decode_transaction(&wrapped(&two)),
        Err(TronError::Unsupported(_))
    ));
    assert!(matches!(
        decode_transaction(&wrapped(&none)),
        Err(TronError::Unsupported(_))
    ));
}

#[test]
fn fields_that_we_cannot_hold_are_refused_not_dropped() {
    let raw = TransactionRaw::decode(example().encode().as_slice()).unwrap();
    let scripted = TransactionRaw {
        scripts: vec![1],
        ..raw
    };
    assert!(matches!(
        decode_transaction(&wrapped(&scripted)),
        Err(TronError::Unsupported(_))
    ));
}

#[test]
fn garbage_is_no_transaction() {
    assert!(decode_transaction(&[0xff; 40]).is_err());
    assert!(decode_transaction(&[]).is_err());
}

proptest::proptest! {
    #[test]
    fn arbitrary_bytes_are_refused_or_read_but_never_panic(bytes: Vec<u8>) {
        if let Ok(decoded) = decode_transaction(&bytes) {
            proptest::prop_assert_eq!(txid(&decoded.unsigned.encode()), decoded.txid);
        }
    }

    #[test]
    fn one_flipped_bit_never_keeps_the_id(at in 0_usize..2_000, bit in 0_u8..8) {
        let mut raw = example().encode();
        let at = at % raw.len();
        raw[at] ^= 1 << bit;
        proptest::prop_assert_ne!(txid(&raw), txid(&example().encode()));
        let bytes = Transaction { raw_data: raw, signature: Vec::new(), ret: Vec::new() }.encode_to_vec();
        if let Ok(decoded) = decode_transaction(&bytes) {
            proptest::prop_assert_ne!(decoded.unsigned, example());
        }
    }
}
