//! What a devnet is started with.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use chain::TronAddress;
use kernel::{Clock, SystemClock};

/// Mainnet's USDT contract.
const MAINNET_USDT: [u8; 20] = [
    0xa6, 0x14, 0xf8, 0x03, 0xb6, 0xfd, 0x78, 0x09, 0x86, 0xa4, 0x2c, 0x78, 0xec, 0x9c, 0x7f, 0x77, 0xe6, 0xde, 0xd1,
    0x3c,
];

/// When blocks are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interval {
    /// One every so many real milliseconds. Where that is less than [`DevnetConfig::block_time_ms`], chain time runs
    /// faster than real time by their ratio.
    Auto(u64),
    /// Only when asked. Chain time stands still in between.
    OnDemand,
    /// As soon as something is pending, but at most one every [`DevnetConfig::instant_gap_ms`], and an empty one every
    /// [`DevnetConfig::block_time_ms`]. Chain time is real time.
    Instant,
}

/// An account that has money in the first block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GenesisAccount {
    /// Whose.
    pub address: TronAddress,
    /// Sun.
    pub sun: i64,
}

/// How a devnet behaves.
#[derive(Debug, Clone)]
pub struct DevnetConfig {
    /// Where the node's API listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where the admin API listens; port 0 takes a free one.
    pub admin_listen: SocketAddr,
    /// When blocks are made.
    pub interval: Interval,
    /// Shortest time between two instant blocks: under load many transactions share one, and a lone one never waits.
    pub instant_gap_ms: u64,
    /// By how much block timestamps advance.
    pub block_time_ms: u64,
    /// How many blocks the solidified one lies behind the newest.
    pub solid_lag: u64,
    /// Number of the first block.
    pub first_block: i64,
    /// Accounts of the first block.
    pub genesis: Vec<GenesisAccount>,
    /// Where the token lives.
    pub usdt_contract: TronAddress,
    /// TRX that everybody else stakes for energy: sets the energy per TRX.
    pub energy_weight_trx: i64,
    /// TRX that everybody else stakes for bandwidth.
    pub net_weight_trx: i64,
    /// Blocks kept; older ones are forgotten. At least 1,000.
    pub max_blocks: usize,
    /// Pending transactions, from which on broadcasts answer SERVER_BUSY.
    pub max_pending: usize,
    /// Whether broadcasts answer BLOCK_UNSOLIDIFIED once 54 blocks are not solidified.
    pub unsolidified_check: bool,
    /// Where the start time comes from, and the time that `Auto` and `Instant` follow.
    pub clock: Arc<dyn Clock>,
}

impl Default for DevnetConfig {
    /// What tests want: free ports on the loopback, blocks on demand, the rest like mainnet.
    fn default() -> Self {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self {
            listen: any,
            admin_listen: any,
            interval: Interval::OnDemand,
            instant_gap_ms: 10,
            block_time_ms: 3_000,
            solid_lag: 19,
            first_block: 1,
            genesis: Vec::new(),
            usdt_contract: TronAddress::from_evm20(MAINNET_USDT),
            energy_weight_trx: 19_148_936_170,
            net_weight_trx: 27_000_000_000,
            max_blocks: 200_000,
            max_pending: 2_000,
            unsolidified_check: false,
            clock: Arc::new(SystemClock),
        }
    }
}
