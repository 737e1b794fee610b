//! The node client: questions over HTTP, answers checked before they are believed.
//!
//! Every question goes through [`EndpointList`], which bounds and counts it. Only [`broadcast`](TronClient::broadcast) has an
//! effect on the chain, and only it is not asked twice.

mod blocks;
mod broadcast;
mod json;
mod lending;
mod permissions;
mod refusal;
#[cfg(test)]
mod tests;
mod wallet;

use async_trait::async_trait;
use chain::endpoints::{EndpointList, Request, Side};
use chain::{
    Block, BlockRef, Broadcast, ChainClient, ChainError, Inclusion, Lent, Receiver, TokenBalance, TransferCost,
    TronAddress, TxId, WalletSnapshot,
};
use serde_json::{Value, json};

use json::{Header, Info};

/// The longest answer about one thing. A full block with all its transactions is well below it.
const SMALL: usize = 8 << 20;

/// A TRON network behind its nodes' HTTP API.
#[derive(Debug)]
pub struct TronClient {
    endpoints: EndpointList,
    tokens: Vec<TronAddress>,
}

impl TronClient {
    /// A client of the network that these endpoints belong to. A block in which a call moved one of `tokens` and left no
    /// log is not whole.
    #[must_use]
    pub const fn new(endpoints: EndpointList, tokens: Vec<TronAddress>) -> Self {
        Self { endpoints, tokens }
    }

    /// The header that an answer consists of, which has to be there.
    async fn newest(&self, request: &Request<'_>) -> Result<BlockRef, ChainError> {
        let read = |body: &[u8]| {
            json::read::<Header>(body)?
                .block_ref()?
                .ok_or_else(|| json::wrong("no block"))
        };
        self.endpoints.call(request, read).await
    }

    /// The header of this block, or `None` for an empty answer.
    async fn numbered(&self, request: &Request<'_>, number: i64) -> Result<Option<BlockRef>, ChainError> {
        let read = |body: &[u8]| match json::read::<Header>(body)?.block_ref()? {
            Some(block) if block.number != number => Err(json::wrong(format!("block {} instead", block.number))),
            block => Ok(block),
        };
        self.endpoints.call(request, read).await
    }
}

/// A question for the full side.
const fn full<'a>(path: &'static str, body: &'a Value) -> Request<'a> {
    Request {
        side: Side::Full,
        path,
        body,
        max_bytes: SMALL,
    }
}

/// A question for the solidified side.
const fn solid<'a>(path: &'static str, body: &'a Value) -> Request<'a> {
    Request {
        side: Side::Solid,
        path,
        body,
        max_bytes: SMALL,
    }
}

#[async_trait]
impl ChainClient for TronClient {
    fn network(&self) -> &str {
        self.endpoints.network()
    }

    async fn head(&self) -> Result<BlockRef, ChainError> {
        self.newest(&full("/wallet/getnowblock", &json!({}))).await
    }

    async fn solid_head(&self) -> Result<BlockRef, ChainError> {
        self.newest(&solid("/walletsolidity/getnowblock", &json!({}))).await
    }

    async fn block_ref(&self, number: i64) -> Result<Option<BlockRef>, ChainError> {
        let body = json!({ "num": number });
        self.numbered(&full("/wallet/getblockbynum", &body), number).await
    }

    async fn solid_block_ref(&self, number: i64) -> Result<Option<BlockRef>, ChainError> {
        let body = json!({ "num": number });
        self.numbered(&solid("/walletsolidity/getblockbynum", &body), number)
            .await
    }

    async fn blocks(&self, from: i64, to: i64) -> Result<Vec<Block>, ChainError> {
        blocks::read(&self.endpoints, &self.tokens, from, to).await
    }

    async fn broadcast(&self, signed: &[u8]) -> Broadcast {
        broadcast::send(&self.endpoints, signed).await
    }

    async fn solid_inclusion(&self, txid: TxId) -> Result<Option<Inclusion>, ChainError> {
        let body = json!({ "value": txid.to_string() });
        let request = solid("/walletsolidity/gettransactioninfobyid", &body);
        let mut attempts = self.endpoints.attempts();
        let mut unknown = false;
        loop {
            let endpoint = match attempts.next() {
                Ok(endpoint) => endpoint,
                Err(_) if unknown => return Ok(None),
                Err(unavailable) => return Err(unavailable),
            };
            let read = |body: &[u8]| json::read::<Info>(body)?.inclusion(txid);
            match endpoint.ask(&request, read).await {
                Ok(Some(found)) => return Ok(Some(found)),
                Ok(None) => unknown = true,
                Err(failure) => attempts.failed(failure),
            }
        }
    }

    async fn receiver(&self, address: TronAddress) -> Result<Receiver, ChainError> {
        wallet::receiver(&self.endpoints, address).await
    }

    async fn wallet_snapshot(&self, address: TronAddress) -> Result<WalletSnapshot, ChainError> {
        wallet::snapshot(&self.endpoints, address).await
    }

    async fn token_balance(&self, token: TronAddress, holder: TronAddress) -> Result<TokenBalance, ChainError> {
        wallet::token_balance(&self.endpoints, token, holder).await
    }

    async fn transfer_cost(
        &self,
        token: TronAddress,
        parties: (TronAddress, TronAddress),
        minor: u128,
    ) -> Result<TransferCost, ChainError> {
        wallet::transfer_cost(&self.endpoints, token, parties, minor).await
    }

    async fn delegated_energy_sun(&self, from: TronAddress, to: TronAddress) -> Result<i64, ChainError> {
        lending::delegated_energy_sun(&self.endpoints, from, to).await
    }

    async fn borrowers(&self, from: TronAddress) -> Result<Vec<TronAddress>, ChainError> {
        lending::borrowers(&self.endpoints, from).await
    }

    async fn lent(&self, from: TronAddress, to: &[TronAddress]) -> Result<Lent, ChainError> {
        lending::lent(&self.endpoints, from, to).await
    }
}
