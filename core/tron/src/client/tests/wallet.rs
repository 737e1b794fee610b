//! Figures of accounts.

use chain::{AccountPermissions, EnergyMarket, Operations, Permission, PermissionKey, Resource, Unfreezing};
use chrono::DateTime;
use serde_json::{Value, json};

use super::*;

fn told(path: &str, address: TronAddress) -> Value {
    match path {
        "/wallet/getnowblock" => json!({ "blockID": id(70, 1), "block_header": { "raw_data": {
            "number": 70, "timestamp": 1_790_000_000_000_i64, "parentHash": id(69, 1) } } }),
        "/wallet/getaccount" => json!({
            "address": address.to_hex(), "balance": 9_007_199_254_740_993_i64,
            "unfrozenV2": [
                { "unfreeze_amount": 2_000_000, "unfreeze_expire_time": 1_790_000_001_000_i64 },
                { "type": "ENERGY", "unfreeze_amount": 3_000_000, "unfreeze_expire_time": 1_790_000_002_000_i64 },
                { "type": "TRON_POWER", "unfreeze_amount": 1, "unfreeze_expire_time": 1_790_000_002_000_i64 },
            ],
            "frozenV2": [{ "amount": 5_000_000 }, { "type": "ENERGY", "amount": 70_000_000_000_i64 }, { "type": "TRON_POWER" }],
            "delegated_frozenV2_balance_for_bandwidth": 6_000_000,
            "account_resource": { "delegated_frozenV2_balance_for_energy": 30_000_000_000_i64, "energy_usage": 1 },
            "owner_permission": { "permission_name": "owner", "threshold": 1, "keys": [
                { "address": address.to_hex(), "weight": 1 } ] },
            "active_permission": [{ "type": "Active", "id": 2, "permission_name": "lend\u{7}ing", "threshold": 2,
                "operations": LENDING, "keys": [
                    { "address": super::address(7).to_hex(), "weight": 2 }, { "address": super::address(8).to_hex(), "weight": 1 } ] }],
        }),
        "/wallet/getaccountresource" => json!({
            "EnergyLimit": 70_000, "EnergyUsed": 5_000, "freeNetUsed": 100, "freeNetLimit": 600, "NetUsed": 2_000, "NetLimit": 2_300,
            "TotalEnergyLimit": 180_000_000_000_i64, "TotalEnergyWeight": 19_000_000_000_i64,
            "TotalNetLimit": 43_200_000_000_i64, "TotalNetWeight": 27_000_000_000_i64,
        }),
        "/wallet/getcandelegatedmaxsize" => json!({ "max_size": 60_000_000_000_i64 }),
        other => panic!("{other}"),
    }
}

/// {57, 58}
const LENDING: &str = "0000000000000006000000000000000000000000000000000000000000000000";

fn permissions() -> AccountPermissions {
    let key = |byte, weight| PermissionKey {
        address: address(byte),
        weight,
    };
    let mut lending = [0; 32];
    lending[7] = 6;
    let owner = Permission {
        id: 0,
        name: "owner".to_owned(),
        threshold: 1,
        keys: vec![key(1, 1)],
        operations: Operations::EVERYTHING,
    };
    let active = Permission {
        id: 2,
        name: "lending".to_owned(),
        threshold: 2,
        keys: vec![key(7, 2), key(8, 1)],
        operations: Operations(lending),
    };
    AccountPermissions {
        owner: Some(owner),
        actives: vec![active],
    }
}

fn unfreezing(resource: Resource, amount_sun: i64, ready_s: i64) -> Unfreezing {
    Unfreezing {
        resource,
        amount_sun,
        ready_at: DateTime::from_timestamp(ready_s, 0).unwrap(),
    }
}

fn expected() -> WalletSnapshot {
    WalletSnapshot {
        as_of_block: 70,
        balance_sun: 9_007_199_254_740_993,
        staked_energy_sun: 70_000_000_000,
        staked_bandwidth_sun: 5_000_000,
        delegated_energy_sun: 30_000_000_000,
        delegated_bandwidth_sun: 6_000_000,
        delegatable_sun: 60_000_000_000,
        bandwidth_limit: 2_300,
        bandwidth_used: 2_000,
        free_bandwidth_limit: 600,
        free_bandwidth_used: 100,
        energy_limit: 70_000,
        energy_used: 5_000,
        unfreezing: vec![
            unfreezing(Resource::Bandwidth, 2_000_000, 1_790_000_001),
            unfreezing(Resource::Energy, 3_000_000, 1_790_000_002),
        ],
        permissions: permissions(),
        market: EnergyMarket {
            total_limit: 180_000_000_000,
            total_weight: 19_000_000_000,
        },
        bandwidth_market: EnergyMarket {
            total_limit: 43_200_000_000,
            total_weight: 27_000_000_000,
        },
    }
}

