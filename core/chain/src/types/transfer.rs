//! Money that a block moved, of the coin or of a token.

#[cfg(test)]
mod tests;

use std::fmt;

use super::TxId;
use crate::TronAddress;

/// One movement of money in a block.
///
/// `txid` and `by` together name it for good: two of them are equal only for one movement, in whichever block a fork
/// leaves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    /// Height of the block.
    pub block_number: i64,
    /// The transaction that moved it.
    pub txid: TxId,
    /// What of the transaction moved it.
    pub by: MovedBy,
    /// What was moved.
    pub asset: TransferAsset,
    /// Whose it was. Not always who signed. An exchange's payouts come from its common wallet; a mint comes from address zero.
    pub from: TronAddress,
    /// Whose it is. Not always whom the transaction called.
    pub to: TronAddress,
    /// How much, never zero.
    pub amount: ChainAmount,
    /// What the sender wrote on the transaction: at most [`MEMO_LENGTH`](Self::MEMO_LENGTH) printable characters, never
    /// empty. Anybody can write anything there.
    pub memo: Option<String>,
}

impl Transfer {
    /// How much of a memo is kept, in characters.
    pub const MEMO_LENGTH: usize = 200;
}

/// What of a transaction moved money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MovedBy {
    /// The transaction itself: it sends the coin, and leaves no log.
    Transaction,
    /// A contract that sends the coin on: its place among the calls that the transaction came to, from zero. Not every
    /// node tells of them, so that one is missing says nothing.
    Call(u32),
    /// A token: the log's place among all logs of its transaction, from zero.
    Log(u32),
}

/// What a transfer is of. A token is its contract: names and symbols can be had by anybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TransferAsset {
    /// The chain's own coin.
    Coin,
    /// The token of this contract.
    Token(TronAddress),
}

/// An amount as wide as chains count it: 256 bits, in the smallest unit of its asset. Its text is decimal.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChainAmount([u8; 32]);

impl ChainAmount {
    /// An amount as logs carry it, big-endian.
    #[must_use]
    pub const fn from_be_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Whether this is nothing.
    #[must_use]
    pub fn is_zero(self) -> bool {
        self.0 == [0; 32]
    }

    /// The amount in 128 bits; `None` if it does not fit.
    #[must_use]
    pub fn to_u128(self) -> Option<u128> {
        let (high, low) = self.halves();
        (high == 0).then_some(low)
    }

    fn halves(self) -> (u128, u128) {
        let (mut high, mut low) = ([0; 16], [0; 16]);
        high.copy_from_slice(&self.0[..16]);
        low.copy_from_slice(&self.0[16..]);
        (u128::from_be_bytes(high), u128::from_be_bytes(low))
    }
}

impl From<u128> for ChainAmount {
    fn from(amount: u128) -> Self {
        let mut bytes = [0; 32];
        bytes[16..].copy_from_slice(&amount.to_be_bytes());
        Self(bytes)
    }
}

impl fmt::Display for ChainAmount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(small) = self.to_u128() {
            return fmt::Display::fmt(&small, f);
        }
        // Long division by ten, most significant byte first.
        let mut rest = self.0;
        let mut digits = Vec::with_capacity(78);
        while rest != [0; 32] {
            let mut remainder = 0_u16;
            for byte in &mut rest {
                let value = (remainder << 8) | u16::from(*byte);
                // At most 9 × 256 + 255, so a tenth of it is a byte.
                *byte = u8::try_from(value / 10).unwrap_or(u8::MAX);
                remainder = value % 10;
            }
            digits.push(char::from_digit(u32::from(remainder), 10).unwrap_or('0'));
        }
        let text: String = digits.into_iter().rev().collect();
        f.pad_integral(true, "", &text)
    }
}

impl fmt::Debug for ChainAmount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
