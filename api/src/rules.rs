//! What the API goes by and operators change while it runs: policies out of the settings in force. They are replaced as a whole, so
//! that a request goes by one version from its first look on.

use std::collections::BTreeMap;

use db::models::DepositWay;
use domain::deposits::DepositPolicy;
use domain::operations::RulingPolicy;
use domain::orders::OrderPolicy;
use domain::payouts::{AssetLimits, PayoutPolicy};
use domain::rates::RatePolicy;
use domain::runtime_settings::Values;
use domain::stakings::StakeRules;
use hd::AccountKey;
use kernel::{Amount, Asset};
use settings::{Role, RuntimeSettings, Settings};

use crate::App;
use crate::app::StartError;
use crate::problem::chain;

/// The settings in force, and what follows from them.
#[derive(Debug)]
pub(crate) struct Rules {
    pub(crate) settings: Settings,
    pub(crate) policy: OrderPolicy,
    pub(crate) payouts: PayoutPolicy,
    pub(crate) deposits: DepositPolicy,
    pub(crate) rulings: RulingPolicy,
    pub(crate) rates: RatePolicy,
    pub(crate) stakes: StakeRules,
}

impl Rules {
    /// What follows from these settings.
    pub(crate) fn of(settings: Settings) -> Result<Self, StartError> {
        Ok(Self {
            policy: policy(&settings)?,
            payouts: payout_policy(&settings)?,
            deposits: deposits(&settings, policy(&settings)?)?,
            rulings: rulings(&settings)?,
            rates: rates(&settings)?,
            stakes: stakes(&settings),
            settings,
        })
    }

    /// What makes them of a version's values over the configuration.
    pub(crate) fn builder(base: Settings) -> impl Fn(&Values) -> Result<Self, String> + Send + Sync + 'static {
        move |values| {
            let read = RuntimeSettings::read(values).map_err(|error| chain(&error))?;
            let merged = read.in_force(&base, Role::Api).map_err(|error| chain(&error))?;
            Self::of(merged).map_err(|error| chain(&error))
        }
    }
}

/// Says whether a version's values hold with this process's configuration, and how they are kept.
pub(crate) fn settings_judge(app: &App) -> impl Fn(&Values) -> Result<Values, Vec<(String, String)>> + Send + Sync {
    |values| RuntimeSettings::judge(values, &app.settings, Role::Api)
}

fn policy(settings: &Settings) -> Result<OrderPolicy, StartError> {
    let orders = &settings.orders;
    let seconds = |value: i64| i32::try_from(value).map_err(|_| StartError::Durations);
    Ok(OrderPolicy {
        network: orders.network.clone(),
        energy_min: orders.energy_min,
        energy_max: orders.energy_max,
        duration_min_s: seconds(orders.duration_min_s)?,
        duration_max_s: seconds(orders.duration_max_s)?,
        deadline: chrono::Duration::try_seconds(orders.deadline_s).ok_or(StartError::Durations)?,
    })
}

fn payout_policy(settings: &Settings) -> Result<PayoutPolicy, StartError> {
    let payouts = &settings.payouts;
    let network = &payouts.network;
    let found = settings.networks.get(network);
    let usdt = found.and_then(|network| network.token("USDT")).map(str::parse);
    let limits = |limits: &settings::PayoutLimits| AssetLimits {
        minimum: limits.minimum,
        user_day: limits.user_day,
        system_hour: limits.system_hour,
        approval_above: limits.approval_above,
    };
    Ok(PayoutPolicy {
        network: network.clone(),
        usdt: usdt.transpose().map_err(|_| StartError::Token(network.clone()))?,
        list_required: payouts.list_required,
        trx_limits: limits(&payouts.trx),
        usdt_limits: limits(&payouts.usdt),
    })
}

fn rates(settings: &Settings) -> Result<RatePolicy, StartError> {
    let rates = &settings.rates;
    let stale_after = i64::try_from(rates.stale_after_s).ok();
    let stale_after = stale_after.and_then(chrono::Duration::try_seconds);
    Ok(RatePolicy {
        min_sources: rates.min_sources,
        max_spread_bp: rates.max_spread_bp,
        lowest: rates.lowest.minor(),
        highest: rates.highest.minor(),
        max_step_bp: rates.max_step_bp,
        stale_after: stale_after.ok_or(StartError::Rates)?,
        fee_bp: rates.fee_bp,
    })
}

fn stakes(settings: &Settings) -> StakeRules {
    let stake = &settings.pool.stake;
    StakeRules {
        network: settings.orders.network.clone(),
        reserve_sun: stake.reserve.minor(),
        wallet_day_sun: stake.wallet_day.minor(),
        all_day_sun: stake.all_day.minor(),
    }
}

fn rulings(settings: &Settings) -> Result<RulingPolicy, StartError> {
    let deposits = &settings.deposits;
    let exchanged = deposits.usdt == settings::UsdtDeposits::Exchange;
    let exchange = exchanged.then(|| rates(settings)).transpose()?;
    let limits = (deposits.approval_above_trx, deposits.approval_above_usdt);
    let lives = chrono::Duration::try_seconds(settings.approvals.expire_s).ok_or(StartError::Durations)?;
    Ok(RulingPolicy::new(limits, lives, exchange))
}

fn deposits(settings: &Settings, orders: OrderPolicy) -> Result<DepositPolicy, StartError> {
    let deposits = &settings.deposits;
    let way = |way: &String| way.parse::<DepositWay>().map_err(|_| StartError::Ways);
    let seconds = |value: i64| chrono::Duration::try_seconds(value).ok_or(StartError::Durations);
    let given = |text: &String| (!text.is_empty()).then(|| text.clone());
    Ok(DepositPolicy {
        network: deposits.network.clone(),
        ways: deposits.ways.iter().map(way).collect::<Result<_, _>>()?,
        account: given(&deposits.account_xpub)
            .map(|xpub| xpub.parse::<AccountKey>())
            .transpose()?,
        shared_address: given(&deposits.shared_address),
        expiry: seconds(deposits.expiry_s)?,
        quarantine: seconds(deposits.amount_quarantine_s)?,
        dust: BTreeMap::from([
            (Asset::Trx, Amount::from_minor(deposits.dust_trx_sun)?),
            (Asset::Usdt, Amount::from_minor(deposits.dust_usdt_micro)?),
        ]),
        orders,
    })
}
