//! The node's HTTP API: one handler for every `/wallet/*` and `/walletsolidity/*` call. Owns transport and faults; what
//! a call answers is in the modules beneath.

mod accounts;
mod blocks;
mod broadcast;
mod build;
mod contracts;
mod render;
mod transactions;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Path, Query, State as Shared};
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use serde_json::{Map, Value, json};

use crate::chain::Chain;
use crate::faults::{Applied, Broken};
use crate::fields::{Fields, numbers_as_strings};
use crate::node::Node;
use crate::state::View;

/// Largest request, as in the real node.
const MAX_BODY: usize = 4 * 1_024 * 1_024;

/// The parameters of a query string.
type Queried = BTreeMap<String, String>;

/// One call: what is asked, of which state, and under which faults.
pub(crate) struct Ask<'a> {
    /// Which state.
    pub(crate) view: View,
    /// The request's fields.
    pub(crate) fields: Fields<'a>,
    /// The same, whole.
    pub(crate) body: &'a Map<String, Value>,
    /// What goes wrong on purpose.
    pub(crate) faults: &'a Applied,
}

/// What a call answers: JSON, or the text behind `Error`.
pub(crate) type Answer = Result<Value, String>;

/// The routes.
pub(crate) fn router(node: Arc<Node>) -> Router {
    Router::new()
        .route("/wallet/{method}", any(head))
        .route("/walletsolidity/{method}", any(solid))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(node)
}

async fn head(
    node: Shared<Arc<Node>>,
    Path(name): Path<String>,
    verb: Method,
    Query(query): Query<Queried>,
    body: Bytes,
) -> Response {
    serve(node.0, View::Head, &name, &verb, query, &body).await
}

async fn solid(
    node: Shared<Arc<Node>>,
    Path(name): Path<String>,
    verb: Method,
    Query(query): Query<Queried>,
    body: Bytes,
) -> Response {
    serve(node.0, View::Solid, &name, &verb, query, &body).await
}

