//! One transfer: an amount of one asset from one account to another, named by the business event that moves it.

use chrono::{DateTime, Utc};
use kernel::{Amount, OrderId, PayoutId};

use crate::{Account, LedgerError};

db::text_enum! {
    /// Why money moved: one reason for each file of `movements`.
    Reason {
        /// A user paid for an order into escrow.
        OrderHold = "order_hold",
        /// A delivered order was earned.
        OrderSettle = "order_settle",
        /// A failed order was paid back.
        OrderRefund = "order_refund",
        /// An order given up before delivery was paid back.
        OrderCancel = "order_cancel",
        /// A user bought more time for an order that was delivered.
        OrderExtension = "order_extension",
        /// An operator credited or debited a user.
        OperatorAdjustment = "operator_adjustment",
        /// What came in on a chain was credited to a user.
        DepositCredit = "deposit_credit",
        /// A credit of what came in was taken back.
        DepositReversal = "deposit_reversal",
        /// A user's money was set aside to be paid out.
        PayoutHold = "payout_hold",
        /// What was set aside left on a chain.
        PayoutSettle = "payout_settle",
        /// What was set aside was given back.
        PayoutVoid = "payout_void",
        /// One asset was exchanged for another: one leg.
        Exchange = "exchange",
        /// A network took its fee.
        ChainFee = "chain_fee",
        /// The house pays for energy that a sweep needs.
        SweepEnergy = "sweep_energy",
    }
}

/// What is to be posted. Both accounts hold the same asset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    /// The deterministic id of the business event, such as `order:<id>:hold`.
    pub event: String,
    /// The account that the amount leaves.
    pub debit: Account,
    /// The account that the amount reaches.
    pub credit: Account,
    /// How much; never zero.
    pub amount: Amount,
    /// Why.
    pub reason: Reason,
    /// The order that it is about; present exactly for the order reasons.
    pub order: Option<OrderId>,
    /// The payout that it is about; present exactly for the payout reasons.
    pub payout: Option<PayoutId>,
    /// Who moved it, when a person or a client did: `api_key:<id>`, `operator:<name>`.
    pub actor: Option<String>,
    /// What a person said of it.
    pub note: Option<String>,
    /// When it happened. Neither this nor the actor is part of the contents that a replay must repeat.
    pub at: DateTime<Utc>,
}

impl Reason {
    /// Whether such a transfer is about an order.
    const fn is_of_order(self) -> bool {
        matches!(
            self,
            Self::OrderHold | Self::OrderSettle | Self::OrderRefund | Self::OrderCancel | Self::OrderExtension
        )
    }

    /// Whether such a transfer is about a payout.
    const fn is_of_payout(self) -> bool {
        matches!(self, Self::PayoutHold | Self::PayoutSettle | Self::PayoutVoid)
    }
}

impl Transfer {
    /// Refuses what the database would refuse, with an error that says why.
    pub(crate) fn check(&self) -> Result<(), LedgerError> {
        if self.amount.is_zero() {
            return Err(LedgerError::ZeroAmount);
        }
        if self.debit.asset() != self.credit.asset() {
            return Err(LedgerError::Malformed("two assets"));
        }
        if self.debit == self.credit {
            return Err(LedgerError::Malformed("one account on both sides"));
        }
        if self.reason.is_of_order() != self.order.is_some() {
            return Err(LedgerError::Malformed(
                "an order reason needs an order, another has none",
            ));
        }
        if self.reason.is_of_payout() != self.payout.is_some() {
            return Err(LedgerError::Malformed(
                "a payout reason needs a payout, another has none",
            ));
        }
        check_text("event", &self.event, 200)?;
        for (field, text, max) in [("actor", &self.actor, 200), ("note", &self.note, 500)] {
            text.as_ref().map_or(Ok(()), |text| check_text(field, text, max))?;
        }
        Ok(())
    }
}

/// PostgreSQL counts characters, too.
pub(crate) fn check_text(field: &'static str, text: &str, max: usize) -> Result<(), LedgerError> {
    if text.is_empty() || text.chars().count() > max || text.chars().any(char::is_control) {
        return Err(LedgerError::BadText { field, max });
    }
    Ok(())
}
