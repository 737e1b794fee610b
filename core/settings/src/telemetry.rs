//! Log set-up: one subscriber per process, text for people or JSON lines for machines, to standard error.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

use crate::{LogFormat, SettingsError, Telemetry, layers};

/// Starts logging. To be called once, at the start; a second call changes nothing and is an error.
///
/// # Errors
/// When the filter cannot be read, or logging was started before.
pub fn init(telemetry: &Telemetry) -> Result<(), SettingsError> {
    let filter = parse_filter(&telemetry.log_filter)
        .map_err(|error| layers::value_error("telemetry.log_filter", &error.to_string()))?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    let started = match telemetry.log_format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder
            .json()
            .flatten_event(true)
            .with_current_span(true)
            .with_span_list(false)
            .try_init(),
    };
    started.map_err(|error| layers::value_error("telemetry", &error.to_string()))
}

/// Reads a filter such as `info,switchyard_worker=debug`; an empty one would log nothing and is refused.
pub(crate) fn parse_filter(filter: &str) -> Result<EnvFilter, ParseError> {
    let filter = if filter.trim().is_empty() { "=" } else { filter };
    EnvFilter::try_new(filter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_checked() {
        assert!(parse_filter("info,switchyard_worker=debug").is_ok());
        for bad in ["", "  ", "info,switchyard_worker=loud", "=="] {
            assert!(parse_filter(bad).is_err(), "{bad:?}");
        }
    }
}
