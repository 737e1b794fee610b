//! The forms of requests and answers.

use reqwest::StatusCode;
use serde_json::{Value, json};
use switchyard_devnet::Interval;

use super::{Net, TRX, key};

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
async fn permissions_are_built_by_the_node_sent_as_json_and_shown_on_both_sides() {
    let net = Net::start(Interval::OnDemand, 1).await;
    net.devnet.mine(1).unwrap();
    let (owner, hot) = (key(1).address(), key(7).address());
    let operations = format!("{}06{}", "00".repeat(7), "00".repeat(24));
    let built = net
        .post(
            "/wallet/accountpermissionupdate",
            json!({
                "owner_address": owner.to_string(), "visible": true,
                "owner": {"type": 0, "permission_name": "owner", "threshold": 1,
                    "keys": [{"address": owner.to_string(), "weight": 1}]},
                "actives": [{"type": 2, "permission_name": "lending", "threshold": 1, "operations": operations,
                    "keys": [{"address": hot.to_string(), "weight": 1}]}],
            }),
        )
        .await;
    let mut txid = [0; 32];
    hex::decode_to_slice(built["txID"].as_str().unwrap(), &mut txid).unwrap();
    let mut signed = built;
    signed["signature"] = json!([hex::encode(key(1).sign(&txid))]);
    let told = net.post("/wallet/broadcasttransaction", signed).await;
    assert_eq!(told["result"], true, "{told}");
    net.devnet.mine(2).unwrap();
    let wanted = json!([{
        "type": "Active", "id": 2, "permission_name": "lending", "threshold": 1, "operations": operations,
        "keys": [{"address": hot.to_string(), "weight": 1}],
    }]);
    for side in ["wallet", "walletsolidity"] {
        let body = json!({"address": owner.to_string(), "visible": true});
        let account = net.post(&format!("/{side}/getaccount"), body).await;
        assert_eq!(account["active_permission"], wanted, "{side}");
        assert_eq!(account["owner_permission"]["keys"][0]["address"], owner.to_string());
    }
}
