//! What the worker goes by and operators change while it runs, out of the settings in force.

use std::sync::Arc;

use anyhow::Context;
use domain::orders::OrderPolicy;
use domain::pool::StockLimits;
use domain::runtime_settings::{Follower, Live, Values};
use domain::sweeps::{House, SweepPolicy, SweepRules};
use kernel::{Asset, UserId};
use settings::{Role, RuntimeSettings, Settings};

use crate::environment::WorkRules;
use crate::{nodes, rates};

/// What follows from these settings.
///
/// # Errors
/// When a number does not fit, or an id or address is none.
pub fn of(settings: &Settings) -> anyhow::Result<WorkRules> {
    let (orders, pool) = (&settings.orders, &settings.pool);
    Ok(WorkRules {
        order_deadline: chrono::Duration::seconds(orders.deadline_s),
        sweep: sweep_policy(settings)?,
        stake_margin_bps: orders.stake_margin_bps,
        max_parts: usize::try_from(orders.max_parts)?,
        min_bandwidth: pool.min_bandwidth,
        stock: StockLimits {
            low_energy: pool.low_stock_energy,
            low_trx_sun: pool.low_trx.minor(),
        },
        rates: rates::policy(settings)?,
        credit: nodes::credit(settings)?,
    })
}

/// Keeps them as the newest version wants them, over the configuration that the worker was started with.
#[must_use]
pub fn follower(live: Arc<Live<WorkRules>>, base: Settings) -> Follower<WorkRules> {
    Follower::new(live, move |values: &Values| {
        let read = RuntimeSettings::read(values).map_err(|error| error.to_string())?;
        let merged = read.in_force(&base, Role::Worker).map_err(|error| error.to_string())?;
        of(&merged).map_err(|error| format!("{error:#}"))
    })
}

/// How deposit addresses are collected.
pub(crate) fn sweep_policy(settings: &Settings) -> anyhow::Result<SweepPolicy> {
    let milliseconds = |ms: u64| i64::try_from(ms).map(chrono::Duration::milliseconds);
    let (orders, sweep) = (&settings.orders, &settings.deposits.sweep);
    let house = if sweep.usdt {
        Some(House {
            user: UserId(sweep.house_user),
            api_key: sweep.house_api_key.parse().context("deposits.sweep.house_api_key")?,
        })
    } else {
        None
    };
    let assets = if sweep.usdt {
        vec![Asset::Trx, Asset::Usdt]
    } else {
        vec![Asset::Trx]
    };
    Ok(SweepPolicy {
        enabled: sweep.enabled,
        network: settings.deposits.network.clone(),
        assets,
        rules: SweepRules {
            trx_threshold_sun: sweep.trx_threshold.minor(),
            usdt_threshold_micro: sweep.usdt_threshold.minor(),
            reserve_sun: sweep.trx_reserve.minor(),
            burn_bandwidth: sweep.burn_bandwidth,
            energy_margin_bps: sweep.energy_margin_bps,
            energy_min: orders.energy_min,
        },
        activation_sun: sweep.activation.minor(),
        to_address: (!sweep.to_address.is_empty()).then(|| sweep.to_address.clone()),
        max_open: i64::from(sweep.max_open),
        house,
        order: OrderPolicy {
            network: orders.network.clone(),
            energy_min: orders.energy_min,
            energy_max: orders.energy_max,
            duration_min_s: i32::try_from(orders.duration_min_s)?,
            duration_max_s: i32::try_from(orders.duration_max_s)?,
            deadline: chrono::Duration::seconds(orders.deadline_s),
        },
        energy_failures_alarm: i32::try_from(sweep.energy_failures_alarm)?,
        retry: (milliseconds(sweep.retry_ms)?, milliseconds(sweep.retry_max_ms)?),
    })
}
