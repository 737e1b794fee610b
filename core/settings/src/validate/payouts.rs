//! Rules about payouts.

use super::Check;
use crate::Settings;

pub(super) fn check(settings: &Settings, check: &mut Check) {
    let payouts = &settings.payouts;
    let known = settings.networks.contains_key(&payouts.network);
    check.require(
        known,
        "payouts.network",
        format!("is `{}`, which [networks] does not have", payouts.network),
        "use the name of a network",
    );
    check.range("payouts.max_attempts", payouts.max_attempts, 1, 100);
    check.range("payouts.retry_ms", payouts.retry_ms, 100, 3_600_000);
    check.range("payouts.approval_expire_s", payouts.approval_expire_s, 3_600, 2_592_000);
    // the chain refuses a fee limit above 15,000 TRX, and one of nothing pays no call
    check.range(
        "payouts.token_fee_limit",
        payouts.token_fee_limit.minor(),
        1_000_000,
        15_000_000_000,
    );
    for (name, limits) in [("trx", &payouts.trx), ("usdt", &payouts.usdt)] {
        let key = |field: &str| format!("payouts.{name}.{field}");
        check.require(
            !limits.minimum.is_zero(),
            key("minimum"),
            "is nothing",
            "give the smallest amount that is worth its fee",
        );
        let fits = limits.minimum <= limits.user_day && limits.user_day <= limits.system_hour;
        check.require(
            fits,
            key("user_day"),
            "is not between minimum and system_hour",
            "let minimum, user_day and system_hour grow in this order",
        );
    }
}
