//! The kinds of findings: their stored words, how much each matters, and the metric that shows it.

use db::models::Severity;

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
    /// A wallet's key cannot sign what the wallet is for.
    KeyCannotSign,
    /// A key that is to be limited may move coin or tokens.
    HotKeyMovesMoney,
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
    /// The replay of all transfers takes longer than it may.
    LedgerNotReplayed,
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
    /// More coin was collected from an address than is recorded to have come there.
    SweepUnrecorded,
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
            Self::KeyCannotSign => "wallets.key_cannot_sign",
            Self::HotKeyMovesMoney => "wallets.hot_key_moves_money",
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
            Self::LedgerNotReplayed => "ledger.not_replayed",
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
            Self::SweepUnrecorded => "sweeps.unrecorded",
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
            | Self::HotKeyMovesMoney
            | Self::ReservationDiffers
            | Self::LedgerNotReplayed
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
            | Self::SweepUnrecorded
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
}
