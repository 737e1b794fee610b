//! The customer pays in: TRX to an address of his own, USDT by an amount of his own, both on the chain. Announced and
//! watched over the API.

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::json;

use super::orders::micro;
use super::screen::short;
use crate::stage::Stage;
use crate::stage::devnet::Payment;

/// A deposit as the API shows it.
#[derive(Deserialize)]
pub(crate) struct DepositView {
    pub(crate) id: String,
    pub(crate) asset: String,
    pub(crate) way: String,
    address: String,
    /// Exactly what is to be paid.
    pub(crate) amount: String,
    pub(crate) state: String,
    received: String,
    #[serde(default)]
    transfers: Vec<TransferView>,
}

/// What came for it.
#[derive(Deserialize)]
struct TransferView {
    txid: String,
    block_number: i64,
    state: String,
    case: Option<String>,
}

/// A deposit and how it was paid.
pub(crate) struct Paid {
    pub(crate) deposit: DepositView,
    /// The payment.
    pub(crate) txid: String,
    /// What the user said of it when it was credited already: nothing may come of that.
    pub(crate) told_again: bool,
}

/// Announces a deposit of a user.
pub(crate) fn announce(stage: &Stage, user: i64, (asset, way): (&str, &str), amount: i64) -> Result<DepositView> {
    let body = json!({ "asset": asset, "way": way, "amount": amount.to_string() });
    let once = format!("demo-deposit-{asset}");
    stage
        .api
        .post(&format!("/api/users/{user}/deposits"), &body, Some(&once))
}

/// Somebody pays exactly what was asked for.
pub(crate) fn pay(stage: &Stage, deposit: DepositView) -> Result<Paid> {
    let minor = micro(&deposit.amount)?;
    let payment = match deposit.asset.as_str() {
        "TRX" => Payment::Trx(minor),
        _ => Payment::Usdt(minor),
    };
    let txid = stage.devnet.pay(&deposit.address, payment)?;
    Ok(Paid {
        deposit,
        txid,
        told_again: false,
    })
}

/// The user says, as users do, that he has paid.
pub(crate) fn tell(stage: &Stage, user: i64, paid: &mut Paid) -> Result<()> {
    let once = format!("demo-told-{}", paid.txid);
    let body = json!({ "txid": paid.txid });
    let path = format!("/api/users/{user}/deposit");
    stage.api.post::<serde_json::Value>(&path, &body, Some(&once))?;
    paid.told_again = true;
    Ok(())
}

impl Paid {
    /// Reads it anew.
    pub(crate) fn again(&mut self, stage: &Stage) -> Result<()> {
        self.deposit = stage.api.get(&format!("/api/deposits/{}", self.deposit.id))?;
        Ok(())
    }

    /// Whether all of it is credited, by the very payment.
    pub(crate) fn is_credited(&self) -> bool {
        let [transfer] = self.deposit.transfers.as_slice() else {
            return false;
        };
        let exact = transfer.case.as_deref() == Some("exact") && self.deposit.received == self.deposit.amount;
        self.deposit.state == "paid" && transfer.state == "credited" && transfer.txid == self.txid && exact
    }

    /// The block that carried the payment.
    pub(crate) fn block(&self) -> Option<i64> {
        self.deposit.transfers.first().map(|transfer| transfer.block_number)
    }

    /// What was credited, in minor units.
    pub(crate) fn received(&self) -> Result<i64> {
        micro(&self.deposit.received)
    }

    /// A line of the table.
    pub(crate) fn row(&self) -> String {
        let block = self.block().map_or_else(|| "–".to_owned(), |block| block.to_string());
        format!(
            "  {:<5} {:<8} {:>14} {:<11} {:<9} {:<11} {block:>6}",
            self.deposit.asset,
            self.deposit.way,
            self.deposit.amount,
            short(&self.deposit.address),
            self.deposit.state,
            short(&self.txid),
        )
    }
}

/// The table's head.
pub(crate) fn header() -> Vec<String> {
    vec![format!(
        "\n  {:<5} {:<8} {:>14} {:<11} {:<9} {:<11} {:>6}",
        "OF", "WAY", "AMOUNT", "ADDRESS", "STATE", "PAID BY", "BLOCK"
    )]
}

/// The sum that was credited of an asset.
pub(crate) fn credited(deposits: &[Paid], asset: &str) -> Result<i64> {
    let of = deposits.iter().filter(|paid| paid.deposit.asset == asset);
    let sums: Vec<i64> = of.map(Paid::received).collect::<Result<_>>()?;
    sums.iter()
        .try_fold(0_i64, |sum, amount| sum.checked_add(*amount))
        .context("more than there is")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paid(state: &str, received: &str, transfer: &str) -> Paid {
        let deposit = serde_json::from_value(json!({
            "id": "d", "asset": "USDT", "way": "amount", "address": "TUEZ", "amount": "25.000017", "state": state,
            "received": received,
            "transfers": [{ "txid": "aa", "block_number": 7, "state": transfer, "case": "exact" }],
        }));
        Paid {
            deposit: deposit.unwrap(),
            txid: "aa".into(),
            told_again: false,
        }
    }

    #[test]
    fn a_deposit_is_credited_by_its_own_payment_in_full() {
        assert!(paid("paid", "25.000017", "credited").is_credited());
        assert!(!paid("paid", "25.000016", "credited").is_credited());
        assert!(!paid("partial", "25.000017", "credited").is_credited());
        assert!(!paid("paid", "25.000017", "held").is_credited());
        let mut other = paid("paid", "25.000017", "credited");
        other.txid = "bb".into();
        assert!(!other.is_credited());
        assert_eq!(
            credited(&[paid("paid", "25.000017", "credited")], "USDT").unwrap(),
            25_000_017
        );
        assert_eq!(credited(&[other], "TRX").unwrap(), 0);
    }
}
