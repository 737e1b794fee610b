//! The warning before coin is burned: a wallet whose bandwidth is nearly used up, or whose stake for it is too small and cannot
//! be raised. A transaction is paid wholly by the staked or wholly by the free part, or else by burning.

use chain::WalletSnapshot;
use chrono::{DateTime, Utc};
use db::Conn;
use db::models::{SupplierWallet, WalletPurpose, WalletState};
use kernel::IdGen;
use serde_json::json;

use super::{StakePolicy, subject};
use crate::DomainError;
use crate::findings::{self, FindingKind};

/// Bandwidth points of one transaction that lends, its signature included, with room for longer numbers.
pub const TRANSACTION_BANDWIDTH: i64 = 300;

/// What a wallet has for the bytes of its transactions, by one read of the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BandwidthFacts {
    /// Whether it has stake for energy, and so transactions to pay for. One that was never filled has not.
    pub lends: bool,
    /// Transactions that what is left pays for.
    pub left: i64,
    /// Stake for bandwidth that the transactions of a day lack, in sun.
    pub missing_sun: i64,
    /// Coin that could be staked for it, in sun.
    pub spare_sun: i64,
}

impl BandwidthFacts {
    /// What a read says, with what the caller found to be missing at the network's ratio.
    #[must_use]
    pub fn of(snapshot: &WalletSnapshot, missing_sun: i64, policy: &StakePolicy) -> Self {
        let whole = |limit: i64, used: i64| limit.saturating_sub(used).max(0) / TRANSACTION_BANDWIDTH;
        let staked = whole(snapshot.bandwidth_limit, snapshot.bandwidth_used);
        let free = whole(snapshot.free_bandwidth_limit, snapshot.free_bandwidth_used);
        Self {
            lends: snapshot.staked_energy_sun > 0 || snapshot.delegated_energy_sun > 0,
            left: staked.saturating_add(free),
            missing_sun,
            spare_sun: snapshot.balance_sun.saturating_sub(policy.rules.reserve_sun).max(0),
        }
    }
}

/// Points that a wallet's stake should give and does not, for the transactions of a day.
#[must_use]
pub fn missing_points(snapshot: &WalletSnapshot, policy: &StakePolicy) -> i64 {
    let wanted = policy.transactions_per_day.saturating_mul(TRANSACTION_BANDWIDTH);
    wanted.saturating_sub(snapshot.bandwidth_limit).max(0)
}

/// Whether coin is burned soon: less is left than a few transactions take, or the policy would stake more for bandwidth and
/// the wallet has not the coin.
#[must_use]
pub const fn burns_soon(facts: &BandwidthFacts, policy: &StakePolicy) -> bool {
    facts.lends && (facts.left < policy.warn_transactions || (policy.enabled && facts.spare_sun < facts.missing_sun))
}

/// Tells an operator about a wallet that burns coin soon, or that it does no longer. Wallets that are not in use are none.
///
/// # Errors
/// When the database fails.
pub async fn watch_bandwidth_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    (wallet, facts): (&SupplierWallet, &BandwidthFacts),
    policy: &StakePolicy,
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    let used = wallet.purpose == WalletPurpose::Supply && wallet.state == WalletState::Active && wallet.enabled;
    let (kind, subject) = (FindingKind::BurnsSoon, subject(wallet.id));
    if !used || !burns_soon(facts, policy) {
        return findings::clear_in_tx(conn, kind, &subject, now).await;
    }
    let detail = json!({
        "address": wallet.address, "transactions_left": facts.left, "stake_missing_sun": facts.missing_sun,
        "coin_to_stake_sun": facts.spare_sun,
    });
    findings::record_in_tx(conn, ids, kind, &subject, detail, now).await
}
