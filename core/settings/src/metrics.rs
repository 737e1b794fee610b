//! The process's Prometheus metrics: installed once, rendered on request. Names and labels belong to those who count.

use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

/// Histograms whose name ends in `_seconds`: from a wake-up (1 ms) to a rental's refund (10 min).
const SECONDS: [f64; 15] = [
    0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 3.0, 10.0, 30.0, 120.0, 600.0,
];
/// Other histograms: counts and sizes.
const COUNTS: [f64; 10] = [1.0, 2.0, 5.0, 10.0, 25.0, 100.0, 500.0, 2_500.0, 10_000.0, 100_000.0];
/// Without this, samples pile up in memory while nobody scrapes.
const UPKEEP: Duration = Duration::from_secs(5);

static INSTALLED: OnceLock<Metrics> = OnceLock::new();
static INSTALLING: Mutex<()> = Mutex::new(());

/// The metrics of this process.
#[derive(Clone)]
pub struct Metrics(PrometheusHandle);

impl Metrics {
    /// All metrics in Prometheus' text format.
    #[must_use]
    pub fn render(&self) -> String {
        self.0.render()
    }
}

/// Makes the `metrics` macros count; a later call answers the same metrics.
///
/// # Errors
/// When another recorder was installed before, or the upkeep thread cannot be started.
pub fn install() -> Result<Metrics, MetricsError> {
    let _one_at_a_time = INSTALLING.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(installed) = INSTALLED.get() {
        return Ok(installed.clone());
    }
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)?
        .set_buckets(&COUNTS)?
        .install_recorder()?;
    let upkept = handle.clone();
    std::thread::Builder::new()
        .name("metrics-upkeep".to_owned())
        .spawn(move || {
            loop {
                std::thread::sleep(UPKEEP);
                upkept.run_upkeep();
            }
        })?;
    Ok(INSTALLED.get_or_init(|| Metrics(handle)).clone())
}

/// Why metrics could not be installed.
#[derive(Debug, thiserror::Error)]
pub enum MetricsError {
    /// The recorder was refused.
    #[error("the metrics recorder cannot be installed")]
    Recorder(#[from] BuildError),
    /// The upkeep thread was refused.
    #[error("the metrics upkeep thread cannot be started")]
    Thread(#[from] std::io::Error),
}

#[cfg(test)]
mod tests {
    #[test]
    fn durations_are_counted_in_buckets_and_a_second_install_shares_them() {
        let first = super::install().unwrap();
        let second = super::install().unwrap();
        metrics::counter!("test_orders_total").increment(2);
        metrics::histogram!("test_wait_seconds").record(0.004);
        metrics::histogram!("test_batch").record(7.0);
        let text = second.render();
        assert_eq!(first.render(), text);
        for line in [
            "test_orders_total 2",
            "test_wait_seconds_bucket{le=\"0.002\"} 0",
            "test_wait_seconds_bucket{le=\"0.005\"} 1",
            "test_batch_bucket{le=\"5\"} 0",
            "test_batch_bucket{le=\"10\"} 1",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
        }
    }
}
