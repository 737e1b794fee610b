//! Transactions and their receipts.

use serde_json::{Value, json};

use super::{Answer, Ask, render};
use crate::chain::Chain;
use crate::state::View;

fn txid(text: &str) -> Option<[u8; 32]> {
    let mut id = [0; 32];
    hex::decode_to_slice(text, &mut id).ok().map(|()| id)
}

/// `gettransactionbyid`: a full node also knows what is pending.
pub(super) fn by_id(chain: &mut Chain, ask: &Ask<'_>) -> Answer {
    let Some(id) = txid(ask.fields.text("value")) else {
        return Ok(json!({}));
    };
    let visible = ask.fields.visible();
    if let Some((_, included)) = chain.inclusion(ask.view, &id) {
        return Ok(render::transaction(&included.tx, Some(&included.outcome), visible));
    }
    let pending = chain.pending(&id).filter(|_| ask.view == View::Head);
    Ok(pending.map_or_else(|| json!({}), |p| render::transaction(&p.tx, Some(&p.outcome), visible)))
}

const fn without(ask: &Ask<'_>) -> render::Without {
    render::Without {
        logs: ask.faults.missing_logs,
        internal: ask.faults.missing_internal,
    }
}

/// `gettransactioninfobyid`.
pub(super) fn info_by_id(chain: &mut Chain, ask: &Ask<'_>) -> Answer {
    let Some(id) = txid(ask.fields.text("value")) else {
        return Ok(json!({}));
    };
    let found = chain.inclusion(ask.view, &id);
    Ok(found.map_or_else(
        || json!({}),
        |(block, included)| render::info(block, included, ask.fields.visible(), without(ask)),
    ))
}

/// `gettransactioninfobyblocknum`.
pub(super) fn info_by_block(chain: &mut Chain, ask: &Ask<'_>) -> Answer {
    let number = ask.fields.int("num")?;
    if number <= 0 {
        return Ok(json!({}));
    }
    if ask.faults.missing_infos || number > chain.top(ask.view) {
        return Ok(json!([]));
    }
    let Some(block) = chain.block(number) else {
        return Ok(json!([]));
    };
    let show = |included| render::info(block, included, ask.fields.visible(), without(ask));
    Ok(Value::Array(block.txs.iter().map(show).collect()))
}

/// `getpendingsize`.
pub(super) fn pending_size(chain: &mut Chain, _: &Ask<'_>) -> Answer {
    Ok(json!({ "pendingSize": chain.pool_len() }))
}

/// `gettransactionlistfrompending`.
pub(super) fn pending_list(chain: &mut Chain, _: &Ask<'_>) -> Answer {
    Ok(json!({ "txId": chain.pool_ids() }))
}
