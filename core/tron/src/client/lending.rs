//! Whom an account lends stake to, and how much.

use chain::endpoints::{Endpoint, EndpointList, Failure, Request, Side, Unusable};
use chain::{ChainError, Lent, TronAddress};
use serde_json::{Value, json};

use super::json::{self, Borrowers, Delegations};
use super::wallet::head;
use super::{full, solid};

/// The longest list of borrowers: a hundred bytes each, for half a million of them.
const MAX_LIST: usize = 48 << 20;

/// Stake lent for energy by one account to another, locked or not, as of the newest block.
pub(super) async fn delegated_energy_sun(
    endpoints: &EndpointList,
    from: TronAddress,
    to: TronAddress,
) -> Result<i64, ChainError> {
    let body = pair(from, to);
    endpoints
        .call(&full("/wallet/getdelegatedresourcev2", &body), energy_sun)
        .await
}

/// Everybody whom an account lends stake to, sorted.
pub(super) async fn borrowers(endpoints: &EndpointList, from: TronAddress) -> Result<Vec<TronAddress>, ChainError> {
    let body = json!({ "value": from.to_hex() });
    let request = Request {
        side: Side::Solid,
        path: "/walletsolidity/getdelegatedresourceaccountindexv2",
        body: &body,
        max_bytes: MAX_LIST,
    };
    let read = |body: &[u8]| {
        let list: Borrowers = json::read(body)?;
        if list.account.is_some_and(|account| account != from.to_hex()) {
            return Err(json::wrong("the borrowers of another account"));
        }
        let addresses = list.to.iter().map(|text| TronAddress::from_hex(text));
        let mut addresses: Vec<TronAddress> = addresses
            .collect::<Result<_, _>>()
            .map_err(|_| json::wrong("a borrower whose address is none"))?;
        addresses.sort_unstable();
        addresses.dedup();
        Ok(addresses)
    };
    endpoints.call(&request, read).await
}

/// What an account lends to each of some others: after a failure the next endpoint is asked for all of them.
pub(super) async fn lent(endpoints: &EndpointList, from: TronAddress, to: &[TronAddress]) -> Result<Lent, ChainError> {
    let mut attempts = endpoints.attempts();
    loop {
        match lent_at(attempts.next()?, from, to).await {
            Ok(lent) => return Ok(lent),
            Err(failure) => attempts.failed(failure),
        }
    }
}

/// The head is read first: what happens between the calls is in the figures and not in `as_of_block`, never the other way
/// round.
async fn lent_at(endpoint: &Endpoint, from: TronAddress, to: &[TronAddress]) -> Result<Lent, Failure> {
    let head = endpoint
        .ask(&solid("/walletsolidity/getnowblock", &json!({})), head)
        .await?;
    let mut sun = Vec::with_capacity(to.len());
    for to in to {
        let body = pair(from, *to);
        let request = solid("/walletsolidity/getdelegatedresourcev2", &body);
        sun.push(endpoint.ask(&request, energy_sun).await?);
    }
    Ok(Lent {
        as_of_block: head.number,
        energy_sun: sun,
    })
}

fn pair(from: TronAddress, to: TronAddress) -> Value {
    json!({ "fromAddress": from.to_hex(), "toAddress": to.to_hex() })
}

/// An unlocked and a locked row at most, added up.
fn energy_sun(body: &[u8]) -> Result<i64, Unusable> {
    let rows = json::read::<Delegations>(body)?.rows;
    rows.iter()
        .try_fold(0_i64, |sum, row| sum.checked_add(row.energy_sun))
        .ok_or_else(|| json::wrong("amounts beyond 64 bits"))
}
