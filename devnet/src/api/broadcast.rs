//! Sending transactions, and what a client asks about signatures before it does.

use chain::TronAddress;
use serde_json::{Value, json};

use super::accounts::permission;
use super::{Answer, Ask, render};
use crate::chain::{Chain, Disposal};
use crate::exec::{self, Refusal};
use crate::faults::Reply;
use crate::fields::sparse;
use crate::wire::Signed;

/// A code and a message; code SUCCESS if it was taken.
struct Told {
    code: String,
    message: String,
}

impl Told {
    fn taken() -> Self {
        Self {
            code: "SUCCESS".to_owned(),
            message: String::new(),
        }
    }

    fn refused(refusal: &Refusal) -> Self {
        Self {
            code: refusal.code().to_owned(),
            message: refusal.message(),
        }
    }

    fn is_taken(&self) -> bool {
        self.code == "SUCCESS"
    }
}

/// `broadcasthex`.
pub(super) fn hex(chain: &mut Chain, ask: &Ask<'_>) -> Answer {
    let bytes = hex::decode(ask.fields.text("transaction")).map_err(|error| error.to_string())?;
    let parsed = Signed::decode(&bytes)?;
    let (txid, shown) = match &parsed {
        Ok(tx) => (hex::encode(tx.txid), render::transaction(tx, None, true)),
        Err((txid, _)) => (hex::encode(txid), json!({})),
    };
    let told = send(chain, ask, parsed.map_err(|(_, refusal)| refusal));
    Ok(json!({
        "result": told.is_taken(),
        "code": told.code,
        "message": told.message,
        "transaction": shown.to_string(),
        "txid": txid,
    }))
}

/// `broadcasttransaction`: the JSON form, encoded again here.
pub(super) fn json(chain: &mut Chain, ask: &Ask<'_>) -> Answer {
    let visible = ask.fields.visible();
    let parsed = Signed::from_json(ask.body, visible);
    let txid = parsed.as_ref().map(|tx| hex::encode(tx.txid)).unwrap_or_default();
    let told = send(chain, ask, parsed);
    let message = if visible {
        told.message.clone()
    } else {
        hex::encode(&told.message)
    };
    let code = if told.is_taken() { "" } else { &told.code };
    let mut out = sparse(json!({"result": told.is_taken(), "code": code, "message": message}));
    out["txid"] = json!(txid);
    Ok(out)
}

/// Lets the chain judge, unless a fault decides otherwise.
fn send(chain: &mut Chain, ask: &Ask<'_>, parsed: Result<Signed, Refusal>) -> Told {
    match &ask.faults.reply {
        None => judge(chain, parsed, Disposal::Pool),
        Some(Reply::AcceptAndDrop) => judge(chain, parsed, Disposal::Drop),
        Some(Reply::AcceptAndLose) => judge(chain, parsed, Disposal::Lose),
        Some(Reply::Say { code, message, include }) => {
            if *include {
                let told = judge(chain, parsed, Disposal::Pool);
                if !told.is_taken() {
                    return told;
                }
            }
            Told {
                code: code.clone(),
                message: message.clone(),
            }
        }
    }
}

fn judge(chain: &mut Chain, parsed: Result<Signed, Refusal>, disposal: Disposal) -> Told {
    let run = chain
        .admission()
        .and(parsed)
        .and_then(|tx| chain.broadcast(tx, disposal));
    match run {
        Ok(()) => Told::taken(),
        Err(refusal) => Told::refused(&refusal),
    }
}

/// `getsignweight`.
pub(super) fn sign_weight(chain: &mut Chain, ask: &Ask<'_>) -> Answer {
    let visible = ask.fields.visible();
    let tx = Signed::from_json(ask.body, visible).map_err(|refusal| refusal.message())?;
    let owner = TronAddress::from_bytes(tx.owner()).map_err(|error| error.to_string())?;
    let judged = chain
        .state()
        .account(&owner)
        .ok_or_else(|| "Account does not exist!".to_owned())
        .and_then(|account| exec::sign_weight(account, owner, &tx));
    let mut out = match judged {
        Ok(weight) => {
            let enough = weight.weight >= weight.permission.threshold;
            let signers: Vec<Value> = weight
                .signers
                .iter()
                .map(|a| json!(if visible { a.to_string() } else { a.to_hex() }))
                .collect();
            let mut out = sparse(json!({"approved_list": signers, "current_weight": weight.weight}));
            out["permission"] = permission(&weight.permission, visible);
            out["result"] = if enough {
                json!({})
            } else {
                json!({"code": "NOT_ENOUGH_PERMISSION"})
            };
            out
        }
        Err(text) => json!({"result": {"code": "PERMISSION_ERROR", "message": text}}),
    };
    out["transaction"] = json!({
        "result": {"result": true},
        "txid": hex::encode(tx.txid),
        "transaction": render::transaction(&tx, None, visible),
    });
    Ok(out)
}
