//! Typed ids. Ours are UUIDv7, so that they sort by creation; a user's id is the Telegram id that the bot knows.

use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! uuid_ids {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A fresh id.
            pub fn new(ids: &dyn IdGen) -> Self { Self(ids.uuid()) }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { self.0.fmt(f) }
        }
        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, uuid::Error> { text.parse().map(Self) }
        }
    )+};
}

uuid_ids! {
    /// One purchase of energy.
    OrderId;
    /// One on-chain delegation made for one order.
    DelegationId;
    /// One supplier wallet.
    WalletId;
    /// One signed transaction.
    ChainTransactionId;
    /// One key that a bot or a shop authenticates with.
    ApiKeyId;
    /// One published price table.
    PriceVersionId;
    /// One price that holds for a while.
    QuoteId;
    /// More time for a rental that runs.
    ExtensionId;
    /// One address that is kept at so much energy.
    StandingOrderId;
    /// One payment of a user's money to an address.
    PayoutId;
    /// One exchange of a user's USDT to TRX.
    ExchangeId;
    /// One deposit address collected to the treasury.
    SweepId;
    /// One staking of a supplier's coin, or the undoing of one.
    StakingId;
    /// One difference that a reconciler found.
    FindingId;
    /// One endpoint that is told of events.
    WebhookId;
    /// One event.
    EventId;
}

/// A customer: the Telegram user id, chosen by the bot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UserId(pub i64);

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The source of new ids.
pub trait IdGen: Send + Sync + fmt::Debug + 'static {
    /// A fresh UUIDv7.
    fn uuid(&self) -> Uuid;
}

/// Ids from the machine's clock and randomness.
#[derive(Debug, Clone, Copy, Default)]
pub struct RandomIds;

impl IdGen for RandomIds {
    #[expect(clippy::disallowed_methods, reason = "the one place that makes random ids")]
    fn uuid(&self) -> Uuid {
        Uuid::now_v7()
    }
}

/// Ids that count up from a seed, so that snapshots stay the same.
#[derive(Debug, Default)]
pub struct SeededIds(AtomicU64);

impl SeededIds {
    /// The first id will be `seed + 1`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }
}

impl IdGen for SeededIds {
    fn uuid(&self) -> Uuid {
        let n = self.0.fetch_add(1, Ordering::SeqCst).saturating_add(1);
        let mut bytes = [0_u8; 16];
        bytes[8..].copy_from_slice(&n.to_be_bytes());
        bytes[6] = 0x70;
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        Uuid::from_bytes(bytes)
    }
}
