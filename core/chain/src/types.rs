//! What a chain tells us, in words that fit every chain.

mod permission;
#[cfg(test)]
mod tests;
mod transfer;

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};

pub use permission::{AccountPermissions, Operations, Permission, PermissionKey};
pub use transfer::{ChainAmount, MovedBy, Transfer, TransferAsset};

/// A transaction's id: 32 bytes, shown as 64 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TxId(pub [u8; 32]);

impl fmt::Display for TxId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for TxId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for TxId {
    type Err = hex::FromHexError;

    fn from_str(text: &str) -> Result<Self, hex::FromHexError> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes)?;
        Ok(Self(bytes))
    }
}

/// A block's place in the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockRef {
    /// Height.
    pub number: i64,
    /// 64 lower-case hex digits.
    pub id: String,
    /// The id of the block before.
    pub parent_id: String,
    /// When it was produced, by its producer's clock.
    pub time: DateTime<Utc>,
}

/// A block read whole: every transaction with its receipt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Its place.
    pub at: BlockRef,
    /// Every transaction in it, in block order.
    pub transactions: Vec<TransactionSeen>,
    /// The money that they moved, of whichever token, in block order.
    pub transfers: Vec<Transfer>,
}

/// How an included transaction ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TxOutcome {
    /// It did what it says.
    Ok,
    /// It is in the block and did nothing but cost its fee.
    Failed,
}

/// A transaction of a block with what its receipt says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransactionSeen {
    /// Its id.
    pub txid: TxId,
    /// How it ended.
    pub outcome: TxOutcome,
    /// Coin burned, in sun.
    pub fee_sun: i64,
    /// Energy used, from whichever source.
    pub energy_used: i64,
    /// Bandwidth points used.
    pub bandwidth_used: i64,
}

/// Where a transaction was found when asked for by id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inclusion {
    /// Height of the block that carries it.
    pub block_number: i64,
    /// How it ended.
    pub outcome: TxOutcome,
}

/// A node's answer to signed bytes, classified. An error of transport is an answer too: [`Broadcast::Unknown`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Broadcast {
    /// Valid and relayed. Not yet included.
    Accepted,
    /// The node has seen this id; wait and look for it in blocks.
    AlreadyKnown {
        /// The node's code.
        code: String,
        /// The node's text.
        message: String,
    },
    /// Not taken now; the same bytes may be taken later or elsewhere.
    Retry {
        /// The node's code.
        code: String,
        /// The node's text.
        message: String,
    },
    /// This node checked and refused it. Final only on the very first send.
    Refused {
        /// The node's code.
        code: String,
        /// The node's text.
        message: String,
        /// What the text means for us.
        refusal: Refusal,
    },
    /// No usable answer: it may have been taken.
    Unknown {
        /// What happened: `timeout`, `http_503`, `malformed` …
        code: String,
        /// Details, without secrets.
        message: String,
    },
}

impl Broadcast {
    /// The code to store with the transaction.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Accepted => "SUCCESS",
            Self::AlreadyKnown { code, .. }
            | Self::Retry { code, .. }
            | Self::Refused { code, .. }
            | Self::Unknown { code, .. } => code,
        }
    }

    /// The text to store with the transaction.
    #[must_use]
    pub fn message(&self) -> &str {
        match self {
            Self::Accepted => "",
            Self::AlreadyKnown { message, .. }
            | Self::Retry { message, .. }
            | Self::Refused { message, .. }
            | Self::Unknown { message, .. } => message,
        }
    }
}

/// Why a node refused a transaction for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// The receiver is not an activated account.
    ReceiverNotActivated,
    /// The receiver is a contract.
    ReceiverIsContract,
    /// The wallet has less delegatable stake than we thought.
    InsufficientStake,
    /// The delegation to undo is not there, or smaller than we thought.
    DelegationMissing,
    /// The wallet cannot pay the bandwidth.
    InsufficientBandwidth,
    /// The signature or its permission does not fit the wallet.
    BadSignature,
    /// The reference block or the expiry does not fit the chain.
    BadReference,
    /// Anything else.
    Other,
}

/// What an address is, as far as it may receive energy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Receiver {
    /// An activated account.
    Account,
    /// Never activated: a delegation would be refused.
    NotActivated,
    /// A contract: a delegation would be refused.
    Contract,
}

