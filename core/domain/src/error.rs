//! The one error of the use cases, with the stable code that clients see.

use db::DbError;
use db::models::{ApprovalState, OrderState, PayoutState, RentalState, StakingState, SweepState, TransferState};
use kernel::Amount;
use ledger::LedgerError;

use crate::runtime_settings::Refusal;
use crate::stakings::StakeRefusal;

mod kinds;

/// Why a use case refused or failed.
#[derive(Debug, thiserror::Error)]
pub enum DomainError {
    /// There is no such object.
    #[error("{0} not found")]
    NotFound(&'static str),
    /// The Idempotency-Key was used before, for another request.
    #[error("this Idempotency-Key was used for another request; use a fresh key")]
    IdempotencyMismatch,
    /// The order is past the point where it can be cancelled.
    #[error("only a pending order can be cancelled; this one is {0}")]
    NotCancellable(OrderState),
    /// The order's energy is not there for good, or its time is over.
    #[error("only a settled order whose time is not over can be extended; this one is {0}")]
    NotExtendable(OrderState),
    /// The balance does not cover the price.
    #[error("the balance does not cover {needed} TRX; deposit first")]
    InsufficientFunds {
        /// The price.
        needed: Amount,
    },
    /// More than a balance is raised to by hand.
    #[error("the balance would be larger than any that is kept")]
    BalanceTooLarge,
    /// The user may not order.
    #[error("this user is blocked")]
    UserBlocked,
    /// No new orders for now.
    #[error("new orders are stopped for maintenance; try again later")]
    Maintenance,
    /// More or less energy than is sold in one order.
    #[error("energy must be between {min} and {max}")]
    EnergyOutOfRange {
        /// Least.
        min: i64,
        /// Most.
        max: i64,
    },
    /// Longer or shorter than is rented.
    #[error("duration_s must be between {min} and {max} seconds")]
    DurationOutOfRange {
        /// Least.
        min: i32,
        /// Most.
        max: i32,
    },
    /// The price table has no band for this energy and duration.
    #[error("no price for this energy and duration; see the price table")]
    NoPrice,
    /// A quote is good for one order.
    #[error("this quote was used for another order; ask for a new one")]
    QuoteUsed,
    /// A quote holds for a while only.
    #[error("this quote is over; ask for a new one")]
    QuoteExpired,
    /// An order of something else than was quoted.
    #[error("this quote is for another energy or duration")]
    QuoteDiffers,
    /// Not so much energy is free that it could be set aside.
    #[error("not so much energy is free now; ask for less, or for a quote that holds none")]
    NoStock,
    /// What quotes of one key hold is bounded.
    #[error("quotes of this key hold energy already; not ordered, it may be {max} at most")]
    HeldTooMuch {
        /// The most energy.
        max: i64,
    },
    /// The receiver is a wallet of ours.
    #[error("the receiver must not be a wallet of the supplier")]
    ReceiverIsSupplier,
    /// A price table with no band, overlapping bands or a price beyond all bounds.
    #[error("bad price table: {0}")]
    BadPriceTable(&'static str),
    /// A text too long, or empty where it must not be.
    #[error("{0}")]
    BadText(&'static str),
    /// A reason that is missing where one is needed, too long, or no text.
    #[error("a reason of 1 to 500 printable characters is needed")]
    BadReason,
    /// Jobs that the command is not for.
    #[error("only dead jobs are dropped, and only dead or later ones re-driven")]
    BadStanding,
    /// The finding is closed.
    #[error("this finding is resolved already")]
    AlreadyResolved,
    /// The transfer is in a state that this cannot be done from.
    #[error("a transfer that is {0} cannot be treated so")]
    TransferStanding(TransferState),
    /// The sweep is in a state that this cannot be done from.
    #[error("a sweep that is {0} cannot be treated so")]
    SweepStanding(SweepState),
    /// The rental is in a state that this cannot be done from.
    #[error("a rental that is {0} cannot be treated so")]
    RentalStanding(RentalState),
    /// The staking is in a state that this cannot be done from.
    #[error("a staking that is {0} cannot be given up")]
    StakingStanding(StakingState),
    /// What stands against a staking.
    #[error(transparent)]
    StakeRefused(#[from] StakeRefusal),
    /// The transfer is of no asset that the ledger keeps, of nobody's address, or of more than can be held.
    #[error("this transfer cannot be credited: it is no money of the ledger's")]
    NotCreditable,
    /// The deposit is of another asset, network or user than the transfer.
    #[error("this deposit is of another asset, network or user than the transfer")]
    DepositOfOthers,
    /// A transaction of the payout that was held for dead landed.
    #[error("a transaction of this payout is in a block: adopt it, or resolve the finding once a fork took it back")]
    PayoutMayBePaid,
    /// Whoever proposed it cannot agree to it himself.
    #[error("you asked for this yourself, or with a key that you know: another operator has to decide")]
    OwnProposal,
    /// Whoever decides may be who asked: one of them was shown a secret or a password of the other, or somebody a secret of both.
    #[error(
        "you may be who asked for this: one of the two was shown a key or a password of the other; another operator has to decide"
    )]
    OwnKey,
    /// Somebody decided on it, or its time is over.
    #[error("this approval is {0}: it cannot be decided any more")]
    ApprovalDecided(ApprovalState),
    /// One of its kind at a time.
    #[error("the same is waiting for a second person already: have that decided first")]
    ApprovalOpen,
    /// What one asks for is bounded.
    #[error("{max} of what you asked for wait already: have some decided, or take some back")]
    ApprovalLimit {
        /// The most that may wait.
        max: i64,
    },
    /// Nobody is named whom a transfer belongs to.
    #[error("name the user whom the transfer belongs to")]
    UserNeeded,
    /// The wallet's key is not taken in, so it cannot be used.
    #[error("the wallet is not active yet")]
    WalletNotActive,
    /// An owner's key is the account's own: the address follows from it.
    #[error("an address is given with permission_id 2 to 9; the key of permission 0 is the account's own")]
    AddressNeedsPermission,
    /// The address is a wallet of ours, or takes deposits.
    #[error("this address is a wallet of the supplier already, or takes deposits")]
    WalletExists,
    /// One replacement of a key at a time.
    #[error("the wallet's key is being replaced already")]
    KeyReplacementOpen,
    /// Permission 0 is signed by the account's own key.
    #[error("the key is not that of the wallet's address, and permission 0 needs that")]
    KeyNotOfWallet,
    /// An address that messages are not sent to.
    #[error("{0}")]
    WebhookUrl(#[source] webhook::TargetError),
    /// The endpoint is switched off.
    #[error("this endpoint is disabled; enable it first")]
    WebhookDisabled,
    /// One more would be too many.
    #[error("{0}")]
    TooMany(&'static str),
    /// No payouts for now.
    #[error("payouts are stopped; try again later")]
    PayoutsStopped,
    /// This asset is not paid out here.
    #[error("this asset is not paid out")]
    AssetNotPaid,
    /// Less than is worth its fee.
    #[error("the smallest payout of this asset is {minimum}")]
    PayoutTooSmall {
        /// Least.
        minimum: Amount,
    },
    /// More than the key may have users spend in a day.
    #[error("this key may have {left} TRX more spent today; the day ends at 00:00 UTC")]
    DailyLimit {
        /// What is left of it.
        left: Amount,
    },
    /// More than may be paid in a time.
    #[error("this would exceed {0}; try a smaller amount, or later")]
    PayoutLimit(&'static str),
    /// The address is a wallet of ours, or a token's contract.
    #[error("to must not be an address of the supplier, or a token's contract")]
    PayoutToOurs,
    /// The user is paid to listed addresses alone.
    #[error("this user is paid to listed addresses alone, and this is none of them")]
    PayoutAddressNotListed,
    /// Who asked for a payout may not agree to it.
    #[error(
        "a payout is approved by somebody else than who asked for it, or was shown the key that did, or a password of his"
    )]
    OwnPayout,
    /// The payout is past the point where it can be decided.
    #[error("this payout is {0}: it cannot be approved or rejected any more")]
    PayoutDecided(PayoutState),
    /// Customers may not pay in this way here.
    #[error("deposits are not taken in this way")]
    DepositWayClosed,
    /// An amount that cannot be asked for, or none where one is needed.
    #[error("an amount of at least {least} is needed, and no more than can be held")]
    DepositAmount {
        /// Least.
        least: Amount,
    },
    /// Orders are paid in TRX, on the network that they are delivered on.
    #[error("an order is paid for by a deposit of TRX on its own network")]
    DepositOrderAsset,
    /// Every amount near the one that is wanted is asked for already.
    #[error("too many deposits of this amount are open; try another amount, or later")]
    DepositAmountsTaken,
    /// There is no rate in use. The word says why.
    #[error("there is no rate to exchange at: {0}")]
    RateUnavailable(&'static str),
    /// An amount that no rate makes anything of, or more than can be held.
    #[error("{0}")]
    ExchangeAmount(&'static str),
    /// The rate gives less than the caller wants at least.
    #[error("at the current rate this gives {would} TRX, less than min_receive")]
    ReceiveBelowMinimum {
        /// What it would give.
        would: Amount,
    },
    /// A rate by hand that is beyond all sense, and was not said to be meant so.
    #[error("the rate is not between {lowest} and {highest} TRX for a USDT")]
    RateBeyondBand {
        /// Least.
        lowest: Amount,
        /// Most.
        highest: Amount,
    },
    /// Nobody is told what of it was wrong.
    #[error("the e-mail address, the password or the code is wrong, or there were too many tries: wait and try again")]
    SignInFailed,
    /// The password was right.
    #[error("a code of your second factor is needed as well")]
    CodeNeeded,
    /// The session ended, or the refresh token is none of it.
    #[error("this session is over: sign in again")]
    SessionOver,
    /// The key was revoked, or the operator disabled, while the request was on its way.
    #[error("the key is revoked, or the operator disabled")]
    CallerGone,
    /// What an operator shows again to change his own account is wrong.
    #[error("the password or the code is wrong, or there were too many tries: wait and try again")]
    NotProven,
    /// A password that is too easy to guess.
    #[error(transparent)]
    WeakPassword(#[from] access::Weak),
    /// Operators sign in with addresses of their own.
    #[error("this e-mail address is an operator's already")]
    EmailTaken,
    /// Rights are given by those who have them.
    #[error("this would give, or change what has, more than you may do yourself")]
    MoreThanOwn,
    /// An endpoint is told of no more than its keepers see.
    #[error("an endpoint is told only what its keeper may see himself: this needs {}", point(.0))]
    MayNotSee(access::Permission),
    /// Not by oneself.
    #[error("nobody does this to himself: ask another operator")]
    OwnAccount,
    /// Somebody has to be left.
    #[error("nobody would be left who may do everything")]
    LastSuperAdmin,
    /// It would take something from somebody without saying so.
    #[error("an operator has this role: give him another one first")]
    RoleInUse,
    /// Somebody else's version came first; this is the one in force.
    #[error(
        "the settings were changed meanwhile: version {0} is in force; look at it, and send the change again on it"
    )]
    SettingsMoved(i64),
    /// Values that do not hold, by themselves or with the configuration.
    #[error("these values do not hold: {}", said(.0))]
    SettingsRefused(Vec<Refusal>),
    /// A block that may still be reverted, or that we have not read so far.
    #[error("block {0} is not solidified by our own reading yet")]
    NotSolid(i64),
    /// The ledger refused.
    #[error("the ledger refused")]
    Ledger(#[from] LedgerError),
    /// The database failed.
    #[error("the database failed")]
    Db(#[from] DbError),
    /// A state that cannot be: rolled back, logged and alarmed.
    #[error("broken invariant: {0}")]
    Broken(String),
}

/// What stands against settings, on one line.
fn said(refusals: &[Refusal]) -> String {
    let each = refusals
        .iter()
        .map(|refusal| format!("{}: {}", refusal.name, refusal.why));
    each.collect::<Vec<_>>().join("; ")
}

/// A permission, and the scope that gives it to a key where that is called otherwise.
fn point(permission: &access::Permission) -> String {
    let scope = permission.scope().map(access::Scope::word);
    match scope.filter(|scope| *scope != permission.word()) {
        Some(scope) => format!("the permission {}, of a key the scope {scope}", permission.word()),
        None => permission.word().to_owned(),
    }
}

impl From<diesel::result::Error> for DomainError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Db(DbError::Query(error))
    }
}
