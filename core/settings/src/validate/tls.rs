//! Rules about TLS: both files or neither. Whether they can be used is seen by who reads them.

use super::Check;
use crate::Settings;

pub(super) fn check(settings: &Settings, check: &mut Check) {
    let tls = &settings.api.tls;
    let (certificate, key) = ("api.tls.certificate", "api.tls.key");
    for (file, other, name) in [
        (&tls.certificate, &tls.key, certificate),
        (&tls.key, &tls.certificate, key),
    ] {
        check.require(
            !file.is_empty() || other.is_empty(),
            name,
            "is missing, and the other file is given",
            "give certificate and key, or neither",
        );
    }
    check.range("api.tls.reload_interval_s", tls.reload_interval_s, 1, 86_400);
    check.range("api.tls.handshake_timeout_ms", tls.handshake_timeout_ms, 100, 60_000);
}