#[tokio::test]
async fn a_snapshot_reads_the_head_before_the_figures() {
    let node = Node::start(|path, _| Reply::Json(told(path, address(1)))).await;
    assert_eq!(client(&[&node]).wallet_snapshot(address(1)).await.unwrap(), expected());
    let by_address = json!({ "address": address(1).to_hex() });
    assert_eq!(
        node.seen(),
        [
            ("/wallet/getnowblock".to_owned(), json!({})),
            ("/wallet/getaccount".to_owned(), by_address.clone()),
            ("/wallet/getaccountresource".to_owned(), by_address),
            (
                "/wallet/getcandelegatedmaxsize".to_owned(),
                json!({ "owner_address": address(1).to_hex(), "type": 1 })
            ),
        ]
    );
}

#[tokio::test]
async fn all_figures_of_a_snapshot_come_from_one_node() {
    for broken in [
        "getnowblock",
        "getaccount",
        "getaccountresource",
        "getcandelegatedmaxsize",
    ] {
        let bad = Node::start(move |path, _| {
            if path.ends_with(broken) {
                Reply::Status(500)
            } else {
                Reply::Json(told(path, address(1)))
            }
        })
        .await;
        let good = Node::start(|path, _| Reply::Json(told(path, address(1)))).await;
        assert_eq!(
            client(&[&bad, &good]).wallet_snapshot(address(1)).await.unwrap(),
            expected()
        );
        assert_eq!(good.hits(), 4, "{broken}");
    }
}

#[tokio::test]
async fn a_wallet_that_was_never_activated_has_nothing() {
    let node = Node::start(|path, _| {
        Reply::Json(if path == "/wallet/getnowblock" {
            told(path, address(1))
        } else {
            json!({})
        })
    })
    .await;
    let snapshot = client(&[&node]).wallet_snapshot(address(1)).await.unwrap();
    assert_eq!(
        (
            snapshot.balance_sun,
            snapshot.delegatable_sun,
            snapshot.bandwidth_available()
        ),
        (0, 0, 0)
    );
}

#[tokio::test]
async fn figures_that_cannot_be_are_not_believed() {
    let bend = |wanted: &'static str, value: Value| {
        move |path: &str, _: &Value| {
            Reply::Json(if path.ends_with(wanted) {
                value.clone()
            } else {
                told(path, address(1))
            })
        }
    };
    for (wanted, value) in [
        ("getaccount", told("/wallet/getaccount", address(2))),
        ("getaccount", json!({ "address": address(1).to_hex(), "balance": 1.5 })),
        ("getaccount", json!({ "address": address(1).to_hex(), "balance": "5" })),
        (
            "getaccount",
            json!({ "address": address(1).to_hex(), "balance": 9_223_372_036_854_775_808_u64 }),
        ),
        ("getaccountresource", json!({})),
        ("getcandelegatedmaxsize", json!({ "Error": "x" })),
        ("getnowblock", json!({})),
    ] {
        let node = Node::start(bend(wanted, value)).await;
        assert!(client(&[&node]).wallet_snapshot(address(1)).await.is_err(), "{wanted}");
    }
}

#[tokio::test]
async fn the_larger_bandwidth_counts_and_never_less_than_none() {
    for (resources, available) in [
        (json!({ "NetLimit": 900, "freeNetLimit": 600 }), 900),
        (
            json!({ "NetLimit": 900, "NetUsed": 901, "freeNetLimit": 600, "freeNetUsed": 600 }),
            0,
        ),
        (
            json!({ "NetLimit": 900, "NetUsed": 2_000, "freeNetLimit": 600, "freeNetUsed": 700 }),
            0,
        ),
    ] {
        let node = Node::start(move |path, _| {
            let mut value = told(path, address(1));
            if path.ends_with("getaccountresource") {
                value = resources.clone();
                value["TotalEnergyLimit"] = json!(1);
            }
            Reply::Json(value)
        })
        .await;
        let snapshot = client(&[&node]).wallet_snapshot(address(1)).await.unwrap();
        assert_eq!(snapshot.bandwidth_available(), available);
    }
}

#[tokio::test]
async fn receivers_are_accounts_contracts_or_not_there() {
    let account = |kind: Option<&str>| {
        let mut account = json!({ "address": address(2).to_hex(), "balance": 1 });
        if let Some(kind) = kind {
            account["type"] = json!(kind);
        }
        account
    };
    for (answer, expected) in [
        (json!({}), Receiver::NotActivated),
        (account(None), Receiver::Account),
        (account(Some("AssetIssue")), Receiver::Account),
        (account(Some("Contract")), Receiver::Contract),
    ] {
        let node = Node::always(answer).await;
        assert_eq!(client(&[&node]).receiver(address(2)).await.unwrap(), expected);
    }
    let node = Node::always(account(None)).await;
    assert!(
        client(&[&node]).receiver(address(3)).await.is_err(),
        "the account of somebody else"
    );
}

/// A node that answers a question for a balance so, at its head.
async fn holding(head: i64, answer: Value) -> Node {
    Node::start(move |path, _| {
        Reply::Json(if path.ends_with("getnowblock") {
            block(head)
        } else {
            answer.clone()
        })
    })
    .await
}

