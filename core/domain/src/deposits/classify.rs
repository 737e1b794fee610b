//! What a transfer is, and what is done about it. Pure: the same facts always give the same answer.
//!
//! | kind | when | what is done |
//! |---|---|---|
//! | `exact` | what was announced, or exactly the rest of it; anything where no amount was announced | credited |
//! | `partial` | less than (the rest of) what was announced | credited |
//! | `over` | more than that | credited, all of it |
//! | `late` | for a deposit whose time was over when the block was produced | credited |
//! | `duplicate` | for a deposit that was paid already | credited; held if only the amount says for whom |
//! | `plain` | to a user's own address, unannounced | credited |
//! | `rental` | coin to the published address that energy is bought at | credited to the house's own customer, who buys it |
//! | `unmatched` | to a shared address, and neither amount nor memo say for whom; a token where coin buys energy, or while it buys none; older than the address, or than the first block that we read | held |
//! | `by_contract` | coin that a contract sent on: not every node tells of it | held |
//! | `blocked_sender` | from an address that we take nothing from | held |
//! | `retired_address` | to an address that is out of use | held |
//! | `dust` | less than the least worth a line in the books, unless it is exactly the rest of a deposit | ignored |
//! | `too_large` | more than the ledger can hold | held |
//! | `wrong_token` | of a token that is no money here, whatever its name | ignored |
//! | `internal` | from a wallet of ours, such as the coin that brings a deposit address into being | ignored |
//! | `unknown_address` | to nobody of ours | ignored |
//!
//! What is held waits for an operator, what is ignored is shown to him. The first of these that fits, from the end of the
//! table, is the answer; a user's own address is the user's whatever was announced, since nobody else was told of it.
//!
//! Nobody can have paid because of what he was told later. So an address brings nothing by itself that is older than it is:
//! where it had another use before, or is given out by a database that knows nothing of an earlier one, its history on the
//! chain is an operator's to judge. For the same reason an amount speaks only for who was asked for it when it was paid.

use chrono::{DateTime, Duration, Utc};
use db::models::{AddressKind, Deposit, DepositState, TransferKind};
use kernel::{Amount, Asset, UserId};
use uuid::Uuid;

/// The most that one transfer may bring, in minor units: a thousandth of what a balance can hold, so that no honest balance
/// ever overflows. The whole supply of the largest asset is below a hundred such transfers.
pub const LARGEST: Amount = match Amount::from_minor(i64::MAX / 1_000) {
    Ok(amount) => amount,
    Err(_) => Amount::ZERO,
};

/// How far ahead of the chain's the clock may be by which a deposit is announced: little, since whoever sees a payment on the
/// chain may have its amount announced at once.
pub const SKEW: Duration = Duration::seconds(60);
/// By how much a transfer may seem older than its address. Nobody gains by it, and another use of the address was long before.
pub const OLDER: Duration = Duration::minutes(10);

/// A transfer, as far as it is to be judged.
#[derive(Debug, Clone, Copy)]
pub struct Arrival<'a> {
    /// What it is of; `None` for a token that is no money here.
    pub asset: Option<Asset>,
    /// How much; `None` if that is more than [`LARGEST`].
    pub amount: Option<Amount>,
    /// Its block's time.
    pub at: DateTime<Utc>,
    /// What the sender wrote.
    pub memo: Option<&'a str>,
    /// Where it went; `None` if that is no address of ours.
    pub to: Option<Destination>,
    /// Whether we take nothing from its sender.
    pub sender_blocked: bool,
    /// Whether its sender is a wallet of ours: then nobody paid it in.
    pub sender_is_ours: bool,
    /// Whether its block is older than the address, by more than [`OLDER`], or than the first block of the network that we read.
    pub early: bool,
    /// Whether a contract sent it on.
    pub by_contract: bool,
    /// The least of this asset that is worth a line in the books.
    pub dust_below: Amount,
    /// Whom coin that buys energy is credited to; `None` while nothing is sold that way.
    pub rents_for: Option<UserId>,
}

/// An address of ours.
#[derive(Debug, Clone, Copy)]
pub struct Destination {
    /// What it is for.
    pub kind: AddressKind,
    /// Whose it is.
    pub user: Option<UserId>,
    /// Whether it is out of use.
    pub retired: bool,
}

