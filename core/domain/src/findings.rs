//! Findings: conditions that wait for an operator. One open row per kind and subject, however often it is seen.

use chrono::{DateTime, Utc};
use db::Conn;
use db::models::{Finding, NewFinding, Severity};
use kernel::IdGen;
use serde_json::Value;

use crate::{DomainError, WORKER};

/// What may be found, with its severity and what an operator does about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FindingKind {
    /// No wallet has the room for an order.
    NoWalletFits,
    /// A wallet failed too often and gets no new orders.
    WalletIsolated,
    /// Coin left a supplier wallet that no transaction of ours took.
    CoinMissing,
    /// Stake of a supplier wallet was given up, and not by us.
    StakeFell,
    /// A supplier wallet has little TRX left.
    LowTrx,
    /// The chain's delegated stake differs from our books.
    DelegatedDiffers,
    /// The chain lends more of a wallet's stake to a receiver than our books know.
    LendsUnknown,
    /// The chain lends less of a wallet's stake to a receiver than our books say.
    LendsMissing,
    /// A rental ended and could not be reclaimed yet.
    ReclaimFails,
    /// A transaction that we held for dead is in a block.
    DeadTransactionLanded,
    /// A node has a transaction that the blocks we read have not.
    TransactionMissed,
    /// No block took any of our transactions while one of them lived.
    NothingLands,
    /// Less energy can be sold than the configured alert.
    LowStock,
    /// Scanning stopped.
    ScanHalted,
    /// Cached balances differ from the sum of transfers.
    BalanceDiffers,
    /// Debits and credits of an asset differ.
    LedgerUnbalanced,
    /// Escrow differs from the price of open orders.
    EscrowDiffers,
    /// Reserved stake differs from live delegations.
    ReservationDiffers,
    /// An order waits beyond its deadline.
    OrderStuck,
    /// A webhook endpoint takes no messages, and one was given up.
    EndpointFailing,
    /// What is set aside differs from open payouts.
    PayoutsDiffer,
    /// A payout that may be paid has waited for long.
    PayoutStuck,
    /// No treasury wallet has what a payout needs.
    TreasuryShort,
    /// Money came in, and an operator has to say whose it is.
    DepositHeld,
    /// Money came in for good, and nobody decided about it.
    DepositNotCredited,
    /// A credited transfer has no credit in the ledger, or another one, or a credit no transfer.
    DepositLedgerDiffers,
    /// A block that was read again says something else of a transfer than it did before.
    DepositDiffers,
    /// Less lies at addresses of ours than customers paid in.
    DepositsNotCovered,
    /// There is no rate in use: nothing is exchanged.
    RatesStale,
    /// The sources gave a rate that is not believed.
    RatesRefused,
    /// An exchange has waited for long.
    ExchangeWaits,
    /// An exchange that was done has not its two transfers, or a transfer no exchange.
    ExchangeLedgerDiffers,
    /// A deposit address has not been collected for long.
    SweepStuck,
    /// Orders of energy for a sweep bring none.
    SweepEnergy,
    /// Money lies at addresses of an account whose key is not here.
    SweepKeyMissing,
    /// A sweep's state is not what its transactions say.
    SweepDiffers,
    /// Coin was sent for energy, bought none, and is not sent back by itself.
    RentalHeld,
    /// A rental has neither its energy nor its money back for long.
    RentalStuck,
    /// The house's own customer holds less than open rentals brought.
    RentalsShort,
    /// A wallet has nearly no bandwidth left, or too little stake for it and no coin to stake.
    BurnsSoon,
    /// A staking came to nothing.
    StakingFailed,
    /// A staking is open for long.
    StakingStuck,
    /// A staking's state is not what its transactions say.
    StakingDiffers,
}

