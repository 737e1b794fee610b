//! The node's HTTP forms, the admin API and the faults, from outside.
#![expect(clippy::unwrap_used, reason = "a test helper that fails is a test that fails")]

use std::time::Duration;

use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use switchyard_devnet::{Devnet, DevnetConfig, Fault, FaultRule, GenesisAccount, Interval};
use tron::{BlockReference, ContractBody, PrivateKey, UnsignedTx, sign_transaction};

const TRX: i64 = 1_000_000;

fn key(n: u8) -> PrivateKey {
    PrivateKey::from_bytes(&[n; 32]).unwrap()
}

fn client() -> Client {
    // An error means that a provider is installed already.
    let _installed = rustls::crypto::ring::default_provider().install_default();
    Client::builder().timeout(Duration::from_secs(20)).build().unwrap()
}

struct Net {
    devnet: Devnet,
    http: Client,
}

impl Net {
    async fn start(interval: Interval, solid_lag: u64) -> Self {
        let genesis = [1, 2]
            .map(|n| GenesisAccount {
                address: key(n).address(),
                sun: 1_000 * TRX,
            })
            .to_vec();
        let config = DevnetConfig {
            interval,
            solid_lag,
            genesis,
            ..DevnetConfig::default()
        };
        Self {
            devnet: Devnet::start(config).await.unwrap(),
            http: client(),
        }
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        let url = format!("{}{path}", self.devnet.node_url());
        self.http
            .post(url)
            .json(&body)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap()
    }

    async fn get(&self, path: &str) -> Value {
        let url = format!("{}{path}", self.devnet.node_url());
        self.http.get(url).send().await.unwrap().json().await.unwrap()
    }

    async fn admin(&self, path: &str, body: Value) -> (StatusCode, Value) {
        let url = format!("{}{path}", self.devnet.admin_url());
        let answer = self.http.post(url).json(&body).send().await.unwrap();
        (answer.status(), answer.json().await.unwrap())
    }

    /// A signed transfer of `sun` from 1 to 2, in hex, and its id.
    async fn transfer(&self, sun: i64) -> (String, String) {
        let head = self.post("/wallet/getnowblock", json!({})).await;
        let time = head["block_header"]["raw_data"]["timestamp"].as_i64().unwrap();
        let unsigned = UnsignedTx {
            contract: ContractBody::Transfer {
                owner: key(1).address(),
                to: key(2).address(),
                amount_sun: sun,
            },
            reference: BlockReference::from_block_id(head["blockID"].as_str().unwrap()).unwrap(),
            timestamp_ms: time + sun,
            expiration_ms: time + 60_000,
            fee_limit_sun: 0,
            memo: Vec::new(),
            permission_id: 0,
        };
        let signed = sign_transaction(unsigned.encode(), &key(1));
        (hex::encode(signed.bytes), signed.txid.to_string())
    }

    async fn broadcast(&self, hex: &str) -> Value {
        self.post("/wallet/broadcasthex", json!({ "transaction": hex })).await
    }

    async fn included(&self, txid: &str) -> bool {
        self.post("/wallet/gettransactioninfobyid", json!({ "value": txid }))
            .await
            != json!({})
    }
}

