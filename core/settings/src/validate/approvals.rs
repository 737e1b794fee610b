//! Rules about what a second person has to agree to.

use super::Check;
use crate::Settings;

pub(super) fn check(settings: &Settings, check: &mut Check) {
    let approvals = &settings.approvals;
    // less than a minute and nobody could decide; more than a month and nobody remembers what was asked
    check.range("approvals.expire_s", approvals.expire_s, 60, 2_592_000);
    check.range("approvals.open_max", approvals.open_max, 1, 10_000);
}
