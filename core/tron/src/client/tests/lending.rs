//! Whom an account lends to.

use chain::Lent;
use serde_json::{Value, json};

use super::*;

fn lent(path: &str, body: &Value) -> Value {
    if path.ends_with("getnowblock") {
        return json!({ "blockID": id(70, 1), "block_header": { "raw_data": {
            "number": 70, "timestamp": 1_790_000_000_000_i64, "parentHash": id(69, 1) } } });
    }
    let of = |n: u8, sun: i64| {
        (body["toAddress"] == address(n).to_hex()).then(|| json!([{ "frozen_balance_for_energy": sun }]))
    };
    json!({ "delegatedResource": of(2, 5).or_else(|| of(3, 7)).unwrap_or_else(|| json!([])) })
}

#[tokio::test]
async fn what_is_lent_to_several_is_asked_of_one_solidified_node_after_its_head() {
    let to = [address(3), address(9), address(2)];
    let good = Node::start(|path, body| Reply::Json(lent(path, body))).await;
    let expected = Lent {
        as_of_block: 70,
        energy_sun: vec![7, 0, 5],
    };
    assert_eq!(client(&[&good]).lent(address(1), &to).await.unwrap(), expected);
    let paths: Vec<String> = good.seen().into_iter().map(|(path, _)| path).collect();
    let pair = "/walletsolidity/getdelegatedresourcev2";
    assert_eq!(paths, ["/walletsolidity/getnowblock", pair, pair, pair]);

    // a node that fails in the middle is not believed for the beginning
    let bad = Node::start(|path, body| match body["toAddress"] == address(2).to_hex() {
        true => Reply::Status(500),
        false => Reply::Json(lent(path, body)),
    })
    .await;
    assert_eq!(client(&[&bad, &good]).lent(address(1), &to).await.unwrap(), expected);
    assert_eq!((bad.hits(), good.hits()), (4, 8));
}

#[tokio::test]
async fn borrowers_are_listed_in_order_and_only_of_the_account_asked_for() {
    let index = |account: u8, to: &[u8]| {
        let to: Vec<String> = to.iter().map(|n| address(*n).to_hex()).collect();
        json!({ "account": address(account).to_hex(), "fromAccounts": [address(8).to_hex()], "toAccounts": to })
    };
    let node = Node::always(index(1, &[4, 2, 4])).await;
    let mut expected = vec![address(2), address(4)];
    expected.sort_unstable();
    assert_eq!(client(&[&node]).borrowers(address(1)).await.unwrap(), expected);
    let asked = json!({ "value": address(1).to_hex() });
    let path = "/walletsolidity/getdelegatedresourceaccountindexv2".to_owned();
    assert_eq!(node.seen(), [(path, asked)]);
    let node = Node::always(json!({})).await;
    assert_eq!(client(&[&node]).borrowers(address(1)).await.unwrap(), []);
    for answer in [index(2, &[3]), json!({ "toAccounts": ["T"] })] {
        let node = Node::always(answer).await;
        assert!(client(&[&node]).borrowers(address(1)).await.is_err());
    }
}

#[tokio::test]
async fn what_was_lent_is_the_sum_of_both_rows() {
    for (answer, expected) in [
        (json!({}), 0),
        (json!({ "delegatedResource": [{ "frozen_balance_for_energy": 5 }] }), 5),
        (
            json!({ "delegatedResource": [
                { "frozen_balance_for_energy": 5 },
                { "frozen_balance_for_energy": 7, "expire_time_for_energy": 1, "frozen_balance_for_bandwidth": 100 },
            ] }),
            12,
        ),
        (
            json!({ "delegatedResource": [{ "frozen_balance_for_bandwidth": 100 }] }),
            0,
        ),
    ] {
        let node = Node::always(answer).await;
        assert_eq!(
            client(&[&node])
                .delegated_energy_sun(address(1), address(2))
                .await
                .unwrap(),
            expected
        );
        let body = json!({ "fromAddress": address(1).to_hex(), "toAddress": address(2).to_hex() });
        assert_eq!(node.seen(), [("/wallet/getdelegatedresourcev2".to_owned(), body)]);
    }
    let two =
        json!({ "delegatedResource": [{ "frozen_balance_for_energy": i64::MAX }, { "frozen_balance_for_energy": 1 }] });
    let node = Node::always(two).await;
    assert!(
        client(&[&node])
            .delegated_energy_sun(address(1), address(2))
            .await
            .is_err()
    );
}
