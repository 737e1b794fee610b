//! How often callers may ask: together by all processes, alone while Redis is away, and always as a naive model says.

use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use redis::AsyncTypedCommands;
use switchyard_jobs::{RateLimit, RateLimiter, Verdict, WakeConfig};
use testkit::TestRedis;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::seconds;

/// As long as a busy machine may need.
const PATIENCE: Duration = Duration::from_secs(5);
const AWAY: &str = "redis://127.0.0.1:1";

fn limiter(url: &str, namespace: &str) -> RateLimiter {
    RateLimiter::connect(WakeConfig::new(url, namespace), PATIENCE).unwrap()
}

fn noon() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

/// How many requests are left, if this one passed.
async fn left(limiter: &RateLimiter, caller: &str, limit: u32, now: DateTime<Utc>) -> Option<u32> {
    let verdict = limiter.check(caller, RateLimit::per_minute(limit), now).await;
    verdict.allowed().then(|| verdict.remaining())
}

#[tokio::test(flavor = "multi_thread")]
async fn all_processes_count_together() {
    let redis = TestRedis::new();
    let [a, b] = [(); 2].map(|()| limiter(&redis.url, &redis.namespace));
    assert_eq!(left(&a, "x", 3, noon()).await, Some(2));
    assert_eq!(left(&b, "x", 3, noon()).await, Some(1));
    assert_eq!(left(&b, "y", 3, noon()).await, Some(2), "each for itself");
    assert_eq!(left(&a, "x", 3, noon()).await, Some(0));
    assert_eq!(left(&b, "x", 3, noon()).await, None);
    let refused = a.check("x", RateLimit::per_minute(3), noon() + seconds(1)).await;
    assert_eq!((refused.allowed(), refused.retry_after_s()), (false, 19));
    assert_eq!(left(&b, "x", 3, noon() + seconds(20)).await, Some(0));
    assert_eq!(left(&a, "x", 3, noon() + seconds(20)).await, None);
    let other = limiter(&redis.url, &TestRedis::new().namespace);
    assert_eq!(left(&other, "x", 3, noon()).await, Some(2), "another namespace");
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_keeps_what_is_owed_and_no_longer() {
    let redis = TestRedis::new();
    let first = limiter(&redis.url, &redis.namespace);
    assert_eq!(left(&first, "x", 2, noon()).await, Some(1));
    let key = format!("{}:rate:x", redis.namespace);
    let client = redis::Client::open(redis.url.as_str()).unwrap();
    let mut conn = client.get_multiplexed_async_connection().await.unwrap();
    let lives: i64 = redis::cmd("PTTL").arg(&key).query_async(&mut conn).await.unwrap();
    assert!((1..=30_000).contains(&lives), "{lives}");
    assert_eq!(left(&first, "x", 2, noon()).await, Some(0));
    let lives: i64 = redis::cmd("PTTL").arg(&key).query_async(&mut conn).await.unwrap();
    assert!((1..=60_000).contains(&lives), "{lives}");
    // what Redis loses is given anew, to whoever does not know better
    conn.del(&key).await.unwrap();
    assert_eq!(left(&first, "x", 2, noon()).await, None);
    let second = limiter(&redis.url, &redis.namespace);
    assert_eq!(left(&second, "x", 2, noon()).await, Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_set_back_locks_nobody_out() {
    let redis = TestRedis::new();
    let early = noon() - TimeDelta::days(1);
    for url in [redis.url.as_str(), AWAY] {
        let [a, b] = [(); 2].map(|()| limiter(url, &redis.namespace));
        for remaining in [2, 1, 0] {
            assert_eq!(left(&a, "x", 3, noon()).await, Some(remaining));
        }
        assert_eq!(left(&a, "x", 3, early).await, None, "all of it was used just now");
        assert_eq!(left(&a, "x", 3, early + seconds(20)).await, Some(0));
        let other = left(&b, "x", 3, early + seconds(20)).await;
        assert_eq!(other, (url == AWAY).then_some(2));
        assert_eq!(left(&a, "x", 3, early + seconds(40)).await, Some(0));
    }
}

/// Tokens that drop into a bucket, in sixty-millionths of one.
struct Bucket {
    tokens: i128,
    limit: u32,
    at: Option<i64>,
}

const TOKEN: i128 = 60_000_000;

impl Bucket {
    fn full(limit: u32) -> Self {
        let tokens = TOKEN * i128::from(limit);
        Self {
            tokens,
            limit,
            at: None,
        }
    }

    /// Whether a request passes, how many more could, and the seconds until the bucket is full and until it has a token.
    fn take(&mut self, at: i64) -> (bool, u32, u64, u64) {
        let (rate, size) = (i128::from(self.limit), TOKEN * i128::from(self.limit));
        let passed = self.at.replace(at).map_or(0, |before| at - before);
        self.tokens = (self.tokens + rate * i128::from(passed)).clamp(0, size);
        let passes = self.tokens >= TOKEN;
        if passes {
            self.tokens -= TOKEN;
        }
        let seconds = |lacking: i128| {
            let micros = u64::try_from(lacking.max(0)).unwrap().div_ceil(u64::from(self.limit));
            micros.div_ceil(1_000_000)
        };
        let remaining = u32::try_from(self.tokens / TOKEN).unwrap();
        (
            passes,
            remaining,
            seconds(size - self.tokens),
            seconds(TOKEN - self.tokens),
        )
    }
}

fn told(verdict: &Verdict) -> (bool, u32, u64, u64) {
    let (reset_s, wait_s) = (verdict.reset_s(), verdict.retry_after_s());
    (verdict.allowed(), verdict.remaining(), reset_s, wait_s)
}

/// Limits whose requests cost whole microseconds, and pauses, also backwards. A key lives for ten seconds at least, far longer
/// than a case takes.
fn cases() -> impl Strategy<Value = (u32, Vec<i64>)> {
    let pause = prop_oneof![
        3 => Just(0),
        3 => 0_i64..20_000_000,
        1 => 0_i64..90_000_000,
        1 => -90_000_000_i64..0,
    ];
    (1_u32..=6, prop::collection::vec(pause, 1..30))
}

#[test]
fn redis_and_a_process_alone_both_say_what_a_bucket_of_tokens_would() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let config = Config {
        cases: 40,
        max_shrink_iters: 200,
        failure_persistence: None,
        ..Config::default()
    };
    let ran = TestRunner::new(config).run(&cases(), |(limit, pauses)| {
        runtime.block_on(async {
            let redis = TestRedis::new();
            let alone = limiter(AWAY, &redis.namespace);
            let (mut bucket, rate) = (Bucket::full(limit), RateLimit::per_minute(limit));
            let mut now = 0;
            for pause in pauses {
                now += pause;
                let time = noon() + TimeDelta::microseconds(now);
                let wanted = bucket.take(now);
                // one that remembers nothing has to ask Redis each time
                let shared = limiter(&redis.url, &redis.namespace);
                prop_assert_eq!(told(&shared.check("x", rate, time).await), wanted, "Redis at {}", now);
                prop_assert_eq!(told(&alone.check("x", rate, time).await), wanted, "alone at {}", now);
            }
            Ok(())
        })
    });
    ran.unwrap();
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Open,
    /// Connections break, and new ones are refused.
    Cut,
    /// Connections stay, and carry nothing.
    Silent,
}

/// The way to Redis, until something happens to it.
struct Relay {
    url: String,
    way: watch::Sender<Way>,
    carried: watch::Sender<usize>,
}

impl Relay {
    async fn to(url: &str) -> Self {
        let start = url.find('@').map_or("redis://".len(), |at| at + 1);
        let target = url[start..].split('/').next().unwrap().to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let relay = Self {
            url: url.replacen(&target, &listener.local_addr().unwrap().to_string(), 1),
            way: watch::Sender::new(Way::Open),
            carried: watch::Sender::new(0),
        };
        let (way, carried) = (relay.way.subscribe(), relay.carried.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(carry(stream, target.clone(), way.clone(), carried.clone()));
            }
        });
        relay
    }

    /// Nothing passes any more when this returns.
    async fn breaks(&self, way: Way) {
        self.way.send_replace(way);
        let mut carried = self.carried.subscribe();
        carried.wait_for(|connections| *connections == 0).await.unwrap();
    }

    fn opens(&self) {
        self.way.send_replace(Way::Open);
    }
}

