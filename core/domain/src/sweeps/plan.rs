//! Planning: addresses that were credited enough since they were collected last become sweeps, each with its job.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, Utc};
use db::models::{NewSweep, SupplierWallet, Sweep, SweepCandidate, SweepState, Switch};
use db::{Conn, Pool, acquire, run_tx};
use jobs::{JobKind, Wake, enqueue_each_in_tx};
use kernel::{Asset, IdGen, SweepId, WalletId};
use serde_json::json;

use super::{House, SweepRules, note_in_tx};
use crate::findings::{self, FindingKind};
use crate::orders::OrderPolicy;
use crate::{DomainError, WORKER};

/// How deposit addresses are collected.
#[derive(Debug, Clone)]
pub struct SweepPolicy {
    /// Whether they are at all.
    pub enabled: bool,
    /// The network that customers pay on.
    pub network: String,
    /// What is collected; a token only where its contract and who orders its energy are known.
    pub assets: Vec<Asset>,
    /// When, and how much.
    pub rules: SweepRules,
    /// Coin that brings an address into being, in sun.
    pub activation_sun: i64,
    /// The treasury wallet that it goes to; without one, the one that has the least.
    pub to_address: Option<String>,
    /// Sweeps that are open at a time.
    pub max_open: i64,
    /// Who orders energy.
    pub house: Option<House>,
    /// What may be ordered.
    pub order: OrderPolicy,
    /// Orders of energy in a row that brought none, after which an operator is told.
    pub energy_failures_alarm: i32,
    /// First and longest pause before a sweep that waits is looked at again.
    pub retry: (Duration, Duration),
}

impl SweepPolicy {
    /// The pause after so many failures: it doubles with each, within its bounds.
    #[must_use]
    pub fn pause(&self, failures: i32) -> Duration {
        let (first, longest) = self.retry;
        let doublings = u32::try_from(failures.clamp(0, 16)).unwrap_or(16);
        let pause = first.checked_mul(1 << doublings);
        pause.map_or(longest, |pause| pause.min(longest))
    }

    /// What an address must have been credited to be worth a look, in minor units.
    const fn threshold(&self, asset: Asset) -> i64 {
        match asset {
            Asset::Trx => self.rules.trx_threshold_sun,
            Asset::Usdt => self.rules.usdt_threshold_micro,
        }
    }
}

/// What one round planned.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Planned {
    /// Sweeps made.
    pub sweeps: usize,
    /// To be pushed after the commit.
    pub wakes: Vec<Wake>,
}

/// What would be planned now, the most first.
///
/// # Errors
/// When the database cannot be asked.
pub async fn candidates(pool: &Pool, policy: &SweepPolicy) -> Result<Vec<(Asset, SweepCandidate)>, DomainError> {
    let mut conn = acquire(pool).await?;
    let mut found = Vec::new();
    for asset in &policy.assets {
        let rows = candidates_of(&mut conn, policy, *asset, policy.max_open).await?;
        found.extend(rows.into_iter().map(|row| (*asset, row)));
    }
    Ok(found)
}

async fn candidates_of(
    conn: &mut Conn,
    policy: &SweepPolicy,
    asset: Asset,
    limit: i64,
) -> Result<Vec<SweepCandidate>, DomainError> {
    // what stays at the address is not worth a sweep
    let stays = match asset {
        Asset::Trx => policy.rules.reserve_sun,
        Asset::Usdt => 0,
    };
    let threshold = policy.threshold(asset).saturating_add(stays).max(1);
    Ok(SweepCandidate::find(conn, (&policy.network, asset.code()), threshold, limit).await?)
}

/// Makes sweeps of what is worth it, as many as may be open at once. An address that is being collected already is passed, so
/// that several planners make each once.
///
/// # Errors
/// When the database fails; nothing is written then.
pub async fn plan(
    pool: &Pool,
    ids: &dyn IdGen,
    policy: &SweepPolicy,
    now: DateTime<Utc>,
) -> Result<Planned, DomainError> {
    if !policy.enabled {
        return Ok(Planned::default());
    }
    run_tx(pool, "plan_sweeps", async |conn| {
        if Switch::is_on(conn, Switch::SWEEPS).await? {
            return Ok(Planned::default());
        }
        let mut room = policy.max_open - Sweep::count_open(conn, &policy.network).await?;
        let (mut made, mut keyless) = (Vec::new(), BTreeMap::new());
        for asset in &policy.assets {
            if room <= 0 {
                break;
            }
            for candidate in candidates_of(conn, policy, *asset, room).await? {
                if !candidate.has_key {
                    *keyless.entry(candidate.fingerprint).or_insert(0) += 1;
                } else if let Some(id) = make_in_tx(conn, ids, policy, (*asset, &candidate), now).await? {
                    made.push(id.to_string());
                    room -= 1;
                }
            }
        }
        report_keyless_in_tx(conn, ids, &keyless, now).await?;
        Ok(Planned {
            sweeps: made.len(),
            wakes: enqueue_each_in_tx(conn, JobKind::DepositsSweep, &made, now).await?,
        })
    })
    .await
}

async fn make_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    policy: &SweepPolicy,
    (asset, candidate): (Asset, &SweepCandidate),
    now: DateTime<Utc>,
) -> Result<Option<SweepId>, DomainError> {
    let address = (candidate.address_id, candidate.address.as_str());
    let wallet = SupplierWallet::ensure_deposit(conn, WalletId::new(ids).0, address, now).await?;
    let Some(wallet) = wallet else {
        tracing::error!(
            address = candidate.address,
            "a deposit address is a wallet of another purpose"
        );
        return Ok(None);
    };
    let id = SweepId::new(ids);
    let new = NewSweep {
        id: id.0,
        network: &policy.network,
        asset: asset.code(),
        wallet_id: wallet,
        state: SweepState::Planned,
        created_at: now,
        updated_at: now,
    };
    if !new.insert_if_none_open(conn).await? {
        return Ok(None);
    }
    let detail = json!({ "address": candidate.address, "credited": candidate.minor });
    note_in_tx(conn, (id.0, SweepState::Planned), "planned", WORKER, detail, now).await?;
    Ok(Some(id))
}

/// Money lies at addresses whose account's key is nowhere here.
async fn report_keyless_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    keyless: &BTreeMap<String, i32>,
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    let mut subjects = Vec::with_capacity(keyless.len());
    for (fingerprint, addresses) in keyless {
        let subject = format!("account:{fingerprint}");
        let detail = json!({ "addresses": addresses });
        findings::record_in_tx(conn, ids, FindingKind::SweepKeyMissing, &subject, detail, now).await?;
        subjects.push(subject);
    }
    findings::clear_others_in_tx(conn, FindingKind::SweepKeyMissing, &subjects, now).await
}
