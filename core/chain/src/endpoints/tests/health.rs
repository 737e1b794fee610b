//! When an endpoint rests, for how long, and what is counted.

use std::time::Duration;

use super::super::health::{Health, Weight};
use super::*;

#[tokio::test]
async fn an_endpoint_that_turned_us_away_rests_for_thirty_seconds() {
    for status in [403, 429, 503] {
        let a = Node::start(&[Reply::Status(status), Reply::Number(1)]).await;
        let b = Node::start(&[Reply::Number(2)]).await;
        let clock = clock();
        let list = list(&[&a, &b], &clock);
        assert_eq!(list.call(&request(), read).await.unwrap(), 2);
        clock.advance_seconds(29);
        assert_eq!(list.call(&request(), read).await.unwrap(), 2, "{status}");
        assert_eq!(a.hits(), 1);
        clock.advance_seconds(1);
        assert_eq!(list.call(&request(), read).await.unwrap(), 1, "{status}");
    }
}

#[tokio::test]
async fn a_refusal_in_the_body_counts_as_one() {
    let a = Node::start(&[Reply::Text("{\"Error\":\"busy\"}"), Reply::Number(1)]).await;
    let list = list(&[&a], &clock());
    assert!(list.call(&request(), read).await.is_err());
    assert!(list.call(&request(), read).await.is_err());
    assert_eq!(a.hits(), 1);
}

#[tokio::test]
async fn retry_after_is_heeded_within_bounds() {
    for (after, rests) in [("120", 120), ("1", 30), ("999999", 600), ("soon", 30)] {
        let a = Node::start(&[Reply::RetryAfter(429, after), Reply::Number(1)]).await;
        let clock = clock();
        let list = list(&[&a], &clock);
        assert!(list.call(&request(), read).await.is_err());
        clock.advance_seconds(rests - 1);
        assert!(list.endpoints[0].is_resting(), "{after}");
        clock.advance_seconds(1);
        assert!(!list.endpoints[0].is_resting(), "{after}");
    }
}

#[tokio::test]
async fn where_all_rest_the_answer_comes_at_once_and_nobody_is_asked() {
    let (a, b) = (
        Node::start(&[Reply::Status(503)]).await,
        Node::start(&[Reply::Status(500)]).await,
    );
    let list = list(&[&a, &b], &clock());
    assert!(list.call(&request(), read).await.is_err());
    let error = list.call(&request(), read).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "no endpoint of nile answered: every endpoint is resting"
    );
    assert!(matches!(error, ChainError::Unavailable { .. }));
    assert_eq!((a.hits(), b.hits()), (1, 1));
}

#[tokio::test]
async fn an_unusable_answer_rests_only_from_the_third_in_a_row() {
    let a = Node::start(&[
        Reply::Status(404),
        Reply::Text("<html>"),
        Reply::Number(1),
        Reply::Text("<html>"),
        Reply::Long(1_001),
        Reply::Text("{}"),
    ])
    .await;
    let list = list(&[&a], &clock());
    let mut resting = Vec::new();
    for _ in 0..6 {
        // The outcome is the reply's; what counts here is the rest.
        let _ = list.call(&request(), read).await;
        resting.push(list.endpoints[0].is_resting());
    }
    assert_eq!(resting, [false, false, false, false, false, true]);
}

#[tokio::test]
async fn broken_endpoints_rest_and_come_back() {
    for kind in [Reply::Status(500), Reply::Truncated] {
        let a = Node::start(&[kind.clone(), Reply::Number(1)]).await;
        let clock = clock();
        let list = list(&[&a], &clock);
        assert!(list.call(&request(), read).await.is_err());
        assert!(list.endpoints[0].is_resting(), "{kind:?}");
        clock.advance_seconds(1);
        assert_eq!(list.call(&request(), read).await.unwrap(), 1, "{kind:?}");
    }
}

#[test]
fn the_rest_doubles_up_to_a_minute_and_starts_over_after_a_success() {
    let clock = clock();
    let health = Health::new(Arc::<ManualClock>::clone(&clock));
    for full_ms in [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000] {
        let rest = health.failed(Weight::Broken).unwrap();
        let bounds = Duration::from_millis(full_ms / 2)..=Duration::from_millis(full_ms);
        assert!(bounds.contains(&rest), "{rest:?} {bounds:?}");
        clock.advance_seconds(60);
    }
    health.succeeded();
    assert!(health.failed(Weight::Broken).unwrap() <= Duration::from_secs(1));
}

#[test]
fn failures_of_calls_that_were_under_way_together_are_one() {
    let clock = clock();
    let health = Health::new(Arc::<ManualClock>::clone(&clock));
    assert!(health.failed(Weight::Broken).is_some());
    assert!((0..20).all(|_| health.failed(Weight::Broken).is_none()));
    clock.advance_seconds(1);
    assert!(!health.is_resting());
}

#[test]
fn being_turned_away_prolongs_a_rest_and_nothing_shortens_it() {
    let clock = clock();
    let health = Health::new(Arc::<ManualClock>::clone(&clock));
    assert!(health.failed(Weight::Broken).is_some());
    assert_eq!(
        health.failed(Weight::Throttled(Some(Duration::from_secs(90)))),
        Some(Duration::from_secs(90))
    );
    assert_eq!(health.failed(Weight::Throttled(None)), None);
    health.succeeded();
    clock.advance_seconds(89);
    assert!(health.is_resting());
}

#[test]
fn a_clock_that_is_set_back_ends_the_rest() {
    let clock = clock();
    let health = Health::new(Arc::<ManualClock>::clone(&clock));
    assert!(health.failed(Weight::Throttled(None)).is_some());
    clock.advance_seconds(-3_600);
    assert!(!health.is_resting());
}

#[tokio::test]
async fn every_outcome_is_counted() {
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let a = Node::start(&[Reply::Number(1), Reply::Status(429)]).await;
    let b = Node::start(&[Reply::Text("<html>")]).await;
    let list = list(&[&a, &b], &clock());
    assert!(list.call(&request(), read).await.is_ok());
    assert!(list.call(&request(), read).await.is_err());
    let text = recorder.handle().render();
    for (endpoint, outcome) in [("a", "ok"), ("a", "http_429"), ("b", "malformed")] {
        let line = format!(
            "switchyard_node_calls_total{{network=\"nile\",endpoint=\"{endpoint}\",method=\"wallet/getnowblock\",outcome=\"{outcome}\"}} 1"
        );
        assert!(text.contains(&line), "{line}\n{text}");
    }
    assert!(
        text.contains("switchyard_node_endpoint_healthy{network=\"nile\",endpoint=\"a\"} 0"),
        "{text}"
    );
    assert!(
        text.contains("switchyard_node_endpoint_healthy{network=\"nile\",endpoint=\"b\"} 1"),
        "{text}"
    );
    assert!(
        text.contains("switchyard_node_call_seconds_count{network=\"nile\",endpoint=\"a\""),
        "{text}"
    );
}
