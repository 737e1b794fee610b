//! The one list of settings that can be changed while everything runs. One that is here takes effect in every process within
//! seconds: its users look at `rules` of the API or the worker, and keep no copy. What asks for a second person is none of them:
//! who may change settings must not be able to take it away.

use kernel::Amount;
use serde::{Deserialize, Serialize};

use super::{RuntimeSetting, RuntimeUnit, Written};
use crate::Settings;

macro_rules! runtime_settings {
    ($($field:ident: $type:ty = $name:literal, $($part:ident).+, $unit:ident, [$min:literal, $max:literal],
        $title:literal, $title_zh:literal;)+) => {
        /// The values of one version; `None`: as the configuration says.
        #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct RuntimeSettings {
            $(
                #[doc = $title]
                #[serde(rename = $name, default, skip_serializing_if = "Option::is_none")]
                pub $field: Option<$type>,
            )+
        }

        impl RuntimeSettings {
            /// The configuration with these values over it, whatever they are.
            pub(super) fn over(&self, base: &Settings) -> Settings {
                let mut settings = base.clone();
                $(
                    if let Some(value) = self.$field {
                        settings.$($part).+ = value;
                    }
                )+
                settings
            }
        }

        impl RuntimeSetting {
            /// Every one.
            pub const ALL: &'static [Self] = &[
                $(
                    Self {
                        name: $name,
                        unit: RuntimeUnit::$unit,
                        kind: <$type as Written>::KIND,
                        min: $min,
                        max: $max,
                        title: $title,
                        title_zh: $title_zh,
                        of: |settings| Written::json(settings.$($part).+),
                        reads: |value| <$type as Deserialize>::deserialize(value).ok().map(Written::number),
                    },
                )+
            ];
        }
    };
}

