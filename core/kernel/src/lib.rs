//! The words every other crate speaks: ids, assets, amounts, the clock and the id generator, addresses of the internet.
//!
//! Nothing here does I/O or is async. Money is an integer of minor units; a float never appears.
#![warn(clippy::float_arithmetic, clippy::as_conversions, clippy::arithmetic_side_effects)]

mod address_range;
mod amount;
mod class;
mod clock;
mod ids;
mod time;

pub use address_range::{AddressRange, NoAddressRange};
pub use amount::{Amount, AmountError, Asset, UnknownAsset};
pub use class::ErrorClass;
pub use clock::{Clock, ManualClock, SteadyClock, SystemClock};
pub use ids::{
    ApiKeyId, ChainTransactionId, DelegationId, EventId, ExchangeId, ExtensionId, FindingId, IdGen, OrderId, PayoutId,
    PriceVersionId, QuoteId, RandomIds, SeededIds, StakingId, StandingOrderId, SweepId, UserId, WalletId, WebhookId,
};
pub use time::is_rfc3339;
