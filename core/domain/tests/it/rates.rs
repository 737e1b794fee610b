//! Rounds of rates: which rate is in use, when there is none, and what operators set.

use chrono::Duration;
use db::acquire;
use db::models::{RateKind, RateRefusal};
use diesel_async::SimpleAsyncConnection;
use domain::DomainError;
use domain::operations::{Done, Instruction, ManualRate, clear_rate, set_rate};
use domain::rates::{HouseRate, NoRate, RatePolicy, Round, SourceAnswer, current, record_round};
use switchyard_domain as domain;

use crate::world::World;

/// The rate of the first round in most tests: 3.5 TRX for a USDT.
pub(crate) const RATE: i64 = 3_500_000;

/// As configured by default.
pub(crate) fn policy() -> RatePolicy {
    RatePolicy {
        min_sources: 2,
        max_spread_bp: 100,
        lowest: 1_000_000,
        highest: 20_000_000,
        max_step_bp: 500,
        stale_after: Duration::seconds(300),
        fee_bp: 0,
    }
}

fn answer(source: usize, rate: Option<i64>) -> SourceAnswer {
    SourceAnswer {
        source: format!("source-{source}"),
        text: rate.map(|rate| format!("0.{rate}")),
        rate: rate.ok_or("timeout"),
    }
}

fn by_hand(reason: Option<&str>) -> Instruction {
    Instruction {
        actor: "operator:anna".into(),
        name: "anna".into(),
        reason: reason.map(Into::into),
        mark: None,
        dry_run: false,
    }
}

impl World {
    /// A round in which the sources say this, asked now.
    pub(crate) async fn round(&self, rates: &[Option<i64>]) -> Round {
        let answers: Vec<SourceAnswer> = rates.iter().enumerate().map(|(n, rate)| answer(n, *rate)).collect();
        let asked = (answers.as_slice(), self.now());
        record_round(&self.worker, &self.ids, &policy(), asked, self.now())
            .await
            .unwrap()
    }

    /// A round in which two sources say the same.
    pub(crate) async fn says(&self, rate: i64) -> Round {
        self.round(&[Some(rate), Some(rate)]).await
    }

    async fn in_use(&self) -> Result<HouseRate, NoRate> {
        current(&self.api, &policy(), self.now()).await.unwrap()
    }

    async fn rate(&self) -> Result<i64, NoRate> {
        self.in_use().await.map(|rate| rate.sun_per_usdt)
    }

    pub(crate) async fn set_by_hand(&self, sun_per_usdt: i64, lasts: Duration) -> Result<Done, DomainError> {
        let rate = ManualRate {
            sun_per_usdt,
            lasts,
            beyond_band: false,
        };
        let instruction = by_hand(Some("the market moved"));
        set_rate(&self.worker, &self.ids, &policy(), (&instruction, &rate), self.now()).await
    }

    async fn clear_by_hand(&self) -> Done {
        let instruction = by_hand(Some("it was wrong"));
        let done = clear_rate(&self.worker, &self.ids, &instruction, self.now());
        done.await.unwrap()
    }
}

#[tokio::test]
async fn a_rate_is_used_while_it_is_fresh_and_then_there_is_none() {
    let world = World::new().await;
    assert_eq!(world.rate().await, Err(NoRate::Stale));
    let round = world.round(&[Some(RATE + 1_000), Some(RATE), None]).await;
    assert_eq!(round.judged.refused_as, None);
    assert_eq!(world.rate().await, Ok(RATE), "the lower of two");
    let stored = world
        .words("SELECT answers #>> '{0,text}' || ' ' || (answers #>> '{2,error}') AS word FROM rates")
        .await;
    assert_eq!(stored, [format!("0.{} timeout", RATE + 1_000)]);
    assert!(world.findings().await.is_empty());

    world.clock.advance_seconds(200);
    // an outage: the round before is good until it is stale
    let round = world.round(&[Some(RATE), None, None]).await;
    assert_eq!(round.judged.refused_as, Some(RateRefusal::TooFew));
    assert_eq!(world.rate().await, Ok(RATE));
    assert!(world.findings().await.is_empty());
    world.clock.advance_seconds(100);
    assert_eq!(world.rate().await, Err(NoRate::Stale));
    world.round(&[None, None]).await;
    assert_eq!(world.findings().await, ["rates.stale"]);
    let severity = world.word("SELECT severity AS word FROM findings").await;
    assert_eq!(severity, "critical");
    world.says(RATE + 5_000).await;
    assert_eq!(world.rate().await, Ok(RATE + 5_000));
    assert!(world.findings().await.is_empty(), "closed by the good round");
}

#[tokio::test]
async fn a_round_that_is_not_believed_stops_exchanges_at_once() {
    let world = World::new().await;
    for (rates, refused) in [
        (vec![Some(RATE), Some(RATE + 40_000)], RateRefusal::Spread),
        (vec![Some(RATE), Some(1)], RateRefusal::Band),
        (vec![Some(RATE + 200_000), Some(RATE + 200_000)], RateRefusal::Step),
    ] {
        world.says(RATE).await;
        world.clock.advance_seconds(10);
        let round = world.round(&rates).await;
        assert_eq!(round.judged.refused_as, Some(refused));
        assert_eq!(
            world.rate().await,
            Err(NoRate::Refused(refused)),
            "the one before is not used either"
        );
        assert_eq!(world.findings().await, ["rates.refused", "rates.stale"]);
        // silence does not make it good
        world.clock.advance_seconds(10);
        world.round(&[None, None]).await;
        assert_eq!(world.rate().await, Err(NoRate::Refused(refused)));
        world.clock.advance_seconds(10);
        world.says(RATE).await;
        assert!(world.findings().await.is_empty());
        world.clock.advance_seconds(10);
    }
}

