//! What goes wrong on purpose.

use std::time::Duration;

use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use switchyard_devnet::{DevnetConfig, Fault, FaultRule, Interval};

use super::{Net, TRX, key};

#[tokio::test]
async fn transport_faults_do_what_they_say() {
    let net = Net::start(Interval::OnDemand, 0).await;
    let url = format!("{}/wallet/getnowblock", net.devnet.node_url());
    let fault = |fault| net.devnet.add_fault(FaultRule::times("getnowblock", 1, fault)).unwrap();
    fault(Fault::HttpStatus {
        status: 429,
        body: "slow down".to_owned(),
    });
    let answer = net.http.post(&url).send().await.unwrap();
    assert_eq!(
        (answer.status().as_u16(), answer.text().await.unwrap().as_str()),
        (429, "slow down")
    );
    net.devnet.clear_faults();
    fault(Fault::TruncateJson);
    let answer = net.http.post(&url).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert!(serde_json::from_str::<Value>(&answer.text().await.unwrap()).is_err());
    net.devnet.clear_faults();
    fault(Fault::LatencyMs(300));
    let short = Client::builder().timeout(Duration::from_millis(50)).build().unwrap();
    assert!(short.post(&url).send().await.unwrap_err().is_timeout());
    net.devnet.mine(5).unwrap();
    fault(Fault::StaleHead { by: 4 });
    assert_eq!(
        net.post("/wallet/getnowblock", json!({})).await["block_header"]["raw_data"]["number"],
        2
    );
    assert_eq!(
        net.post("/wallet/getnowblock", json!({})).await["block_header"]["raw_data"]["number"],
        6
    );
}

#[tokio::test]
async fn a_dropped_connection_may_or_may_not_have_done_its_work() {
    let net = Net::start(Interval::OnDemand, 0).await;
    let url = format!("{}/wallet/broadcasthex", net.devnet.node_url());
    for (processed, sun) in [(false, 1), (true, 2)] {
        let (hex, txid) = net.transfer(sun).await;
        net.devnet
            .add_fault(FaultRule::times("broadcasthex", 1, Fault::DropConnection { processed }))
            .unwrap();
        let sent = net.http.post(&url).json(&json!({ "transaction": hex })).send().await;
        let read = match sent {
            Ok(answer) => answer.text().await,
            Err(error) => Err(error),
        };
        assert!(read.is_err(), "no whole answer");
        net.devnet.mine(1).unwrap();
        assert_eq!(net.included(&txid).await, processed);
        net.devnet.clear_faults();
    }
}

#[tokio::test]
async fn broadcast_faults_lie_in_every_direction() {
    let net = Net::start(Interval::OnDemand, 0).await;
    let refuse = Fault::RefuseButInclude {
        code: "OTHER_ERROR".to_owned(),
        message: "Error: null".to_owned(),
    };
    let cases = [
        (Fault::AcceptAndDrop, "SUCCESS", false),
        (refuse, "OTHER_ERROR", true),
        (Fault::DuplicateAnswer, "DUP_TRANSACTION_ERROR", false),
        (Fault::ServerBusy, "SERVER_BUSY", false),
    ];
    for (i, (fault, code, included)) in cases.into_iter().enumerate() {
        let (hex, txid) = net.transfer(10 + i64::try_from(i).unwrap()).await;
        net.devnet
            .add_fault(FaultRule::times("broadcasthex", 1, fault))
            .unwrap();
        assert_eq!(net.broadcast(&hex).await["code"], code);
        net.devnet.mine(1).unwrap();
        assert_eq!(net.included(&txid).await, included, "{code}");
        net.devnet.clear_faults();
        if !included {
            assert_eq!(net.broadcast(&hex).await["code"], "SUCCESS", "the same bytes again");
            net.devnet.mine(1).unwrap();
            assert!(net.included(&txid).await);
        }
    }
}

#[tokio::test]
async fn what_is_lost_stays_lost_and_nothing_else_does() {
    let net = Net::start(Interval::OnDemand, 0).await;
    net.devnet
        .add_fault(FaultRule::times("broadcasthex", 1, Fault::AcceptAndLose))
        .unwrap();
    let (lost, lost_txid) = net.transfer(10).await;
    for _ in 0..3 {
        assert_eq!(net.broadcast(&lost).await["code"], "SUCCESS");
        net.devnet.mine(1).unwrap();
        assert!(!net.included(&lost_txid).await);
    }
    let (other, other_txid) = net.transfer(11).await;
    assert_eq!(net.broadcast(&other).await["code"], "SUCCESS");
    net.devnet.mine(1).unwrap();
    assert!(net.included(&other_txid).await);
}

#[tokio::test]
async fn logs_and_receipts_can_go_missing() {
    let net = Net::start(Interval::OnDemand, 0).await;
    net.devnet.faucet_usdt(key(1).address(), 100).unwrap();
    let usdt = DevnetConfig::default().usdt_contract;
    let mut parameter = "0".repeat(24);
    parameter.push_str(&hex::encode(key(2).address().evm20()));
    parameter.push_str(&format!("{:064x}", 7));
    let call = json!({
        "owner_address": key(1).address(), "contract_address": usdt, "visible": true, "fee_limit": 20 * TRX,
        "function_selector": "transfer(address,uint256)", "parameter": parameter,
    });
    let simulated = net.post("/wallet/triggerconstantcontract", call.clone()).await;
    assert_eq!(
        (&simulated["result"], &simulated["energy_used"]),
        (&json!({"result": true}), &json!(130_285))
    );
    let built = net.post("/wallet/triggersmartcontract", call).await;
    let mut tx = built["transaction"].clone();
    let raw = hex::decode(tx["raw_data_hex"].as_str().unwrap()).unwrap();
    tx["signature"] = json!([hex::encode(key(1).sign(&tron::sha256(&raw)))]);
    assert_eq!(net.post("/wallet/broadcasttransaction", tx).await["result"], true);
    net.devnet.mine(1).unwrap();
    let infos = || net.post("/wallet/gettransactioninfobyblocknum", json!({"num": 2}));
    assert_eq!(infos().await[0]["log"][0]["data"], format!("{:064x}", 7));
    net.devnet
        .add_fault(FaultRule::always("gettransactioninfobyblocknum", Fault::MissingLogs))
        .unwrap();
    assert_eq!(infos().await[0].get("log"), None);
    net.devnet
        .add_fault(FaultRule::always("gettransactioninfobyblocknum", Fault::MissingInfos))
        .unwrap();
    assert_eq!(infos().await, json!([]));
}
