//! Blocks.

use serde_json::{Value, json};

use super::{Answer, Ask, render};
use crate::chain::Chain;
use crate::wire::to_i64;

const MAX_BLOCKS: i64 = 100;

/// The number of the newest block that the caller is shown.
fn newest(chain: &Chain, ask: &Ask<'_>) -> i64 {
    (chain.top(ask.view) - ask.faults.stale_by).max(chain.config().first_block)
}

fn show(chain: &Chain, ask: &Ask<'_>, number: i64) -> Value {
    if number > chain.top(ask.view) {
        return json!({});
    }
    chain
        .block(number)
        .map_or_else(|| json!({}), |block| render::block(block, ask.fields.visible(), true))
}

/// `getnowblock`.
pub(super) fn now(chain: &mut Chain, ask: &Ask<'_>) -> Answer {
    Ok(show(chain, ask, newest(chain, ask)))
}

/// `getblock`: by number, by id, or the newest; without transactions unless `detail`.
pub(super) fn any(chain: &mut Chain, ask: &Ask<'_>) -> Answer {
    let number = match (ask.body.get("id_or_num"), ask.fields.int("id_or_num")) {
        (None, _) => newest(chain, ask),
        (Some(_), Ok(number)) => number,
        (Some(_), Err(_)) => number_of_id(chain, ask.fields.text("id_or_num")).unwrap_or(-1),
    };
    if number > chain.top(ask.view) {
        return Ok(json!({}));
    }
    let detail = ask.fields.flag("detail");
    Ok(chain
        .block(number)
        .map_or_else(|| json!({}), |block| render::block(block, ask.fields.visible(), detail)))
}

/// `getblockbynum`.
pub(super) fn by_num(chain: &mut Chain, ask: &Ask<'_>) -> Answer {
    Ok(show(chain, ask, ask.fields.int("num")?))
}

/// `getblockbyid`.
pub(super) fn by_id(chain: &mut Chain, ask: &Ask<'_>) -> Answer {
    let number = number_of_id(chain, ask.fields.text("value"));
    Ok(number.map_or_else(|| json!({}), |number| show(chain, ask, number)))
}

fn number_of_id(chain: &Chain, text: &str) -> Option<i64> {
    let mut id = [0; 32];
    hex::decode_to_slice(text, &mut id).ok()?;
    let number = i64::from_be_bytes(id[..8].try_into().ok()?);
    chain
        .block(number)
        .filter(|block| block.id == id)
        .map(|block| block.number)
}

/// `getblockbylimitnext`: from `startNum`, before `endNum`.
pub(super) fn by_limit_next(chain: &mut Chain, ask: &Ask<'_>) -> Answer {
    let (start, end) = (ask.fields.int("startNum")?, ask.fields.int("endNum")?);
    if start < 0 || end <= start || end - start > MAX_BLOCKS {
        return Ok(json!({}));
    }
    list(chain, ask, start, end)
}

/// `getblockbylatestnum`.
pub(super) fn by_latest_num(chain: &mut Chain, ask: &Ask<'_>) -> Answer {
    let count = ask.fields.int("num")?;
    if count <= 0 || count >= MAX_BLOCKS {
        return Ok(json!({}));
    }
    let top = newest(chain, ask);
    list(chain, ask, top + 1 - count, top + 1)
}

fn list(chain: &Chain, ask: &Ask<'_>, start: i64, end: i64) -> Answer {
    let top = chain.top(ask.view);
    let blocks: Vec<Value> = (start..end.min(top + 1))
        .filter_map(|number| chain.block(number))
        .map(|block| {
            let mut shown = render::block(block, ask.fields.visible(), !ask.faults.empty_blocks);
            if ask.faults.empty_blocks {
                shown["block_header"]["raw_data"]["txTrieRoot"] = json!("00".repeat(32));
            }
            shown
        })
        .collect();
    Ok(json!({ "block": blocks }))
}

/// `gettransactioncountbyblocknum`.
pub(super) fn transaction_count(chain: &mut Chain, ask: &Ask<'_>) -> Answer {
    let number = ask.fields.int("num")?;
    let shown = chain.block(number).filter(|block| block.number <= chain.top(ask.view));
    Ok(json!({ "count": shown.map_or(-1, |block| to_i64(block.txs.len())) }))
}

/// `getnodeinfo`.
pub(super) fn node_info(chain: &mut Chain, ask: &Ask<'_>) -> Answer {
    let name = |number: i64| {
        let id = chain
            .block(number)
            .map(|block| hex::encode(block.id))
            .unwrap_or_default();
        format!("Num:{number},ID:{id}")
    };
    Ok(json!({
        "activeConnectCount": 30, "beginSyncNum": chain.head(), "passiveConnectCount": 0, "totalFlow": 0,
        "currentConnectCount": 30, "peerList": [],
        "block": name(newest(chain, ask)), "solidityBlock": name(chain.solid()),
        "configNodeInfo": {"codeVersion": "4.8.1", "dbVersion": 2, "p2pVersion": "11111"},
    }))
}