/// What is done about a transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// The user gets all of it.
    Credit(UserId),
    /// It waits for an operator.
    Hold,
    /// It is shown, and nothing more.
    Ignore,
}

/// The answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// What it is.
    pub kind: TransferKind,
    /// What is done.
    pub fate: Fate,
    /// The deposit that it is for, if it is for one.
    pub deposit: Option<Uuid>,
}

impl Verdict {
    const fn without_deposit(kind: TransferKind, fate: Fate) -> Self {
        Self {
            kind,
            fate,
            deposit: None,
        }
    }
}

/// Judges a transfer. `announced` are the deposits of its asset at its address that it may be for, newest first: on a
/// user's own address the newest few, on a shared one those that its amount or its memo names.
#[must_use]
pub fn classify(arrival: &Arrival<'_>, announced: &[Deposit]) -> Verdict {
    let ignore = |kind| Verdict::without_deposit(kind, Fate::Ignore);
    let hold = |kind| Verdict::without_deposit(kind, Fate::Hold);
    let Some(to) = arrival.to else {
        return ignore(TransferKind::UnknownAddress);
    };
    if arrival.sender_is_ours {
        return ignore(TransferKind::Internal);
    }
    if arrival.asset.is_none() {
        return ignore(TransferKind::WrongToken);
    }
    let Some(amount) = arrival.amount else {
        return hold(TransferKind::TooLarge);
    };
    let found = match to.kind {
        AddressKind::User => on_own_address(arrival, amount, announced),
        AddressKind::Shared => on_shared_address(arrival, amount, announced),
        AddressKind::Rental => None,
    };
    let completes = matches!(found, Some(Match { deposit, kind: TransferKind::Exact, .. }) if deposit.amount.is_some());
    if amount < arrival.dust_below && !completes {
        return ignore(TransferKind::Dust);
    }
    if to.retired {
        return hold(TransferKind::RetiredAddress);
    }
    if arrival.sender_blocked {
        return hold(TransferKind::BlockedSender);
    }
    if arrival.by_contract {
        return hold(TransferKind::ByContract);
    }
    if arrival.early {
        return hold(TransferKind::Unmatched);
    }
    if to.kind == AddressKind::Rental {
        return match (arrival.rents_for, arrival.asset) {
            (Some(house), Some(Asset::Trx)) => Verdict::without_deposit(TransferKind::Rental, Fate::Credit(house)),
            _ => hold(TransferKind::Unmatched),
        };
    }
    match (found, to.user) {
        // somebody may have paid the amount that another was asked for, and only the amount speaks for him
        (Some(found), None) if found.kind == TransferKind::Duplicate && !found.by_memo => hold(TransferKind::Duplicate),
        (Some(found), owner) => Verdict {
            kind: found.kind,
            fate: Fate::Credit(owner.unwrap_or(UserId(found.deposit.user_id))),
            deposit: Some(found.deposit.id),
        },
        (None, Some(owner)) => Verdict::without_deposit(TransferKind::Plain, Fate::Credit(owner)),
        (None, None) => hold(TransferKind::Unmatched),
    }
}

/// A deposit that a transfer is for.
struct Match<'a> {
    deposit: &'a Deposit,
    kind: TransferKind,
    by_memo: bool,
}

impl<'a> Match<'a> {
    fn of(deposit: &'a Deposit, amount: Amount, at: DateTime<Utc>, by_memo: bool) -> Self {
        Self {
            deposit,
            kind: kind_for(deposit, amount, at),
            by_memo,
        }
    }
}

/// What a transfer is to the deposit that it is for.
fn kind_for(deposit: &Deposit, amount: Amount, at: DateTime<Utc>) -> TransferKind {
    if deposit.state == DepositState::Paid {
        return TransferKind::Duplicate;
    }
    if at > deposit.expires_at {
        return TransferKind::Late;
    }
    match rest(deposit) {
        None => TransferKind::Exact,
        Some(rest) if amount.minor() == rest => TransferKind::Exact,
        Some(rest) if amount.minor() < rest => TransferKind::Partial,
        Some(_) => TransferKind::Over,
    }
}