impl FindingKind {
    /// The stored kind.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::NoWalletFits => "pool.no_wallet_fits",
            Self::WalletIsolated => "wallets.isolated",
            Self::CoinMissing => "wallets.coin_missing",
            Self::StakeFell => "wallets.stake_fell",
            Self::LowTrx => "wallets.low_trx",
            Self::DelegatedDiffers => "wallets.delegated_differs",
            Self::LendsUnknown => "wallets.lends_unknown",
            Self::LendsMissing => "wallets.lends_missing",
            Self::ReclaimFails => "delegations.reclaim_fails",
            Self::DeadTransactionLanded => "chain.dead_transaction_landed",
            Self::TransactionMissed => "chain.transaction_missed",
            Self::NothingLands => "chain.nothing_lands",
            Self::LowStock => "pool.low_stock",
            Self::ScanHalted => "chain.scan_halted",
            Self::BalanceDiffers => "ledger.balance_differs",
            Self::LedgerUnbalanced => "ledger.unbalanced",
            Self::EscrowDiffers => "ledger.escrow_differs",
            Self::ReservationDiffers => "wallets.reservation_differs",
            Self::OrderStuck => "orders.stuck",
            Self::EndpointFailing => "webhooks.endpoint_failing",
            Self::PayoutsDiffer => "ledger.payouts_differ",
            Self::PayoutStuck => "payouts.stuck",
            Self::TreasuryShort => "payouts.treasury_short",
            Self::DepositHeld => "deposits.held",
            Self::DepositNotCredited => "deposits.not_credited",
            Self::DepositLedgerDiffers => "deposits.ledger_differs",
            Self::DepositDiffers => "deposits.differs",
            Self::DepositsNotCovered => "deposits.not_covered",
            Self::RatesStale => "rates.stale",
            Self::RatesRefused => "rates.refused",
            Self::ExchangeWaits => "exchanges.waiting",
            Self::ExchangeLedgerDiffers => "exchanges.ledger_differs",
            Self::SweepStuck => "sweeps.stuck",
            Self::SweepEnergy => "sweeps.no_energy",
            Self::SweepKeyMissing => "sweeps.key_missing",
            Self::SweepDiffers => "sweeps.differ",
            Self::RentalHeld => "rentals.held",
            Self::RentalStuck => "rentals.stuck",
            Self::RentalsShort => "rentals.short",
            Self::BurnsSoon => "wallets.burns_soon",
            Self::StakingFailed => "stakings.failed",
            Self::StakingStuck => "stakings.stuck",
            Self::StakingDiffers => "stakings.differ",
        }
    }

    /// How much it matters.
    #[must_use]
    pub const fn severity(self) -> Severity {
        match self {
            Self::NoWalletFits
            | Self::LowStock
            | Self::LowTrx
            | Self::WalletIsolated
            | Self::ReservationDiffers
            | Self::NothingLands
            | Self::EndpointFailing
            | Self::OrderStuck
            | Self::PayoutStuck
            | Self::TreasuryShort
            | Self::DepositHeld
            | Self::ExchangeWaits
            | Self::SweepStuck
            | Self::SweepEnergy
            | Self::SweepKeyMissing
            | Self::RentalHeld
            | Self::RentalStuck
            | Self::BurnsSoon
            | Self::StakingFailed
            | Self::StakingStuck => Severity::Warning,
            _ => Severity::Critical,
        }
    }

    /// The metric that shows it. Where none of its own does, open findings are counted by kind.
    #[must_use]
    pub fn metric(self) -> String {
        let own = match self {
            Self::ScanHalted => "switchyard_chain_halted",
            Self::RatesStale => "switchyard_rate_missing",
            Self::ExchangeWaits => "switchyard_exchanges_oldest_pending_seconds",
            Self::LowStock => "switchyard_pool_sellable_energy",
            _ => return format!("switchyard_findings_open{{kind=\"{}\"}}", self.word()),
        };
        own.to_owned()
    }

    /// What an operator does about it.
    #[must_use]
    #[expect(clippy::too_many_lines, reason = "one arm for each kind, so that none is forgotten")]
    pub const fn action(self) -> &'static str {
        match self {
            Self::NoWalletFits => "Add or refill a supplier wallet, or wait for rentals to end.",
            Self::WalletIsolated => "Look at the wallet's last transactions; then toggle it on to release it.",
            Self::CoinMissing => {
                "If you moved it yourself, resolve this and toggle the wallet on; else its key is in other hands: save what is left, and replace the wallet."
            }
            Self::StakeFell => {
                "If you unstaked it yourself, resolve this and toggle the wallet on; else its key is in other hands: cancel the unfreezing, and replace the wallet."
            }
            Self::LowTrx => "Send TRX to the wallet: without it a lack of bandwidth stops its transactions.",
            Self::DelegatedDiffers => {
                "Compare the wallet's delegations on chain with `delegations`; undo foreign ones by hand."
            }
            Self::LendsUnknown => {
                "Adopt what `landed` names by `switchyard-worker delegations adopt`; undo the rest by hand, and find out who else holds the key."
            }
            Self::LendsMissing => {
                "The receiver has less than was sold: compare `delegations` with the chain, pay back by hand, and find out who else holds the key."
            }
            Self::ReclaimFails => {
                "Look at the delegation on chain and at the wallet's bandwidth; re-drive `delegations.reclaim`."
            }
            Self::DeadTransactionLanded => {
                "Drop the node that lied; once the block is solid, `switchyard-worker delegations adopt <txid>` takes the stake back."
            }
            Self::TransactionMissed => {
                "An endpoint gave an incomplete block: drop it from the configuration, halt, and read the range again."
            }
            Self::NothingLands => {
                "The nodes take transactions and no block has them: put another endpoint first. No wallet is blamed for it."
            }
            Self::LowStock => "Add or refill supplier wallets, or stake more for energy.",
            Self::ScanHalted => "Find out which fork the endpoints follow; then `switchyard-worker chain resume`.",
            Self::BalanceDiffers => {
                "Stop payouts (`switchyard-worker payouts stop`); compare `ledger_accounts` with `ledger_transfers` for the account."
            }
            Self::LedgerUnbalanced => "Stop the workers; restore the ledger from a backup and replay.",
            Self::EscrowDiffers => "Compare open orders with transfers of `house:escrow`; correct by a new transfer.",
            Self::ReservationDiffers => "Sync the wallet; if it comes back, look for delegations left `reserved`.",
            Self::DepositHeld => {
                "`switchyard-worker deposits show` tells what it is: credit it to a user, ignore it with a reason, or pay it back by hand and mark it refunded."
            }
            Self::DepositNotCredited => "Look at the job `deposits.credit` of the network, and re-drive it.",
            Self::DepositLedgerDiffers => {
                "Stop withdrawals; compare `incoming_transfers` with `ledger_transfers` for the event; correct by a new transfer."
            }
            Self::DepositDiffers => {
                "Ask several nodes for the transaction: one of them gave a wrong block. If it was the first, correct what was credited (`deposits reverse`, `deposits credit`)."
            }
            Self::RatesStale => {
                "Nothing is exchanged: `switchyard-worker rates show` tells why. Repair the sources, or set a rate for a while by `rates set`."
            }
            Self::DepositsNotCovered => {
                "Stop payouts and sweeps; if you moved it yourself, name that address in deposits.reserve_addresses; else find out on chain where it went."
            }
            Self::RatesRefused => {
                "Compare the sources' answers with the market: drop one that lies; if the market moved, confirm it by `switchyard-worker rates set`."
            }
            Self::ExchangeWaits => {
                "`switchyard-worker rates show` tells why there is no rate; re-drive `deposits.exchange`."
            }
            Self::ExchangeLedgerDiffers => {
                "Stop withdrawals; compare `exchanges` with `ledger_transfers` for the event; correct by a new transfer."
            }
            Self::SweepStuck => {
                "`switchyard-worker sweeps show` tells what it waits for; `sweeps retry` looks now, `sweeps cancel` gives it up."
            }
            Self::SweepEnergy => {
                "See the order that the sweep names: a pool without room, no price, or a stop. It is tried again by itself."
            }
            Self::SweepKeyMissing => {
                "Import the account's words by `switchyard-worker deposit-key import`; what lies there is not collected until then."
            }
            Self::SweepDiffers => {
                "Stop sweeps (`switchyard-worker sweeps stop`); compare the sweep's timeline with its transactions on chain."
            }
            Self::RentalHeld => {
                "Whose is the sender's address? If not an exchange's, `switchyard-worker rentals return`; else find out who sent it, `deposits reverse` it and give it to him by hand; `rentals close` leaves it to the house."
            }
            Self::RentalStuck => {
                "See its order or its payout, a stop of either, and whether deposits.rental is still configured; re-drive `deposits.rent`."
            }
            Self::RentalsShort => {
                "Somebody spent what senders are owed: find the transfer of the house's customer, and correct it by a new one."
            }
            Self::BurnsSoon => {
                "Stake TRX for bandwidth (`switchyard-worker stake bandwidth`), or send the wallet TRX: without, each transaction burns about 0.3."
            }
            Self::StakingFailed => {
                "`switchyard-worker stake list --state failed` says why: coin, stake or the key's permission; ask again once it is mended."
            }
            Self::StakingStuck => {
                "`switchyard-worker stake show` tells what it waits for; re-drive `wallets.stake`, or `stake revoke` gives it up."
            }
            Self::StakingDiffers => {
                "Set pool.stake.enabled = false; compare the staking's timeline with its transactions on chain."
            }
            Self::OrderStuck => "Look at the order's timeline and its chain transaction; re-drive `orders.delegate`.",
            Self::EndpointFailing => {
                "Tell its owner, see `switchyard-worker webhooks list`; once it answers, `webhooks resend`, or `webhooks disable`."
            }
            Self::PayoutsDiffer => {
                "Stop payouts (`switchyard-worker payouts stop`); compare open payouts with transfers of `house:payouts`; correct by a new transfer."
            }
            Self::PayoutStuck => {
                "Look at the payout's timeline and its chain transaction; re-drive `payouts.send`, or reject it while it is approved."
            }
            Self::TreasuryShort => {
                "Send money to a treasury wallet, or switch one on: payouts go on by themselves once it is read."
            }
        }
    }
}

