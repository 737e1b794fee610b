//! Calldata and events of TRC20 tokens. Amounts are 256-bit, big-endian: nothing is cut off here.

#[cfg(test)]
mod tests;

use chain::TronAddress;

/// `transfer(address,uint256)`.
pub const TRANSFER: [u8; 4] = [0xa9, 0x05, 0x9c, 0xbb];
/// `transferFrom(address,address,uint256)`.
pub const TRANSFER_FROM: [u8; 4] = [0x23, 0xb8, 0x72, 0xdd];
/// `approve(address,uint256)`.
pub const APPROVE: [u8; 4] = [0x09, 0x5e, 0xa7, 0xb3];
/// `balanceOf(address)`.
pub const BALANCE_OF: [u8; 4] = [0x70, 0xa0, 0x82, 0x31];
/// `allowance(address,address)`.
pub const ALLOWANCE: [u8; 4] = [0xdd, 0x62, 0xed, 0x3e];

/// Hash of `Transfer(address,address,uint256)`: the first topic of a transfer's log.
pub const TRANSFER_TOPIC: [u8; 32] = [
    0xdd, 0xf2, 0x52, 0xad, 0x1b, 0xe2, 0xc8, 0x9b, 0x69, 0xc2, 0xb0, 0x68, 0xfc, 0x37, 0x8d, 0xaa, 0x95, 0x2b, 0xa7,
    0xf1, 0x63, 0xc4, 0xa1, 0x16, 0x28, 0xf5, 0x5a, 0x4d, 0xf5, 0x23, 0xb3, 0xef,
];

/// A 256-bit amount, big-endian.
pub type Amount256 = [u8; 32];

/// A call of one of the five functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// Sends tokens of the caller.
    Transfer {
        /// Who receives.
        to: TronAddress,
        /// How much.
        amount: Amount256,
    },
    /// Sends tokens of somebody who approved it.
    TransferFrom {
        /// Whose.
        from: TronAddress,
        /// Who receives.
        to: TronAddress,
        /// How much.
        amount: Amount256,
    },
    /// Lets somebody send the caller's tokens.
    Approve {
        /// Who may.
        spender: TronAddress,
        /// Up to how much.
        amount: Amount256,
    },
    /// Asks what an address holds.
    BalanceOf {
        /// Who.
        owner: TronAddress,
    },
    /// Asks what a spender may send.
    Allowance {
        /// Whose.
        owner: TronAddress,
        /// Who may.
        spender: TronAddress,
    },
}

impl Call {
    /// Selector and arguments.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Transfer { to, amount } => calldata(TRANSFER, &[word(*to), *amount]),
            Self::TransferFrom { from, to, amount } => calldata(TRANSFER_FROM, &[word(*from), word(*to), *amount]),
            Self::Approve { spender, amount } => calldata(APPROVE, &[word(*spender), *amount]),
            Self::BalanceOf { owner } => calldata(BALANCE_OF, &[word(*owner)]),
            Self::Allowance { owner, spender } => calldata(ALLOWANCE, &[word(*owner), word(*spender)]),
        }
    }

    /// Reads calldata; `None` for another selector or length. Of an address word only the last 20 bytes count: wallets are
    /// known to leave the 0x41 prefix before them, and contracts do not look.
    #[must_use]
    pub fn decode(data: &[u8]) -> Option<Self> {
        let (selector, arguments) = data.split_first_chunk::<4>()?;
        let (words, rest) = arguments.as_chunks::<32>();
        if !rest.is_empty() {
            return None;
        }
        Some(match (*selector, words) {
            (TRANSFER, [to, amount]) => Self::Transfer {
                to: address(to),
                amount: *amount,
            },
            (TRANSFER_FROM, [from, to, amount]) => Self::TransferFrom {
                from: address(from),
                to: address(to),
                amount: *amount,
            },
            (APPROVE, [spender, amount]) => Self::Approve {
                spender: address(spender),
                amount: *amount,
            },
            (BALANCE_OF, [owner]) => Self::BalanceOf { owner: address(owner) },
            (ALLOWANCE, [owner, spender]) => Self::Allowance {
                owner: address(owner),
                spender: address(spender),
            },
            _ => return None,
        })
    }
}

/// A `Transfer` event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransferLog {
    /// Who paid.
    pub from: TronAddress,
    /// Who received.
    pub to: TronAddress,
    /// How much.
    pub amount: Amount256,
}

impl TransferLog {
    /// The topics of its log.
    #[must_use]
    pub fn topics(&self) -> [[u8; 32]; 3] {
        [TRANSFER_TOPIC, word(self.from), word(self.to)]
    }

    /// Reads a log; `None` unless it has exactly the three topics of a transfer and 32 bytes of data.
    #[must_use]
    pub fn decode(topics: &[[u8; 32]], data: &[u8]) -> Option<Self> {
        let [TRANSFER_TOPIC, from, to] = topics else {
            return None;
        };
        Some(Self {
            from: address(from),
            to: address(to),
            amount: data.try_into().ok()?,
        })
    }
}

/// An amount as a 256-bit word.
#[must_use]
pub fn amount256(amount: u128) -> Amount256 {
    let mut word = [0; 32];
    word[16..].copy_from_slice(&amount.to_be_bytes());
    word
}

/// A 256-bit word as an amount; `None` if it does not fit.
#[must_use]
pub fn amount_u128(word: &Amount256) -> Option<u128> {
    let (high, low) = word.split_first_chunk::<16>()?;
    (*high == [0; 16]).then_some(u128::from_be_bytes(low.try_into().ok()?))
}

fn word(address: TronAddress) -> [u8; 32] {
    let mut word = [0; 32];
    word[12..].copy_from_slice(&address.evm20());
    word
}

fn address(word: &[u8; 32]) -> TronAddress {
    let mut last = [0; 20];
    last.copy_from_slice(&word[12..]);
    TronAddress::from_evm20(last)
}

fn calldata(selector: [u8; 4], words: &[[u8; 32]]) -> Vec<u8> {
    let mut data = selector.to_vec();
    data.extend(words.concat());
    data
}