#[tokio::test]
async fn a_step_is_confirmed_by_an_operator_and_a_rate_by_hand_ends() {
    let world = World::new().await;
    world.says(RATE).await;
    let new = 4_000_000;
    world.clock.advance_seconds(10);
    assert_eq!(world.says(new).await.judged.refused_as, Some(RateRefusal::Step));
    let done = world.set_by_hand(new + 10_000, Duration::minutes(10)).await.unwrap();
    assert_eq!((done.matched, done.affected), (1, 1));
    let used = world.in_use().await.unwrap();
    assert_eq!((used.sun_per_usdt, used.kind), (new + 10_000, RateKind::Manual));
    assert_eq!(world.findings().await, ["rates.refused"], "there is a rate again");
    world.clock.advance_seconds(10);
    assert_eq!(
        world.says(new).await.judged.refused_as,
        None,
        "near what the operator set"
    );
    assert_eq!(world.rate().await, Ok(new + 10_000), "by hand it is until it ends");
    assert!(world.findings().await.is_empty());
    world.clock.advance_seconds(600);
    world.says(new + 1_000).await;
    assert_eq!(world.rate().await, Ok(new + 1_000));
    let action = world
        .word("SELECT action || ' ' || reason || ' ' || actor AS word FROM operator_actions")
        .await;
    assert_eq!(action, "rates.set the market moved operator:anna");
}

#[tokio::test]
async fn a_rate_by_hand_that_was_taken_back_counts_for_nothing() {
    let world = World::new().await;
    world.says(RATE).await;
    world.clock.advance_seconds(10);
    world.set_by_hand(4_000_000, Duration::days(1)).await.unwrap();
    assert_eq!(world.rate().await, Ok(4_000_000));
    world.clock.advance_seconds(10);
    assert_eq!(world.clear_by_hand().await.affected, 1);
    assert_eq!(world.rate().await, Ok(RATE), "the market counts again");
    assert_eq!(world.clear_by_hand().await.affected, 0);
    world.clock.advance_seconds(10);
    assert_eq!(world.says(4_000_000).await.judged.refused_as, Some(RateRefusal::Step));
    assert_eq!(world.count("rates WHERE kind = 'cleared'").await, 1);
}

#[tokio::test]
async fn what_no_operator_means_is_refused() {
    let world = World::new().await;
    for (rate, lasts) in [
        (999_999, Duration::hours(1)),
        (20_000_001, Duration::hours(1)),
        (0, Duration::hours(1)),
        (-1, Duration::hours(1)),
        (RATE, Duration::seconds(59)),
        (RATE, Duration::days(8)),
    ] {
        let refused = world.set_by_hand(rate, lasts).await.unwrap_err();
        assert_eq!(
            refused.class(),
            kernel::ErrorClass::Invalid,
            "{rate} {lasts}: {refused}"
        );
    }
    let rate = ManualRate {
        sun_per_usdt: 25_000_000,
        lasts: Duration::hours(1),
        beyond_band: true,
    };
    let set = async |instruction: Instruction| {
        set_rate(&world.worker, &world.ids, &policy(), (&instruction, &rate), world.now())
            .await
            .map(|done| done.affected)
            .map_err(|error| error.code())
    };
    assert_eq!(set(by_hand(None)).await, Err("bad_text"), "a reason is needed");
    assert_eq!(set(by_hand(Some("a test"))).await, Ok(1));
}

#[tokio::test]
async fn nobody_edits_a_rate_and_the_api_sets_none() {
    let world = World::new().await;
    world.says(RATE).await;
    let mut conn = acquire(&world.api).await.unwrap();
    for sql in [
        "INSERT INTO rates SELECT * FROM rates",
        "UPDATE rates SET at = now()",
        "DELETE FROM rates",
    ] {
        let refused = conn.batch_execute(sql).await.unwrap_err().to_string();
        assert!(refused.contains("permission denied"), "{sql}: {refused}");
    }
    drop(conn);
    let owner = world.db.pool(testkit::Role::Owner);
    let mut conn = acquire(&owner).await.unwrap();
    for sql in [
        "UPDATE rates SET at = now()",
        "DELETE FROM rates",
        "TRUNCATE rates CASCADE",
    ] {
        assert!(conn.batch_execute(sql).await.is_err(), "{sql}");
    }
    for sql in [
        "INSERT INTO rates (id, at, kind, sun_per_usdt) VALUES (gen_random_uuid(), now(), 'manual', 1)",
        "INSERT INTO rates (id, at, kind) VALUES (gen_random_uuid(), now(), 'market')",
        "INSERT INTO rates (id, at, kind, sun_per_usdt) VALUES (gen_random_uuid(), now(), 'market', 0)",
    ] {
        let refused = conn.batch_execute(sql).await.unwrap_err().to_string();
        assert!(refused.contains("check constraint"), "{sql}: {refused}");
    }
}
