//! Shapes that must not be taken for a transfer.

use super::*;
use crate::keccak256;

#[test]
fn the_constants_are_the_hashes_of_the_signatures() {
    let selector = |text: &str| keccak256(text.as_bytes())[..4].to_vec();
    assert_eq!(selector("transfer(address,uint256)"), TRANSFER);
    assert_eq!(selector("transferFrom(address,address,uint256)"), TRANSFER_FROM);
    assert_eq!(selector("approve(address,uint256)"), APPROVE);
    assert_eq!(selector("balanceOf(address)"), BALANCE_OF);
    assert_eq!(selector("allowance(address,address)"), ALLOWANCE);
    assert_eq!(keccak256(b"Transfer(address,address,uint256)"), TRANSFER_TOPIC);
}

#[test]
fn a_log_of_another_shape_is_no_transfer() {
    let log = TransferLog {
        from: TronAddress::from_evm20([1; 20]),
        to: TronAddress::from_evm20([2; 20]),
        amount: amount256(u128::MAX),
    };
    let topics = log.topics();
    assert_eq!(TransferLog::decode(&topics, &log.amount), Some(log));
    assert_eq!(TransferLog::decode(&topics[..2], &log.amount), None);
    assert_eq!(
        TransferLog::decode(&[topics[0], topics[1], topics[2], [0; 32]], &log.amount),
        None
    );
    assert_eq!(TransferLog::decode(&topics, &log.amount[1..]), None);
    assert_eq!(TransferLog::decode(&[[0; 32], topics[1], topics[2]], &log.amount), None);
}

#[test]
fn calldata_of_another_shape_is_not_read() {
    let call = Call::Transfer {
        to: TronAddress::from_evm20([7; 20]),
        amount: amount256(1),
    };
    let data = call.encode();
    assert_eq!(Call::decode(&data), Some(call));
    assert_eq!(Call::decode(&data[..data.len() - 1]), None);
    assert_eq!(Call::decode(&[data.clone(), vec![0; 32]].concat()), None);
    assert_eq!(Call::decode(&data[..3]), None);
}

#[test]
fn amounts_beyond_128_bits_are_not_cut_off() {
    assert_eq!(amount_u128(&amount256(u128::MAX)), Some(u128::MAX));
    let mut big = amount256(0);
    big[15] = 1;
    assert_eq!(amount_u128(&big), None);
}
