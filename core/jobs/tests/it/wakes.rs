//! Wake-ups and Redis: pushed once, bounded, and never in the way of the caller.

use std::time::{Duration, Instant};

use futures::StreamExt;
use redis::AsyncTypedCommands;
use switchyard_jobs::{PushReport, Queue, Wake, WakeConfig, WakeQueue};
use testkit::TestRedis;

use crate::KIND;

fn wakes(range: std::ops::Range<u32>) -> Vec<Wake> {
    range
        .map(|n| Wake {
            kind: KIND,
            object_id: n.to_string(),
            generation: 0,
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_generation_waits_once_and_a_full_queue_takes_no_more() {
    let redis = TestRedis::new();
    let mut config = WakeConfig::new(redis.url, redis.namespace);
    config.max_depth = 300;
    config.push_budget = Duration::from_secs(5);
    let queue = WakeQueue::connect(config).unwrap();
    for _ in 0..3 {
        assert_eq!(queue.push_now(&wakes(0..10)).await.pushed, 10);
    }
    assert_eq!(
        queue.depth(Queue::Orders).await.unwrap(),
        10,
        "the same generation is the same task"
    );
    let report = queue.push_now(&wakes(0..1000)).await;
    assert!(report.skipped > 0 && report.failed == 0, "{report:?}");
    // a slice is pushed as a whole, so the bound is overstepped by less than two slices
    assert!(queue.depth(Queue::Orders).await.unwrap() < 300 + 256);
    assert_eq!(queue.depth(Queue::Wallets).await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_pushed_can_be_fetched_whatever_time_a_worker_has() {
    let redis = TestRedis::new();
    let mut config = WakeConfig::new(redis.url.as_str(), redis.namespace);
    config.push_budget = Duration::from_secs(5);
    let apalis = config.apalis(Queue::Orders);
    let queue = WakeQueue::connect(config).unwrap();
    assert_eq!(queue.push_now(&wakes(0..10)).await.pushed, 10);
    assert_eq!(queue.push_now(&wakes(0..12)).await.pushed, 12);
    let client = redis::Client::open(redis.url).unwrap();
    let mut conn = client.get_multiplexed_async_connection().await.unwrap();
    assert_eq!(conn.zcard(apalis.scheduled_jobs_set()).await.unwrap(), 0);
    let ready: Vec<String> = conn.lrange(apalis.active_jobs_list(), 0, -1).await.unwrap();
    let pushed: Vec<String> = wakes(0..12).iter().map(Wake::task_id).collect();
    assert_eq!(ready, pushed, "each once, the first one first");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_is_announced_and_arrives_from_the_background() {
    let redis = TestRedis::new();
    let config = WakeConfig::new(redis.url.as_str(), redis.namespace);
    let client = redis::Client::open(redis.url).unwrap();
    let mut subscription = client.get_async_pubsub().await.unwrap();
    subscription
        .subscribe(config.wake_channel(Queue::Orders))
        .await
        .unwrap();
    let queue = WakeQueue::connect(config.clone()).unwrap();
    queue.push(wakes(0..1));
    let mut messages = subscription.on_message();
    let message = tokio::time::timeout(Duration::from_secs(10), messages.next());
    assert!(message.await.unwrap().is_some());
    let mut conn = client.get_multiplexed_async_connection().await.unwrap();
    let data = conn
        .hget(config.apalis(Queue::Orders).job_data_hash(), wakes(0..1)[0].task_id())
        .await
        .unwrap();
    assert_eq!(Wake::decode(data.unwrap().as_bytes()).unwrap(), wakes(0..1)[0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_redis_a_push_costs_the_caller_nothing() {
    // a port that answers nothing at all is the worst case: the connection is taken and then silence
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    for url in [
        format!("redis://{}", silent.local_addr().unwrap()),
        "redis://127.0.0.1:1".into(),
    ] {
        let queue = WakeQueue::connect(WakeConfig::new(url, "test")).unwrap();
        let started = Instant::now();
        queue.push(wakes(0..20_000));
        assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
        let started = Instant::now();
        let report = queue.push_now(&wakes(0..10)).await;
        assert_eq!(
            report,
            PushReport {
                failed: 10,
                ..PushReport::default()
            }
        );
        assert!(queue.room(Queue::Orders).await.is_err());
        assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    }
}

#[test]
fn a_wrong_url_is_refused_without_quoting_it() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let _guard = runtime.enter();
    let error = WakeQueue::connect(WakeConfig::new("http://:secret@host", "x")).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("secret"));
}
