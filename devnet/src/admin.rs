//! The admin API: what a person or a test does to the network. On a port of its own, never the node's.

use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use chain::TronAddress;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::chain::{ActivePermission, Chain, ForkKeep};
use crate::customer::Payment;
use crate::error::DevnetError;
use crate::faults::FaultRule;
use crate::node::Node;
use crate::state::Resource;

const MAX_BODY: usize = 256 * 1_024;

type Shared = State<Arc<Node>>;
type Told = Result<Json<Value>, Refused>;

/// A 400 with the reason.
struct Refused(DevnetError);

impl From<DevnetError> for Refused {
    fn from(error: DevnetError) -> Self {
        Self(error)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (StatusCode::BAD_REQUEST, Json(json!({ "error": self.0.to_string() }))).into_response()
    }
}

/// The routes.
pub(crate) fn router(node: Arc<Node>) -> Router {
    Router::new()
        .route("/status", get(status))
        .route("/blocks", post(mine))
        .route("/time/advance", post(advance))
        .route("/faucet", post(faucet))
        .route("/payments", post(pay))
        .route("/accounts/{address}/stake", post(stake))
        .route("/accounts/{address}/permissions", post(permissions))
        .route("/fork", post(fork))
        .route("/faults", get(list_faults).post(add_fault).delete(clear_faults))
        .route("/mining", post(mining))
        .route("/solid", post(solid))
        .route("/reset", post(reset))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(node)
}

async fn status(State(node): Shared) -> Json<Value> {
    let chain = node.chain();
    let place = |number: i64| {
        chain
            .block(number)
            .map(|block| json!({"number": block.number, "id": hex::encode(block.id), "timestamp": block.timestamp}))
    };
    let mut out = json!({
        "head": place(chain.head()),
        "solid": place(chain.solid()),
        "pending": chain.pool_len(),
        "pending_admin": chain.pending_ops_len(),
        "accounts": chain.state().accounts_len(),
        "burned_sun": chain.state().market().burned_sun,
        "mining_paused": chain.is_paused(),
        "solid_stalled": chain.is_solid_stalled(),
        "usdt_contract": chain.params().usdt.to_string(),
    });
    drop(chain);
    let board = node.board();
    out["faults"] = json!(board.faults.list().len());
    out["calls"] = json!(board.calls);
    Json(out)
}

fn head(chain: &Chain) -> Json<Value> {
    Json(json!({"head": chain.head(), "solid": chain.solid(), "timestamp": chain.head_ms()}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Mine {
    #[serde(default = "one")]
    count: u64,
}

const fn one() -> u64 {
    1
}

async fn mine(State(node): Shared, Json(body): Json<Mine>) -> Told {
    let mut chain = node.chain();
    chain.mine(body.count)?;
    Ok(head(&chain))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    seconds: u64,
}

async fn advance(State(node): Shared, Json(body): Json<Advance>) -> Told {
    node.advance(body.seconds)?;
    Ok(head(&node.chain()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Faucet {
    address: TronAddress,
    trx_sun: Option<i64>,
    /// Micro-USDT.
    #[serde(alias = "usdt_micro")]
    usdt: Option<i64>,
}

async fn faucet(State(node): Shared, Json(body): Json<Faucet>) -> Told {
    if body.trx_sun.is_none() && body.usdt.is_none() {
        return Err(DevnetError::Invalid("give trx_sun or usdt".to_owned()).into());
    }
    if let Some(sun) = body.trx_sun {
        node.credit(body.address, sun)?;
    }
    if let Some(micro) = body.usdt {
        node.mint(body.address, micro)?;
    }
    Ok(head(&node.chain()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pay {
    to: TronAddress,
    trx_sun: Option<i64>,
    /// Micro-USDT.
    usdt_micro: Option<i64>,
    /// Whether a contract sends the TRX on.
    #[serde(default)]
    by_contract: bool,
    #[serde(default)]
    memo: String,
}

async fn pay(State(node): Shared, Json(body): Json<Pay>) -> Told {
    let payment = match (body.trx_sun, body.usdt_micro, body.by_contract) {
        (Some(sun), None, false) => Payment::Trx(sun),
        (Some(sun), None, true) => Payment::TrxByContract(sun),
        (None, Some(micro), false) => Payment::Usdt(micro),
        _ => {
            let told = "give trx_sun, with or without by_contract, or usdt_micro";
            return Err(DevnetError::Invalid(told.to_owned()).into());
        }
    };
    let txid = node.pay(body.to, payment, &body.memo)?;
    Ok(Json(json!({ "txid": txid })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stake {
    resource: String,
    sun: i64,
}

fn address(text: &str) -> Result<TronAddress, Refused> {
    text.parse()
        .map_err(|error: chain::AddressError| Refused(DevnetError::Invalid(error.to_string())))
}

async fn stake(State(node): Shared, Path(text): Path<String>, Json(body): Json<Stake>) -> Told {
    let resource = Resource::ALL
        .into_iter()
        .find(|resource| resource.name().eq_ignore_ascii_case(&body.resource))
        .ok_or_else(|| DevnetError::Invalid("resource is BANDWIDTH or ENERGY".to_owned()))?;
    node.stake(address(&text)?, resource, body.sun)?;
    Ok(head(&node.chain()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Permissions {
    active: Vec<ActivePermission>,
}

async fn permissions(State(node): Shared, Path(text): Path<String>, Json(body): Json<Permissions>) -> Told {
    node.set_permissions(address(&text)?, &body.active)?;
    Ok(head(&node.chain()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fork {
    depth: u64,
    #[serde(default)]
    drop_all: bool,
    drop_txids: Option<Vec<String>>,
}

async fn fork(State(node): Shared, Json(body): Json<Fork>) -> Told {
    let keep = match body.drop_txids {
        _ if body.drop_all => ForkKeep::DropAll,
        Some(txids) => ForkKeep::DropTxids(txids),
        None => ForkKeep::Keep,
    };
    let mut chain = node.chain();
    let common = chain.fork(body.depth, &keep)?;
    let mut out = head(&chain);
    out.0["common"] = json!(common);
    Ok(out)
}

async fn list_faults(State(node): Shared) -> Json<Value> {
    let rows: Vec<Value> = node
        .board()
        .faults
        .list()
        .iter()
        .map(|(rule, seen)| json!({"rule": rule, "seen": seen}))
        .collect();
    Json(json!({ "faults": rows }))
}

async fn add_fault(State(node): Shared, Json(rule): Json<FaultRule>) -> Told {
    let mut board = node.board();
    board.faults.add(rule)?;
    Ok(Json(json!({ "faults": board.faults.list().len() })))
}

async fn clear_faults(State(node): Shared) -> Json<Value> {
    node.board().faults.clear();
    Json(json!({ "faults": 0 }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Mining {
    paused: bool,
}

async fn mining(State(node): Shared, Json(body): Json<Mining>) -> Json<Value> {
    node.chain().pause(body.paused);
    node.wake();
    Json(json!({ "mining_paused": body.paused }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Solid {
    stalled: bool,
}

async fn solid(State(node): Shared, Json(body): Json<Solid>) -> Json<Value> {
    node.chain().stall_solid(body.stalled);
    Json(json!({ "solid_stalled": body.stalled }))
}

async fn reset(State(node): Shared) -> Json<Value> {
    node.reset();
    head(&node.chain())
}
