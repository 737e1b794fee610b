//! The accounts and their codes. A code names one account for ever; it ends in the asset.

use std::fmt;
use std::str::FromStr;

use kernel::{Asset, UserId};

/// The name of a network as it stands in account codes: 1 to 40 of `a-z`, `0-9` and `-`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NetworkName(String);

/// A text that is no account code, or no network name in one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an account of this ledger")]
pub struct UnknownAccount;

impl fmt::Display for NetworkName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for NetworkName {
    type Err = UnknownAccount;

    fn from_str(text: &str) -> Result<Self, UnknownAccount> {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if (1..=40).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(UnknownAccount)
        }
    }
}

/// One account of one asset.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Account {
    /// What a user has to spend; never negative.
    User {
        /// Whose it is.
        user: UserId,
        /// Of what.
        asset: Asset,
    },
    /// Money of open orders: paid, not yet earned, not yet given back.
    Escrow(Asset),
    /// Earned.
    Revenue(Asset),
    /// The other side of what operators credit and debit by hand.
    Adjustments(Asset),
    /// The other side of what came in from a chain.
    Deposits {
        /// Where it came in.
        network: NetworkName,
        /// Of what.
        asset: Asset,
    },
    /// Set aside to be paid out: no longer the user's, not yet gone.
    Payouts(Asset),
    /// What a network took for our transactions, in TRX.
    Fees {
        /// Who took it.
        network: NetworkName,
    },
    /// The other side of exchanges between assets.
    Exchange(Asset),
}

impl Account {
    /// The asset that this account holds.
    #[must_use]
    pub const fn asset(&self) -> Asset {
        match self {
            Self::User { asset, .. } | Self::Deposits { asset, .. } => *asset,
            Self::Escrow(asset)
            | Self::Revenue(asset)
            | Self::Adjustments(asset)
            | Self::Payouts(asset)
            | Self::Exchange(asset) => *asset,
            Self::Fees { .. } => Asset::Trx,
        }
    }

    /// The user whose account this is, `None` for a house account.
    #[must_use]
    pub const fn user(&self) -> Option<UserId> {
        match self {
            Self::User { user, .. } => Some(*user),
            _ => None,
        }
    }

    /// The code, as stored: `user:7:TRX`, `house:escrow:TRX`, `house:deposits:nile:USDT`.
    #[must_use]
    pub fn code(&self) -> String {
        self.to_string()
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let asset = self.asset();
        match self {
            Self::User { user, .. } => write!(f, "user:{user}:{asset}"),
            Self::Escrow(_) => write!(f, "house:escrow:{asset}"),
            Self::Revenue(_) => write!(f, "house:revenue:{asset}"),
            Self::Adjustments(_) => write!(f, "house:adjustments:{asset}"),
            Self::Deposits { network, .. } => write!(f, "house:deposits:{}:{asset}", network.0),
            Self::Payouts(_) => write!(f, "house:payouts:{asset}"),
            Self::Fees { network } => write!(f, "house:fees:{}:{asset}", network.0),
            Self::Exchange(_) => write!(f, "house:exchange:{asset}"),
        }
    }
}

impl FromStr for Account {
    type Err = UnknownAccount;

    /// Reads a code back; only the exact text that [`Account::code`] writes is accepted.
    fn from_str(code: &str) -> Result<Self, UnknownAccount> {
        let (owner, asset) = code.rsplit_once(':').ok_or(UnknownAccount)?;
        let asset: Asset = asset.parse().map_err(|_| UnknownAccount)?;
        let parts: Vec<&str> = owner.split(':').collect();
        let account = match parts.as_slice() {
            ["user", id] => Self::User {
                user: UserId(id.parse().map_err(|_| UnknownAccount)?),
                asset,
            },
            ["house", "escrow"] => Self::Escrow(asset),
            ["house", "revenue"] => Self::Revenue(asset),
            ["house", "adjustments"] => Self::Adjustments(asset),
            ["house", "payouts"] => Self::Payouts(asset),
            ["house", "exchange"] => Self::Exchange(asset),
            ["house", "deposits", network] => Self::Deposits {
                network: network.parse()?,
                asset,
            },
            ["house", "fees", network] => Self::Fees {
                network: network.parse()?,
            },
            _ => return Err(UnknownAccount),
        };
        // one account, one code: no "user:07:TRX", no fees in USDT
        if account.code() == code {
            Ok(account)
        } else {
            Err(UnknownAccount)
        }
    }
}

#[cfg(test)]
mod tests;
