//! What the judge says: which rule is broken, by what, and what to do about it.

use std::fmt;

use serde::{Serialize, Serializer};

/// The rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Rule {
    /// Debits equal credits per asset.
    LedgerBalanced,
    /// Every kept balance is the sum of its transfers.
    LedgerReplays,
    /// Escrow is the price of the orders that are neither settled nor given back.
    EscrowIsOpenOrders,
    /// What is set aside for payouts is the amount of those that have not come to their end.
    SetAsideIsOpenPayouts,
    /// Every credited transfer has one credit of the same amount in the ledger, and every credit its transfer.
    DepositMoney,
    /// Every exchange that was done has its two transfers with the stored figures, and every such transfer its exchange.
    ExchangeMoney,
    /// What came in is decided about once its block is solid.
    DepositInTime,
    /// An order was paid once, and its money has left escrow once, to where its end says.
    OrderMoney,
    /// An order is delivered or refunded, never both, and at most one delegation of it landed.
    OrderOneEnd,
    /// What an order's state says of its delegations.
    OrderDelegation,
    /// No order is open beyond its deadline.
    OrderInTime,
    /// A payout's money was set aside once, and left once, to where its end says.
    PayoutMoney,
    /// A payout is paid once or given back, never both, and at most one transaction of it landed.
    PayoutOneEnd,
    /// No payout that may be paid waits for long.
    PayoutInTime,
    /// What a payout's transaction burned is booked once.
    PayoutFee,
    /// A sweep that is over has one transaction that landed, and no other ever has one.
    SweepOneEnd,
    /// No sweep is open at rest.
    SweepInTime,
    /// What a sweep's transaction burned is booked once.
    SweepFee,
    /// A staking that is done has one transaction that landed, and no other ever has one.
    StakingOneEnd,
    /// No staking is open at rest, or for long.
    StakingInTime,
    /// A delegation's state is what its transactions say.
    DelegationTransactions,
    /// A delegation is made and undone on chain as often as its state says, and as it was booked.
    DelegationOnChain,
    /// No rental is on chain long after its end.
    DelegationInTime,
    /// Signed bytes say what was booked.
    TransactionBytes,
    /// What we hold for landed is on chain, and what we hold for dead is not.
    TransactionOnChain,
    /// Every transaction becomes final or dies in time.
    TransactionInTime,
    /// Nothing is on the chain that we did not sign.
    ChainStranger,
    /// Networks are read.
    ChainRead,
    /// A wallet's reservation is the sum of its delegations that its last read does not show.
    WalletReservation,
    /// A wallet's delegated stake is that of our books.
    WalletStake,
    /// What a wallet lends each receiver is that of our books.
    WalletLent,
    /// No job is dead or late.
    JobLeft,
    /// No finding waits for an operator.
    Finding,
}