/// What the chain says of one of our wallets, read from one endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WalletSnapshot {
    /// The head just before the figures were read: every block up to it is in them.
    pub as_of_block: i64,
    /// Liquid coin.
    pub balance_sun: i64,
    /// Stake for energy that is not delegated out.
    pub staked_energy_sun: i64,
    /// Stake for bandwidth that is not delegated out.
    pub staked_bandwidth_sun: i64,
    /// Stake for energy that is delegated to others.
    pub delegated_energy_sun: i64,
    /// Stake for bandwidth that is delegated to others.
    pub delegated_bandwidth_sun: i64,
    /// Stake that may be delegated now (used energy blocks its share until it has recovered).
    pub delegatable_sun: i64,
    /// Bandwidth points that its stake gives in a day.
    pub bandwidth_limit: i64,
    /// Those that are used and not recovered.
    pub bandwidth_used: i64,
    /// Bandwidth points that everybody has for nothing.
    pub free_bandwidth_limit: i64,
    /// Those that are used and not recovered.
    pub free_bandwidth_used: i64,
    /// Energy that its own stake and what others lend it give in a day.
    pub energy_limit: i64,
    /// What is used of it and not recovered.
    pub energy_used: i64,
    /// Stake that is on its way to be liquid again.
    pub unfreezing: Vec<Unfreezing>,
    /// Who may sign for it, and what.
    pub permissions: AccountPermissions,
    /// The energy market at that moment.
    pub market: EnergyMarket,
    /// The same for bandwidth.
    pub bandwidth_market: EnergyMarket,
}

/// What stake gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Resource {
    /// For calls of contracts.
    Energy,
    /// For the bytes of transactions.
    Bandwidth,
}

/// Stake that was unstaked and waits until it is coin again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unfreezing {
    /// What it gave.
    pub resource: Resource,
    /// How much.
    pub amount_sun: i64,
    /// From when on it can be withdrawn, by the chain's clock.
    pub ready_at: DateTime<Utc>,
}

impl WalletSnapshot {
    /// Bandwidth points for one more transaction. It is paid wholly by the staked or wholly by the free part: they do not
    /// add up.
    #[must_use]
    pub fn bandwidth_available(&self) -> i64 {
        let staked = self.bandwidth_limit.saturating_sub(self.bandwidth_used);
        let free = self.free_bandwidth_limit.saturating_sub(self.free_bandwidth_used);
        staked.max(free).max(0)
    }

    /// Energy that is left for its calls: its own, and what others lend it.
    #[must_use]
    pub fn energy_available(&self) -> i64 {
        self.energy_limit.saturating_sub(self.energy_used).max(0)
    }

    /// All its stake for energy, delegated out or not.
    #[must_use]
    pub const fn energy_stake_sun(&self) -> i64 {
        self.staked_energy_sun.saturating_add(self.delegated_energy_sun)
    }

    /// All its stake for bandwidth, delegated out or not.
    #[must_use]
    pub const fn bandwidth_stake_sun(&self) -> i64 {
        self.staked_bandwidth_sun.saturating_add(self.delegated_bandwidth_sun)
    }

    /// All its coin: liquid, staked, and on its way back from stake.
    #[must_use]
    pub fn coin_sun(&self) -> i64 {
        let staked = self.energy_stake_sun().saturating_add(self.bandwidth_stake_sun());
        let unfreezing = self.unfreezing.iter();
        unfreezing.fold(self.balance_sun.saturating_add(staked), |sum, entry| {
            sum.saturating_add(entry.amount_sun)
        })
    }
}

/// What an account lends some others, read from one endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lent {
    /// The solidified head just before the figures were read: every block up to it is in them.
    pub as_of_block: i64,
    /// Staked sun delegated for energy, locked or not, in the order of the question.
    pub energy_sun: Vec<i64>,
}

/// What an address holds of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenBalance {
    /// In the token's minor units.
    pub minor: u128,
    /// The newest block of the endpoint that said so; it may know of a later one.
    pub as_of_block: i64,
}

/// What a transfer of a token takes, as a node tried it out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransferCost {
    /// Energy.
    pub energy: i64,
    /// Sun that one unit of energy costs whoever has none.
    pub energy_price_sun: i64,
}

/// The network's exchange between staked coin and a resource: energy = sun / 10^6 × limit / weight, and so bandwidth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EnergyMarket {
    /// Units shared out by the network per day.
    pub total_limit: i64,
    /// Coin staked for it by everybody, in whole TRX.
    pub total_weight: i64,
}

impl EnergyMarket {
    /// Energy that so much stake gives now, in whole units: for figures that are shown. A node computes in doubles and may
    /// differ by one, so what is signed is computed by `tron`.
    #[must_use]
    pub fn about_energy(&self, sun: i64) -> i64 {
        let divisor = i128::from(self.total_weight) * 1_000_000;
        let energy = (i128::from(sun) * i128::from(self.total_limit)).checked_div(divisor);
        energy.map_or(0, |energy| i64::try_from(energy).unwrap_or(i64::MAX))
    }

    /// Stake that gives so much energy now, rounded up: for figures that are shown, as [`Self::about_energy`].
    #[must_use]
    pub fn about_sun(&self, energy: i64) -> i64 {
        let product = i128::from(energy) * i128::from(self.total_weight) * 1_000_000;
        let limit = i128::from(self.total_limit);
        let sun = product
            .checked_div(limit)
            .map(|sun| sun + i128::from(product % limit != 0));
        sun.map_or(0, |sun| i64::try_from(sun).unwrap_or(i64::MAX))
    }
}
