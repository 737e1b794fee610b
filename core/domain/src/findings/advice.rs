//! What an operator does about each kind of finding, in words.

use super::FindingKind;

impl FindingKind {
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
            Self::KeyCannotSign => {
                "`switchyard-worker wallets check-permissions` says why: correct the account's permission, or replace the key; the wallet is released by the next good read."
            }
            Self::HotKeyMovesMoney => {
                "Limit the permission to DelegateResource and UnDelegateResource, and name the key in no other; a treasury's to what it pays by."
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