#[tokio::test]
async fn a_token_balance_is_the_word_that_the_contract_answers() {
    let answer = |word: &str| json!({ "result": { "result": true }, "constant_result": [word] });
    let node = holding(77, answer(&format!("{:064x}", 12_345_678_u64))).await;
    let (token, holder) = (address(9), address(1));
    let balance = client(&[&node]).token_balance(token, holder).await.unwrap();
    assert_eq!((balance.minor, balance.as_of_block), (12_345_678, 77));
    let asked = json!({
        "owner_address": holder.to_hex(), "contract_address": token.to_hex(),
        "function_selector": "balanceOf(address)", "parameter": format!("{:0>64}", &holder.to_hex()[2..]),
    });
    assert_eq!(node.seen()[1], ("/wallet/triggerconstantcontract".to_owned(), asked));
    for wrong in [
        json!({}),
        json!({ "result": { "code": "CONTRACT_VALIDATE_ERROR" } }),
        json!({ "result": { "result": true }, "constant_result": [""] }),
        json!({ "result": { "result": true }, "constant_result": ["f".repeat(64)] }),
    ] {
        let said = wrong.to_string();
        // a balance is dated by the head of the node that told it, and of no other
        let (limping, good) = (
            holding(99, wrong).await,
            holding(50, answer(&format!("{:064x}", 5))).await,
        );
        let refused = client(&[&limping]).token_balance(token, holder).await;
        assert!(
            matches!(refused, Err(ChainError::Malformed { .. })),
            "{said}: {refused:?}"
        );
        let balance = client(&[&limping, &good]).token_balance(token, holder).await.unwrap();
        assert_eq!((balance.minor, balance.as_of_block), (5, 50), "{said}");
    }
}

#[tokio::test]
async fn what_a_transfer_takes_is_tried_out_and_priced_by_one_node() {
    let trial = |ret: Value, energy: i64| json!({ "result": { "result": true }, "energy_used": energy, "constant_result": ["00"], "transaction": { "ret": [ret] } });
    let prices = json!({ "chainParameter": [{ "key": "getMemoFee" }, { "key": "getEnergyFee", "value": 100 }] });
    let good = [trial(json!({}), 64_285), prices];
    let cost = |answers: [Value; 2]| async move {
        let node = Node::start(move |path, _| {
            let [trial, prices] = answers.clone();
            Reply::Json(if path.ends_with("getchainparameters") {
                prices
            } else {
                trial
            })
        })
        .await;
        let parties = (address(1), address(2));
        (
            client(&[&node]).transfer_cost(address(9), parties, 5).await,
            node.seen(),
        )
    };
    let (known, seen) = cost(good.clone()).await;
    let known = known.unwrap();
    assert_eq!((known.energy, known.energy_price_sun), (64_285, 100));
    let (path, body) = &seen[0];
    assert_eq!(path, "/wallet/triggerconstantcontract");
    assert_eq!(body["owner_address"], address(1).to_hex());
    assert_eq!(body["function_selector"], "transfer(address,uint256)");
    assert_eq!(body["parameter"], format!("{:0>64}{:0>64x}", hex::encode([2; 20]), 5));
    let [trial_of_good, prices] = good;
    for broken in [
        [trial(json!({ "ret": "FAILED" }), 900), prices.clone()],
        [trial(json!({}), 0), prices.clone()],
        [json!({ "result": { "code": "CONTRACT_VALIDATE_ERROR" } }), prices],
        [trial_of_good.clone(), json!({ "chainParameter": [] })],
        [trial_of_good, json!({ "chainParameter": [{ "key": "getEnergyFee" }] })],
    ] {
        assert!(cost(broken.clone()).await.0.is_err(), "{broken:?}");
    }
}

#[tokio::test]
async fn permissions_that_cannot_be_are_not_believed() {
    let active = json!({ "type": "Active", "id": 2, "permission_name": "x", "threshold": 1, "operations": LENDING,
        "keys": [{ "address": address(7).to_hex(), "weight": 1 }] });
    let with = |name: &str, value: Value| {
        let mut bent = active.clone();
        bent[name] = value;
        json!([bent])
    };
    let cases = [
        with("operations", json!("06")),
        with("operations", json!("zz".repeat(32))),
        with("operations", Value::Null),
        with("id", json!(1)),
        with("threshold", json!(0)),
        with("keys", json!([])),
        with("keys", json!([{ "address": address(7).to_hex(), "weight": 0 }])),
        with("keys", json!([{ "address": "T", "weight": 1 }])),
        with(
            "keys",
            json!(vec![json!({ "address": address(7).to_hex(), "weight": 1 }); 33]),
        ),
        with("threshold", json!(1.5)),
        json!([active, active]),
        json!(vec![active.clone(); 33]),
        json!({}),
    ];
    for bent in cases {
        let shown = bent.to_string();
        let node = Node::start(move |path, _| {
            let mut answer = told(path, address(1));
            if path == "/wallet/getaccount" {
                answer["active_permission"] = bent.clone();
            }
            Reply::Json(answer)
        })
        .await;
        let read = client(&[&node]).wallet_snapshot(address(1)).await;
        assert!(read.is_err(), "{shown}");
    }
}
