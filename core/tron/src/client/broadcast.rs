//! Sending signed bytes, and what the node's answer means.
//!
//! One endpoint sees the bytes in one call: another one is asked only where it is certain that nothing was sent. Whatever is
//! not understood is [`Broadcast::Unknown`], and so is every timeout: the bytes may have been taken.

use chain::endpoints::{EndpointList, Failure, Request, Side, Unusable};
use chain::{Broadcast, Refusal, TxId};
use serde_json::json;

use super::json::{self, Sent};
use super::refusal;
use crate::{ContractBody, decode_transaction};

/// An answer is a code and a sentence.
const MAX_BYTES: usize = 64 << 10;

/// Sends once.
pub(super) async fn send(endpoints: &EndpointList, signed: &[u8]) -> Broadcast {
    let decoded = match decode_transaction(signed) {
        Ok(decoded) => decoded,
        // Nothing was sent and nothing ever should be.
        Err(error) => return refused("NOT_SENT", error.to_string(), Refusal::Other),
    };
    let body = json!({ "transaction": hex::encode(signed) });
    let request = Request {
        side: Side::Full,
        path: "/wallet/broadcasthex",
        body: &body,
        max_bytes: MAX_BYTES,
    };
    let mut attempts = endpoints.attempts();
    loop {
        let endpoint = match attempts.next() {
            Ok(endpoint) => endpoint,
            Err(error) => {
                return Broadcast::Retry {
                    code: "NOT_SENT".to_owned(),
                    message: error.to_string(),
                };
            }
        };
        let read = |body: &[u8]| understood(json::read(body)?, decoded.txid, &decoded.unsigned.contract);
        match endpoint.ask(&request, read).await {
            Ok(answer) => return answer,
            Err(failure) if failure.nothing_was_sent() => attempts.failed(failure),
            Err(failure) => return unknown(&failure),
        }
    }
}

fn unknown(failure: &Failure) -> Broadcast {
    Broadcast::Unknown {
        code: failure.code(),
        message: failure.to_string(),
    }
}

fn refused(code: &str, message: String, refusal: Refusal) -> Broadcast {
    Broadcast::Refused {
        code: code.to_owned(),
        message,
        refusal,
    }
}

/// Classifies an answer by its code.
///
/// `Refused` means: this node looked at the bytes and did not take them. That is final only for bytes that no node has seen
/// before; the caller knows, we do not. So `TRANSACTION_EXPIRATION_ERROR` and `TAPOS_ERROR` are refusals too, although they
/// are checked before the node looks whether it has the transaction already, and say nothing about an earlier send; and so is
/// `BANDWITH_ERROR` (spelled so by nodes), although the same bytes would be taken after somebody paid for the bandwidth.
fn understood(sent: Sent, txid: TxId, contract: &ContractBody) -> Result<Broadcast, Unusable> {
    if sent
        .txid
        .as_ref()
        .is_some_and(|id| !id.is_empty() && *id != txid.to_string())
    {
        return Err(json::wrong("an answer about another transaction"));
    }
    let message = json::shortened(&sent.message);
    // A missing code is the default, which is success; but then the result says so too.
    let code = match (sent.code, sent.result) {
        (Some(code), _) => code,
        (None, true) => "SUCCESS".to_owned(),
        (None, false) => return Err(json::wrong("neither a result nor a code")),
    };
    Ok(match code.as_str() {
        "SUCCESS" if sent.result => Broadcast::Accepted,
        "DUP_TRANSACTION_ERROR" => Broadcast::AlreadyKnown { code, message },
        "SERVER_BUSY" | "NO_CONNECTION" | "NOT_ENOUGH_EFFECTIVE_CONNECTION" | "BLOCK_UNSOLIDIFIED" => {
            Broadcast::Retry { code, message }
        }
        "SIGERROR" => refused(&code, message, Refusal::BadSignature),
        "TAPOS_ERROR" | "TRANSACTION_EXPIRATION_ERROR" => refused(&code, message, Refusal::BadReference),
        "BANDWITH_ERROR" => refused(&code, message, Refusal::InsufficientBandwidth),
        "TOO_BIG_TRANSACTION_ERROR" => refused(&code, message, Refusal::Other),
        "CONTRACT_VALIDATE_ERROR" | "CONTRACT_EXE_ERROR" => {
            let refusal = refusal::meaning(&message, contract);
            refused(&code, message, refusal)
        }
        // OTHER_ERROR, and codes that nodes will learn after we were written.
        _ => Broadcast::Unknown {
            code: json::shortened(&code),
            message,
        },
    })
}