impl Rule {
    /// The stable word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::LedgerBalanced => "ledger.balanced",
            Self::LedgerReplays => "ledger.replays",
            Self::EscrowIsOpenOrders => "ledger.escrow",
            Self::SetAsideIsOpenPayouts => "ledger.payouts",
            Self::PayoutMoney => "payouts.money",
            Self::PayoutOneEnd => "payouts.one_end",
            Self::PayoutInTime => "payouts.in_time",
            Self::PayoutFee => "payouts.fee",
            Self::SweepOneEnd => "sweeps.one_end",
            Self::SweepInTime => "sweeps.in_time",
            Self::SweepFee => "sweeps.fee",
            Self::StakingOneEnd => "stakings.one_end",
            Self::StakingInTime => "stakings.in_time",
            Self::DepositMoney => "deposits.money",
            Self::ExchangeMoney => "exchanges.money",
            Self::DepositInTime => "deposits.in_time",
            Self::OrderMoney => "orders.money",
            Self::OrderOneEnd => "orders.one_end",
            Self::OrderDelegation => "orders.delegation",
            Self::OrderInTime => "orders.in_time",
            Self::DelegationTransactions => "delegations.transactions",
            Self::DelegationOnChain => "delegations.on_chain",
            Self::DelegationInTime => "delegations.in_time",
            Self::TransactionBytes => "transactions.bytes",
            Self::TransactionOnChain => "transactions.on_chain",
            Self::TransactionInTime => "transactions.in_time",
            Self::ChainStranger => "chain.stranger",
            Self::ChainRead => "chain.read",
            Self::WalletReservation => "wallets.reservation",
            Self::WalletStake => "wallets.stake",
            Self::WalletLent => "wallets.lent",
            Self::JobLeft => "jobs.left",
            Self::Finding => "findings.open",
        }
    }

    /// What an operator does about it.
    #[must_use]
    pub const fn action(self) -> &'static str {
        match self {
            Self::LedgerBalanced => {
                "`payouts stop`, stop the workers, and keep the database as it is; compare `ledger_transfers` per asset; correct by a new transfer, never by an edit."
            }
            Self::LedgerReplays => {
                "`payouts stop`, stop the workers, and keep the database as it is; compare the account's row in `ledger_accounts` with its transfers: these are what counts."
            }
            Self::EscrowIsOpenOrders | Self::OrderMoney => {
                "Compare the order's timeline with its transfers; correct by a new transfer, never by an edit."
            }
            Self::SetAsideIsOpenPayouts | Self::PayoutMoney | Self::PayoutFee => {
                "`payouts stop`; compare the payout's timeline with its transfers; correct by a new transfer, never by an edit."
            }
            Self::PayoutOneEnd => {
                "`payouts stop`, and stop the workers; compare the payout with the chain; what was paid twice is to be asked back."
            }
            Self::PayoutInTime => "Look at the payout's timeline and its reason; re-drive `payouts.send`.",
            Self::SweepOneEnd => {
                "`sweeps stop`; compare the sweep's timeline with the chain: what was sent twice is at a treasury wallet."
            }
            Self::SweepInTime => "`sweeps show` says what it waits for; `sweeps retry` looks at it now.",
            Self::SweepFee => {
                "Compare the sweep's transactions with the transfers of `house:fees`; correct by a new transfer."
            }
            Self::StakingOneEnd => {
                "Compare the staking's timeline with the chain: what was staked twice is still the wallet's, and can be unstaked."
            }
            Self::StakingInTime => "`stake show` says what it waits for; re-drive `wallets.stake`.",
            Self::DepositMoney => {
                "Stop withdrawals; compare `incoming_transfers` with `ledger_transfers` for the event; correct by a new transfer."
            }
            Self::ExchangeMoney => {
                "Stop withdrawals; compare `exchanges` with `ledger_transfers` for the event; correct by a new transfer."
            }
            Self::DepositInTime => "See whether the watcher reads on; re-drive `deposits.credit`.",
            Self::OrderOneEnd => {
                "Stop the workers; compare the order with the chain; give back what was taken twice, reclaim what was made twice."
            }
            Self::OrderDelegation | Self::DelegationTransactions | Self::TransactionBytes => {
                "A bug or a hand in the database: stop the workers, and keep the rows as they are for whoever looks into it."
            }
            Self::OrderInTime => "Look at the order's timeline and its last transaction; re-drive `orders.delegate`.",
            Self::DelegationOnChain | Self::TransactionOnChain => {
                "Look the transaction up at another node; if the chain is right, see `chain.dead_transaction_landed` and `chain.transaction_missed` in OPERATIONS.md."
            }
            Self::DelegationInTime => {
                "Look at the wallet's bandwidth and at the last answer; re-drive `delegations.reclaim`."
            }
            Self::TransactionInTime => {
                "See whether the watcher reads on; re-drive `chain.resend_transactions` and `chain.settle_final`."
            }
            Self::ChainStranger => "Find out who else holds the wallet's key.",
            Self::ChainRead => {
                "See `chain status` and the nodes; after a halt whose cause is understood, `chain resume <network>`."
            }
            Self::WalletReservation => "Sync the wallet; if it comes back, it is a bug.",
            Self::WalletStake | Self::WalletLent => {
                "Compare with `delegations`: undo by hand what the books do not know; what the chain lacks is a bug."
            }
            Self::JobLeft => "`jobs list --state dead`; repair the cause, then `jobs redrive`.",
            Self::Finding => "`findings list` says what to do.",
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl Serialize for Rule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

/// One broken rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Complaint {
    /// Which rule.
    pub rule: Rule,
    /// What breaks it: `order:<id>`, `wallet:<address>`, `transaction:<txid>` …
    pub subject: String,
    /// How.
    pub text: String,
    /// What to do about it.
    pub action: &'static str,
}

impl Complaint {
    pub(super) fn new(rule: Rule, subject: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            rule,
            subject: subject.into(),
            text: text.into(),
            action: rule.action(),
        }
    }
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}  {}  {}", self.rule, self.subject, self.text)
    }
}