/// What is still to come; `None` where no amount was announced.
fn rest(deposit: &Deposit) -> Option<i64> {
    deposit.amount.map(|amount| amount.saturating_sub(deposit.received))
}

/// The user's own address: the deposit is only a name for what came. In this order: the one that the memo names; one in
/// time whose rest this is; one in time that has begun to come, or the oldest in time; late ones, likewise, for as long as
/// they are remembered; one that was paid by this very amount.
fn on_own_address<'a>(arrival: &Arrival<'_>, amount: Amount, announced: &'a [Deposit]) -> Option<Match<'a>> {
    let at = arrival.at;
    if let Some(named) = named_by_memo(arrival.memo, announced) {
        return Some(Match::of(named, amount, at, true));
    }
    let unpaid = || announced.iter().filter(|deposit| deposit.state != DepositState::Paid);
    let in_time = || unpaid().filter(move |deposit| at <= deposit.expires_at);
    let late = || unpaid().filter(move |deposit| at > deposit.expires_at && at <= deposit.amount_held_until);
    let fits = |deposit: &&Deposit| rest(deposit) == Some(amount.minor());
    let paid_by_as_much = || {
        announced.iter().find(|deposit| {
            let as_much = deposit.amount == Some(amount.minor());
            deposit.state == DepositState::Paid && as_much && at <= deposit.amount_held_until
        })
    };
    let deposit = oldest(in_time().filter(fits))
        .or_else(|| oldest(in_time().filter(|deposit| deposit.received > 0)))
        .or_else(|| oldest(in_time()))
        .or_else(|| late().find(fits))
        .or_else(|| late().next())
        .or_else(paid_by_as_much)?;
    Some(Match::of(deposit, amount, at, false))
}

/// The oldest of deposits that are listed newest first.
fn oldest<'a>(mut deposits: impl DoubleEndedIterator<Item = &'a Deposit>) -> Option<&'a Deposit> {
    deposits.next_back()
}

/// A shared address: the memo says for whom it is, or the amount, which only one user is asked for at a time. Where two may
/// have been asked for it, one after the other, it says nothing.
fn on_shared_address<'a>(arrival: &Arrival<'_>, amount: Amount, announced: &'a [Deposit]) -> Option<Match<'a>> {
    if let Some(named) = named_by_memo(arrival.memo, announced) {
        return Some(Match::of(named, amount, arrival.at, true));
    }
    let asked_for = |deposit: &&Deposit| {
        let then = deposit.created_at - SKEW <= arrival.at && arrival.at <= deposit.amount_held_until;
        deposit.amount == Some(amount.minor()) && then
    };
    let mut asked = announced.iter().filter(asked_for);
    match (asked.next(), asked.next()) {
        (Some(named), None) => Some(Match::of(named, amount, arrival.at, false)),
        _ => None,
    }
}

fn named_by_memo<'a>(memo: Option<&str>, announced: &'a [Deposit]) -> Option<&'a Deposit> {
    let codes = codes(memo);
    announced.iter().find(|deposit| codes.contains(&deposit.code))
}

/// Words of a memo that may be the code of a deposit, as codes are written.
#[must_use]
pub fn codes(memo: Option<&str>) -> Vec<String> {
    let words = memo
        .unwrap_or_default()
        .split(|char: char| !char.is_ascii_alphanumeric());
    words
        .filter(|word| word.len() == CODE_LENGTH)
        .map(str::to_ascii_uppercase)
        .collect()
}

/// Characters of a deposit's code.
pub const CODE_LENGTH: usize = 10;

/// State and sum of a deposit once `amount` was credited because of it. What is paid stays paid; what is expired is paid
/// when all of it came after all; `None` if the sum cannot be held.
#[must_use]
pub fn after(deposit: &Deposit, amount: Amount) -> Option<(DepositState, i64)> {
    let received = deposit.received.checked_add(amount.minor())?;
    let covered = deposit.amount.is_none_or(|wanted| received >= wanted);
    let state = match deposit.state {
        DepositState::Paid => DepositState::Paid,
        _ if covered => DepositState::Paid,
        DepositState::Expired => DepositState::Expired,
        DepositState::Open | DepositState::Partial => DepositState::Partial,
    };
    Some((state, received))
}

#[cfg(test)]
mod tests;