async fn carry(mut near: TcpStream, target: String, mut way: watch::Receiver<Way>, carried: watch::Sender<usize>) {
    if *way.borrow_and_update() == Way::Open {
        carried.send_modify(|connections| *connections += 1);
        let mut far = TcpStream::connect(target).await.unwrap();
        tokio::select! {
            _ = copy_bidirectional(&mut near, &mut far) => {}
            _ = way.changed() => {}
        }
        carried.send_modify(|connections| *connections -= 1);
    }
    while *way.borrow_and_update() == Way::Silent {
        if way.changed().await.is_err() {
            return;
        }
    }
}

/// Waits until two limiters count together; the time passes, so that nobody is refused.
async fn found(here: &RateLimiter, elsewhere: &RateLimiter) {
    let (started, mut now) = (Instant::now(), noon());
    loop {
        now += seconds(60);
        left(here, "x", 3, now).await;
        if left(elsewhere, "x", 3, now).await == Some(1) {
            return;
        }
        assert!(started.elapsed() < Duration::from_secs(120), "Redis is not found");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_redis_a_process_goes_on_alone_and_comes_back() {
    for broken in [Way::Cut, Way::Silent] {
        let redis = TestRedis::new();
        let relay = Relay::to(&redis.url).await;
        let patience = Duration::from_secs(2);
        let here = RateLimiter::connect(WakeConfig::new(&*relay.url, &*redis.namespace), patience).unwrap();
        let elsewhere = limiter(&redis.url, &redis.namespace);
        assert_eq!(left(&elsewhere, "x", 3, noon()).await, Some(2));
        assert_eq!(left(&here, "x", 3, noon()).await, Some(1));
        relay.breaks(broken).await;
        assert_eq!(
            left(&here, "x", 3, noon()).await,
            Some(0),
            "it goes on from what it knows"
        );
        assert_eq!(left(&here, "x", 3, noon()).await, None);
        assert_eq!(left(&elsewhere, "x", 3, noon()).await, Some(0), "others do not know");
        let started = Instant::now();
        for n in 0..50 {
            assert_eq!(left(&here, &n.to_string(), 3, noon()).await, Some(2));
        }
        assert!(started.elapsed() < patience * 10, "each of them waited for Redis");
        relay.opens();
        found(&here, &elsewhere).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_was_away_from_the_start_is_found_when_it_comes() {
    let redis = TestRedis::new();
    let relay = Relay::to(&redis.url).await;
    relay.breaks(Way::Cut).await;
    let here = limiter(&relay.url, &redis.namespace);
    assert_eq!(left(&here, "x", 3, noon()).await, Some(2));
    relay.opens();
    found(&here, &limiter(&redis.url, &redis.namespace)).await;
}

#[test]
fn a_wrong_url_is_refused_without_quoting_it() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let _guard = runtime.enter();
    let error = RateLimiter::connect(WakeConfig::new("http://:secret@host", "x"), PATIENCE).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("secret"));
}