#[tokio::test]
async fn blocks_have_the_nodes_form() {
    let net = Net::start(Interval::OnDemand, 2).await;
    let (hex, txid) = net.transfer(5).await;
    let answer = net.broadcast(&hex).await;
    assert_eq!(answer["result"], true);
    assert_eq!(
        (&answer["code"], &answer["message"], &answer["txid"]),
        (&json!("SUCCESS"), &json!(""), &json!(txid))
    );
    assert!(answer["transaction"].is_string());
    net.devnet.mine(1).unwrap();

    let block = net.post("/wallet/getnowblock", json!({})).await;
    let id = block["blockID"].as_str().unwrap();
    assert_eq!(&id[..16], "0000000000000002");
    let raw = &block["block_header"]["raw_data"];
    assert_eq!(raw["number"], 2);
    let tx = &block["transactions"][0];
    assert_eq!(tx["ret"], json!([{"contractRet": "SUCCESS"}]));
    assert_eq!(tx["raw_data"]["contract"][0]["type"], "TransferContract");
    assert_eq!(
        tx["raw_data"]["contract"][0]["parameter"]["value"]["to_address"],
        key(2).address().to_hex()
    );
    assert_eq!(tx["txID"], txid);

    for (path, body) in [
        ("/wallet/getblockbynum", json!({"num": 2})),
        ("/wallet/getblockbyid", json!({"value": id})),
        ("/wallet/getblock", json!({"id_or_num": "2", "detail": true})),
    ] {
        assert_eq!(net.post(path, body).await, block, "{path}");
    }
    assert_eq!(net.get("/wallet/getblockbynum?num=2").await, block);
    assert_eq!(net.post("/wallet/getblock", json!({})).await.get("transactions"), None);
    assert_eq!(net.post("/wallet/getblockbynum", json!({"num": 3})).await, json!({}));
    let range = net
        .post("/wallet/getblockbylimitnext", json!({"startNum": 1, "endNum": 50}))
        .await;
    assert_eq!(range["block"].as_array().unwrap().len(), 2);
    assert_eq!(
        net.post("/wallet/getblockbylimitnext", json!({"startNum": 1, "endNum": 102}))
            .await,
        json!({})
    );
}

#[tokio::test]
async fn the_solidity_side_shows_only_what_is_solid() {
    let net = Net::start(Interval::OnDemand, 2).await;
    let (hex, txid) = net.transfer(5 * TRX).await;
    net.broadcast(&hex).await;
    let pending = net.post("/wallet/gettransactionbyid", json!({"value": txid})).await;
    assert_eq!(pending["txID"], txid, "a full node shows what is pending");
    net.devnet.mine(2).unwrap();
    let solid = |path: &'static str, body| net.post(path, body);
    let by_id = json!({ "value": txid });
    assert_eq!(
        solid("/walletsolidity/gettransactioninfobyid", by_id.clone()).await,
        json!({})
    );
    assert_eq!(
        solid("/walletsolidity/gettransactionbyid", by_id.clone()).await,
        json!({})
    );
    assert_eq!(
        solid("/walletsolidity/gettransactioninfobyblocknum", json!({"num": 2})).await,
        json!([])
    );
    assert_eq!(
        solid("/walletsolidity/getblockbynum", json!({"num": 2})).await,
        json!({})
    );
    let owner = json!({ "address": key(1).address().to_hex() });
    assert_eq!(
        solid("/walletsolidity/getaccount", owner.clone()).await["balance"],
        1_000 * TRX
    );
    net.devnet.mine(1).unwrap();
    assert_eq!(
        solid("/walletsolidity/gettransactioninfobyid", by_id).await["blockNumber"],
        2
    );
    assert_eq!(solid("/walletsolidity/getaccount", owner).await["balance"], 995 * TRX);
    assert_eq!(
        solid("/walletsolidity/getnowblock", json!({})).await["block_header"]["raw_data"]["number"],
        2
    );
    let infos = solid("/walletsolidity/gettransactioninfobyblocknum", json!({"num": 2})).await;
    assert_eq!(
        (infos[0]["id"].clone(), infos[0]["result"].clone()),
        (json!(txid), Value::Null)
    );
    assert_eq!(
        net.post("/wallet/gettransactioninfobyblocknum", json!({"num": 0}))
            .await,
        json!({})
    );
}

#[tokio::test]
async fn full_node_calls_do_not_exist_on_the_solidity_side() {
    let net = Net::start(Interval::OnDemand, 0).await;
    for path in [
        "getaccountresource",
        "getchainparameters",
        "broadcasthex",
        "broadcasttransaction",
        "nothing",
    ] {
        let url = format!("{}/walletsolidity/{path}", net.devnet.node_url());
        assert_eq!(
            net.http.post(url).send().await.unwrap().status(),
            StatusCode::NOT_FOUND,
            "{path}"
        );
    }
}

