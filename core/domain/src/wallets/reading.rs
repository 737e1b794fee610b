//! What the chain says of a wallet is stored, kept, and compared with our books.

use chain::{EnergyMarket, Resource, WalletSnapshot};
use chrono::{DateTime, Duration, Utc};
use db::models::{
    ChainCursor, ChainTransaction, StakeResource, Staking, StakingAction, SupplierWallet, UnfreezingRow,
    WalletBaseline, WalletFigures, WalletPurpose, WalletSnapshotRow,
};
use db::{Conn, Pool, acquire, run_tx};
use kernel::{IdGen, WalletId};
use serde_json::json;

use super::isolate_in_tx;
use super::permissions::{self, ReadPermissions};
use super::shortfall::Shortfall;
use crate::DomainError;
use crate::findings::{self, FindingKind};
use crate::reconcile::lent::lent_in_all;

/// What is missing is believed when a read this much later shows it again: behind one address there may be nodes that lag,
/// and a branch of the chain may be lost.
const CONFIRMED_AFTER: Duration = Duration::seconds(10);

/// What a read left open.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reading {
    /// Stake of delegations that the snapshot may not show yet; it stays reserved.
    pub unseen_sun: i64,
    /// Something is missing, and another read has to confirm it.
    pub to_confirm: bool,
}

/// Stores what the chain says of a wallet, and of its tokens if that was asked. A read that is older than what we have
/// changes nothing.
///
/// # Errors
/// When the database fails.
pub async fn apply_snapshot(
    pool: &Pool,
    ids: &dyn IdGen,
    (id, network): (WalletId, &str),
    (snapshot, usdt_micro): (&WalletSnapshot, Option<i64>),
    margin_blocks: i64,
    now: DateTime<Utc>,
) -> Result<Reading, DomainError> {
    note_market(pool, network, snapshot.market, now).await?;
    let by_margin = snapshot.as_of_block.saturating_sub(margin_blocks).max(0);
    run_tx(pool, "apply_wallet_snapshot", async |conn| {
        let wallet = SupplierWallet::lock(conn, id.0)
            .await?
            .ok_or(DomainError::NotFound("wallet"))?;
        // of blocks that are not applied we do not know which delegations they hold: those count as unseen until the next read
        let applied = ChainCursor::find(conn, network)
            .await?
            .map_or(by_margin, |cursor| cursor.head_number);
        let surely_seen = by_margin.min(applied);
        if wallet.synced_block > surely_seen {
            // a lagging endpoint: what we have is newer
            let base = WalletBaseline::find(conn, id.0, network).await?;
            return Ok(Reading {
                unseen_sun: wallet.reserved_sun,
                to_confirm: base.is_some_and(|base| base.short_since.is_some()),
            });
        }
        let promised = SupplierWallet::promised(conn, id.0, surely_seen).await?;
        let unfreezing: Vec<UnfreezingRow> = snapshot.unfreezing.iter().map(unfreezing_row).collect();
        let figures = WalletFigures {
            balance_sun: snapshot.balance_sun,
            staked_energy_sun: snapshot.staked_energy_sun,
            staked_bandwidth_sun: snapshot.staked_bandwidth_sun,
            delegated_energy_sun: snapshot.delegated_energy_sun,
            delegatable_sun: snapshot.delegatable_sun.max(0),
            bandwidth_available: snapshot.bandwidth_available(),
            unfreezing: json!(unfreezing),
            usdt_micro,
            synced_block: surely_seen,
            synced_at: now,
            reserved_sun: promised.sum(),
            updated_at: now,
        };
        SupplierWallet::set_figures(conn, id.0, &figures).await?;
        kept(id, network, snapshot, surely_seen, now).insert(conn).await?;
        let read = ReadPermissions {
            network,
            permissions: &snapshot.permissions,
            as_of_block: snapshot.as_of_block,
        };
        permissions::note_in_tx(conn, ids, (&wallet, read), now).await?;
        let mut to_confirm = false;
        if wallet.purpose == WalletPurpose::Supply {
            compare_delegated_in_tx(conn, ids, (id, network), (snapshot, surely_seen), now).await?;
            to_confirm = look_for_loss_in_tx(conn, ids, (&wallet, network), (snapshot, surely_seen), now).await?;
        }
        Ok(Reading {
            unseen_sun: promised.unseen_sun,
            to_confirm,
        })
    })
    .await
}

fn unfreezing_row(entry: &chain::Unfreezing) -> UnfreezingRow {
    UnfreezingRow {
        resource: match entry.resource {
            Resource::Energy => "energy",
            Resource::Bandwidth => "bandwidth",
        }
        .to_owned(),
        amount_sun: entry.amount_sun,
        ready_at: entry.ready_at,
    }
}

