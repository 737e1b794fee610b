//! Which problems routes may answer that have something in common.

use crate::problem::Code;

/// What every route may answer.
pub(crate) const EVERYWHERE: &[Code] = &[
    Code::BadRequest,
    Code::InvalidParameter,
    Code::Unauthorized,
    Code::SignatureRequired,
    Code::SignatureInvalid,
    Code::SignatureReplayed,
    Code::AddressNotAllowed,
    Code::InsufficientScope,
    Code::RateLimited,
    Code::Internal,
    Code::Unavailable,
    Code::Overloaded,
    Code::Timeout,
];
pub(super) const BODY: &[Code] = &[
    Code::MalformedJson,
    Code::BodyTimeout,
    Code::PayloadTooLarge,
    Code::UnsupportedMediaType,
    Code::InvalidBody,
];
pub(super) const MARKED: &[Code] = &[
    Code::IdempotencyKeyRequired,
    Code::IdempotencyKeyInvalid,
    Code::IdempotencyKeyReused,
];
pub(super) const ACCEPT: &[Code] = &[
    Code::UserBlocked,
    Code::DailyLimit,
    Code::InsufficientFunds,
    Code::EnergyOutOfRange,
    Code::DurationOutOfRange,
    Code::NoPrice,
    Code::ReceiverIsSupplier,
    Code::Maintenance,
];
pub(super) const QUOTE: &[Code] = &[
    Code::QuoteExpired,
    Code::NoStock,
    Code::HeldTooMuch,
    Code::EnergyOutOfRange,
    Code::DurationOutOfRange,
    Code::NoPrice,
    Code::Maintenance,
];
pub(super) const EXTEND: &[Code] = &[
    Code::NotFound,
    Code::DailyLimit,
    Code::UserBlocked,
    Code::InsufficientFunds,
    Code::OrderNotExtendable,
    Code::DurationOutOfRange,
    Code::NoPrice,
    Code::ReceiverIsSupplier,
    Code::Maintenance,
];
pub(super) const QUOTED: &[Code] = &[Code::NotFound, Code::QuoteUsed, Code::QuoteExpired, Code::QuoteDiffers];
pub(super) const PAYOUT: &[Code] = &[
    Code::UserBlocked,
    Code::DailyLimit,
    Code::InsufficientFunds,
    Code::AssetNotPaid,
    Code::PayoutTooSmall,
    Code::PayoutToOurs,
    Code::PayoutAddressNotListed,
    Code::PayoutLimit,
    Code::PayoutsStopped,
];
pub(super) const ANNOUNCE: &[Code] = &[
    Code::UserBlocked,
    Code::DepositWayClosed,
    Code::DepositAmountInvalid,
    Code::DepositAmountsTaken,
    Code::DepositOrderAsset,
    Code::EnergyOutOfRange,
    Code::DurationOutOfRange,
    Code::NoPrice,
    Code::ReceiverIsSupplier,
    Code::Maintenance,
];
pub(super) const EXCHANGE: &[Code] = &[
    Code::AmountZero,
    Code::UserBlocked,
    Code::InsufficientFunds,
    Code::RateUnavailable,
    Code::ExchangeAmountInvalid,
    Code::ReceiveBelowMinimum,
];
pub(super) const ADJUST: &[Code] = &[Code::AmountZero];
/// Of what may wait for another operator.
pub(super) const WAITS: &[Code] = &[Code::ApprovalLimit];
pub(super) const BY_HAND: &[Code] = &[Code::BadText];
/// Of carrying out what was asked for, too.
pub(super) const DECIDE: &[Code] = &[
    Code::OwnProposal,
    Code::ApprovalDecided,
    Code::InsufficientFunds,
    Code::BalanceTooLarge,
    Code::WalletNotActive,
    Code::Conflict,
];
pub(super) const DOOR: &[Code] = &[Code::SignInClosed];
pub(super) const FOUND: &[Code] = &[Code::NotFound];
