//! Counters of rare events start at zero: to Prometheus a counter that appears is no increase, and the first event of its
//! kind would raise no alert.

use db::models::{DeathCause, IntentKind, Outcome};
use jobs::{JobKind, Queue};
use metrics::counter;

/// How a run of a job can end.
const OUTCOMES: [&str; 6] = ["done", "again", "retry", "failed", "overtaken", "nothing_to_do"];

/// Shows every counter of rare events with each of its labels.
pub fn start_at_zero<'a>(
    networks: impl IntoIterator<Item = &'a String>,
    rate_sources: impl IntoIterator<Item = &'a String>,
) {
    for source in rate_sources {
        for outcome in quotes::OUTCOMES {
            counter!("switchyard_rate_answers_total", "source" => source.clone(), "outcome" => outcome).increment(0);
        }
    }
    for network in networks {
        counter!("switchyard_chain_reverted_blocks_total", "network" => network.clone()).increment(0);
        for outcome in ["equal", "differ"] {
            counter!("switchyard_lent_compared_total", "network" => network.clone(), "outcome" => outcome).increment(0);
        }
    }
    for intent in IntentKind::ALL.iter().map(|intent| intent.word()) {
        for cause in DeathCause::ALL.iter().map(|cause| cause.word()) {
            counter!("switchyard_chain_transactions_dead_total", "intent" => intent, "cause" => cause).increment(0);
        }
        for outcome in Outcome::ALL.iter().map(|outcome| outcome.word()) {
            counter!("switchyard_chain_transactions_included_total", "intent" => intent, "outcome" => outcome)
                .increment(0);
        }
        counter!("switchyard_chain_transactions_reverted_total", "intent" => intent).increment(0);
    }
    for kind in JobKind::ALL.iter().map(|kind| kind.word()) {
        counter!("switchyard_jobs_dead_total", "kind" => kind).increment(0);
        for outcome in OUTCOMES {
            counter!("switchyard_job_runs_total", "kind" => kind, "outcome" => outcome).increment(0);
        }
    }
    for queue in Queue::ALL.iter().map(|queue| queue.word()) {
        counter!("switchyard_wakes_undecodable_total", "queue" => queue).increment(0);
        counter!("switchyard_worker_restarts_total", "queue" => queue).increment(0);
    }
    for outcome in ["placed", "failed"] {
        counter!("switchyard_deposit_orders_total", "outcome" => outcome).increment(0);
    }
    for outcome in ["delivered", "refused", "unanswered"] {
        counter!("switchyard_webhook_sends_total", "outcome" => outcome).increment(0);
    }
    counter!("switchyard_webhook_given_up_total").increment(0);
    counter!("switchyard_ledger_event_reused_total").increment(0);
}