runtime_settings! {
    orders_energy_min: i64 = "orders.energy_min", orders.energy_min, Energy, [1, 1_000_000_000_000],
        "The least energy of one order", "单笔订单最小能量";
    orders_energy_max: i64 = "orders.energy_max", orders.energy_max, Energy, [1, 1_000_000_000_000],
        "The most energy of one order", "单笔订单最大能量";
    orders_duration_min_s: i64 = "orders.duration_min_s", orders.duration_min_s, Seconds, [60, 31_536_000],
        "The shortest rental", "最短租期";
    orders_duration_max_s: i64 = "orders.duration_max_s", orders.duration_max_s, Seconds, [60, 31_536_000],
        "The longest rental", "最长租期";
    orders_deadline_s: i64 = "orders.deadline_s", orders.deadline_s, Seconds, [10, 86_400],
        "How long a new order waits for its delivery before its money goes back", "新订单未交付时自动退款的期限";
    orders_quote_s: i64 = "orders.quote_s", orders.quote_s, Seconds, [5, 3_600],
        "How long a quoted price holds", "报价有效期";
    orders_quote_stock_energy: i64 = "orders.quote_stock_energy", orders.quote_stock_energy, Energy, [0, 1_000_000_000_000],
        "The most energy that quotes of one API key set aside at a time; 0: none", "单个 API 密钥的报价最多预留的能量，0 为不预留";
    orders_max_parts: u32 = "orders.max_parts", orders.max_parts, Wallets, [1, 20],
        "Wallets that may share an order that none of them can carry alone", "可共同承担一笔订单的钱包数";
    orders_stake_margin_bps: u32 = "orders.stake_margin_bps", orders.stake_margin_bps, BasisPoints, [0, 5_000],
        "TRX delegated on top, since energy per TRX drifts during a rental", "为应对能量比率变化而多委托的 TRX 比例";

    pool_low_stock_energy: i64 = "pool.low_stock_energy", pool.low_stock_energy, Energy, [0, 1_000_000_000_000],
        "An alert is raised, and the policy stakes, when less than this can be sold", "可售能量低于此值时告警并按策略质押";
    pool_low_trx: Amount = "pool.low_trx", pool.low_trx, Trx, [0, 1_000_000_000_000_000],
        "An alert is raised for each wallet in use that has less", "在用钱包余额低于此值时告警";
    pool_min_bandwidth: i64 = "pool.min_bandwidth", pool.min_bandwidth, BandwidthPoints, [0, 1_000_000],
        "What a wallet must have left to be chosen for an order", "钱包被选中所需的剩余带宽";

    payouts_trx_minimum: Amount = "payouts.trx.minimum", payouts.trx.minimum, Trx, [1, 1_000_000_000_000_000_000],
        "The smallest payout of TRX", "TRX 最小提现额";
    payouts_trx_user_day: Amount = "payouts.trx.user_day", payouts.trx.user_day, Trx, [1, 1_000_000_000_000_000_000],
        "TRX paid out to one user in 24 hours", "单个用户 24 小时 TRX 提现上限";
    payouts_trx_system_hour: Amount = "payouts.trx.system_hour", payouts.trx.system_hour, Trx,
        [1, 1_000_000_000_000_000_000], "TRX paid out to all users in an hour", "全部用户每小时 TRX 提现上限";
    payouts_usdt_minimum: Amount = "payouts.usdt.minimum", payouts.usdt.minimum, Usdt, [1, 1_000_000_000_000_000_000],
        "The smallest payout of USDT", "USDT 最小提现额";
    payouts_usdt_user_day: Amount = "payouts.usdt.user_day", payouts.usdt.user_day, Usdt, [1, 1_000_000_000_000_000_000],
        "USDT paid out to one user in 24 hours", "单个用户 24 小时 USDT 提现上限";
    payouts_usdt_system_hour: Amount = "payouts.usdt.system_hour", payouts.usdt.system_hour, Usdt,
        [1, 1_000_000_000_000_000_000], "USDT paid out to all users in an hour", "全部用户每小时 USDT 提现上限";

    deposits_expiry_s: i64 = "deposits.expiry_s", deposits.expiry_s, Seconds, [60, 2_592_000],
        "How long a deposit that is announced from now on is open", "新发起充值的有效期";
    deposits_sweep_trx_threshold: Amount = "deposits.sweep.trx_threshold", deposits.sweep.trx_threshold, Trx,
        [1_000_000, 1_000_000_000_000_000_000], "TRX that a collection must bring", "TRX 归集的最小金额";
    deposits_sweep_usdt_threshold: Amount = "deposits.sweep.usdt_threshold", deposits.sweep.usdt_threshold, Usdt,
        [1_000_000, 1_000_000_000_000_000_000], "USDT that a collection must bring", "USDT 归集的最小金额";

    rates_max_spread_bp: u32 = "rates.max_spread_bp", rates.max_spread_bp, BasisPoints, [1, 2_000],
        "How far apart the answers of rate sources may be", "汇率来源之间允许的最大差距";
    rates_max_step_bp: u32 = "rates.max_step_bp", rates.max_step_bp, BasisPoints, [1, 5_000],
        "How far a rate may be from the last one", "汇率相对上次允许的最大变动";
    rates_fee_bp: u32 = "rates.fee_bp", rates.fee_bp, BasisPoints, [0, 2_000],
        "What the house keeps of an exchange", "兑换手续费";

    api_ip_requests_per_minute: u32 = "api.ip_requests_per_minute", api.ip_requests_per_minute, RequestsPerMinute,
        [0, 1_000_000], "From one address without a right key; 0: no limit", "无有效密钥的单个地址每分钟请求上限，0 为不限";
    operators_ip_sign_ins_per_minute: u32 = "operators.ip_sign_ins_per_minute", operators.ip_sign_ins_per_minute,
        RequestsPerMinute, [1, 1_000_000], "Tries to sign in from one address", "单个地址每分钟登录尝试上限";
}
