//! Whole blocks: transactions and receipts, checked against each other.
//!
//! A block that contradicts itself or its neighbour is not handed on. Receipts come by another call, perhaps from another
//! node than the block: where they do not fit, the next node is asked, and if none has them the block is incomplete.

use chain::endpoints::{EndpointList, Request, Side, Unusable};
use chain::{Block, BlockRef, ChainError, TronAddress};
use futures::{StreamExt, TryStreamExt};
use serde_json::json;

use super::json::{self, BlockList, FullBlock};
use crate::transfers::{self, Info, Transaction};

/// The most blocks that one call of ours may ask for.
const MAX_BLOCKS: i64 = 100;
/// Blocks in one answer: few enough that the answer stays small beside the process.
const CHUNK: i64 = 20;
/// The longest such answer: twenty blocks as full as they can be.
const MAX_BYTES: usize = 48 << 20;
/// Receipts asked for at the same time.
const CONCURRENCY: usize = 8;

/// A block whose receipts are still to be fetched.
struct Bare {
    at: BlockRef,
    transactions: Vec<Transaction>,
    /// Its header says that it holds no transactions.
    proven_empty: bool,
}

/// The blocks `from..=to` that there are, in order, with what they moved. `tokens` are those of which a node that strips
/// logs is found out.
pub(super) async fn read(
    endpoints: &EndpointList,
    tokens: &[TronAddress],
    from: i64,
    to: i64,
) -> Result<Vec<Block>, ChainError> {
    let last = to.min(from.saturating_add(MAX_BLOCKS - 1));
    let mut blocks: Vec<Block> = Vec::new();
    let mut start = from;
    while start <= last {
        let end = last.min(start + CHUNK - 1);
        let bare = chunk(endpoints, start, end, blocks.last().map(|block| block.at.id.clone())).await?;
        let complete = i64::try_from(bare.len()) == Ok(end - start + 1);
        let whole: Vec<Block> = futures::stream::iter(bare.into_iter().map(|block| receipts(endpoints, tokens, block)))
            .buffered(CONCURRENCY)
            .try_collect()
            .await?;
        blocks.extend(whole);
        if !complete {
            break;
        }
        start = end + 1;
    }
    Ok(blocks)
}

/// The blocks `start..=end` that there are, without receipts; the first must follow `parent` if that is known.
async fn chunk(
    endpoints: &EndpointList,
    start: i64,
    end: i64,
    parent: Option<String>,
) -> Result<Vec<Bare>, ChainError> {
    let body = json!({ "startNum": start, "endNum": end.saturating_add(1) });
    let request = Request {
        side: Side::Full,
        path: "/wallet/getblockbylimitnext",
        body: &body,
        max_bytes: MAX_BYTES,
    };
    let read = |body: &[u8]| linked(json::read::<BlockList>(body)?, start, end, parent.as_deref());
    endpoints.call(&request, read).await
}

/// Checks that the blocks are the first of `start..=end`, each the parent of the next.
fn linked(list: BlockList, start: i64, end: i64, parent: Option<&str>) -> Result<Vec<Bare>, Unusable> {
    let mut blocks: Vec<Bare> = Vec::with_capacity(list.block.len());
    for (block, expected) in list.block.into_iter().zip(start..) {
        let bare = bare(block)?;
        if bare.at.number != expected || expected > end {
            return Err(json::wrong(format!(
                "block {} where {expected} of {start}..={end} belongs",
                bare.at.number
            )));
        }
        let before = blocks.last().map(|block| block.at.id.as_str()).or(parent);
        if before.is_some_and(|id| id != bare.at.parent_id) {
            return Err(json::wrong(format!(
                "block {expected} does not follow the one before it"
            )));
        }
        blocks.push(bare);
    }
    Ok(blocks)
}

/// A block may come without its transactions: what its header says of them has to fit.
fn bare(block: FullBlock) -> Result<Bare, Unusable> {
    let holds = block.header.holds_transactions();
    let at = block
        .header
        .block_ref()?
        .ok_or_else(|| json::wrong("an empty block among others"))?;
    if holds == Some(block.transactions.is_empty()) {
        return Err(json::wrong(format!(
            "block {} comes with {} transactions, which its txTrieRoot denies",
            at.number,
            block.transactions.len()
        )));
    }
    block.transactions.iter().try_for_each(|seen| ended(&at, seen))?;
    Ok(Bare {
        at,
        transactions: block.transactions,
        proven_empty: holds == Some(false),
    })
}

/// Whether a transaction says how it ended. Absence of a result is not failure, which would have it made again: it is an
/// unusable answer, as is a transaction without an id.
fn ended(at: &BlockRef, seen: &Transaction) -> Result<(), Unusable> {
    let id = seen
        .id()
        .map_err(|_| json::wrong(format!("a transaction id that is none in block {}", at.number)))?;
    match seen.ended() {
        Some(_) => Ok(()),
        None => Err(json::wrong(format!(
            "transaction {id} of block {} has no result",
            at.number
        ))),
    }
}

/// Fetches a block's receipts from the first endpoint that has them all.
async fn receipts(endpoints: &EndpointList, tokens: &[TronAddress], block: Bare) -> Result<Block, ChainError> {
    if block.proven_empty {
        return Ok(Block {
            at: block.at,
            transactions: Vec::new(),
            transfers: Vec::new(),
        });
    }
    let number = block.at.number;
    let body = json!({ "num": number });
    let request = Request {
        side: Side::Full,
        path: "/wallet/gettransactioninfobyblocknum",
        body: &body,
        max_bytes: MAX_BYTES,
    };
    let mut attempts = endpoints.attempts();
    let mut incomplete = None;
    loop {
        let endpoint = match attempts.next() {
            Ok(endpoint) => endpoint,
            Err(unavailable) => return Err(incomplete.unwrap_or(unavailable)),
        };
        match endpoint.ask(&request, infos).await {
            Err(failure) => attempts.failed(failure),
            Ok(infos) => match transfers::whole(number, &block.transactions, &infos, tokens) {
                Ok(whole) => {
                    return Ok(Block {
                        at: block.at,
                        transactions: whole.transactions,
                        transfers: whole.transfers,
                    });
                }
                Err(unread) => {
                    let detail = unread.to_string();
                    attempts.failed(endpoint.disappointed(&request, Unusable::new(detail.clone())));
                    incomplete = Some(ChainError::Incomplete {
                        network: endpoints.network().to_owned(),
                        number,
                        detail,
                    });
                }
            },
        }
    }
}

/// A list, or `{}` where the node has nothing.
fn infos(body: &[u8]) -> Result<Vec<Info>, Unusable> {
    if body.trim_ascii_start().first() == Some(&b'[') {
        return json::read(body);
    }
    json::read::<Nothing>(body).map(|Nothing {}| Vec::new())
}

/// An object without any field.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}