/// Stores what was found, counts it, and logs it when it is new, as loud as it matters.
///
/// # Errors
/// When the row cannot be written.
pub async fn record_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    kind: FindingKind,
    subject: &str,
    detail: Value,
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    let finding = NewFinding {
        id: ids.uuid(),
        kind: kind.word(),
        severity: kind.severity(),
        subject,
        detail,
        metric: &kind.metric(),
        action: kind.action(),
    };
    if finding.record(conn, now).await? {
        metrics::counter!("switchyard_findings_total", "kind" => kind.word()).increment(1);
        log(&finding);
    }
    Ok(())
}

fn log(finding: &NewFinding<'_>) {
    let NewFinding {
        kind, subject, action, ..
    } = *finding;
    let detail = finding.detail.to_string();
    match finding.severity {
        Severity::Critical => tracing::error!(kind, subject, detail, action, "finding"),
        Severity::Warning => tracing::warn!(kind, subject, detail, action, "finding"),
        Severity::Info => tracing::info!(kind, subject, detail, action, "finding"),
    }
}

/// Closes every finding of a kind but those about `subjects`: a proof looked at all there is, and only they still hold.
///
/// # Errors
/// When the rows cannot be written.
pub async fn clear_others_in_tx(
    conn: &mut Conn,
    kind: FindingKind,
    subjects: &[String],
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    let resolved = Finding::resolve_others(conn, kind.word(), subjects, WORKER, now).await?;
    if resolved > 0 {
        tracing::info!(kind = kind.word(), resolved, "findings resolved");
    }
    Ok(())
}

/// Closes a finding whose condition no longer holds.
///
/// # Errors
/// When the row cannot be written.
pub async fn clear_in_tx(
    conn: &mut Conn,
    kind: FindingKind,
    subject: &str,
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    if Finding::resolve(conn, kind.word(), subject, WORKER, now).await? {
        tracing::info!(kind = kind.word(), subject, "finding resolved");
    }
    Ok(())
}

/// Closes findings of one kind about these subjects.
///
/// # Errors
/// When the rows cannot be written.
pub(crate) async fn clear_many_in_tx(
    conn: &mut Conn,
    kind: FindingKind,
    subjects: &[String],
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    let resolved = Finding::resolve_many(conn, kind.word(), subjects, WORKER, now).await?;
    if resolved > 0 {
        tracing::info!(kind = kind.word(), resolved, "findings resolved");
    }
    Ok(())
}