/// The row that is kept of a read.
fn kept(id: WalletId, network: &str, snapshot: &WalletSnapshot, block: i64, now: DateTime<Utc>) -> WalletSnapshotRow {
    let (ready, waiting): (Vec<_>, Vec<_>) = snapshot.unfreezing.iter().partition(|entry| entry.ready_at <= now);
    let sum = |entries: Vec<&chain::Unfreezing>| {
        let amounts = entries.iter().map(|entry| entry.amount_sun);
        amounts.fold(0, i64::saturating_add)
    };
    WalletSnapshotRow {
        wallet_id: id.0,
        network: network.to_owned(),
        read_at: now,
        block,
        balance_sun: snapshot.balance_sun,
        staked_energy_sun: snapshot.staked_energy_sun,
        staked_bandwidth_sun: snapshot.staked_bandwidth_sun,
        delegated_energy_sun: snapshot.delegated_energy_sun,
        delegatable_sun: snapshot.delegatable_sun,
        unfreezing_sun: sum(waiting),
        unfrozen_sun: sum(ready),
        energy_limit: snapshot.energy_limit,
        energy_used: snapshot.energy_used,
        bandwidth_limit: snapshot.bandwidth_limit,
        bandwidth_used: snapshot.bandwidth_used,
        free_bandwidth_limit: snapshot.free_bandwidth_limit,
        free_bandwidth_used: snapshot.free_bandwidth_used,
    }
}

/// On its own: the watcher holds the network's row while it waits for wallets, and whoever makes a month's part waits for
/// everybody who writes a snapshot.
async fn note_market(pool: &Pool, network: &str, market: EnergyMarket, now: DateTime<Utc>) -> Result<(), DomainError> {
    let mut conn = acquire(pool).await?;
    WalletSnapshotRow::make_month(&mut conn, now).await?;
    if market.total_limit > 0 && market.total_weight > 0 {
        ChainCursor::set_market(&mut conn, network, market.total_limit, market.total_weight).await?;
    }
    Ok(())
}

/// Compares the chain's delegated stake with our books, as `reconcile::lent` does for each receiver, only at every read
/// and for the wallet as a whole. Figures of the newest block may be those of a branch that will be lost; a difference
/// that such a branch makes is closed by the next read.
async fn compare_delegated_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    (id, network): (WalletId, &str),
    (snapshot, surely_seen): (&WalletSnapshot, i64),
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    let books = lent_in_all(conn, network, id.0, surely_seen).await?;
    let subject = format!("wallet:{id}");
    if books.allow(snapshot.delegated_energy_sun) {
        return findings::clear_in_tx(conn, FindingKind::DelegatedDiffers, &subject, now).await;
    }
    let detail = json!({
        "chain_sun": snapshot.delegated_energy_sun, "books_sun": books.least, "books_sun_at_most": books.most,
        "block": snapshot.as_of_block,
    });
    findings::record_in_tx(conn, ids, FindingKind::DelegatedDiffers, &subject, detail, now).await
}

/// Looks whether a wallet has less than it should, and isolates it when a second read says so too: whoever moved that may
/// move the rest. What it has then is what later reads are compared with. Answers whether a second read is wanted.
async fn look_for_loss_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    (wallet, network): (&SupplierWallet, &str),
    (snapshot, surely_seen): (&WalletSnapshot, i64),
    now: DateTime<Utc>,
) -> Result<bool, DomainError> {
    if let Some(base) = WalletBaseline::find(conn, wallet.id, network).await? {
        let spent = ChainTransaction::spent_above(conn, network, wallet.id, base.block).await?;
        let mut short = Shortfall::of(&base, snapshot, spent);
        if !short.is_none() {
            let unstaked = async |conn: &mut Conn, of| {
                let unstaking = (StakingAction::Unstake, Some(of));
                Staking::unseen_sun(conn, wallet.id, unstaking, base.block).await
            };
            let energy_sun = unstaked(conn, StakeResource::Energy).await?;
            let bandwidth_sun = unstaked(conn, StakeResource::Bandwidth).await?;
            short = short.less_unstaked(energy_sun, bandwidth_sun);
        }
        if !short.is_none() {
            let Some(since) = base.short_since else {
                WalletBaseline::set_short(conn, wallet.id, network, now).await?;
                return Ok(true);
            };
            if now - since < CONFIRMED_AFTER {
                return Ok(true);
            }
            report_in_tx(conn, ids, (wallet.id, snapshot.as_of_block), short, now).await?;
        }
    }
    let has = WalletBaseline {
        wallet_id: wallet.id,
        network: network.to_owned(),
        coin_sun: snapshot.coin_sun(),
        energy_sun: snapshot.energy_stake_sun(),
        bandwidth_sun: snapshot.bandwidth_stake_sun(),
        block: surely_seen,
        short_since: None,
    };
    has.write(conn).await?;
    Ok(false)
}

async fn report_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    (wallet, block): (uuid::Uuid, i64),
    short: Shortfall,
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    let subject = format!("wallet:{wallet}");
    let detail = json!({
        "coin_sun": short.coin_sun, "energy_stake_sun": short.energy_sun, "bandwidth_stake_sun": short.bandwidth_sun,
        "block": block,
    });
    let (kind, reason) = if short.coin_sun > 0 {
        (
            FindingKind::CoinMissing,
            "coin left it that no transaction of ours took",
        )
    } else {
        (FindingKind::StakeFell, "stake was given up, and not by us")
    };
    findings::record_in_tx(conn, ids, kind, &subject, detail, now).await?;
    isolate_in_tx(conn, ids, wallet, (reason, None), now).await
}
