//! Texts of ids and answers.

use super::*;

#[test]
fn a_txid_reads_what_it_writes_and_nothing_else() {
    let txid = TxId([0xab; 32]);
    assert_eq!(txid.to_string(), "ab".repeat(32));
    assert_eq!(txid.to_string().parse(), Ok(txid));
    assert_eq!(format!("{txid:?}"), "ab".repeat(32));
    for text in [
        "",
        "ab",
        &"g".repeat(64),
        &"a".repeat(63),
        &"a".repeat(66),
        &format!("0x{}", "a".repeat(62)),
    ] {
        assert!(text.parse::<TxId>().is_err(), "{text}");
    }
}

#[test]
fn an_answer_keeps_the_nodes_words() {
    let (code, message) = ("SIGERROR".to_owned(), "Validate signature error".to_owned());
    let refused = Broadcast::Refused {
        code,
        message,
        refusal: Refusal::BadSignature,
    };
    assert_eq!(
        (refused.code(), refused.message()),
        ("SIGERROR", "Validate signature error")
    );
    assert_eq!(
        (Broadcast::Accepted.code(), Broadcast::Accepted.message()),
        ("SUCCESS", "")
    );
}