#[tokio::test]
async fn addresses_and_numbers_take_the_form_that_was_asked_for() {
    let net = Net::start(Interval::OnDemand, 0).await;
    let address = key(1).address();
    net.devnet.stake_energy(address, 7 * TRX).unwrap();
    let hex = net
        .post("/wallet/getaccount", json!({"address": address.to_hex()}))
        .await;
    assert_eq!(
        (&hex["address"], &hex["balance"]),
        (&json!(address.to_hex()), &json!(1_000 * TRX))
    );
    assert_eq!(
        hex["frozenV2"],
        json!([{}, {"type": "ENERGY", "amount": 7 * TRX}, {"type": "TRON_POWER"}])
    );
    let visible = net
        .post("/wallet/getaccount", json!({"address": address, "visible": true}))
        .await;
    assert_eq!(visible["address"], address.to_string());
    let text = net
        .get(&format!(
            "/wallet/getaccount?address={address}&visible=true&int64_as_string=true"
        ))
        .await;
    assert_eq!(text["balance"], "1000000000");
    let unknown = net
        .post("/wallet/getaccount", json!({"address": key(9).address().to_hex()}))
        .await;
    assert_eq!(unknown, json!({}));
    let market = net
        .post("/wallet/getaccountresource", json!({"address": address.to_hex()}))
        .await;
    assert_eq!(market["TotalEnergyLimit"], 180_000_000_000_i64);
    assert_eq!(market.get("EnergyUsed"), None, "zero is left out");
    let ratio = market["EnergyLimit"].as_i64().unwrap();
    assert!((65..=66).contains(&ratio), "{ratio}");
}

#[tokio::test]
async fn errors_come_with_status_200_and_too_much_with_413() {
    let net = Net::start(Interval::OnDemand, 0).await;
    let url = format!("{}/wallet/getaccount", net.devnet.node_url());
    let answer = net.http.post(&url).body("{no json").send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert!(
        answer.json::<Value>().await.unwrap()["Error"]
            .as_str()
            .unwrap()
            .starts_with("class ")
    );
    let answer = net
        .http
        .post(&url)
        .body(vec![b' '; 4 * 1024 * 1024 + 1])
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert!(net.broadcast("zz").await["Error"].is_string());
    let (from, to) = (key(1).address().to_hex(), key(2).address().to_hex());
    let body = json!({"owner_address": from, "to_address": to, "amount": i64::MAX});
    assert_eq!(
        net.post("/wallet/createtransaction", body).await["Error"],
        "class org.tron.core.exception.ContractValidateException : Validate TransferContract error, balance is not \
         sufficient."
    );
}

#[tokio::test]
async fn a_refused_broadcast_carries_code_and_message_as_text_or_hex() {
    let net = Net::start(Interval::OnDemand, 0).await;
    let (hex, _) = net.transfer(2_000 * TRX).await;
    let answer = net.broadcast(&hex).await;
    let text = "Contract validate error : Validate TransferContract error, balance is not sufficient.";
    assert_eq!(
        (&answer["result"], &answer["code"]),
        (&json!(false), &json!("CONTRACT_VALIDATE_ERROR"))
    );
    assert_eq!(answer["message"], text);
    let tx: Value = serde_json::from_str(answer["transaction"].as_str().unwrap()).unwrap();
    let mut body = tx;
    body["visible"] = json!(true);
    assert_eq!(net.post("/wallet/broadcasttransaction", body).await["message"], text);
    let (hex, _) = net.transfer(3).await;
    assert_eq!(net.broadcast(&hex).await["code"], "SUCCESS");
    assert_eq!(net.broadcast(&hex).await["code"], "DUP_TRANSACTION_ERROR");
}

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
