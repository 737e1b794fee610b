//! What each error is: its class, and the word that clients see.

use kernel::ErrorClass;
use ledger::LedgerError;

use super::DomainError;

impl DomainError {
    /// What kind of failure this is.
    #[must_use]
    #[expect(clippy::too_many_lines, reason = "a table: one line for each error")]
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::NotFound(_) => ErrorClass::NotFound,
            Self::IdempotencyMismatch
            | Self::NotCancellable(_)
            | Self::NotExtendable(_)
            | Self::InsufficientFunds { .. }
            | Self::BalanceTooLarge
            | Self::QuoteUsed
            | Self::QuoteExpired
            | Self::NoStock
            | Self::HeldTooMuch { .. }
            | Self::AlreadyResolved
            | Self::WebhookDisabled
            | Self::TooMany(_)
            | Self::PayoutLimit(_)
            | Self::DailyLimit { .. }
            | Self::PayoutDecided(_)
            | Self::ApprovalDecided(_)
            | Self::ApprovalOpen
            | Self::ApprovalLimit { .. }
            | Self::PayoutMayBePaid
            | Self::DepositAmountsTaken
            | Self::ReceiveBelowMinimum { .. }
            | Self::TransferStanding(_)
            | Self::SweepStanding(_)
            | Self::RentalStanding(_)
            | Self::StakingStanding(_)
            | Self::StakeRefused(_)
            | Self::NotCreditable
            | Self::DepositOfOthers
            | Self::WalletExists
            | Self::KeyReplacementOpen
            | Self::EmailTaken
            | Self::LastSuperAdmin
            | Self::RoleInUse
            | Self::SettingsMoved(_)
            | Self::WalletNotActive => ErrorClass::Conflict,
            Self::SignInFailed | Self::CodeNeeded | Self::SessionOver | Self::CallerGone => ErrorClass::Unauthenticated,
            Self::UserBlocked
            | Self::PayoutAddressNotListed
            | Self::OwnPayout
            | Self::OwnProposal
            | Self::OwnKey
            | Self::NotProven
            | Self::MoreThanOwn
            | Self::MayNotSee(_)
            | Self::OwnAccount => ErrorClass::Forbidden,
            Self::Maintenance | Self::PayoutsStopped | Self::NotSolid(_) | Self::RateUnavailable(_) => {
                ErrorClass::Unavailable
            }
            Self::EnergyOutOfRange { .. }
            | Self::DurationOutOfRange { .. }
            | Self::NoPrice
            | Self::QuoteDiffers
            | Self::ReceiverIsSupplier
            | Self::BadPriceTable(_)
            | Self::AssetNotPaid
            | Self::PayoutTooSmall { .. }
            | Self::PayoutToOurs
            | Self::DepositWayClosed
            | Self::UserNeeded
            | Self::DepositAmount { .. }
            | Self::DepositOrderAsset
            | Self::ExchangeAmount(_)
            | Self::RateBeyondBand { .. }
            | Self::BadReason
            | Self::BadStanding
            | Self::AddressNeedsPermission
            | Self::KeyNotOfWallet
            | Self::WebhookUrl(_)
            | Self::WeakPassword(_)
            | Self::SettingsRefused(_)
            | Self::BadText(_) => ErrorClass::Invalid,
            Self::Ledger(error) => error.class(),
            Self::Db(error) => error.class(),
            Self::Broken(_) => ErrorClass::Bug,
        }
    }

    /// The stable code that clients may rely on.
    #[must_use]
    #[expect(clippy::too_many_lines, reason = "a table: one line for each word")]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotFound(_) => "not_found",
            Self::IdempotencyMismatch => "idempotency_key_reused",
            Self::NotCancellable(_) => "order_not_cancellable",
            Self::NotExtendable(_) => "order_not_extendable",
            Self::InsufficientFunds { .. } => "insufficient_funds",
            Self::BalanceTooLarge => "balance_too_large",
            Self::UserBlocked => "user_blocked",
            Self::Maintenance => "maintenance",
            Self::EnergyOutOfRange { .. } => "energy_out_of_range",
            Self::DurationOutOfRange { .. } => "duration_out_of_range",
            Self::NoPrice => "no_price",
            Self::QuoteUsed => "quote_used",
            Self::QuoteExpired => "quote_expired",
            Self::QuoteDiffers => "quote_differs",
            Self::NoStock => "no_stock",
            Self::HeldTooMuch { .. } => "held_too_much",
            Self::ReceiverIsSupplier => "receiver_is_supplier",
            Self::BadPriceTable(_) => "bad_price_table",
            Self::BadText(_) | Self::BadReason => "bad_text",
            Self::BadStanding
            | Self::UserNeeded
            | Self::RateBeyondBand { .. }
            | Self::SettingsRefused(_)
            | Self::KeyNotOfWallet => "invalid_body",
            Self::AlreadyResolved
            | Self::TooMany(_)
            | Self::TransferStanding(_)
            | Self::SweepStanding(_)
            | Self::RentalStanding(_)
            | Self::StakingStanding(_)
            | Self::NotCreditable
            | Self::KeyReplacementOpen
            | Self::ApprovalOpen
            | Self::EmailTaken
            | Self::RoleInUse
            | Self::SettingsMoved(_)
            | Self::DepositOfOthers => "conflict",
            Self::SignInFailed => "sign_in_failed",
            Self::CodeNeeded => "code_needed",
            Self::SessionOver => "session_over",
            Self::CallerGone => "unauthorized",
            Self::NotProven => "not_proven",
            Self::WeakPassword(_) => "weak_password",
            Self::MoreThanOwn => "more_than_own",
            Self::MayNotSee(_) => "insufficient_scope",
            Self::OwnAccount => "own_account",
            Self::LastSuperAdmin => "last_super_admin",
            Self::StakeRefused(_) => "stake_refused",
            Self::WebhookUrl(_) => "webhook_url_refused",
            Self::WebhookDisabled => "webhook_disabled",
            Self::WalletNotActive => "wallet_not_active",
            Self::AddressNeedsPermission => "address_needs_permission",
            Self::WalletExists => "wallet_exists",
            Self::PayoutsStopped => "payouts_stopped",
            Self::AssetNotPaid => "asset_not_paid",
            Self::PayoutTooSmall { .. } => "payout_too_small",
            Self::PayoutLimit(_) => "payout_limit",
            Self::DailyLimit { .. } => "daily_limit",
            Self::PayoutToOurs => "payout_to_ours",
            Self::PayoutAddressNotListed => "payout_address_not_listed",
            Self::OwnPayout => "own_payout",
            Self::OwnProposal | Self::OwnKey => "own_proposal",
            Self::PayoutDecided(_) => "payout_decided",
            Self::ApprovalDecided(_) => "approval_decided",
            Self::ApprovalLimit { .. } => "approval_limit",
            Self::PayoutMayBePaid => "payout_may_be_paid",
            Self::DepositWayClosed => "deposit_way_closed",
            Self::DepositAmount { .. } => "deposit_amount_invalid",
            Self::DepositOrderAsset => "deposit_order_asset",
            Self::DepositAmountsTaken => "deposit_amounts_taken",
            Self::RateUnavailable(_) => "rate_unavailable",
            Self::ExchangeAmount(_) => "exchange_amount_invalid",
            Self::ReceiveBelowMinimum { .. } => "receive_below_minimum",
            Self::Ledger(LedgerError::InsufficientFunds { .. }) => "insufficient_funds",
            Self::Ledger(LedgerError::ReferenceReused { .. }) => "reference_reused",
            Self::Ledger(LedgerError::UnknownUser(_)) => "not_found",
            Self::Ledger(LedgerError::ZeroAmount) => "amount_zero",
            Self::Ledger(LedgerError::BadText { .. }) => "bad_text",
            Self::NotSolid(_) => "unavailable",
            Self::Ledger(_) | Self::Db(_) | Self::Broken(_) => match self.class() {
                ErrorClass::Unavailable => "unavailable",
                _ => "internal",
            },
        }
    }
}