async fn serve(node: Arc<Node>, view: View, name: &str, verb: &Method, query: Queried, body: &Bytes) -> Response {
    let name = name.to_ascii_lowercase();
    let Some(handler) = handler(view, &name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let path = match view {
        View::Head => format!("/wallet/{name}"),
        View::Solid => format!("/walletsolidity/{name}"),
    };
    let faults = node.begin_call(&path, verb.as_str());
    if faults.latency_ms > 0 {
        tokio::time::sleep(Duration::from_millis(faults.latency_ms)).await;
    }
    match &faults.broken {
        Some(Broken::Status { status, body }) => return failing(*status, body.clone()),
        Some(Broken::Connection { processed: false }) => return broken_off(),
        _ => {}
    }
    let (fields, visible) = match parse(verb, query, body) {
        Ok(parsed) => parsed,
        Err(text) => return text_answer(&error_json("class com.alibaba.fastjson.JSONException", &text)),
    };
    let as_strings = *verb == Method::GET && Fields::new(&fields, visible).flag("int64_as_string");
    let answer = {
        let mut chain = node.chain();
        let ask = Ask {
            view,
            fields: Fields::new(&fields, visible),
            body: &fields,
            faults: &faults,
        };
        handler(&mut chain, &ask)
    };
    node.wake();
    let value = answer.unwrap_or_else(|text| error_json("class java.lang.Exception", &text));
    let value = if as_strings { numbers_as_strings(value) } else { value };
    match faults.broken {
        Some(Broken::Connection { .. }) => broken_off(),
        Some(Broken::Json) => {
            let mut text = value.to_string();
            let half = text.len() / 2;
            let cut = (0..=half).rev().find(|i| text.is_char_boundary(*i)).unwrap_or_default();
            text.truncate(cut);
            json_text(text)
        }
        _ => text_answer(&value),
    }
}

type Handler = fn(&mut Chain, &Ask<'_>) -> Answer;

/// The calls that a solidity node has too, then those of a full node only.
fn handler(view: View, name: &str) -> Option<Handler> {
    let both: Option<Handler> = match name {
        "getnowblock" => Some(blocks::now),
        "getblock" => Some(blocks::any),
        "getblockbynum" => Some(blocks::by_num),
        "getblockbyid" => Some(blocks::by_id),
        "getblockbylimitnext" => Some(blocks::by_limit_next),
        "getblockbylatestnum" => Some(blocks::by_latest_num),
        "gettransactioncountbyblocknum" => Some(blocks::transaction_count),
        "gettransactionbyid" => Some(transactions::by_id),
        "gettransactioninfobyid" => Some(transactions::info_by_id),
        "gettransactioninfobyblocknum" => Some(transactions::info_by_block),
        "getaccount" => Some(accounts::account),
        "getcandelegatedmaxsize" => Some(accounts::can_delegate),
        "getdelegatedresourcev2" => Some(accounts::delegated),
        "getdelegatedresourceaccountindexv2" => Some(accounts::delegation_index),
        "getcanwithdrawunfreezeamount" => Some(accounts::can_withdraw),
        "getavailableunfreezecount" => Some(accounts::unfreeze_count),
        "triggerconstantcontract" => Some(contracts::constant),
        "estimateenergy" => Some(contracts::estimate),
        "getnodeinfo" => Some(blocks::node_info),
        "getenergyprices" => Some(contracts::energy_prices),
        "getbandwidthprices" => Some(contracts::bandwidth_prices),
        _ => None,
    };
    let head: Option<Handler> = match name {
        "broadcasthex" => Some(broadcast::hex),
        "broadcasttransaction" => Some(broadcast::json),
        "getaccountresource" => Some(accounts::resource),
        "getaccountnet" => Some(accounts::net),
        "getchainparameters" => Some(contracts::chain_parameters),
        "getcontract" => Some(contracts::contract),
        "getcontractinfo" => Some(contracts::contract_info),
        "getsignweight" => Some(broadcast::sign_weight),
        "getpendingsize" => Some(transactions::pending_size),
        "gettransactionlistfrompending" => Some(transactions::pending_list),
        "createtransaction" => Some(build::transfer),
        "freezebalancev2" => Some(build::freeze),
        "unfreezebalancev2" => Some(build::unfreeze),
        "withdrawexpireunfreeze" => Some(build::withdraw),
        "cancelallunfreezev2" => Some(build::cancel_all),
        "delegateresource" => Some(build::delegate),
        "undelegateresource" => Some(build::undelegate),
        "accountpermissionupdate" => Some(build::permissions),
        "triggersmartcontract" => Some(build::trigger),
        _ => None,
    };
    both.or(head.filter(|_| view == View::Head))
}

/// A body's or a query's fields, and whether addresses are base58.
fn parse(verb: &Method, query: Queried, body: &Bytes) -> Result<(Map<String, Value>, bool), String> {
    let visible_by_query = query
        .get("visible")
        .is_some_and(|text| text.eq_ignore_ascii_case("true"));
    let mut fields = Map::new();
    if *verb == Method::GET {
        fields.extend(query.into_iter().map(|(key, value)| (key, Value::String(value))));
    }
    if *verb != Method::GET && !body.iter().all(u8::is_ascii_whitespace) {
        match serde_json::from_slice(body) {
            Ok(Value::Object(map)) => fields = map,
            Ok(_) => return Err("not a JSON object".to_owned()),
            Err(error) => return Err(format!("syntax error: {error}")),
        }
    }
    let visible = visible_by_query || Fields::new(&fields, false).flag("visible");
    Ok((fields, visible))
}

fn error_json(class: &str, text: &str) -> Value {
    if text.starts_with("class ") {
        return json!({ "Error": text });
    }
    json!({ "Error": format!("{class} : {text}") })
}

fn text_answer(value: &Value) -> Response {
    json_text(value.to_string())
}

fn json_text(text: String) -> Response {
    ([(header::CONTENT_TYPE, "application/json;charset=utf-8")], text).into_response()
}

fn failing(status: u16, body: String) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    (status, body).into_response()
}

/// An answer whose body fails at once: the connection is closed in the middle of it.
fn broken_off() -> Response {
    let cut = futures::stream::once(async { Err::<Bytes, _>(std::io::Error::other("cut on request")) });
    Body::from_stream(cut).into_response()
}
