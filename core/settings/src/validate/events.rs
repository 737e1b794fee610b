//! Rules about reading what happened.

use super::Check;
use crate::Settings;

pub(super) fn check(settings: &Settings, check: &mut Check) {
    let events = &settings.events;
    check.range("events.keep_days", events.keep_days, 1, 3_650);
    check.range("events.look_interval_ms", events.look_interval_ms, 50, 60_000);
    check.range("events.max_streams", events.max_streams, 1, 10_000);
    check.range("events.max_streams_per_key", events.max_streams_per_key, 1, 10_000);
    check.range("events.stream_s", events.stream_s, 1, 86_400);
}
