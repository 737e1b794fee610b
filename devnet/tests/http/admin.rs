//! The admin API, the producer and the end.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};
use switchyard_devnet::Interval;

use super::{Net, TRX, key};

#[tokio::test]
async fn automatic_blocks_run_fast_time_and_can_be_paused() {
    let net = Net::start(Interval::Auto(20), 0).await;
    let start = net.devnet.head_ms();
    while net.devnet.head() < 6 {
        tokio::task::yield_now().await;
    }
    assert!(net.devnet.head_ms() >= start + 15_000);
    assert_eq!(
        net.admin("/mining", json!({"paused": true})).await.1["mining_paused"],
        true
    );
    let stood = net.devnet.head();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(net.devnet.head(), stood);
    net.admin("/blocks", json!({"count": 3})).await;
    assert_eq!(net.devnet.head(), stood + 3, "on demand even when paused");
}

#[tokio::test]
async fn instant_blocks_follow_a_broadcast() {
    let net = Net::start(Interval::Instant, 0).await;
    let (hex, txid) = net.transfer(1).await;
    net.broadcast(&hex).await;
    while !net.included(&txid).await {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn the_admin_moves_money_time_and_branches() {
    let net = Net::start(Interval::OnDemand, 5).await;
    let address = key(5).address();
    net.admin("/faucet", json!({"address": address, "trx_sun": 7, "usdt": 9}))
        .await;
    net.admin(
        &format!("/accounts/{address}/stake"),
        json!({"resource": "BANDWIDTH", "sun": 11 * TRX}),
    )
    .await;
    let account = net
        .post("/wallet/getaccount", json!({"address": address.to_hex()}))
        .await;
    assert_eq!(
        (&account["balance"], &account["frozenV2"][0]["amount"]),
        (&json!(7), &json!(11 * TRX))
    );

    let before = net.devnet.head_ms();
    net.admin("/time/advance", json!({"seconds": 3_600})).await;
    net.admin("/blocks", json!({})).await;
    assert_eq!(net.devnet.head_ms(), before + 3_600_000 + 3_000);

    net.admin("/blocks", json!({"count": 3})).await;
    let head = net.devnet.head();
    let (status, forked) = net.admin("/fork", json!({"depth": 2})).await;
    assert_eq!(
        (status, &forked["head"], &forked["common"]),
        (StatusCode::OK, &json!(head + 1), &json!(head - 2))
    );
    net.admin("/solid", json!({"stalled": true})).await;
    let solid = net.devnet.solid();
    net.admin("/blocks", json!({"count": 30})).await;
    assert_eq!(net.devnet.solid(), solid);
    net.admin("/solid", json!({"stalled": false})).await;
    net.admin("/blocks", json!({})).await;
    assert_eq!(net.devnet.solid(), net.devnet.head() - 5);

    for (path, body) in [
        ("/faucet", json!({"address": address})),
        ("/faucet", json!({"address": address, "trx_sun": 0})),
        ("/fork", json!({"depth": 6})),
        ("/blocks", json!({"count": 100_001})),
        ("/time/advance", json!({"seconds": u64::MAX})),
        ("/accounts/nobody/stake", json!({"resource": "ENERGY", "sun": 1})),
        ("/faults", json!({"fault": {"latency_ms": 60_001}})),
    ] {
        assert_eq!(net.admin(path, body).await.0, StatusCode::BAD_REQUEST, "{path}");
    }
    net.admin("/reset", json!({})).await;
    assert_eq!((net.devnet.head(), net.devnet.total_calls()), (1, 0));
}

#[tokio::test]
async fn somebody_pays_whom_the_admin_names() {
    let net = Net::start(Interval::OnDemand, 0).await;
    let to = key(7).address();
    let pay = async |body: Value| {
        let (status, answer) = net.admin("/payments", body).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        answer["txid"].as_str().unwrap().to_owned()
    };
    let trx = pay(json!({"to": to, "trx_sun": 3 * TRX, "memo": "for you"})).await;
    let usdt = pay(json!({"to": to, "usdt_micro": 5})).await;
    let again = pay(json!({"to": to, "usdt_micro": 5})).await;
    assert_ne!(usdt, again);
    net.devnet.mine(1).unwrap();

    let account = net.post("/wallet/getaccount", json!({"address": to.to_hex()})).await;
    assert_eq!(account["balance"], 3 * TRX);
    let sent = net.post("/wallet/gettransactionbyid", json!({"value": trx})).await;
    assert_eq!(sent["raw_data"]["data"], hex::encode("for you"));
    for txid in [usdt, again] {
        let info = net.post("/wallet/gettransactioninfobyid", json!({"value": txid})).await;
        let log = &info["log"][0];
        assert_eq!(log["topics"][2].as_str().unwrap()[24..], to.to_hex()[2..]);
        assert_eq!(u128::from_str_radix(log["data"].as_str().unwrap(), 16), Ok(5));
    }
    for body in [
        json!({"to": to}),
        json!({"to": to, "trx_sun": 0}),
        json!({"to": to, "trx_sun": 1, "usdt_micro": 1}),
        json!({"to": to, "trx_sun": 1, "memo": "x".repeat(201)}),
    ] {
        assert_eq!(net.admin("/payments", body).await.0, StatusCode::BAD_REQUEST);
    }
}

#[tokio::test]
async fn calls_are_counted_by_path() {
    let net = Net::start(Interval::OnDemand, 0).await;
    for _ in 0..3 {
        net.get("/wallet/getnowblock").await;
    }
    assert_eq!(net.devnet.calls("/wallet/getnowblock"), 3);
    let status: Value = net
        .http
        .get(format!("{}/status", net.devnet.admin_url()))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(status["calls"]["/wallet/getnowblock"], 3);
    assert_eq!(status["head"]["number"], 1);
}

#[tokio::test]
async fn a_stopped_network_stops_listening() {
    let net = Net::start(Interval::Auto(10), 0).await;
    net.get("/wallet/getnowblock").await;
    let address = net.devnet.node_url().trim_start_matches("http://").to_owned();
    net.devnet.stop();
    while tokio::net::TcpStream::connect(&address).await.is_ok() {
        tokio::task::yield_now().await;
    }
}
